//! Whether a scenario makes sense: what shows only when several fields are seen together.
//!
//! A range must make sense at both of its ends, so that no seed turns a good scenario into a bad one.

mod nemesis;
mod reach;
mod steps;

use std::path::Path;
use std::time::Duration;

use checker::check::CheckName;

use super::ScenarioFile;
use super::decode::Decoder;
use super::error::ScenarioError;
use super::faults::{Fault, When};
use super::place::{Place, Placed};
use super::verb::{SaidMembership, SaidVerb};
use crate::rng::Rng;
use crate::scenario::drawn::Drawn;
use crate::scenario::expectation::Expectation;
use crate::scenario::fitness::{ClusterKind, Misfit, misfits, nobody};
use crate::scenario::plan::{LiveCheck, NODES_DEFAULT, NODES_MAX, STRIKES_MAX};
use crate::scenario::schedule::{Longest, Shortest, moments};
use crate::scenario::target::Target;
use crate::scenario::unit::Time;
use crate::scenario::workload::WorkloadKind;

/// Notes everything that does not go together in `file`, which was read from `path`.
pub(super) fn check(file: &ScenarioFile, path: &Path, decoder: &mut Decoder) {
    name(file, path, decoder);
    timeout(file, decoder);
    payload(file, decoder);
    checks(file, decoder);
    spares(file, decoder);
    changes(file, decoder);
    let nodes = usize::from(file.cluster.nodes.unwrap_or(NODES_DEFAULT));
    let mut planned = 0;
    for fault in &file.faults {
        fits_cluster(&fault.verb, file, decoder);
        planned += strikes(fault, file.run.duration.value, decoder);
        if planned > STRIKES_MAX {
            decoder.refuse(
                fault.name.place,
                format!("the faults strike more than {STRIKES_MAX} times up to here"),
            );
            break;
        }
    }
    let drawn = nemesis::check(file, nodes, decoder);
    if let Some(said) = &file.nemesis
        && planned + drawn > STRIKES_MAX
    {
        let message =
            format!("{planned} timed strikes and up to {drawn} random ones are more than {STRIKES_MAX}");
        decoder.refuse(said.interval.place, message);
    }
    steps::check(file, nodes, decoder);
    reach::check(file, (planned + drawn) as u64 + steps::strikes(file), decoder);
}

/// Why a verb can never strike the cluster of `file`, if it cannot.
pub(in crate::scenario) fn senseless(said: &SaidVerb, file: &ScenarioFile) -> Option<ScenarioError> {
    let mut decoder = Decoder::default();
    fits_cluster(said, file, &mut decoder);
    finds_spares(said, file, &mut decoder);
    decoder.errors.into_iter().next()
}

fn name(file: &ScenarioFile, path: &Path, decoder: &mut Decoder) {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return };
    if file.name.value != stem {
        let message = format!("the name `{}` is not that of the file, `{stem}`", file.name.value);
        decoder.refuse_with(file.name.place, message, format!("write `name: {stem}`, or rename the file"));
    }
}

fn timeout(file: &ScenarioFile, decoder: &mut Decoder) {
    let Some(timeout) = &file.timeout else { return };
    let load = file.run.warmup.map_or(Duration::ZERO, |warmup| warmup.max) + file.run.duration.value.max;
    if timeout.value <= load {
        let message = format!("the timeout ends the run before its load ({}) is over", Time(load));
        decoder.refuse(timeout.place, message);
    }
}

/// Checks that every change of members finds its spares.
fn changes(file: &ScenarioFile, decoder: &mut Decoder) {
    let spares = spares_of(file);
    let mut needed = 0;
    for (verb, strikes) in said_verbs(file) {
        let SaidVerb::Membership(SaidMembership { change }) = verb else { continue };
        needed += strikes * needed_each(verb, founders_of(file));
        if needed > spares {
            let message = format!("{needed} spares are needed up to here, and the cluster has {spares}");
            decoder.refuse_with(change.place, message, format!("write `cluster: {{ spares: {needed} }}`"));
            return;
        }
    }
}

/// What is done to the cluster by timed faults and by steps, and how often at most.
fn said_verbs(file: &ScenarioFile) -> impl Iterator<Item = (&SaidVerb, usize)> {
    let often = |fault| moments(fault, file.run.duration.value.max, &Shortest).len();
    let timed = file.faults.iter().map(move |fault| (&fault.verb, often(fault)));
    timed.chain(file.steps.iter().filter_map(|step| Some((step.verb()?, 1))))
}

/// How many spares timed faults and steps need at most.
pub(in crate::scenario) fn spares_needed(file: &ScenarioFile) -> usize {
    let nodes = founders_of(file);
    said_verbs(file).map(|(verb, strikes)| strikes * needed_each(verb, nodes)).sum()
}

/// How many spares one strike at a cluster of `nodes` needs at most.
fn needed_each(verb: &SaidVerb, nodes: usize) -> usize {
    match verb {
        SaidVerb::Membership(SaidMembership { change }) if change.value.needs_spare() => {
            change.value.target().map_or(1, |target| target.count(nodes).unwrap_or(nodes))
        }
        _ => 0,
    }
}

fn founders_of(file: &ScenarioFile) -> usize {
    usize::from(file.cluster.nodes.unwrap_or(NODES_DEFAULT))
}

fn spares_of(file: &ScenarioFile) -> usize {
    usize::from(file.cluster.spares.map_or(0, |said| said.value))
}

/// Checks that a random change of members finds its spares once the timed ones have theirs. A cluster without any has no
/// random changes at all: who leaves makes room for one who joined.
fn finds_spares(verb: &SaidVerb, file: &ScenarioFile, decoder: &mut Decoder) {
    let SaidVerb::Membership(SaidMembership { change }) = verb else { return };
    let (timed, spares) = (spares_needed(file), spares_of(file));
    let least = timed + needed_each(verb, founders_of(file) + spares).max(1);
    if least > spares {
        let others =
            if timed > 0 { format!(", {timed} of which timed faults may use") } else { String::new() };
        let message = format!("a change of members needs spares, and the cluster has {spares}{others}");
        decoder.refuse_with(change.place, message, format!("write `cluster: {{ spares: {least} }}`"));
    }
}

fn spares(file: &ScenarioFile, decoder: &mut Decoder) {
    let nodes = file.cluster.nodes.unwrap_or(NODES_DEFAULT);
    if let Some(spares) = file.cluster.spares
        && nodes + spares.value > NODES_MAX
    {
        let message = format!("{nodes} nodes and {} spares are more than {NODES_MAX}", spares.value);
        decoder.refuse(spares.place, message);
    }
}

fn payload(file: &ScenarioFile, decoder: &mut Decoder) {
    let kind = file.workload.kind;
    if let Some(payload) = file.workload.payload.as_ref().filter(|_| !kind.has_messages()) {
        let of = if kind == WorkloadKind::Accounts { "accounts" } else { "registers" };
        decoder.refuse(payload.place, format!("`payload` has no meaning for {of}"));
    }
}

/// Whether the workload has this operation.
fn does(file: &ScenarioFile, operation: &str) -> bool {
    match &file.workload.mix {
        Some(mix) => mix.contains_key(operation),
        None => file.workload.kind.default_mix().iter().any(|(usual, _)| *usual == operation),
    }
}

fn checks(file: &ScenarioFile, decoder: &mut Decoder) {
    for check in &file.checks {
        let needs = match check.value {
            CheckName::Durable | CheckName::Sessions => Some("send"),
            CheckName::StaleReads => Some("stale-read"),
            CheckName::Delivery => Some("poll"),
            CheckName::Linearizable
            | CheckName::OneLeaderPerTerm
            | CheckName::RaftLog
            | CheckName::Convergence => None,
        };
        if let Some(operation) = needs.filter(|operation| !does(file, operation)) {
            let message = format!(
                "the check `{}` has nothing to judge: the workload has no `{operation}`",
                check.value
            );
            decoder.refuse(check.place, message);
        }
        let needs_reads =
            matches!(check.value, CheckName::Durable | CheckName::Convergence | CheckName::Delivery);
        if needs_reads && file.run.final_reads.as_ref().is_some_and(|said| !said.value) {
            let message =
                format!("the check `{}` needs the final reads, and `run.final-reads` is false", check.value);
            decoder.refuse(check.place, message);
        }
    }
    if let Some(Placed { value: LiveCheck::Tell | LiveCheck::Stop, place }) = &file.run.live_check
        && file.checks.iter().all(|named| !checker::live::CHECKS.contains(&named.value))
    {
        let names = checker::live::CHECKS.map(CheckName::name).join("` and `");
        decoder.refuse(*place, format!("a run can be judged live by `{names}`, and `checks` names neither"));
    }
    if let Some(Placed { value: Expectation::Fail(failure), place }) = &file.expect
        && let Some(check) = failure.kind.check()
        && file.checks.iter().all(|named| named.value != check)
    {
        decoder
            .refuse(*place, format!("the check `{check}` is expected to fail and is not among the `checks`"));
    }
}

/// Checks that a verb can strike the cluster of `file`.
fn fits_cluster(said: &SaidVerb, file: &ScenarioFile, decoder: &mut Decoder) {
    // Whether it can does not depend on what its ranges are drawn to.
    let verb = said.draw(&Rng::from_seed(0));
    for Misfit { field, message, help } in misfits(&verb, &ClusterKind::from(&file.cluster)) {
        decoder.errors.push(ScenarioError { place: said.place_of(field), message, help });
    }
}

/// Checks that a target can be somebody in a cluster of `nodes`.
fn target(value: &Target, place: Place, nodes: usize, decoder: &mut Decoder) {
    for misfit in nobody("target", value, nodes) {
        decoder.refuse(place, misfit.message);
    }
}

/// Checks when a fault strikes, and answers how often it may at most.
fn strikes(fault: &Fault, duration: Drawn<Duration>, decoder: &mut Decoder) -> usize {
    let always = moments(fault, duration.min, &Longest).len();
    let (first, place) = match &fault.when {
        When::At(at) => (at.value.max, at.place),
        When::Every { interval, .. } => (interval.value.max, interval.place),
    };
    if always == 0 {
        decoder.refuse(place, never(fault, first, duration.min));
        return 0;
    }
    if let When::Every { times: Some(times), .. } = &fault.when
        && u64::try_from(always).is_ok_and(|always| always < times.value.max)
    {
        let message = format!(
            "only {always} of {} strikes fit into the {} of load",
            times.value.max,
            Time(duration.min)
        );
        decoder.refuse(times.place, message);
    }
    moments(fault, duration.max, &Shortest).len()
}

/// Why a fault of which the first strike is at `first` does not fit into a load of `duration`.
fn never(fault: &Fault, first: Duration, duration: Duration) -> String {
    let (first, load) = (Time(first), Time(duration));
    match fault.lasts {
        Some(lasts) => format!(
            "the fault never strikes: it would begin after {first} and last {}, but the load ends after {load}",
            Time(lasts.max)
        ),
        None => {
            format!("the fault never strikes: it would begin after {first}, but the load ends after {load}")
        }
    }
}
