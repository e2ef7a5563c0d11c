//! What a node keeps: two redb files, and a witness beside each.
//!
//! - `log.redb`: the log, the vote, what is purged and what is known to be committed. See [`log`].
//! - `state.redb`: the machine's records and what they include. See [`state`].
//! - `log.mark`, `state.mark`: how many durable commits each of them has seen. See [`mark`].
//! - `snapshot`: the newest snapshot. See [`snapshot`].
//!
//! One database would serialise apply behind the fsync of the log. The log is the durability: the state is committed
//! without one, and made durable about every second and before every snapshot.
//!
//! # What is checked
//! Everything, before a node serves: redb's own checksums of every live page, a checksum of ours in every record, the
//! order of the log, the digest of the state, and the witness. redb's checksums alone would not do, for a file that was
//! not closed: a page of the last commit that does not verify is taken for a torn write, and the commit is silently
//! undone. After a power failure that is right. After bit rot it would undo a vote or an acknowledged message. The
//! witness tells the two apart.
//!
//! # What it does not do
//! It repairs nothing. A node whose files are damaged says which one, stops, and is replaced under a new name.

pub mod database;
pub mod fault;
pub mod log;
pub mod mark;
pub mod record;
pub mod snapshot;
pub mod state;

pub use fault::Faults;
