//! What the nemesis did, and when: the background before which an anomaly is told.

use super::datum::Datum;
use super::operation::Moment;
use super::symbol::Symbol;

/// A fault and its window of time.
///
/// In a history it is a pair of `info` lines of the process `nemesis` with the same `f` and `key`: the first
/// when the fault was put in place, the second, with its effect, when it was lifted. A fault without a second
/// line lasts until the end. A third line with the same `f` and `key` begins the next fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The verb: `kill`, `pause`, `partition`.
    pub f: Symbol,
    /// The name of this strike, which pairs its two lines when faults of a kind overlap.
    pub key: Option<Symbol>,
    /// The nodes it struck, as resolved when it fired. The second line may correct them.
    pub nodes: Box<[Symbol]>,
    /// When it was put in place.
    pub began: Moment,
    /// When it was lifted; `None` if the history ends before.
    pub ended: Option<Moment>,
    /// What the first line said.
    pub value: Datum,
    /// What the second line said.
    pub effect: Datum,
}

/// One line of the nemesis: the beginning or the end of a [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultLine {
    /// The verb.
    pub f: Symbol,
    /// The name of the strike.
    pub key: Option<Symbol>,
    /// The nodes struck; empty if the line does not say.
    pub nodes: Box<[Symbol]>,
    /// The line's value.
    pub value: Datum,
}
