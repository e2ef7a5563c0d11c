//! From what was said to what will be done.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Artifacts, ClockKind, ClusterPlan, DiskKind, Keep, LiveCheck, Load, NODES_DEFAULT, NetworkKind,
    PLAN_VERSION, Plan, RunPlan, STRIKES_MAX, Strike, WorkloadPlan, steps, swarm,
};
use crate::rng::Rng;
use crate::scenario::drawn::{Draw, Drawn};
use crate::scenario::expectation::Expectation;
use crate::scenario::file::{Fault, Placed, ScenarioFile, WorkloadSection};
use crate::scenario::schedule::{Choose, moments};
use crate::scenario::verb::FaultKind;
use crate::scenario::workload::Routing;

const CLIENTS_DEFAULT: u32 = 8;

/// Twice a failover, so that an operation which waits for a new leader still can succeed.
const OPERATION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);

const KEYS_DEFAULT: u32 = 4;

const PAYLOAD_DEFAULT: u64 = 64;

const WARMUP_DEFAULT: Duration = Duration::from_secs(2);

const SETTLE_DEFAULT: Duration = Duration::from_secs(10);

/// What a run needs besides its load and heal: to start, to read everything and to stop.
const OVERHEAD_DEFAULT: Duration = Duration::from_secs(120);

impl Plan {
    /// The plan of `file` under `seed`: everything that was left open is decided.
    ///
    /// It cannot fail, because a [`ScenarioFile`] makes sense for every seed, and its parser has checked all limits.
    #[must_use]
    pub fn resolve(file: &ScenarioFile, seed: u64) -> Self {
        let rng = Rng::from_seed(seed).fork("plan");
        let said = &file.run;
        let run = RunPlan {
            warmup: draw(said.warmup, WARMUP_DEFAULT, &rng, "run.warmup"),
            duration: draw(Some(said.duration.value), Duration::ZERO, &rng, "run.duration"),
            settle: draw(said.settle, SETTLE_DEFAULT, &rng, "run.settle"),
            final_reads: said.final_reads.as_ref().is_none_or(|said| said.value),
            live_check: said.live_check.as_ref().map_or_else(LiveCheck::default, |said| said.value),
            history: said.history.unwrap_or_default(),
        };
        let (swarm, strikes) = all_strikes(file, run.duration, &rng);
        let overall = run.warmup + run.duration + run.settle + OVERHEAD_DEFAULT;
        Self {
            version: PLAN_VERSION,
            name: file.name.value.clone(),
            source: file.source.clone(),
            overrides: file.overrides.clone(),
            description: file.description.clone().unwrap_or_default(),
            tags: file.tags.clone(),
            seed,
            binaries: file.binaries.iter().map(|(name, path)| (name.clone(), path.value.clone())).collect(),
            timeout: file.timeout.as_ref().map_or(overall, |said| said.value),
            cluster: ClusterPlan {
                nodes: file.cluster.nodes.unwrap_or(NODES_DEFAULT),
                spares: file.cluster.spares.map_or(0, |said| said.value),
                network: file.cluster.network.map_or(NetworkKind::Proxy, |said| said.value),
                disk: file.cluster.disk.map_or(DiskKind::Plain, |said| said.value),
                clock: file.cluster.clock.map_or(ClockKind::Real, |said| said.value),
                config: file.cluster.config.clone(),
                inject_bug: file.cluster.inject_bug.as_ref().map(|bug| bug.value.clone()),
                binary: steps::binary_of_each(file),
            },
            workload: workload(&file.workload, &rng),
            swarm,
            strikes,
            steps: steps::steps(&file.steps, &rng),
            run,
            checks: file.checks.iter().map(|check| check.value).collect(),
            thresholds: file.thresholds.clone(),
            reach: file.reach.iter().map(|(goal, wanted)| (goal.clone(), wanted.value)).collect(),
            expect: file.expect.as_ref().map_or(Expectation::Pass, |said| said.value.clone()),
            artifacts: Artifacts {
                keep: file.keep.unwrap_or(Keep::OnFailure),
                data_dirs: file.data_dirs.unwrap_or(true),
            },
        }
    }
}

/// What was said, drawn from the fork of its name, or the default.
fn draw<T: Draw>(said: Option<Drawn<T>>, default: T, rng: &Rng, name: &str) -> T {
    said.map_or(default, |range| range.draw(&mut rng.fork(name)))
}

fn workload(said: &WorkloadSection, rng: &Rng) -> WorkloadPlan {
    let small = |said: Option<Drawn<u64>>, default: u32, name| {
        u32::try_from(draw(said, u64::from(default), rng, name)).expect("the parser has limited the count")
    };
    let usual_mix =
        || said.kind.default_mix().iter().map(|(operation, weight)| ((*operation).to_owned(), *weight));
    let payload = match said.kind.has_messages() {
        true => draw(said.payload.as_ref().map(|said| said.value), PAYLOAD_DEFAULT, rng, "workload.payload"),
        false => 0,
    };
    WorkloadPlan {
        kind: said.kind,
        clients: small(said.clients, CLIENTS_DEFAULT, "workload.clients"),
        load: said.rate.map_or(Load::Closed, |rate| Load::Open(rate.draw(&mut rng.fork("workload.rate")))),
        routing: said.routing.unwrap_or(Routing::Any),
        operation_timeout: draw(
            said.operation_timeout,
            OPERATION_TIMEOUT_DEFAULT,
            rng,
            "workload.operation-timeout",
        ),
        tries: said.tries.map_or(1, |tries| u32::try_from(tries).expect("the parser has limited the count")),
        keys: small(said.keys, KEYS_DEFAULT, "workload.keys"),
        payload,
        mix: said.mix.clone().unwrap_or_else(|| usual_mix().collect()),
    }
}

/// Draws the ranges of one fault, each from a fork of its name and the number of the strike.
struct FromSeed<'r> {
    rng: &'r Rng,
}

impl Choose for FromSeed<'_> {
    fn time(&self, range: Drawn<Duration>, strike: usize) -> Duration {
        range.draw(&mut self.rng.fork(&format!("time#{strike}")))
    }

    fn lasts(&self, range: Drawn<Duration>, strike: usize) -> Duration {
        range.draw(&mut self.rng.fork(&format!("lasts#{strike}")))
    }

    fn times(&self, range: Drawn<u64>) -> u64 {
        range.draw(&mut self.rng.fork("times"))
    }
}

/// The timed strikes and the random ones, in order of time, and what the random ones were drawn from.
fn all_strikes(
    file: &ScenarioFile,
    duration: Duration,
    rng: &Rng,
) -> (BTreeMap<FaultKind, u32>, Vec<Strike>) {
    let mut all = strikes(&file.faults, duration, rng);
    let mut weights = BTreeMap::new();
    if let Some(said) = &file.nemesis {
        let drawn = swarm::draw(said, &swarm::Menu::new(said, file), duration, &all, rng);
        weights = drawn.weights;
        all.extend(drawn.strikes);
    }
    all.sort_by_key(|strike| strike.at);
    assert!(all.len() <= STRIKES_MAX, "the parser lets at most {STRIKES_MAX} strikes through");
    (weights, all)
}

/// Every strike of every fault, in order of time; at one time, in the order of the file.
fn strikes(faults: &[Fault], duration: Duration, rng: &Rng) -> Vec<Strike> {
    let mut strikes: Vec<Strike> = Vec::new();
    for fault in faults {
        let Placed { value: name, .. } = &fault.name;
        let choose = FromSeed { rng: &rng.fork(&format!("fault/{name}")) };
        let numbered = moments(fault, duration, &choose).into_iter().zip(1..);
        strikes.extend(numbered.map(|(moment, number): (_, u32)| Strike {
            name: format!("{name}#{number}"),
            fault: name.clone(),
            at: moment.at,
            lasts: moment.lasts,
            verb: fault.verb.draw(&choose.rng.fork(&format!("verb#{number}"))),
        }));
    }
    strikes.sort_by_key(|strike| strike.at);
    strikes
}

#[cfg(test)]
mod tests;
