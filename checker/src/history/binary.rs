//! `history.bin`: the same events as `history.jsonl` in a few bytes each, in blocks with checksums.
//!
//! ```text
//! file    = magic block*              the first block is the header, as JSON: the one of `history.jsonl`
//! magic   = 89 "HSYH" 0D 0A 1A        as PNG does it: no text, and a copy that changed its line ends is noticed
//! block   = length check check payload   three u32, little endian: the CRC-32C of the length, and of the payload
//! payload = record*                   no record lies in two blocks
//! record  = tag (u8) field*           see `record`; numbers are LEB128, the less usual of them zigzag
//! ```
//!
//! A name (a key, a message id, a node, an error) is written once, in a record of its own in front of the first event
//! that needs it; then it is the number of that record, and among the ids on a page the distance from the one before.
//! The index of an event is its place, its time the distance from the event before. Sends, reads and deletes
//! have records of their own. Everything else is the text of its `value` in `history.jsonl`, so that there is no
//! operation that cannot be written.
//!
//! A file can be read up to its last whole block: what a writer that was killed has left behind it is reported as
//! [`Torn`]. Damage in a whole block is an error that says at which byte it was found. A length that no block has is
//! damage too, so that no file, however mad, makes a reader ask for more memory than the file is long.
//!
//! [`write()`] and [`read()`] are for whole histories. [`Writer`] takes events as a recorder has them, [`Blocks`] as
//! they stand in the file; [`Reader`] gives them back one after the other, without a [`History`](super::History) in memory, and
//! [`Feed`] takes the bytes while they are written.

mod block;
mod blocks;
mod build;
mod decode;
mod error;
mod feed;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod varint;
mod write;

pub use blocks::Blocks;
pub use build::read;
pub(super) use build::read_into;
pub use error::{BinaryError, Problem, Torn};
pub use feed::Feed;
pub use read::Reader;
pub use record::{Asked, Event, Learned, Page, What};
pub use write::{Writer, write};

/// The first bytes of a file.
pub const MAGIC: [u8; 8] = *b"\x89HSYH\r\n\x1a";

/// Whether a file that begins like this is a binary history.
#[must_use]
pub fn is_binary(beginning: &[u8]) -> bool {
    beginning.starts_with(&MAGIC)
}
