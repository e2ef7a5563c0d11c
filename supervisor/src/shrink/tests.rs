//! Searches in a laboratory without runs, on a clock that jumps; and one by whole runs on a system that is faked.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use super::trial::{TrialSettings, Trials};
use super::*;
use crate::run::stop::{Stopper, stop};
use crate::scenario::file::ScenarioFile;
use crate::system::System;
use crate::system::fake::FakeSystem;

const SCENARIO: &str = "\
version: 1
name: storm
cluster: { nodes: 3 }
workload: { kind: conversation, clients: 4, keys: 2 }
run: { warmup: 1s, duration: 40s }
faults:
  - { name: kill, every: 8s, kill: { target: leader, restart-after: 1s } }
checks: [linearizable]
";

/// How long an attempt of the laboratory takes.
const ATTEMPT: Duration = Duration::from_secs(20);

fn plan_of(text: &str) -> Plan {
    let file = ScenarioFile::parse(Path::new("storm.yaml"), text, &[]);
    Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 7)
}

fn plan() -> Plan {
    plan_of(SCENARIO)
}

/// Answers with what a function of the number of the attempt and the plan says.
struct Fake<O> {
    oracle: O,
    attempts: u32,
    steps: Vec<Step>,
    kept: Vec<Plan>,
}

impl<O: FnMut(u32, &Plan) -> Attempt> Fake<O> {
    fn new(oracle: O) -> Self {
        Self { oracle, attempts: 0, steps: Vec::new(), kept: Vec::new() }
    }
}

impl<O: FnMut(u32, &Plan) -> Attempt> Laboratory for Fake<O> {
    fn attempt<'a>(&'a mut self, plan: &'a Plan) -> LocalBoxFuture<'a, Attempt> {
        Box::pin(async move {
            tokio::time::sleep(ATTEMPT).await;
            self.attempts += 1;
            (self.oracle)(self.attempts, plan)
        })
    }

    fn step(&mut self, step: &Step) {
        self.steps.push(step.clone());
    }

    fn keep(&mut self, plan: &Plan) -> Result<(), HarnessFailure> {
        self.kept.push(plan.clone());
        Ok(())
    }
}

const FAILED: Attempt = Attempt::Failed { after: None };

fn limits(within: Duration) -> (Limits, Stopper) {
    let (stopper, stop) = stop();
    (Limits { tries: 3, deadline: Instant::now() + within, stop }, stopper)
}

const LONG: Duration = Duration::from_secs(100_000);

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_what_is_reported_and_was_measured() {
    let (limits, _stopper) = limits(LONG);
    let mut fake = Fake::new(|_, plan: &Plan| {
        if plan.strikes.iter().any(|strike| strike.name == "kill#3") { FAILED } else { Attempt::Passed }
    });
    let shrunk = shrink(&plan(), limits, &mut fake).await;
    let smallest = shrunk.smallest.expect("it fails");
    assert_eq!(smallest.plan.strikes.len(), 1);
    assert_eq!(smallest.measured, Tally { failed: 10, tries: 10 });
    assert_eq!((shrunk.is_cut_short, shrunk.tries), (false, fake.attempts));
    assert_eq!(fake.kept.last(), Some(&smallest.plan));
    let of = |what: &str| fake.steps.iter().find(|step| step.what == what).unwrap().tally;
    assert_eq!(of("the whole plan"), Tally { failed: 1, tries: 1 });
    assert_eq!(of("no strikes"), Tally { failed: 0, tries: 3 });
    assert_eq!(of("the smallest plan"), Tally { failed: 10, tries: 10 });
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fail_again_is_tried_often_and_never_reported() {
    let (limits, _stopper) = limits(LONG);
    let mut fake = Fake::new(|_, _: &Plan| Attempt::Passed);
    let shrunk = shrink(&plan(), limits, &mut fake).await;
    assert!(shrunk.smallest.is_none() && shrunk.failure.is_none() && !shrunk.is_cut_short);
    assert_eq!((shrunk.tries, fake.kept.len()), (9, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_needs_only_one_of_its_tries() {
    let (limits, _stopper) = limits(LONG);
    let mut fake = Fake::new(|attempt, _: &Plan| if attempt % 3 == 0 { FAILED } else { Attempt::Passed });
    let shrunk = shrink(&plan(), limits, &mut fake).await;
    let smallest = shrunk.smallest.expect("it fails");
    assert_eq!((smallest.plan.strikes.len(), smallest.plan.workload.clients), (0, 1));
    assert_eq!(smallest.found, Tally { failed: 1, tries: 3 });
    assert!((3..=4).contains(&smallest.measured.failed), "{:?}", smallest.measured);
}

#[tokio::test(start_paused = true)]
async fn a_smaller_plan_that_failed_by_chance_is_passed_over() {
    let (limits, _stopper) = limits(LONG);
    let mut seen = 0;
    let mut fake = Fake::new(move |_, plan: &Plan| {
        // One client less fails once, and never again.
        let is_small = plan.workload.clients < 4;
        seen += u32::from(is_small);
        if !is_small || seen == 1 { FAILED } else { Attempt::Passed }
    });
    let shrunk = shrink(&plan(), limits, &mut fake).await;
    let smallest = shrunk.smallest.expect("it fails");
    assert_eq!(smallest.plan.workload.clients, 4);
    assert_eq!(smallest.measured, Tally { failed: 10, tries: 10 });
    assert_eq!(fake.kept.last(), Some(&smallest.plan), "the file has what is reported");
}

#[tokio::test(start_paused = true)]
async fn when_the_time_is_over_the_best_so_far_is_measured_and_reported() {
    let within = 20 * ATTEMPT;
    let (limits, _stopper) = limits(within);
    let began = Instant::now();
    let mut fake = Fake::new(|_, plan: &Plan| if plan.strikes.len() > 1 { FAILED } else { Attempt::Passed });
    let shrunk = shrink(&plan(), limits, &mut fake).await;
    let smallest = shrunk.smallest.expect("it fails");
    assert!(shrunk.is_cut_short);
    assert!(smallest.plan.strikes.len() < 4 && smallest.measured.tries > 5, "{smallest:?}");
    assert!(began.elapsed() <= within + ATTEMPT, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_stops_the_search_gets_the_best_so_far() {
    let (limits, stopper) = limits(LONG);
    let mut stopper = Some(stopper);
    let mut fake = Fake::new(move |attempt, plan: &Plan| {
        if attempt == 6 {
            drop(stopper.take());
        }
        if plan.strikes.len() >= 2 { FAILED } else { Attempt::Passed }
    });
    let shrunk = shrink(&plan(), limits, &mut fake).await;
    let smallest = shrunk.smallest.expect("the whole plan failed");
    assert!(shrunk.is_cut_short && shrunk.failure.is_none());
    assert_eq!((fake.attempts, smallest.measured), (6, Tally::default()));
    assert_eq!(fake.kept.last(), Some(&smallest.plan));
}

#[tokio::test(start_paused = true)]
async fn a_testbed_that_keeps_failing_ends_the_search_and_one_hitch_does_not() {
    let hitch = || Attempt::Untold(HarnessFailure::Prepare("no account".to_owned()));
    let (some_limits, _stopper) = limits(LONG);
    let mut fake = Fake::new(|attempt, _: &Plan| if attempt % 3 == 0 { FAILED } else { hitch() });
    let shrunk = shrink(&plan(), some_limits, &mut fake).await;
    assert!(shrunk.failure.is_none());
    assert_eq!(shrunk.smallest.expect("it fails").measured, Tally { failed: 10, tries: 10 });

    let (some_limits, _stopper) = limits(LONG);
    let mut fake = Fake::new(|attempt, _: &Plan| if attempt == 1 { FAILED } else { hitch() });
    let shrunk = shrink(&plan(), some_limits, &mut fake).await;
    assert_eq!(fake.attempts, 4);
    assert!(shrunk.failure.is_some_and(|failure| failure.to_string().contains("no account")));
    let mut whole = plan();
    whole.reach.clear();
    assert_eq!(shrunk.smallest.expect("the whole plan failed").plan, whole);
}

/// A node that is killed does not come back: every other fault, and most of the load, can be spared.
#[tokio::test]
async fn whole_runs_are_made_smaller_and_only_the_newest_that_failed_stays() {
    let scenario = "\
version: 1
name: storm
cluster: { nodes: 3 }
workload: { kind: conversation, clients: 4, keys: 2, operation-timeout: 50ms }
run: { warmup: 50ms, duration: 1500ms, settle: 1s }
faults:
  - { name: pause, every: 100ms, times: 2, for: 50ms, pause: { target: n1 } }
  - { name: kill, at: 150ms, kill: { target: n2, restart-after: 50ms } }
checks: [linearizable, durable]
reach: { faults-installed: 3 }
";
    let directory = tempfile::tempdir().unwrap();
    let (stopper, stopped) = stop();
    let shown: Rc<RefCell<Vec<String>>> = Rc::default();
    let show = Rc::clone(&shown);
    let make = |_: &Plan| {
        let system = FakeSystem::new().beginning_again("echo 'the log is corrupt' >&2; exit 5");
        Ok(Rc::new(system) as Rc<dyn System>)
    };
    let settings = TrialSettings {
        kind: "liveness/node-ended".to_owned(),
        directory: directory.path().to_owned(),
        source: directory.path().join("plan.yaml"),
        scenario_text: scenario.to_owned(),
        node_binary: Some("/bin/sh".into()),
        system: Box::new(make),
        namespace: None,
        stop: stopped.clone(),
        show: Box::new(move |step| show.borrow_mut().push(step.what.clone())),
    };
    let mut trials = Trials::new(settings).unwrap();
    // The failure is certain, so one try tells.
    let limits = Limits { tries: 1, deadline: Instant::now() + Duration::from_secs(600), stop: stopped };
    let plan = plan_of(scenario);
    let shrunk = tokio::task::LocalSet::new().run_until(shrink(&plan, limits, &mut trials)).await;
    drop(stopper);
    assert!(shrunk.failure.is_none() && !shrunk.is_cut_short, "{shrunk:?}");
    let smallest = shrunk.smallest.expect("it fails");
    let names: Vec<&str> = smallest.plan.strikes.iter().map(|strike| strike.name.as_str()).collect();
    assert_eq!(names, ["kill#1"], "{:?}", shown.borrow());
    assert!(smallest.plan.run.duration < Duration::from_millis(1_000), "{smallest:?}");
    let workload = &smallest.plan.workload;
    assert_eq!((workload.clients, workload.keys, smallest.plan.cluster.nodes), (1, 1, 3), "n2 must be there");
    assert_eq!(smallest.measured, Tally { failed: 10, tries: 10 });

    let file = fs::read_to_string(trials.plan_file()).unwrap();
    assert_eq!(Plan::from_yaml(&file).unwrap(), smallest.plan);
    let evidence = trials.finish().unwrap().expect("a run that failed");
    let others: Vec<_> = fs::read_dir(evidence.parent().unwrap()).unwrap().collect();
    assert_eq!(others.len(), 1, "{others:?}");
    let runs: Vec<_> = fs::read_dir(directory.path().join("shrink")).unwrap().collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let verdict = fs::read_to_string(evidence.join("verdict.json")).unwrap();
    assert!(verdict.contains("\"signature\": \"liveness/node-ended\""), "{verdict}");
    assert_eq!(fs::read_to_string(evidence.join("plan.yaml")).unwrap(), file);
}
