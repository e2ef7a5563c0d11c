//! A direction in which bytes travel.

use std::fmt;

use crate::system::NodeName;

/// The bytes that one party sends to another, whichever of the two has opened the connection.
///
/// Between nodes `a` and `b` there are two edges, and two links: `a` opens connections on one, `b` on the other. The
/// bytes of the edge `a→b` go forward on the first link and backward on the second.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// Who sends: a node, or a client.
    pub from: NodeName,
    /// Who receives.
    pub to: NodeName,
}

impl Edge {
    /// The edge `from→to`.
    #[must_use]
    pub fn new(from: &str, to: &str) -> Self {
        Self { from: from.to_owned(), to: to.to_owned() }
    }

    /// The other direction.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone() }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}→{}", self.from, self.to))
    }
}
