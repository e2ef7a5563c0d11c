//! `supervisor shrink`: from a run that failed to a smaller plan that fails in the same way.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, sleep_until};

use super::player::system_for;
use super::replay::Score;
use super::{Interrupt, Output, fail, note, say};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::harness::chain;
use crate::judge::{display_path, judge};
use crate::report::shrink::{ShrinkReport, line};
use crate::run::stop::{Stop, stop};
use crate::scenario::unit::parse_duration;
use crate::shrink::trial::{TrialSettings, Trials};
use crate::shrink::{Limits, Shrunk, shrink as search};

#[derive(Debug, Args)]
pub(super) struct ShrinkArgs {
    /// The directory of a run that failed.
    run: PathBuf,
    /// How often each smaller plan is tried, at most: it counts if it fails once.
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    tries: u32,
    /// After which time the best so far is reported: `10m`.
    #[arg(long, value_name = "D", default_value = "10m", value_parser = parse_duration)]
    within: Duration,
    /// Where the smaller plan and a run of it go; without it, the run directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The program that is each node; without it, the one of the run.
    #[arg(long, value_name = "PATH")]
    node_binary: Option<PathBuf>,
    /// How the outcome is printed, on standard output.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
}

/// The run that failed.
struct Failure {
    score: Score,
    /// What kind of failure it is.
    kind: String,
    node_binary: Option<PathBuf>,
}

pub(super) async fn shrink(args: ShrinkArgs, interrupt: Interrupt) -> Exit {
    let failure = match Failure::read(&args) {
        Ok(failure) => failure,
        Err(why) => return fail(&why, Exit::Usage),
    };
    let Failure { score, kind, node_binary } = &failure;
    let namespace = match score.make_ready() {
        Ok(inside) => inside,
        Err(why) => return fail(&why, Exit::Harness),
    };
    note(&format!("looking for a smaller plan than {} that fails with {kind}", score.plan.hash()));
    for remark in score.remarks(node_binary.as_deref()) {
        note(&remark);
    }
    let deadline = Instant::now() + args.within;
    let stop = over(&interrupt, deadline);
    let trials = Trials::new(TrialSettings {
        kind: kind.clone(),
        directory: args.out.clone().unwrap_or_else(|| args.run.clone()),
        source: score.path.clone(),
        scenario_text: score.scenario_text.clone(),
        node_binary: node_binary.clone(),
        system: Box::new(system_for),
        namespace,
        stop: stop.clone(),
        // Progress that cannot be printed is no reason to end a search.
        show: Box::new(|step| drop(writeln!(std::io::stderr().lock(), "{}", line(step)))),
    });
    let mut trials = match trials {
        Ok(trials) => trials,
        Err(failure) => return fail(&chain(&failure), Exit::Harness),
    };
    let limits = Limits { tries: args.tries, deadline, stop };
    let shrunk = search(&score.plan, limits, &mut trials).await;
    conclude(&args, &failure, shrunk, trials, &interrupt)
}

impl Failure {
    /// The error is ready to be shown.
    fn read(args: &ShrinkArgs) -> Result<Self, String> {
        let run = args.run.display();
        let is_file = args.run.is_file();
        if is_file {
            return Err(format!(
                "{run} is a file; a run directory is wanted, for it says how the plan failed"
            ));
        }
        let score = Score::read(&args.run)?;
        let verdict = judge(&args.run, &score.plan).map_err(|failure| chain(&failure))?;
        let kind = verdict.signature.ok_or_else(|| {
            format!(
                "{run} has not failed ({}: {}); there is nothing to look for",
                verdict.verdict.word(),
                verdict.reason
            )
        })?;
        let theirs = score.environment.as_ref().and_then(|environment| environment.node_binary.clone());
        let node_binary = args.node_binary.clone().or_else(|| theirs.map(PathBuf::from));
        Ok(Self { score, kind, node_binary })
    }
}

/// The signal that everything must end: the deadline has come, or somebody wants no more.
fn over(interrupt: &Interrupt, deadline: Instant) -> Stop {
    let (stopper, stop) = stop();
    let interrupt = interrupt.stop.clone();
    tokio::task::spawn_local(async move {
        interrupt.unless_stopped(sleep_until(deadline)).await;
        stopper.stop();
    });
    stop
}

fn conclude(
    args: &ShrinkArgs,
    failure: &Failure,
    shrunk: Shrunk,
    trials: Trials,
    interrupt: &Interrupt,
) -> Exit {
    let Failure { score, kind, node_binary } = failure;
    let mut report = ShrinkReport::new(&display_path(&args.run), &score.plan, kind, &shrunk);
    if let Some(smallest) = &shrunk.smallest {
        let path = trials.plan_file();
        let environment = Environment::here(node_binary.as_deref(), "").replaying(Some(&score.path));
        report.replay = Some(environment.reproduce(&smallest.plan, &display_path(&path)));
        report.plan = Some(display_path(&path));
    }
    let finished = trials.finish();
    if let Ok(Some(evidence)) = &finished {
        report.evidence = Some(display_path(evidence));
    }
    say(&match args.output {
        Output::Text => report.render(),
        Output::Json => {
            serde_json::to_string_pretty(&report).expect("a report of a search is plain data") + "\n"
        }
    });
    let ours = shrunk.failure.or(finished.err());
    let exit = match (ours, &shrunk.smallest) {
        (Some(failure), _) => fail(&chain(&failure), Exit::Harness),
        (None, Some(_)) => Exit::Expected,
        (None, None) => Exit::Inconclusive,
    };
    interrupt.exit().unwrap_or(exit)
}
