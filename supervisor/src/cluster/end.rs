//! Ending nodes, holding them, and what is known of the ends of their processes.

use std::fs;
use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::Signal;

use super::{Cluster, ExpectedExit};
use crate::harness::HarnessFailure;
use crate::nemesis::Effect;
use crate::run::event::RunEvent;
use crate::scenario::count::Count;
use crate::scenario::plan::DiskKind;
use crate::scenario::unit::Size;

/// The file in which a node with a volatile disk says, in 8 bytes, the lowest first, how many bytes are not synced.
const UNSYNCED: &str = "unsynced";

/// How long a graceful stop may take before it becomes a kill.
const STOP_WAIT_MAX: Duration = Duration::from_secs(10);

impl Cluster {
    /// This end of the node's process, if it comes, is our doing.
    pub fn expect_exit(&self, name: &str, expected: ExpectedExit) {
        if let Some(life) = self.node(name).living() {
            life.expect(expected);
        }
    }

    /// It is not any more, as far as one fault goes.
    pub fn expect_exit_no_more(&self, name: &str, expected: ExpectedExit) {
        if let Some(life) = self.node(name).living() {
            life.expect_no_more(expected);
        }
    }

    /// The testbed itself has ended, or asked to end, the newest process of a node.
    #[must_use]
    pub fn was_ended(&self, name: &str) -> bool {
        self.node(name).life.borrow().as_ref().is_some_and(|life| life.was_ended())
    }

    /// The exit code of a node's newest process, if it has ended with one.
    #[must_use]
    pub fn exit_code(&self, name: &str) -> Option<i32> {
        self.node(name).life.borrow().as_ref()?.process.exit_status()?.code()
    }

    /// Waits until the life `generation` of a node has ended, at most `limit`; tells whether it has.
    pub async fn ended(&self, name: &str, generation: u32, limit: Duration) -> bool {
        match self.node(name).living().filter(|life| life.generation == generation) {
            Some(life) => life.process.ended(limit).await.is_some(),
            None => true,
        }
    }

    /// Ends a node at once and removes all that it has stored. It is never started again: its name may have voted.
    pub async fn wipe(&self, name: &str) -> Result<(), HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        self.kill(name, Signal::SIGKILL).await?;
        self.give_up(name, "its disk was wiped");
        let data = self.data_dir(name);
        fs::remove_dir_all(&data).map_err(HarnessFailure::file("remove", &data))
    }

    /// What a node that has just ended had written and not synced, which is lost if its disk is a volatile one.
    #[must_use]
    pub fn unsynced_effect(&self, name: &str) -> Effect {
        if self.inner.settings.disk != DiskKind::Volatile || self.living_generation(name).is_some() {
            return Effect::default();
        }
        let bytes = fs::read(self.data_dir(name).join(UNSYNCED)).ok();
        let lost = bytes.and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?))).unwrap_or(0);
        Effect::of(
            format!("{name} lost {} that it had not synced", Size(lost)),
            &[(Count::UnsyncedBytesDropped, lost)],
        )
    }

    /// Sends `signal` to the node's process as a fault that may end it. SIGKILL is waited for.
    pub async fn kill(&self, name: &str, signal: Signal) -> Result<(), HarnessFailure> {
        let Some(life) = self.node(name).living() else { return Ok(()) };
        if signal == Signal::SIGTERM {
            life.expect_stop();
        } else {
            life.expect_exit();
        }
        if signal == Signal::SIGKILL { life.process.destroy().await } else { life.process.signal(signal) }
    }

    /// Stops the node's process where it stands. Pauses add up: see [`Cluster::resume`].
    pub fn pause(&self, name: &str) -> Result<(), HarnessFailure> {
        self.node(name).living().map_or(Ok(()), |life| life.pause())
    }

    /// Takes back one pause of the life `generation`; the process goes on when it was the last. Tells whether that
    /// life still goes on.
    pub fn resume(&self, name: &str, generation: u32) -> Result<bool, HarnessFailure> {
        match self.node(name).living().filter(|life| life.generation == generation) {
            Some(life) => life.unpause().map(|()| true),
            None => Ok(false),
        }
    }

    /// Asks the node to stop, and kills it when it does not within its limit, which is noted.
    pub async fn stop(&self, name: &str) -> Result<(), HarnessFailure> {
        let Some(life) = self.node(name).living() else { return Ok(()) };
        life.expect_stop();
        life.process.signal(Signal::SIGTERM)?;
        // A paused process does not hear it otherwise.
        life.let_go()?;
        if life.process.ended(STOP_WAIT_MAX).await.is_some() {
            return Ok(());
        }
        let text = format!(
            "{name} did not stop within stop_wait_max = {} s and was killed",
            STOP_WAIT_MAX.as_secs()
        );
        self.inner.events.emit(RunEvent::Note { text });
        life.expect_exit();
        life.process.destroy().await
    }

    /// Ends every process, gracefully where it is willing. All at once: one after the other, the last ones would wait
    /// for a majority that is gone.
    pub async fn stop_all(&self) -> Result<(), HarnessFailure> {
        let stopped = join_all(self.inner.nodes.keys().map(|name| self.stop(name))).await;
        stopped.into_iter().collect()
    }
}
