//! One node process: started, signalled, waited for.
//!
//! A node is the supervisor's own binary executed again (`/proc/self/exe`, so a rebuild in the middle of a run changes
//! nothing), or the binary that `--node-binary` names. It is started from the supervisor's one thread and asks for
//! `PDEATHSIG` itself: the kernel ties that signal to the spawning *thread*, so a node started from a pool thread
//! would die when that thread retires, and one started from the main thread dies exactly with the supervisor.
//!
//! Nodes are in a process group of their own each, so a Ctrl-C in the terminal reaches the supervisor alone.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;

use crate::harness::HarnessFailure;

/// How long a new process may take until it listens. A node checks its whole state before it does.
const LISTEN_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long the kernel may take to end a process after SIGKILL.
const REAP_WAIT_MAX: Duration = Duration::from_secs(10);

/// The program that is a node.
#[derive(Debug, Clone)]
pub struct NodeBinary {
    program: PathBuf,
    /// Arguments before the node's own.
    prefix: Vec<OsString>,
}

/// The hidden sub-command with which the supervisor becomes a node.
pub const NODE_SUBCOMMAND: &str = "__node";

impl NodeBinary {
    /// The supervisor itself, executed again.
    #[must_use]
    pub fn itself() -> Self {
        Self { program: PathBuf::from("/proc/self/exe"), prefix: vec![NODE_SUBCOMMAND.into()] }
    }

    /// A build of its own.
    #[must_use]
    pub fn at(program: PathBuf) -> Self {
        Self { program, prefix: Vec::new() }
    }
}

/// A process of a node. One that nobody holds any more is killed.
#[derive(Debug)]
pub struct NodeProcess {
    /// The name of the node, for messages.
    node: String,
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
}

/// Where a node listens.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Listening {
    /// Where clients reach it.
    pub listen: SocketAddr,
    /// Where its peers reach it.
    pub peer_listen: SocketAddr,
}

/// The one line that a node prints on stdout.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum FirstLine {
    Listening(Listening),
}

/// What a new process has yet to say: where it listens.
#[derive(Debug)]
#[must_use = "a node is of use once it listens"]
pub struct Announcement {
    node: String,
    log: PathBuf,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Announcement {
    /// Waits until the process listens.
    ///
    /// # Errors
    /// [`HarnessFailure::Start`] if it ends before, says something else, or takes too long.
    pub async fn listening(mut self) -> Result<Listening, HarnessFailure> {
        let why = match tokio::time::timeout(LISTEN_WAIT_MAX, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => match serde_json::from_str(&line) {
                Ok(FirstLine::Listening(listening)) => {
                    drain(self.lines);
                    return Ok(listening);
                }
                Err(_) => format!("its first line does not say where it listens: {line}"),
            },
            Ok(Ok(None)) => format!("it ended before it listened{}", last_words(&self.log)),
            Ok(Err(error)) => format!("its stdout could not be read: {error}"),
            Err(_) => {
                let limit = LISTEN_WAIT_MAX.as_secs();
                format!("it did not listen within listen_wait_max = {limit} s{}", last_words(&self.log))
            }
        };
        Err(HarnessFailure::Start { node: self.node, why })
    }
}

impl NodeProcess {
    /// Starts a node, its standard error appended to `log`. `on_exit` is told how it ended, once, whoever ended it.
    ///
    /// # Errors
    /// If the log cannot be opened or the program cannot be executed.
    pub fn spawn(
        node: &str,
        binary: &NodeBinary,
        arguments: Vec<OsString>,
        log: &Path,
        on_exit: impl FnOnce(ExitStatus) + 'static,
    ) -> Result<(Self, Announcement), HarnessFailure> {
        let stderr = File::options().create(true).append(true).open(log);
        let stderr = stderr.map_err(HarnessFailure::file("open", log))?;
        let mut child = Command::new(&binary.program)
            .args(&binary.prefix)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| HarnessFailure::Start {
                node: node.to_owned(),
                why: format!("{}: {error}", binary.program.display()),
            })?;
        let stdout = child.stdout.take().expect("the child's stdout was asked for as a pipe");
        let pid = Pid::from_raw(child.id().expect("a child that was not waited for has a pid").cast_signed());
        let process = Self { node: node.to_owned(), pid, exit: watch_exit(child, on_exit) };
        let lines = BufReader::new(stdout).lines();
        Ok((process, Announcement { node: node.to_owned(), log: log.to_owned(), lines }))
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    /// How it has ended, if it has.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// It has not ended, as far as we know.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Sends a signal. A process that has ended already is no failure.
    pub fn signal(&self, signal: Signal) -> Result<(), HarnessFailure> {
        if !self.is_alive() {
            return Ok(());
        }
        match kill(self.pid, signal) {
            Ok(()) | Err(nix::Error::ESRCH) => Ok(()),
            Err(source) => Err(HarnessFailure::Signal {
                signal: signal.to_string(),
                node: self.node.clone(),
                pid: self.pid.as_raw(),
                source,
            }),
        }
    }

    /// Waits until it has ended, at most `limit`; `None` when it has not by then.
    pub async fn ended(&self, limit: Duration) -> Option<ExitStatus> {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some);
        // The sender lives in the task that waits for the child: if it is gone, the runtime is being torn down.
        tokio::time::timeout(limit, ended).await.ok().and_then(Result::ok).and_then(|status| *status)
    }

    /// Kills it with SIGKILL and waits until the kernel has ended it.
    pub async fn destroy(&self) -> Result<(), HarnessFailure> {
        self.signal(Signal::SIGKILL)?;
        match self.ended(REAP_WAIT_MAX).await {
            Some(_) => Ok(()),
            None => Err(HarnessFailure::Limit {
                what: format!("node {} did not end after SIGKILL", self.node),
                limit_name: "reap_wait_max",
                limit_ms: REAP_WAIT_MAX.as_millis(),
                seen: format!("pid {} is still there", self.pid),
            }),
        }
    }
}

/// How a process ended, for a person: `signal 9 (SIGKILL)`, `exit code 5`.
#[must_use]
pub fn describe_exit(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(number), _) => match Signal::try_from(number) {
            Ok(signal) => format!("signal {number} ({signal})"),
            Err(_) => format!("signal {number}"),
        },
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => status.to_string(),
    }
}

/// Waits for the child in a task, for it must be reaped whoever ends it, and ends it once nobody wants to know.
fn watch_exit(
    mut child: Child,
    on_exit: impl FnOnce(ExitStatus) + 'static,
) -> watch::Receiver<Option<ExitStatus>> {
    let (sender, receiver) = watch::channel(None);
    tokio::task::spawn_local(async move {
        let ended = tokio::select! {
            ended = child.wait() => ended,
            () = sender.closed() => {
                // It fails only for a child that has ended, which is what is wanted.
                drop(child.start_kill());
                child.wait().await
            }
        };
        if let Ok(status) = ended {
            sender.send_replace(Some(status));
            on_exit(status);
        }
    });
    receiver
}

/// The end of a log, for a message: its path, and what its last line says.
fn last_words(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next_back().unwrap_or_default();
    // A line of `tracing`, or whatever else the node writes.
    let message = serde_json::from_str::<serde_json::Value>(line)
        .ok()
        .and_then(|line| Some(line["fields"]["message"].as_str()?.to_owned()))
        .unwrap_or_else(|| line.to_owned());
    let said = if message.is_empty() { String::new() } else { format!(": {message}") };
    format!("{said} (log: {})", log.display())
}

/// Reads the rest of stdout, so that the node never blocks on a full pipe.
fn drain(mut lines: Lines<BufReader<ChildStdout>>) {
    tokio::task::spawn_local(async move { while let Ok(Some(_)) = lines.next_line().await {} });
}
