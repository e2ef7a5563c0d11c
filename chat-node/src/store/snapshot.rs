//! A snapshot: all records of a state in one file, in key order, with a checksum over the whole.
//!
//! ```text
//! magic and version   8 bytes      hearsay, 1
//! length of the head  u32          all numbers little-endian
//! head                             an encoded raft.v1.SnapshotHead
//! records                          length of the key u32 (never 0), length of the value u32, key, value
//! end                 u32          0
//! number of records   u64
//! checksum            16 bytes     XXH3 of all bytes before it
//! ```
//!
//! It is written and read in pieces: a state is never in memory as a whole. A file is only taken for a snapshot under
//! its final name, which it gets once it is on stable storage; what a crash leaves under another name is removed.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;

use prost::Message as _;
use proto::raft as pb;
use xxhash_rust::xxh3::Xxh3;

use super::database;
use super::state::digest::Digest;
use super::state::{Head, View};
use crate::env::disk::Disk;
use crate::machine::tables::StoreError;

/// The newest snapshot.
pub const FILE: &str = "snapshot";
/// How the name of a file begins that is not a snapshot yet.
const TEMPORARY: &str = "snapshot.new.";

const MAGIC: [u8; 8] = *b"hearsay\x01";
/// No head and no key or value that a node writes is longer.
const PART_BYTES_MAX: usize = 16 << 20;
const BUFFER_BYTES: usize = 64 << 10;

/// Takes the records of a snapshot.
pub type Put<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// A name for a file that is not a snapshot yet.
#[must_use]
pub fn temporary(number: u64) -> String {
    format!("{TEMPORARY}{number}")
}

/// Removes what a crash left.
///
/// # Errors
/// The directory cannot be read or changed.
pub fn remove_temporaries(disk: &dyn Disk) -> Result<(), StoreError> {
    let remove = || -> io::Result<()> {
        let names = disk.list()?;
        names.iter().filter(|name| name.starts_with(TEMPORARY)).try_for_each(|name| disk.remove(name))
    };
    remove().map_err(|error| write_error(disk, TEMPORARY, error))
}

/// Writes the view to the file `name`; it is on stable storage when this returns true. When `wanted` says no, between
/// two records, the rest is not written, and this returns false.
///
/// # Errors
/// The state cannot be read, or the file cannot be written.
pub fn write(
    disk: &dyn Disk,
    name: &str,
    view: &View,
    wanted: &dyn Fn() -> bool,
) -> Result<bool, StoreError> {
    let io = |error| write_error(disk, name, error);
    let file = disk.create(name).map_err(io)?;
    let mut out = HashWriter { inner: io::BufWriter::with_capacity(BUFFER_BYTES, file), hash: Xxh3::new() };
    let head = view.head().message().encode_to_vec();
    let begin = |out: &mut HashWriter<_>| -> io::Result<()> {
        out.write_all(&MAGIC)?;
        out.write_all(&length(head.len())?)?;
        out.write_all(&head)
    };
    begin(&mut out).map_err(io)?;

    let mut count = 0_u64;
    let mut written = Ok(true);
    view.visit_all(&mut |key, value| {
        count += 1;
        written = if wanted() { write_record(&mut out, key, value).map(|()| true) } else { Ok(false) };
        if matches!(written, Ok(true)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if !written.map_err(io)? {
        return Ok(false);
    }

    let end = |mut out: HashWriter<io::BufWriter<_>>| -> io::Result<()> {
        out.write_all(&0_u32.to_le_bytes())?;
        out.write_all(&count.to_le_bytes())?;
        let checksum = out.hash.digest128().to_le_bytes();
        out.write_all(&checksum)?;
        let mut file: Box<dyn crate::env::disk::DiskFile> =
            out.inner.into_inner().map_err(io::Error::from)?;
        file.sync()
    };
    end(out).map_err(io)?;
    Ok(true)
}

fn write_record(out: &mut impl Write, key: &[u8], value: &[u8]) -> io::Result<()> {
    out.write_all(&length(key.len())?)?;
    out.write_all(&length(value.len())?)?;
    out.write_all(key)?;
    out.write_all(value)
}

fn length(bytes: usize) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= PART_BYTES_MAX);
    length.map(u32::to_le_bytes).ok_or_else(|| io::Error::other("a record is too long for a snapshot"))
}

/// Makes the file `name`, which is on stable storage, the newest snapshot.
///
/// # Errors
/// The directory cannot be changed.
pub fn declare(disk: &dyn Disk, name: &str) -> Result<(), StoreError> {
    disk.rename(name, FILE).map_err(|error| write_error(disk, FILE, error))
}

/// Copies a snapshot into the file `name`; it is on stable storage when this returns.
///
/// # Errors
/// `from` cannot be read, or the file cannot be written.
pub fn copy(disk: &dyn Disk, name: &str, from: &mut dyn Read) -> Result<(), StoreError> {
    let mut copy = || -> io::Result<()> {
        let mut file = disk.create(name)?;
        io::copy(from, &mut file)?;
        file.sync()
    };
    copy().map_err(|error| write_error(disk, name, error))
}

/// Opens the newest snapshot at its beginning.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn open(disk: &dyn Disk) -> Result<Box<dyn Read + Send>, StoreError> {
    disk.open(FILE).map_err(|error| read_error(&disk.path(FILE), error))
}

/// Removes the file `name`.
///
/// # Errors
/// The directory cannot be changed.
pub fn remove(disk: &dyn Disk, name: &str) -> Result<(), StoreError> {
    disk.remove(name).map_err(|error| write_error(disk, name, error))
}

/// What the snapshot `name` holds.
///
/// # Errors
/// `Corrupt` when it is no snapshot, or it cannot be read.
pub fn head(disk: &dyn Disk, name: &str) -> Result<Head, StoreError> {
    let path = disk.path(name);
    let file = disk.open(name).map_err(|error| read_error(&path, error))?;
    Ok(Reader::begin(path, file)?.1)
}

/// Verifies the newest snapshot, if there is one.
///
/// # Errors
/// `Corrupt` when it is not as it was written.
pub fn verify(disk: &dyn Disk) -> Result<(), StoreError> {
    match newest(disk)? {
        None => Ok(()),
        Some(_) => read(disk, FILE, &mut |_, _| Ok(())).map(drop),
    }
}

/// What the newest snapshot holds; `None` when there is no snapshot.
///
/// # Errors
/// `Corrupt` when it is no snapshot, or it cannot be read.
pub fn newest(disk: &dyn Disk) -> Result<Option<Head>, StoreError> {
    match disk.open(FILE) {
        Ok(file) => Ok(Some(Reader::begin(disk.path(FILE), file)?.1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(read_error(&disk.path(FILE), error)),
    }
}

/// Reads the snapshot `name` to its end, and hands every record to `put`. Whether the whole is as it was written is
/// only known when this returns.
///
/// # Errors
/// `Corrupt` when it is torn or damaged; what `put` returns.
pub fn read(disk: &dyn Disk, name: &str, put: Put<'_>) -> Result<Head, StoreError> {
    let path = disk.path(name);
    let file = disk.open(name).map_err(|error| read_error(&path, error))?;
    let (mut reader, head) = Reader::begin(path, file)?;
    let mut digest = Digest::default();
    reader.records(&mut |key, value| {
        digest.add(key, value);
        put(key, value)
    })?;
    if digest != head.digest {
        return Err(reader.corrupt("its records have another digest than it says"));
    }
    Ok(head)
}

struct Reader {
    path: String,
    inner: io::BufReader<Box<dyn Read + Send>>,
    hash: Xxh3,
}

impl Reader {
    fn begin(path: String, file: Box<dyn Read + Send>) -> Result<(Self, Head), StoreError> {
        let inner = io::BufReader::with_capacity(BUFFER_BYTES, file);
        let mut reader = Self { path, inner, hash: Xxh3::new() };
        if reader.array::<8>()? != MAGIC {
            return Err(reader.corrupt("it is no snapshot of this version"));
        }
        let length = reader.length()?;
        let head = reader.bytes(length)?;
        let head = pb::SnapshotHead::decode(head.as_slice()).ok().and_then(Head::from_message);
        let head = head.ok_or_else(|| reader.corrupt("its head is undecodable"))?;
        Ok((reader, head))
    }

    fn records(&mut self, put: Put<'_>) -> Result<(), StoreError> {
        let mut count = 0_u64;
        loop {
            let key_length = self.length()?;
            if key_length == 0 {
                break;
            }
            let value_length = self.length()?;
            let key = self.bytes(key_length)?;
            let value = self.bytes(value_length)?;
            put(&key, &value)?;
            count += 1;
        }
        if u64::from_le_bytes(self.array()?) != count {
            return Err(self.corrupt("it has another number of records than it says"));
        }
        let computed = self.hash.digest128();
        if u128::from_le_bytes(self.array()?) != computed {
            return Err(self.corrupt("its checksum does not match"));
        }
        match self.inner.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.corrupt("it goes on after its end")),
            Err(error) => Err(read_error(&self.path, error)),
        }
    }

    fn length(&mut self) -> Result<usize, StoreError> {
        let length = u32::from_le_bytes(self.array()?);
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= PART_BYTES_MAX)
            .ok_or_else(|| self.corrupt("a part is too long"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        match self.inner.read_exact(bytes) {
            Ok(()) => {
                self.hash.update(bytes);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.corrupt("it ends too early"))
            }
            Err(error) => Err(read_error(&self.path, error)),
        }
    }

    fn corrupt(&self, what: &str) -> StoreError {
        database::corrupt(&self.path, what)
    }
}

struct HashWriter<W> {
    inner: W,
    hash: Xxh3,
}

impl<W: Write> Write for HashWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The file `name` could not be written.
#[must_use]
pub fn write_error(disk: &dyn Disk, name: &str, error: io::Error) -> StoreError {
    StoreError::Io {
        file: disk.path(name),
        action: "cannot write the snapshot".to_owned(),
        source: error.into(),
    }
}

/// The file at `path` could not be read.
#[must_use]
pub fn read_error(path: &str, error: io::Error) -> StoreError {
    StoreError::Io {
        file: path.to_owned(),
        action: "cannot read the snapshot".to_owned(),
        source: error.into(),
    }
}

#[cfg(test)]
mod tests;
