//! A plan, drawn: phases and strikes on a time axis, then every strike and every step in words. Plain text of at most 100 columns.
//!
//! ```text
//!              0s        10s       20s       30s
//!            . |         |         |         |    .
//! phases     ~~=================================.....
//! kill-leader          K==     K==     K==
//! ```
//!
//! Time 0 is the end of the warm-up, as everywhere in a plan. A strike is the first letter of its verb, followed by
//! `=` as long as it is in force. Strikes closer than a column are drawn as one; the list below the axis has them all.

use std::collections::BTreeMap;
use std::time::Duration;

use super::plan::{Load, Plan, Strike};
use super::step::Step;
use super::unit::Time;
use super::verb::End;
use super::word::Word;

/// The widest line.
const WIDTH: usize = 100;

/// The widest name of a fault before the axis.
const LABEL_MAX: usize = 24;

/// The least distance of two labels of the axis, in columns.
const TICK_GAP: usize = 9;

/// Draws the plan. The text ends with a line break.
#[must_use]
pub fn draw(plan: &Plan) -> String {
    let mut lines = heading(plan);
    lines.push(String::new());
    lines.extend(Axis::of(plan).draw(plan));
    if !plan.strikes.is_empty() {
        lines.push(String::new());
        lines.extend(list(&plan.strikes));
    }
    if !plan.steps.is_empty() {
        lines.push(String::new());
        lines.extend(in_order(&plan.steps));
    }
    lines.iter().map(|line| format!("{}\n", clip(line.trim_end(), WIDTH))).collect()
}

fn heading(plan: &Plan) -> Vec<String> {
    let workload = &plan.workload;
    let load = match workload.load {
        Load::Open(rate) => format!("{rate} over"),
        Load::Closed => "closed loop of".to_owned(),
    };
    let bug = plan.cluster.inject_bug.as_ref().map(|bug| format!(", planted bug {bug}")).unwrap_or_default();
    let mix: Vec<String> =
        workload.mix.iter().map(|(operation, weight)| format!("{operation} {weight}")).collect();
    let mut lines = vec![
        format!("{}, seed {}, plan {}", plan.name, plan.seed, plan.hash()),
        format!("{} nodes{bug}", plan.cluster.nodes),
        format!(
            "{}: {load} {} clients, {} keys, routing {}, {}",
            workload.kind,
            workload.clients,
            workload.keys,
            workload.routing,
            mix.join(" / ")
        ),
        format!(
            "warm-up {}, load {}, heal within {}, whole run within {}",
            Time(plan.run.warmup),
            Time(plan.run.duration),
            Time(plan.run.settle),
            Time(plan.timeout)
        ),
    ];
    if !plan.swarm.is_empty() {
        let kinds = plan.swarm.iter().map(|(kind, weight)| format!(" {} {weight}", kind.word()));
        lines.extend(filled("random faults:", kinds));
    }
    lines
}

/// Where a time is on the page.
struct Axis {
    /// Columns before the axis.
    label: usize,
    /// Columns of the axis.
    width: usize,
    warmup: Duration,
    /// From the beginning of the warm-up to the limit of the heal.
    total: Duration,
}

impl Axis {
    fn of(plan: &Plan) -> Self {
        let longest = plan.strikes.iter().map(|strike| strike.fault.chars().count()).max().unwrap_or(0);
        let label = longest.clamp("phases".len(), LABEL_MAX) + 2;
        let run = &plan.run;
        Self {
            label,
            width: WIDTH - label,
            warmup: run.warmup,
            total: run.warmup + run.duration + run.settle,
        }
    }

    /// The column of a time after the end of the warm-up.
    fn column(&self, at: Duration) -> usize {
        let last = self.width - 1;
        let share = (self.warmup + at).as_secs_f64() / self.total.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "the share is between 0 and 1, and the width is below 100"
        )]
        let column = (share * last as f64).round() as usize;
        column.min(last)
    }

    fn draw(&self, plan: &Plan) -> Vec<String> {
        let end = plan.run.duration;
        let mut lines = self.ticks(end).to_vec();
        let mut phases = vec!['.'; self.width];
        phases[self.column(Duration::ZERO)..=self.column(end)].fill('=');
        // The load begins at 0, so the warm-up ends one column before; without a warm-up there is none.
        phases[..self.column(Duration::ZERO)].fill('~');
        lines.push(self.row("phases", &phases));
        let mut faults: Vec<&str> = Vec::new();
        for strike in &plan.strikes {
            if !faults.contains(&strike.fault.as_str()) {
                faults.push(&strike.fault);
            }
        }
        for fault in faults {
            let mut row = vec![' '; self.width];
            let strikes = || plan.strikes.iter().filter(|strike| strike.fault == fault);
            for strike in strikes() {
                row[self.column(strike.at)..=self.column(lifted(strike, end))].fill('=');
            }
            for strike in strikes() {
                row[self.column(strike.at)] = strike.verb.letter();
            }
            lines.push(self.row(fault, &row));
        }
        lines.push(String::new());
        let verbs: BTreeMap<char, &str> =
            plan.strikes.iter().map(|strike| (strike.verb.letter(), strike.verb.name())).collect();
        let words = verbs.iter().map(|(letter, verb)| format!("   {letter} {verb}"));
        lines.extend(filled("~ warm-up   = load, or a fault in force   . limit of the heal", words));
        lines
    }

    /// The labels of the axis and the marks below them.
    fn ticks(&self, end: Duration) -> [String; 2] {
        let mut labels = vec![' '; self.width];
        let mut marks = vec![' '; self.width];
        let step = self.step();
        let times = (0..).map(|number| step * number).take_while(|time| *time <= end);
        for time in times {
            let column = self.column(time);
            marks[column] = '|';
            let text: Vec<char> = Time(time).to_string().chars().collect();
            if column + text.len() <= self.width {
                labels[column..column + text.len()].copy_from_slice(&text);
            }
        }
        [self.row("", &labels), self.row("", &marks)]
    }

    /// The shortest round time that leaves room for its label.
    fn step(&self) -> Duration {
        let fits = |step: &Duration| {
            let per_step = self.width as u128 * step.as_nanos() / self.total.as_nanos().max(1);
            per_step >= TICK_GAP as u128
        };
        let decades = (0..).map(|exponent| Duration::from_millis(10_u64.pow(exponent)));
        let steps = decades.flat_map(|decade| [decade, decade * 2, decade * 5]);
        steps.take(24).find(fits).unwrap_or(self.total)
    }

    fn row(&self, label: &str, cells: &[char]) -> String {
        format!(
            "{:<width$}{}",
            clip(label, self.label - 2),
            cells.iter().collect::<String>(),
            width = self.label
        )
    }
}

/// When a strike is over, as far as the plan says.
fn lifted(strike: &Strike, end: Duration) -> Duration {
    match (strike.lasts, strike.verb.end()) {
        (Some(lasts), _) => strike.at + lasts,
        (None, End::AtHeal) => end,
        (None, End::Itself) => strike.at,
    }
}

/// Every strike in words.
fn list(strikes: &[Strike]) -> Vec<String> {
    let time = |strike: &Strike| format!("{:.3}s", strike.at.as_secs_f64());
    let times = strikes.iter().map(|strike| time(strike).len()).max().unwrap_or(0);
    let names =
        strikes.iter().map(|strike| strike.name.chars().count()).max().unwrap_or(0).min(LABEL_MAX + 5);
    let line = |strike: &Strike| {
        let what = strike.verb.describe(strike.lasts);
        format!("{:>times$}  {:<names$}  {what}", time(strike), clip(&strike.name, names))
    };
    strikes.iter().map(line).collect()
}

/// Words behind a head, in as many lines as they need.
fn filled(head: &str, words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines = vec![head.to_owned()];
    for word in words {
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() <= WIDTH) {
            Some(line) => line.push_str(&word),
            None => lines.push(format!("  {}", word.trim_start())),
        }
    }
    lines
}

/// Every step in words, numbered: when one begins depends on how long those before it take.
fn in_order(steps: &[Step]) -> Vec<String> {
    let digits = steps.len().to_string().len();
    let names = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0).min(LABEL_MAX + 5);
    let line = |(step, number): (&Step, usize)| {
        format!("{number:>digits$}. {:<names$}  {}", clip(&step.name, names), step.action)
    };
    std::iter::once("steps".to_owned()).chain(steps.iter().zip(1..).map(line)).collect()
}

/// At most `width` characters; what is cut off is marked.
fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests;
