//! Whether steps make sense, each by itself and in their order.

use std::time::Duration;

use super::super::ScenarioFile;
use super::super::binaries::SaidBinary;
use super::super::decode::Decoder;
use super::super::place::Placed;
use super::super::steps::{SaidAction, SaidStep};
use super::super::suggest;
use super::super::verb::SaidVerb;
use super::{fits_cluster, target};
use crate::rng::Rng;
use crate::scenario::step::{Condition, DEFAULT_BINARY, Healed, Stopped};
use crate::scenario::target::Target;
use crate::scenario::unit::Time;
use crate::scenario::verb::End;

/// Notes everything that does not go together in the steps and programs of `file`, a cluster of `nodes`.
pub(super) fn check(file: &ScenarioFile, nodes: usize, decoder: &mut Decoder) {
    programs(file, nodes, decoder);
    time(file, decoder);
    for (index, step) in file.steps.iter().enumerate() {
        let earlier = &file.steps[..index];
        if let Some(fault) = file.faults.iter().find(|fault| fault.name.value == step.name.value) {
            let message = format!("a step is called as a fault is, `{}`", fault.name.value);
            decoder.refuse(step.name.place, message);
        }
        match &step.action {
            SaidAction::Strike { verb: said, .. } => {
                fits_cluster(said, file, decoder);
            }
            SaidAction::WaitFor { condition, .. } | SaidAction::Assert(condition) => {
                of_condition(condition, file, nodes, decoder);
            }
            SaidAction::Upgrade { target: of, binary, .. } => {
                target(&of.value, of.place, nodes, decoder);
                known(binary, file, decoder);
            }
            SaidAction::RollingRestart(of) | SaidAction::Stop(of) => {
                target(&of.value, of.place, nodes, decoder);
            }
            SaidAction::Start(of) => start(of, earlier, decoder),
            SaidAction::Heal(of) => heal(of, earlier, decoder),
            SaidAction::Wait(_) => {}
        }
    }
}

/// How many faults the steps inflict, for certain.
pub(super) fn strikes(file: &ScenarioFile) -> u64 {
    let is_strike = |step: &&SaidStep| {
        matches!(
            step.action,
            SaidAction::Strike { .. }
                | SaidAction::Upgrade { .. }
                | SaidAction::RollingRestart(_)
                | SaidAction::Stop(_)
        )
    };
    file.steps.iter().filter(is_strike).count() as u64
}

fn programs(file: &ScenarioFile, nodes: usize, decoder: &mut Decoder) {
    match &file.cluster.binary {
        None => {}
        Some(SaidBinary::All(binary)) => known(binary, file, decoder),
        Some(SaidBinary::Each(each)) => {
            let nodes = nodes + usize::from(file.cluster.spares.map_or(0, |said| said.value));
            for (node, binary) in each {
                known(binary, file, decoder);
                match node.value.parse() {
                    Ok(of @ Target::Named(_)) => target(&of, node.place, nodes, decoder),
                    _ => decoder.refuse(node.place, format!("`{}` is not a node, e.g. n3", node.value)),
                }
            }
        }
    }
}

fn known(binary: &Placed<String>, file: &ScenarioFile, decoder: &mut Decoder) {
    if binary.value == DEFAULT_BINARY || file.binaries.contains_key(&binary.value) {
        return;
    }
    let names = || file.binaries.keys().map(String::as_str).chain([DEFAULT_BINARY]);
    let question = suggest::question(&binary.value, names());
    let help = format!("there are: {}", names().collect::<Vec<_>>().join(", "));
    decoder.refuse_with(binary.place, format!("there is no binary `{}`{question}", binary.value), help);
}

/// Steps whose waits alone take longer than the load would never be carried out.
fn time(file: &ScenarioFile, decoder: &mut Decoder) {
    let duration = file.run.duration.value.min;
    let wait = |step: &SaidStep| match &step.action {
        SaidAction::Wait(length) => length.value.max,
        _ => Duration::ZERO,
    };
    let least: Duration = file.steps.iter().map(wait).sum();
    if least <= duration {
        return;
    }
    let mut sum = Duration::ZERO;
    let beyond = file.steps.iter().find(|step| {
        sum += wait(step);
        sum > duration
    });
    if let Some(step) = beyond {
        let message =
            format!("the steps take at least {} and the load ends after {}", Time(least), Time(duration));
        decoder.refuse(step.place(), message);
    }
}

fn of_condition(
    Placed { value, place }: &Placed<Condition>,
    file: &ScenarioFile,
    nodes: usize,
    decoder: &mut Decoder,
) {
    match value {
        Condition::CaughtUp(of) => {
            let spares = usize::from(file.cluster.spares.map_or(0, |said| said.value));
            // A spare that has joined can be named; only roles are a matter of the founders.
            let nodes = if matches!(of, Target::Named(_)) { nodes + spares } else { nodes };
            target(of, *place, nodes, decoder);
        }
        Condition::Members(number) => {
            let most = nodes + usize::from(file.cluster.spares.map_or(0, |said| said.value));
            if usize::try_from(*number).is_ok_and(|number| number > most) {
                decoder.refuse(*place, format!("{number} members are more than all {most} nodes"));
            }
        }
        _ => {}
    }
}

/// Whether an earlier step may have stopped what is to be started.
fn start(of: &Placed<Stopped>, earlier: &[SaidStep], decoder: &mut Decoder) {
    let stopped = || {
        earlier.iter().filter_map(|step| match &step.action {
            SaidAction::Stop(target) => Some(&target.value),
            _ => None,
        })
    };
    let may_be = |node: &String| {
        stopped().any(|target| match target {
            Target::Named(names) => names.contains(node),
            _ => true,
        })
    };
    let help = "only a `stop` before it stops a node for `start`; faults are lifted by `heal`";
    match &of.value {
        Stopped::All if stopped().next().is_none() => {
            decoder.refuse_with(of.place, "no step before this one stops a node", help);
        }
        Stopped::All => {}
        Stopped::Named(nodes) => {
            for node in nodes.iter().filter(|node| !may_be(node)) {
                decoder.refuse_with(of.place, format!("no step before this one stops {node}"), help);
            }
        }
    }
}

fn heal(of: &Placed<Healed>, earlier: &[SaidStep], decoder: &mut Decoder) {
    let stands = |step: &&SaidStep| match &step.action {
        SaidAction::Strike { verb, lasts } => lasts.is_some() || stays(verb),
        _ => false,
    };
    match &of.value {
        Healed::All if !earlier.iter().any(|step| stands(&step)) => {
            decoder.refuse(of.place, "no step before this one inflicts a fault that stands");
        }
        Healed::All => {}
        Healed::Named(name) => match earlier.iter().find(|step| step.name.value == *name) {
            None => {
                let names = || earlier.iter().filter(stands).map(|step| step.name.value.as_str());
                let question = suggest::question(name, names());
                let message = format!("no step before this one is called `{name}`{question}");
                decoder.refuse_with(of.place, message, "a step without a name is called `step-3-kill`");
            }
            Some(step) if matches!(step.action, SaidAction::Stop(_)) => {
                decoder.refuse_with(of.place, format!("`{name}` is a stop"), "write `start: all-stopped`");
            }
            Some(step) if !stands(&step) => {
                decoder.refuse(of.place, format!("`{name}` leaves nothing that could be healed"));
            }
            Some(_) => {}
        },
    }
}

/// Whether a verb without a length stands until it is healed. Draws do not change that.
fn stays(verb: &SaidVerb) -> bool {
    verb.draw(&Rng::from_seed(0)).end() == End::AtHeal
}
