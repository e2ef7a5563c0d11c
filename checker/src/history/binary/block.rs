//! Blocks: bytes with their length before them, and checksums of both. That of the length stands apart, so that a block
//! which the end of the file cuts off is told from one whose length is damaged.

use std::io::{self, Read, Write};

use super::error::Problem;

/// The most bytes of a block. A writer ends a block long before; only an event that is greater than that itself has
/// more, and there is none of this size.
pub(super) const BYTES_MAX: u32 = 1 << 28;

/// The bytes before the payload.
pub(super) const HEAD: usize = 12;

/// Writes a block in one call.
pub(super) fn write(output: &mut impl Write, scratch: &mut Vec<u8>, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= BYTES_MAX);
    let length =
        length.ok_or_else(|| io::Error::other("an event of more bytes than a block has"))?.to_le_bytes();
    scratch.clear();
    scratch.extend_from_slice(&length);
    scratch.extend_from_slice(&crc32c::crc32c(&length).to_le_bytes());
    scratch.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    scratch.extend_from_slice(payload);
    output.write_all(scratch)
}

/// What stands where a block could.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A whole block; it is in the buffer.
    Block,
    /// The end of the file.
    End,
    /// The end of the file inside the block.
    Torn,
}

/// Reads a block into `payload`, of which the memory is used again.
pub(super) fn read(input: &mut impl Read, payload: &mut Vec<u8>) -> Result<Found, Problem> {
    payload.clear();
    input.take(HEAD as u64).read_to_end(payload).map_err(Problem::Read)?;
    let &[a, b, c, d, e, f, g, h, i, j, k, l] = &payload[..] else {
        return Ok(if payload.is_empty() { Found::End } else { Found::Torn });
    };
    let (length, sum) = ([a, b, c, d], u32::from_le_bytes([i, j, k, l]));
    let bytes = u32::from_le_bytes(length);
    if !is_length(length, [e, f, g, h]) {
        return Err(Problem::Length(bytes));
    }
    // The buffer grows with what comes, not with what was promised.
    payload.clear();
    let came = input.take(bytes.into()).read_to_end(payload).map_err(Problem::Read)?;
    if came < bytes as usize {
        return Ok(Found::Torn);
    }
    if crc32c::crc32c(payload) != sum {
        return Err(Problem::Checksum);
    }
    Ok(Found::Block)
}

fn is_length(length: [u8; 4], check: [u8; 4]) -> bool {
    u32::from_le_bytes(length) <= BYTES_MAX && crc32c::crc32c(&length) == u32::from_le_bytes(check)
}

/// How many bytes the block has that stands here, if it is here as a whole. One with a damaged length has all of them: who
/// reads it complains.
pub(super) fn whole(bytes: &[u8]) -> Option<usize> {
    let (&[a, b, c, d, e, f, g, h, ..], rest) = bytes.split_first_chunk::<HEAD>()?;
    let length = [a, b, c, d];
    if !is_length(length, [e, f, g, h]) {
        return Some(bytes.len());
    }
    let payload = u32::from_le_bytes(length) as usize;
    (payload <= rest.len()).then_some(HEAD + payload)
}
