//! An order that the answers determine, against real time.
//!
//! Some operations are *links*: each belongs to a phase, and within a phase they are ranked; those of one rank may be in
//! any order, and by their invocation is as good as any. Others *float*: they only have to come after the links of all
//! phases before their own. A chain agrees with real time exactly if no link or floating operation returned before one
//! that must come in front of it was invoked: then each can take effect at the latest invocation in front of it, or at
//! its own. That is one pass.

use crate::limits::{Budget, Exceeded};
use crate::model::Operation;

use super::returned;

/// Operations, by position, in the order that the answers determine.
#[derive(Debug, Default)]
pub struct Chain {
    links: Vec<Place>,
    floating: Vec<Place>,
}

/// Where an operation belongs: the order of the fields is the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    phase: u64,
    rank: u8,
    invoked: u32,
    operation: usize,
}

/// Two operations that the answers put into one order and real time into the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The one that must come later, and returned first.
    pub early: usize,
    /// The one that must come in front of it, and was invoked after that.
    pub late: usize,
}

impl Chain {
    /// Adds an operation that belongs into a phase.
    pub fn link<I, O>(&mut self, operations: &[Operation<I, O>], phase: u64, rank: u8, operation: usize) {
        self.links.push(Place { phase, rank, invoked: operations[operation].invoked, operation });
    }

    /// Adds an operation that may come at any time after the phases before `phase`.
    pub fn float<I, O>(&mut self, operations: &[Operation<I, O>], phase: u64, operation: usize) {
        self.floating.push(Place { phase, rank: 0, invoked: operations[operation].invoked, operation });
    }

    /// The operations in an order that agrees with the chain and with real time, or two that show that there is none.
    ///
    /// # Errors
    /// If a limit was hit.
    pub fn order<I, O>(
        mut self,
        operations: &[Operation<I, O>],
        budget: &mut Budget<'_>,
    ) -> Result<Result<Vec<usize>, Conflict>, Exceeded> {
        let count = self.links.len() + self.floating.len();
        budget.spend(count as u64)?;
        budget.allocate((count * (size_of::<Place>() + size_of::<(u32, usize, usize)>())) as u64)?;
        self.links.sort_unstable();
        // For each link, the one invoked last of it and all in front of it.
        let mut latest: Vec<usize> = Vec::with_capacity(self.links.len());
        for link in &self.links {
            let late = latest.last().copied().unwrap_or(link.operation);
            if returned(&operations[link.operation]) < operations[late].invoked {
                return Ok(Err(Conflict { early: link.operation, late }));
            }
            let is_later = link.invoked > operations[late].invoked;
            latest.push(if is_later { link.operation } else { late });
        }
        // When each takes effect, and in front of which link it stands if that is at the same moment.
        let moments = latest.iter().zip(&self.links).enumerate();
        let mut placed: Vec<(u32, usize, usize)> = moments
            .map(|(number, (late, link))| (operations[*late].invoked, number, link.operation))
            .collect();
        for floating in &self.floating {
            let number = self.links.partition_point(|link| link.phase < floating.phase);
            let late = number.checked_sub(1).map_or(floating.operation, |last| latest[last]);
            if returned(&operations[floating.operation]) < operations[late].invoked {
                return Ok(Err(Conflict { early: floating.operation, late }));
            }
            placed.push((operations[late].invoked.max(floating.invoked), number, floating.operation));
        }
        placed.sort_unstable();
        Ok(Ok(placed.into_iter().map(|(_, _, operation)| operation).collect()))
    }
}
