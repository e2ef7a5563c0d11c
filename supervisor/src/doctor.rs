//! What this machine can and cannot do for the testbed, found out by doing it.
//!
//! Each [`Finding`] is one line: what was found, what follows from it, and how to mend it. Nothing is guessed from a
//! version or a configuration where it can be tried: a file is synced, ports are opened, the kernel's packet filter is
//! asked to drop a packet.
//!
//! What a killed run left behind is found, and removed on demand, by [`leftover`].

mod disk;
pub mod leftover;
mod limits;
mod machine;

use std::path::Path;

use serde::Serialize;

use crate::kernel;

/// The cluster of the default scenarios.
const NODES: usize = 5;

/// The most clients that a default scenario has.
const CLIENTS: usize = 16;

/// How good a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is wrong.
    Good,
    /// The default scenarios run; something else does not, or figures say less.
    Limited,
    /// The default scenarios cannot run.
    Cannot,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: `open-files`.
    pub name: &'static str,
    /// How good it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What follows from it, if it is worth saying.
    pub follows: Option<String>,
    /// How to mend it, if something is to be mended.
    pub mend: Option<String>,
}

impl Finding {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Good, found: found.into(), follows: None, mend: None }
    }

    fn limited(name: &'static str, found: impl Into<String>, follows: &str, mend: &str) -> Self {
        let (follows, mend) = (Some(follows.to_owned()), Some(mend.to_owned()));
        Self { state: State::Limited, follows, mend, ..Self::good(name, found) }
    }

    fn cannot(name: &'static str, found: impl Into<String>, follows: &str, mend: &str) -> Self {
        Self { state: State::Cannot, ..Self::limited(name, found, follows, mend) }
    }
}

/// Looks at everything. `runs` is the directory of all runs; it need not exist, and is not created.
#[must_use]
pub fn examine(runs: &Path) -> Vec<Finding> {
    vec![
        machine::cores(),
        machine::memory(),
        disk::space(runs),
        disk::sync(runs),
        limits::open_files(),
        limits::loopback(),
        limits::ports(),
        limits::death_signal(),
        machine::clock(),
        network(),
        machine::node(),
        machine::bugs(),
    ]
}

/// Whether the default scenarios can run.
#[must_use]
pub fn is_ready(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.state != State::Cannot)
}

/// Whether `network: kernel` can be had: namespaces without root, and a packet filter in them.
fn network() -> Finding {
    const NAME: &str = "kernel-network";
    let capabilities = match kernel::probe::probe() {
        Ok(capabilities) => capabilities,
        Err(missing) => {
            let follows =
                "scenarios with `network: kernel` cannot run; the others use a proxy and do not need it";
            return Finding::limited(NAME, missing.what, follows, &missing.remedy);
        }
    };
    let lacks = kernel::probe::Ability::ALL.iter().filter_map(|ability| capabilities.lack(*ability));
    let lacks: Vec<_> = lacks.collect();
    match lacks.first() {
        None => Finding::good(NAME, format!("{capabilities}, without root")),
        Some(missing) => Finding::limited(
            NAME,
            format!("{capabilities}; {}", missing.what),
            "scenarios with `network: kernel` that need more than this cannot run",
            &missing.remedy,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_says_what_to_do_if_it_is_not_good_and_names_are_used_once() {
        let runs = tempfile::tempdir().unwrap();
        let findings = examine(&runs.path().join("not/there"));
        let mut names: Vec<_> = findings.iter().map(|finding| finding.name).collect();
        for finding in &findings {
            assert!(!finding.found.is_empty(), "{finding:?}");
            assert_eq!(finding.mend.is_some(), finding.state != State::Good, "{finding:?}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), findings.len());
        assert_eq!(std::fs::read_dir(runs.path()).unwrap().count(), 0, "nothing is left in the directory");
    }

    #[test]
    fn one_thing_that_cannot_be_is_enough() {
        let findings = [
            Finding::good("cores", "2"),
            Finding::limited("clock", "hpet", "slow", "buy another"),
            Finding::cannot("ports", "none", "no node", "open some"),
        ];
        assert!(is_ready(&findings[..2]) && !is_ready(&findings));
    }
}
