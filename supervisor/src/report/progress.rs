//! What a person sees while a run goes on, on standard error.
//!
//! On a terminal: a bar for the time, the counts of the operations and the leader, and a line above it for whatever
//! happens to the cluster. Elsewhere: those lines alone, with no animation and no colour.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write};
use std::rc::Rc;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::Watcher;
use crate::run::event::{Observer, Phase, RunEvent, TimedEvent};
use crate::run::recorder::Tally;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProgressMode {
    /// `bar` on a terminal, `plain` elsewhere.
    #[default]
    Auto,
    /// A bar, and a line for each event above it.
    Bar,
    /// A line for each event.
    Plain,
    /// An object for each event.
    Json,
    /// Nothing.
    None,
}

/// Shows a run while it goes on.
#[derive(Debug)]
pub struct Progress {
    form: Form,
    label: Label,
    leader: RefCell<Option<(String, u64)>>,
    phase: Cell<Option<Phase>>,
    /// When the warm-up began, in ns since the start of the run: where the bar begins.
    warmup_at: Cell<Option<u64>>,
    tally: Cell<Tally>,
}

/// Which run it is.
#[derive(Debug, Clone)]
pub struct Label {
    /// The scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// It is one of several, so every line says which.
    pub is_one_of_many: bool,
}

#[derive(Debug)]
enum Form {
    Bar(ProgressBar),
    Plain,
    Json,
    None,
}

impl Progress {
    /// Progress of a run whose load, warm-up included, takes `length`.
    #[must_use]
    pub fn new(mode: ProgressMode, length: Duration, label: Label) -> Rc<Self> {
        let form = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => Form::Bar(bar(length)),
            ProgressMode::Auto | ProgressMode::Plain => Form::Plain,
            ProgressMode::Bar => Form::Bar(bar(length)),
            ProgressMode::Json => Form::Json,
            ProgressMode::None => Form::None,
        };
        Rc::new(Self {
            form,
            label,
            leader: RefCell::default(),
            phase: Cell::default(),
            warmup_at: Cell::default(),
            tally: Cell::default(),
        })
    }

    fn draw_bar(&self, now_ns: u64) {
        let Form::Bar(bar) = &self.form else { return };
        let load_ns = self.warmup_at.get().map_or(0, |began| now_ns.saturating_sub(began));
        bar.set_position(load_ns / 1_000_000);
        bar.set_message(self.status());
    }

    /// `load: 558 ok, 2 failed, 0 unknown, n1 leads term 2`.
    fn status(&self) -> String {
        let phase = self.phase.get().map_or("", Phase::label);
        let Tally { ok, fail, info, .. } = self.tally.get();
        let leader = self.leader.borrow();
        let leader = leader.as_ref().map(|(node, term)| format!(", {node} leads term {term}"));
        format!("{phase}: {ok} ok, {fail} failed, {info} unknown{}", leader.unwrap_or_default())
    }

    /// Takes the bar away, before anything else is printed.
    pub fn finish(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }

    fn print(&self, line: &str) {
        match &self.form {
            Form::Bar(bar) => bar.println(line),
            // Progress that cannot be printed is no reason to end a run.
            Form::Plain | Form::Json => drop(writeln!(std::io::stderr().lock(), "{line}")),
            Form::None => {}
        }
    }
}

impl Watcher for Progress {
    fn tick(&self, elapsed: Duration, tally: Tally) {
        self.tally.set(tally);
        self.draw_bar(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl Observer for Progress {
    fn event(&self, timed: &TimedEvent) {
        match &timed.event {
            RunEvent::Leader { node, term } => *self.leader.borrow_mut() = Some((node.clone(), *term)),
            RunEvent::Phase { phase } => {
                self.phase.set(Some(*phase));
                if *phase == Phase::Warmup {
                    self.warmup_at.set(Some(timed.at));
                }
            }
            _ => {}
        }
        let line = match self.form {
            Form::None => None,
            Form::Json => Some(to_json(timed, &self.label)),
            Form::Bar(_) | Form::Plain => to_text(timed, &self.label),
        };
        if let Some(line) = line {
            self.print(&line);
        }
        self.draw_bar(timed.at);
    }
}

fn bar(length: Duration) -> ProgressBar {
    let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {wide_msg}")
        .expect("the template has only fields that indicatif knows");
    ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10)).with_style(style)
}

/// The line of `events.jsonl`, with the run that it belongs to.
fn to_json(timed: &TimedEvent, label: &Label) -> String {
    let mut object = timed.to_object();
    object.insert("scenario".to_owned(), label.scenario.as_str().into());
    object.insert("seed".to_owned(), label.seed.into());
    serde_json::Value::Object(object).to_string()
}

/// A line with its time, for a person.
fn to_text(timed: &TimedEvent, label: &Label) -> Option<String> {
    let text = describe(&timed.event)?;
    let run =
        if label.is_one_of_many { format!("{} seed {} ", label.scenario, label.seed) } else { String::new() };
    let seconds = Duration::from_nanos(timed.at).as_secs_f64();
    Some(format!("{run}{seconds:7.2} s  {text}"))
}

/// A line for a person, or nothing for what only the file needs.
fn describe(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Began { scenario, seed, directory } => format!("{scenario}, seed {seed} → {directory}"),
        RunEvent::Phase { phase } => format!("── {}", phase.label()),
        RunEvent::NodeStarted { node, pid, generation, .. } if *generation > 1 => {
            format!("{node} is back (pid {pid})")
        }
        RunEvent::NodeStarted { .. } | RunEvent::Digest { .. } => return None,
        RunEvent::NodeExited { expected: true, .. } => return None,
        RunEvent::NodeJoined { node } => format!("{node} is part of the cluster"),
        RunEvent::NodeLeft { node, why } => format!("{node} is out of the run: {why}"),
        RunEvent::NodeExited { node, status, .. } => format!("{node} ended by itself: {status}"),
        RunEvent::Leader { node, term } => format!("{node} leads term {term}"),
        RunEvent::FaultInstalled { verb, nodes, fault } => format!("{fault}: {verb} {}", nodes.join(" ")),
        RunEvent::FaultSkipped { fault, verb, why } => format!("{fault}: {verb} skipped, {why}"),
        RunEvent::FaultLifted { fault, effect, .. } => format!("{fault}: {effect}"),
        RunEvent::StepBegan { step, what } => format!("{step}: {what}"),
        RunEvent::StepMet { step, seen, after_ms } => format!("{step}: {seen} after {after_ms} ms"),
        RunEvent::StepUnmet { step, why, .. } => format!("{step}: {why}"),
        RunEvent::Healed { after_ms } => format!("healed: every node has caught up after {after_ms} ms"),
        RunEvent::NotHealed { why } => format!("not healed: {why}"),
        RunEvent::DigestMissing { node, why } => format!("no digest of {node}: {why}"),
        RunEvent::ViolationSeen { check, anomaly, key, sentence, ends_load, .. } => {
            let key = key.as_ref().map_or(String::new(), |key| format!(" in {key}"));
            let then = if *ends_load { "; the load ends" } else { "" };
            format!("violation seen: {check}: {anomaly}{key}: {sentence}{then}")
        }
        RunEvent::LiveCheckEnded { why } => format!("the live check has ended: {why}"),
        RunEvent::Interrupted => "interrupted: healing, then checking what there is".to_owned(),
        RunEvent::Note { text } => text.clone(),
    })
}

#[cfg(test)]
mod tests;
