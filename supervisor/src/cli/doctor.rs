//! `supervisor doctor`: what this machine can do, and what a killed run left on it.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Output, fail, fail_all, say};
use crate::doctor::leftover::Leftovers;
use crate::doctor::{Finding, examine, is_ready};
use crate::exit::Exit;
use crate::report::doctor::render;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Ends node processes whose supervisor is gone, and removes half-made links. Runs are never removed.
    #[arg(long)]
    clean: bool,
    /// The directory of all runs, whose disk is examined.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// How the findings are printed, on standard output.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Examination<'a> {
    format: u32,
    /// The default scenarios can run.
    ready: bool,
    findings: &'a [Finding],
    leftovers: &'a Leftovers,
    /// The leftovers were removed, apart from runs.
    cleaned: bool,
}

pub(super) fn doctor(args: &DoctorArgs) -> Exit {
    let findings = examine(&args.out);
    let leftovers = match Leftovers::find(&args.out) {
        Ok(leftovers) => leftovers,
        Err(error) => return fail(&format!("could not look for leftovers: {error}"), Exit::Harness),
    };
    let errors = if args.clean { leftovers.remove() } else { Vec::new() };
    let (ready, cleaned) = (is_ready(&findings), args.clean && errors.is_empty());
    say(&match args.output {
        Output::Text => render(&findings, &leftovers, cleaned),
        Output::Json => {
            let (findings, leftovers) = (findings.as_slice(), &leftovers);
            let examination = Examination { format: 1, ready, findings, leftovers, cleaned };
            serde_json::to_string_pretty(&examination).expect("an examination is plain data") + "\n"
        }
    });
    let exit = if ready && errors.is_empty() { Exit::Expected } else { Exit::Harness };
    fail_all(&errors, exit)
}
