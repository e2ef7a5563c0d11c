//! `supervisor mutants`: does the testbed catch the bugs that can be planted, and only them?

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::batch::can_run_all;
use super::player::PlayArgs;
use super::{Interrupt, Output, fail, fail_all, note, say};
use crate::exit::Exit;
use crate::harness::chain;
use crate::mutants::record::{Made, Record};
use crate::mutants::score::{Score, scores};
use crate::mutants::trial::{Purpose, Trial, Variant, draw, left_out, planted};
use crate::report::mutants as table;
use crate::report::suite_progress::{DRAW_INTERVAL, SuiteProgress};
use crate::run::stop::stop;
use crate::scenario::file::ScenarioFile;
use crate::suite::case::{Case, CaseReport};
use crate::suite::child::ChildRunner;
use crate::suite::files;
use crate::suite::queue::{Queue, Watcher};
use crate::system::{self, Consequence};

/// Where the scenarios are that were made for bugs.
const DEFAULT_DIRECTORY: &str = "scenarios/self-test";

#[derive(Debug, Args)]
pub(super) struct MutantsArgs {
    /// Scenario files that plant a bug each, and directories of them; without any, scenarios/self-test.
    #[arg(value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Only these bugs.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    bugs: Vec<String>,
    /// How many seeds each bug gets with each purpose.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seeds: u32,
    /// The first seed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What is asked: whether a bug's own scenario catches it, whether it is silent without the bug, whether it would
    /// catch it without faults, or without any one of them, and, with --general, whether that one catches it. Of bugs that
    /// break no promise, or that nobody can see, it is always asked whether anything was said of them.
    #[arg(long = "ask", value_name = "WHAT,...", value_delimiter = ',', value_enum, default_values_t = [Ask::Own, Ask::Clean])]
    asks: Vec<Ask>,
    /// A scenario that was made for no bug, which is tried with each of them.
    #[arg(long, value_name = "FILE")]
    general: Option<PathBuf>,
    /// Changes a field of every scenario: `--set run.duration=60s`. May be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// How many runs are made at once. Each is a whole cluster.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// After so long, begins no other run. What was made is kept, and not made again the next time.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    budget: Option<Duration>,
    #[command(flatten)]
    play: PlayArgs,
}

/// What is asked of the scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ask {
    Own,
    Clean,
    Calm,
    Without,
}

impl Ask {
    fn purpose(self) -> Purpose {
        match self {
            Ask::Own => Purpose::Own,
            Ask::Clean => Purpose::Clean,
            Ask::Calm => Purpose::Calm,
            Ask::Without => Purpose::Without,
        }
    }
}

pub(super) async fn run_mutants(args: MutantsArgs, interrupt: Interrupt) -> Exit {
    let drawn = variants(&args).and_then(|variants| {
        let trials = draw(&variants, args.seed, args.seeds);
        let record = Record::load(&args.play.out).map_err(|error| fail(&chain(&error), Exit::Usage))?;
        Ok((trials, record))
    });
    let (trials, record) = match drawn {
        Ok(drawn) => drawn,
        Err(exit) => return exit,
    };
    let all = trials.len();
    let wanted = trials.clone();
    let trials = record.missing(trials);
    if trials.len() < all {
        note(&format!("{} of {all} runs stand in {} already", all - trials.len(), shown(&args.play.out)));
    }
    let bench = Bench::new(&args, trials, record);
    bench.make(&args, &interrupt).await;
    let Bench { record, .. } = bench;
    let record = record.into_inner();
    let of_these = |made: &&Made| wanted.iter().any(|trial| made.is_of(trial));
    let made: Vec<Made> = record.made.iter().filter(of_these).cloned().collect();
    let scores = scores(&made);
    say(&match args.play.output {
        Output::Text => table::render(&scores, all - made.len()),
        Output::Json => table::to_json(&scores),
    });
    let exit = verdict(&scores, all - made.len());
    interrupt.exit().filter(|_| exit != Exit::Violated).unwrap_or(exit)
}

fn shown(runs: &Path) -> String {
    Record::path(runs).display().to_string()
}

/// Every scenario as every purpose changes it. The errors have been shown when there is an exit.
fn variants(args: &MutantsArgs) -> Result<Vec<Variant>, Exit> {
    let paths =
        if args.paths.is_empty() { vec![PathBuf::from(DEFAULT_DIRECTORY)] } else { args.paths.clone() };
    let files = files::find(&paths).map_err(|errors| fail_all(&errors, Exit::Usage))?;
    let mut bugs = Vec::new();
    for path in files {
        let file = load(&path, &args.overrides)?;
        let Some((bug, _)) = planted(&file) else {
            return Err(fail(
                &format!("{}: it plants no bug (`cluster.inject-bug`)", path.display()),
                Exit::Usage,
            ));
        };
        if args.bugs.is_empty() || args.bugs.contains(&bug) {
            bugs.push((bug, path));
        }
    }
    if let Some(unknown) = args.bugs.iter().find(|name| bugs.iter().all(|(bug, _)| bug != *name)) {
        return Err(fail(&format!("no scenario here plants the bug `{unknown}`"), Exit::Usage));
    }
    let mut variants = Vec::new();
    for (bug, path) in &bugs {
        match beyond(bug) {
            Some(purpose) => variants.push(variant(purpose, bug, path, &args.overrides)?),
            None => variants.extend(asked(args, bug, path)?),
        }
    }
    if let Some(general) = &args.general {
        bugs.dedup_by(|(one, _), (other, _)| one == other);
        for (bug, _) in &bugs {
            let purpose = beyond(bug).unwrap_or(Purpose::General);
            variants.push(variant(purpose, bug, general, &args.overrides)?);
        }
    }
    let cases: Vec<Case> =
        variants.iter().map(|variant| Case { file: variant.file.clone(), seed: args.seed }).collect();
    can_run_all(&cases)?;
    Ok(variants)
}

/// The scenario of a bug that is to be caught, as everything that is asked of it changes it.
fn asked(args: &MutantsArgs, bug: &str, path: &Path) -> Result<Vec<Variant>, Exit> {
    let mut variants = Vec::new();
    for ask in &args.asks {
        let purpose = ask.purpose();
        if purpose != Purpose::Without {
            variants.push(variant(purpose, bug, path, &args.overrides)?);
            continue;
        }
        for (fault, change) in left_out(&load(path, &args.overrides)?) {
            let overrides: Vec<String> = args.overrides.iter().cloned().chain([change]).collect();
            variants.push(Variant { without: Some(fault), ..variant(purpose, bug, path, &overrides)? });
        }
    }
    Ok(variants)
}

/// Why a scenario with a bug is run that nobody is to catch; none, if it is to be caught.
fn beyond(bug: &str) -> Option<Purpose> {
    match system::built_in(0, 1)?.consequence(bug) {
        Consequence::Wrong => None,
        Consequence::Legal => Some(Purpose::Legal),
        Consequence::Invisible => Some(Purpose::Invisible),
    }
}

fn variant(purpose: Purpose, bug: &str, path: &Path, overrides: &[String]) -> Result<Variant, Exit> {
    let overrides: Vec<String> = overrides.iter().cloned().chain(purpose.changes(bug)).collect();
    Ok(Variant { purpose, bug: bug.to_owned(), without: None, file: load(path, &overrides)? })
}

fn load(path: &Path, overrides: &[String]) -> Result<ScenarioFile, Exit> {
    ScenarioFile::load(path, overrides).map_err(|error| fail(&chain(&error), Exit::Usage))
}

/// What all of it says: a bug that its own scenario does not catch and a false alarm are failures.
fn verdict(scores: &[Score], not_made: usize) -> Exit {
    let fails = |score: &Score| match score.purpose {
        Purpose::Own => score.runs > 0 && score.caught == 0,
        Purpose::Clean | Purpose::Legal => score.caught > 0,
        Purpose::General | Purpose::Calm | Purpose::Without | Purpose::Invisible => false,
    };
    if scores.iter().any(fails) {
        Exit::Violated
    } else if scores.iter().any(|score| score.errors > 0) {
        Exit::Harness
    } else if not_made > 0 || scores.iter().any(|score| score.inconclusive > 0) {
        Exit::Inconclusive
    } else {
        Exit::Expected
    }
}

/// The trials that are made, and what is known of them.
struct Bench {
    trials: Vec<Trial>,
    record: RefCell<Record>,
    runs: PathBuf,
    progress: SuiteProgress,
}

impl Bench {
    fn new(args: &MutantsArgs, trials: Vec<Trial>, record: Record) -> Self {
        let name = |trial: &Trial| format!("{} {}", trial.bug, trial.purpose.name());
        let progress = SuiteProgress::new(args.play.progress, trials.iter().map(name).collect());
        Self { trials, record: RefCell::new(record), runs: args.play.out.clone(), progress }
    }

    /// Makes them, until they are made, the budget is spent, or somebody wants no more.
    async fn make(&self, args: &MutantsArgs, interrupt: &Interrupt) {
        let runner = ChildRunner {
            program: PathBuf::from("/proc/self/exe"),
            out: args.play.out.clone(),
            node_binary: args.play.node_binary.clone(),
            interrupt: interrupt.stop.clone(),
        };
        let (spent, enough) = stop();
        let queue =
            Queue { jobs: usize::from(args.jobs), fail_fast: false, failed_before: false, interrupt: enough };
        let cases: Vec<Case> = self.trials.iter().map(|trial| trial.case.clone()).collect();
        let running = queue.run(&cases, &runner, self);
        let over = async {
            match args.budget {
                Some(budget) => drop(interrupt.stop.unless_stopped(tokio::time::sleep(budget)).await),
                None => interrupt.stop.stopped().await,
            }
            spent.stop();
            std::future::pending::<()>().await
        };
        tokio::pin!(running, over);
        loop {
            tokio::select! {
                _ = &mut running => break,
                () = &mut over => {}
                () = tokio::time::sleep(DRAW_INTERVAL) => self.progress.draw(),
            }
        }
        self.progress.finish();
    }
}

impl Watcher for Bench {
    fn began(&self, case: usize) {
        self.progress.began(case);
    }

    fn event(&self, case: usize, event: &Value) {
        self.progress.event(case, event);
    }

    fn ended(&self, case: usize, reports: &[CaseReport]) {
        self.progress.ended(case, reports);
        let mut record = self.record.borrow_mut();
        record.made.push(Made::of(&self.trials[case], &reports[case]));
        if let Err(error) = record.save(&self.runs) {
            note(&format!("what was made cannot be kept: {}", chain(&error)));
        }
    }
}
