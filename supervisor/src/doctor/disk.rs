//! The disk under the directory of all runs: is there room, and how long does a sync take?

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::sys::statvfs::statvfs;

use super::Finding;

/// With less room than this, a default scenario may not end.
const SPACE_MIN: u64 = 256 << 20;

/// With less than this, a suite that keeps the data of failures may not.
const SPACE_GOOD: u64 = 2 << 30;

/// How many syncs are measured.
const SYNCS: usize = 20;

/// What is written before each sync: a small transaction.
const BLOCK: [u8; 4096] = [7; 4096];

/// A median above this is felt in every acknowledged write.
const SYNC_MEDIAN_MAX: Duration = Duration::from_millis(20);

/// The directory, or the nearest one above it that exists.
fn existing(runs: &Path) -> PathBuf {
    let absolute = std::path::absolute(runs).unwrap_or_else(|_| runs.to_owned());
    absolute.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

pub(super) fn space(runs: &Path) -> Finding {
    const NAME: &str = "disk-space";
    let place = existing(runs);
    let free = match statvfs(&place) {
        Ok(stat) => stat.blocks_available().saturating_mul(stat.fragment_size()),
        Err(error) => {
            let found = format!("unknown: {}: {error}", place.display());
            return Finding::limited(
                NAME,
                found,
                "nobody knows whether there is enough",
                "name another --out",
            );
        }
    };
    let found = format!("{} MiB free in {}", free >> 20, place.display());
    let mend = "remove old runs, or name another --out";
    match free {
        0..SPACE_MIN => Finding::cannot(NAME, found, "runs may not be recorded to their end", mend),
        SPACE_MIN..SPACE_GOOD => {
            Finding::limited(NAME, found, "there is room for some runs, not for many that fail", mend)
        }
        SPACE_GOOD.. => Finding::good(NAME, found),
    }
}

pub(super) fn sync(runs: &Path) -> Finding {
    const NAME: &str = "disk-sync";
    let place = existing(runs);
    let mut times = match measure(&place) {
        Ok(times) => times,
        Err(error) => {
            let found = format!("could not write to {}: {error}", place.display());
            return Finding::cannot(NAME, found, "no run can be recorded", "name another --out");
        }
    };
    times.sort_unstable();
    let (median, worst) = (times[SYNCS / 2], times[SYNCS - 1]);
    let of = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    let found = format!("median {}, worst {} of {SYNCS} in {}", of(median), of(worst), place.display());
    if statfs(&place).is_ok_and(|stat| stat.filesystem_type() == TMPFS_MAGIC) {
        let follows = "this is memory, not a disk: a sync does nothing, and latencies are too good";
        return Finding::limited(NAME, found, follows, "name an --out on a disk");
    }
    if median > SYNC_MEDIAN_MAX {
        let follows = "every acknowledged write waits for a sync: latencies are those of this disk";
        return Finding::limited(NAME, found, follows, "name an --out on a local solid-state disk");
    }
    Finding::good(NAME, found)
}

/// How long each sync took. The file is gone afterwards.
fn measure(place: &Path) -> io::Result<Vec<Duration>> {
    let path = place.join(format!(".doctor-{}", std::process::id()));
    let mut file = File::create_new(&path)?;
    let measured = (0..SYNCS)
        .map(|_| {
            file.write_all(&BLOCK)?;
            let began = Instant::now();
            file.sync_data()?;
            Ok(began.elapsed())
        })
        .collect();
    fs::remove_file(&path)?;
    measured
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_directory_that_is_not_there_is_not_made() {
        let place = tempfile::tempdir().unwrap();
        let runs = place.path().join("a/b");
        assert_eq!(existing(&runs), place.path());
        assert!(sync(&runs).found.contains(&format!("of {SYNCS} in {}", place.path().display())));
        assert!(space(&runs).found.contains("MiB free in"));
        assert!(!runs.exists());
    }

    #[test]
    fn where_nothing_can_be_written_no_run_can_be() {
        let finding = sync(Path::new("/proc/self"));
        assert_eq!(finding.state, State::Cannot);
        assert!(finding.found.starts_with("could not write to /proc/"), "{}", finding.found);
    }
}
