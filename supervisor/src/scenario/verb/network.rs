//! What is done to the links between nodes, and between clients and nodes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fabric::shape::Shape;
use crate::fabric::{Delay, Distribution};
use crate::scenario::target::{Target, UnknownTarget};
use crate::scenario::unit::{self, Bandwidth, Chance, Time};

/// Nodes that do not hear each other: silence, in which nothing arrives and nothing is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Partition {
    /// Who is cut from whom.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub shape: Shape,
    /// Only what the first side sends is lost; it still hears the other.
    pub one_way: bool,
}

/// Something that is wrong with all links from one party to another, in this direction only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Network {
    /// Who sends.
    pub from: Party,
    /// Who receives.
    pub to: Party,
    /// Bytes come late.
    #[serde(deserialize_with = "Option::deserialize")]
    pub lag: Option<Lag>,
    /// So many bytes a second, on each link.
    #[serde(with = "unit::optional_text")]
    pub rate: Option<Bandwidth>,
    /// Single packets are lost; only the kernel's network can do that.
    #[serde(with = "unit::optional_text")]
    pub loss: Option<Chance>,
    /// Bytes are kept, and come in one burst when the strike is over.
    pub hold: bool,
    /// Bytes vanish.
    pub black_hole: bool,
    /// Connections are reset, once.
    pub reset: bool,
}

/// How late bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lag {
    /// The middle.
    #[serde(with = "unit::duration")]
    pub delay: Duration,
    /// How far from it.
    #[serde(with = "unit::duration")]
    pub jitter: Duration,
    /// How the delays are spread.
    pub distribution: Distribution,
}

impl From<Lag> for Delay {
    fn from(Lag { delay, jitter, distribution }: Lag) -> Self {
        Self { base: delay, jitter, distribution }
    }
}

/// One end of links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Party {
    /// All clients of the workload.
    Clients,
    /// These nodes.
    Nodes(Target),
}

impl Network {
    /// Nothing of it stands: it happens once.
    #[must_use]
    pub fn is_momentary(&self) -> bool {
        let stands = self.lag.is_some() || self.rate.is_some() || self.loss.is_some();
        self.reset && !stands && !self.hold && !self.black_hole
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {}{}", self.shape, if self.one_way { ", one way" } else { "" })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, lag, rate, loss, hold, black_hole, reset } = self;
        let mut effects = Vec::new();
        if let Some(Lag { delay, jitter, .. }) = lag {
            let around = if jitter.is_zero() { String::new() } else { format!(" ± {}", Time(*jitter)) };
            effects.push(format!("delay {}{around}", Time(*delay)));
        }
        if let Some(rate) = rate {
            effects.push(format!("limit to {rate}"));
        }
        let flags = [(*hold, "hold"), (*black_hole, "lose"), (*reset, "reset")];
        effects.extend(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, word)| (*word).to_owned()));
        effects.extend(loss.map(|loss| format!("lose {loss} of")));
        write!(f, "{} what {from} sends to {to}", effects.join(" and "))
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clients => f.pad("clients"),
            Self::Nodes(target) => target.fmt(f),
        }
    }
}

impl FromStr for Party {
    type Err = UnknownTarget;

    /// Reads `clients`, or a target.
    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        if text == "clients" { Ok(Self::Clients) } else { text.parse().map(Self::Nodes) }
    }
}

impl TryFrom<String> for Party {
    type Error = UnknownTarget;

    fn try_from(text: String) -> Result<Self, UnknownTarget> {
        text.parse()
    }
}

impl From<Party> for String {
    fn from(party: Party) -> Self {
        party.to_string()
    }
}
