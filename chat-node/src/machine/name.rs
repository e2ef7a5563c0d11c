//! What a person is called, and what the conversation of two people is called.

use std::fmt;

use proto::chat::Code;
use proto::log::Refusal;

use super::reply::refusal;

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 32;

/// The name of an account: 1 to 32 of `a-z`, `0-9`, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Takes `text` as a name.
    ///
    /// # Errors
    /// A [`Code::Invalid`] that says what a name is.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(refusal(Code::Invalid, "a name is 1 to 32 of a-z, 0-9, '-', '_' and '.'"))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the conversation of two people: `alice:bob`, the names in order. A name holds no colon, so two pairs
/// never share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConversationName(String);

impl ConversationName {
    /// The conversation of `one` and `other`, who may be the same.
    #[must_use]
    pub fn of(one: &Name, other: &Name) -> Self {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        Self(format!("{low}:{high}"))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}
