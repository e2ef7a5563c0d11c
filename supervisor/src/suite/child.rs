//! A case in a process of its own: `supervisor run FILE --seed N -o json --progress json`, this binary executed again.
//!
//! The verdicts are read from its standard output, its events and complaints from its standard error. An interrupt is
//! passed on once, so that the run heals, judges and reports. A run whose suite was killed is killed with it by the
//! kernel, and its nodes with it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Instant;

use futures::future::{FutureExt, LocalBoxFuture, pending};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::case::{Attempt, Case, CaseReport};
use super::queue::Runner;
use crate::exit::Exit;
use crate::judge::Verdict;
use crate::process::describe_exit;
use crate::run::stop::Stop;

/// How many lines of a run's complaints are kept: the last ones.
const COMPLAINTS_MAX: usize = 8;

/// The option with which a run learns whose child it is. Hidden: it is of use only here.
pub const PARENT_OPTION: &str = "--end-with";

/// Runs cases in processes of their own.
#[derive(Debug, Clone)]
pub struct ChildRunner {
    /// The supervisor.
    pub program: PathBuf,
    /// The directory of all runs.
    pub out: PathBuf,
    /// The program that is each node; none: the supervisor itself.
    pub node_binary: Option<PathBuf>,
    /// Somebody wants the suite to end early.
    pub interrupt: Stop,
}

impl Runner for ChildRunner {
    fn run<'a>(&'a self, case: &'a Case, watch: &'a dyn Fn(&Value)) -> LocalBoxFuture<'a, CaseReport> {
        self.run_case(case, watch).boxed_local()
    }
}

impl ChildRunner {
    async fn run_case(&self, case: &Case, watch: &dyn Fn(&Value)) -> CaseReport {
        let began = Instant::now();
        let mut heard = Heard::default();
        let ended = match self.command(case).spawn() {
            Ok(child) => self.attend(child, &mut heard, watch).await,
            Err(error) => Err(format!("could not start {}: {error}", self.program.display())),
        };
        let seconds = began.elapsed().as_secs_f64();
        let (exit, trouble) = match ended {
            Ok(status) => exit_of(status),
            Err(why) => (Exit::Harness, Some(why)),
        };
        let attempts = heard.attempts();
        let complaints = heard.complaints.iter().map(String::as_str).chain(trouble.as_deref());
        let is_news = |line: &&str| !attempts.iter().any(|attempt| attempt.reason.contains(*line));
        let note = complaints.filter(is_news).collect::<Vec<_>>().join("; ");
        CaseReport {
            note: (!note.is_empty()).then_some(note),
            ..CaseReport::ended(case, exit, seconds, attempts)
        }
    }

    fn command(&self, case: &Case) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("run").args(["--seed", &case.seed.to_string()]);
        for change in &case.file.overrides {
            command.args(["--set", change]);
        }
        command.arg("--out").arg(&self.out);
        if let Some(binary) = &self.node_binary {
            command.arg("--node-binary").arg(binary);
        }
        command.args(["--progress", "json", "-o", "json", PARENT_OPTION, &getpid().to_string()]);
        command.arg("--").arg(&case.file.source);
        // A group of its own: a Ctrl-C in the terminal reaches the suite alone, which passes it on once.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command.kill_on_drop(true);
        command
    }

    /// Listens to the child until it ends.
    async fn attend(
        &self,
        mut child: Child,
        heard: &mut Heard,
        watch: &dyn Fn(&Value),
    ) -> Result<ExitStatus, String> {
        let stdout = child.stdout.take().expect("the child's stdout was asked for as a pipe");
        let stderr = child.stderr.take().expect("the child's stderr was asked for as a pipe");
        let pid = child.id().expect("a child that was not waited for has a pid");
        let Heard { verdicts, complaints, directories } = heard;
        let listening = async {
            let read = read_all(stdout, verdicts);
            let ((), ()) = futures::join!(read, listen(stderr, complaints, directories, watch));
            child.wait().await
        };
        let interrupted = async {
            self.interrupt.stopped().await;
            // It fails only for a child that has ended, which is what is wanted.
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGINT);
            pending::<Infallible>().await
        };
        tokio::select! {
            ended = listening => ended.map_err(|error| format!("could not wait for the run: {error}")),
            never = interrupted => match never {},
        }
    }
}

/// Makes the kernel end this process when the process `parent` ends.
///
/// # Errors
/// If the kernel cannot, or if the parent is gone already.
pub fn end_with(parent: i32) -> Result<(), String> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|error| format!("could not ask to end with process {parent}: {error}"))?;
    if getppid().as_raw() == parent { Ok(()) } else { Err(format!("process {parent} has ended already")) }
}

/// What a child said.
#[derive(Debug, Default)]
struct Heard {
    /// Its whole standard output.
    verdicts: Vec<u8>,
    /// What it said on standard error that is no event.
    complaints: Vec<String>,
    /// The seed and the directory of each of its runs.
    directories: Vec<(u64, String)>,
}

/// As much of `verdict.json` as is needed.
#[derive(Debug, Deserialize)]
struct SaidVerdict {
    seed: u64,
    verdict: Verdict,
    expected: bool,
    reason: String,
    signature: Option<String>,
    #[serde(default)]
    kinds: Vec<String>,
    metrics: Option<SaidMetrics>,
    reproduce: String,
}

#[derive(Debug, Deserialize)]
struct SaidMetrics {
    operations: u64,
    longest_outage_ns: u64,
}

impl Heard {
    /// The runs that came to a verdict. What does not parse was cut off by whatever ended the child.
    fn attempts(&self) -> Vec<Attempt> {
        let verdicts = serde_json::Deserializer::from_slice(&self.verdicts).into_iter::<SaidVerdict>();
        verdicts.map_while(Result::ok).map(|said| self.attempt(said)).collect()
    }

    fn attempt(&self, said: SaidVerdict) -> Attempt {
        let directory = self.directories.iter().find(|(seed, _)| *seed == said.seed);
        Attempt {
            seed: said.seed,
            verdict: said.verdict,
            expected: said.expected,
            reason: said.reason,
            signature: said.signature,
            kinds: said.kinds,
            operations: said.metrics.as_ref().map_or(0, |metrics| metrics.operations),
            longest_outage_ns: said.metrics.map(|metrics| metrics.longest_outage_ns),
            directory: directory.map(|(_, directory)| directory.clone()),
            reproduce: Some(said.reproduce),
        }
    }
}

async fn read_all(mut from: impl AsyncRead + Unpin, into: &mut Vec<u8>) {
    // A pipe that breaks says no more; how the child ended is what counts.
    drop(from.read_to_end(into).await);
}

async fn listen(
    from: impl AsyncRead + Unpin,
    complaints: &mut Vec<String>,
    directories: &mut Vec<(u64, String)>,
    watch: &dyn Fn(&Value),
) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str::<Value>(&line) {
            Ok(event) if event["kind"].is_string() => {
                if event["kind"] == "began"
                    && let (Some(seed), Some(directory)) =
                        (event["seed"].as_u64(), event["directory"].as_str())
                {
                    directories.push((seed, directory.to_owned()));
                }
                watch(&event);
            }
            _ if line.trim().is_empty() => {}
            _ => {
                let line = line.strip_prefix("supervisor: ").unwrap_or(&line);
                complaints.push(line.to_owned());
                if complaints.len() > COMPLAINTS_MAX {
                    complaints.remove(0);
                }
            }
        }
    }
}

/// What the end of a child means, and what is to be said of it. The scenario was read and found good before, so wrong
/// usage and a panic are our failures like any other, and a violation elsewhere is graver.
fn exit_of(status: ExitStatus) -> (Exit, Option<String>) {
    match status.code().and_then(Exit::of_code) {
        None | Some(Exit::Usage | Exit::Bug) => {
            (Exit::Harness, Some(format!("the run ended with {}", describe_exit(status))))
        }
        Some(exit) => (exit, None),
    }
}

#[cfg(test)]
mod tests;
