//! What a person sees while a suite goes on, on standard error.
//!
//! A line for each scenario that ended; on a terminal, below them one line that moves: how far the suite is, and what
//! each scenario that runs is doing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::progress::ProgressMode;
use super::recap::word;
use super::words::minutes;
use crate::suite::case::{CaseReport, Ending};
use crate::suite::queue::Watcher;

/// How often the moving line is drawn anew.
pub const DRAW_INTERVAL: Duration = Duration::from_millis(200);

/// Shows a suite while it goes on.
#[derive(Debug)]
pub struct SuiteProgress {
    form: Form,
    names: Vec<String>,
    running: RefCell<BTreeMap<usize, Running>>,
    /// How many have ended, and how many of them not as expected.
    ended: RefCell<(usize, usize)>,
}

#[derive(Debug)]
enum Form {
    Line(ProgressBar),
    Plain,
    Json,
    None,
}

/// A scenario that runs.
#[derive(Debug)]
struct Running {
    began: Instant,
    phase: String,
}

impl SuiteProgress {
    /// Progress of a suite of the scenarios with these names.
    #[must_use]
    pub fn new(mode: ProgressMode, names: Vec<String>) -> Self {
        let form = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => Form::Line(line()),
            ProgressMode::Bar => Form::Line(line()),
            ProgressMode::Auto | ProgressMode::Plain => Form::Plain,
            ProgressMode::Json => Form::Json,
            ProgressMode::None => Form::None,
        };
        Self { form, names, running: RefCell::default(), ended: RefCell::default() }
    }

    /// Draws the moving line anew.
    pub fn draw(&self) {
        if let Form::Line(bar) = &self.form {
            bar.set_message(self.status());
            bar.tick();
        }
    }

    /// Takes the moving line away, before anything else is printed.
    pub fn finish(&self) {
        if let Form::Line(bar) = &self.form {
            bar.finish_and_clear();
        }
    }

    /// `[2/7, 1 failed]  leader-kill load 12 s`.
    fn status(&self) -> String {
        let (ended, failed) = *self.ended.borrow();
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        let mut text = format!("[{ended}/{}{failed}]", self.names.len());
        for (place, Running { began, phase }) in self.running.borrow().iter() {
            let seconds = began.elapsed().as_secs();
            let _ = write!(text, "  {} {phase} {seconds} s", self.names[*place]);
        }
        text
    }

    fn print(&self, line: &str) {
        match &self.form {
            Form::Line(bar) => bar.println(line),
            // Progress that cannot be printed is no reason to end a suite.
            Form::Plain | Form::Json => drop(writeln!(std::io::stderr().lock(), "{line}")),
            Form::None => {}
        }
    }
}

impl Watcher for SuiteProgress {
    fn began(&self, case: usize) {
        let running = Running { began: Instant::now(), phase: "begins".to_owned() };
        self.running.borrow_mut().insert(case, running);
        self.draw();
    }

    fn event(&self, case: usize, event: &Value) {
        if let (Some(running), Some(phase)) =
            (self.running.borrow_mut().get_mut(&case), event["phase"].as_str())
        {
            phase.clone_into(&mut running.phase);
        }
        if matches!(self.form, Form::Json) {
            self.print(&event.to_string());
        }
        self.draw();
    }

    fn ended(&self, case: usize, reports: &[CaseReport]) {
        self.running.borrow_mut().remove(&case);
        let report = &reports[case];
        let (ended, failed) = &mut *self.ended.borrow_mut();
        *ended += 1;
        *failed += usize::from(report.ending() != Ending::Expected);
        if !matches!(self.form, Form::Json) {
            self.print(&ended_line(*ended, reports.len(), report));
        }
    }
}

/// `[3/7] PASS  leader-kill, seed 5 (42 s)`.
fn ended_line(number: usize, of: usize, report: &CaseReport) -> String {
    let width = of.to_string().len();
    let seed = report.seed_in_words();
    let (word, time) = (word(report.ending()), minutes(report.seconds));
    let mut line = format!("[{number:>width$}/{of}] {word}  {}{seed} ({time})", report.scenario);
    if report.ending() != Ending::Expected {
        let _ = write!(line, ": {}", report.reason());
    }
    line
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")
        .expect("the template has only fields that indicatif knows");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10)).with_style(style)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::recap::tests::colourful;

    #[test]
    fn the_moving_line_says_how_far_the_suite_is_and_a_line_how_each_scenario_ended() {
        let reports = colourful().scenarios;
        let names = reports.iter().map(|report| report.scenario.clone()).collect();
        let progress = SuiteProgress::new(ProgressMode::None, names);
        assert_eq!(progress.status(), "[0/7]");
        progress.began(0);
        progress.began(1);
        progress.event(1, &json!({ "kind": "phase", "phase": "load" }));
        assert_eq!(progress.status(), "[0/7]  calm begins 0 s  leader-kill load 0 s");
        progress.ended(0, &reports);
        progress.ended(1, &reports);
        assert_eq!(progress.status(), "[2/7, 1 failed]");
        assert_eq!(ended_line(1, 7, &reports[0]), "[1/7] PASS  calm, seed 7 (42 s)");
        assert_eq!(
            ended_line(3, 10, &reports[3]),
            "[ 3/10] INCONCLUSIVE  idle, seed 7 (42 s): leader-changes 0 of 3 was not reached"
        );
    }
}
