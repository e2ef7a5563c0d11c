//! Counts, while a run goes on, how often a node replaced its state by a snapshot that a leader sent.
//!
//! The nodes' traces say it. Only what is new in them is read, each time: a trace of a long run is long.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use checker::evidence::trace::TraceEvent;

/// Reads traces from where they end at its beginning.
#[derive(Debug)]
pub(super) struct Snapshots {
    /// How far each trace has been read, in bytes.
    read: RefCell<BTreeMap<PathBuf, u64>>,
    count: std::cell::Cell<u64>,
}

impl Snapshots {
    /// Those that the nodes install from now on; each writes one of `traces`, which need not be there yet.
    pub(super) fn from_now_on(traces: impl IntoIterator<Item = PathBuf>) -> Self {
        let end = |path: PathBuf| {
            let end = path.metadata().map_or(0, |metadata| metadata.len());
            (path, end)
        };
        let read = traces.into_iter().map(end).collect();
        Self { read: RefCell::new(read), count: std::cell::Cell::default() }
    }

    /// How many there have been. A trace that cannot be read tells nothing new; the checker will complain of it.
    pub(super) fn count(&self) -> u64 {
        for (path, offset) in self.read.borrow_mut().iter_mut() {
            if let Some((new, end)) = read_on(path, *offset) {
                self.count.set(self.count.get() + new);
                *offset = end;
            }
        }
        self.count.get()
    }
}

/// The snapshots in the whole lines behind `offset`, and where those end.
fn read_on(path: &Path, mut offset: u64) -> Option<(u64, u64)> {
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(offset)).ok()?;
    let (mut reader, mut line, mut count) = (BufReader::new(file), Vec::new(), 0);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).ok()?;
        // What has no end yet is being written.
        if line.last() != Some(&b'\n') {
            return Some((count, offset));
        }
        offset += length as u64;
        // Most lines are of other kinds: only those that may be meant are parsed.
        let may_be = line.windows(WORD.len()).any(|window| window == WORD);
        if may_be && matches!(serde_json::from_slice(&line), Ok(TraceEvent::SnapshotInstalled { .. })) {
            count += 1;
        }
    }
}

/// What every line that is meant holds.
const WORD: &[u8] = b"snapshot-installed";

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_new_is_counted_once_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trace.jsonl");
        let line = TraceEvent::SnapshotInstalled { at: 1, node: "n1".to_owned(), index: 7, term: 2 };
        let line = serde_json::to_string(&line).unwrap();
        let mut file = File::create(&path).unwrap();
        writeln!(file, "{line}").unwrap();
        let missing = directory.path().join("of-a-spare.jsonl");
        let snapshots = Snapshots::from_now_on([path, missing.clone()]);
        assert_eq!(snapshots.count(), 0, "it is an old one");
        let (begin, end) = line.split_at(20);
        writeln!(file, "{{\"kind\":\"start\",\"at\":1,\"node\":\"snapshot-installed\"}}").unwrap();
        write!(file, "{line}\n{begin}").unwrap();
        assert_eq!(snapshots.count(), 1);
        writeln!(file, "{end}").unwrap();
        assert_eq!(snapshots.count(), 2);
        std::fs::write(missing, format!("{line}\n")).unwrap();
        assert_eq!(snapshots.count(), 3);
    }
}
