//! `supervisor run`: scenarios, each with one seed or several.
//!
//! Every file is read before the first run starts, so that a mistake in the last one does not cost the time of all the
//! others. The exit is the gravest of the runs. `supervisor suite` runs each of its scenarios by this command.

use std::path::{Path, PathBuf};

use super::machine::{self, Machine};
use super::player::{Player, system_for};
use super::{Choice, Interrupt, RunArgs, fail};
use crate::exit::Exit;
use crate::harness::chain;
use crate::program;
use crate::scenario::expectation::Expectation;
use crate::scenario::file::{LoadError, ScenarioErrors, ScenarioFile};
use crate::scenario::plan::Plan;
use crate::suite::case::Case;
use crate::suite::child;
use crate::system::{self, words};

/// Why a scenario is not run.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The exit that goes with it.
    pub(super) exit: Exit,
    /// The line of the file that says so, from 1.
    pub(super) line: usize,
    /// In one line.
    pub(super) reason: String,
    /// Ready to be shown, with excerpts.
    pub(super) text: String,
}

impl Refusal {
    fn of(errors: &ScenarioErrors, exit: Exit) -> Self {
        Self { exit, line: errors.first_line(), reason: errors.in_a_line(), text: errors.to_string() }
    }

    fn plain(text: String, exit: Exit) -> Self {
        Self { exit, line: 1, reason: text.clone(), text }
    }

    /// Shows it, and gives its exit.
    pub(super) fn show(&self) -> Exit {
        fail(&self.text, self.exit)
    }
}

/// Reads a scenario and settles the seed of its first run.
pub(super) fn choose(path: &Path, choice: &Choice) -> Result<Case, Refusal> {
    let mut overrides = choice.overrides.clone();
    overrides.extend(choice.live_check.as_ref().map(|said| format!("run.live-check={said}")));
    let file = ScenarioFile::load(path, &overrides).map_err(|error| match error {
        LoadError::Scenario(errors) => Refusal::of(&errors, Exit::Usage),
        error @ LoadError::Read { .. } => Refusal::plain(chain(&error), Exit::Usage),
    })?;
    let unknown = system::built_in(0, 1).and_then(|system| words::refusal(&*system, &file));
    if let Some(errors) = unknown {
        return Err(Refusal::of(&errors, Exit::Usage));
    }
    let seed = choice.seed.or(file.seed).unwrap_or_else(random_seed);
    Ok(Case { file, seed })
}

/// Reads every scenario. Nothing is to start if one is wrong; all errors have been shown when there is an exit.
pub(super) fn choose_all(paths: &[PathBuf], choice: &Choice) -> Result<Vec<Case>, Exit> {
    let (mut cases, mut refused) = (Vec::new(), None);
    for path in paths {
        match choose(path, choice) {
            Ok(case) => cases.push(case),
            Err(refusal) => refused = Some(refusal.show()),
        }
    }
    refused.map_or(Ok(cases), Err)
}

/// Asks whether this build, on this machine, can run every scenario. All errors have been shown when there is an exit.
pub(super) fn can_run_all(cases: &[Case]) -> Result<(), Exit> {
    let machine = Machine::default();
    let refusals = cases.iter().flat_map(|case| obstacles(case, &machine));
    refusals.map(|refusal| refusal.show()).last().map_or(Ok(()), Err)
}

/// Why this build, on this machine, cannot run a scenario.
pub(super) fn obstacles(Case { file, seed }: &Case, machine: &Machine) -> Vec<Refusal> {
    let plan = Plan::resolve(file, *seed);
    let build = system_for(&plan).err();
    let build = build.map(|why| Refusal::plain(format!("{}: {why}", file.source), Exit::Harness));
    let program = program::refusal(file).map(|errors| Refusal::of(&errors, Exit::Usage));
    let machine = machine.refusal(&plan, file).map(|errors| Refusal::of(&errors, Exit::Harness));
    build.into_iter().chain(program).chain(machine).collect()
}

/// A seed that nobody chose. It is small enough to be read aloud; whoever sees it can choose it again.
fn random_seed() -> u64 {
    u64::from(getrandom::u32().expect("the kernel has randomness") % 1_000_000)
}

pub(super) async fn run_all(args: RunArgs, interrupt: Interrupt) -> Exit {
    if let Some(parent) = args.end_with
        && let Err(why) = child::end_with(parent)
    {
        return fail(&why, Exit::Harness);
    }
    let chosen = choose_all(&args.files, &args.choice);
    let cases = match chosen.and_then(|cases| can_run_all(&cases).map(|()| cases)) {
        Ok(cases) => cases,
        Err(exit) => return exit,
    };
    let plans: Vec<Plan> = cases.iter().map(|case| Plan::resolve(&case.file, case.seed)).collect();
    let inside = match machine::enter_for(&plans) {
        Ok(inside) => inside,
        Err(why) => return fail(&why, Exit::Harness),
    };
    let tries = |case: &Case| Tries::of(&Plan::resolve(&case.file, case.seed).expect, &args).max;
    let runs = cases.iter().map(tries).fold(0, u64::saturating_add);
    let player = Player::new(&args.play, &interrupt, runs > 1, inside);
    let mut batch = Batch { args: &args, player, exit: Exit::Expected };
    for case in &cases {
        if batch.player.is_interrupted() {
            break;
        }
        batch.run_case(case).await;
    }
    batch.player.end(batch.exit)
}

/// How often a scenario is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tries {
    max: u64,
    /// A failure is expected within so many seeds: the first run that shows it is the last.
    is_hunt: bool,
}

impl Tries {
    fn of(expect: &Expectation, args: &RunArgs) -> Self {
        let many = |max| Self { max, is_hunt: false };
        match (expect, args.repeat, args.until_fail) {
            (_, Some(repeat), _) => many(u64::from(repeat)),
            (_, None, true) => many(u64::MAX),
            (Expectation::Fail(failure), None, false) => {
                Self { max: u64::from(failure.within_seeds), is_hunt: true }
            }
            (Expectation::Pass, None, false) => many(1),
        }
    }
}

struct Batch<'a> {
    args: &'a RunArgs,
    player: Player<'a>,
    exit: Exit,
}

impl Batch<'_> {
    /// All the runs of one scenario. Where a failure is expected within some seeds, the runs end with the first that
    /// shows it, and count as one.
    async fn run_case(&mut self, Case { file, seed: first_seed }: &Case) {
        let first_seed = *first_seed;
        let Tries { max, is_hunt } = Tries::of(&Plan::resolve(file, first_seed).expect, self.args);
        let mut hunt = None;
        for seed in (first_seed..).take(usize::try_from(max).unwrap_or(usize::MAX)) {
            let exit = self.player.play(Plan::resolve(file, seed), &file.text, None).await;
            if is_hunt && exit != Exit::Harness {
                // A seed that does not show the bug is no finding; only that none of them shows it.
                hunt = Some(exit);
            } else {
                self.exit = self.exit.gravest(exit);
            }
            let is_over =
                (is_hunt && exit == Exit::Expected) || (self.args.until_fail && exit != Exit::Expected);
            if is_over || self.player.is_interrupted() {
                break;
            }
        }
        if let Some(exit) = hunt {
            self.exit = self.exit.gravest(exit);
        }
    }
}

#[cfg(test)]
mod tests {
    use checker::anomaly::AnomalyKind;
    use checker::check::CheckName;
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::scenario::expectation::{ExpectedFailure, FailureKind};

    fn tries(expect: &Expectation, arguments: &[&str]) -> Tries {
        let line = ["supervisor", "run", "calm.yaml"].iter().chain(arguments);
        let Ok(Cli { command: Command::Run(args) }) = Cli::try_parse_from(line) else {
            panic!("it is a run")
        };
        Tries::of(expect, &args)
    }

    #[test]
    fn an_expected_failure_is_hunted_unless_the_number_of_runs_was_said() {
        let kind = FailureKind::Anomaly(CheckName::Durable, AnomalyKind::Lost);
        let bug = Expectation::Fail(ExpectedFailure { kind, within_seeds: 5 });
        let many = |max| Tries { max, is_hunt: false };
        assert_eq!(tries(&bug, &[]), Tries { max: 5, is_hunt: true });
        assert_eq!(tries(&bug, &["--repeat", "3"]), many(3));
        assert_eq!(tries(&bug, &["--until-fail"]), many(u64::MAX));
        assert_eq!(tries(&Expectation::Pass, &[]), many(1));
        assert_eq!(tries(&Expectation::Pass, &["--until-fail", "--repeat", "3"]), many(3));
    }
}
