//! Why a command did not succeed, and what to do about it.

use std::io;

use chat_client::Error;
use chat_client::wire::chat::Code;
use thiserror::Error as ThisError;

use crate::exit::Exit;

/// Why a command did not succeed.
#[derive(Debug, ThisError)]
pub(crate) enum Failure {
    /// An operation ended badly.
    #[error("{}", operation_line(what, error))]
    Operation {
        /// What was to be done: `send to bob`.
        what: String,
        error: Box<Error>,
        /// What to do when it is not known whether it was applied.
        look: String,
    },
    /// No node answered.
    #[error("none of the {servers} servers answered")]
    NobodyAnswered { servers: usize },
    /// Nobody leads.
    #[error("could not {what}: no server knows of a leader")]
    NoLeader {
        /// What was to be done: `add n6`.
        what: String,
    },
    /// The node that would have to do it cannot be asked.
    #[error("could not {what}: {node} would have to, and is not among the servers that answer")]
    NotAmongServers {
        /// What was to be done: `add n6`.
        what: String,
        /// Its name.
        node: String,
    },
    /// There is no session to act in.
    #[error("{who} not logged in")]
    NotLoggedIn {
        /// `alice is`, `you are`.
        who: String,
        /// Whom to log in as.
        name: String,
    },
    /// The command line, or something local, is wrong.
    #[error("{what}")]
    Usage { what: String },
    /// A file or the terminal is in the way.
    #[error("{what}: {source}")]
    Local { what: String, source: io::Error },
    /// A script's command did not end as expected, and that is not what the script wanted to find out.
    #[error("{place}: the command ended with exit code {}", exit.code())]
    Script { place: String, exit: Exit },
    /// A script's expectation was not met.
    #[error("{place}: {what}")]
    Assertion { place: String, what: String },
    /// Whoever read the results has enough. Nothing is said about it.
    #[error("nobody reads the results any more")]
    BrokenPipe,
}

impl Failure {
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Failure::Usage { what: what.into() }
    }

    pub(crate) fn local(what: impl Into<String>, source: io::Error) -> Self {
        Failure::Local { what: what.into(), source }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Operation { error, .. } => Exit::from(&**error),
            Failure::NobodyAnswered { .. } | Failure::NoLeader { .. } | Failure::NotAmongServers { .. } => {
                Exit::Unavailable
            }
            Failure::NotLoggedIn { .. } => Exit::NotAuthenticated,
            Failure::Usage { .. } | Failure::Local { .. } => Exit::Usage,
            Failure::Script { exit, .. } => *exit,
            Failure::Assertion { .. } => Exit::AssertionFailed,
            Failure::BrokenPipe => Exit::Done,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Failure::Operation { error, look, .. } => advice_on(error, look),
            Failure::NobodyAnswered { .. } => Some("check --servers and whether the nodes run".to_owned()),
            Failure::NoLeader { .. } => Some(
                "nothing was changed; a majority must run: `chat-cli cluster status` shows which nodes are up".to_owned(),
            ),
            Failure::NotAmongServers { .. } => {
                Some("nothing was changed; check --servers and whether that node runs".to_owned())
            }
            Failure::NotLoggedIn { name, .. } => Some(format!("log in with `chat-cli login {name}`")),
            Failure::Usage { .. }
            | Failure::Local { .. }
            | Failure::Script { .. }
            | Failure::Assertion { .. }
            | Failure::BrokenPipe => None,
        }
    }
}

fn operation_line(what: &str, error: &Error) -> String {
    match Exit::from(error) {
        Exit::Unknown => format!("it is not known whether this was done: {what}: {error}"),
        _ => format!("could not {what}: {error}"),
    }
}

fn advice_on(error: &Error, look: &str) -> Option<String> {
    match Exit::from(error) {
        Exit::Unknown => Some(format!("it may have been applied, or may be yet: {look}")),
        Exit::Unavailable => {
            Some("nothing was changed; `chat-cli cluster status` shows which nodes are up".to_owned())
        }
        Exit::NotAuthenticated if error.code() == Some(Code::NotAuthenticated) => {
            Some("log in again with `chat-cli login NAME`".to_owned())
        }
        _ => None,
    }
}

/// What an operation is called when it fails.
pub(crate) trait Doing<T> {
    /// It was to do `what`; `look` is what to do when it is not known whether that was done.
    fn doing(self, what: impl Into<String>, look: impl Into<String>) -> Result<T, Failure>;
}

impl<T> Doing<T> for Result<T, Error> {
    fn doing(self, what: impl Into<String>, look: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::Operation {
            what: what.into(),
            error: Box::new(error),
            look: look.into(),
        })
    }
}
