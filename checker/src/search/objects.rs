//! The objects of a history, each judged by itself, several at a time.
//!
//! Linearizability is local (Herlihy and Wing 1990): the whole is linearizable exactly if each object is. So objects are
//! judged in parallel, on the threads of the rayon pool that the caller is in, and what is found is put together in the
//! order of the objects. The result is the same for every number of threads, unless a limit is hit.
//!
//! Every object gets all the steps, so that one hard object does not keep the others from being judged. Time and memory
//! are one for all.

use rayon::prelude::*;

use super::{Contradiction, Next, Outcome, Unknown};
use crate::anomaly::Anomaly;
use crate::findings::Findings;
use crate::history::{History, Operation, OperationId, Symbol};
use crate::limits::{Budget, Exceeded};

/// How many objects are judged between two looks at what was found.
const BLOCK: usize = 1024;

/// The most objects whose contradictions are explained. The others are counted.
const EXPLAINED_MAX: usize = 64;

/// Operations sorted by their objects.
#[derive(Debug)]
pub(super) struct Objects {
    /// The objects, in ascending order; `None` is what has no name.
    keys: Vec<Option<Symbol>>,
    /// Where the operations of each object begin, and behind the last where they end.
    begins: Vec<usize>,
    ids: Vec<OperationId>,
}

impl Objects {
    /// Sorts the operations that are `wanted`; those on one object stay in the order of their invocation.
    pub(super) fn of(
        history: &History,
        wanted: impl Fn(&Operation) -> bool,
        budget: &mut Budget<'_>,
    ) -> Result<Self, Exceeded> {
        // A counting sort: how many operations each object has says where its own begin.
        let place = |operation: &Operation| operation.key.map_or(0, |key| key.index() + 1);
        budget.allocate(((history.symbols.len() + 2) * size_of::<usize>()) as u64)?;
        let mut next = vec![0; history.symbols.len() + 2];
        let mut count = 0;
        for operation in history.operations() {
            budget.tick()?;
            if wanted(operation) {
                next[place(operation) + 1] += 1;
                count += 1;
            }
        }
        let (mut keys, mut begins) = (Vec::new(), Vec::new());
        let names = std::iter::once(None).chain(history.symbols.all().map(Some));
        for (name, place) in names.zip(1..) {
            budget.tick()?;
            if next[place] > 0 {
                budget.push(&mut keys, name)?;
                budget.push(&mut begins, next[place - 1])?;
            }
            next[place] += next[place - 1];
        }
        begins.push(count);
        budget.allocate((count * size_of::<OperationId>()) as u64)?;
        let mut ids = vec![OperationId(0); count];
        for (id, operation) in history.ids().zip(history.operations()) {
            budget.tick()?;
            if wanted(operation) {
                let next = &mut next[place(operation)];
                ids[*next] = id;
                *next += 1;
            }
        }
        budget.release(((history.symbols.len() + 2) * size_of::<usize>()) as u64);
        Ok(Objects { keys, begins, ids })
    }

    /// How many objects there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many operations there are on all of them.
    pub(super) fn operations(&self) -> u64 {
        self.ids.len() as u64
    }

    /// One object, and the operations on it.
    pub(super) fn get(&self, number: usize) -> (Option<Symbol>, &[OperationId]) {
        (self.keys[number], &self.ids[self.begins[number]..self.begins[number + 1]])
    }
}

/// The judgement of one object.
#[derive(Debug)]
pub(super) struct Judged {
    verdict: Verdict,
    /// The most memory that it took, in bytes.
    peak_bytes: u64,
}

#[derive(Debug)]
enum Verdict {
    Right,
    /// What is wrong, if it was to be explained.
    Wrong(Option<Box<Anomaly>>),
    /// How far the search came, and what comes next.
    Undecided(Unknown, String),
}

impl Judged {
    /// What was found out about one object, and how much memory that took. A contradiction is explained if it is `told`;
    /// `next` says what comes next where a search ended.
    pub(super) fn of(
        (outcome, peak_bytes): (Outcome, u64),
        told: bool,
        explain: impl FnOnce(&Contradiction) -> Anomaly,
        next: impl FnOnce(&Next) -> String,
    ) -> Judged {
        let verdict = match outcome {
            Outcome::Linearizable(_) => Verdict::Right,
            Outcome::NotLinearizable(contradiction) => {
                Verdict::Wrong(told.then(|| Box::new(explain(&contradiction))))
            }
            Outcome::Unknown(unknown) => {
                let next = unknown.next.as_ref().map_or(String::new(), next);
                Verdict::Undecided(unknown, next)
            }
        };
        Judged { verdict, peak_bytes }
    }

    /// A limit was hit before it came to that.
    pub(super) fn unknown(exceeded: Exceeded) -> Judged {
        Judged {
            verdict: Verdict::Undecided(
                Unknown { exceeded, ordered: 0, completions: 0, next: None },
                String::new(),
            ),
            peak_bytes: 0,
        }
    }
}

/// Judges the objects `0..count`. `judge` is told whether a contradiction is to be explained; `name` names an object.
pub(super) fn judge_all<'n>(
    count: usize,
    judge: impl Fn(usize, bool) -> Judged + Sync,
    name: impl Fn(usize) -> &'n str,
) -> Findings {
    let mut findings = Findings { keys: count as u64, ..Findings::default() };
    let mut undecided: Option<(String, u64)> = None;
    let mut begin = 0;
    while begin < count {
        let block = begin..count.min(begin + BLOCK);
        let told = findings.anomalies.len() < EXPLAINED_MAX;
        let judged: Vec<Judged> = block.clone().into_par_iter().map(|number| judge(number, told)).collect();
        begin = block.end;
        for (number, Judged { verdict, peak_bytes }) in block.zip(judged) {
            findings.peak_bytes = findings.peak_bytes.max(peak_bytes);
            match verdict {
                Verdict::Right => {}
                Verdict::Wrong(anomaly) => {
                    findings.anomalies_total += 1;
                    let room = findings.anomalies.len() < EXPLAINED_MAX;
                    findings.anomalies.extend(anomaly.filter(|_| room).map(|anomaly| *anomaly));
                }
                Verdict::Undecided(unknown, next) => {
                    undecided.get_or_insert_with(|| (doubt(&unknown, name(number)) + &next, 0)).1 += 1;
                }
            }
        }
    }
    if let Some((first, undecided)) = undecided {
        let others =
            if undecided > 1 { format!("; {} more are undecided", undecided - 1) } else { String::new() };
        findings.doubts.push(format!("{first}{others}"));
    }
    findings
}

fn doubt(unknown: &Unknown, name: &str) -> String {
    let Unknown { exceeded, ordered, completions, .. } = unknown;
    if *completions == 0 {
        return format!("{exceeded} before `{name}` was judged");
    }
    format!(
        "{exceeded} when an order was found for {ordered} of the {completions} completed operations on `{name}`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::AnomalyKind;
    use crate::history::timeline;
    use crate::limits::Limits;

    #[test]
    fn operations_are_sorted_by_object_and_stay_in_order() {
        let history = timeline::parse(
            "p0: |-write 1 @x-| |-write 2 @y-| |-write 3 @x-| |-login al-|
             p1:    |-get 1 @x-|                               |-write 4 @z-|",
        )
        .unwrap();
        let is_register =
            |operation: &Operation| operation.input.object() == crate::history::Object::Register;
        let mut budget = Budget::new(&Limits::none());
        let objects = Objects::of(&history, is_register, &mut budget).unwrap();
        let sorted: Vec<(&str, Vec<usize>)> = (0..objects.len())
            .map(|number| objects.get(number))
            .map(|(key, ids)| (history.text(key.unwrap()), ids.iter().map(|id| id.index()).collect()))
            .collect();
        assert_eq!(sorted, [("x", vec![0, 1, 3]), ("y", vec![2]), ("z", vec![5])]);
        let limited = |limits: &Limits<'_>| {
            Objects::of(&history, is_register, &mut Budget::new(limits)).map(|objects| objects.len())
        };
        for memory in 0..budget.peak() {
            assert_eq!(limited(&Limits { memory, ..Limits::none() }), Err(Exceeded::Memory(memory)));
        }
        assert_eq!(limited(&Limits { memory: budget.peak(), ..Limits::none() }), Ok(3));
        assert_eq!(limited(&Limits { expired: &|| true, ..Limits::none() }), Err(Exceeded::Time));
    }

    /// Objects of which every third is wrong.
    fn judge(number: usize, told: bool) -> Judged {
        let anomaly = || {
            let sentence = format!("{number} is wrong");
            Box::new(Anomaly::of_digests(AnomalyKind::NotLinearizable, Vec::new(), sentence))
        };
        let verdict =
            if number.is_multiple_of(3) { Verdict::Wrong(told.then(anomaly)) } else { Verdict::Right };
        Judged { verdict, peak_bytes: number as u64 }
    }

    #[test]
    fn the_number_of_threads_does_not_show() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| judge_all(3 * BLOCK, judge, |_| ""))
        };
        let one = on(1);
        assert_eq!((one.anomalies_total, one.anomalies.len()), (BLOCK as u64, EXPLAINED_MAX));
        assert_eq!(one.anomalies[1].sentence, "3 is wrong");
        assert_eq!((one.keys, one.peak_bytes), (3 * BLOCK as u64, 3 * BLOCK as u64 - 1));
        assert_eq!((on(2), on(8)), (one.clone(), one));
    }

    #[test]
    fn the_first_undecided_object_speaks_for_all() {
        let judge = |number, _| match number {
            0 => judge(1, true),
            _ => Judged::unknown(Exceeded::Time),
        };
        let names = ["a", "b", "c"];
        let findings = judge_all(3, judge, |number| names[number]);
        assert_eq!(
            findings.doubts,
            ["the time limit was reached before `b` was judged; 1 more are undecided"]
        );
    }
}
