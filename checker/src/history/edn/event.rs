//! One operation map of an EDN history, and the values that may be an independent key with its value.

use std::borrow::Cow;

use super::cursor::{Cursor, Stop};
use super::order::{Field, Order};
use super::value::Values;
use crate::history::foreign::{Argument, Told};
use crate::history::jsonl::{Process, Type};
use crate::history::{Datum, Symbol};

/// Reads an operation map; the cursor is at its `{`.
pub(super) fn map<'a>(
    cursor: &mut Cursor<'a>,
    values: &mut Values<'_>,
    order: &mut Order,
) -> Result<Told<'a>, Stop> {
    let mut told = Told::default();
    let mut seen = 0_u16;
    let mut previous = None;
    cursor.at += 1;
    loop {
        if cursor.peek()? == b'}' {
            cursor.at += 1;
            return Ok(told);
        }
        let from = cursor.at;
        let field = match order.expected(previous, cursor) {
            Some(field) => {
                cursor.trivia(1)?;
                field
            }
            None => {
                let Some(field) = key(cursor)? else { return Ok(told) };
                order.learn(previous, &cursor.text[from..cursor.at], field);
                field
            }
        };
        if let Some(bit) = field.bit() {
            if seen & bit != 0 {
                return twice(cursor, from, field);
            }
            seen |= bit;
        }
        match field {
            Field::Index => told.index = number(cursor, "`:index` is a whole number from 0")?,
            Field::Time => told.time = number(cursor, "`:time` is a whole number of ns")?,
            Field::Process => told.process = Some(process(cursor, values)?),
            Field::Type => told.r#type = Some(r#type(cursor)?),
            Field::F => told.f = Some(name(cursor)?),
            Field::Value => told.value = argument(cursor, values)?,
            Field::Key => told.key = Some(values.value(cursor, 1)?),
            Field::Node => told.node = Some(node(cursor, values)?),
            Field::Error => told.error = error(cursor, values)?,
            Field::Other => cursor.skip(1)?,
        }
        previous = Some(field);
    }
}

/// Reads the next key and goes to its value; nothing at the end of the map, which is passed.
fn key(cursor: &mut Cursor<'_>) -> Result<Option<Field>, Stop> {
    cursor.trivia(1)?;
    let key = match cursor.peek()? {
        b'}' => {
            cursor.at += 1;
            return Ok(None);
        }
        b':' => cursor.token(),
        _ => {
            cursor.skip(1)?;
            &[]
        }
    };
    cursor.trivia(1)?;
    Ok(Some(Field::of(key)))
}

/// A key came again; the one before it ended at `from`.
fn twice<T>(cursor: &mut Cursor<'_>, from: usize, field: Field) -> Result<T, Stop> {
    cursor.at = from;
    cursor.trivia(1)?;
    cursor.wrong(format!("`{}` is said twice of one operation", field.name()))
}

fn number(cursor: &mut Cursor<'_>, expected: &str) -> Result<Option<i64>, Stop> {
    if let Some(number) = cursor.short_integer() {
        return Ok(Some(number));
    }
    let at = cursor.at;
    let token = cursor.token();
    cursor.ended()?;
    let digits = token.strip_suffix(b"N").unwrap_or(token);
    match std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None if token == b"nil" => Ok(None),
        None => cursor.wrong_at(at, expected),
    }
}

/// Who: a number is a client, everything else (`:nemesis`) is the nemesis.
fn process(cursor: &mut Cursor<'_>, values: &mut Values<'_>) -> Result<Process, Stop> {
    let at = cursor.at;
    let value = match cursor.short_integer() {
        Some(number) => Datum::Int(number),
        None => values.value(cursor, 1)?,
    };
    match value {
        Datum::Int(number) => match u64::try_from(number) {
            Ok(number) => Ok(Process::Client(number)),
            Err(_) => cursor.wrong_at(at, "`:process` is a number from 0, or a name such as `:nemesis`"),
        },
        _ => Ok(Process::Nemesis),
    }
}

pub(in crate::history) fn r#type(cursor: &mut Cursor<'_>) -> Result<Type, Stop> {
    if cursor.word(b":invoke") {
        return Ok(Type::Invoke);
    }
    if cursor.word(b":ok") {
        return Ok(Type::Ok);
    }
    let at = cursor.at;
    let token = cursor.token();
    cursor.ended()?;
    Ok(match token {
        b":invoke" => Type::Invoke,
        b":ok" => Type::Ok,
        b":fail" => Type::Fail,
        b":info" => Type::Info,
        _ => return cursor.wrong_at(at, "`:type` is `:invoke`, `:ok`, `:fail` or `:info`"),
    })
}

/// The name of an operation: a keyword without its colon, a symbol, or a string.
pub(in crate::history) fn name<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, Stop> {
    // The commonest first, which need no further look.
    if cursor.word(b":read") {
        return Ok(Cow::Borrowed("read"));
    }
    if cursor.word(b":write") {
        return Ok(Cow::Borrowed("write"));
    }
    if cursor.word(b":cas") {
        return Ok(Cow::Borrowed("cas"));
    }
    if cursor.word(b":txn") {
        return Ok(Cow::Borrowed("txn"));
    }
    let at = cursor.at;
    if cursor.peek()? == b'"' {
        return cursor.string();
    }
    let token = cursor.token();
    cursor.ended()?;
    let name = cursor.utf8(at, cursor.at)?;
    match name.strip_prefix(':').unwrap_or(name) {
        "" | "nil" => cursor.wrong_at(at, "`:f` is the name of an operation, such as `:read`"),
        _ if token.starts_with(b"#") => cursor.wrong_at(at, "the name of an operation has no tag"),
        name => Ok(Cow::Borrowed(name)),
    }
}

fn node(cursor: &mut Cursor<'_>, values: &mut Values<'_>) -> Result<Symbol, Stop> {
    let datum = values.value(cursor, 1)?;
    Ok(plain(datum, values))
}

/// A name as a text: a keyword without its colon.
fn plain(datum: Datum, values: &mut Values<'_>) -> Symbol {
    match datum {
        Datum::Name(text) => text,
        other => {
            let text = other.key_text(values.symbols);
            values.symbols.intern(text.strip_prefix(':').unwrap_or(&text))
        }
    }
}

/// Why an operation failed: a keyword or a string as a text; of a vector that begins with one, this and the rest
/// behind a colon; anything else as it is written.
pub(in crate::history) fn error(
    cursor: &mut Cursor<'_>,
    values: &mut Values<'_>,
) -> Result<Option<Symbol>, Stop> {
    let begin = cursor.at;
    let datum = values.value(cursor, 1)?;
    let text = cursor.utf8(begin, cursor.at)?;
    let items = datum.items(values.symbols).map(<[Datum]>::to_vec);
    Ok(match (datum, items.as_deref()) {
        (Datum::Nil, _) => None,
        (Datum::Name(_) | Datum::Other(_), _) => Some(plain(datum, values)),
        (_, Some([code @ (Datum::Name(_) | Datum::Other(_)), rest @ ..])) => {
            let mut text = code.key_text(values.symbols);
            text.push(':');
            for item in rest {
                text.push_str(&format!(" {}", item.key_text(values.symbols)));
            }
            Some(values.symbols.intern(text.strip_prefix(':').unwrap_or(&text).trim_end_matches(':')))
        }
        _ => Some(values.symbols.intern(text)),
    })
}

/// A value, of which a vector of two is kept apart: it may be a key and its value.
pub(in crate::history) fn argument(
    cursor: &mut Cursor<'_>,
    values: &mut Values<'_>,
) -> Result<Argument, Stop> {
    if cursor.peek()? != b'[' {
        return Ok(Argument::One(values.value(cursor, 1)?));
    }
    if let Some(pair) = pair(cursor) {
        return Ok(pair);
    }
    let depth = 2;
    let base = values.stack.len();
    cursor.at += 1;
    // The second item, if it is a vector of two that is not interned.
    let mut inner = None;
    loop {
        cursor.trivia(depth)?;
        match cursor.peek()? {
            b']' => {
                cursor.at += 1;
                break;
            }
            b')' | b'}' => return cursor.unbalanced(b']'),
            b'[' if values.stack.len() == base + 1 && inner.is_none() => {
                let from = values.items(cursor, b']', depth)?;
                match values.stack[from..] {
                    [one, other] => {
                        values.stack.truncate(from);
                        inner = Some((one, other));
                    }
                    _ => {
                        let list = Datum::List(values.close(from));
                        values.stack.push(list);
                    }
                }
            }
            _ => {
                settle(&mut inner, values);
                let item = values.value(cursor, depth)?;
                values.stack.push(item);
            }
        }
    }
    let argument = match (&values.stack[base..], inner) {
        (&[key], Some((one, other))) => Argument::Keyed(key, one, other),
        (&[one, other], None) => Argument::Pair(one, other),
        _ => {
            settle(&mut inner, values);
            return Ok(Argument::One(Datum::List(values.close(base))));
        }
    };
    values.stack.truncate(base);
    Ok(argument)
}

/// Passes `[1 2]` or `[1 nil]`, if it stands here as it is usually printed.
#[inline]
fn pair(cursor: &mut Cursor<'_>) -> Option<Argument> {
    let mut ahead = cursor.clone();
    ahead.at += 1;
    let one = ahead.short_integer()?;
    if ahead.peek().ok()? != b' ' {
        return None;
    }
    ahead.at += 1;
    let other = match ahead.short_integer() {
        Some(other) => Datum::Int(other),
        None if ahead.word(b"nil") => Datum::Nil,
        None => return None,
    };
    if ahead.peek().ok()? != b']' {
        return None;
    }
    cursor.at = ahead.at + 1;
    Some(Argument::Pair(Datum::Int(one), other))
}

/// Interns the inner vector after all, and puts it on the stack.
fn settle(inner: &mut Option<(Datum, Datum)>, values: &mut Values<'_>) {
    if let Some((one, other)) = inner.take() {
        let list = values.symbols.list(&[one, other]);
        values.stack.push(Datum::List(list));
    }
}
