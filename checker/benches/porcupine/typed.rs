//! Typed operations of Porcupine's data, for benchmarks and tests of the deciders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use checker::history::format::{self, Format};
use checker::history::{Datum, History, Input, Outcome, Output, Symbol};
use checker::model::kv::{self, Kv};
use checker::model::register::{self, Register};
use checker::model::{Operation, OperationOf};

/// The files of a directory of the data, sorted; `None`, and it is said, if it is not at hand: it is looked for as
/// `shared/histories/porcupine` beside the repository, or further up.
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "the data are files, and may be missing")]
pub(crate) fn files(directory: &str) -> Option<Vec<PathBuf>> {
    let place = |above: &Path| above.join("shared/histories/porcupine").join(directory);
    let Some(found) = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(place).find(|path| path.is_dir())
    else {
        eprintln!(
            "SKIPPED: there is no shared/histories/porcupine/{directory} beside the repository or above it"
        );
        return None;
    };
    let entries = fs::read_dir(found).expect("the directory can be listed");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    Some(files)
}

/// The bytes of a file.
#[expect(clippy::disallowed_methods, reason = "the data are files")]
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).expect("the data can be read")
}

/// Reads a text of the data.
pub(crate) fn read(text: &[u8], format: Format) -> History {
    format::read(text, Some(format)).expect("the data are well formed").0
}

/// The operations of an etcd log: there a cas that failed has seen another value.
pub(crate) fn register(history: &History) -> Vec<OperationOf<Register<'_>>> {
    let typed = history.operations().iter().filter_map(|operation| {
        let input = match operation.input {
            Input::Get => register::Input::Read,
            Input::Write { value } => register::Input::Write(value),
            Input::Cas { from, to } => register::Input::Cas { from, to },
            _ => return None,
        };
        let output = match (&operation.outcome, input) {
            (Outcome::Ok(Output::Value { value }), _) => Some(register::Output::Value(*value)),
            (Outcome::Ok(_), _) => Some(register::Output::Done),
            (Outcome::Fail(_), register::Input::Cas { .. }) => Some(register::Output::Differed),
            (Outcome::Fail(_), _) => return None,
            (Outcome::Info(_), _) => None,
        };
        let returned = operation.completed.filter(|_| output.is_some()).map(|moment| moment.index);
        Some(Operation { input, output, invoked: operation.invoked.index, returned })
    });
    typed.collect()
}

/// The operations of a key-value text, by key.
pub(crate) fn entries(history: &History) -> Vec<Vec<OperationOf<Kv<'_>>>> {
    let mut by_key: BTreeMap<Option<Symbol>, Vec<OperationOf<Kv<'_>>>> = BTreeMap::new();
    let text = |datum: Datum| match datum {
        Datum::Name(name) => history.text(name),
        other => panic!("{other:?} is no text"),
    };
    for operation in history.operations() {
        let input = match operation.input {
            Input::Get => kv::Input::Get,
            Input::Put { value } => kv::Input::Put(text(value)),
            Input::Append { value } => kv::Input::Append(text(value)),
            _ => panic!("{operation:?} is not of a key-value store"),
        };
        let output = match &operation.outcome {
            Outcome::Ok(Output::Value { value }) => Some(kv::Output::Value(text(*value))),
            Outcome::Ok(_) => Some(kv::Output::Done),
            Outcome::Fail(_) => continue,
            Outcome::Info(_) => None,
        };
        let returned = operation.completed.filter(|_| output.is_some()).map(|moment| moment.index);
        let invoked = operation.invoked.index;
        by_key.entry(operation.key).or_default().push(Operation { input, output, invoked, returned });
    }
    by_key.into_values().collect()
}
