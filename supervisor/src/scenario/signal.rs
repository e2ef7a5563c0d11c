//! Signals by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A signal as the format names it: `KILL`. `SIGKILL` is understood as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signal(pub nix::sys::signal::Signal);

impl Signal {
    /// The signal that no process survives or notices.
    pub const KILL: Self = Self(nix::sys::signal::Signal::SIGKILL);

    /// The names of all signals that this system knows, without `SIG`.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        nix::sys::signal::Signal::iterator().map(|signal| Self(signal).name()).collect()
    }

    fn name(self) -> &'static str {
        let name = self.0.as_str();
        name.strip_prefix("SIG").unwrap_or(name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that is no signal's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a signal; write its name, e.g. KILL or TERM")]
pub struct UnknownSignal(pub String);

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let short = text.strip_prefix("SIG").unwrap_or(text);
        nix::sys::signal::Signal::from_str(&format!("SIG{short}"))
            .map(Self)
            .map_err(|_| UnknownSignal(text.to_owned()))
    }
}

impl TryFrom<String> for Signal {
    type Error = UnknownSignal;

    fn try_from(text: String) -> Result<Self, UnknownSignal> {
        text.parse()
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        signal.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_read_with_and_without_its_prefix() {
        for name in Signal::names() {
            assert_eq!(name.parse::<Signal>().unwrap().to_string(), name);
            assert_eq!(format!("SIG{name}").parse::<Signal>().unwrap().to_string(), name);
        }
        assert_eq!("KILL".parse(), Ok(Signal::KILL));
        assert_eq!("kill".parse::<Signal>(), Err(UnknownSignal("kill".to_owned())));
    }
}
