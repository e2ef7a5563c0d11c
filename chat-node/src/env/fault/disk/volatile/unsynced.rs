//! What was written to one file and not synced: a layer over the file as it is on the disk. Pure; it does no I/O.
//!
//! # Invariants
//! * `newest` are the bytes that a reader sees instead of the disk's. Its pieces do not overlap, and none reaches beyond
//!   `length`.
//! * `bytes` is the sum of the lengths of the pieces: a byte that was written twice counts once, and one that was cut
//!   off again does not count.
//! * `changes` in their order, applied to the file on the disk, give what a reader sees.

use std::collections::BTreeMap;

use bytes::Bytes;

/// What a disk writes as one, in bytes.
pub const SECTOR_BYTES: u64 = 512;

/// One change that was not synced. Changes of all files of a disk are counted by one `order`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) order: u64,
    pub(super) what: What,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Puts bytes at an offset; the file grows if it ends before them.
    Write(u64, Bytes),
    /// Cuts the file, or grows it by zeros.
    SetLength(u64),
}

/// Bytes that only a reader sees, and the change that wrote them.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) order: u64,
    pub(super) bytes: Bytes,
}

impl Piece {
    fn length(&self) -> u64 {
        length(&self.bytes)
    }

    fn slice(&self, from: u64, to: u64) -> Self {
        Self { order: self.order, bytes: self.bytes.slice(place(from)..place(to)) }
    }
}

/// How many bytes these are.
pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length in memory fits 64 bits")
}

/// A distance within bytes that are in memory.
pub(super) fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("what is in memory can be addressed")
}

/// The unsynced changes of one file.
#[derive(Debug, Clone)]
pub(super) struct Unsynced {
    /// The length on the disk; `None` when there is no such file there.
    durable: Option<u64>,
    length: u64,
    /// The shortest that the file was since it was synced: the disk's bytes from here on are not seen any more.
    cut: u64,
    changes: Vec<Change>,
    newest: BTreeMap<u64, Piece>,
    bytes: u64,
}

/// All that a sync makes durable.
pub(super) struct Image {
    cut: Option<u64>,
    length: u64,
    pieces: Vec<(u64, Bytes)>,
    /// The last change that is in it.
    upto: u64,
}

impl Image {
    /// What brings the file on the disk to what a reader sees, in an order that is right.
    pub(super) fn steps(&self) -> impl Iterator<Item = What> {
        let lengths = self.cut.into_iter().chain([self.length]).map(What::SetLength);
        lengths.chain(self.pieces.iter().map(|(at, bytes)| What::Write(*at, bytes.clone())))
    }
}

impl Unsynced {
    /// Nothing, over a file that has this length on the disk, or is not there.
    pub(super) fn over(durable: Option<u64>) -> Self {
        let length = durable.unwrap_or(0);
        Self { durable, length, cut: length, changes: Vec::new(), newest: BTreeMap::new(), bytes: 0 }
    }

    /// The length that a reader sees.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The length on the disk, if the file is there.
    pub(super) fn durable(&self) -> Option<u64> {
        self.durable
    }

    /// Where the disk's bytes end that are still seen.
    pub(super) fn cut(&self) -> u64 {
        self.cut
    }

    /// How many bytes were written and not synced.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All changes, in order.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The newest bytes, by offset.
    pub(super) fn newest(&self) -> &BTreeMap<u64, Piece> {
        &self.newest
    }

    /// Writes.
    pub(super) fn write(&mut self, order: u64, at: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let bytes = Bytes::copy_from_slice(bytes);
        let end = at + length(&bytes);
        self.clear(at, end);
        self.newest.insert(at, Piece { order, bytes: bytes.clone() });
        self.bytes += end - at;
        self.length = self.length.max(end);
        // A file that is overwritten at one place for ever must not fill the memory. A disk that has the newest of
        // these writes, or none of them, is one that wrote the page late.
        let again = |change: &&mut Change| matches!(&change.what, What::Write(before, old) if *before == at && old.len() == bytes.len());
        match self.changes.last_mut().filter(again) {
            Some(last) => *last = Change { order, what: What::Write(at, bytes) },
            None => self.changes.push(Change { order, what: What::Write(at, bytes) }),
        }
    }

    /// Cuts the file, or grows it by zeros.
    pub(super) fn set_length(&mut self, order: u64, length: u64) {
        if length < self.length {
            self.clear(length, u64::MAX);
        }
        self.length = length;
        self.cut = self.cut.min(length);
        self.changes.push(Change { order, what: What::SetLength(length) });
    }

    /// Puts the newest bytes over those of the disk, which begin at `offset` of the file.
    pub(super) fn patch(&self, offset: u64, out: &mut [u8]) {
        let end = offset + length(out);
        let before = self.newest.range(..offset).next_back();
        for (&at, piece) in before.into_iter().chain(self.newest.range(offset..end)) {
            let (from, to) = (at.max(offset), (at + piece.length()).min(end));
            if from < to {
                let bytes = &piece.bytes[place(from - at)..place(to - at)];
                out[place(from - offset)..place(to - offset)].copy_from_slice(bytes);
            }
        }
    }

    /// What a sync has to write.
    pub(super) fn image(&self) -> Image {
        Image {
            cut: self.durable.filter(|durable| self.cut < *durable).map(|_| self.cut),
            length: self.length,
            pieces: self.newest.iter().map(|(at, piece)| (*at, piece.bytes.clone())).collect(),
            upto: self.changes.last().map_or(0, |change| change.order),
        }
    }

    /// The image is on the disk. What was changed since it was taken stays.
    pub(super) fn synced(&mut self, image: &Image) {
        self.changes.retain(|change| change.order > image.upto);
        self.newest.retain(|_, piece| piece.order > image.upto);
        self.bytes = self.newest.values().map(Piece::length).sum();
        self.durable = Some(image.length);
        let cuts = self.changes.iter().filter_map(|change| match change.what {
            What::SetLength(length) => Some(length),
            What::Write(..) => None,
        });
        self.cut = cuts.fold(image.length, u64::min);
    }

    /// The file is there on the disk, as empty as a new name is.
    pub(super) fn named(&mut self) {
        self.durable.get_or_insert(0);
    }

    /// Forgets the newest bytes of a range.
    fn clear(&mut self, start: u64, end: u64) {
        if let Some((&at, piece)) = self.newest.range(..start).next_back()
            && at + piece.length() > start
        {
            let (piece, piece_end) = (piece.clone(), at + piece.length());
            self.newest.insert(at, piece.slice(0, start - at));
            self.bytes -= piece_end.min(end) - start;
            if piece_end > end {
                self.newest.insert(end, piece.slice(end - at, piece.length()));
            }
        }
        let inside: Vec<u64> = self.newest.range(start..end).map(|(at, _)| *at).collect();
        for at in inside {
            let Some(piece) = self.newest.remove(&at) else { continue };
            let piece_end = at + piece.length();
            self.bytes -= piece_end.min(end) - at;
            if piece_end > end {
                self.newest.insert(end, piece.slice(end - at, piece.length()));
            }
        }
    }
}
