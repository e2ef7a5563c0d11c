//! The file of a history, in the form that the scenario asks for.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use checker::history::binary;
use checker::history::jsonl::{EventRef, Header};

use crate::harness::HarnessFailure;
use crate::rundir::JsonLines;
use crate::scenario::plan::HistoryForm;

/// A history that grows. Whatever the form, an event has reached the kernel when it was pushed, and after a write that
/// failed nothing more is written: what is torn is then the end, which readers pass over.
#[derive(Debug)]
pub(super) enum HistoryFile {
    Lines(JsonLines),
    Blocks(Box<Blocks>),
}

/// Events as blocks of their own.
#[derive(Debug)]
pub(super) struct Blocks {
    writer: binary::Writer<File>,
    path: PathBuf,
    is_broken: bool,
}

impl HistoryFile {
    /// Creates the file, which must not exist, with its header.
    pub(super) fn create(path: PathBuf, form: HistoryForm, header: &Header) -> Result<Self, HarnessFailure> {
        Ok(match form {
            HistoryForm::Jsonl => {
                let mut lines = JsonLines::create(path)?;
                lines.push(header)?;
                HistoryFile::Lines(lines)
            }
            HistoryForm::Binary => {
                let file = File::create_new(&path).map_err(HarnessFailure::file("create", &path))?;
                let writer =
                    binary::Writer::new(file, header).map_err(HarnessFailure::file("write", &path))?;
                HistoryFile::Blocks(Box::new(Blocks { writer, path, is_broken: false }))
            }
        })
    }

    /// Appends one event.
    pub(super) fn push(&mut self, event: &EventRef<'_>) -> Result<(), HarnessFailure> {
        match self {
            HistoryFile::Lines(lines) => lines.push(event),
            HistoryFile::Blocks(blocks) => blocks.push(event),
        }
    }
}

impl Blocks {
    fn push(&mut self, event: &EventRef<'_>) -> Result<(), HarnessFailure> {
        let written = if self.is_broken {
            Err(io::Error::other("an earlier event could not be written"))
        } else {
            self.writer.append(event).and_then(|()| self.writer.flush())
        };
        self.is_broken = written.is_err();
        written.map_err(HarnessFailure::file("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn after_an_event_that_was_not_written_nothing_more_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.bin");
        let create = || HistoryFile::create(path.clone(), HistoryForm::Binary, &Header::new(None));
        let mut file = create().unwrap();
        create().unwrap_err();
        let header = std::fs::metadata(&path).unwrap().len();
        let value = json!({ "id": "a" });
        let mut event = EventRef {
            index: 0,
            time: 1,
            process: checker::history::jsonl::Process::Client(1),
            r#type: checker::history::jsonl::Type::Ok,
            f: "send",
            key: Some("k"),
            value: &value,
            node: None,
            error: None,
        };
        // Nothing was asked, so that nothing can be answered.
        assert!(matches!(file.push(&event), Err(HarnessFailure::File { action: "write", .. })));
        event.r#type = checker::history::jsonl::Type::Invoke;
        file.push(&event).unwrap_err();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), header);
    }
}
