//! Every scenario that comes with the project parses, and makes a plan for any seed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use checker::check::CheckName;
use supervisor::scenario::expectation::Expectation;
use supervisor::scenario::file::ScenarioFile;
use supervisor::scenario::plan::{HistoryForm, Load, Plan, Reach};
use supervisor::scenario::timeline;
use supervisor::scenario::verb::Deed;

fn scenarios() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut directories = vec![root];
    let mut files = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("the directory is readable") {
            let path = entry.expect("the directory is readable").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn load(path: &Path) -> ScenarioFile {
    ScenarioFile::load(path, &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_scenario_parses_and_plans() {
    assert!(scenarios().len() >= 8, "the scenarios were not found");
    for path in scenarios() {
        let file = load(&path);
        for seed in [0, 1, u64::MAX] {
            let plan = Plan::resolve(&file, seed);
            assert_eq!(Plan::from_yaml(&plan.to_yaml()).unwrap(), plan, "{}", path.display());
            assert_eq!(Plan::resolve(&file, seed), plan, "a plan depends on the file and the seed only");
            assert!(timeline::draw(&plan).lines().all(|line| line.chars().count() <= 100));
        }
    }
}

#[test]
fn every_scenario_says_what_it_is_for_and_what_it_must_reach() {
    for path in scenarios() {
        let plan = Plan::resolve(&load(&path), 1);
        let name = &plan.name;
        assert!(!plan.description.is_empty() && !plan.tags.is_empty(), "{name}");
        // `durable` counts messages; an account that is lost shows in the lists. `delivery` follows subscriptions.
        // `sessions` is about messages, too, and `stale-reads` about reads that not every workload has.
        let missing = CheckName::ALL.iter().filter(|check| !plan.checks.contains(check)).copied();
        let needs = [
            ("send", CheckName::Durable),
            ("poll", CheckName::Delivery),
            ("send", CheckName::Sessions),
            ("stale-read", CheckName::StaleReads),
        ];
        let without = needs.into_iter().filter(|(operation, _)| !plan.workload.mix.contains_key(*operation));
        let without: Vec<CheckName> = without.map(|(_, check)| check).collect();
        assert_eq!(missing.collect::<Vec<_>>(), without, "{name}");
        assert!(plan.reach.contains_key(&Reach::Operations), "{name}");
        assert!(plan.reach.contains_key(&Reach::FaultsInstalled) || plan.strikes.is_empty(), "{name}");
        let is_long = path.parent().unwrap().ends_with("nightly");
        assert!(is_long || plan.run.warmup + plan.run.duration <= Duration::from_secs(65), "{name} is long");
        if let Load::Open(rate) = plan.workload.load {
            let offered = u64::from(rate.per_second) * plan.run.duration.as_secs();
            assert!(plan.reach[&Reach::Operations] <= offered, "{name} cannot reach its operations");
        }
        let in_self_test = path.parent().unwrap().ends_with("self-test");
        // A control plants what breaks no promise, or what nobody can see.
        let is_control = plan.tags.iter().any(|tag| tag == "control");
        assert_eq!(in_self_test && !is_control, plan.expect != Expectation::Pass, "{name}");
        assert_eq!(in_self_test, plan.cluster.inject_bug.is_some(), "{name}");
    }
}

/// Every fault and step of a plan that does something, with its name in the scenario.
#[test]
fn both_forms_of_a_history_are_written_by_a_scenario_for_every_day() {
    let ci =
        scenarios().into_iter().filter(|path| path.parent().is_some_and(|parent| parent.ends_with("ci")));
    let forms: Vec<HistoryForm> = ci.map(|path| Plan::resolve(&load(&path), 1).run.history).collect();
    for form in [HistoryForm::Jsonl, HistoryForm::Binary] {
        assert!(forms.contains(&form), "no scenario writes {form:?}");
    }
}

fn named(plan: &Plan) -> impl Iterator<Item = (&str, Vec<Deed>)> {
    let timed = plan.strikes.iter().map(|strike| (strike.fault.as_str(), strike.verb.deeds()));
    timed.chain(plan.steps.iter().map(|step| (step.name.as_str(), step.action.deeds())))
}

#[test]
fn every_verb_and_every_way_of_it_is_proven_by_a_scenario() {
    let mut proven: BTreeMap<Deed, Vec<String>> = BTreeMap::new();
    for path in scenarios() {
        let plan = Plan::resolve(&load(&path), 1);
        let is_wanted = |name: &str| plan.reach.contains_key(&Reach::Struck(name.to_owned()));
        for (name, deeds) in named(&plan).filter(|(name, _)| is_wanted(name)) {
            for deed in deeds {
                proven.entry(deed).or_default().push(format!("{} {name}", plan.name));
            }
        }
    }
    let missing: Vec<&str> = Deed::all().filter(|deed| !proven.contains_key(deed)).map(Deed::name).collect();
    assert!(
        missing.is_empty(),
        "no scenario has a fault for these that its `reach: {{ struck: … }}` names: {missing:?}"
    );
}

#[test]
fn a_scenario_of_ci_proves_each_of_its_timed_faults_and_steps() {
    for path in scenarios().iter().filter(|path| path.parent().is_some_and(|parent| parent.ends_with("ci"))) {
        let plan = Plan::resolve(&load(path), 1);
        let is_drawn = |name: &str| name.starts_with("nemesis-");
        let unproven: Vec<&str> = named(&plan)
            .filter(|(name, deeds)| !deeds.is_empty() && !is_drawn(name))
            .map(|(name, _)| name)
            .filter(|name| !plan.reach.contains_key(&Reach::Struck((*name).to_owned())))
            .collect();
        // Whether an election comes to pass in which that follower votes is left to the cluster.
        let unproven: Vec<&str> = unproven.into_iter().filter(|name| *name != "vote").collect();
        assert!(unproven.is_empty(), "{}: {unproven:?}", plan.name);
    }
}

/// What a run takes beside its warm-up and its load, generously: start, heal, final reads, stop, check.
const OVERHEAD: Duration = Duration::from_secs(12);

#[test]
fn what_ci_runs_takes_at_most_ten_minutes() {
    let of_ci = |path: &PathBuf| path.parent().unwrap().ends_with("scenarios/ci");
    let files: Vec<PathBuf> = scenarios().into_iter().filter(of_ci).collect();
    assert!(files.iter().any(|path| path.ends_with("leader-kill.yaml")), "the link to the README's scenario");
    let mut whole = Duration::ZERO;
    for path in files {
        let plan = Plan::resolve(&load(&path), 1);
        assert!(plan.tags.iter().any(|tag| tag == "ci"), "{} is not tagged `ci`", plan.name);
        whole += plan.run.warmup + plan.run.duration + OVERHEAD;
    }
    // Two at a time, as `.ci/run` has it.
    assert!(whole / 2 <= Duration::from_secs(600), "scenarios/ci takes {:?}", whole / 2);
}

#[test]
fn leader_kill_kills_often_enough() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/leader-kill.yaml");
    let plan = Plan::resolve(&load(&path), 1);
    let seconds: Vec<u64> = plan.strikes.iter().map(|strike| strike.at.as_secs()).collect();
    assert_eq!(seconds, [8, 16, 24, 32]);
    assert_eq!(plan.reach[&Reach::LeaderChanges], 3);
    assert_eq!(plan.reach[&Reach::Operations], 4_000);
}
