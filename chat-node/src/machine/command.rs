//! Commands as they are meant: what a proposal's bytes ask for, with everything checked that needs no state.
//!
//! The same checks refuse a command before it is proposed (see [`crate::service`]); here they make the machine total.

use proto::chat::Code;
use proto::log::command::Action as Wire;
use proto::log::set_topic::Expected;
use proto::log::{Command, Refusal};

use super::attempt::Attempt;
use super::name::Name;
use super::reply::refusal;
use super::session::TokenHash;

/// The longest body of a message, in bytes.
pub const BODY_BYTES_MAX: usize = 65_536;

/// The longest topic, in bytes.
pub const TOPIC_BYTES_MAX: usize = 1_024;

/// The longest password hash, in bytes. A PHC string of argon2id with its defaults has 97.
const PASSWORD_HASH_BYTES_MAX: usize = 512;

/// The longest life of a session, in milliseconds: a year.
const LIFETIME_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1_000;

/// A command that may be carried out.
pub(super) enum Action {
    CreateAccount { attempt: Attempt, name: Name, password_hash: String },
    DeleteAccount { attempt: Attempt },
    OpenSession(OpenSession),
    CloseSession { everywhere: bool },
    Send { attempt: Attempt, to: Name, body: String },
    SetTopic { attempt: Attempt, with: Name, text: String, expected: Option<Expected> },
}

/// The opening of a session, after the password was checked.
pub(super) struct OpenSession {
    pub(super) name: Name,
    pub(super) account_id: u64,
    pub(super) token_hash: TokenHash,
    pub(super) lifetime_ms: u64,
}

/// Decodes and checks a command.
pub(super) fn parse(bytes: &[u8]) -> Result<Action, Refusal> {
    let command: Command =
        prost::Message::decode(bytes).map_err(|_| refusal(Code::Invalid, "the command does not decode"))?;
    let attempt = || Attempt::parse(&command.client_id, command.sequence, command.answered_below);
    match command.action {
        Some(Wire::CreateAccount(create)) => {
            let (attempt, name) = (attempt()?, Name::parse(&create.name)?);
            check_password_hash(&create.password_hash)?;
            Ok(Action::CreateAccount { attempt, name, password_hash: create.password_hash })
        }
        Some(Wire::DeleteAccount(_)) => Ok(Action::DeleteAccount { attempt: attempt()? }),
        Some(Wire::OpenSession(open)) => {
            let token_hash = open.token_hash.as_slice().try_into();
            Ok(Action::OpenSession(OpenSession {
                name: Name::parse(&open.name)?,
                account_id: open.account_id,
                token_hash: token_hash
                    .map_err(|_| refusal(Code::Invalid, "a token hash is a SHA-256 of 32 bytes"))?,
                lifetime_ms: check_lifetime(open.lifetime_ms)?,
            }))
        }
        Some(Wire::CloseSession(close)) => Ok(Action::CloseSession { everywhere: close.everywhere }),
        Some(Wire::Send(send)) => {
            let (attempt, to) = (attempt()?, Name::parse(&send.to)?);
            check_body(&send.body)?;
            Ok(Action::Send { attempt, to, body: send.body })
        }
        Some(Wire::SetTopic(set)) => {
            let (attempt, with) = (attempt()?, Name::parse(&set.with)?);
            check_topic(&set.text)?;
            Ok(Action::SetTopic { attempt, with, text: set.text, expected: set.expected })
        }
        None => Err(refusal(Code::Invalid, "the command asks for nothing that this version knows")),
    }
}

/// Refuses a body that is no message.
///
/// # Errors
/// [`Code::Invalid`] when it is empty, [`Code::TooLarge`] when it is longer than [`BODY_BYTES_MAX`].
pub(crate) fn check_body(body: &str) -> Result<(), Refusal> {
    match body.len() {
        0 => Err(refusal(Code::Invalid, "a message is not empty")),
        1..=BODY_BYTES_MAX => Ok(()),
        bytes => {
            let what = format!("a message is at most {BODY_BYTES_MAX} bytes, and this has {bytes}");
            Err(refusal(Code::TooLarge, what))
        }
    }
}

/// Refuses a text that is no topic.
///
/// # Errors
/// [`Code::TooLarge`] when it is longer than [`TOPIC_BYTES_MAX`].
pub(crate) fn check_topic(text: &str) -> Result<(), Refusal> {
    if text.len() <= TOPIC_BYTES_MAX {
        Ok(())
    } else {
        let what = format!("a topic is at most {TOPIC_BYTES_MAX} bytes, and this has {}", text.len());
        Err(refusal(Code::TooLarge, what))
    }
}

fn check_password_hash(hash: &str) -> Result<(), Refusal> {
    if (1..=PASSWORD_HASH_BYTES_MAX).contains(&hash.len()) {
        Ok(())
    } else {
        let what = format!("a password hash is 1 to {PASSWORD_HASH_BYTES_MAX} bytes");
        Err(refusal(Code::Invalid, what))
    }
}

fn check_lifetime(lifetime_ms: u64) -> Result<u64, Refusal> {
    if (1..=LIFETIME_MS_MAX).contains(&lifetime_ms) {
        Ok(lifetime_ms)
    } else {
        Err(refusal(Code::Invalid, format!("a session lives 1 to {LIFETIME_MS_MAX} ms")))
    }
}
