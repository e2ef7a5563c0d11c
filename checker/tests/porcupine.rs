//! Histories of Porcupine's test data, where they are at hand: how many operations each holds, and that each format is
//! found by its content. Nothing of them is in this repository.

use std::fs;
use std::path::{Path, PathBuf};

use checker::history::format::{self, Format};
use checker::history::{History, Input, Outcome, edn, jsonl};

/// The files of a directory of the data, or nothing if it is not at hand: `shared/histories/porcupine` beside the
/// repository, or further up.
#[expect(clippy::disallowed_methods, reason = "the data are files")]
fn files(directory: &str) -> Vec<PathBuf> {
    let place = |above: &Path| above.join("shared/histories/porcupine").join(directory);
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(place).find(|path| path.is_dir());
    let Some(found) = found else {
        skipped(directory);
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = fs::read_dir(found)
        .expect("the directory is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    files
}

#[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
fn skipped(directory: &str) {
    eprintln!(
        "SKIPPED: there is no shared/histories/porcupine/{directory} beside the repository or above it"
    );
}

#[expect(clippy::disallowed_methods, reason = "the data are files")]
fn text_of(path: &Path) -> String {
    fs::read_to_string(path).expect("the data can be read")
}

fn read(path: &Path, format: Option<Format>) -> History {
    let text = text_of(path);
    let (history, torn) =
        format::read(text.as_bytes(), format).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(torn, None, "{}", path.display());
    history
}

/// Read, written and read again, it is the same history.
fn round_trip(history: &History) {
    let lines: Vec<_> = jsonl::events(history).collect();
    let mut text = Vec::new();
    edn::write(history, &mut text).expect("a vector takes everything");
    let (again, _) = edn::read(&*text).expect("it was written to be read");
    assert!(jsonl::events(&again).eq(lines.iter().cloned()));
    text.clear();
    jsonl::write(history, &mut text).expect("a vector takes everything");
    let (again, _) = jsonl::read(&*text).expect("it was written to be read");
    assert!(jsonl::events(&again).eq(lines));
}

#[test]
fn every_log_is_read_whole() {
    let mut operations = 0;
    for path in files("jepsen") {
        let text = text_of(&path);
        let invoked = text.lines().filter(|line| line.contains(":invoke")).count();
        if invoked == 0 {
            // One of the logs holds no operation, so nothing in it tells what it is.
            assert!(format::read(text.as_bytes(), None).is_err(), "{}", path.display());
            assert_eq!(read(&path, Some(Format::JepsenLog)).next_index(), 0);
            continue;
        }
        assert_eq!(Format::detect(text.as_bytes()), Some(Format::JepsenLog));
        let history = read(&path, None);
        assert_eq!(history.operations().len(), invoked, "{}", path.display());
        let completed =
            text.lines().filter(|line| !line.contains(":invoke") && line.contains("jepsen.util")).count();
        assert_eq!(history.next_index() as usize, invoked + completed, "{}", path.display());
        assert!(history.operations().iter().all(|operation| {
            matches!(operation.input, Input::Get | Input::Write { .. } | Input::Cas { .. })
                && operation.key.is_none()
        }));
        // A cas that failed says nothing but that; what was not answered says that it timed out.
        for operation in history.operations() {
            match (operation.outcome.clone(), operation.completed) {
                (Outcome::Info(error), Some(_)) => {
                    assert_eq!(error.map(|e| history.text(e)), Some("timed-out"))
                }
                (Outcome::Fail(error), _) => {
                    let is_cas = matches!(operation.input, Input::Cas { .. });
                    assert_eq!(error.map(|e| history.text(e)), (!is_cas).then_some("timed-out"));
                }
                (Outcome::Ok(_) | Outcome::Info(_), _) => {}
            }
        }
        round_trip(&history);
        operations += invoked;
    }
    eprintln!("{operations} operations of logs were read");
}

#[test]
fn every_key_value_text_is_read_whole() {
    for path in files("kv") {
        let text = text_of(&path);
        assert_eq!(Format::detect(text.as_bytes()), Some(Format::Edn));
        let history = read(&path, Some(Format::PorcupineKv));
        assert_eq!(history.next_index() as usize, text.lines().count(), "{}", path.display());
        assert!(history.operations().iter().all(|operation| {
            matches!(operation.input, Input::Get | Input::Put { .. } | Input::Append { .. })
                && operation.key.is_some()
                && operation.output().is_some()
        }));
        round_trip(&history);
    }
}
