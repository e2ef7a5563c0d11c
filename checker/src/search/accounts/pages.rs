//! What a list of accounts says about each single name.
//!
//! A page covers the names that match its pattern, from behind its `after` up to its last name if it is full, else to
//! the end. A name it shows existed, and a name it covers and does not show did not. A page that is not what was asked
//! for is an anomaly of its own, and says nothing about names.

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::explain::Scene;
use crate::history::{History, Input, Object, OperationId, Output, Symbol};
use crate::limits::{Budget, Exceeded, sort_by_key};
use crate::model::accounts::Presence;

/// The names of a history in ascending order. A name's place in it is its rank.
#[derive(Debug)]
pub(crate) struct Names {
    sorted: Vec<Symbol>,
    /// By symbol.
    ranks: Vec<Option<usize>>,
}

/// One answered list.
#[derive(Debug)]
pub(crate) struct Page<'h> {
    pub(crate) id: OperationId,
    pattern: Option<&'h str>,
    /// The ranks it covers.
    covers: std::ops::Range<usize>,
    /// The ranks it shows, ascending.
    shown: Vec<usize>,
}

impl Names {
    /// The names that operations are about, and those that were listed.
    pub(crate) fn of(history: &History, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        budget.allocate((history.symbols.len() * size_of::<Option<usize>>()) as u64)?;
        let mut ranks = vec![None; history.symbols.len()];
        let mut sorted: Vec<Symbol> = Vec::new();
        let mut add = |name: Symbol, budget: &mut Budget<'_>| {
            budget.tick()?;
            match ranks[name.index()].replace(0) {
                Some(_) => Ok(()),
                None => budget.push(&mut sorted, name),
            }
        };
        for operation in history.operations() {
            budget.tick()?;
            if let Some(Output::Names { names }) = operation.output() {
                names.iter().try_for_each(|name| add(*name, budget))?;
            } else if let Some(name) = operation.key
                && operation.input.object() == Object::Account
            {
                add(name, budget)?;
            }
        }
        sort_by_key(budget, &mut sorted, |name| history.text(*name))?;
        for (rank, name) in sorted.iter().enumerate() {
            ranks[name.index()] = Some(rank);
        }
        Ok(Names { sorted, ranks })
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn name(&self, rank: usize) -> Symbol {
        self.sorted[rank]
    }

    pub(crate) fn rank(&self, name: Symbol) -> Option<usize> {
        self.ranks[name.index()]
    }

    /// The page of an answered list, or who tells what is wrong with it; `None` for every other operation.
    pub(crate) fn page<'h>(
        &self,
        history: &'h History,
        id: OperationId,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Result<Page<'h>, impl FnOnce() -> Anomaly + use<'h>>>, Exceeded> {
        let operation = history.operation(id);
        let Input::ListAccounts { pattern, after, limit, .. } = operation.input else { return Ok(None) };
        let Some(Output::Names { names }) = operation.output() else { return Ok(None) };
        // Each name is looked at a few times, and kept.
        budget.ticks(4 * names.len() as u64)?;
        budget.allocate((names.len() * size_of::<usize>()) as u64)?;
        let pattern = pattern.map(|pattern| history.text(pattern));
        let after = after.map(|after| history.text(after));
        if let Some((kind, sentence)) = wrong(history, names, pattern, after, limit) {
            let tell = move || Anomaly::of_scene(kind, &Scene::new(history, None, &[id]), sentence);
            return Ok(Some(Err(tell)));
        }
        let shown: Vec<usize> = names.iter().filter_map(|name| self.rank(*name)).collect();
        let from = after.map_or(0, |after| self.sorted.partition_point(|name| history.text(*name) <= after));
        let is_full = limit.is_some_and(|limit| names.len() >= limit as usize);
        let to = match shown.last() {
            Some(last) if is_full => last + 1,
            None if is_full => from,
            Some(_) | None => self.sorted.len(),
        };
        Ok(Some(Ok(Page { id, pattern, covers: from..to, shown })))
    }
}

impl Page<'_> {
    /// What the page says of a name.
    pub(crate) fn shows(&self, rank: usize, name: &str) -> Option<Presence> {
        if self.shown.binary_search(&rank).is_ok() {
            return Some(Presence::Present);
        }
        let covered =
            self.covers.contains(&rank) && self.pattern.is_none_or(|pattern| matches(pattern, name));
        covered.then_some(Presence::Absent)
    }
}

/// Why a list is not what was asked for.
fn wrong(
    history: &History,
    names: &[Symbol],
    pattern: Option<&str>,
    after: Option<&str>,
    limit: Option<u32>,
) -> Option<(AnomalyKind, String)> {
    if let Some(limit) = limit.filter(|limit| names.len() > *limit as usize) {
        let sentence = format!("{} accounts were listed where at most {limit} were asked for", names.len());
        return Some((AnomalyKind::OverlongPage, sentence));
    }
    let mut previous = after;
    for name in names {
        let name = history.text(*name);
        if let Some(previous) = previous.filter(|previous| *previous >= name) {
            let sentence =
                format!("`{name}` was listed after `{previous}`, though names are in ascending order");
            return Some((AnomalyKind::WrongPage, sentence));
        }
        if let Some(pattern) = pattern.filter(|pattern| !matches(pattern, name)) {
            let sentence = format!("`{name}` was listed, though it does not match `{pattern}`");
            return Some((AnomalyKind::WrongPage, sentence));
        }
        previous = Some(name);
    }
    None
}

/// Whether a name matches a pattern, in which `*` stands for any text and `?` for any one character. An empty pattern
/// matches every name.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.is_empty() {
        return true;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // The last star, and how far the name was when it began: it takes one character more each time the rest fails.
    let mut star = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            Some(_) | None => match &mut star {
                Some((begin, taken)) => {
                    *taken += 1;
                    (at, in_name) = (*begin + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::timeline;
    use crate::limits::Limits;

    #[test]
    fn a_pattern_matches_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("", "al", true),
            ("*", "", true),
            ("a*", "al", true),
            ("a*", "bal", false),
            ("*a*b", "xaybb", true),
            ("*a*b", "xaybc", false),
            ("?l", "al", true),
            ("?l", "l", false),
            ("a**", "a", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    fn says(list: &str) -> Vec<String> {
        let history = timeline::parse(&format!(
            "p0: |-create al-| |-create am-| |-create bo-| |-create cy-|
             p1:                                                          |-{list}-|"
        ))
        .unwrap();
        let mut budget = Budget::new(&Limits::none());
        let names = Names::of(&history, &mut budget).unwrap();
        let id = history.ids().last().unwrap();
        let page = names.page(&history, id, &mut budget).unwrap().unwrap();
        let page = page.map_err(|tell| tell().sentence);
        match page {
            Err(sentence) => vec![sentence],
            Ok(page) => (0..names.len())
                .filter_map(|rank| {
                    let name = history.text(names.name(rank));
                    page.shows(rank, name).map(|presence| match presence {
                        Presence::Present => format!("+{name}"),
                        Presence::Absent => format!("-{name}"),
                    })
                })
                .collect(),
        }
    }

    #[test]
    fn a_page_speaks_of_the_names_it_covers() {
        assert_eq!(says("list [al bo]"), ["+al", "-am", "+bo", "-cy"]);
        assert_eq!(says("list limit 2 [al bo]"), ["+al", "-am", "+bo"]);
        assert_eq!(says("list limit 3 [al bo]"), ["+al", "-am", "+bo", "-cy"]);
        assert_eq!(says("list after am [cy]"), ["-bo", "+cy"]);
        assert_eq!(says("list like a* [am]"), ["-al", "+am"]);
        assert_eq!(says("list after al like a* limit 1 [am]"), ["+am"]);
        assert_eq!(says("list limit 0 []"), [""; 0]);
    }

    #[test]
    fn a_page_that_was_not_asked_for_is_wrong() {
        assert_eq!(says("list [bo al]"), ["`al` was listed after `bo`, though names are in ascending order"]);
        assert_eq!(says("list [al al]"), ["`al` was listed after `al`, though names are in ascending order"]);
        assert_eq!(
            says("list after al [al]"),
            ["`al` was listed after `al`, though names are in ascending order"]
        );
        assert_eq!(says("list like b* [al]"), ["`al` was listed, though it does not match `b*`"]);
        assert_eq!(says("list limit 1 [al bo]"), ["2 accounts were listed where at most 1 were asked for"]);
    }
}
