//! Workers on a system that is faked, in a time that does not pass by itself.

use std::collections::BTreeSet;

use checker::check::{CheckName, check};
use checker::evidence::Evidence;
use checker::history::jsonl::{self, Header};
use checker::history::{History, Outcome as Recorded};
use checker::limits::Limits;
use checker::verdict::Verdict;
use tokio::task::LocalSet;

use super::*;
use crate::run::clock::RunClock;
use crate::run::stop::stop;
use crate::scenario::file::ScenarioFile;
use crate::scenario::plan::{HistoryForm, Plan};
use crate::system::fake::FakeSystem;
use crate::workload;

const WORKERS: usize = 5;

/// A bench of three nodes, and the file that its recorder writes.
fn bench(seed: u64, system: FakeSystem, routing: Routing) -> (Rc<Bench>, tempfile::TempDir) {
    bench_of("kind: conversation", seed, system, routing)
}

fn bench_of(
    workload: &str,
    seed: u64,
    system: FakeSystem,
    routing: Routing,
) -> (Rc<Bench>, tempfile::TempDir) {
    let text = format!(
        "version: 1\nname: bench\nworkload: {{ {workload}, clients: 5, keys: 2 }}\n\
         run: {{ duration: 1s }}\nchecks: [linearizable]\n"
    );
    let file = ScenarioFile::parse(std::path::Path::new("bench.yaml"), &text, &[]);
    let plan = Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), seed);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.jsonl");
    let bench = Bench {
        system: Rc::new(system),
        workload: RefCell::new(workload::of_plan(&plan, &plan.rng())),
        recorder: Recorder::create(path, HistoryForm::Jsonl, RunClock::start(), &Header::new(None)).unwrap(),
        arrivals: Arrivals::closed_loop(),
        roles: Roles::default(),
        members: Members::new(["n1", "n2", "n3"].map(str::to_owned).to_vec()),
        routing,
        operation_timeout: Duration::from_millis(50),
    };
    (Rc::new(bench), directory)
}

/// All workers at work for `length`; what they recorded. They finish what they have begun unless they are `cut_short`.
async fn work(bench: &Rc<Bench>, length: Duration, cut_short: bool) {
    let rng = Rng::from_seed(1);
    let (stopper, stopped) = stop();
    LocalSet::new()
        .run_until(async {
            let workers = (0..WORKERS).map(|number| {
                let worker = Worker::new(number, Rc::clone(bench), rng.fork(&format!("worker-{number}")));
                tokio::task::spawn_local(worker.work(stopped.clone()))
            });
            let workers: Vec<_> = workers.collect();
            tokio::time::sleep(length).await;
            if cut_short {
                return;
            }
            stopper.stop();
            for worker in workers {
                worker.await.unwrap().unwrap();
            }
        })
        .await;
}

fn read(directory: &tempfile::TempDir) -> History {
    let bytes = std::fs::read(directory.path().join("history.jsonl")).unwrap();
    let (history, torn) = jsonl::read(bytes.as_slice()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(torn, None);
    history
}

fn linearizable(history: History) -> Verdict {
    let evidence = Evidence { history, ..Evidence::default() };
    check(&evidence, &[CheckName::Linearizable], &Limits::none()).remove(0).verdict
}

#[tokio::test(start_paused = true)]
async fn whatever_the_outcomes_the_record_is_a_history_that_is_as_good_as_the_system() {
    for seed in 0..40_u64 {
        let share = |shift: u64| u32::try_from((seed >> shift) % 4 * 10).unwrap();
        let system = FakeSystem::unreliable(share(0), share(2));
        let (bench, directory) = bench(seed, system, Routing::Any);
        let cut_short = seed % 3 == 0;
        work(&bench, Duration::from_secs(2), cut_short).await;

        let history = read(&directory);
        let tally = bench.recorder.tally();
        let count = |of: fn(&Recorded) -> bool| {
            history.operations().iter().filter(|o| o.completed.is_some() && of(&o.outcome)).count() as u64
        };
        assert_eq!(tally.invoked, history.operations().len() as u64);
        assert_eq!(tally.ok, count(|outcome| matches!(outcome, Recorded::Ok(_))));
        assert_eq!(tally.fail, count(|outcome| matches!(outcome, Recorded::Fail(_))));
        assert_eq!(tally.info, count(|outcome| matches!(outcome, Recorded::Info(_))));
        assert!(tally.ok > 100, "seed {seed}: {tally:?}");
        let open = tally.invoked - tally.ok - tally.fail - tally.info;
        assert!(open <= if cut_short { WORKERS as u64 } else { 0 }, "seed {seed}: {open} are open");
        // Each worker begins with one process, and only an unknown outcome gives it another.
        let processes: BTreeSet<u64> = history.operations().iter().map(|o| o.process).collect();
        let most = WORKERS as u64 + tally.info;
        assert!(
            (processes.len() as u64) <= most && processes.len() as u64 + WORKERS as u64 >= most,
            "seed {seed}"
        );
        assert_eq!(linearizable(history), Verdict::Valid, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_goes_where_the_routing_says() {
    let nodes_of = async |routing: Routing, leader: Option<&str>| {
        let (bench, directory) = bench(1, FakeSystem::new(), routing);
        if let Some(leader) = leader {
            bench.roles.learn(3, leader);
        }
        work(&bench, Duration::from_millis(500), false).await;
        let history = read(&directory);
        let node = |o: &checker::history::Operation| {
            (o.process, history.text(o.node.expect("every operation names its node")).to_owned())
        };
        let seen: BTreeSet<(u64, String)> = history.operations().iter().map(node).collect();
        let nodes: BTreeSet<String> = seen.iter().map(|(_, node)| node.clone()).collect();
        (seen.len(), nodes.into_iter().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(nodes_of(Routing::Any, None).await.1, "n1 n2 n3");
    assert_eq!(
        nodes_of(Routing::Sticky, None).await,
        (WORKERS, "n1 n2 n3".to_owned()),
        "one node for each worker"
    );
    assert_eq!(nodes_of(Routing::Leader, Some("n2")).await.1, "n2");
    assert_eq!(nodes_of(Routing::Leader, None).await.1, "n1 n2 n3", "as long as nobody knows who leads");
    assert_eq!(nodes_of(Routing::Follower, Some("n2")).await.1, "n1 n3");
}

/// Reads everything and drains every subscription, as after the heal.
async fn read_all(bench: &Rc<Bench>) {
    let nodes = bench.members.now();
    for (reader, node) in nodes.iter().enumerate() {
        let mut session = Session::open(Rc::clone(bench));
        let mut wanted = bench.workload.borrow().final_reads(reader, nodes.len());
        while let Some(invocation) = wanted.pop() {
            let limit = bench.operation_timeout;
            let mut outcome = session.operate(node, &invocation, limit).await.unwrap();
            while !matches!(outcome, Outcome::Ok(_)) {
                outcome = session.operate(node, &invocation, limit).await.unwrap();
            }
            bench.workload.borrow_mut().completed(&invocation, &outcome);
            wanted.extend(bench.workload.borrow().next_page(&invocation, &outcome));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn registers_and_subscriptions_of_a_good_system_are_found_good() {
    let mixed = "kind: mixed, mix: { send: 3, read: 1, poll: 3, write: 2, read-register: 2, cas: 2 }";
    let workloads = [
        ("kind: register", &[CheckName::Linearizable][..]),
        ("kind: delivery", &[CheckName::Linearizable, CheckName::Durable, CheckName::Delivery]),
        (mixed, &[CheckName::Linearizable, CheckName::Durable, CheckName::Delivery]),
    ];
    for (workload, names) in workloads {
        for seed in 0..10_u64 {
            let system = FakeSystem::unreliable(10 * u32::from(seed % 2 == 1), 5);
            let (bench, directory) = bench_of(workload, seed, system, Routing::Sticky);
            work(&bench, Duration::from_secs(2), false).await;
            read_all(&bench).await;
            let evidence = Evidence { history: read(&directory), ..Evidence::default() };
            for result in check(&evidence, names, &Limits::none()) {
                let (name, reason) = (result.name, result.reason);
                assert_eq!(result.verdict, Verdict::Valid, "{workload}, seed {seed}, {name}: {reason:?}");
                assert!(result.operations > 100, "{workload}, seed {seed}, {name}: {}", result.operations);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sticky_worker_leaves_a_node_that_does_not_answer() {
    let nodes_of = async |unanswered: u32| {
        let (bench, directory) = bench(1, FakeSystem::unreliable(0, unanswered), Routing::Sticky);
        let mut worker = Worker::new(1, bench, Rng::from_seed(1));
        for _ in 0..7 {
            worker.operate().await.unwrap();
        }
        let history = read(&directory);
        let node =
            |o: &checker::history::Operation| history.text(o.node.expect("it names its node")).to_owned();
        history.operations().iter().map(node).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(nodes_of(0).await, "n2 n2 n2 n2 n2 n2 n2");
    assert_eq!(nodes_of(100).await, "n2 n2 n2 n3 n3 n3 n1");
}
