//! A cluster of one replica in memory, for tests. It fails when it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use proto::log::{Command, Proposal, Reply};

use super::Consensus;
use crate::bug::Bugs;
use crate::env::{Instant, watch};
use crate::machine::tables::memory::Memory;
use crate::machine::tables::{StoreError, Tables};
use crate::machine::{Applied, apply};
use crate::raft::{Consistency, Failure, Role, Standing, Status};

/// What the next proposal or linearizable read meets.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It fails, and changes nothing.
    Refused(Failure),
    /// A proposal is applied, and its answer is lost.
    Lost(Failure),
}

#[derive(Clone)]
pub(crate) struct MemoryConsensus {
    shared: Arc<Mutex<Shared>>,
    applied: Arc<watch::Sender<u64>>,
    watched: watch::Receiver<u64>,
    standing: Arc<watch::Sender<Standing>>,
    standings: watch::Receiver<Standing>,
}

#[derive(Default)]
struct Shared {
    tables: Memory,
    index: u64,
    time_ms: u64,
    troubles: VecDeque<Trouble>,
    /// What stale reads see, when this node lags behind.
    behind: Option<(Memory, u64)>,
}

impl MemoryConsensus {
    pub(crate) fn new() -> Self {
        let (applied, watched) = watch::channel(0);
        let (standing, standings) = watch::channel(Standing::Member);
        let (applied, standing) = (Arc::new(applied), Arc::new(standing));
        Self { shared: Arc::default(), applied, watched, standing, standings }
    }

    /// The node is removed from the cluster.
    pub(crate) fn remove(&self) {
        self.standing.send(Standing::Removed);
    }

    fn check_member(&self) -> Result<(), Failure> {
        match self.standing.get() {
            Standing::Member => Ok(()),
            standing => Err(Failure::NotAMember { removed: standing == Standing::Removed }),
        }
    }

    /// The next operation that asks the cluster meets `trouble`.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        self.shared.lock().unwrap().troubles.push_back(trouble);
    }

    pub(crate) fn set_time(&self, time_ms: u64) {
        self.shared.lock().unwrap().time_ms = time_ms;
    }

    /// Stale reads see the state of now, until a linearizable read catches up.
    pub(crate) fn fall_behind(&self) {
        let mut shared = self.shared.lock().unwrap();
        shared.behind = Some((shared.tables.clone(), shared.index));
    }

    /// How many entries the log has.
    pub(crate) fn index(&self) -> u64 {
        self.shared.lock().unwrap().index
    }
}

impl Consensus for MemoryConsensus {
    async fn propose(&self, actor: Vec<u8>, command: Command, _: Instant) -> Result<Reply, Failure> {
        self.check_member()?;
        let (reply, index, lost) = {
            let mut shared = self.shared.lock().unwrap();
            let lost = match shared.troubles.pop_front() {
                Some(Trouble::Refused(failure)) => return Err(failure),
                Some(Trouble::Lost(failure)) => Some(failure),
                None => None,
            };
            let command = prost::Message::encode_to_vec(&command);
            let proposal = Proposal { time_ms: shared.time_ms, actor, command };
            shared.index += 1;
            let index = shared.index;
            let bytes = prost::Message::encode_to_vec(&proposal);
            (
                apply(&mut shared.tables, Applied { index, bugs: Bugs::default() }, &bytes).unwrap(),
                index,
                lost,
            )
        };
        self.applied.send(index);
        lost.map_or(Ok(reply), Err)
    }

    async fn read<T, F>(&self, consistency: Consistency, _: Instant, f: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tables, u64) -> Result<T, StoreError> + Send + 'static,
    {
        self.check_member()?;
        let mut shared = self.shared.lock().unwrap();
        if consistency == Consistency::Linearizable {
            if let Some(Trouble::Refused(failure) | Trouble::Lost(failure)) = shared.troubles.pop_front() {
                return Err(failure);
            }
            shared.behind = None;
        }
        match &shared.behind {
            Some((tables, index)) => Ok(f(tables, *index)?),
            None => Ok(f(&shared.tables, shared.index)?),
        }
    }

    fn applied(&self) -> watch::Receiver<u64> {
        self.watched.clone()
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        self.standings.clone()
    }

    fn status(&self) -> Status {
        let index = self.index();
        Status {
            node: "n1".to_owned(),
            role: Role::Leader,
            standing: self.standing.get(),
            term: 1,
            leader: Some("n1".to_owned()),
            last_log: index,
            committed: index,
            applied: index,
            snapshot: 0,
            purged: 0,
            members: Vec::new(),
            changing: false,
            bugs: Vec::new(),
            uptime_ms: 0,
        }
    }

    async fn digest(&self, at_least: u64, _: bool, _: Instant) -> Result<(u64, String), Failure> {
        let index = self.index();
        if index < at_least {
            let why = format!("index {at_least} is not applied");
            return Err(Failure::ReadUnavailable { why, leader: None });
        }
        Ok((index, format!("{:032x}", self.shared.lock().unwrap().tables.len())))
    }
}
