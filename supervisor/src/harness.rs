//! A failure of the testbed or its surroundings: never a verdict about the system, never an outcome of an operation.

use std::path::PathBuf;

use thiserror::Error;

/// Why a run could not be carried through. Ends in exit code 4.
#[derive(Debug, Error)]
pub enum HarnessFailure {
    /// A file of the run directory could not be written or read.
    #[error("could not {action} {}", path.display())]
    File {
        /// What was being done, as a verb: `create`, `write`, `read`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// A node process could not be started, or did not report its addresses.
    #[error("could not start node {node}: {why}")]
    Start {
        /// The node.
        node: String,
        /// Why.
        why: String,
    },
    /// A signal could not be delivered.
    #[error("could not send {signal} to node {node} (pid {pid})")]
    Signal {
        /// The signal's name.
        signal: String,
        /// The node.
        node: String,
        /// The process that should have got it.
        pid: i32,
        /// Why it failed.
        #[source]
        source: nix::Error,
    },
    /// The network between the nodes could not be made or changed.
    #[error("could not change the network between the nodes")]
    Network {
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// Something that was waited for did not come within its limit.
    #[error("{what} within {limit_name} = {limit_ms} ms; {seen}")]
    Limit {
        /// What did not happen: `no leader`.
        what: String,
        /// The name of the limit.
        limit_name: &'static str,
        /// The limit in milliseconds.
        limit_ms: u128,
        /// What was seen instead.
        seen: String,
    },
    /// The system under test could not be prepared for the workload.
    #[error("could not prepare the system: {0}")]
    Prepare(String),
    /// The plan asks for what this build or machine cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// The recorder was handed something that is not a history: a bug of ours.
    #[error("the recorder refused an event: {0}")]
    Recorder(String),
    /// The checker could not read what was recorded.
    #[error("could not check {}: {why}", path.display())]
    Check {
        /// The run directory or history.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl HarnessFailure {
    /// Attaches what was being done to which file.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// An error with all its causes, `: ` between them.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
