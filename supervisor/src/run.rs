//! One run, from the plan to the verdict.
//!
//! [`run`] is the table of contents: create → start → prepare → load → heal → read → stop → check. Evidence is on disk
//! before anything is started, and what a run wrote is all that the judge sees. The runner speaks in [`event`]s; it
//! prints nothing.
//!
//! Everything happens on one thread, the main one: nodes must be spawned from it (see [`crate::process`]), and the
//! recorder needs no lock to put events in order.

pub mod arrivals;
pub mod clock;
pub mod event;
mod final_reads;
mod live;
mod load;
pub mod monitor;
pub mod recorder;
mod session;
pub mod stop;
#[cfg(test)]
mod tests;
pub mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use checker::history::jsonl::Header;
use futures::future::try_join_all;
use tokio::time::Instant;

use crate::cluster::{Cluster, ClusterSettings, Programs};
use crate::environment::Environment;
use crate::harness::HarnessFailure;
use crate::judge::{VerdictFile, judge};
use crate::kernel::namespace::Namespace;
use crate::nemesis::Nemesis;
use crate::network::Network;
use crate::process::NodeBinary;
use crate::program::Program;
use crate::rundir::{JsonLines, RunDir};
use crate::scenario::plan::{Keep, NetworkKind, Plan, WorkloadKind};
use crate::system::{NodeName, System};
use clock::RunClock;
use event::{Events, Observer, Phase, RunEvent};
use live::Following;
use recorder::{Recorder, Tally};
use stop::{Stop, Stopper, stop};

/// How long the nodes may take to elect their first leader.
const FIRST_LEADER_WAIT_MAX: Duration = Duration::from_secs(20);

/// What a run is made of.
pub struct RunSettings {
    /// What to do.
    pub plan: Rc<Plan>,
    /// To what.
    pub system: Rc<dyn System>,
    /// The scenario as it was said, to be kept with the evidence.
    pub scenario_text: String,
    /// The directory of all runs.
    pub runs: PathBuf,
    /// The program that is each node; none: the supervisor itself.
    pub node_binary: Option<PathBuf>,
    /// The file that the plan was read from; none: it was drawn from the scenario and the seed.
    pub replay_of: Option<PathBuf>,
    /// The process is in a network namespace of its own, which the kernel's network needs.
    pub namespace: Option<Namespace>,
    /// Somebody wants the run to end early: heal, check what there is, report.
    pub interrupt: Stop,
}

/// What came of a run.
#[derive(Debug)]
pub struct RunReport {
    /// The evidence.
    pub directory: RunDir,
    /// The judgement; its absence is explained by the failure.
    pub verdict: Option<VerdictFile>,
    /// What went wrong on our side, if something did.
    pub failure: Option<HarnessFailure>,
}

/// One that watches a run and is told how far it is.
pub trait Watcher: Observer {
    /// The run goes on: so much time has gone since its start, and so many operations were done.
    fn tick(&self, elapsed: Duration, tally: Tally);
}

/// What the phases of a run share.
struct Stage {
    plan: Rc<Plan>,
    system: Rc<dyn System>,
    cluster: Cluster,
    recorder: Recorder,
    events: Events,
    clock: RunClock,
    watcher: Rc<dyn Watcher>,
    interrupt: Stop,
    /// The live check has seen a violation that ends the load.
    violation: (Rc<Stopper>, Stop),
    history: PathBuf,
}

/// Carries out a run.
///
/// # Errors
/// If there is no run directory with what was asked for and what was drawn. Any later failure is in the report,
/// beside the judgement of what was recorded until then.
pub async fn run(settings: RunSettings, watcher: Rc<dyn Watcher>) -> Result<RunReport, HarnessFailure> {
    let plan = Rc::clone(&settings.plan);
    let now = SystemTime::now();
    let directory = RunDir::create(&settings.runs, &plan.name, plan.seed, now)?;
    let stage = Stage::set(&settings, &directory, now, watcher)?;
    let limit = plan.timeout;
    let played = match tokio::time::timeout(limit, stage.play()).await {
        Ok(played) => played,
        Err(_) => Err(HarnessFailure::Limit {
            what: "the run did not end".to_owned(),
            limit_name: "timeout",
            limit_ms: limit.as_millis(),
            seen: format!("{} operations were invoked", stage.recorder.tally().invoked),
        }),
    };
    // Whatever happened, no node outlives its run.
    let stopped = stage.stop().await;
    stage.phase(Phase::Check);
    let failure = played.and(stopped).err().or_else(|| stage.events.take_failure());
    Ok(conclude(directory, &plan, failure))
}

impl Stage {
    fn set(
        settings: &RunSettings,
        directory: &RunDir,
        now: SystemTime,
        watcher: Rc<dyn Watcher>,
    ) -> Result<Self, HarnessFailure> {
        let plan = Rc::clone(&settings.plan);
        directory.save("scenario.yaml", &settings.scenario_text)?;
        directory.save("plan.yaml", &plan.to_yaml())?;
        let began = humantime::format_rfc3339_millis(now).to_string();
        let read = plan.binaries.iter().map(|(name, path)| Ok((name.clone(), Program::read(path)?)));
        let programs: BTreeMap<String, Program> = read.collect::<Result<_, HarnessFailure>>()?;
        let (binary, replay_of) = (settings.node_binary.as_deref(), settings.replay_of.as_deref());
        let environment = Environment::here(binary, &began).replaying(replay_of).with(programs.clone());
        let text = serde_json::to_string_pretty(&environment).expect("an environment is plain data");
        directory.save("env.json", &text)?;
        directory.link_latest()?;

        let clock = RunClock::start();
        let unix_ns = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let unix_ns = u64::try_from(unix_ns).unwrap_or(u64::MAX);
        let header = Header::new(Some(unix_ns));
        let header = match plan.workload.kind {
            // The people are created before the history begins. A history with accounts does not speak of them.
            WorkloadKind::Conversation | WorkloadKind::Register | WorkloadKind::Delivery => header,
            WorkloadKind::Accounts | WorkloadKind::Mixed => header.initially_empty(),
        };
        let history = directory.file(plan.run.history.file_name());
        let recorder = Recorder::create(history.clone(), plan.run.history, clock, &header)?;
        let observer = Rc::clone(&watcher) as Rc<dyn Observer>;
        let events = Events::new(clock, JsonLines::create(directory.file("events.jsonl"))?, observer);
        events.emit(RunEvent::Began {
            scenario: plan.name.clone(),
            seed: plan.seed,
            directory: directory.display(),
        });

        let system = Rc::clone(&settings.system);
        let (founders, spares) = (plan.cluster.node_names(), plan.cluster.spare_names());
        let everyone: Vec<NodeName> = founders.iter().chain(&spares).cloned().collect();
        let directories: Result<BTreeMap<_, _>, _> =
            everyone.iter().map(|name| Ok((name.clone(), directory.node(name)?))).collect();
        let network = match (plan.cluster.network, settings.namespace) {
            (NetworkKind::Proxy, _) => Network::proxy(&everyone, &plan.rng().fork("network")),
            (NetworkKind::Kernel, Some(inside)) => Network::kernel(inside, &everyone),
            (NetworkKind::Kernel, None) => {
                let why =
                    "`network: kernel` needs a network namespace, and this process is in none of its own";
                return Err(HarnessFailure::Unsupported(why.to_owned()));
            }
        };
        let cluster_settings = ClusterSettings {
            founders,
            spares,
            network: network.map_err(|source| HarnessFailure::Network { source })?,
            programs: Programs::new(
                settings.node_binary.clone().map_or_else(NodeBinary::itself, NodeBinary::at),
                programs.into_iter().map(|(name, program)| (name, NodeBinary::at(program.path))).collect(),
                plan.cluster.binary.clone(),
            ),
            directories: directories?,
            client_ports: BTreeMap::new(),
            inject_bug: plan.cluster.inject_bug.clone(),
            disk: plan.cluster.disk,
            clock: plan.cluster.clock,
            config: plan.cluster.config.clone(),
            resume: false,
        };
        let cluster = Cluster::new(cluster_settings, Rc::clone(&system), events.clone());
        let interrupt = settings.interrupt.clone();
        let (stopper, violated) = stop();
        let violation = (Rc::new(stopper), violated);
        Ok(Self { plan, system, cluster, recorder, events, clock, watcher, interrupt, violation, history })
    }

    /// Everything between the first start of a node and the stop of the last.
    async fn play(&self) -> Result<(), HarnessFailure> {
        self.phase(Phase::Start);
        self.cluster.start_all().await?;
        self.cluster.wait_for_leader(FIRST_LEADER_WAIT_MAX).await?;
        self.phase(Phase::Prepare);
        let prepared = self.system.prepare(&self.plan, &self.cluster.members()).await;
        prepared.map_err(HarnessFailure::Prepare)?;
        let stopper = &self.violation.0;
        let following =
            Following::begin(&self.plan, self.history.clone(), &self.recorder, &self.events, stopper);
        let bench = self.load().await?;
        if self.interrupt.is_stopped() {
            self.events.emit(RunEvent::Interrupted);
        }
        self.phase(Phase::Heal);
        if self.heal().await? && self.plan.run.final_reads {
            self.phase(Phase::FinalReads);
            self.final_reads(&bench).await?;
            self.digests().await;
        }
        if let Some(following) = following {
            following.end().await;
        }
        Ok(())
    }

    /// Waits until the cluster, of which every fault is lifted, serves again, and every node has caught up. Tells
    /// whether it does.
    async fn heal(&self) -> Result<bool, HarnessFailure> {
        let began = Instant::now();
        let healed = async {
            try_join_all(self.cluster.members().iter().map(|name| self.cluster.revive(name))).await?;
            self.cluster.wait_until_caught_up(self.plan.run.settle).await
        };
        match healed.await {
            Ok(_) => {
                let after_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.events.emit(RunEvent::Healed { after_ms });
                Ok(true)
            }
            Err(failure @ (HarnessFailure::Start { .. } | HarnessFailure::Limit { .. })) => {
                self.events.emit(RunEvent::NotHealed { why: failure.to_string() });
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn stop(&self) -> Result<(), HarnessFailure> {
        self.phase(Phase::Stop);
        self.cluster.stop_all().await
    }

    fn phase(&self, phase: Phase) {
        self.events.emit(RunEvent::Phase { phase });
    }

    fn nemesis(&self) -> Nemesis {
        Nemesis::new(self.cluster.clone(), self.recorder.clone(), self.events.clone(), Rc::clone(&self.plan))
    }
}

/// Judges the evidence and saves the judgement. Nothing that fails on the way hides a judgement that was made.
fn conclude(directory: RunDir, plan: &Plan, mut failure: Option<HarnessFailure>) -> RunReport {
    let mut verdict = match judge(directory.path(), plan) {
        Ok(verdict) => verdict,
        Err(unjudged) => return RunReport { directory, verdict: None, failure: failure.or(Some(unjudged)) },
    };
    if let Some(failure) = &failure {
        verdict.note_failure(&crate::harness::chain(failure));
    }
    if let Err(unkept) = keep(&directory, plan, &verdict) {
        verdict.note_failure(&crate::harness::chain(&unkept));
        failure.get_or_insert(unkept);
    }
    RunReport { directory, verdict: Some(verdict), failure }
}

/// Saves the judgement, removes what the plan does not want to keep, and points the links at the run.
fn keep(directory: &RunDir, plan: &Plan, verdict: &VerdictFile) -> Result<(), HarnessFailure> {
    let text = serde_json::to_string_pretty(verdict).expect("a verdict is plain data");
    directory.save("verdict.json", &text)?;
    let is_wanted = match plan.artifacts.keep {
        Keep::Always => true,
        Keep::OnFailure => !verdict.expected,
        Keep::Never => false,
    };
    if !(is_wanted && plan.artifacts.data_dirs) {
        directory.remove_node_data()?;
    }
    if verdict.expected { Ok(()) } else { directory.link_failed() }
}
