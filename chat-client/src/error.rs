//! How an operation can end badly, and what that proves.
//!
//! [`Cause::row`] is the table. A row is definite only when there is a proof that the try was not applied and never will
//! be; whatever has no proof is indefinite. The proofs:
//!
//! * **A refusal by the rules of the chat** is either made before anything is proposed, or is the outcome itself.
//! * **`AttemptForgotten`** is answered by apply *instead of* doing anything, to an attempt that it can no longer tell
//!   from an earlier one: the try did nothing, and being one entry of the log, it is over. Whether an earlier try did
//!   something is for that try's own error to say, and [`Error::is_definite`] of them all takes it into account.
//! * **`NoLeader`, `Overloaded`, `Starting`, `Stopping`, `NotAMember`** are by contract answered only when nothing was
//!   proposed.
//! * **`Connect`** is produced only when no connection existed to hand the request to. Either [`crate::Endpoint`] was
//!   still opening its own, or tonic was opening one again: its `Reconnect` then gives the request the stored
//!   [`tonic::ConnectError`] *instead of* passing it on, and nothing else in tonic makes that error.
//! * **A read changes nothing**, so each of its errors is definite ([`Error::is_definite`]).
//!
//! What looks like a proof and is not: `UNAVAILABLE` without the chat's own detail (tonic gives it also to a request that
//! was sent before the connection broke), `CANCELLED` (the node may have proposed before it gave up waiting),
//! `UNIMPLEMENTED`, `INVALID_ARGUMENT` and the like without a detail (somebody else than the chat speaks).

#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use prost::Message as _;
use proto::chat::{Code, ErrorDetail};
use tonic::Status;

/// What an operation does to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing: it can be repeated, and its failure is always definite.
    Read,
    /// It changes something, once, however often the very same operation is tried: because it carries an attempt, or by
    /// its nature.
    Write,
}

/// Why one try ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The chat itself says so.
    Chat(Code),
    /// A gRPC status without the chat's detail.
    Grpc(tonic::Code),
    /// No connection could be opened, so nothing was sent.
    Connect,
    /// No answer came in time, after the request was handed to a connection.
    Deadline,
    /// The connection or the stream broke after the request was handed to it.
    Broken,
    /// An answer came, and cannot be understood.
    Decode,
}

/// What the table says of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// This try was certainly not applied, and never will be.
    pub definite: bool,
    /// Another try, perhaps on another node, may well succeed.
    pub passing: bool,
    /// Of an operation with an attempt: it was applied, changed nothing, and the cluster keeps this as its outcome.
    pub kept: bool,
    /// The proof, or why there is none.
    pub why: &'static str,
}

/// Refused by the rules: no node will say otherwise.
const fn refused(why: &'static str) -> Row {
    Row { definite: true, passing: false, kept: false, why }
}

/// Refused by the state that it was applied to.
const fn outcome(why: &'static str) -> Row {
    Row { definite: true, passing: false, kept: true, why }
}

/// Not applied, for a reason that passes.
const fn unserved(why: &'static str) -> Row {
    Row { definite: true, passing: true, kept: false, why }
}

/// Perhaps applied; worth another try.
const fn unknown(why: &'static str) -> Row {
    Row { definite: false, passing: true, kept: false, why }
}

/// Perhaps applied; another try would end alike.
const fn baffling(why: &'static str) -> Row {
    Row { definite: false, passing: false, kept: false, why }
}

impl Cause {
    /// The table.
    #[must_use]
    pub const fn row(self) -> Row {
        match self {
            Cause::Chat(code) => chat_row(code),
            Cause::Grpc(code) => grpc_row(code),
            Cause::Connect => unserved("there was no connection that the request could have left on"),
            Cause::Deadline => unknown("the request was on its way, and may still arrive"),
            Cause::Broken => unknown("the request may have arrived before the connection broke"),
            Cause::Decode => baffling("the node answered, so it may well have applied it"),
        }
    }

    /// A word for scripts, in snake case; stable.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Cause::Chat(code) => chat_word(code),
            Cause::Grpc(_) => "grpc_status",
            Cause::Connect => "not_connected",
            Cause::Deadline => "deadline",
            Cause::Broken => "connection_broken",
            Cause::Decode => "not_understood",
        }
    }
}

const fn chat_row(code: Code) -> Row {
    match code {
        Code::Unspecified => baffling("the node gave no code"),
        Code::Invalid => {
            refused("the request itself is wrong; it is refused before it is proposed, or by apply")
        }
        Code::Exists | Code::NotFound => {
            outcome("the outcome itself: apply found the state so and changed nothing")
        }
        Code::Conflict => outcome("the outcome itself: apply found another state than the one expected"),
        Code::WrongPassword | Code::NotAuthenticated => refused("nothing is done for who is not known"),
        Code::TooLarge => refused("measured before it is proposed"),
        Code::AttemptForgotten => {
            refused("apply could not tell the attempt from an earlier one, and did nothing")
        }
        Code::NoLeader => unserved("there was nobody to propose it to"),
        Code::Overloaded => unserved("turned away before it was proposed"),
        Code::Starting | Code::Stopping | Code::NotAMember => {
            unserved("the node does not propose in this state")
        }
        Code::ReadUnavailable => unserved("a read could not be confirmed, before anything was proposed"),
        Code::Unknown => unknown("it was proposed, or may have been"),
    }
}

const fn chat_word(code: Code) -> &'static str {
    match code {
        Code::Unspecified => "unspecified",
        Code::Invalid => "invalid",
        Code::Exists => "exists",
        Code::NotFound => "not_found",
        Code::Conflict => "conflict",
        Code::WrongPassword => "wrong_password",
        Code::NotAuthenticated => "not_authenticated",
        Code::TooLarge => "too_large",
        Code::AttemptForgotten => "attempt_forgotten",
        Code::NoLeader => "no_leader",
        Code::Overloaded => "overloaded",
        Code::Starting => "starting",
        Code::Stopping => "stopping",
        Code::NotAMember => "not_a_member",
        Code::ReadUnavailable => "read_unavailable",
        Code::Unknown => "unknown",
    }
}

/// Without the chat's detail nothing is definite: who spoke, and when, is not known.
const fn grpc_row(code: tonic::Code) -> Row {
    use tonic::Code as Grpc;
    match code {
        Grpc::Ok => baffling("an error that calls itself a success"),
        Grpc::Cancelled | Grpc::DeadlineExceeded => {
            unknown("the node may have proposed it before it stopped waiting")
        }
        Grpc::Unavailable => unknown("also given to a request that was sent before the connection broke"),
        Grpc::Unknown | Grpc::Internal | Grpc::DataLoss => unknown("a fault in the middle of something"),
        Grpc::ResourceExhausted | Grpc::Aborted => unknown("a limit that may have struck after the proposal"),
        Grpc::InvalidArgument
        | Grpc::NotFound
        | Grpc::AlreadyExists
        | Grpc::PermissionDenied
        | Grpc::FailedPrecondition
        | Grpc::OutOfRange
        | Grpc::Unimplemented
        | Grpc::Unauthenticated => baffling("it is not the chat that says so"),
    }
}

/// An operation ended badly.
///
/// `Display` is one line without the table's verdict; ask [`Error::is_definite`] for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    operation: &'static str,
    effect: Effect,
    cause: Cause,
    message: String,
    server: String,
    leader: Option<String>,
    tries: u32,
    /// Some try of the same operation may have been applied.
    unknown: bool,
}

impl Error {
    /// One try of `operation` at `server` ended for `cause`.
    #[must_use]
    pub fn new(operation: &'static str, effect: Effect, cause: Cause, server: &str, message: String) -> Self {
        let server = server.to_owned();
        Error { operation, effect, cause, message, server, leader: None, tries: 1, unknown: false }
    }

    /// What `status`, which ended one try of `operation` at `server`, is a sign of.
    #[must_use]
    pub fn from_status(operation: &'static str, effect: Effect, server: &str, status: &Status) -> Self {
        let error = |cause, message| Error::new(operation, effect, cause, server, message);
        if let Some(connect) = source_of::<tonic::ConnectError>(status) {
            return error(Cause::Connect, could_not_connect(connect));
        }
        if source_of::<tonic::TimeoutExpired>(status).is_some() {
            return error(Cause::Deadline, "no answer in time".to_owned());
        }
        // Only an error of the transport has a source: a status that a node sent is nothing but itself.
        if let Some(source) = status.source() {
            return error(Cause::Broken, format!("the connection broke: {}", root(source)));
        }
        if status.details().is_empty() {
            let said = if status.message().is_empty() { "no reason given" } else { status.message() };
            return error(Cause::Grpc(status.code()), format!("{}: {said}", status.code()));
        }
        let Ok(detail) = ErrorDetail::decode(status.details()) else {
            return error(Cause::Decode, "the error's detail cannot be decoded".to_owned());
        };
        let Ok(code) = Code::try_from(detail.code) else {
            let message = format!("the error's code {} is not known here: {}", detail.code, detail.message);
            return error(Cause::Decode, message);
        };
        let mut error = error(Cause::Chat(code), detail.message);
        error.leader = Some(detail.leader).filter(|leader| !leader.is_empty());
        error
    }

    /// No connection to `server` was opened within `limit`.
    #[must_use]
    pub(crate) fn connect_deadline(
        operation: &'static str,
        effect: Effect,
        server: &str,
        limit: Duration,
    ) -> Self {
        Error::new(
            operation,
            effect,
            Cause::Connect,
            server,
            format!("could not connect within {}", milliseconds(limit)),
        )
    }

    /// No connection to `server` could be opened.
    #[must_use]
    pub(crate) fn connect(
        operation: &'static str,
        effect: Effect,
        server: &str,
        source: &(dyn StdError + 'static),
    ) -> Self {
        Error::new(operation, effect, Cause::Connect, server, could_not_connect(source))
    }

    /// No answer came within `limit`.
    #[must_use]
    pub(crate) fn deadline(operation: &'static str, effect: Effect, server: &str, limit: Duration) -> Self {
        Error::new(
            operation,
            effect,
            Cause::Deadline,
            server,
            format!("no answer within {}", milliseconds(limit)),
        )
    }

    /// This error for all of `tries`; with `unknown`, some of them may have been applied.
    #[must_use]
    pub(crate) fn after(mut self, tries: u32, unknown: bool) -> Self {
        self.tries = tries;
        self.unknown = unknown;
        self
    }

    /// The same, after `tries` more in which certainly nothing was applied.
    #[must_use]
    pub(crate) fn following(mut self, tries: u32) -> Self {
        self.tries += tries;
        self
    }

    /// The operation was certainly not applied, and never will be.
    ///
    /// False for a write as soon as one of its tries may have been applied, whatever the later ones were told.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        self.effect == Effect::Read || (self.cause.row().definite && !self.unknown)
    }

    /// Another try may well succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.cause.row().passing
    }

    /// Why the operation failed: what became of its last try, or of its last try that reached a node.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What the chat answered, when it was the chat that answered.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self.cause {
            Cause::Chat(code) => Some(code),
            Cause::Grpc(_) | Cause::Connect | Cause::Deadline | Cause::Broken | Cause::Decode => None,
        }
    }

    /// The operation: `send`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What was said, a fragment in lower case.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The address of the node that said so, or that could not be reached.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The name of the leader, as that node knows it.
    #[must_use]
    pub fn leader(&self) -> Option<&str> {
        self.leader.as_deref()
    }

    /// How many tries were made.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.tries
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match self.cause {
            // What the rules of the chat refuse, every node refuses alike.
            Cause::Chat(_) if !self.is_passing() => {}
            _ => write!(f, " ({})", self.server)?,
        }
        if self.tries > 1 {
            write!(f, ", after {} tries", self.tries)?;
        }
        Ok(())
    }
}

impl StdError for Error {}

/// `first` and the sources beneath it.
fn chain<'a>(
    first: Option<&'a (dyn StdError + 'static)>,
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(first, |&error: &&'a (dyn StdError + 'static)| error.source())
}

/// The error of type `E` in the chain of `status`' sources.
fn source_of<E: StdError + 'static>(status: &Status) -> Option<&E> {
    chain(status.source()).find_map(|error| error.downcast_ref())
}

/// A limit as people read it: what was left of it when a try began has more digits than it deserves.
fn milliseconds(limit: Duration) -> String {
    let rounded = Duration::from_millis(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    format!("{rounded:?}")
}

/// The innermost source: the operating system's own words.
fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    chain(Some(error)).last().unwrap_or(error)
}

fn could_not_connect(error: &(dyn StdError + 'static)) -> String {
    format!("could not connect: {}", root(error))
}
