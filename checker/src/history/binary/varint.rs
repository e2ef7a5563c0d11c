//! Numbers of varying length: LEB128, seven bits a byte, the lowest first. Signed ones are folded (zigzag), so that
//! small ones are short whatever their sign.

/// Appends a number.
pub(super) fn put(output: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        output.push(number as u8 | 0x80);
        number >>= 7;
    }
    output.push(number as u8);
}

/// A signed number as an unsigned one.
pub(super) fn fold(number: i64) -> u64 {
    (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned()
}

/// The signed number that was folded.
pub(super) fn unfold(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) left: &'a [u8],
}

/// What a reader says when the bytes do not last, or a number is too long.
const SHORT: &str = "a record goes on behind the end of its block";

impl<'a> Bytes<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, &'static str> {
        let (first, rest) = self.left.split_first().ok_or(SHORT)?;
        self.left = rest;
        Ok(*first)
    }

    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, &'static str> {
        match self.left {
            // Nearly all numbers are like this.
            [first, rest @ ..] if *first < 0x80 => {
                self.left = rest;
                Ok(u64::from(*first))
            }
            // Ids on a page of one conversation among many are like this.
            [first, second, rest @ ..] if *second < 0x80 => {
                self.left = rest;
                Ok(u64::from(*first & 0x7f) | u64::from(*second) << 7)
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, &'static str> {
        let mut number = 0;
        for shift in (0..).step_by(7).take(10) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number of more than 64 bits")
    }

    pub(super) fn signed(&mut self) -> Result<i64, &'static str> {
        self.number().map(unfold)
    }

    /// A count of things that need at least a byte each.
    pub(super) fn count(&mut self) -> Result<usize, &'static str> {
        let count = self.number()?;
        usize::try_from(count).ok().filter(|count| *count <= self.left.len()).ok_or(SHORT)
    }

    /// A text with its length before it.
    pub(super) fn text(&mut self) -> Result<&'a str, &'static str> {
        let length = self.count()?;
        let (text, rest) = self.left.split_at(length);
        self.left = rest;
        std::str::from_utf8(text).map_err(|_| "a text that is not UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), 1 << 63, u64::MAX];
        let mut written = Vec::new();
        numbers.iter().for_each(|number| put(&mut written, *number));
        let mut bytes = Bytes { left: &written };
        assert_eq!(numbers.map(|_| bytes.number().unwrap()), numbers);
        assert!(bytes.left.is_empty() && bytes.number().is_err());
        for number in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            assert_eq!(unfold(fold(number)), number);
        }
        assert_eq!([fold(-1), fold(1), fold(-64)], [1, 2, 127]);
    }

    #[test]
    fn what_is_too_long_is_an_error() {
        for bytes in [
            &[0xff; 10][..],
            &[0x80; 11],
            &[0x80],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2],
        ] {
            assert!(Bytes { left: bytes }.number().is_err(), "{bytes:?}");
        }
        assert!(Bytes { left: &[3, b'a', b'b'] }.text().is_err());
        assert!(Bytes { left: &[1, 0xff] }.text().is_err());
    }
}
