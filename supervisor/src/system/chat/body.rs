//! The text of a message, made from its id and checked when it comes back.
//!
//! `c3-17 9f86d081…`: the id, a space, and filling that follows from the id, up to the wanted length. A text that does
//! not fit its id was changed on its way, and becomes an id that nobody ever sent: the checker calls it a phantom.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The text of the message `id`, `length` bytes long; longer when the id alone is.
#[must_use]
pub(super) fn compose(id: &str, length: u64) -> String {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut body = id.to_owned();
    if body.len() + 1 < length {
        body.push(' ');
        for block in 0.. {
            body.push_str(&format!("{:016x}", xxh3_64_with_seed(id.as_bytes(), block)));
            if body.len() >= length {
                break;
            }
        }
        body.truncate(length);
    }
    body
}

/// The id of a message by its text, which `length` bytes were asked for.
#[must_use]
pub(super) fn identify(body: &str, length: u64) -> String {
    let id = body.split(' ').next().unwrap_or_default();
    if compose(id, length) == body { id.to_owned() } else { format!("corrupt:{body}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_gives_its_id_back_whatever_its_length() {
        for length in 0..200 {
            let body = compose("c3-17", length);
            assert_eq!(identify(&body, length), "c3-17");
            assert!(body.len() as u64 <= length.max(5));
        }
    }

    #[test]
    fn a_text_that_was_changed_is_nobodys() {
        let body = compose("c3-17", 64);
        let other = body.replace("c3-17", "c3-18");
        for changed in [other.as_str(), &body[..40], &(body.clone() + "x"), ""] {
            assert_eq!(identify(changed, 64), format!("corrupt:{changed}"));
        }
    }
}
