//! Writes the history: every invocation before the request leaves, every completion after the answer came.
//!
//! One recorder, one clock, one file, in one thread: the order of the lines is the order of the events, and intervals
//! can only be too wide. An event reaches the kernel before the recorder returns, so a kill -9 of the supervisor loses
//! no operation that could have had an effect.
//!
//! Everything that clients do goes through here, on the thread that also is the clients: an event is written straight
//! from what the client asked and got, as a line or as a block of its own.

mod file;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use checker::history::jsonl::{EventRef, Header, Process, Type};
use file::HistoryFile;
use serde_json::{Value, json};

use super::clock::RunClock;
use crate::harness::HarnessFailure;
use crate::scenario::plan::HistoryForm;
use crate::system::{Invocation, NodeName, Outcome};

/// How many operations ended how, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Operations that were invoked.
    pub invoked: u64,
    /// See [`Outcome::Ok`].
    pub ok: u64,
    /// See [`Outcome::Fail`].
    pub fail: u64,
    /// See [`Outcome::Info`].
    pub info: u64,
}

/// Writes the history of one run. Clones write to the same one.
#[derive(Clone)]
pub struct Recorder {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    clock: RunClock,
    file: HistoryFile,
    next_index: u32,
    next_process: u64,
    tally: Tally,
    /// Rings at every line, for somebody who follows the file.
    bell: Option<SyncSender<()>>,
}

/// An operation that is under way. Completing it takes this, so no operation completes twice.
#[derive(Debug)]
#[must_use = "an operation that was invoked is completed"]
pub struct OpenOperation<'a> {
    process: u64,
    node: &'a str,
    invocation: &'a Invocation,
}

impl Recorder {
    /// Creates the history of a run in `path`, which begins with `header`.
    pub fn create(
        path: PathBuf,
        form: HistoryForm,
        clock: RunClock,
        header: &Header,
    ) -> Result<Self, HarnessFailure> {
        let file = HistoryFile::create(path, form, header)?;
        let inner =
            Inner { clock, file, next_index: 0, next_process: 0, tally: Tally::default(), bell: None };
        Ok(Self { inner: Rc::new(RefCell::new(inner)) })
    }

    /// The number of a process that never was.
    #[must_use]
    pub fn new_process(&self) -> u64 {
        let mut inner = self.inner.borrow_mut();
        inner.next_process += 1;
        inner.next_process - 1
    }

    /// Records that `process` is about to send `invocation` to `node`.
    pub fn invoke<'a>(
        &self,
        process: u64,
        node: &'a str,
        invocation: &'a Invocation,
    ) -> Result<OpenOperation<'a>, HarnessFailure> {
        let open = OpenOperation { process, node, invocation };
        let mut inner = self.inner.borrow_mut();
        inner.tally.invoked += 1;
        inner.push_client(&open, Type::Invoke, &invocation.value, None)?;
        Ok(open)
    }

    /// Records how it ended.
    pub fn complete(&self, open: OpenOperation<'_>, outcome: &Outcome) -> Result<(), HarnessFailure> {
        let mut inner = self.inner.borrow_mut();
        let asked = &open.invocation.value;
        let (kind, value, error) = match outcome {
            Outcome::Ok(value) => {
                inner.tally.ok += 1;
                (Type::Ok, value, None)
            }
            Outcome::Fail(error) => {
                inner.tally.fail += 1;
                (Type::Fail, asked, Some(error))
            }
            Outcome::Info(error) => {
                inner.tally.info += 1;
                (Type::Info, asked, Some(error))
            }
        };
        inner.push_client(&open, kind, value, error.map(String::as_str))
    }

    /// Records that a fault begins on `nodes`, or that the fault with the same verb and name ends, with its effect.
    pub fn fault(
        &self,
        verb: &str,
        name: &str,
        nodes: &[NodeName],
        effect: Option<&str>,
    ) -> Result<(), HarnessFailure> {
        let mut value = json!({ "nodes": nodes });
        if let Some(effect) = effect {
            value["effect"] = Value::from(effect);
        }
        let mut inner = self.inner.borrow_mut();
        let (index, time) = inner.stamp();
        inner.push(&EventRef {
            index,
            time,
            process: Process::Nemesis,
            r#type: Type::Info,
            f: verb,
            key: Some(name),
            value: &value,
            node: None,
            error: None,
        })
    }

    /// A bell that rings when there are lines that were not there when it was last heard. Somebody who is slow to
    /// listen costs nothing. It is hung up by [`Recorder::unfollow`].
    #[must_use]
    pub fn follow(&self) -> Receiver<()> {
        let (bell, rings) = sync_channel(1);
        self.inner.borrow_mut().bell = Some(bell);
        rings
    }

    /// Nobody follows the file any more.
    pub fn unfollow(&self) {
        self.inner.borrow_mut().bell = None;
    }

    /// How many operations ended how, so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.inner.borrow().tally
    }
}

impl Inner {
    fn push_client(
        &mut self,
        open: &OpenOperation<'_>,
        r#type: Type,
        value: &Value,
        error: Option<&str>,
    ) -> Result<(), HarnessFailure> {
        let invocation = open.invocation;
        let (index, time) = self.stamp();
        self.push(&EventRef {
            index,
            time,
            process: Process::Client(open.process),
            r#type,
            f: invocation.f,
            key: invocation.key.as_deref(),
            value,
            node: Some(open.node),
            error,
        })
    }

    fn push(&mut self, event: &EventRef<'_>) -> Result<(), HarnessFailure> {
        self.file.push(event)?;
        if let Some(bell) = &self.bell {
            // It rings already, or nobody listens any more: either is fine.
            let _ = bell.try_send(());
        }
        Ok(())
    }

    /// The index and the time of the next line. The clock is monotonic, so times never decrease.
    fn stamp(&mut self) -> (u32, u64) {
        let index = self.next_index;
        self.next_index += 1;
        (index, self.clock.now_ns())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The history that `write` writes.
    fn written(form: HistoryForm, write: impl FnOnce(&Recorder)) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(form.file_name());
        write(&Recorder::create(path.clone(), form, RunClock::start(), &Header::new(Some(7))).unwrap());
        std::fs::read(path).unwrap()
    }

    #[test]
    fn the_bell_rings_once_for_many_lines_and_never_waits() {
        written(HistoryForm::Jsonl, |recorder| {
            let rings = recorder.follow();
            assert!(rings.try_recv().is_err());
            for _ in 0..3 {
                recorder.fault("kill", "kill-leader#1", &[], None).unwrap();
            }
            assert!(rings.try_recv().is_ok() && rings.try_recv().is_err());
            recorder.fault("kill", "kill-leader#1", &[], None).unwrap();
            recorder.unfollow();
            assert_eq!(rings.iter().count(), 1, "what rang before it was hung up is heard");
            recorder.fault("kill", "kill-leader#1", &[], None).unwrap();
        });
    }

    /// One of everything.
    fn record(recorder: &Recorder) {
        let send =
            Invocation { f: "send", key: Some("alice:bob".to_owned()), value: json!({ "id": "c0-1" }) };
        let (first, second) = (recorder.new_process(), recorder.new_process());
        let open = recorder.invoke(first, "n1", &send).unwrap();
        recorder.fault("kill", "kill-leader#1", &["n1".to_owned()], None).unwrap();
        let other = recorder.invoke(second, "n2", &send).unwrap();
        recorder.complete(open, &Outcome::Ok(json!({ "id": "c0-1", "seq": 1 }))).unwrap();
        recorder.complete(other, &Outcome::Info("deadline".to_owned())).unwrap();
        recorder.fault("kill", "kill-leader#1", &["n1".to_owned()], Some("dead for 1 s")).unwrap();
        let tally = Tally { invoked: 2, ok: 1, fail: 0, info: 1 };
        assert_eq!(recorder.tally(), tally);
    }

    #[test]
    fn what_is_written_is_a_history_line_for_line() {
        let text = String::from_utf8(written(HistoryForm::Jsonl, record)).unwrap();
        let (history, torn) = checker::history::jsonl::read(text.as_bytes()).unwrap();
        assert!(torn.is_none());
        let mut lines = text.lines().skip(1);
        for event in checker::history::jsonl::events(&history) {
            let mut line: serde_json::Map<String, Value> =
                serde_json::from_str(lines.next().unwrap()).unwrap();
            // What was asked is repeated beside an error for people; a history does not keep it.
            if line.contains_key("error") {
                line.shift_remove("value");
            }
            assert_eq!(Value::Object(line).to_string(), serde_json::to_string(&event).unwrap());
        }
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn a_binary_history_says_the_same_and_each_event_is_on_the_disk_at_once() {
        let lines = |history: &checker::history::History| -> Vec<_> {
            let timeless = checker::history::jsonl::events(history);
            timeless.map(|event| checker::history::jsonl::Event { time: 0, ..event }).collect()
        };
        let text = written(HistoryForm::Jsonl, record);
        let (expected, _) = checker::history::jsonl::read(&*text).unwrap();
        let bytes = written(HistoryForm::Binary, record);
        let (history, torn) = checker::history::binary::read(&*bytes).unwrap();
        assert_eq!((lines(&history), torn), (lines(&expected), None));
        assert_eq!(history.started_unix_ns(), Some(7));

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.bin");
        let (form, header) = (HistoryForm::Binary, Header::new(None));
        let recorder = Recorder::create(path.clone(), form, RunClock::start(), &header).unwrap();
        for events in 1..=3 {
            recorder.fault("kill", &format!("kill#{events}"), &[], None).unwrap();
            let (history, torn) = checker::history::binary::read(&*std::fs::read(&path).unwrap()).unwrap();
            assert_eq!((history.next_index(), torn), (events, None));
        }
    }
}
