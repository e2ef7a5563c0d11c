//! Steps: what is done in order, each when the one before it is over.
//!
//! As with verbs, there are three forms: as said (`scenario::file`), as planned (here; `plan.yaml` is this type in YAML)
//! and as carried out (`nemesis::steps`). What is left open is whom a target means, and how long it takes until a
//! condition has come about.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::target::Target;
use super::unit::{self, Time};
use super::verb::{End, Verb};

/// The program that a node runs when nothing else is said: the supervisor's own, or that of `--node-binary`.
pub const DEFAULT_BINARY: &str = "default";

/// How long a condition may take to come about, where nothing is said.
pub const WITHIN_DEFAULT: Duration = Duration::from_secs(10);

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// Its name, which no other step has.
    pub name: String,
    /// What is done.
    #[serde(rename = "do", with = "serde_yaml::with::singleton_map")]
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A fault strikes. The next step begins while it stands.
    Strike(StepStrike),
    /// Nothing, for so long.
    Wait(#[serde(with = "unit::duration")] Duration),
    /// Nothing, until something has come about.
    WaitFor(WaitFor),
    /// Something must be so now, or be seen to be within two seconds.
    Assert(#[serde(with = "serde_yaml::with::singleton_map")] Condition),
    /// Nodes go on with another program.
    Upgrade(Upgrade),
    /// Nodes are restarted, one after the other.
    RollingRestart(RollingRestart),
    /// Nodes are stopped gracefully.
    Stop(Target),
    /// Nodes that a step has stopped are started again.
    Start(Stopped),
    /// Faults of earlier steps are lifted.
    Heal(Healed),
}

/// A fault of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StepStrike {
    /// For how long; `None`: until a step heals it or the load ends, or, where the verb says so, until it is carried out.
    #[serde(with = "unit::optional_duration", rename = "for")]
    pub lasts: Option<Duration>,
    /// What.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub verb: Verb,
}

/// A condition that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WaitFor {
    /// What.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub condition: Condition,
    /// How long at most.
    #[serde(with = "unit::duration")]
    pub within: Duration,
}

/// Something that can be so or not. Counts are counted from the end of the warm-up, and mean `at least`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// A node leads, and a majority of all members follows it.
    Leader,
    /// So many new leaders were seen.
    LeaderChanges(u64),
    /// These nodes have applied all that any node had when the step began. Named nodes must be up for it.
    CaughtUp(Target),
    /// So many operations were completed.
    Operations(u64),
    /// So many times a node replaced its state by a snapshot that a leader sent.
    SnapshotInstalled(u64),
    /// The leader knows exactly so many members that vote.
    Members(u64),
}

impl Condition {
    /// Its word: `leader-changes`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::LeaderChanges(_) => "leader-changes",
            Self::CaughtUp(_) => "caught-up",
            Self::Operations(_) => "operations",
            Self::SnapshotInstalled(_) => "snapshot-installed",
            Self::Members(_) => "members",
        }
    }

    /// Whether a cluster of which a majority is up and connected owes it to us. What it does not owe depends on how much
    /// the clients asked and what the faults left to do; waiting for it in vain proves nothing.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        match self {
            Self::Leader | Self::LeaderChanges(_) | Self::CaughtUp(_) | Self::Members(_) => true,
            Self::Operations(_) | Self::SnapshotInstalled(_) => false,
        }
    }
}

/// Nodes that go on with another program. Each is stopped gracefully and started again; whoever leads comes last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Upgrade {
    /// Whom.
    pub target: Target,
    /// The name of the program.
    pub binary: String,
    /// Each waits until the one before it has caught up; otherwise all are stopped at once.
    pub one_at_a_time: bool,
}

/// Nodes that are restarted one after the other, each when the one before it has caught up; whoever leads comes last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RollingRestart {
    /// Whom.
    pub target: Target,
}

/// Nodes that steps have stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Stopped {
    /// All of them.
    All,
    /// These.
    Named(Vec<String>),
}

/// Faults that steps have inflicted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Healed {
    /// All that stand.
    All,
    /// That of this step.
    Named(String),
}

/// The word for every stopped node.
const ALL_STOPPED: &str = "all-stopped";

/// The word for every fault.
pub(crate) const ALL: &str = "all";

impl FromStr for Stopped {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            (ALL_STOPPED, _) => Ok(Self::All),
            (_, Ok(Target::Named(nodes))) => Ok(Self::Named(nodes)),
            _ => Err(format!("`{text}` is no node; write {ALL_STOPPED}, n3 or [n1, n3]")),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad(ALL_STOPPED),
            Self::Named(nodes) => f.pad(&nodes.join(",")),
        }
    }
}

impl TryFrom<String> for Stopped {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Stopped> for String {
    fn from(stopped: Stopped) -> Self {
        stopped.to_string()
    }
}

impl From<String> for Healed {
    fn from(text: String) -> Self {
        if text == ALL { Self::All } else { Self::Named(text) }
    }
}

impl From<Healed> for String {
    fn from(healed: Healed) -> Self {
        healed.to_string()
    }
}

impl fmt::Display for Healed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad(ALL),
            Self::Named(name) => f.pad(name),
        }
    }
}

impl Action {
    /// Its word in scenarios: that of the verb, or of the step.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Strike(strike) => strike.verb.name(),
            Self::Wait(_) => "wait",
            Self::WaitFor(_) => "wait-for",
            Self::Assert(_) => "assert",
            Self::Upgrade(_) => "upgrade",
            Self::RollingRestart(_) => "rolling-restart",
            Self::Stop(_) => "stop",
            Self::Start(_) => "start",
            Self::Heal(_) => "heal",
        }
    }

    /// What it inflicts on the cluster, if that is a verb.
    #[must_use]
    pub fn verb(&self) -> Option<&Verb> {
        match self {
            Self::Strike(strike) => Some(&strike.verb),
            _ => None,
        }
    }

    /// Whether something can stand when it is over that `heal` lifts.
    #[must_use]
    pub fn can_be_healed(&self) -> bool {
        matches!(self, Self::Strike(strike) if strike.lasts.is_some() || strike.verb.end() == End::AtHeal)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strike(StepStrike { lasts, verb }) => f.write_str(&verb.describe(*lasts)),
            Self::Wait(length) => write!(f, "wait {}", Time(*length)),
            Self::WaitFor(WaitFor { condition, within }) => {
                write!(f, "wait for {condition}, at most {}", Time(*within))
            }
            Self::Assert(condition) => write!(f, "assert {condition}"),
            Self::Upgrade(Upgrade { target, binary, one_at_a_time }) => {
                let how = if *one_at_a_time { "one at a time, the leader last" } else { "all at once" };
                write!(f, "upgrade {target} to {binary}, {how}")
            }
            Self::RollingRestart(RollingRestart { target }) => {
                write!(f, "restart {target}, one at a time, the leader last")
            }
            Self::Stop(target) => write!(f, "stop {target}"),
            Self::Start(nodes) => write!(f, "start {nodes}"),
            Self::Heal(what) => write!(f, "heal {what}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leader => f.write_str("a leader that a majority follows"),
            Self::LeaderChanges(number) => write!(f, "leader changes: {number}"),
            Self::CaughtUp(target) => write!(f, "{target} to have caught up"),
            Self::Operations(number) => write!(f, "operations: {number}"),
            Self::SnapshotInstalled(number) => write!(f, "installed snapshots: {number}"),
            Self::Members(number) => write!(f, "{number} members that vote"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["all-stopped", "n3", "n1,n3"] {
            let stopped: Stopped = text.parse().unwrap();
            assert_eq!(stopped.to_string(), text);
        }
        for text in ["leader", "random:2", "", "all"] {
            let error = text.parse::<Stopped>().unwrap_err();
            assert_eq!(error, format!("`{text}` is no node; write all-stopped, n3 or [n1, n3]"));
        }
        assert_eq!(Healed::from("all".to_owned()), Healed::All);
        assert_eq!(String::from(Healed::from("step-1-kill".to_owned())), "step-1-kill");
    }

    #[test]
    fn only_what_stands_can_be_healed() {
        let action = |yaml: &str| serde_yaml::from_str::<Step>(yaml).unwrap().action;
        let kill =
            action("name: x\ndo: { strike: { for: null, verb: { kill: { target: n1, signal: KILL } } } }");
        assert!(kill.can_be_healed());
        let restart = action("name: x\ndo: { strike: { for: null, verb: { restart: { target: n1 } } } }");
        assert!(!restart.can_be_healed());
        assert!(!action("name: x\ndo: { stop: n1 }").can_be_healed());
    }
}
