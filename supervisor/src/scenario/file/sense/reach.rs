//! Whether what is to be reached can be.

use super::super::ScenarioFile;
use super::super::decode::Decoder;
use super::super::faults::{Fault, When};
use super::super::place::{Place, Placed};
use super::super::steps::{SaidAction, SaidStep};
use super::super::suggest;
use super::{founders_of, steps};
use crate::scenario::plan::Reach;
use crate::scenario::schedule::{Longest, moments};

/// Checks what is to be reached; at most `most` strikes are planned.
pub(super) fn check(file: &ScenarioFile, most: u64, decoder: &mut Decoder) {
    let planned: u64 = file.faults.iter().map(|fault| least(fault, file)).sum::<u64>() + steps::strikes(file);
    for (goal, wanted) in &file.reach {
        match goal {
            // How many random faults are drawn shows when they are.
            Reach::FaultsInstalled if file.nemesis.is_some() && wanted.value > most => {
                unreachable(decoder, wanted.place, goal, &format!("at most {most} strikes are planned"));
            }
            Reach::FaultsInstalled if file.nemesis.is_none() && wanted.value > planned => {
                let why = format!("only {planned} strikes are certain to be planned");
                unreachable(decoder, wanted.place, goal, &why);
            }
            Reach::OkDuringFaults
                if file.faults.is_empty() && file.nemesis.is_none() && steps::strikes(file) == 0 =>
            {
                unreachable(decoder, wanted.place, goal, "there are no faults");
            }
            Reach::Struck(name) => struck(name, wanted, file, decoder),
            _ => {}
        }
    }
}

fn unreachable(decoder: &mut Decoder, place: Place, goal: &Reach, why: &str) {
    decoder.refuse(place, format!("`{goal}` cannot be reached: {why}"));
}

/// How often a fault strikes at least.
fn least(fault: &Fault, file: &ScenarioFile) -> u64 {
    let fitting = moments(fault, file.run.duration.value.min, &Longest).len() as u64;
    match &fault.when {
        When::Every { times: Some(times), .. } => fitting.min(times.value.min),
        _ => fitting,
    }
}

/// How many faults a step inflicts at most; none for a step that is no fault.
fn inflicted(step: &SaidStep, nodes: usize) -> u64 {
    match &step.action {
        SaidAction::Strike { .. } | SaidAction::Upgrade { .. } | SaidAction::RollingRestart(_) => 1,
        // Each of them is one that a `start` can lift.
        SaidAction::Stop(target) => target.value.count(nodes).unwrap_or(nodes) as u64,
        _ => 0,
    }
}

/// Checks that the fault or step `name` is there, and strikes often enough.
fn struck(name: &str, wanted: &Placed<u64>, file: &ScenarioFile, decoder: &mut Decoder) {
    let goal = Reach::Struck(name.to_owned());
    let nodes = founders_of(file);
    let faults = file.faults.iter().map(|fault| (fault.name.value.as_str(), least(fault, file)));
    let steps = file.steps.iter().map(|step| (step.name.value.as_str(), inflicted(step, nodes)));
    let known: Vec<(&str, u64)> = faults.chain(steps.filter(|(_, most)| *most > 0)).collect();
    match known.iter().find(|(known, _)| *known == name) {
        None => {
            let names = || known.iter().map(|(name, _)| *name);
            let question = suggest::question(name, names());
            let message = format!("no fault or step is called `{name}`{question}");
            match names().next() {
                Some(_) => {
                    let help = format!("there are: {}", names().collect::<Vec<_>>().join(", "));
                    decoder.refuse_with(wanted.place, message, help);
                }
                None => decoder.refuse(wanted.place, message),
            }
        }
        Some((_, most)) if wanted.value > *most => {
            let why = format!("it is certain to strike {most} times only");
            unreachable(decoder, wanted.place, &goal, &why);
        }
        Some(_) => {}
    }
}
