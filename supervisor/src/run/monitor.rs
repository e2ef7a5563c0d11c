//! Watches who leads, for routing, for the events and for the person at the terminal.
//!
//! What it sees is hearsay: the Raft traces say exactly who led which term.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::event::{Events, RunEvent};
use super::stop::Stop;
use crate::cluster::Cluster;
use crate::system::NodeName;

/// How often every node is asked.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Who leads, as far as is known. Clones share the knowledge.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    leaders: Rc<RefCell<BTreeMap<u64, NodeName>>>,
}

impl Roles {
    /// The leader of the highest term that was seen.
    #[must_use]
    pub fn leader(&self) -> Option<NodeName> {
        self.leaders.borrow().last_key_value().map(|(_, node)| node.clone())
    }

    /// How many leaders were seen of terms after `term`.
    #[must_use]
    pub fn leaders_after(&self, term: u64) -> u64 {
        self.leaders.borrow().range(term.saturating_add(1)..).count() as u64
    }

    /// The highest term that a leader was seen of.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.leaders.borrow().last_key_value().map_or(0, |(term, _)| *term)
    }

    /// Learns that `node` leads `term`; tells whether that is news.
    pub(super) fn learn(&self, term: u64, node: &str) -> bool {
        self.leaders.borrow_mut().insert(term, node.to_owned()).is_none()
    }
}

/// Looks until `stop`.
pub async fn watch_leaders(cluster: Cluster, roles: Roles, events: Events, stop: Stop) {
    loop {
        if let Some((node, term)) = cluster.leader().await
            && roles.learn(term, &node)
        {
            events.emit(RunEvent::Leader { node, term });
        }
        if stop.unless_stopped(tokio::time::sleep(LOOK_INTERVAL)).await.is_none() {
            return;
        }
    }
}
