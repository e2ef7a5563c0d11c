//! `supervisor suite`: scenarios of directories, each in a process of its own, for people before a push and for CI.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use clap::Args;
use serde_json::Value;

use super::batch::{Refusal, choose, obstacles};
use super::machine::Machine;
use super::player::PlayArgs;
use super::{Choice, Interrupt, Output, fail, fail_all, note, say};
use crate::exit::Exit;
use crate::harness::{HarnessFailure, chain};
use crate::report::suite_progress::{DRAW_INTERVAL, SuiteProgress};
use crate::report::{github, junit, recap};
use crate::suite::case::{Case, CaseReport};
use crate::suite::child::ChildRunner;
use crate::suite::files;
use crate::suite::queue::{Queue, Watcher};
use crate::suite::record::Record;
use crate::suite::tag::TagExpression;

/// What is run when nothing is named.
const DEFAULT_DIRECTORY: &str = "scenarios/ci";

#[derive(Debug, Args)]
pub(super) struct SuiteArgs {
    /// Scenario files, and directories of them with everything below; without any, scenarios/ci.
    #[arg(value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Only scenarios with these tags: `ci and not slow`, `ci,smoke`, `not (bug or slow)`.
    #[arg(long, value_name = "EXPR", value_parser = TagExpression::parse)]
    tag: Option<TagExpression>,
    /// How many scenarios run at once. Each is a whole cluster: what the machine has too little of shows as latency.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Writes the outcome as JUnit XML into this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Prints annotations for GitHub, and appends to its step summary; by itself where `GITHUB_ACTIONS` is `true`.
    #[arg(long)]
    github: bool,
    /// After the first scenario that does not end as expected, begins no other.
    #[arg(long)]
    fail_fast: bool,
    /// Only what failed or was not run in the last suite of --out, with the seeds of then.
    #[arg(long)]
    rerun_failed: bool,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    play: PlayArgs,
}

pub(super) async fn run_suite(args: SuiteArgs, interrupt: Interrupt) -> Exit {
    let Selection { cases, places, refused } = match select(&args) {
        Ok(selection) if selection.is_empty() => {
            note("nothing of this failed in the last suite");
            return Exit::Expected;
        }
        Ok(selection) => selection,
        Err(exit) => return exit,
    };
    let names = cases.iter().map(|case| case.file.name.value.clone()).collect();
    let desk = Desk {
        progress: SuiteProgress::new(args.play.progress, names),
        runs: args.play.out.clone(),
        places,
        refused,
        began: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        clock: Instant::now(),
    };
    let runner = ChildRunner {
        program: PathBuf::from("/proc/self/exe"),
        out: args.play.out.clone(),
        node_binary: args.play.node_binary.clone(),
        interrupt: interrupt.stop.clone(),
    };
    let stop = interrupt.stop.clone();
    let queue = Queue {
        jobs: usize::from(args.jobs),
        fail_fast: args.fail_fast,
        failed_before: !desk.refused.is_empty(),
        interrupt: stop,
    };
    let running = queue.run(&cases, &runner, &desk);
    tokio::pin!(running);
    let reports = loop {
        tokio::select! {
            reports = &mut running => break reports,
            () = tokio::time::sleep(DRAW_INTERVAL) => desk.progress.draw(),
        }
    };
    desk.progress.finish();
    let record = desk.record(reports);
    let exit = record.exit.gravest(publish(&args, &record));
    interrupt.exit().filter(|_| exit != Exit::Violated).unwrap_or(exit)
}

/// What is to be run, and what cannot be: that is reported, and keeps nothing else from being run.
#[derive(Debug, Default)]
struct Selection {
    cases: Vec<Case>,
    /// The place of each case among all files.
    places: Vec<usize>,
    /// With their places among all files.
    refused: Vec<(usize, CaseReport)>,
}

impl Selection {
    fn is_empty(&self) -> bool {
        self.cases.is_empty() && self.refused.is_empty()
    }
}

/// What is to be run; nothing when everything of it passed the last time. What is wrong with single files has been shown;
/// so have the errors when there is an exit.
fn select(args: &SuiteArgs) -> Result<Selection, Exit> {
    let last = if args.rerun_failed { Some(last_failures(&args.play.out)?) } else { None };
    let paths = match &last {
        _ if !args.paths.is_empty() => args.paths.clone(),
        Some(last) => last.iter().map(|report| PathBuf::from(&report.source)).collect(),
        None => vec![PathBuf::from(DEFAULT_DIRECTORY)],
    };
    let mut files = files::find(&paths).map_err(|errors| fail_all(&errors, Exit::Usage))?;
    if let Some(last) = &last {
        files.retain(|file| last.iter().any(|report| is_same_file(file, &report.source)));
    }
    let (mut cases, mut refused) = (Vec::new(), Vec::new());
    for (place, file) in files.iter().enumerate() {
        match choose(file, &args.choice) {
            Ok(case) => cases.push((place, case)),
            // What was named and is not there is no file that could be wrong.
            Err(refusal) if !file.exists() => return Err(refusal.show()),
            Err(refusal) => refused.push((place, report_of(file, &[refusal]))),
        }
    }
    // Which tags a broken file has is not known, so no tag selects it away.
    if let Some(expression) = args.tag.as_ref().filter(|_| !cases.is_empty()) {
        cases = tagged(cases, expression, refused.is_empty())?;
    }
    let machine = Machine::default();
    let mut selection = Selection { refused, ..Selection::default() };
    for (place, mut case) in cases {
        let known =
            last.iter().flatten().find(|report| is_same_file(Path::new(&case.file.source), &report.source));
        if let (Some(report), None) = (known, args.choice.seed) {
            let seed = report.telling().map(|attempt| attempt.seed).or(report.seed);
            case.seed = seed.unwrap_or(case.seed);
        }
        match obstacles(&case, &machine) {
            none if none.is_empty() => {
                selection.cases.push(case);
                selection.places.push(place);
            }
            refusals => {
                selection.refused.push((place, report_of(Path::new(&case.file.source), &refusals)));
            }
        }
    }
    Ok(selection)
}

/// Shows why a file is not run, and reports it. There is one refusal at least; the gravest decides.
fn report_of(file: &Path, refusals: &[Refusal]) -> CaseReport {
    let exit = refusals.iter().map(Refusal::show).fold(Exit::Expected, Exit::gravest);
    let reasons: Vec<&str> = refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
    let line = refusals.first().map_or(1, |refusal| refusal.line);
    CaseReport::refused(file, exit, line, &reasons.join("; "))
}

/// What failed in the last suite.
fn last_failures(runs: &Path) -> Result<Vec<CaseReport>, Exit> {
    match Record::load(runs) {
        Ok(record) => Ok(record.failed().cloned().collect()),
        Err(failure) => Err(fail(
            &format!("--rerun-failed needs the record of a suite: {}", chain(&failure)),
            Exit::Usage,
        )),
    }
}

fn is_same_file(file: &Path, source: &str) -> bool {
    let source = Path::new(source);
    match (fs::canonicalize(file), fs::canonicalize(source)) {
        (Ok(file), Ok(source)) => file == source,
        _ => file == source,
    }
}

/// The scenarios that the expression selects, at least one where `must_find`. A tag that nobody has is worth a word: it may be misspelt.
fn tagged(
    cases: Vec<(usize, Case)>,
    expression: &TagExpression,
    must_find: bool,
) -> Result<Vec<(usize, Case)>, Exit> {
    let known: BTreeSet<String> = cases.iter().flat_map(|(_, case)| case.file.tags.iter().cloned()).collect();
    let known_text = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    for tag in expression.tags().into_iter().filter(|tag| !known.contains(*tag)) {
        note(&format!("no scenario here has the tag `{tag}`; there are: {known_text}"));
    }
    let all = cases.len();
    let is_chosen = |(_, case): &(usize, Case)| expression.holds(&case.file.tags);
    let chosen: Vec<(usize, Case)> = cases.into_iter().filter(is_chosen).collect();
    if chosen.is_empty() && must_find {
        let why = format!("--tag selects none of {all} scenarios; their tags are: {known_text}");
        return Err(fail(&why, Exit::Usage));
    }
    Ok(chosen)
}

/// Prints and writes the outcome in every form that was asked for. Reports that are lost make the exit a failure of
/// ours: a CI that reads none would take it for a suite without tests.
fn publish(args: &SuiteArgs, record: &Record) -> Exit {
    let is_text = args.play.output == Output::Text;
    say(&if is_text { recap::render(record) } else { record.to_json() });
    let mut exit = Exit::Expected;
    let mut check = |written: Result<(), HarnessFailure>| {
        if let Err(failure) = written {
            exit = fail(&chain(&failure), Exit::Harness);
        }
    };
    check(record.save(&args.play.out));
    if let Some(path) = &args.junit {
        check(write(path, &junit::render(record)));
    }
    if args.github || std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        // GitHub reads commands from both streams; standard output may be one object.
        let annotations = github::annotations(record);
        if is_text {
            say(&annotations)
        } else {
            drop(std::io::stderr().write_all(annotations.as_bytes()))
        }
        if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
            check(append(Path::new(&path), &github::step_summary(record)));
        }
    }
    exit
}

fn write(path: &Path, text: &str) -> Result<(), HarnessFailure> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(HarnessFailure::file("create", parent))?;
    }
    fs::write(path, text).map_err(HarnessFailure::file("write", path))
}

fn append(path: &Path, text: &str) -> Result<(), HarnessFailure> {
    let file = fs::File::options().create(true).append(true).open(path);
    let mut file = file.map_err(HarnessFailure::file("open", path))?;
    file.write_all(text.as_bytes()).map_err(HarnessFailure::file("write", path))
}

/// Shows the suite while it goes on, and keeps its record true.
struct Desk {
    progress: SuiteProgress,
    runs: PathBuf,
    /// The place of each case among all files.
    places: Vec<usize>,
    /// The files that are not run, with their places.
    refused: Vec<(usize, CaseReport)>,
    began: String,
    clock: Instant,
}

impl Desk {
    fn record(&self, reports: Vec<CaseReport>) -> Record {
        let mut all: Vec<(usize, CaseReport)> = self.places.iter().copied().zip(reports).collect();
        all.extend(self.refused.iter().cloned());
        all.sort_by_key(|(place, _)| *place);
        let reports = all.into_iter().map(|(_, report)| report).collect();
        Record::new(&self.began, self.clock.elapsed().as_secs_f64(), reports)
    }
}

impl Watcher for Desk {
    fn began(&self, case: usize) {
        self.progress.began(case);
    }

    fn event(&self, case: usize, event: &Value) {
        self.progress.event(case, event);
    }

    fn ended(&self, case: usize, reports: &[CaseReport]) {
        self.progress.ended(case, reports);
        if let Err(failure) = self.record(reports.to_vec()).save(&self.runs) {
            // It is tried again at the end, where it counts.
            note(&chain(&failure));
        }
    }
}
