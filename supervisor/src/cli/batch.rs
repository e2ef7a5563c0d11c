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
use crate::scenario::file::ScenarioFile;
use crate::scenario::plan::{Expectation, Plan};
use crate::suite::case::Case;
use crate::suite::child;

/// Reads a scenario and settles the seed of its first run. The error is ready to be shown.
pub(super) fn choose(path: &Path, choice: &Choice) -> Result<Case, String> {
    let file = ScenarioFile::load(path, &choice.overrides).map_err(|error| chain(&error))?;
    let seed = choice.seed.or(file.seed).unwrap_or_else(random_seed);
    Ok(Case { file, seed })
}

/// Reads every scenario. Nothing is to start if one is wrong; all errors have been shown when there is an exit.
pub(super) fn choose_all(paths: &[PathBuf], choice: &Choice) -> Result<Vec<Case>, Exit> {
    let (mut cases, mut refused) = (Vec::new(), None);
    for path in paths {
        match choose(path, choice) {
            Ok(case) => cases.push(case),
            Err(error) => refused = Some(fail(&error, Exit::Usage)),
        }
    }
    refused.map_or(Ok(cases), Err)
}

/// Asks whether this build, on this machine, can run every scenario. All errors have been shown when there is an exit.
pub(super) fn can_run_all(cases: &[Case]) -> Result<(), Exit> {
    let (machine, mut refused) = (Machine::default(), None);
    for Case { file, seed } in cases {
        let plan = Plan::resolve(file, *seed);
        if let Err(why) = system_for(&plan) {
            refused = Some(fail(&format!("{}: {why}", file.source), Exit::Harness));
        }
        if let Some(refusal) = program::refusal(file) {
            refused = Some(fail(&refusal.to_string(), Exit::Usage));
        }
        if let Some(refusal) = machine.refusal(&plan, file) {
            refused = Some(fail(&refusal.to_string(), Exit::Harness));
        }
    }
    refused.map_or(Ok(()), Err)
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
            (Expectation::Fail { within_seeds, .. }, None, false) => {
                Self { max: u64::from(*within_seeds), is_hunt: true }
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

    fn tries(expect: &Expectation, arguments: &[&str]) -> Tries {
        let line = ["supervisor", "run", "calm.yaml"].iter().chain(arguments);
        let Ok(Cli { command: Command::Run(args) }) = Cli::try_parse_from(line) else {
            panic!("it is a run")
        };
        Tries::of(expect, &args)
    }

    #[test]
    fn an_expected_failure_is_hunted_unless_the_number_of_runs_was_said() {
        let bug =
            Expectation::Fail { check: CheckName::Durable, anomaly: AnomalyKind::Lost, within_seeds: 5 };
        let many = |max| Tries { max, is_hunt: false };
        assert_eq!(tries(&bug, &[]), Tries { max: 5, is_hunt: true });
        assert_eq!(tries(&bug, &["--repeat", "3"]), many(3));
        assert_eq!(tries(&bug, &["--until-fail"]), many(u64::MAX));
        assert_eq!(tries(&Expectation::Pass, &[]), many(1));
        assert_eq!(tries(&Expectation::Pass, &["--until-fail", "--repeat", "3"]), many(3));
    }
}
