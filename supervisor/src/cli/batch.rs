//! `supervisor run`: scenarios, each with one seed or several.
//!
//! Every file is read before the first run starts, so that a mistake in the last one does not cost the time of all the
//! others. The exit is the gravest of the runs.

use std::path::Path;

use super::player::{Player, system_for};
use super::{Choice, Interrupt, RunArgs, fail};
use crate::exit::Exit;
use crate::harness::chain;
use crate::scenario::file::ScenarioFile;
use crate::scenario::plan::{Expectation, Plan};

/// Reads a scenario and settles the seed of its first run. The error is ready to be shown.
pub(super) fn choose(path: &Path, choice: &Choice) -> Result<(ScenarioFile, u64), String> {
    let file = ScenarioFile::load(path, &choice.overrides).map_err(|error| chain(&error))?;
    let seed = choice.seed.or(file.seed).unwrap_or_else(random_seed);
    Ok((file, seed))
}

/// A seed that nobody chose. It is small enough to be read aloud; whoever sees it can choose it again.
fn random_seed() -> u64 {
    u64::from(getrandom::u32().expect("the kernel has randomness") % 1_000_000)
}

pub(super) async fn run_all(args: RunArgs, interrupt: Interrupt) -> Exit {
    let chosen = collect(args.files.iter().map(|path| choose(path, &args.choice)));
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(errors) => {
            for error in errors {
                fail(&error, Exit::Usage);
            }
            return Exit::Usage;
        }
    };
    let mut refused = None;
    let mut runs = 0_u64;
    for (file, seed) in &chosen {
        let plan = Plan::resolve(file, *seed);
        runs = runs.saturating_add(Tries::of(&plan.expect, &args).max);
        if let Err(why) = system_for(&plan) {
            refused = Some(fail(&format!("{}: {why}", file.source), Exit::Harness));
        }
    }
    if let Some(exit) = refused {
        return exit;
    }
    let player = Player::new(&args.play, &interrupt, runs > 1);
    let mut batch = Batch { args: &args, player, exit: Exit::Expected };
    for (file, seed) in &chosen {
        if batch.player.is_interrupted() {
            break;
        }
        batch.run_scenario(file, *seed).await;
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

/// All the values, or all the errors.
fn collect<T>(results: impl Iterator<Item = Result<T, String>>) -> Result<Vec<T>, Vec<String>> {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

struct Batch<'a> {
    args: &'a RunArgs,
    player: Player<'a>,
    exit: Exit,
}

impl Batch<'_> {
    /// All the runs of one scenario. Where a failure is expected within some seeds, the runs end with the first that
    /// shows it, and count as one.
    async fn run_scenario(&mut self, file: &ScenarioFile, first_seed: u64) {
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
