//! A fake cluster and the binary under test: what it printed and how it ended, as one text to compare.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chat_client::fake::{self, FakeChat, FakeNode};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A process that takes longer hangs.
const PROCESS_LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Cluster {
    pub(crate) chat: FakeChat,
    pub(crate) nodes: Vec<FakeNode>,
    folder: TempDir,
    runtime: Runtime,
}

/// How a process ended, and what it printed.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Cluster {
    pub(crate) fn start(count: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime can be built");
        let chat = FakeChat::default();
        let nodes = (1..=count)
            .map(|number| runtime.block_on(FakeNode::start(&format!("n{number}"), &chat)))
            .collect();
        Cluster { chat, nodes, folder: tempfile::tempdir().expect("a folder can be made"), runtime }
    }

    /// An address at which nobody listens.
    pub(crate) fn nobody(&self) -> String {
        self.runtime.block_on(fake::nobody())
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("the folder can be written to");
        path.to_str().expect("temporary folders have plain names").to_owned()
    }

    pub(crate) fn other_sessions(&self) -> PathBuf {
        self.folder.path().join("other-sessions")
    }

    pub(crate) fn log_in(&self, name: &str, password: &str) {
        assert_eq!(self.run_with(&format!("login {name}"), &[("CHAT_PASSWORD", password)], "").code, 0);
    }

    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_with(line, &[], "")
    }

    pub(crate) fn run_with(&self, line: &str, variables: &[(&str, &str)], input: &str) -> Run {
        self.run_in(&self.folder.path().join("sessions"), line, variables, input)
    }

    pub(crate) fn run_in(&self, sessions: &Path, line: &str, variables: &[(&str, &str)], input: &str) -> Run {
        let mut child = self.spawn(sessions, line, variables);
        let mut stdin = child.stdin.take().expect("it is piped");
        // Whoever does not want the input may be gone already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        self.finish(child)
    }

    /// Runs it while nobody reads what it prints.
    pub(crate) fn run_into_closed_pipe(&self, line: &str) -> Run {
        let mut child = self.spawn(&self.folder.path().join("sessions"), line, &[]);
        drop(child.stdout.take());
        self.finish(child)
    }

    /// Runs it until the first node has received what it asks, and sends it a signal.
    pub(crate) fn run_and_signal(&self, line: &str, signal: &str) -> Run {
        let before = self.nodes[0].calls().len();
        let child = self.spawn(&self.folder.path().join("sessions"), line, &[]);
        let asked = async { tokio::time::timeout(PROCESS_LIMIT, self.nodes[0].called(before + 1)).await };
        self.runtime.block_on(asked).expect("something is asked of the node");
        let kill = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(kill.expect("kill is there").success());
        self.finish(child)
    }

    fn spawn(&self, sessions: &Path, line: &str, variables: &[(&str, &str)]) -> Child {
        let servers: Vec<String> = self.nodes.iter().map(FakeNode::address).collect();
        Command::new(env!("CARGO_BIN_EXE_chat-cli"))
            .args(line.split_whitespace())
            .env_clear()
            .env("TZ", "UTC")
            .env("CHAT_SESSION_DIR", sessions)
            .env("CHAT_SERVERS", servers.join(","))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary under test is built")
    }

    fn finish(&self, mut child: Child) -> Run {
        let mut stdout = child.stdout.take();
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(stdout) = &mut stdout {
                stdout.read_to_string(&mut text).expect("results are UTF-8");
            }
            text
        });
        let mut stderr = String::new();
        child.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("notes are UTF-8");
        let code = child.wait().expect("it was spawned").code().expect("it exits by itself");
        let run = Run { code, stdout: reader.join().expect("the results were read"), stderr };
        let addresses = self.nodes.iter().enumerate();
        addresses
            .fold(run, |run, (place, node)| run.with_hidden(&node.address(), &format!("NODE{}", place + 1)))
    }
}

impl Run {
    /// The same, with `hidden` in place of what differs from run to run.
    pub(crate) fn with_hidden(self, differs: &str, hidden: &str) -> Self {
        let hide = |text: String| text.replace(differs, hidden);
        Run { code: self.code, stdout: hide(self.stdout), stderr: hide(self.stderr) }
    }

    /// The same, without the number of tries.
    pub(crate) fn with_tries_hidden(self) -> Self {
        let words = self.stderr.split(' ').collect::<Vec<_>>();
        let count = words.windows(2).find(|pair| pair[1].starts_with("tries")).map(|pair| pair[0].to_owned());
        match count {
            Some(count) => self.with_hidden(&format!("after {count} tries"), "after some tries"),
            None => self,
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
