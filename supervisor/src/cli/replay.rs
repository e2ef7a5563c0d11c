//! `supervisor replay`: the plan of an earlier run, carried out again. Nothing is drawn and no scenario is read.
//!
//! The same in every run of one plan: the cluster, the workload's operations in the order in which they are drawn, the
//! strikes with their times, and the order of preference in which each strike chooses its nodes.
//!
//! What differs is what nobody planned: which node wins an election, hence who `leader` is when a strike is due; how
//! operations of different clients interleave, and which of them an open loop finds no client for; every latency. A
//! failure that depends on those may need `--repeat` or `--until-fail`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::machine::{self, Machine};
use super::player::{PlayArgs, Player, system_for};
use super::{Interrupt, fail, note};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::harness::chain;
use crate::judge::display_path;
use crate::kernel::namespace::Namespace;
use crate::program;
use crate::scenario::plan::Plan;
use crate::system::{self, words};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// A run directory, or a plan.
    #[arg(value_name = "RUN|PLAN")]
    source: PathBuf,
    /// How many runs of the plan.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Goes on until a run does not end as expected; at most --repeat runs if given.
    #[arg(long)]
    until_fail: bool,
    #[command(flatten)]
    play: PlayArgs,
}

impl ReplayArgs {
    fn tries(&self) -> u64 {
        match (self.repeat, self.until_fail) {
            (Some(repeat), _) => u64::from(repeat),
            (None, true) => u64::MAX,
            (None, false) => 1,
        }
    }
}

pub(super) async fn replay(args: ReplayArgs, interrupt: Interrupt) -> Exit {
    let score = match Score::read(&args.source) {
        Ok(score) => score,
        Err(why) => return fail(&why, Exit::Usage),
    };
    let inside = match score.make_ready() {
        Ok(inside) => inside,
        Err(why) => return fail(&why, Exit::Harness),
    };
    note(&format!("replaying plan {} of {}", score.plan.hash(), score.path.display()));
    for remark in score.remarks(args.play.node_binary.as_deref()) {
        note(&remark);
    }
    let tries = args.tries();
    let mut player = Player::new(&args.play, &interrupt, tries > 1, inside);
    let mut exit = Exit::Expected;
    for _ in 0..tries {
        let one = player.play(score.plan.clone(), &score.scenario_text, Some(score.path.clone())).await;
        exit = exit.gravest(one);
        if (args.until_fail && one != Exit::Expected) || player.is_interrupted() {
            break;
        }
    }
    player.end(exit)
}

/// A plan, and what is known of the run that it comes from.
#[derive(Debug)]
pub(super) struct Score {
    /// The file of the plan.
    pub(super) path: PathBuf,
    pub(super) plan: Plan,
    /// What to keep as the scenario of a new run.
    pub(super) scenario_text: String,
    /// Where that run was made, if the plan lies in a run directory.
    pub(super) environment: Option<Environment>,
    /// The hash of the plan that was carried out there.
    played_hash: Option<String>,
}

impl Score {
    /// Reads a run directory, or a plan and what lies beside it. The error is ready to be shown.
    pub(super) fn read(source: &Path) -> Result<Self, String> {
        let metadata =
            fs::metadata(source).map_err(|error| format!("could not read {}: {error}", source.display()))?;
        let path = if metadata.is_dir() { source.join("plan.yaml") } else { source.to_owned() };
        if metadata.is_dir() && !path.is_file() {
            return Err(format!("{} is no run directory: it has no plan.yaml", source.display()));
        }
        // What is recorded of it must outlive `runs/latest`.
        let path = PathBuf::from(display_path(&path));
        let directory = path.parent().map(Path::to_owned).unwrap_or_default();
        let environment = Environment::read(&directory).ok();
        let plan = Plan::load(&path).map_err(|error| {
            let other = environment.as_ref().and_then(version_remark).map(|remark| format!("\n{remark}"));
            chain(&error) + &other.unwrap_or_default()
        })?;
        let unknown = system::built_in(0, 1).and_then(|system| words::broken(&*system, &plan));
        if let Some((at, message)) = unknown {
            let text = fs::read_to_string(&path).unwrap_or_default();
            return Err(Plan::refuse(&path, &text, &at, message).to_string());
        }
        let scenario_text = fs::read_to_string(directory.join("scenario.yaml"))
            .unwrap_or_else(|_| format!("# No scenario: the plan was read from {}.\n", path.display()));
        // Only `plan.yaml` is what the run carried out.
        let is_played = path.file_name().is_some_and(|name| name == "plan.yaml");
        let played_hash = is_played.then(|| played_hash(&directory)).flatten();
        Ok(Self { path, plan, scenario_text, environment, played_hash })
    }

    /// Whether this build and this machine can carry the plan out; if it needs a network namespace, this process is in
    /// one then. The error is ready to be shown.
    pub(super) fn make_ready(&self) -> Result<Option<Namespace>, String> {
        let path = self.path.display();
        system_for(&self.plan).map_err(|why| format!("{path}: {why}"))?;
        if let Some(why) = program::missing(&self.plan) {
            return Err(format!("{path}: {why}"));
        }
        match Machine::default().lack(&self.plan) {
            None => machine::enter_for([&self.plan]),
            Some(missing) => Err(format!("{path}: `network: kernel` is not possible here: {missing}")),
        }
    }

    /// What makes a new run another than the one that the plan comes from.
    pub(super) fn remarks(&self, node_binary: Option<&Path>) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(played) = self.played_hash.as_ref().filter(|played| **played != self.plan.hash()) {
            remarks.push(format!("the plan was changed after that run, which was of plan {played}"));
        }
        let Some(environment) = &self.environment else { return remarks };
        remarks.extend(version_remark(environment));
        let binary = node_binary.map(|path| path.display().to_string());
        if environment.node_binary != binary {
            let was = environment.node_binary.as_deref();
            let option = was.map(|path| format!(" (--node-binary {path})")).unwrap_or_default();
            let was = was.unwrap_or("the one built into the supervisor");
            let is = binary.as_deref().unwrap_or("the one built into this supervisor");
            remarks.push(format!("the program of the nodes was {was}{option}, and now is {is}"));
        }
        remarks
    }
}

fn version_remark(environment: &Environment) -> Option<String> {
    let (theirs, ours) = (&environment.supervisor, env!("CARGO_PKG_VERSION"));
    (theirs != ours).then(|| {
        format!(
            "the plan was made by supervisor {theirs}, and this is {ours}, which may carry it out differently"
        )
    })
}

/// The hash of the plan that the run in `directory` was of, if it came to a verdict.
fn played_hash(directory: &Path) -> Option<String> {
    let text = fs::read_to_string(directory.join("verdict.json")).ok()?;
    let verdict: Value = serde_json::from_str(&text).ok()?;
    verdict["plan_hash"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::scenario::file::ScenarioFile;

    const SCENARIO: &str = "\
version: 1
name: calm
workload: { kind: conversation }
run: { duration: 30s }
checks: [linearizable]
";

    /// A run directory of which only what a replay looks at is there.
    fn run_directory(environment: &Environment) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let plan = Plan::resolve(&ScenarioFile::parse(Path::new("calm.yaml"), SCENARIO, &[]).unwrap(), 7);
        let environment = serde_json::to_string(environment).unwrap();
        let verdict = serde_json::json!({ "plan_hash": plan.hash() }).to_string();
        let files = [
            ("scenario.yaml", SCENARIO),
            ("plan.yaml", &plan.to_yaml()),
            ("env.json", &environment),
            ("verdict.json", &verdict),
        ];
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    fn here() -> Environment {
        Environment::here(None, "2026-11-21T09:00:00Z")
    }

    #[test]
    fn a_run_and_the_plan_in_it_are_the_same_score() {
        let run = run_directory(&here());
        let whole = Score::read(run.path()).unwrap();
        let plan = Score::read(&run.path().join("plan.yaml")).unwrap();
        assert_eq!((&whole.plan, &whole.scenario_text), (&plan.plan, &plan.scenario_text));
        assert_eq!(whole.scenario_text, SCENARIO);
        assert_eq!(whole.remarks(None), Vec::<String>::new());
    }

    #[test]
    fn what_differs_from_the_run_that_was_is_said() {
        let other = Environment {
            supervisor: "9.8.7".to_owned(),
            node_binary: Some("/opt/node".to_owned()),
            ..here()
        };
        let run = run_directory(&other);
        let path = run.path().join("plan.yaml");
        let edited = fs::read_to_string(&path).unwrap().replace("duration: 30s", "duration: 29s");
        fs::write(&path, edited).unwrap();
        let score = Score::read(run.path()).unwrap();
        let remarks = score.remarks(None);
        let played = score.played_hash.clone().unwrap();
        assert_eq!(remarks.len(), 3, "{remarks:?}");
        assert!(remarks[0].contains("was changed") && remarks[0].contains(&played), "{remarks:?}");
        assert!(
            remarks[1].contains("9.8.7") && remarks[1].contains(env!("CARGO_PKG_VERSION")),
            "{remarks:?}"
        );
        assert!(remarks[2].contains("--node-binary /opt/node"), "{remarks:?}");
        assert_eq!(score.remarks(Some(Path::new("/opt/node"))).len(), 2);
    }

    #[test]
    fn a_plan_that_another_version_wrote_and_this_one_cannot_read_is_refused_with_both_reasons() {
        let run = run_directory(&Environment { supervisor: "9.8.7".to_owned(), ..here() });
        let path = run.path().join("plan.yaml");
        let newer = fs::read_to_string(&path).unwrap().replace("version: 1", "version: 2");
        fs::write(&path, newer).unwrap();
        let why = Score::read(run.path()).unwrap_err();
        assert!(why.contains("plan.yaml:1:10: not a plan that can be run: version 2 is not 1"), "{why}");
        assert!(why.contains("made by supervisor 9.8.7"), "{why}");
    }

    #[test]
    fn a_bare_plan_is_enough() {
        let run = run_directory(&here());
        let bare = tempfile::tempdir().unwrap();
        let path = bare.path().join("mine.yaml");
        fs::copy(run.path().join("plan.yaml"), &path).unwrap();
        let score = Score::read(&path).unwrap();
        assert!(score.scenario_text.starts_with("# No scenario"), "{}", score.scenario_text);
        assert!(score.remarks(None).is_empty());
        let why = Score::read(bare.path()).unwrap_err();
        assert!(why.ends_with("is no run directory: it has no plan.yaml"), "{why}");
    }

    #[test]
    fn the_line_that_reproduces_a_replay_is_a_replay_of_the_run_itself() {
        let environment = here().replaying(Some(Path::new("shrunk.plan.yaml")));
        let plan = Score::read(run_directory(&here()).path()).unwrap().plan;
        let line = environment.reproduce(&plan, "runs/it's mine/one");
        let words = shlex::split(line.strip_prefix("cargo run --release -- ").unwrap()).unwrap();
        let parsed = Cli::try_parse_from(["supervisor".to_owned()].into_iter().chain(words)).unwrap();
        let Command::Replay(args) = parsed.command else { panic!("{line}") };
        assert_eq!((args.source, args.play.node_binary), (PathBuf::from("runs/it's mine/one"), None));
        assert_eq!((args.repeat, args.until_fail), (None, false));

        let binary = Environment { node_binary: Some("/opt/a node".to_owned()), ..environment };
        let line = binary.reproduce(&plan, "runs/one");
        assert!(line.ends_with("-- replay runs/one --node-binary '/opt/a node'"), "{line}");
    }

    #[test]
    fn the_line_that_reproduces_a_run_survives_a_shell() {
        let overrides = ["run.duration=20s".to_owned()];
        let file = ScenarioFile::parse(Path::new("my scenarios/calm.yaml"), SCENARIO, &overrides).unwrap();
        let line = here().reproduce(&Plan::resolve(&file, 7), "runs/one");
        let words = shlex::split(line.strip_prefix("cargo run --release -- ").unwrap()).unwrap();
        let parsed = Cli::try_parse_from(["supervisor".to_owned()].into_iter().chain(words)).unwrap();
        let Command::Run(args) = parsed.command else { panic!("{line}") };
        assert_eq!(args.files, [PathBuf::from("my scenarios/calm.yaml")]);
        assert_eq!((args.choice.seed, args.choice.overrides.as_slice()), (Some(7), overrides.as_slice()));
    }
}
