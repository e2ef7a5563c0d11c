//! Dense numbers for values: the deciders index arrays by them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::history::Datum;

/// How many integers there may be between the least and the greatest for each that occurs, so that an array of them is
/// better than a hash map.
const SPREAD: u64 = 8;

/// Numbers values from 0 in the order in which they are asked for.
#[derive(Debug)]
pub(super) struct Numbers {
    least: i64,
    /// The number of the integer `least + k`, or [`u32::MAX`].
    integers: Vec<u32>,
    others: HashMap<Datum, u32, BuildHasherDefault<Folding>>,
    count: u32,
}

impl Numbers {
    /// For values among `values`, which may repeat.
    pub(super) fn of(values: impl Iterator<Item = Datum>) -> Self {
        let (mut least, mut greatest, mut count) = (i64::MAX, i64::MIN, 0_u64);
        for value in values {
            if let Datum::Int(value) = value {
                least = least.min(value);
                greatest = greatest.max(value);
                count += 1;
            }
        }
        let spread = greatest.checked_sub(least).and_then(|spread| usize::try_from(spread).ok());
        let dense = spread.filter(|spread| *spread as u64 / SPREAD <= count);
        let integers = dense.map_or_else(Vec::new, |spread| vec![u32::MAX; spread + 1]);
        Numbers { least, integers, others: HashMap::default(), count: 0 }
    }

    /// The number of a value.
    pub(super) fn number(&mut self, value: Datum) -> u32 {
        let next = self.count;
        let number = match value {
            Datum::Int(integer) if !self.integers.is_empty() => {
                let place = usize::try_from(integer.wrapping_sub(self.least)).ok();
                place.and_then(|place| self.integers.get_mut(place))
            }
            _ => None,
        };
        let number = match number {
            Some(number) => {
                if *number == u32::MAX {
                    *number = next;
                }
                *number
            }
            None => *self.others.entry(value).or_insert(next),
        };
        self.count += u32::from(number == next);
        number
    }

    /// How many values have a number.
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        (size_of_val(&self.integers[..]) + self.others.capacity() * size_of::<(Datum, u32)>()) as u64
    }
}

/// A hash of one or two words: multiplied to twice their width and folded.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Folding(u64);

/// The fractional part of the golden ratio, made odd: Knuth, "The Art of Computer Programming" 3, section 6.4.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        last[7] = u8::try_from(rest.len()).expect("fewer than eight bytes are left");
        self.write_u64(u64::from_le_bytes(last));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0.rotate_left(5) ^ word ^ MULTIPLIER) * u128::from(MULTIPLIER);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_numbers_from_0_on() {
        let dense = [7, 9, 7, 8, 9].map(Datum::Int);
        let sparse = [i64::MIN, i64::MAX, i64::MIN, 5, i64::MAX].map(Datum::Int);
        let mixed = [Datum::Nil, Datum::Int(0), Datum::Nil, Datum::Bool(false), Datum::Int(0)];
        for values in [dense, sparse, mixed] {
            let mut numbers = Numbers::of(values.into_iter());
            let given = values.map(|value| numbers.number(value));
            assert_eq!((given, numbers.count()), ([0, 1, 0, 2, 1], 3));
        }
        assert_eq!(Numbers::of(std::iter::empty()).number(Datum::Int(3)), 0);
        // One that was not announced.
        let mut numbers = Numbers::of([Datum::Int(3)].into_iter());
        assert_eq!([2, 3, i64::MIN, 2].map(|value| numbers.number(Datum::Int(value))), [0, 1, 2, 0]);
    }
}
