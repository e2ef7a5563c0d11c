//! Carries out plans, one after the other, and prints what came of each.
//!
//! Where a plan comes from (a scenario and a seed, an earlier run) is the business of the command.

use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;

use super::check::to_json;
use super::{Interrupt, Output, fail, say};
use crate::exit::Exit;
use crate::harness::chain;
use crate::judge::Verdict;
use crate::kernel::namespace::Namespace;
use crate::report::batch::{self, Row};
use crate::report::progress::{Label, Progress, ProgressMode};
use crate::report::terminal;
use crate::run::{RunReport, RunSettings, run};
use crate::scenario::plan::Plan;
use crate::suite::case::Attempt;
use crate::system::{self, System, faults};

/// How runs are made and shown.
#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    /// The directory of all runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(super) out: PathBuf,
    /// The program that is each node, in place of the one that is built in.
    #[arg(long, value_name = "PATH")]
    pub(super) node_binary: Option<PathBuf>,
    /// How progress is shown, on standard error.
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    pub(super) progress: ProgressMode,
    /// How the outcome is printed, on standard output.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    pub(super) output: Output,
}

/// The system to run the plan on, or what this build cannot do of it.
pub(super) fn system_for(plan: &Plan) -> Result<Rc<dyn System>, String> {
    let system = system::built_in(plan.workload.payload, plan.workload.tries)
        .ok_or_else(|| "this build has no system of its own to test".to_owned())?;
    match system.unsupported(plan).or_else(|| faults::unsupported(&*system, plan)) {
        None => Ok(system),
        Some(why) => Err(why),
    }
}

/// See the module.
pub(super) struct Player<'a> {
    args: &'a PlayArgs,
    interrupt: &'a Interrupt,
    is_one_of_many: bool,
    inside: Option<Namespace>,
    rows: Vec<Row>,
}

impl<'a> Player<'a> {
    /// A player that has played nothing yet; `is_one_of_many` when it will play more than once. If the process is
    /// `inside` of a network namespace, it can play what needs one.
    pub(super) fn new(
        args: &'a PlayArgs,
        interrupt: &'a Interrupt,
        is_one_of_many: bool,
        inside: Option<Namespace>,
    ) -> Self {
        Self { args, interrupt, is_one_of_many, inside, rows: Vec::new() }
    }

    /// Somebody wants no further run.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.stop.is_stopped()
    }

    /// One run. `scenario_text` is kept with the evidence; `replay_of` is the plan file, if the plan comes from one.
    pub(super) async fn play(&mut self, plan: Plan, scenario_text: &str, replay_of: Option<PathBuf>) -> Exit {
        let plan = Rc::new(plan);
        let system = match system_for(&plan) {
            Ok(system) => system,
            Err(why) => return self.no_verdict(&plan, &why),
        };
        let is_one_of_many = self.is_one_of_many;
        let label = Label { scenario: plan.name.clone(), seed: plan.seed, is_one_of_many };
        let progress = Progress::new(self.args.progress, plan.run.warmup + plan.run.duration, label);
        let settings = RunSettings {
            plan: Rc::clone(&plan),
            system,
            scenario_text: scenario_text.to_owned(),
            runs: self.args.out.clone(),
            node_binary: self.args.node_binary.clone(),
            replay_of,
            namespace: self.inside,
            interrupt: self.interrupt.stop.clone(),
        };
        let report = run(settings, progress.clone()).await;
        progress.finish();
        match report {
            Ok(report) => self.report(&plan, report),
            Err(failure) => self.no_verdict(&plan, &chain(&failure)),
        }
    }

    /// Prints what all runs say together, if there were several. `exit` is the gravest of them; the answer is the exit
    /// of the process.
    pub(super) fn end(self, exit: Exit) -> Exit {
        if self.rows.len() > 1 && self.args.output == Output::Text {
            say(&format!("\n{}", batch::render(&self.rows)));
        }
        self.interrupt.exit().filter(|_| exit != Exit::Violated).unwrap_or(exit)
    }

    fn report(&mut self, plan: &Plan, report: RunReport) -> Exit {
        let RunReport { directory, verdict, failure } = report;
        let why = failure.map(|failure| chain(&failure));
        let Some(verdict) = verdict else {
            let why = why.unwrap_or_else(|| "the run came to no verdict".to_owned());
            return self.no_verdict(plan, &format!("{why}; what was recorded is in {}", directory.display()));
        };
        if let Some(why) = why {
            fail(&why, Exit::Harness);
        }
        // Among many runs, one that passed needs no more than a line. A bug that was caught is what the reader came for.
        let is_brief = self.is_one_of_many && verdict.verdict == Verdict::Pass;
        say(&match self.args.output {
            Output::Text if is_brief => terminal::render_headline(&verdict),
            Output::Text => terminal::render(&verdict, &directory.display()),
            Output::Json => to_json(&verdict),
        });
        self.rows.push(Row {
            scenario: verdict.scenario.clone(),
            attempt: Attempt::of(&verdict, &directory.display()),
        });
        verdict.exit()
    }

    fn no_verdict(&mut self, plan: &Plan, why: &str) -> Exit {
        self.rows.push(Row { scenario: plan.name.clone(), attempt: Attempt::failed(plan.seed, why) });
        fail(why, Exit::Harness)
    }
}
