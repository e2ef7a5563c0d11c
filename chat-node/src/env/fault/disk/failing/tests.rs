#![expect(clippy::disallowed_methods, reason = "a test is the world that its disk runs in")]

use std::io::{Read as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};

use super::*;
use crate::env::disk::memory::Plain;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than a test waits.
const LONG: Duration = Duration::from_secs(600);

fn disk() -> (FailingDisk, Arc<Switch>) {
    let switch = Arc::new(Switch::default());
    (FailingDisk::new(Arc::new(Plain::default()), switch.clone()), switch)
}

type Call = (&'static str, fn(&FailingDisk) -> io::Result<()>);

/// Every call that a fault can strike. Each leaves the disk as it was.
const CALLS: [Call; 11] = [
    ("read", |disk| disk.database("db")?.read(0, &mut [0])),
    ("read a plain file", |disk| disk.open("db")?.read(&mut [0]).map(drop)),
    ("write", |disk| disk.database("db")?.write(0, b"x")),
    ("write a plain file", |disk| {
        Failing { inner: disk.inner.create("db")?, switch: disk.switch.clone() }.write_all(b"x")
    }),
    ("overwrite", |disk| {
        Failing { inner: disk.inner.create("db")?, switch: disk.switch.clone() }.overwrite(b"x")
    }),
    ("create", |disk| disk.create("other").map(drop)),
    ("grow", |disk| disk.database("new")?.set_len(1)),
    ("shrink", |disk| disk.database("db")?.set_len(1)),
    ("remove", |disk| disk.remove("none")),
    ("sync", |disk| disk.database("db")?.sync_data()),
    ("rename", |disk| disk.rename("db", "db")),
];

fn struck(fault: DiskFault, errno: Errno) -> Vec<&'static str> {
    let mut struck = Vec::new();
    for (name, call) in CALLS {
        let (disk, switch) = disk();
        disk.database("db").unwrap().write(0, b"x").unwrap();
        switch.set(fault);
        let result = call(&disk);
        let counted = switch.set(DiskFault::default());
        assert_eq!(counted, u64::from(result.is_err()), "{name}");
        if let Err(error) = result {
            assert_eq!(error.raw_os_error(), Some(errno as i32), "{name}");
            struck.push(name);
        }
        assert!(call(&disk).is_ok(), "{name} fails although nothing is wrong");
    }
    struck
}

#[test]
fn each_fault_strikes_its_calls_and_no_others() {
    assert!(struck(DiskFault::default(), Errno::EIO).is_empty());
    let reads = DiskFault { fail_reads: true, ..DiskFault::default() };
    assert_eq!(struck(reads, Errno::EIO), ["read", "read a plain file"]);
    let full = DiskFault { full: true, ..DiskFault::default() };
    let takes_room = ["write", "write a plain file", "overwrite", "create", "grow"];
    assert_eq!(struck(full, Errno::ENOSPC), takes_room);
    let writes = DiskFault { fail_writes: true, ..DiskFault::default() };
    let changes = [&takes_room[..], &["shrink", "remove", "rename"]].concat();
    assert_eq!(struck(writes, Errno::EIO), changes);
    let syncs = DiskFault { fail_syncs: true, ..DiskFault::default() };
    assert_eq!(struck(syncs, Errno::EIO), ["sync", "rename"]);
}

/// A sync in a thread of its own; its result comes when it returns.
fn syncing(disk: &FailingDisk) -> mpsc::Receiver<io::Result<()>> {
    let file = disk.database("db").unwrap();
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || done.send(file.sync_data()).unwrap());
    result
}

fn waits(result: &mpsc::Receiver<io::Result<()>>) -> bool {
    matches!(result.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout))
}

fn until_struck(switch: &Switch, calls: u64) {
    let give_up = Instant::now() + PATIENCE;
    while switch.state().struck < calls {
        assert!(Instant::now() < give_up, "no {calls} calls were struck");
        std::thread::yield_now();
    }
}

#[test]
fn a_sync_that_waits_goes_on_at_once_when_the_fault_is_lifted() {
    let faults = [
        DiskFault { stuck_sync: true, ..DiskFault::default() },
        DiskFault { slow_sync: LONG, ..DiskFault::default() },
    ];
    for fault in faults {
        let (disk, switch) = disk();
        switch.set(fault);
        let result = syncing(&disk);
        until_struck(&switch, 1);
        assert!(waits(&result));
        // Another that makes it wait does not let it go, and does not strike it again.
        switch.set(faults[0]);
        assert_eq!(switch.set(faults[1]), 1);
        assert!(waits(&result));
        switch.set(DiskFault::default());
        result.recv_timeout(PATIENCE).unwrap().unwrap();
        // What does not sync never waited.
        disk.database("db").unwrap().write(0, b"x").unwrap();
    }
}

#[test]
fn a_slow_sync_takes_as_long_as_was_said() {
    let (disk, switch) = disk();
    let slow_sync = Duration::from_millis(150);
    switch.set(DiskFault { slow_sync, ..DiskFault::default() });
    let begun = Instant::now();
    disk.database("db").unwrap().sync_data().unwrap();
    assert!(begun.elapsed() >= slow_sync);
}

#[test]
fn a_sync_that_waits_fails_when_syncs_do() {
    let (disk, switch) = disk();
    switch.set(DiskFault { stuck_sync: true, ..DiskFault::default() });
    let result = syncing(&disk);
    until_struck(&switch, 1);
    switch.set(DiskFault { fail_syncs: true, ..DiskFault::default() });
    assert!(result.recv_timeout(PATIENCE).unwrap().is_err());
}

#[test]
fn a_switch_that_is_retired_strikes_nothing_any_more_and_lets_nothing_go() {
    let (disk, switch) = disk();
    switch.set(DiskFault { stuck_sync: true, ..DiskFault::default() });
    let result = syncing(&disk);
    until_struck(&switch, 1);
    switch.retire();
    switch.set(DiskFault { fail_writes: true, fail_syncs: true, ..DiskFault::default() });
    disk.database("db").unwrap().write(0, b"x").unwrap();
    disk.database("db").unwrap().sync_data().unwrap();
    switch.set(DiskFault::default());
    assert!(waits(&result));
}
