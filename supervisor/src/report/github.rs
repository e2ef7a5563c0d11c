//! A suite as GitHub shows it: an annotation at the line of the scenario that says what was violated, and a table in
//! the summary of the step.

use std::fmt::Write as _;

use super::recap::{summary, word};
use super::words::minutes;
use crate::suite::case::{CaseReport, Ending};
use crate::suite::record::Record;

/// The commands of a workflow, one a line: an error for each scenario that did not end as expected. Scenarios that
/// were not run have none: the reason is elsewhere.
#[must_use]
pub fn annotations(record: &Record) -> String {
    let failed = record.failed().filter(|report| report.ending() != Ending::NotRun);
    failed.map(annotation).collect()
}

fn annotation(report: &CaseReport) -> String {
    let title = format!("{}: {}", report.scenario, word(report.ending()).to_lowercase());
    let mut message = report.reason();
    if let Some(command) = report.telling().and_then(|attempt| attempt.reproduce.as_ref()) {
        let _ = write!(message, "\nreproduce: {command}");
    }
    format!(
        "::error file={},line={},title={}::{}\n",
        property(&report.source),
        report.line,
        property(&title),
        data(&message)
    )
}

/// The summary of the step, in Markdown.
#[must_use]
pub fn step_summary(record: &Record) -> String {
    let mut text = format!("### Scenarios\n\n{}\n\n", cell(&summary(record)));
    text += "| | scenario | seed | time | |\n|---|---|---:|---:|---|\n";
    for report in &record.scenarios {
        let attempt = report.telling();
        let seed = attempt.map(|attempt| attempt.seed).or(report.seed);
        let seed = seed.map(|seed| seed.to_string()).unwrap_or_default();
        let why = match report.ending() {
            Ending::Expected => String::new(),
            _ => {
                let again = attempt.and_then(|attempt| attempt.reproduce.as_ref());
                let again = again.map(|command| format!("<br>`{}`", command.replace('|', "\\|")));
                cell(&report.reason()) + &again.unwrap_or_default()
            }
        };
        let ending = report.ending();
        let mark = if ending == Ending::Expected { "✅" } else { "❌" };
        let mark = if ending == Ending::NotRun { "⏭️" } else { mark };
        let (word, scenario, time) = (word(ending), cell(&report.scenario), minutes(report.seconds));
        let _ = writeln!(text, "| {mark} {word} | {scenario} | {seed} | {time} | {why} |");
    }
    text + "\n"
}

/// The message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text in a table: nothing of it is Markdown or HTML.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for character in text.chars() {
        match character {
            '&' => cell += "&amp;",
            '<' => cell += "&lt;",
            '>' => cell += "&gt;",
            '\n' => cell += "<br>",
            '|' | '*' | '_' | '`' | '\\' | '[' | ']' => cell.extend(['\\', character]),
            _ => cell.push(character),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::recap::tests::{assert_golden, colourful};

    #[test]
    fn each_failure_is_an_annotation_and_everything_is_in_the_table() {
        let annotations = annotations(&colourful());
        assert_golden("annotations.txt", &annotations);
        assert_eq!(annotations.lines().count(), 5, "one line each, whatever the message has in it");
        assert_golden("summary.md", &step_summary(&colourful()));
    }

    #[test]
    fn nothing_in_a_message_is_taken_for_a_command() {
        assert_eq!(data("100 %\n::error::"), "100 %25%0A::error::");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
        assert_eq!(cell("<b> | a_b"), "&lt;b&gt; \\| a\\_b");
    }
}
