//! A search for a smaller plan: a line for each step while it goes on, and what came of it.
//!
//! ```text
//!     12.4 s  the whole plan                               fails          1 of 1
//!     31.0 s  no strikes                                   does not fail  0 of 3
//! ```

use std::fmt::Write as _;

use serde::Serialize;

use super::words::many;
use crate::scenario::plan::Plan;
use crate::scenario::unit::Time;
use crate::shrink::{Shrunk, Smallest, Step, Tally};

/// The line of a step, without a line break.
#[must_use]
pub fn line(step: &Step) -> String {
    let Tally { failed, tries } = step.tally;
    let word = match (failed, tries) {
        (_, 0) => "was stopped",
        (0, _) => "does not fail",
        (1.., _) => "fails",
    };
    format!("{:8.1} s  {:<44} {word:<13}  {failed} of {tries}", step.elapsed.as_secs_f64(), step.what)
}

/// What came of a search, with where it is and how it is used.
#[derive(Debug, Serialize)]
pub struct ShrinkReport {
    /// The version of this format: 1.
    pub format: u32,
    /// The run that failed, as a person would type it.
    pub run: String,
    /// The scenario of that run.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// The kind of failure that was looked for.
    pub signature: String,
    /// A plan failed in that way.
    pub confirmed: bool,
    /// The search was not carried to its end.
    pub cut_short: bool,
    /// How large the plan of that run is.
    pub before: Size,
    /// How large the smallest plan is.
    pub after: Option<Size>,
    /// How often that failed when it was found.
    pub found: Option<Tally>,
    /// How often it failed in the end.
    pub measured: Option<Tally>,
    /// All runs that were made.
    pub runs: u32,
    /// How long they took together, in milliseconds.
    pub took_ms: u64,
    /// The file of the smallest plan.
    pub plan: Option<String>,
    /// The directory of a run that shows the failure.
    pub evidence: Option<String>,
    /// The command that carries out the smallest plan.
    pub replay: Option<String>,
    /// Why the search ended early, if that was our fault.
    pub failure: Option<String>,
}

/// How large a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Its hash.
    pub plan_hash: String,
    /// The names of its strikes.
    pub strikes: Vec<String>,
    /// How long its load is, in milliseconds.
    pub load_ms: u64,
    /// How many clients it has.
    pub clients: u32,
    /// How many keys.
    pub keys: u32,
    /// How many nodes.
    pub nodes: u8,
}

impl Size {
    /// The size of `plan`.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            plan_hash: plan.hash(),
            strikes: plan.strikes.iter().map(|strike| strike.name.clone()).collect(),
            load_ms: u64::try_from(plan.run.duration.as_millis()).unwrap_or(u64::MAX),
            clients: plan.workload.clients,
            keys: plan.workload.keys,
            nodes: plan.cluster.nodes,
        }
    }
}

impl ShrinkReport {
    /// The report of a search that began with `plan`, whose file and use are not known yet.
    #[must_use]
    pub fn new(run: &str, plan: &Plan, signature: &str, shrunk: &Shrunk) -> Self {
        let of = |part: fn(&Smallest) -> Tally| shrunk.smallest.as_ref().map(part);
        Self {
            format: 1,
            run: run.to_owned(),
            scenario: plan.name.clone(),
            seed: plan.seed,
            signature: signature.to_owned(),
            confirmed: shrunk.smallest.is_some(),
            cut_short: shrunk.is_cut_short,
            before: Size::of(plan),
            after: shrunk.smallest.as_ref().map(|smallest| Size::of(&smallest.plan)),
            found: of(|smallest| smallest.found),
            measured: of(|smallest| smallest.measured),
            runs: shrunk.tries,
            took_ms: u64::try_from(shrunk.took.as_millis()).unwrap_or(u64::MAX),
            plan: None,
            evidence: None,
            replay: None,
            failure: shrunk.failure.as_ref().map(|failure| crate::harness::chain(failure)),
        }
    }

    /// The report for a person.
    #[must_use]
    pub fn render(&self) -> String {
        let Self { scenario, seed, signature, .. } = self;
        let runs = many(u64::from(self.runs), "run", "runs");
        let took = Time(std::time::Duration::from_secs(self.took_ms.div_ceil(1_000)));
        let cut_short = if self.cut_short { "; the search was cut short" } else { "" };
        let (Some(after), Some(measured)) = (&self.after, self.measured) else {
            return format!(
                "NOT REPRODUCED  {scenario}, seed {seed}: {signature} was not seen again in {runs} ({took}){cut_short}\n"
            );
        };
        let how_often = match (measured, self.found) {
            (Tally { tries: 0, .. }, Some(found)) => {
                format!("{} of {} tries; it was not measured", found.failed, found.tries)
            }
            (Tally { failed: 0, tries }, Some(found)) => {
                format!("{} of {} tries, and in none of {tries} later ones", found.failed, found.tries)
            }
            (Tally { failed, tries }, _) => format!("{failed} of {tries} tries"),
        };
        let mut text = format!("SHRUNK  {scenario}, seed {seed}: {signature} in {how_often}\n\n");
        self.compare(&mut text, after);
        let _ = writeln!(text, "\n  searched   {runs} in {took}{cut_short}");
        for (label, value) in [("plan", &self.plan), ("evidence", &self.evidence), ("replay", &self.replay)] {
            if let Some(value) = value {
                let _ = writeln!(text, "  {label:<10} {value}");
            }
        }
        text
    }

    /// The two sizes, a line for each measure.
    fn compare(&self, text: &mut String, after: &Size) {
        let before = &self.before;
        let load = |size: &Size| Time(std::time::Duration::from_millis(size.load_ms)).to_string();
        let names =
            if after.strikes.is_empty() { String::new() } else { format!("   {}", after.strikes.join(", ")) };
        let rows = [
            ("strikes", before.strikes.len().to_string(), after.strikes.len().to_string() + &names),
            ("load", load(before), load(after)),
            ("clients", before.clients.to_string(), after.clients.to_string()),
            ("keys", before.keys.to_string(), after.keys.to_string()),
            ("nodes", before.nodes.to_string(), after.nodes.to_string()),
        ];
        for (label, before, after) in rows {
            let _ = writeln!(text, "  {label:<10} {before:>8} → {after}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::scenario::file::ScenarioFile;

    const SCENARIO: &str = "\
version: 1
name: storm
workload: { kind: conversation }
run: { duration: 40s }
faults:
  - { name: kill, every: 8s, kill: { target: leader, restart-after: 1s } }
checks: [linearizable]
";

    fn plan() -> Plan {
        Plan::resolve(&ScenarioFile::parse(Path::new("storm.yaml"), SCENARIO, &[]).unwrap(), 7)
    }

    fn report(smallest: Option<Smallest>, is_cut_short: bool) -> ShrinkReport {
        let took = Duration::from_millis(192_300);
        let shrunk = Shrunk { smallest, tries: 23, took, is_cut_short, failure: None };
        ShrinkReport::new("runs/storm/one", &plan(), "linearizable/stale-read", &shrunk)
    }

    fn smallest(found: (u32, u32), measured: (u32, u32)) -> Smallest {
        let mut plan = plan();
        plan.strikes.truncate(1);
        plan.run.duration = Duration::from_millis(9_500);
        plan.workload.clients = 2;
        let tally = |(failed, tries)| Tally { failed, tries };
        Smallest { plan, found: tally(found), measured: tally(measured) }
    }

    #[test]
    fn what_became_smaller_is_shown_side_by_side() {
        let mut report = report(Some(smallest((1, 1), (9, 10))), false);
        report.plan = Some("runs/storm/one/shrunk.plan.yaml".to_owned());
        report.replay = Some("cargo run --release -- replay runs/storm/one/shrunk.plan.yaml".to_owned());
        let expected = "\
SHRUNK  storm, seed 7: linearizable/stale-read in 9 of 10 tries

  strikes           4 → 1   kill#1
  load            40s → 9500ms
  clients           8 → 2
  keys              4 → 4
  nodes             5 → 5

  searched   23 runs in 193s
  plan       runs/storm/one/shrunk.plan.yaml
  replay     cargo run --release -- replay runs/storm/one/shrunk.plan.yaml
";
        assert_eq!(report.render(), expected);
    }

    #[test]
    fn how_sure_it_is_is_said() {
        let first = |report: ShrinkReport| report.render().lines().next().unwrap().to_owned();
        assert!(
            first(report(Some(smallest((1, 3), (0, 0))), true))
                .ends_with("in 1 of 3 tries; it was not measured")
        );
        assert!(
            first(report(Some(smallest((1, 3), (0, 10))), false))
                .ends_with("in 1 of 3 tries, and in none of 10 later ones")
        );
        assert_eq!(
            first(report(None, true)),
            "NOT REPRODUCED  storm, seed 7: linearizable/stale-read was not seen again in 23 runs (193s); the search \
             was cut short"
        );
    }

    #[test]
    fn a_step_is_a_line() {
        let of = |failed, tries| {
            let step = Step {
                what: "2 clients".to_owned(),
                tally: Tally { failed, tries },
                elapsed: Duration::from_millis(31_040),
            };
            line(&step).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(1, 2), "31.0 s 2 clients fails 1 of 2");
        assert_eq!(of(0, 3), "31.0 s 2 clients does not fail 0 of 3");
        assert_eq!(of(0, 0), "31.0 s 2 clients was stopped 0 of 0");
    }
}
