//! What is done inside a node: its clocks, its disk, and the points at which it crashes.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scenario::target::Target;
use crate::scenario::unit::{self, Drift, Offset, Time};

/// A node's clocks are wrong until the strike is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Clock {
    /// Whose.
    pub target: Target,
    /// The wall clock is off by so much.
    #[serde(with = "unit::optional_text")]
    pub jump: Option<Offset>,
    /// The clock of timers jumps ahead by so much, once.
    #[serde(with = "unit::optional_duration")]
    pub timers: Option<Duration>,
    /// Both run faster or slower.
    #[serde(with = "unit::optional_text")]
    pub drift: Option<Drift>,
    /// The wall clock jumps by so much and back.
    #[serde(with = "unit::optional_text")]
    pub strobe: Option<Offset>,
    /// How often it does.
    #[serde(with = "unit::duration")]
    pub strobe_every: Duration,
}

/// Something is wrong with a node's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Disk {
    /// Whose.
    pub target: Target,
    /// What.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub fault: DiskVerb,
}

/// See [`Disk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskVerb {
    /// The power fails: the node is gone, and what it did not sync is lost, as is told here. It is started again when
    /// the strike is over.
    PowerLoss(Loss),
    /// So many bits of the node's files change while it is down.
    BitFlip(u32),
    /// Calls fail. A node must end then; it is started again when the strike is over.
    IoError(Call),
    /// There is no space left for what is written. A node must end then; it is started again when the strike is over.
    Full,
    /// Each sync takes so much longer.
    Slow(#[serde(with = "unit::duration")] Duration),
    /// No sync returns until the strike is over.
    Stuck,
}

/// What a power failure leaves of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Nothing.
    All,
    /// Some sectors are there, in no order.
    Some,
    /// What was written is there up to one write, of which a part is.
    Torn,
}

/// A kind of calls to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Syncs.
    Sync,
}

/// A node ends, as by kill -9, when it comes to a point of its code; it is started again when the strike is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Crash {
    /// Whom.
    pub target: Target,
    /// Where, by a name of the system under test.
    pub at: String,
    /// How often it passes that point before.
    pub skip: u32,
}

impl DiskVerb {
    /// Calls to the disk fail, so that the node must end.
    #[must_use]
    pub fn fails(self) -> bool {
        matches!(self, Self::IoError(_) | Self::Full)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, jump, timers, drift, strobe, strobe_every } = self;
        let effects = [
            jump.map(|jump| format!("wall clock {jump:+}")),
            timers.map(|timers| format!("timers +{}", Time(timers))),
            drift.map(|drift| format!("drift {drift:+}")),
            strobe.map(|strobe| format!("strobe {strobe:+} every {}", Time(*strobe_every))),
        ];
        write!(f, "clock of {target}: {}", effects.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = &self.target;
        match self.fault {
            DiskVerb::PowerLoss(Loss::All) => write!(f, "power failure of {target}"),
            DiskVerb::PowerLoss(Loss::Some) => write!(f, "power failure of {target}, some sectors are kept"),
            DiskVerb::PowerLoss(Loss::Torn) => write!(f, "power failure of {target}, a write is torn"),
            DiskVerb::BitFlip(1) => write!(f, "flip a bit on the disk of {target}"),
            DiskVerb::BitFlip(bits) => write!(f, "flip {bits} bits on the disk of {target}"),
            DiskVerb::IoError(Call::Read) => write!(f, "reads from the disk of {target} fail"),
            DiskVerb::IoError(Call::Write) => write!(f, "writes to the disk of {target} fail"),
            DiskVerb::IoError(Call::Sync) => write!(f, "syncs of the disk of {target} fail"),
            DiskVerb::Full => write!(f, "the disk of {target} is full"),
            DiskVerb::Slow(by) => write!(f, "the disk of {target} takes {} more to sync", Time(by)),
            DiskVerb::Stuck => write!(f, "the disk of {target} is stuck"),
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crash {} at {}", self.target, self.at)?;
        if self.skip > 0 { write!(f, " after {} times", self.skip) } else { Ok(()) }
    }
}
