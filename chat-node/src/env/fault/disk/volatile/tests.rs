#![expect(clippy::disallowed_methods, reason = "a test is the world that its disk runs in")]

use std::io::{Read as _, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::env::HostDisk;
use crate::env::disk::memory::Plain;

const FILE: &str = "file";

/// One thing that is done to one file of a few.
#[derive(Debug, Clone)]
enum Step {
    Write { file: usize, at: u64, bytes: Vec<u8> },
    SetLength { file: usize, length: u64 },
    Sync { file: usize },
}

impl Step {
    /// Does it to what a file holds.
    fn apply(&self, contents: &mut [Vec<u8>]) {
        match self {
            Step::Write { file, at, bytes } => put(&mut contents[*file], *at, bytes),
            Step::SetLength { file, length } => contents[*file].resize(place(*length), 0),
            Step::Sync { .. } => {}
        }
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

fn put(contents: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let end = place(at) + bytes.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    contents[place(at)..end].copy_from_slice(bytes);
}

const FILES: [&str; 2] = ["a", "b"];

fn step() -> impl Strategy<Value = Step> {
    let file = 0..FILES.len();
    let bytes = (any::<u8>(), 1..1_500_usize).prop_map(|(byte, length)| vec![byte; length]);
    prop_oneof![
        6 => (file.clone(), 0..4_000_u64, bytes).prop_map(|(file, at, bytes)| Step::Write { file, at, bytes }),
        1 => (file.clone(), 0..6_000_u64).prop_map(|(file, length)| Step::SetLength { file, length }),
        1 => file.prop_map(|file| Step::Sync { file }),
    ]
}

/// What was done to a volatile disk, told simply.
struct Told {
    below: Plain,
    disk: VolatileDisk,
    durable: Vec<Vec<u8>>,
    newest: Vec<Vec<u8>>,
    /// Every byte that was written since the last sync, and still is in the file.
    unsynced: Vec<Vec<bool>>,
    /// What was not synced, in order.
    pending: Vec<Step>,
}

fn told(steps: Vec<Step>) -> Told {
    let below = Plain::default();
    let disk = VolatileDisk::over(Arc::new(below.clone())).unwrap();
    let files: Vec<_> = FILES.iter().map(|name| disk.database(name).unwrap()).collect();
    let nothing = || vec![Vec::new(); FILES.len()];
    let (mut durable, mut newest) = (nothing(), nothing());
    let mut unsynced = vec![Vec::new(); FILES.len()];
    let mut pending: Vec<Step> = Vec::new();
    for step in steps {
        match &step {
            Step::Write { file, at, bytes } => {
                files[*file].write(*at, bytes).unwrap();
                step.apply(&mut newest);
                unsynced[*file].resize(newest[*file].len(), false);
                unsynced[*file][place(*at)..place(*at) + bytes.len()].fill(true);
            }
            Step::SetLength { file, length } => {
                files[*file].set_len(*length).unwrap();
                step.apply(&mut newest);
                unsynced[*file].resize(newest[*file].len(), false);
            }
            Step::Sync { file } => {
                files[*file].sync_data().unwrap();
                durable[*file] = newest[*file].clone();
                unsynced[*file].fill(false);
                pending.retain(|before| match before {
                    Step::Write { file: of, .. } | Step::SetLength { file: of, .. } => of != file,
                    Step::Sync { .. } => false,
                });
                continue;
            }
        }
        pending.push(step);
    }
    Told { below, disk, durable, newest, unsynced, pending }
}

impl Told {
    fn unsynced_bytes(&self) -> u64 {
        u64::try_from(self.unsynced.iter().flatten().filter(|byte| **byte).count()).unwrap()
    }

    /// What is on the disk after a power failure.
    fn after(&self, keep: Keep) -> (Vec<Vec<u8>>, Loss) {
        let below = self.below.copy();
        let loss = self.disk.let_through(&below, keep).unwrap();
        (FILES.iter().map(|name| below.contents(name).unwrap()).collect(), loss)
    }

    /// Whether `found` is what is there when the power fails while one of the pending steps is done.
    fn is_prefix(&self, found: &[Vec<u8>]) -> bool {
        let mut contents = self.durable.clone();
        for step in &self.pending {
            if contents == found {
                return true;
            }
            let before = contents.clone();
            step.apply(&mut contents);
            if let Step::Write { file, at, bytes } = step {
                for part in 1..bytes.len() {
                    let mut torn = before.clone();
                    put(&mut torn[*file], *at, &bytes[..part]);
                    if torn == found {
                        return true;
                    }
                }
            }
        }
        contents == found
    }
}

fn sector(contents: &[u8], number: usize) -> Vec<u8> {
    let size = usize::try_from(SECTOR_BYTES).unwrap();
    let from = (number * size).min(contents.len());
    contents[from..(from + size).min(contents.len())].to_vec()
}

/// The sector with zeros for what a file does not reach.
fn padded(contents: &[u8], number: usize) -> Vec<u8> {
    let mut bytes = sector(contents, number);
    bytes.resize(usize::try_from(SECTOR_BYTES).unwrap(), 0);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reads_see_the_newest_and_a_failure_that_keeps_nothing_leaves_what_was_synced(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let told = told(steps);
        for (number, name) in FILES.iter().enumerate() {
            let file = told.disk.database(name).unwrap();
            let mut seen = vec![0; place(file.len().unwrap())];
            file.read(0, &mut seen).unwrap();
            prop_assert_eq!(&seen, &told.newest[number]);
            for (from, to) in [(0, seen.len() / 2), (seen.len() / 3, seen.len())] {
                let mut part = vec![7; to - from];
                file.read(u64::try_from(from).unwrap(), &mut part).unwrap();
                prop_assert_eq!(&part, &seen[from..to]);
            }
            prop_assert!(file.read(u64::try_from(seen.len()).unwrap(), &mut [0]).is_err());
        }
        let said = told.below.contents(UNSYNCED).unwrap();
        prop_assert_eq!(u64::from_le_bytes(said.try_into().unwrap()), told.unsynced_bytes());

        let (found, loss) = told.after(Keep::Nothing);
        prop_assert_eq!(&found, &told.durable);
        prop_assert_eq!(loss.bytes_lost, told.unsynced_bytes());
        prop_assert_eq!((loss.bytes_kept, loss.sectors_kept, loss.torn), (0, 0, false));
        let (found, loss) = told.after(Keep::Everything);
        prop_assert_eq!(&found, &told.newest);
        prop_assert_eq!((loss.bytes_kept, loss.bytes_lost), (told.unsynced_bytes(), 0));
    }

    #[test]
    fn a_failure_that_keeps_some_leaves_each_sector_old_or_new(
        steps in prop::collection::vec(step(), 1..40),
        seed: u64,
    ) {
        let told = told(steps);
        let (found, loss) = told.after(Keep::Some { seed });
        prop_assert_eq!(loss.bytes_lost + loss.bytes_kept, told.unsynced_bytes());
        prop_assert_eq!(&told.after(Keep::Some { seed }).0, &found, "the seed does not decide");
        for (file, found) in found.iter().enumerate() {
            let (old, new) = (&told.durable[file], &told.newest[file]);
            prop_assert!(found.len() <= old.len().max(new.len()));
            prop_assert!(found.len() >= old.len().min(new.len()));
            for number in 0..found.len().div_ceil(512) {
                let seen = padded(found, number);
                // What is beyond the end of the old file, or was cut off and grown again, is zeros.
                let cut = padded(&[], number);
                let mut shorter = padded(old, number);
                let candidates = [padded(old, number), padded(new, number), cut];
                let mut fits = candidates.contains(&seen);
                // A cut within the sector leaves its beginning.
                for from in (0..shorter.len()).rev() {
                    shorter[from] = 0;
                    fits |= shorter == seen;
                }
                prop_assert!(fits, "sector {number} of {file} is neither old nor new");
            }
        }
    }

    #[test]
    fn a_torn_write_leaves_a_prefix_of_what_was_written(
        steps in prop::collection::vec(step(), 1..20),
        seed: u64,
    ) {
        let told = told(steps);
        let (found, loss) = told.after(Keep::Torn { seed });
        prop_assert!(told.is_prefix(&found));
        prop_assert_eq!(loss.bytes_lost + loss.bytes_kept, told.unsynced_bytes());
        let divisible = |step: &Step| matches!(step, Step::Write { bytes, .. } if bytes.len() > 1);
        prop_assert_eq!(loss.torn, told.pending.iter().any(divisible));
    }
}

#[test]
fn some_sectors_are_kept_and_some_are_lost_whatever_the_order() {
    let below = Plain::default();
    let disk = VolatileDisk::over(Arc::new(below.clone())).unwrap();
    let file = disk.database(FILE).unwrap();
    file.set_len(512 * 64).unwrap();
    file.sync_data().unwrap();
    for number in 0..64 {
        file.write(number * 512, &[1; 512]).unwrap();
    }
    let mut out_of_order = 0;
    for seed in 0..20 {
        let onto = below.copy();
        let loss = disk.let_through(&onto, Keep::Some { seed }).unwrap();
        let found = onto.contents(FILE).unwrap();
        let kept: Vec<bool> = found.chunks(512).map(|sector| sector == [1; 512]).collect();
        let count = |wanted| u64::try_from(kept.iter().filter(|kept| **kept == wanted).count()).unwrap();
        assert_eq!((loss.sectors_kept, loss.sectors_lost), (count(true), count(false)));
        assert_eq!((loss.bytes_kept, loss.bytes_lost), (count(true) * 512, count(false) * 512));
        assert!(count(true) > 10 && count(false) > 10);
        out_of_order += u64::from(!kept.is_sorted_by(|before, after| before >= after));
    }
    assert_eq!(out_of_order, 20);
}

#[test]
fn torn_writes_are_cut_at_the_edges_of_sectors_and_within_them() {
    let disk = VolatileDisk::over(Arc::new(Plain::default())).unwrap();
    let file = disk.database(FILE).unwrap();
    file.write(100, &[1; 4096]).unwrap();
    let (mut at_edges, mut within) = (0, 0);
    for seed in 0..50 {
        let onto = Plain::default();
        let loss = disk.let_through(&onto, Keep::Torn { seed }).unwrap();
        assert!(loss.torn && loss.bytes_kept > 0 && loss.bytes_lost > 0, "{loss:?}");
        let length = onto.contents(FILE).unwrap().len();
        *if length.is_multiple_of(512) { &mut at_edges } else { &mut within } += 1;
    }
    assert!(at_edges > 5 && within > 5, "{at_edges} {within}");
}

fn length(disk: &VolatileDisk, name: &str) -> usize {
    disk.open(name).unwrap().read_to_end(&mut Vec::new()).unwrap()
}

#[test]
fn a_file_is_there_once_it_was_synced_or_renamed() {
    let below = Plain::default();
    let disk = VolatileDisk::over(Arc::new(below.clone())).unwrap();
    let mut new = disk.create("new").unwrap();
    new.write_all(b"something").unwrap();
    assert_eq!(disk.list().unwrap(), ["new"]);
    assert_eq!(below.contents("new"), None);
    disk.rename("new", "renamed").unwrap();
    assert_eq!(below.contents("renamed").unwrap(), b"");
    assert_eq!(disk.unsynced(), 9);
    new.sync().unwrap();
    assert_eq!((below.contents("renamed").unwrap().as_slice(), disk.unsynced()), (&b"something"[..], 0));

    // One that takes an old one's place is the old one until it is synced.
    let mut again = disk.create("renamed").unwrap();
    again.write_all(b"other").unwrap();
    assert_eq!(below.contents("renamed").unwrap(), b"something");
    assert_eq!(length(&disk, "renamed"), 5);
    again.overwrite(b"ot").unwrap();
    assert_eq!(disk.unsynced(), 5);
    again.sync().unwrap();
    assert_eq!(below.contents("renamed").unwrap(), b"other");

    // Whoever has a file open goes on with it when another takes its name.
    let mut old = disk.open("renamed").unwrap();
    disk.create("next").unwrap().write_all(b"next").unwrap();
    disk.rename("next", "renamed").unwrap();
    let mut read = String::new();
    old.read_to_string(&mut read).unwrap();
    assert_eq!((read.as_str(), length(&disk, "renamed")), ("other", 4));
    disk.remove("renamed").unwrap();
    assert_eq!((below.contents("renamed"), disk.unsynced()), (None, 0));
    assert!(disk.open("renamed").is_err_and(|error| error.kind() == ErrorKind::NotFound));
}

#[test]
fn a_disk_that_is_dropped_passes_everything_on() {
    let directory = tempfile::TempDir::new().unwrap();
    let below = Arc::new(HostDisk::open(directory.path()).unwrap());
    let disk = VolatileDisk::over(below).unwrap();
    let mut file = disk.create(FILE).unwrap();
    file.write_all(b"something").unwrap();
    let path = |name: &str| directory.path().join(name);
    assert!(!path(FILE).exists());
    assert_eq!(std::fs::read(path(UNSYNCED)).unwrap(), 9_u64.to_le_bytes());
    drop(disk);
    assert_eq!(std::fs::read(path(FILE)).unwrap(), b"something");
    assert_eq!(std::fs::read(path(UNSYNCED)).unwrap(), 0_u64.to_le_bytes());
}

#[test]
fn after_the_power_is_cut_no_call_returns_and_nothing_reaches_the_disk() {
    let below = Plain::default();
    let disk = VolatileDisk::over(Arc::new(below.clone())).unwrap();
    let file: Arc<dyn StorageBackend> = Arc::from(disk.database(FILE).unwrap());
    file.write(0, b"synced").unwrap();
    file.sync_data().unwrap();
    file.write(0, b"unsync").unwrap();
    assert_eq!(disk.cut_power(Keep::Nothing).unwrap().bytes_lost, 6);
    assert!(disk.cut_power(Keep::Everything).is_err_and(|error| error.kind() == ErrorKind::AlreadyExists));

    let (returned, waits) = mpsc::channel();
    let attempt = |call: Box<dyn FnOnce() + Send>| {
        let returned = returned.clone();
        let (begun, began) = mpsc::channel();
        std::thread::spawn(move || {
            begun.send(()).unwrap();
            call();
            returned.send(()).unwrap();
        });
        began.recv().unwrap();
    };
    let shared = file.clone();
    attempt(Box::new(move || drop(shared.sync_data())));
    let shared = file.clone();
    attempt(Box::new(move || drop(shared.read(0, &mut [0]))));
    attempt(Box::new(move || drop(file.write(0, b"later"))));
    for call in [
        |disk: &VolatileDisk| drop(disk.create("other")),
        |disk: &VolatileDisk| drop(disk.open(FILE)),
        |disk: &VolatileDisk| drop(disk.rename(FILE, "other")),
        |disk: &VolatileDisk| drop(disk.remove(FILE)),
        |disk: &VolatileDisk| drop(disk.list()),
    ] {
        let disk = disk.clone();
        attempt(Box::new(move || call(&disk)));
    }
    // That something never happens can only be waited for.
    assert_eq!(waits.recv_timeout(Duration::from_millis(300)), Err(mpsc::RecvTimeoutError::Timeout));
    assert_eq!(below.contents(FILE).unwrap(), b"synced");
    assert_eq!(below.contents("other"), None);
}

#[test]
fn a_sync_that_is_under_way_when_the_power_is_cut_is_never_reported() {
    for _ in 0..20 {
        let below = Plain::default();
        let disk = VolatileDisk::over(Arc::new(below.clone())).unwrap();
        let file = disk.database(FILE).unwrap();
        let (reported, reports) = mpsc::channel();
        std::thread::spawn(move || {
            for number in 0_u64.. {
                file.write(0, &number.to_le_bytes()).unwrap();
                file.sync_data().unwrap();
                reported.send(number).unwrap();
            }
        });
        reports.recv().unwrap();
        disk.cut_power(Keep::Nothing).unwrap();
        let on_disk = u64::from_le_bytes(below.contents(FILE).unwrap().try_into().unwrap());
        // A call that had its answer before the cut may still tell of it.
        let last = std::iter::from_fn(|| reports.recv_timeout(Duration::from_millis(20)).ok()).last();
        assert!(last.is_none_or(|last| last <= on_disk), "{last:?} reported, {on_disk} on the disk");
    }
}
