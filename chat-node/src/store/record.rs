//! The form of a stored record: a version, a checksum of key and payload, the payload.
//!
//! redb's page checksums are verified only when a file is opened. This one is verified on every read, and covers the
//! key, so that a record that was moved is as bad as one that was changed.

/// The version that this build writes, and the only one it reads.
const VERSION: u8 = 1;
/// What stands before the payload.
const HEAD_BYTES: usize = 5;

/// A record of `payload` under `key`.
#[must_use]
pub fn seal(key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEAD_BYTES + payload.len());
    record.push(VERSION);
    record.extend_from_slice(&checksum(key, payload).to_le_bytes());
    record.extend_from_slice(payload);
    record
}

/// The payload of the record under `key`; what is wrong with it when it is not as it was written.
///
/// # Errors
/// Words that say what is wrong.
pub fn open<'a>(key: &[u8], record: &'a [u8]) -> Result<&'a [u8], String> {
    let Some((&[version, a, b, c, d], payload)) = record.split_first_chunk::<HEAD_BYTES>() else {
        return Err(format!("{} bytes are too few", record.len()));
    };
    if version != VERSION {
        return Err(format!("version {version}, where this build knows only {VERSION}"));
    }
    if u32::from_le_bytes([a, b, c, d]) != checksum(key, payload) {
        return Err("its checksum does not match".to_owned());
    }
    Ok(payload)
}

fn checksum(key: &[u8], payload: &[u8]) -> u32 {
    // The length keeps a byte from passing from the key to the payload unnoticed.
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes();
    let head = crc32c::crc32c_append(crc32c::crc32c(&length), key);
    crc32c::crc32c_append(crc32c::crc32c_append(head, &[VERSION]), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let record = seal(b"key", b"payload");
        assert_eq!(open(b"key", &record), Ok(&b"payload"[..]));
        assert!(open(b"kez", &record).is_err());
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(b"key", &flipped).is_err(), "bit {bit}");
        }
        for short in 0..record.len() {
            assert!(open(b"key", &record[..short]).is_err(), "{short} bytes");
        }
    }
}
