//! What the exit code says. The table of `--help` is made from this type.

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use chat_client::wire::chat::Code;
use chat_client::{Cause, Error};

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Refused = 1,
    Usage = 2,
    Unavailable = 3,
    Unknown = 4,
    NotAuthenticated = 5,
    AssertionFailed = 6,
    Bug = 70,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    const ALL: [Exit; 10] = [
        Exit::Done,
        Exit::Refused,
        Exit::Usage,
        Exit::Unavailable,
        Exit::Unknown,
        Exit::NotAuthenticated,
        Exit::AssertionFailed,
        Exit::Bug,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    const fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Refused => "refused by the server",
            Exit::Usage => "wrong usage, or a file or the terminal is in the way",
            Exit::Unavailable => "unavailable: certainly not applied",
            Exit::Unknown => "unknown outcome: it may have been applied",
            Exit::NotAuthenticated => "not authenticated: no session, or a wrong password",
            Exit::AssertionFailed => "an assertion of the script failed",
            Exit::Bug => "a bug of ours",
            Exit::Interrupted => "interrupted",
            Exit::Terminated => "terminated",
        }
    }

    /// The table of `--help`.
    pub(crate) fn table() -> String {
        let rows = Exit::ALL.map(|exit| format!("{:>5}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

/// The one place where the end of an operation becomes an exit code.
impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error.cause() {
            _ if !error.is_definite() => Exit::Unknown,
            Cause::Chat(Code::NotAuthenticated | Code::WrongPassword) => Exit::NotAuthenticated,
            Cause::Chat(_) if !error.is_passing() => Exit::Refused,
            Cause::Chat(_)
            | Cause::Grpc(_)
            | Cause::Connect
            | Cause::Deadline
            | Cause::Broken
            | Cause::Decode => Exit::Unavailable,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
