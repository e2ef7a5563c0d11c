use std::io::Write;

use bytes::Bytes;
use openraft::EntryPayload;
use serde_json::{Value, json};

use super::*;
use crate::env::disk::memory::MemoryDisk;
use crate::raft::testing;
use crate::raft::types::Proposal;

/// What was traced, for whoever has a clone.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The events since the last time, without when and who.
    fn take(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        let event = |line: &str| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().retain(|name, _| name != "at" && name != "node");
            event
        };
        text.lines().map(event).collect()
    }
}

async fn open(disk: &MemoryDisk) -> (OpenLog, Lines) {
    let (env, lines) = (testing::env_on(disk.clone()), Lines::default());
    let trace = Trace::new("n1", env.runtime.clone(), Box::new(lines.clone()));
    (LogStore::open(&env, &1.into(), Faults::default(), trace).await.unwrap(), lines)
}

fn id(index: u64, term: u64) -> LogId {
    LogId::new(term.into(), index)
}

fn entry(index: u64, term: u64) -> Entry {
    Entry { log_id: id(index, term), payload: EntryPayload::Normal(Proposal(Bytes::from(vec![7; 20]))) }
}

#[tokio::test]
async fn the_trace_tells_what_is_in_the_log_and_what_of_it_is_durable() {
    let disk = MemoryDisk::default();
    let (OpenLog { mut store, .. }, lines) = open(&disk).await;
    store.append([entry(0, 1), entry(1, 1), entry(2, 2)], IOFlushed::noop()).await.unwrap();
    store.barrier().await.unwrap();
    let first = lines.take();
    let hashes = |event: &Value| event["hashes"].as_str().unwrap().to_owned();
    let kinds: Vec<&Value> = first.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["appended", "appended", "flushed"], "a line for each term");
    assert_eq!((&first[0]["index"], hashes(&first[0]).len()), (&json!(0), 32), "two entries");
    assert_eq!(first[2], json!({ "kind": "flushed", "index": 2, "term": 2 }));

    store.truncate_after(Some(id(1, 1))).await.unwrap();
    store.append([entry(2, 3)], IOFlushed::noop()).await.unwrap();
    store.barrier().await.unwrap();
    store.purge(id(0, 1)).await.unwrap();
    let second = lines.take();
    assert_eq!(second[0], json!({ "kind": "truncated", "from": 2 }));
    assert_ne!(hashes(&second[1]), hashes(&first[1]), "another entry has another hash");
    assert_eq!(second[2], json!({ "kind": "flushed", "index": 2, "term": 3 }));
    assert_eq!(second[3], json!({ "kind": "purged", "index": 0, "term": 1 }));

    let (OpenLog { store: mut other, .. }, of_other) = open(&MemoryDisk::default()).await;
    other.append([entry(0, 1), entry(1, 1)], IOFlushed::noop()).await.unwrap();
    assert_eq!(hashes(&of_other.take()[0]), hashes(&first[0]), "one entry has one hash");
}

#[tokio::test]
async fn what_a_node_finds_is_what_was_made_durable() {
    let disk = MemoryDisk::default();
    let (OpenLog { mut store, contents, .. }, lines) = open(&disk).await;
    let nothing = json!({
        "kind": "recovered", "term": 0, "for": "", "elected": false, "purged": null, "terms": [], "last": null,
        "snapshot": null
    });
    assert_eq!(serde_json::to_value(Event::recovered(&contents, None)).unwrap(), nothing);
    store.append([entry(0, 1), entry(1, 1), entry(2, 3)], IOFlushed::noop()).await.unwrap();
    store.save_vote(&Vote::new(4, 2.into())).await.unwrap();
    store.save_vote(&Vote::new_committed(4, 2.into())).await.unwrap();
    let votes = lines.take().split_off(3);
    assert_eq!(votes[0], json!({ "kind": "vote", "term": 4, "for": "n2" }));
    assert_eq!(votes[1], json!({ "kind": "following", "term": 4, "leader": "n2" }));
    store.purge(id(0, 1)).await.unwrap();
    store.append([entry(3, 4)], IOFlushed::noop()).await.unwrap();
    store.barrier().await.unwrap();

    let (OpenLog { contents, .. }, _) = open(&disk.after_power_failure()).await;
    let found = serde_json::to_value(Event::recovered(&contents, contents.purged)).unwrap();
    let place = |index, term| json!({ "index": index, "term": term });
    let expected = json!({
        "kind": "recovered", "term": 4, "for": "n2", "elected": true, "purged": place(0, 1),
        "terms": [place(1, 1), place(2, 3), place(3, 4)], "last": place(3, 4), "snapshot": place(0, 1)
    });
    assert_eq!(found, expected);
}
