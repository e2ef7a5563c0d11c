//! The order in which the keys of operation maps stand. Whoever prints a history prints every operation alike, so what
//! followed a key the last time most likely follows it again, and is compared as a whole: `, :time ` in one step instead
//! of a comma, a space, a word and a space.
//!
//! It is learned key by key, so that operations which say more than others (an `:error`) spoil nothing. It is nothing but a guess:
//! where it is wrong, the key is read as it stands there.

use super::cursor::Cursor;

/// What a key of an operation map says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Field {
    Index,
    Time,
    Process,
    Type,
    F,
    Value,
    Key,
    Node,
    Error,
    /// Something that is passed over.
    #[default]
    Other,
}

/// How many there are.
const FIELDS: usize = 10;

impl Field {
    /// What a key says.
    pub(super) fn of(key: &[u8]) -> Self {
        match key {
            b":index" => Field::Index,
            b":time" => Field::Time,
            b":process" => Field::Process,
            b":type" => Field::Type,
            b":f" => Field::F,
            b":value" => Field::Value,
            b":key" => Field::Key,
            b":node" => Field::Node,
            b":error" => Field::Error,
            _ => Field::Other,
        }
    }

    /// The key.
    pub(super) fn name(self) -> &'static str {
        match self {
            Field::Index => ":index",
            Field::Time => ":time",
            Field::Process => ":process",
            Field::Type => ":type",
            Field::F => ":f",
            Field::Value => ":value",
            Field::Key => ":key",
            Field::Node => ":node",
            Field::Error => ":error",
            Field::Other => "another key",
        }
    }

    /// A bit for each field that may be said once.
    pub(super) fn bit(self) -> Option<u16> {
        (self != Field::Other).then_some(1 << self as u16)
    }
}

/// What followed each field the last time, and what the maps began with.
#[derive(Debug, Default)]
pub(super) struct Order {
    next: [Next; FIELDS + 1],
}

/// The most bytes between two values that are compared as a whole.
const BYTES_MAX: usize = size_of::<u128>();

/// What stands between two values.
#[derive(Debug, Clone, Copy, Default)]
struct Next {
    text: u128,
    /// The bits of `text` that count; none if nothing is known.
    mask: u128,
    length: usize,
    field: Field,
}

impl Order {
    /// The field that comes behind this one, or first of all, if it is the one of the last time. What was compared is passed.
    #[inline]
    pub(super) fn expected(&self, previous: Option<Field>, cursor: &mut Cursor<'_>) -> Option<Field> {
        let next = &self.next[place(previous)];
        let bytes = cursor.text.get(cursor.at..)?.first_chunk::<BYTES_MAX>()?;
        if next.mask == 0 || u128::from_le_bytes(*bytes) & next.mask != next.text {
            return None;
        }
        cursor.at += next.length;
        Some(next.field)
    }

    /// This stood between the value of a field, or the beginning of a map, and the value of another one.
    pub(super) fn learn(&mut self, previous: Option<Field>, text: &[u8], field: Field) {
        // A space ends the key, whatever comes behind it; and what looks otherwise may mean something else the next time.
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" ,\n:-_./".contains(byte);
        if text.len() > BYTES_MAX || !text.ends_with(b" ") || !text.iter().all(plain) {
            return;
        }
        let mut bytes = [0; BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text);
        let mask = u128::MAX >> (8 * (BYTES_MAX - text.len()));
        let text_word = u128::from_le_bytes(bytes);
        self.next[place(previous)] = Next { text: text_word, mask, length: text.len(), field };
    }
}

fn place(previous: Option<Field>) -> usize {
    previous.map_or(0, |field| field as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(text: &str) -> Cursor<'_> {
        Cursor { text: text.as_bytes(), at: 0, whole: false }
    }

    #[test]
    fn what_followed_a_field_is_expected_behind_it_again() {
        let mut order = Order::default();
        let text = ", :time 123456789";
        assert_eq!(order.expected(Some(Field::Index), &mut cursor(text)), None);
        order.learn(Some(Field::Index), b", :time ", Field::Time);
        order.learn(None, b":index ", Field::Index);
        let mut at = cursor(text);
        assert_eq!((order.expected(Some(Field::Index), &mut at), at.at), (Some(Field::Time), 8));
        for (previous, text) in [
            (None, text),
            (Some(Field::Time), text),
            (Some(Field::Index), ", :times 12345678"),
            (Some(Field::Index), ", :time 1"),
            (Some(Field::Index), ""),
        ] {
            let mut at = cursor(text);
            assert_eq!((order.expected(previous, &mut at), at.at), (None, 0), "{text}");
        }
    }

    #[test]
    fn what_may_mean_something_else_is_not_learned() {
        for text in
            [",:time", "#_ :time ", "; :time\n", "", " :a-very-long-name ", "\"a\" ", ":a ; b\n :time "]
        {
            let mut order = Order::default();
            order.learn(None, text.as_bytes(), Field::Time);
            let mut at = format!("{text}0123456789abcdef");
            at.push(' ');
            assert_eq!(order.expected(None, &mut cursor(&at)), None, "{text}");
        }
    }
}
