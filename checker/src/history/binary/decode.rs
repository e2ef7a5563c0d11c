//! Records back from bytes; see [`record`](super::record) for what they look like. Whatever the bytes are, the answer is
//! a record or an error, and nothing is asked for that the bytes do not contain.

use super::record::{Asked, Context, Event, Learned, Page, What};
use super::varint::{Bytes, unfold};
use crate::history::PageRange;

/// What is used again from record to record: the columns of pages, and lists of nodes.
#[derive(Debug, Default)]
pub(super) struct Columns {
    ids: Vec<u32>,
    seqs: Vec<u64>,
    tombstones: Vec<u32>,
}

type Decoded<T> = Result<T, &'static str>;

/// What is said of a number that is no name's.
const NO_NAME: &str = "a name that was not given before";

/// Reads the event that `bytes` begin with.
pub(super) fn event<'a>(
    bytes: &mut Bytes<'a>,
    context: &mut Context,
    columns: &'a mut Columns,
) -> Decoded<Event<'a>> {
    let tag = bytes.byte()?;
    let passed = bytes.number()?;
    let time = context.time.checked_add(passed).ok_or("a time of more than 64 bits")?;
    let process = if tag == 15 { 0 } else { bytes.number()? };
    let what = match tag {
        1..=7 => {
            let (key, node) = (option(bytes, context)?, option(bytes, context)?);
            What::Invoked { key, node, asked: asked(tag, bytes, context)? }
        }
        8..=14 => What::Completed(learned(tag, bytes, context, columns)?),
        15 => {
            let (f, key) = (name(bytes, context)?, option(bytes, context)?);
            let nodes = &mut columns.ids;
            nodes.clear();
            for _ in 0..bytes.count()? {
                nodes.push(name(bytes, context)?);
            }
            What::Fault { f, key, nodes, value: bytes.text()? }
        }
        _ => return Err("a record of a kind that this version does not know"),
    };
    context.time = time;
    Ok(Event { time, process, what })
}

fn asked<'a>(tag: u8, bytes: &mut Bytes<'a>, context: &mut Context) -> Decoded<Asked<'a>> {
    Ok(match tag {
        1 => {
            let id = near(bytes, context, context.id)?;
            context.id = id;
            Asked::Send { id }
        }
        6 => Asked::Delete { seq: bytes.number()? },
        7 => Asked::Other { f: bytes.text()?, value: bytes.text()? },
        _ => {
            let seq = bytes.number()?;
            let limit = u32::try_from(bytes.number()?).map_err(|_| "a limit of more than 32 bits")?;
            let range = if tag.is_multiple_of(2) {
                PageRange::After { seq, limit }
            } else {
                PageRange::Before { seq, limit }
            };
            Asked::Read { range, last: tag >= 4 }
        }
    })
}

fn learned<'a>(
    tag: u8,
    bytes: &mut Bytes<'a>,
    context: &Context,
    columns: &'a mut Columns,
) -> Decoded<Learned<'a>> {
    Ok(match tag {
        8 => Learned::Sent { seq: bytes.number()? },
        9 | 10 => Learned::Page(page(tag == 9, bytes, context, columns)?),
        11 => Learned::Done,
        12 => Learned::Other { value: bytes.text()? },
        13 => Learned::Failed { error: option(bytes, context)? },
        _ => Learned::Unknown { error: option(bytes, context)? },
    })
}

fn page<'a>(
    regular: bool,
    bytes: &mut Bytes<'_>,
    context: &Context,
    columns: &'a mut Columns,
) -> Decoded<Page<'a>> {
    let Columns { ids, seqs, tombstones } = columns;
    ids.clear();
    seqs.clear();
    tombstones.clear();
    let (head, count) = (bytes.number()?, bytes.count()?);
    let mut first = if regular { bytes.number()? } else { 0 };
    let mut before = context.id;
    ids.reserve(count);
    for _ in 0..count {
        before = near(bytes, context, before)?;
        ids.push(before);
    }
    if !regular {
        let mut expected: u64 = 0;
        for place in 0..u32::try_from(count).map_err(|_| "a page of more than 32 bits")? {
            let seq = expected.wrapping_add(bytes.signed()?.cast_unsigned());
            expected = seq.wrapping_add(1);
            seqs.push(seq);
            match bytes.byte()? {
                0 => {}
                1 => tombstones.push(place),
                _ => return Err("a message that is neither alive nor a tombstone"),
            }
        }
        first = seqs.first().copied().unwrap_or(0);
        // A page with tombstones may be in order all the same.
        if seqs.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1])) {
            seqs.clear();
        }
    }
    Ok(Page { head, ids, first, seqs, tombstones })
}

fn name(bytes: &mut Bytes<'_>, context: &Context) -> Decoded<u32> {
    u32::try_from(bytes.number()?).ok().filter(|name| *name < context.names).ok_or(NO_NAME)
}

fn option(bytes: &mut Bytes<'_>, context: &Context) -> Decoded<Option<u32>> {
    let Some(name) = bytes.number()?.checked_sub(1) else { return Ok(None) };
    u32::try_from(name).ok().filter(|name| *name < context.names).map(Some).ok_or(NO_NAME)
}

/// A name that is given by its distance from another one.
#[inline]
fn near(bytes: &mut Bytes<'_>, context: &Context, from: u32) -> Decoded<u32> {
    let name = unfold(bytes.number()?).checked_add(from.into());
    name.and_then(|name| u32::try_from(name).ok()).filter(|name| *name < context.names).ok_or(NO_NAME)
}
