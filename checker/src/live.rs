//! Judging a history while it is being written: what cannot be any more is known at once.
//!
//! A [`Follower`] is given the bytes of a `history.jsonl` or a `history.bin`, in pieces of any size. Conversations are judged with every
//! event, by the [log checker](crate::log::online). Everything else is judged by [`Follower::judge`], whenever the caller
//! thinks that it is time: it looks at the whole history so far.
//!
//! A violation in the beginning of a history is one of the whole: a linearizable history has linearizable beginnings, in
//! which what is still open may or may not have happened (Herlihy and Wing, 1990), and what a subscription was told twice
//! stays told twice. So only such checks are asked that have this property, and what they find is final. What they do not
//! find proves nothing.

mod source;

use std::collections::HashMap;

use source::Source;

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::check::{CheckName, check_one};
use crate::evidence::Evidence;
use crate::history::format::ReadError;
use crate::history::{History, OperationId, Step};
use crate::limits::Limits;
use crate::log::online::{Begun, Online};
use crate::verdict::Verdict;

/// The checks whose violations in the beginning of a history are violations of the whole.
pub const CHECKS: [CheckName; 2] = [CheckName::Linearizable, CheckName::Delivery];

/// A violation that was found while the history was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: CheckName,
    /// What kind of contradiction, of several the gravest.
    pub kind: AnomalyKind,
    /// The object.
    pub key: Option<String>,
    /// The contradiction in one sentence.
    pub sentence: String,
    /// When the last event was recorded that had been seen then, in ns since the start of the run.
    pub at: u64,
}

/// Follows a history.
#[derive(Debug)]
pub struct Follower {
    /// The checks that are asked.
    names: Vec<CheckName>,
    source: Source,
    progress: Progress,
}

/// How far it has come.
#[derive(Debug)]
struct Progress {
    online: Online,
    /// The operations on conversations that are under way, by their numbers.
    begun: HashMap<OperationId, Begun>,
    at: u64,
}

impl Follower {
    /// A follower that has seen nothing, and asks those of `names` that are among [`CHECKS`].
    #[must_use]
    pub fn new(names: &[CheckName]) -> Self {
        Follower {
            names: names.iter().copied().filter(|name| CHECKS.contains(name)).collect(),
            source: Source::default(),
            progress: Progress { online: Online::new(), begun: HashMap::new(), at: 0 },
        }
    }

    /// Takes the next bytes, and tells whether they make a violation certain.
    ///
    /// # Errors
    /// [`ReadError`] if they are no part of a history. Then there is nothing more to follow.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Finding>, ReadError> {
        let mut is_violated = false;
        let progress = &mut self.progress;
        self.source.feed(bytes, |history| is_violated |= progress.step(history))?;
        Ok(if is_violated { self.judge(&Limits::none()) } else { None })
    }

    /// Judges everything so far, in time that grows with all of it.
    #[must_use]
    pub fn judge(&mut self, limits: &Limits<'_>) -> Option<Finding> {
        // Lent to the evidence meanwhile.
        let history = std::mem::take(self.source.history_mut());
        let evidence = Evidence { history, ..Evidence::default() };
        let found = self.names.iter().find_map(|name| {
            let result = check_one(&evidence, *name, limits);
            let Anomaly { kind, key, sentence, .. } =
                result.anomalies.into_iter().next().filter(|_| result.verdict == Verdict::Invalid)?;
            Some(Finding { check: *name, kind, key, sentence, at: self.progress.at })
        });
        *self.source.history_mut() = evidence.history;
        found
    }

    /// What was seen so far.
    #[must_use]
    pub fn history(&self) -> &History {
        self.source.history()
    }
}

impl Progress {
    /// Gives the last event to the log checker. Whether it cannot be.
    fn step(&mut self, history: &History) -> bool {
        match history.last_step() {
            Some(Step::Invoked(id)) => {
                let operation = history.operation(id);
                self.at = operation.invoked.time;
                let begun = self.online.invoke(id, operation.key, &operation.input);
                self.begun.extend(begun.map(|begun| (id, begun)));
                false
            }
            Some(Step::Completed(id)) => {
                let operation = history.operation(id);
                self.at = operation.completed.map_or(self.at, |completed| completed.time);
                let begun = self.begun.remove(&id);
                begun.is_some_and(|begun| self.online.complete(begun, &operation.outcome).is_some())
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check;
    use crate::history::format::Place;
    use crate::history::{binary, jsonl, timeline};

    fn written(picture: &str) -> Vec<u8> {
        let mut text = Vec::new();
        jsonl::write(&timeline::parse(picture).unwrap(), &mut text).unwrap();
        text
    }

    /// Feeds a history in pieces of a size; what is found first, and how many bytes it took.
    fn follow(text: &[u8], size: usize) -> Option<(Finding, usize)> {
        let mut follower = Follower::new(&CHECKS);
        let mut fed = 0;
        text.chunks(size).find_map(|piece| {
            fed += piece.len();
            follower.feed(piece).unwrap().map(|finding| (finding, fed))
        })
    }

    const STALE: &str = "p0: |-send a=1-|  |-send b=2-|
                         p1:                               |-read [a]-|  |-read [a b]-|  |-read [a b]-|";

    #[test]
    fn a_stale_read_is_known_with_the_event_that_proves_it() {
        let text = written(STALE);
        let (finding, fed) = follow(&text, 1).unwrap();
        assert_eq!((finding.check, finding.key.as_deref()), (CheckName::Linearizable, Some("k")));
        // The header and six events come before it, and four behind it are not needed.
        assert_eq!(text[..fed].iter().filter(|byte| **byte == b'\n').count(), 7);
        assert!(finding.sentence.contains("the read by client 1 began at"), "{}", finding.sentence);
        for size in [7, 100, text.len()] {
            let (other, _) = follow(&text, size).unwrap();
            assert_eq!((other.check, other.key), (finding.check, finding.key.clone()));
        }
    }

    #[test]
    fn the_same_is_known_of_a_binary_history() {
        let history = timeline::parse(STALE).unwrap();
        let mut bytes = Vec::new();
        let mut writer = binary::Writer::new(&mut bytes, &jsonl::Header::new(None)).unwrap();
        let mut ends = Vec::new();
        for event in jsonl::events(&history) {
            writer.append(&event.borrowed()).unwrap();
            writer.flush().unwrap();
        }
        drop(writer);
        let (finding, _) = follow(&written(STALE), 1).unwrap();
        for size in [1, 7, 100, bytes.len()] {
            let (other, fed) = follow(&bytes, size).unwrap();
            assert_eq!((other.check, &other.key), (finding.check, &finding.key));
            ends.push(fed);
        }
        assert!(ends[0] < bytes.len() && ends[0] <= ends[1], "it is known before the end: {ends:?}");
    }

    #[test]
    fn what_is_found_in_the_beginning_is_found_in_the_whole() {
        for picture in [
            STALE,
            "p0: |-write 1-|  |-write 2-|  |-get 1-|  |-get 2-|",
            "p0: |-create al-| |-create al-| |-login al-|",
        ] {
            let text = written(picture);
            let whole = Evidence { history: timeline::parse(picture).unwrap(), ..Evidence::default() };
            let whole = check(&whole, &CHECKS, &Limits::none());
            let mut follower = Follower::new(&CHECKS);
            let mut found = None;
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                let fed = follower.feed(line).unwrap();
                let judged = follower.judge(&Limits::none());
                assert!(fed.is_none() || judged.is_some(), "{fed:?}");
                assert!(found.is_none() || judged.is_some(), "what is found stays: {found:?}");
                found = found.or(judged);
            }
            let found = found.expect("there is something to find");
            let result = whole.iter().find(|result| result.name == found.check).unwrap();
            assert_eq!(result.verdict, Verdict::Invalid, "{found:?}");
        }
    }

    #[test]
    fn a_valid_history_is_never_suspected() {
        let text = written(
            "p0: |-send a=1-|  |-send b-----?\np1:   |-read []-|    |-read [a]-|  |-write 1-|  |-get 1-|",
        );
        let mut follower = Follower::new(&CHECKS);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            assert_eq!(follower.feed(line).unwrap(), None);
            assert_eq!(follower.judge(&Limits::none()), None);
        }
        assert_eq!(follower.history().operations().len(), 6);
    }

    #[test]
    fn what_is_no_history_is_refused() {
        let error = Follower::new(&CHECKS)
            .feed(b"{\"format\":\"hearsay-history\",\"version\":1}\nnonsense\n")
            .unwrap_err();
        assert_eq!(error.place, Place::Line { line: 2, column: 2 });
        let error = Follower::new(&CHECKS).feed(b"\x89PNG\r\n\x1a\n").unwrap_err();
        assert_eq!(error.place, Place::Byte(0));
    }
}
