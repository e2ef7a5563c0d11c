//! Starting nodes, for the first time or again.
//!
//! Whoever starts a node holds its lock: two starts at once would be two processes on one data directory.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;

use super::life::{ExpectedExits, Life};
use super::{Cluster, Comeback, ExpectedExit, NodeState};
use crate::harness::HarnessFailure;
use crate::process::{NodeProcess, describe_exit};
use crate::run::event::RunEvent;
use crate::system::{Beginning, NodeSpec};

/// How long it may take, after a process has closed its stdout, to learn that it has ended.
const EXIT_NOTICE_WAIT: Duration = Duration::from_millis(500);

impl Cluster {
    /// Starts every node. They find each other once the last of them listens.
    pub async fn start_all(&self) -> Result<(), HarnessFailure> {
        let started = join_all(self.members().iter().map(|name| self.start(name))).await;
        started.into_iter().collect()
    }

    /// Starts a node that has no process, and tells the others where it is.
    ///
    /// # Errors
    /// [`HarnessFailure::Start`] if it does not come to listen; then it has no process again.
    pub async fn start(&self, name: &str) -> Result<(), HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        self.start_alone(name).await
    }

    /// Makes the node run, whatever state it is in: lets it go on, or starts it.
    pub async fn revive(&self, name: &str) -> Result<(), HarnessFailure> {
        let node = self.node(name);
        let _starting = node.starting.lock().await;
        match (self.state(name), node.living()) {
            (NodeState::Running, _) => Ok(()),
            (NodeState::Paused, Some(life)) => life.let_go(),
            (NodeState::Starting, Some(life)) => {
                // Whoever started it has given up on it.
                life.expect_exit();
                life.process.destroy().await?;
                self.start_alone(name).await
            }
            _ => self.start_alone(name).await,
        }
    }

    /// Starts a node again that was struck in its life `generation`, unless somebody else has done it since. A
    /// process that has survived is ended first.
    pub async fn bring_back(&self, name: &str, generation: u32) -> Result<Comeback, HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        if !self.is_member(name) {
            return Ok(Comeback::Gone);
        }
        if self.generation(name) != generation {
            return Ok(Comeback::AlreadyBack);
        }
        let survived = self.state(name) != NodeState::Dead;
        if survived {
            self.stop(name).await?;
        }
        self.start_alone(name).await?;
        Ok(if survived { Comeback::Replaced } else { Comeback::Started })
    }

    /// The same, for a node that may refuse to start by ending with `code`.
    pub async fn bring_back_or_refuse(
        &self,
        name: &str,
        generation: u32,
        code: i32,
    ) -> Result<Comeback, HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        if !self.is_member(name) {
            return Ok(Comeback::Gone);
        }
        if self.generation(name) != generation {
            return Ok(Comeback::AlreadyBack);
        }
        let expected = ExpectedExit::Code(code);
        let started = self.start_expecting(name, Some(expected)).await;
        let ended = self.node(name).life.borrow().as_ref().and_then(|life| life.process.exit_status());
        match started {
            Ok(()) => {
                self.expect_exit_no_more(name, expected);
                Ok(Comeback::Started)
            }
            Err(HarnessFailure::Start { .. }) if ended.is_some_and(|status| status.code() == Some(code)) => {
                Ok(Comeback::Refused)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Starts a node; the caller holds its lock.
    async fn start_alone(&self, name: &str) -> Result<(), HarnessFailure> {
        self.start_expecting(name, None).await
    }

    async fn start_expecting(&self, name: &str, exit: Option<ExpectedExit>) -> Result<(), HarnessFailure> {
        assert_eq!(self.state(name), NodeState::Dead, "{name} is started while it has a process");
        let node = self.node(name);
        let generation = self.generation(name) + 1;
        let expected = ExpectedExits::default();
        exit.into_iter().for_each(|exit| expected.add(exit));
        let on_exit = {
            let (events, owner, expected) = (self.inner.events.clone(), name.to_owned(), expected.clone());
            let network = self.network().clone();
            move |status| {
                network.node_is_gone(&owner);
                let expected = expected.have(status);
                let status = describe_exit(status);
                events.emit(RunEvent::NodeExited { node: owner, status, expected });
            }
        };
        let arguments = self.inner.system.node_arguments(&self.spec(name, generation)?);
        let log = self.directory_of(name).join("log.jsonl");
        let binary = &self.inner.settings.programs.of(name);
        let (process, announcement) = NodeProcess::spawn(name, binary, arguments, &log, on_exit)?;
        let life = Rc::new(Life::new(process, generation, expected));
        *node.life.borrow_mut() = Some(Rc::clone(&life));
        let listening = match announcement.listening().await {
            Ok(listening) => listening,
            Err(failure) => {
                // One that has not ended by itself is ended by us.
                if life.process.ended(EXIT_NOTICE_WAIT).await.is_none() {
                    life.expect_exit();
                    life.process.destroy().await?;
                }
                return Err(failure);
            }
        };
        life.listens.set(true);
        node.peer_address.set(Some(listening.peer_listen));
        let opened = self.network().node_listens(name, &listening);
        opened.map_err(|source| HarnessFailure::Network { source })?;
        self.inner.system.directory().set(name, self.network().addresses(name, &listening));
        self.inner.events.emit(RunEvent::NodeStarted {
            node: name.to_owned(),
            pid: life.process.pid(),
            generation,
            listen: listening.listen.to_string(),
            peer_listen: listening.peer_listen.to_string(),
        });
        self.write_peer_tables()
    }

    fn spec(&self, name: &str, generation: u32) -> Result<NodeSpec, HarnessFailure> {
        let settings = &self.inner.settings;
        let directory = self.directory_of(name);
        let data_dir = directory.join("data");
        let is_new = generation == 1 && !(settings.resume && data_dir.is_dir());
        let beginning = match (is_new, settings.founders.iter().any(|founder| founder == name)) {
            (true, true) => Beginning::Founding,
            (true, false) => Beginning::Joining,
            (false, _) => Beginning::Again,
        };
        let peers_file = self.write_peer_table(name)?;
        let host = self.network().host(name);
        let local = |port| SocketAddr::from((host, port));
        Ok(NodeSpec {
            name: name.to_owned(),
            founders: settings.founders.clone(),
            listen: local(settings.client_ports.get(name).copied().unwrap_or(0)),
            peer_listen: local(0),
            peer_bind: self.network().source(name),
            peers_file,
            data_dir,
            trace_file: self.trace_file(name),
            beginning,
            disk: settings.disk,
            clock: settings.clock,
            config: settings.config.clone(),
            inject_bug: settings.inject_bug.clone(),
        })
    }
}
