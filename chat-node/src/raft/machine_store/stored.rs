//! The newest snapshot while it is read. A disk that cannot read it stops the node, whoever reads.

use std::io::{self, ErrorKind, Read};

use crate::machine::tables::StoreError;
use crate::store::{Faults, snapshot};

/// A snapshot file whose errors are reported.
pub(super) struct Stored {
    file: Box<dyn Read + Send>,
    path: String,
    faults: Faults,
}

impl Stored {
    /// The open file at `path`.
    pub(super) fn new(file: Box<dyn Read + Send>, path: String, faults: Faults) -> Self {
        Self { file, path, faults }
    }
}

impl Read for Stored {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.file.read(out).map_err(|error| match error.kind() {
            // It is to be tried again.
            ErrorKind::Interrupted => error,
            _ => {
                let fault: StoreError = snapshot::read_error(&self.path, error);
                self.faults.report(fault)
            }
        })
    }
}
