//! `supervisor plan` and `supervisor validate`: what a scenario would do, and whether it is one.

use std::path::PathBuf;

use super::batch::choose;
use super::machine::Machine;
use super::{Choice, PlanArgs, PlanOutput, fail, fail_all, say};
use crate::exit::Exit;
use crate::scenario::plan::Plan;
use crate::scenario::timeline;
use crate::suite::case::Case;
use crate::suite::files;

pub(super) fn draw(args: &PlanArgs) -> Exit {
    match choose(&args.file, &args.choice) {
        Ok(Case { file, seed }) => {
            let plan = Plan::resolve(&file, seed);
            say(&match args.output {
                PlanOutput::Text => timeline::draw(&plan),
                PlanOutput::Yaml => plan.to_yaml(),
            });
            Exit::Expected
        }
        Err(refusal) => refusal.show(),
    }
}

pub(super) fn validate(files: &[PathBuf]) -> Exit {
    let files = match files::find(files) {
        Ok(files) => files,
        Err(errors) => return fail_all(&errors, Exit::Usage),
    };
    let (machine, mut exit) = (Machine::default(), Exit::Expected);
    for path in &files {
        match choose(path, &Choice::default()) {
            Ok(Case { file, seed }) => match machine.refusal(&Plan::resolve(&file, seed), &file) {
                None => say(&format!("{}: good\n", path.display())),
                Some(refusal) => exit = exit.gravest(fail(&refusal.to_string(), Exit::Harness)),
            },
            Err(refusal) => exit = exit.gravest(refusal.show()),
        }
    }
    exit
}
