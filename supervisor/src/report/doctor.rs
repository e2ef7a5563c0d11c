//! What the doctor found, for a person: a line each, and below it what follows and how to mend it.

use checker::report::wrap;

use super::words::tally;
use crate::doctor::leftover::Leftovers;
use crate::doctor::{Finding, State, is_ready};

/// The column in which what was found begins.
const FOUND: usize = 26;

/// The text of an examination. `is_clean_up` when the leftovers have been removed.
#[must_use]
pub fn render(findings: &[Finding], leftovers: &Leftovers, is_clean_up: bool) -> String {
    let mut text: String = findings.iter().map(finding).collect();
    text += "\n";
    text += &left(leftovers, is_clean_up);
    text += if is_ready(findings) {
        "the default scenarios can run here\n"
    } else {
        "the default scenarios CANNOT run here: mend what is marked so\n"
    };
    text
}

fn finding(finding: &Finding) -> String {
    let state = match finding.state {
        State::Good => "good",
        State::Limited => "limited",
        State::Cannot => "CANNOT",
    };
    let mut text = wrap(&format!("{state:<9}{:<17}", finding.name), &finding.found, FOUND);
    if let Some(follows) = &finding.follows {
        text += &wrap(&" ".repeat(FOUND), follows, FOUND);
    }
    if let Some(mend) = &finding.mend {
        text += &wrap(&format!("{:FOUND$}mend: ", ""), mend, FOUND + 6);
    }
    text
}

fn left(leftovers: &Leftovers, is_clean_up: bool) -> String {
    let Leftovers { processes, files, unfinished_runs } = leftovers;
    let mut text = String::new();
    let verb = if is_clean_up { "removed" } else { "left, for `supervisor doctor --clean` to remove" };
    for orphan in processes {
        text += &wrap(&format!("{verb}: "), &format!("process {}: {}", orphan.pid, orphan.command), 2);
    }
    for path in files {
        text += &format!("{verb}: {}\n", path.display());
    }
    if !unfinished_runs.is_empty() {
        let runs = tally(unfinished_runs.len(), "run has", "runs have");
        text += &format!("{runs} no verdict and nobody who writes it; `supervisor check` judges it:\n");
        text += &unfinished_runs.iter().map(|run| format!("  {}\n", run.display())).collect::<String>();
    }
    if !text.is_empty() {
        text += "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn of(name: &'static str, state: State, found: &str) -> Finding {
        let is_good = state == State::Good;
        let advice = |text: &str| (!is_good).then(|| text.to_owned());
        let found = found.to_owned();
        Finding { name, state, found, follows: advice("latencies say little"), mend: advice("buy more") }
    }

    #[test]
    fn a_line_each_what_follows_and_how_to_mend_it() {
        let findings = [of("cores", State::Good, "2 usable"), of("clock", State::Limited, "hpet")];
        let expected = "\
good     cores            2 usable
limited  clock            hpet
                          latencies say little
                          mend: buy more

the default scenarios can run here
";
        assert_eq!(render(&findings, &Leftovers::default(), false), expected);
        let cannot = [of("open-files", State::Cannot, "at most 20")];
        let text = render(&cannot, &Leftovers::default(), false);
        assert!(text.starts_with("CANNOT   open-files       at most 20\n"), "{text}");
        assert!(
            text.ends_with("\n\nthe default scenarios CANNOT run here: mend what is marked so\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_left_is_named_and_what_was_removed_too() {
        let leftovers = Leftovers {
            files: vec![PathBuf::from("runs/latest.new-7")],
            unfinished_runs: vec![PathBuf::from("runs/calm/one")],
            ..Leftovers::default()
        };
        let expected = "
left, for `supervisor doctor --clean` to remove: runs/latest.new-7
1 run has no verdict and nobody who writes it; `supervisor check` judges it:
  runs/calm/one

the default scenarios can run here
";
        assert_eq!(render(&[], &leftovers, false), expected);
        assert!(render(&[], &leftovers, true).starts_with("\nremoved: runs/latest.new-7\n"));
    }
}
