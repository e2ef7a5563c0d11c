//! The values of operations as JSON: the shapes of `value` in `history.jsonl`, by the operation's name.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::datum::Datum;
use super::general;
use super::input::{Input, PageRange};
use super::operation::{Delivery, Entry, Output};
use super::symbol::{Symbol, Symbols};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `id`")]
struct SendValue<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `id` and `seq`")]
struct SentValue<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    seq: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `after` or `before`, and `limit`")]
struct ReadValue {
    after: Option<u64>,
    before: Option<u64>,
    limit: u32,
    #[serde(default, rename = "final")]
    last: bool,
    #[serde(default)]
    stale: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `messages` and `head`")]
struct PageValue<'a> {
    #[serde(borrow)]
    messages: Vec<EntryValue<'a>>,
    head: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `seq` and `id`")]
struct EntryValue<'a> {
    seq: u64,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `seq`")]
struct DeleteValue {
    seq: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "null or an object with `subscriber`, `after` and `final`")]
struct PollValue<'a> {
    #[serde(borrow)]
    subscriber: Option<Cow<'a, str>>,
    after: Option<u64>,
    #[serde(default, rename = "final")]
    last: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `events`")]
struct PolledValue<'a> {
    #[serde(borrow)]
    events: Vec<DeliveryValue<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `cursor`, `key`, `seq` and `id`")]
struct DeliveryValue<'a> {
    cursor: u64,
    #[serde(borrow)]
    key: Cow<'a, str>,
    seq: u64,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "null or an object with `pattern`, `after`, `limit` and `final`")]
struct ListValue<'a> {
    #[serde(borrow)]
    pattern: Option<Cow<'a, str>>,
    #[serde(borrow)]
    after: Option<Cow<'a, str>>,
    limit: Option<u32>,
    #[serde(default, rename = "final")]
    last: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `names`")]
struct NamesValue<'a> {
    #[serde(borrow)]
    names: Vec<Cow<'a, str>>,
}

/// Why a value does not fit its operation.
#[derive(Debug)]
pub(super) enum ValueError {
    /// It does not parse.
    Json(serde_json::Error),
    /// It parses but contradicts itself.
    Meaning(String),
}

impl From<serde_json::Error> for ValueError {
    fn from(error: serde_json::Error) -> Self {
        ValueError::Json(error)
    }
}

impl Input {
    /// The input that the operation `f` has with the value `json` (`null` if the line has none).
    pub(super) fn parse(f: &str, json: &str, symbols: &mut Symbols) -> Result<Self, ValueError> {
        Ok(match f {
            "send" => Input::Send { id: symbols.intern(&serde_json::from_str::<SendValue<'_>>(json)?.id) },
            // A chat's read says which page; a register's read has nothing to say.
            "read" if json == "null" => Input::Get,
            "read" => {
                let ReadValue { after, before, limit, last, stale } = serde_json::from_str(json)?;
                let range = match (after, before) {
                    (Some(seq), None) => PageRange::After { seq, limit },
                    (None, Some(seq)) => PageRange::Before { seq, limit },
                    (None, None) | (Some(_), Some(_)) => {
                        return Err(ValueError::Meaning("a read has either `after` or `before`".to_owned()));
                    }
                };
                match (stale, last) {
                    (false, last) => Input::Read { range, last },
                    (true, false) => Input::StaleRead { range },
                    (true, true) => {
                        return Err(ValueError::Meaning("a final read is not `stale`".to_owned()));
                    }
                }
            }
            "delete" => Input::Delete { seq: serde_json::from_str::<DeleteValue>(json)?.seq },
            "poll" => {
                let poll: Option<PollValue<'_>> = serde_json::from_str(json)?;
                let PollValue { subscriber, after, last } = poll.unwrap_or_default();
                let subscriber = subscriber.map(|subscriber| symbols.intern(&subscriber));
                Input::Poll { subscriber, after, last }
            }
            "create-account" => Input::CreateAccount,
            "delete-account" => Input::DeleteAccount,
            "login" => Input::Login,
            "list-accounts" => {
                let list: Option<ListValue<'_>> = serde_json::from_str(json)?;
                let ListValue { pattern, after, limit, last } = list.unwrap_or_default();
                Input::ListAccounts {
                    pattern: pattern.map(|pattern| symbols.intern(&pattern)),
                    after: after.map(|after| symbols.intern(&after)),
                    limit,
                    last,
                }
            }
            "cas" => {
                let [from, to] = serde_json::from_str::<[&RawValue; 2]>(json)?;
                Input::Cas {
                    from: Datum::from_json(from.get(), symbols)?,
                    to: Datum::from_json(to.get(), symbols)?,
                }
            }
            other => general::input(other, Datum::from_json(json, symbols)?, symbols),
        })
    }

    /// The operation's `value` in a history.
    #[must_use]
    pub fn to_json(&self, symbols: &Symbols) -> Value {
        match self {
            Input::Send { id } => json!({ "id": symbols.text(*id) }),
            Input::Read { range, last } => {
                let mut value = range_to_json(*range);
                if *last {
                    value["final"] = Value::Bool(true);
                }
                value
            }
            Input::StaleRead { range } => {
                let mut value = range_to_json(*range);
                value["stale"] = Value::Bool(true);
                value
            }
            Input::Delete { seq } => json!({ "seq": seq }),
            Input::Poll { subscriber, after, last } => {
                let mut value = serde_json::Map::new();
                if let Some(subscriber) = subscriber {
                    value.insert("subscriber".to_owned(), symbols.text(*subscriber).into());
                }
                if let Some(after) = after {
                    value.insert("after".to_owned(), (*after).into());
                }
                if *last {
                    value.insert("final".to_owned(), true.into());
                }
                if value.is_empty() { Value::Null } else { Value::Object(value) }
            }
            Input::CreateAccount | Input::DeleteAccount | Input::Login => Value::Null,
            Input::ListAccounts { pattern, after, limit, last } => {
                let mut value = serde_json::Map::new();
                let mut put = |name: &str, text: &Option<Symbol>| {
                    if let Some(text) = text {
                        value.insert(name.to_owned(), symbols.text(*text).into());
                    }
                };
                put("pattern", pattern);
                put("after", after);
                if let Some(limit) = limit {
                    value.insert("limit".to_owned(), (*limit).into());
                }
                if *last {
                    value.insert("final".to_owned(), true.into());
                }
                if value.is_empty() { Value::Null } else { Value::Object(value) }
            }
            Input::Cas { from, to } => json!([from.to_json(symbols), to.to_json(symbols)]),
            general => general.argument().to_json(symbols),
        }
    }
}

impl Output {
    /// The answer that the operation `input` has with the value `json` (`null` if the line has none).
    pub(super) fn parse(input: &Input, json: &str, symbols: &mut Symbols) -> Result<Self, ValueError> {
        Ok(match input {
            Input::Send { id } => {
                let sent: SentValue<'_> = serde_json::from_str(json)?;
                if sent.id != symbols.text(*id) {
                    let message = format!("message `{}` answers a send of `{}`", sent.id, symbols.text(*id));
                    return Err(ValueError::Meaning(message));
                }
                Output::Sent { seq: sent.seq }
            }
            Input::Read { .. } | Input::StaleRead { .. } => {
                let PageValue { messages, head } = serde_json::from_str(json)?;
                let entry = |EntryValue { seq, id, deleted }| Entry { seq, id: symbols.intern(&id), deleted };
                Output::Page { entries: messages.into_iter().map(entry).collect(), head }
            }
            Input::Poll { .. } => {
                let PolledValue { events } = serde_json::from_str(json)?;
                let delivery = |DeliveryValue { cursor, key, seq, id }| Delivery {
                    cursor,
                    key: symbols.intern(&key),
                    seq,
                    id: symbols.intern(&id),
                };
                Output::Polled { deliveries: events.into_iter().map(delivery).collect() }
            }
            Input::ListAccounts { .. } => {
                let NamesValue { names } = serde_json::from_str(json)?;
                Output::Names { names: names.iter().map(|name| symbols.intern(name)).collect() }
            }
            // Jepsen's clients echo the input here; there is nothing to learn from it.
            Input::Delete { .. }
            | Input::CreateAccount
            | Input::DeleteAccount
            | Input::Login
            | Input::Write { .. }
            | Input::Cas { .. } => Output::Done,
            general => general::output(general, Datum::from_json(json, symbols)?),
        })
    }

    /// The answer's `value` in a history. `input` is what was asked: an acknowledgement repeats the id.
    #[must_use]
    pub fn to_json(&self, input: &Input, symbols: &Symbols) -> Value {
        match self {
            Output::Sent { seq } => match input {
                Input::Send { id } => json!({ "id": symbols.text(*id), "seq": seq }),
                _ => json!({ "seq": seq }),
            },
            Output::Page { entries, head } => {
                let entry = |entry: &Entry| {
                    let mut value = json!({ "seq": entry.seq, "id": symbols.text(entry.id) });
                    if entry.deleted {
                        value["deleted"] = Value::Bool(true);
                    }
                    value
                };
                json!({ "messages": entries.iter().map(entry).collect::<Vec<_>>(), "head": head })
            }
            Output::Polled { deliveries } => {
                let delivery = |delivery: &Delivery| {
                    let Delivery { cursor, key, seq, id } = *delivery;
                    json!({ "cursor": cursor, "key": symbols.text(key), "seq": seq, "id": symbols.text(id) })
                };
                json!({ "events": deliveries.iter().map(delivery).collect::<Vec<_>>() })
            }
            Output::Names { names } => {
                json!({ "names": names.iter().map(|name| symbols.text(*name)).collect::<Vec<_>>() })
            }
            Output::Value { value } => value.to_json(symbols),
            Output::Done => Value::Null,
        }
    }
}

fn range_to_json(range: PageRange) -> Value {
    match range {
        PageRange::After { seq, limit } => json!({ "after": seq, "limit": limit }),
        PageRange::Before { seq, limit } => json!({ "before": seq, "limit": limit }),
    }
}
