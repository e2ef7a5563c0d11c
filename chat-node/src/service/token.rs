//! Tokens: 256 random bits that stand for a session.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::ServiceError;
use crate::env::Env;
use crate::machine::session::TokenHash;

const TOKEN_BYTES: usize = 32;

/// A token. Only its hash leaves the node that made it, except to its owner.
pub(super) struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// A token that nobody else has.
    pub(super) fn draw(env: &Env) -> Self {
        Self(env.random())
    }

    /// Takes 64 hexadecimal digits as a token. Anything else is the token of no session.
    pub(super) fn parse(text: &str) -> Result<Self, ServiceError> {
        let mut bytes = [0; TOKEN_BYTES];
        if text.len() != 2 * TOKEN_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ServiceError::not_authenticated());
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = &text[2 * at..2 * at + 2];
            *byte = u8::from_str_radix(digits, 16).expect("two hexadecimal digits are a byte");
        }
        Ok(Self(bytes))
    }

    /// What the cluster knows of it. A token is drawn from 2^256, so a plain hash cannot be searched for it.
    pub(super) fn hash(&self) -> TokenHash {
        Sha256::digest(self.0).into()
    }

    /// The 64 digits that its owner keeps.
    pub(super) fn into_text(self) -> String {
        self.0.iter().fold(String::with_capacity(2 * TOKEN_BYTES), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes all that is written");
            text
        })
    }
}
