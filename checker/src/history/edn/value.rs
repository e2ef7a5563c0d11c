//! EDN values as [`Datum`].
//!
//! What becomes of what is said in [`edn`](crate::history::edn).

use crate::history::edn::cursor::{Cursor, Stop, closer, is_delimiter};
use crate::history::{Datum, Symbols};

/// Reads values. The stack holds the items of the lists that are not closed yet, so that nothing is allocated.
#[derive(Debug)]
pub(in crate::history) struct Values<'s> {
    pub(in crate::history) symbols: &'s mut Symbols,
    pub(in crate::history) stack: &'s mut Vec<Datum>,
}

impl Values<'_> {
    /// The next value.
    pub(in crate::history) fn value(&mut self, cursor: &mut Cursor<'_>, depth: u32) -> Result<Datum, Stop> {
        cursor.trivia(depth)?;
        if let Some(number) = cursor.short_integer() {
            return Ok(Datum::Int(number));
        }
        if cursor.word(b"nil") {
            return Ok(Datum::Nil);
        }
        let begin = cursor.at;
        match cursor.peek()? {
            b'"' => Ok(Datum::Name(self.symbols.intern(&cursor.string()?))),
            b'\\' => Ok(Datum::Other(self.symbols.intern(cursor.character()?))),
            open @ (b'[' | b'(') => {
                let base = self.items(cursor, closer(open), depth)?;
                Ok(Datum::List(self.close(base)))
            }
            b'{' => {
                let base = self.items(cursor, b'}', depth)?;
                self.map(cursor, begin, base)
            }
            b'#' => self.dispatched(cursor, depth),
            b']' | b')' | b'}' => cursor.wrong("a value was expected, not the end of one"),
            _ => {
                let token = cursor.token();
                cursor.ended()?;
                self.atom(cursor, begin, token)
            }
        }
    }

    /// Puts the values up to `close` on the stack; the cursor is at the opening bracket.
    pub(super) fn items(&mut self, cursor: &mut Cursor<'_>, close: u8, depth: u32) -> Result<usize, Stop> {
        let depth = cursor.deeper(depth)?;
        let base = self.stack.len();
        cursor.at += 1;
        loop {
            cursor.trivia(depth)?;
            match cursor.peek()? {
                byte if byte == close => {
                    cursor.at += 1;
                    return Ok(base);
                }
                b']' | b')' | b'}' => return cursor.unbalanced(close),
                _ => {
                    let item = self.value(cursor, depth)?;
                    self.stack.push(item);
                }
            }
        }
    }

    /// The list of what is on the stack.
    pub(super) fn close(&mut self, base: usize) -> crate::history::List {
        let list = self.symbols.list(&self.stack[base..]);
        self.stack.truncate(base);
        list
    }

    fn map(&mut self, cursor: &Cursor<'_>, begin: usize, base: usize) -> Result<Datum, Stop> {
        let (entries, rest) = self.stack[base..].as_chunks_mut::<2>();
        if !rest.is_empty() {
            return cursor.wrong_at(begin, "a map has a value for each key; here one is missing");
        }
        entries.sort_by(|[one, _], [other, _]| one.compare(*other, self.symbols));
        if entries.windows(2).any(|pair| pair[0][0] == pair[1][0]) {
            return cursor.wrong_at(begin, "a map has each key once; here one is there twice");
        }
        Ok(Datum::Map(self.close(base)))
    }

    /// What begins with `#`.
    fn dispatched(&mut self, cursor: &mut Cursor<'_>, depth: u32) -> Result<Datum, Stop> {
        let begin = cursor.at;
        match cursor.peek_second()? {
            b'{' => {
                cursor.at += 1;
                let base = self.items(cursor, b'}', depth)?;
                self.stack[base..].sort_by(|one, other| one.compare(*other, self.symbols));
                if self.stack[base..].windows(2).any(|pair| pair[0] == pair[1]) {
                    return cursor.wrong_at(begin, "a set has each element once; here one is there twice");
                }
                Ok(Datum::List(self.close(base)))
            }
            b'#' => {
                cursor.token();
                cursor.ended()?;
                Ok(Datum::Other(self.symbols.intern(cursor.utf8(begin, cursor.at)?)))
            }
            byte if is_delimiter(byte) => cursor.wrong("`#` is followed by `{`, `_` or a tag"),
            _ => {
                cursor.token();
                let tag = cursor.utf8(begin, cursor.at)?;
                let depth = cursor.deeper(depth)?;
                cursor.trivia(depth)?;
                let form = cursor.at;
                let value = self.value(cursor, depth)?;
                if matches!(value, Datum::List(_) | Datum::Map(_)) {
                    return Ok(value);
                }
                let text = format!("{tag} {}", cursor.utf8(form, cursor.at)?);
                Ok(Datum::Other(self.symbols.intern(&text)))
            }
        }
    }

    fn atom(&mut self, cursor: &Cursor<'_>, begin: usize, token: &[u8]) -> Result<Datum, Stop> {
        let text = cursor.utf8(begin, cursor.at)?;
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        match token {
            b"nil" => return Ok(Datum::Nil),
            b"true" => return Ok(Datum::Bool(true)),
            b"false" => return Ok(Datum::Bool(false)),
            b"" | b":" | b"'" | b"`" | b"@" | b"~" => return cursor.wrong_at(begin, "this is no EDN value"),
            _ if unsigned.starts_with(|first: char| first.is_ascii_digit()) => {}
            _ => return Ok(Datum::Other(self.symbols.intern(text))),
        }
        match number(text, unsigned) {
            Some(Number::Int(number)) => Ok(Datum::Int(number)),
            Some(Number::Text(text)) => Ok(Datum::Other(self.symbols.intern(&text))),
            None => cursor.wrong_at(begin, format!("`{text}` is not a number")),
        }
    }
}

enum Number {
    Int(i64),
    /// In the one form in which it is known.
    Text(String),
}

/// A number that is not a short integer.
fn number(text: &str, unsigned: &str) -> Option<Number> {
    let sign = if text.starts_with('-') { "-" } else { "" };
    let digits = unsigned.strip_suffix('N').unwrap_or(unsigned);
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let radix = |digits: &str, radix: u32| {
        let value = i64::from_str_radix(&format!("{sign}{digits}"), radix);
        all(digits, radix).then(|| value.map_or_else(|_| Number::Text(text.to_owned()), Number::Int))
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return radix(hex, 16);
    }
    if let Some(octal) = digits.strip_prefix('0').filter(|octal| all(octal, 10)) {
        return radix(octal, 8);
    }
    if all(digits, 10) {
        let text = format!("{sign}{digits}");
        return Some(text.parse().map_or(Number::Text(text), Number::Int));
    }
    if let Some((base, digits)) = unsigned.split_once(['r', 'R']) {
        let base = base.parse().ok().filter(|base| (2..=36).contains(base))?;
        return radix(digits, base);
    }
    if let Some((one, other)) = unsigned.split_once('/') {
        return (all(one, 10) && all(other, 10)).then(|| Number::Text(format!("{sign}{unsigned}")));
    }
    // A decimal `M` is exact, so its text is what it is; a floating one is known by its value.
    let plain = unsigned.strip_suffix('M').unwrap_or(unsigned);
    if !plain.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let value: f64 = format!("{sign}{plain}").parse().ok()?;
    if plain.len() < unsigned.len() || !value.is_finite() {
        return Some(Number::Text(format!("{sign}{unsigned}")));
    }
    Some(Number::Text(serde_json::Value::from(value).to_string()))
}
