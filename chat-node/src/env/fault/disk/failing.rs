//! A disk whose calls fail, or wait, as it is told.
//!
//! A call that fails does nothing; one that waits does its work when it may go on. Database files, plain files and
//! snapshots are struck alike:
//!
//! | fault | strikes |
//! |---|---|
//! | `fail_reads` | reads of bytes |
//! | `fail_writes` | writes, changes of a length, new files, renames, removals |
//! | `full` | writes, lengths that grow, new files |
//! | `fail_syncs`, `slow_sync`, `stuck_sync` | syncs of files, and of the directory in a rename |
//!
//! # What it does not do
//! * Opening and listing never fail. Opening a database never does either, so a node with faults can be started.
//! * A sync that failed has kept nothing back: over a plain disk, what was written is still on its way.
//! * A sync waits on the host's clock, in the thread that called it. In a simulation that owns time it would wait for
//!   real.

use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use redb::StorageBackend;

use crate::env::Disk;
use crate::env::disk::DiskFile;

/// What is wrong with the disk. The default is: nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskFault {
    /// Reads fail with EIO.
    pub fail_reads: bool,
    /// Writes fail with EIO.
    pub fail_writes: bool,
    /// Syncs fail with EIO.
    pub fail_syncs: bool,
    /// Writes fail with ENOSPC.
    pub full: bool,
    /// How much longer each sync takes.
    pub slow_sync: Duration,
    /// No sync returns.
    pub stuck_sync: bool,
}

/// Says what is wrong with a disk, and counts what it struck.
#[derive(Debug, Default)]
pub(super) struct Switch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    fault: DiskFault,
    struck: u64,
    /// Nothing is wrong any more, for ever, and what waited never goes on.
    retired: bool,
}

impl Switch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing that runs under this lock can panic")
    }

    /// Replaces what is wrong, and returns how many calls were struck up to now.
    pub(super) fn set(&self, fault: DiskFault) -> u64 {
        let mut state = self.state();
        if !state.retired {
            state.fault = fault;
        }
        self.changed.notify_all();
        state.struck
    }

    /// Nothing is wrong from now on, whatever is set; but what waits, waits for ever. The power is about to be cut, and
    /// a sync that was stuck must not slip through before.
    pub(super) fn retire(&self) {
        let mut state = self.state();
        state.retired = true;
        state.fault = DiskFault::default();
    }

    fn fails(&self, with: Errno, wrong: impl FnOnce(&DiskFault) -> bool) -> io::Result<()> {
        let mut state = self.state();
        if !wrong(&state.fault) {
            return Ok(());
        }
        state.struck += 1;
        Err(with.into())
    }

    fn read(&self) -> io::Result<()> {
        self.fails(Errno::EIO, |fault| fault.fail_reads)
    }

    /// A change that takes no room.
    fn change(&self) -> io::Result<()> {
        self.fails(Errno::EIO, |fault| fault.fail_writes)
    }

    /// A change that takes room.
    fn write(&self) -> io::Result<()> {
        self.change()?;
        self.fails(Errno::ENOSPC, |fault| fault.full)
    }

    /// Waits as long as syncs have to.
    #[expect(clippy::disallowed_methods, reason = "a fault of the disk is not one of the node's clocks")]
    fn sync(&self) -> io::Result<()> {
        let begun = Instant::now();
        let mut waited = false;
        let mut state = self.state();
        let poisoned = "nothing that runs under this lock can panic";
        loop {
            while waited && state.retired {
                state = self.changed.wait(state).expect(poisoned);
            }
            let fault = state.fault;
            if fault.fail_syncs {
                state.struck += u64::from(!waited);
                return Err(Errno::EIO.into());
            }
            let left = fault.slow_sync.saturating_sub(begun.elapsed());
            if !fault.stuck_sync && left.is_zero() {
                return Ok(());
            }
            state.struck += u64::from(!waited);
            waited = true;
            state = if fault.stuck_sync {
                self.changed.wait(state).expect(poisoned)
            } else {
                self.changed.wait_timeout(state, left).expect(poisoned).0
            };
        }
    }
}

/// A disk that fails as its switch says.
pub(super) struct FailingDisk {
    inner: Arc<dyn Disk>,
    switch: Arc<Switch>,
}

impl FailingDisk {
    pub(super) fn new(inner: Arc<dyn Disk>, switch: Arc<Switch>) -> Self {
        Self { inner, switch }
    }

    fn file<F>(&self, inner: F) -> Failing<F> {
        Failing { inner, switch: self.switch.clone() }
    }
}

impl Disk for FailingDisk {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(self.file(self.inner.database(name)?)))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.switch.write()?;
        Ok(Box::new(self.file(self.inner.create(name)?)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.file(self.inner.open(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.switch.change()?;
        self.switch.sync()?;
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.switch.change()?;
        self.inner.remove(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn path(&self, name: &str) -> String {
        self.inner.path(name)
    }
}

/// A file of such a disk.
#[derive(Debug)]
struct Failing<F> {
    inner: F,
    switch: Arc<Switch>,
}

impl StorageBackend for Failing<Box<dyn StorageBackend>> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.switch.read()?;
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > self.inner.len()? {
            self.switch.write()?;
        } else {
            self.switch.change()?;
        }
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.switch.sync()?;
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.switch.write()?;
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }
}

impl Write for Failing<Box<dyn DiskFile>> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.switch.write()?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl DiskFile for Failing<Box<dyn DiskFile>> {
    fn sync(&mut self) -> io::Result<()> {
        self.switch.sync()?;
        self.inner.sync()
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.switch.write()?;
        self.inner.overwrite(bytes)
    }
}

impl Read for Failing<Box<dyn Read + Send>> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.switch.read()?;
        self.inner.read(out)
    }
}

#[cfg(test)]
mod tests;
