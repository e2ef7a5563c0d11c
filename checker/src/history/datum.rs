//! Values that clients wrote and read: small enough to copy, and equal exactly if they are the same value.
//!
//! What is more than a number lives in the history's [`Symbols`], which also keeps the lists ([`List`]).

use std::cmp::Ordering;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess};
use serde_json::Value;

use super::interner::Hash;
use super::symbol::{List, Symbol, Symbols};

/// A value of one [`History`](super::History).
///
/// Two data of the same history are equal exactly when the values are; the order is one of the history, good for
/// sorting and nothing else ([`Datum::compare`] is the same everywhere). A set is the sorted list of its elements.
/// They mean nothing in another history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Datum {
    /// Null: nothing, or the value of a register that nobody wrote.
    #[default]
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A string.
    Name(Symbol),
    /// Any other single thing, by its text: a keyword `:a`, a fraction `2.5`, a number beyond 64 bits, a tagged `#inst "…"`.
    Other(Symbol),
    /// Values in their order.
    List(List),
    /// Keys and values, in turns: of a JSON object in its order, of an EDN map by key.
    Map(List),
}

/// The most items of a list that a sentence gives.
const TOLD_ITEMS_MAX: usize = 12;

/// The most characters of a text that a sentence gives.
const TOLD_CHARACTERS_MAX: usize = 60;

// A history holds tens of millions of them.
const _: () = assert!(size_of::<Datum>() <= 16);

impl Datum {
    /// The value as JSON. What JSON cannot say, such as a keyword, is a string of its text.
    #[must_use]
    pub fn to_json(self, symbols: &Symbols) -> Value {
        // A number that JSON would round stays a text.
        let other = |text: &str| match serde_json::from_str(text) {
            Ok(Value::Number(number)) if number.to_string() == text => Value::Number(number),
            Ok(_) | Err(_) => Value::String(text.to_owned()),
        };
        match self {
            Datum::Nil => Value::Null,
            Datum::Bool(value) => Value::Bool(value),
            Datum::Int(value) => value.into(),
            Datum::Name(name) => symbols.text(name).into(),
            Datum::Other(text) => other(symbols.text(text)),
            Datum::List(list) => symbols.items(list).iter().map(|item| item.to_json(symbols)).collect(),
            Datum::Map(list) => {
                let entry = |entry: &[Datum]| (entry[0].key_text(symbols), entry[1].to_json(symbols));
                Value::Object(symbols.items(list).chunks_exact(2).map(entry).collect())
            }
        }
    }

    /// The value as JSON text without spaces.
    #[must_use]
    pub fn text(self, symbols: &Symbols) -> String {
        self.to_json(symbols).to_string()
    }

    /// The value in a sentence: its JSON text, of which long texts and lists are abridged, `[1,2,3,…,8,9] (70)`.
    #[must_use]
    pub fn told(self, symbols: &Symbols) -> String {
        let short = |text: &str| match text.char_indices().nth(TOLD_CHARACTERS_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        match self {
            Datum::Name(text) => Value::from(short(symbols.text(text))).to_string(),
            Datum::Other(text) if symbols.text(text).len() > TOLD_CHARACTERS_MAX => short(symbols.text(text)),
            Datum::List(list) => match symbols.items(list) {
                items if items.len() <= TOLD_ITEMS_MAX => {
                    let items: Vec<String> = items.iter().map(|item| item.told(symbols)).collect();
                    format!("[{}]", items.join(","))
                }
                items => {
                    let told = |items: &[Datum]| {
                        let told: Vec<String> = items.iter().map(|item| item.told(symbols)).collect();
                        told.join(",")
                    };
                    let (first, last) = (told(&items[..3]), told(&items[items.len() - 2..]));
                    format!("[{first},…,{last}] ({})", items.len())
                }
            },
            Datum::Map(list) if symbols.items(list).len() > 2 * TOLD_ITEMS_MAX => {
                format!("a map of {} entries", symbols.items(list).len() / 2)
            }
            Datum::Nil | Datum::Bool(_) | Datum::Int(_) | Datum::Other(_) | Datum::Map(_) => {
                self.text(symbols)
            }
        }
    }

    /// The value as an object's key is called: a string by its content, everything else by its text.
    #[must_use]
    pub fn key_text(self, symbols: &Symbols) -> String {
        match self {
            Datum::Name(text) | Datum::Other(text) => symbols.text(text).to_owned(),
            other => other.text(symbols),
        }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn items(self, symbols: &Symbols) -> Option<&[Datum]> {
        match self {
            Datum::List(list) => Some(symbols.items(list)),
            _ => None,
        }
    }

    /// The order of two values by what they are: the same in every history.
    #[must_use]
    pub fn compare(self, other: Datum, symbols: &Symbols) -> Ordering {
        let kind = |datum: Datum| match datum {
            Datum::Nil => 0,
            Datum::Bool(_) => 1,
            Datum::Int(_) => 2,
            Datum::Name(_) => 3,
            Datum::Other(_) => 4,
            Datum::List(_) => 5,
            Datum::Map(_) => 6,
        };
        match (self, other) {
            (Datum::Bool(one), Datum::Bool(other)) => one.cmp(&other),
            (Datum::Int(one), Datum::Int(other)) => one.cmp(&other),
            (Datum::Name(one), Datum::Name(other)) | (Datum::Other(one), Datum::Other(other)) => {
                symbols.text(one).cmp(symbols.text(other))
            }
            (Datum::List(one), Datum::List(other)) | (Datum::Map(one), Datum::Map(other)) => {
                let (one, other) = (symbols.items(one), symbols.items(other));
                let first = one.iter().zip(other).map(|(one, other)| one.compare(*other, symbols));
                first.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| one.len().cmp(&other.len()))
            }
            (one, other) => kind(one).cmp(&kind(other)),
        }
    }

    /// Folds the value into a hash.
    #[inline]
    pub(super) fn hash_into(self, hash: Hash) -> Hash {
        let (kind, word) = match self {
            Datum::Nil => (0, 0),
            Datum::Bool(value) => (1, u64::from(value)),
            Datum::Int(value) => (2, value.cast_unsigned()),
            Datum::Name(name) => (3, name.index() as u64),
            Datum::Other(text) => (4, text.index() as u64),
            Datum::List(list) => (5, list.index() as u64),
            Datum::Map(list) => (6, list.index() as u64),
        };
        hash.word(word ^ kind << 60)
    }

    /// Reads a JSON text.
    ///
    /// # Errors
    /// Those of `serde_json`, for what is not JSON or is nested too deeply.
    pub fn from_json(json: &str, symbols: &mut Symbols) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let datum = Seed(symbols).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(datum)
    }
}

/// Builds data without a [`Value`] in between.
struct Seed<'a>(&'a mut Symbols);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Datum;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for Seed<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Datum, E> {
        Ok(Datum::Nil)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Datum, E> {
        Ok(Datum::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Datum, E> {
        Ok(Datum::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Datum, E> {
        Ok(i64::try_from(value)
            .map_or_else(|_| Datum::Other(self.0.intern(&Value::from(value).to_string())), Datum::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Datum, E> {
        Ok(Datum::Other(self.0.intern(&Value::from(value).to_string())))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Datum, E> {
        Ok(Datum::Name(self.0.intern(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Datum, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Seed(self.0))? {
            items.push(item);
        }
        Ok(Datum::List(self.0.list(&items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Datum, A::Error> {
        let mut items: Vec<Datum> = Vec::new();
        while let Some(key) = access.next_key_seed(Seed(self.0))? {
            let value = access.next_value_seed(Seed(self.0))?;
            // Of two values with one key the last counts, as everywhere in JSON.
            match items.chunks_exact_mut(2).find(|entry| entry[0] == key) {
                Some(entry) => entry[1] = value,
                None => items.extend([key, value]),
            }
        }
        Ok(Datum::Map(self.0.list(&items)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, symbols: &mut Symbols) -> Datum {
        Datum::from_json(json, symbols).unwrap()
    }

    #[test]
    fn json_survives() {
        let mut symbols = Symbols::default();
        for json in [
            "null",
            "true",
            "-9223372036854775808",
            "18446744073709551615",
            "2.5",
            "\"\"",
            "\"a \\\"b\\\"\"",
            "\"2.5\"",
            "[]",
            "[1,[2,[]],null]",
            "{}",
            "{\"b\":1,\"a\":{\"c\":[2.5,\"x\"]}}",
        ] {
            assert_eq!(read(json, &mut symbols).text(&symbols), json);
        }
        assert_eq!(read(" { \"a\" : 1, \"a\":2}", &mut symbols).text(&symbols), "{\"a\":2}");
        assert!(Datum::from_json("1 2", &mut symbols).is_err());
        assert!(Datum::from_json(&"[".repeat(100_000), &mut symbols).is_err());
    }

    #[test]
    fn data_are_equal_exactly_if_the_values_are() {
        let mut symbols = Symbols::default();
        let texts =
            ["null", "0", "1", "\"1\"", "1.0", "[1]", "[[1]]", "[\"1\"]", "[1,1]", "{\"1\":1}", "[\"1\",1]"];
        for one in texts {
            for other in texts {
                let (a, b) = (read(one, &mut symbols), read(other, &mut symbols));
                assert_eq!(a == b, one == other, "{one} and {other}");
            }
        }
    }

    #[test]
    fn what_is_long_is_told_in_short() {
        let mut symbols = Symbols::default();
        let told = |json: &str, symbols: &mut Symbols| read(json, symbols).told(symbols);
        for short in ["null", "-3", "\"a\"", "[1,[2,\"x\"],null]", "{\"a\":1}", "2.5"] {
            assert_eq!(told(short, &mut symbols), short);
        }
        let many = serde_json::to_string(&(0..1000).collect::<Vec<_>>()).unwrap();
        assert_eq!(told(&many, &mut symbols), "[0,1,2,…,998,999] (1000)");
        assert_eq!(told(&format!("[{many}]"), &mut symbols), "[[0,1,2,…,998,999] (1000)]");
        let long = format!("\"{}\"", "ä".repeat(100));
        assert_eq!(told(&long, &mut symbols), format!("\"{}…\"", "ä".repeat(60)));
    }

    #[test]
    fn what_json_cannot_say_is_a_string() {
        let mut symbols = Symbols::default();
        let keyword = Datum::Other(symbols.intern(":a"));
        let list = symbols.list(&[keyword, Datum::Int(3)]);
        assert_eq!(Datum::List(list).text(&symbols), "[\":a\",3]");
        assert_eq!(Datum::Map(list).text(&symbols), "{\":a\":3}");
        let long = "123456789012345678901234567890";
        assert_eq!(Datum::Other(symbols.intern(long)).text(&symbols), format!("\"{long}\""));
        assert_eq!(Datum::Other(symbols.intern("true")).text(&symbols), "\"true\"");
    }
}
