//! `supervisor check`: the same evidence, judged again.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::{CheckArgs, Output, fail, say};
use crate::exit::Exit;
use crate::harness::{HarnessFailure, chain};
use crate::judge::{VerdictFile, judge};
use crate::report::terminal;
use crate::scenario::plan::{HistoryForm, Plan};

/// A run directory is judged by its plan; anything else is a history, which the checker judges alone.
pub(super) fn check(args: &CheckArgs) -> Exit {
    let path = args.path.display();
    if let Err(error) = fs::metadata(&args.path) {
        return fail(&format!("could not read {path}: {error}"), Exit::Usage);
    }
    if !args.path.join("plan.yaml").is_file() {
        let has = |form: HistoryForm| args.path.join(form.file_name()).is_file();
        if args.path.is_dir() && !has(HistoryForm::Jsonl) && !has(HistoryForm::Binary) {
            let why = "is no run directory: it has neither a plan.yaml nor a history.jsonl nor a history.bin";
            return fail(&format!("{path} {why}"), Exit::Usage);
        }
        return check_history(args);
    }
    if !args.checker.is_empty() {
        let why =
            "is a run directory: its plan says how it is judged, and options of `checker` have no place";
        return fail(&format!("{path} {why}"), Exit::Usage);
    }
    match judge_again(&args.path) {
        Ok(verdict) => {
            say(&match args.output {
                Output::Text => terminal::render(&verdict, &args.path.display().to_string()),
                Output::Json => to_json(&verdict),
            });
            verdict.exit()
        }
        Err(failure) => fail(&chain(&failure), Exit::Usage),
    }
}

/// One object and a line end.
pub(super) fn to_json(verdict: &VerdictFile) -> String {
    serde_json::to_string_pretty(verdict).expect("a verdict is plain data") + "\n"
}

fn judge_again(directory: &Path) -> Result<VerdictFile, HarnessFailure> {
    let path = directory.join("plan.yaml");
    let text = fs::read_to_string(&path).map_err(HarnessFailure::file("read", &path))?;
    let plan = Plan::of_run(&text).map_err(|error| HarnessFailure::Check { path, why: chain(&error) })?;
    judge(directory, &plan)
}

fn check_history(args: &CheckArgs) -> Exit {
    let form = match args.output {
        Output::Text => "text",
        Output::Json => "json",
    };
    let mut arguments: Vec<OsString> =
        vec!["checker".into(), args.path.clone().into(), "-o".into(), form.into()];
    arguments.extend(args.checker.iter().cloned());
    match checker::cli::main(arguments) {
        checker::cli::Exit::Expected => Exit::Expected,
        checker::cli::Exit::Violated => Exit::Violated,
        checker::cli::Exit::Usage => Exit::Usage,
        checker::cli::Exit::Inconclusive => Exit::Inconclusive,
        checker::cli::Exit::Environment => Exit::Harness,
        checker::cli::Exit::Bug => Exit::Bug,
    }
}
