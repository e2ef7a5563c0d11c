//! Members that do the same: of those that are pending, the one that completes first is placed first.
//!
//! Whoever places another one before it may let the two change places: each is pending where it comes to stand then. That
//! is so for members that must be placed. One that may be left out waits for all that must be placed and complete
//! earlier; among those that never complete and may be left out, the one invoked first is placed first.

use super::Configuration;
use crate::limits::{Budget, Exceeded};
use crate::model::Model;
use crate::search::links::Links;
use crate::search::problem::{Member, Problem, REQUIRED};

/// How many members are looked at for one step.
const MEMBERS_PER_STEP: u64 = 16;

/// The members that must be placed and are not, by class, in the order of invocation.
#[derive(Debug)]
pub(super) struct Twins {
    waiting: Links,
    members: u64,
    classes: u64,
}

impl Twins {
    /// Nothing is placed.
    pub(super) fn new<M: Model>(problem: &Problem<'_, M>) -> Self {
        // The last list is for what waits for nobody.
        let list =
            |member: &Member| member.class.filter(|_| member.list == REQUIRED).unwrap_or(problem.classes);
        let waiting = Links::new(problem.classes + 1, problem.members.iter().map(list));
        Twins { waiting, members: problem.members.len() as u64, classes: problem.classes.into() }
    }

    /// The memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        2 * size_of::<u32>() as u64 * (self.members + self.classes + 1)
    }

    /// A member is placed.
    pub(super) fn take(&mut self, member: u32) {
        self.waiting.take(member);
    }

    /// The member that was placed last is not placed any more.
    pub(super) fn put_back(&mut self, member: u32) {
        self.waiting.put_back(member);
    }

    /// Whether another member is to be placed before this one.
    pub(super) fn hold_back<M: Model>(
        &self,
        problem: &Problem<'_, M>,
        member: u32,
        at: &Configuration,
        budget: &mut Budget<'_>,
    ) -> Result<bool, Exceeded> {
        let own = &problem.members[member as usize];
        let Some(class) = own.class else { return Ok(false) };
        let frontier = problem.members[problem.by_return[at.frontier as usize] as usize].returned;
        let mut other = self.waiting.first(class);
        let mut looked = 0;
        while let Some(twin) =
            other.map(|other| &problem.members[other as usize]).filter(|twin| twin.invoked < frontier)
        {
            looked += 1;
            if twin.returned < own.returned {
                return Ok(true);
            }
            other = other.and_then(|other| self.waiting.after(other));
        }
        budget.spend(looked / MEMBERS_PER_STEP)?;
        Ok(false)
    }
}
