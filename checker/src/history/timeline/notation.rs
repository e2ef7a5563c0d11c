//! One operation as it is drawn: `send a=1 @k`.

use crate::history::{
    Datum, Delivery, Entry, Input, Object, Operation, Outcome, Output, PageRange, Symbol, Symbols, general,
};

/// The limit of a read that is drawn without one.
const LIMIT: u32 = 100;

/// An operation without its times.
pub(super) struct Drawn {
    pub(super) key: Option<Symbol>,
    pub(super) input: Input,
    pub(super) output: Option<Output>,
    pub(super) error: Option<Symbol>,
}

impl Drawn {
    pub(super) fn of(operation: &Operation) -> Self {
        let (output, error) = match &operation.outcome {
            Outcome::Ok(output) => (Some(output.clone()), None),
            Outcome::Fail(error) | Outcome::Info(error) => (None, *error),
        };
        Drawn { key: operation.key, input: operation.input, output, error }
    }

    pub(super) fn parse(text: &str, symbols: &mut Symbols) -> Result<Self, String> {
        let (text, error) = match text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
            Some((text, error)) => (text.trim_end(), Some(symbols.intern(error))),
            None => (text, None),
        };
        let (text, key) = split_key(text);
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let (input, output) = parse_verb(verb, rest.trim(), symbols)?;
        let key = match (key, input.object()) {
            (Some(key), _) => Some(symbols.intern(key)),
            (None, Object::Conversation | Object::Subscription) => Some(symbols.intern("k")),
            (None, Object::Register | Object::General) => Some(symbols.intern("x")),
            (None, Object::Account) if !matches!(input, Input::ListAccounts { .. }) => {
                Some(symbols.intern(rest.trim()))
            }
            (None, Object::Account | Object::Unknown) => None,
        };
        Ok(Drawn { key, input, output, error })
    }

    pub(super) fn to_text(&self, symbols: &Symbols) -> String {
        let mut text = self.verb_text(symbols);
        let default = match self.input.object() {
            Object::Conversation | Object::Subscription => Some("k"),
            Object::Register | Object::General => Some("x"),
            Object::Account => self.key.map(|key| symbols.text(key)),
            Object::Unknown => None,
        };
        if let Some(key) = self.key.map(|key| symbols.text(key)).filter(|key| Some(*key) != default) {
            text.push_str(&format!(" @{key}"));
        }
        if let Some(error) = self.error {
            text.push_str(&format!(" ({})", symbols.text(error)));
        }
        text
    }

    fn verb_text(&self, symbols: &Symbols) -> String {
        let name = self.key.map_or("", |key| symbols.text(key));
        match &self.input {
            Input::Send { id } => match &self.output {
                Some(Output::Sent { seq }) => format!("send {}={seq}", symbols.text(*id)),
                _ => format!("send {}", symbols.text(*id)),
            },
            Input::Read { range, last } => {
                let verb = if *last { "final-read" } else { "read" };
                format!("{verb}{}", page_text(*range, self.output.as_ref(), symbols))
            }
            Input::StaleRead { range } => {
                format!("stale-read{}", page_text(*range, self.output.as_ref(), symbols))
            }
            Input::Delete { seq } => format!("delete #{seq}"),
            Input::Poll { subscriber, after, last } => {
                let mut text = if *last { "final-poll" } else { "poll" }.to_owned();
                text.extend(subscriber.map(|subscriber| format!(" by {}", symbols.text(subscriber))));
                text.extend(after.map(|after| format!(" after {after}")));
                text + &polled_text(self.output.as_ref(), symbols)
            }
            Input::CreateAccount => format!("create {name}"),
            Input::DeleteAccount => format!("delete-account {name}"),
            Input::Login => format!("login {name}"),
            Input::ListAccounts { pattern, after, limit, last } => {
                let mut text = if *last { "final-list" } else { "list" }.to_owned();
                for (word, value) in [("like", pattern), ("after", after)] {
                    text.extend(value.map(|value| format!(" {word} {}", symbols.text(value))));
                }
                text.extend(limit.map(|limit| format!(" limit {limit}")));
                if let Some(Output::Names { names }) = &self.output {
                    let names: Vec<&str> = names.iter().map(|name| symbols.text(*name)).collect();
                    text.push_str(&format!(" [{}]", names.join(" ")));
                }
                text
            }
            Input::Get => match &self.output {
                Some(Output::Value { value }) => format!("get {}", value.text(symbols)),
                _ => "get".to_owned(),
            },
            Input::Cas { from, to } => format!("cas {} {}", from.text(symbols), to.text(symbols)),
            input => general_text(input, self.output.as_ref(), symbols),
        }
    }
}

/// Splits ` @key` off the end.
pub(super) fn split_key(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((before, key)) if before.ends_with(' ') => (before.trim_end(), Some(key)),
        _ => (text, None),
    }
}

fn parse_verb(verb: &str, rest: &str, symbols: &mut Symbols) -> Result<(Input, Option<Output>), String> {
    Ok(match verb {
        "send" => match rest.split_once('=') {
            Some((id, seq)) => {
                (Input::Send { id: symbols.intern(id) }, Some(Output::Sent { seq: number(seq)? }))
            }
            None => (Input::Send { id: symbols.intern(rest) }, None),
        },
        "read" => page(rest, |range| Input::Read { range, last: false }, symbols)?,
        "final-read" => page(rest, |range| Input::Read { range, last: true }, symbols)?,
        "stale-read" => page(rest, |range| Input::StaleRead { range }, symbols)?,
        "delete" => {
            let seq = rest.strip_prefix('#').ok_or("a message is deleted by number: `delete #3`")?;
            (Input::Delete { seq: number(seq)? }, Some(Output::Done))
        }
        "poll" => polled(rest, false, symbols)?,
        "final-poll" => polled(rest, true, symbols)?,
        "create" => (Input::CreateAccount, Some(Output::Done)),
        "delete-account" => (Input::DeleteAccount, Some(Output::Done)),
        "login" => (Input::Login, Some(Output::Done)),
        "list" => list(rest, false, symbols)?,
        "final-list" => list(rest, true, symbols)?,
        "get" if rest.is_empty() => (Input::Get, None),
        "get" => (Input::Get, Some(Output::Value { value: json(rest, symbols)? })),
        "cas" => {
            let (from, to) = rest.split_once(' ').ok_or("a cas has two values: `cas 1 2`")?;
            (Input::Cas { from: json(from, symbols)?, to: json(to, symbols)? }, Some(Output::Done))
        }
        verb => general_verb(verb, rest, symbols)?,
    })
}

/// `enqueue 3`, `dequeue = 3`, `call f 1 = 2`
fn general_verb(verb: &str, rest: &str, symbols: &mut Symbols) -> Result<(Input, Option<Output>), String> {
    let (rest, answer) = match rest.strip_prefix("= ") {
        Some(answer) => ("", Some(answer)),
        None => rest.rsplit_once(" = ").map_or((rest, None), |(rest, answer)| (rest, Some(answer))),
    };
    let (f, argument) = match verb {
        "call" => rest.split_once(' ').unwrap_or((rest, "")),
        verb => (verb, rest),
    };
    if verb != "call" && !general::NAMES.contains(&verb) {
        return Err(format!("unknown operation `{verb}`"));
    }
    let argument = if argument.is_empty() { Datum::Nil } else { json(argument, symbols)? };
    let input = general::input(f, argument, symbols);
    if verb != "call" && matches!(input, Input::Other { .. }) {
        return Err(format!("`{verb}` cannot have this argument"));
    }
    let output = match answer {
        Some(answer) => Some(Output::Value { value: json(answer, symbols)? }),
        None if input.accepts(&Output::Done) => Some(Output::Done),
        None if verb == "call" => Some(Output::Value { value: Datum::Nil }),
        None => None,
    };
    Ok((input, output))
}

fn general_text(input: &Input, output: Option<&Output>, symbols: &Symbols) -> String {
    let mut text = input.f(symbols).to_owned();
    let unknown = matches!(input, Input::Other { .. });
    if unknown {
        text.insert_str(0, "call ");
    }
    let argument = input.argument();
    if argument != Datum::Nil || matches!(input, Input::Write { .. } | Input::Put { .. }) {
        text.push_str(&format!(" {}", argument.text(symbols)));
    }
    if let Some(Output::Value { value }) = output
        && !(unknown && *value == Datum::Nil)
    {
        text.push_str(&format!(" = {}", value.text(symbols)));
    }
    text
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

fn json(text: &str, symbols: &mut Symbols) -> Result<Datum, String> {
    Datum::from_json(text, symbols).map_err(|error| format!("`{text}` is not JSON: {error}"))
}

/// What stands in brackets, and behind them.
type Bracketed<'a> = (&'a str, &'a str);

/// Splits `before [a b]after` into what stands before the brackets, in them, and behind.
fn brackets(text: &str) -> Result<(&str, Option<Bracketed<'_>>), String> {
    let Some((before, list)) = text.split_once('[') else { return Ok((text, None)) };
    let (inside, after) = list.split_once(']').ok_or("a list ends with `]`")?;
    Ok((before.trim_end(), Some((inside, after))))
}

/// `5+2 [f g]/9`
fn page(
    text: &str,
    input: impl FnOnce(PageRange) -> Input,
    symbols: &mut Symbols,
) -> Result<(Input, Option<Output>), String> {
    let (range, list) = brackets(text)?;
    let range = match range.strip_prefix('<') {
        _ if range.is_empty() => PageRange::After { seq: 0, limit: LIMIT },
        Some(range) => {
            let (seq, limit) = range.split_once('+').ok_or("a range is written `<9+2`")?;
            PageRange::Before { seq: number(seq)?, limit: number(limit)? }
        }
        None => {
            let (seq, limit) = range.split_once('+').ok_or("a range is written `5+2`")?;
            PageRange::After { seq: number(seq)?, limit: number(limit)? }
        }
    };
    let input = input(range);
    let Some((messages, head)) = list else { return Ok((input, None)) };
    let mut next = first_number(range, messages.split_whitespace().count());
    let mut entries = Vec::new();
    for word in messages.split_whitespace() {
        let (seq, id) = match word.split_once(':') {
            Some((seq, id)) => (number(seq)?, id),
            None => (next, word),
        };
        let (id, deleted) = id.strip_suffix('†').map_or((id, false), |id| (id, true));
        entries.push(Entry { seq, id: symbols.intern(id), deleted });
        next = seq.saturating_add(1);
    }
    let head = match head.strip_prefix('/') {
        Some(head) => number(head)?,
        None => default_head(range, &entries),
    };
    Ok((input, Some(Output::Page { entries: entries.into(), head })))
}

/// The number of the first message of a drawn page that does not say it.
fn first_number(range: PageRange, messages: usize) -> u64 {
    match range {
        PageRange::After { seq, .. } => seq.saturating_add(1),
        PageRange::Before { seq, .. } => seq.saturating_sub(messages as u64).max(1),
    }
}

fn default_head(range: PageRange, entries: &[Entry]) -> u64 {
    match (entries.last(), range) {
        (Some(last), _) => last.seq,
        (None, PageRange::After { seq, .. }) => seq,
        (None, PageRange::Before { .. }) => 0,
    }
}

fn page_text(range: PageRange, output: Option<&Output>, symbols: &Symbols) -> String {
    let mut text = match range {
        PageRange::After { seq: 0, limit: LIMIT } => String::new(),
        PageRange::After { seq, limit } => format!(" {seq}+{limit}"),
        PageRange::Before { seq, limit } => format!(" <{seq}+{limit}"),
    };
    let Some(Output::Page { entries, head }) = output else { return text };
    let mut next = first_number(range, entries.len());
    let mut words = Vec::new();
    for entry in entries {
        let number = if entry.seq == next { String::new() } else { format!("{}:", entry.seq) };
        words.push(format!("{number}{}{}", symbols.text(entry.id), if entry.deleted { "†" } else { "" }));
        next = entry.seq.saturating_add(1);
    }
    text.push_str(&format!(" [{}]", words.join(" ")));
    if *head != default_head(range, entries) {
        text.push_str(&format!("/{head}"));
    }
    text
}

/// `by w1 after 6 [7/k/1/a]`
fn polled(text: &str, last: bool, symbols: &mut Symbols) -> Result<(Input, Option<Output>), String> {
    let (options, list) = brackets(text)?;
    let (mut subscriber, mut after) = (None, None);
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        match word {
            "by" => subscriber = Some(symbols.intern(value)),
            "after" => after = Some(number(value)?),
            _ => return Err(format!("unknown option `{word}` of `poll`")),
        }
    }
    let input = Input::Poll { subscriber, after, last };
    let Some((list, _)) = list else { return Ok((input, None)) };
    let mut deliveries = Vec::new();
    for word in list.split_whitespace() {
        let parts: Vec<&str> = word.split('/').collect();
        let [cursor, key, seq, id] = parts[..] else {
            return Err(format!("`{word}` is not a delivery: cursor/key/number/id"));
        };
        let (cursor, seq) = (number(cursor)?, number(seq)?);
        deliveries.push(Delivery { cursor, key: symbols.intern(key), seq, id: symbols.intern(id) });
    }
    Ok((input, Some(Output::Polled { deliveries: deliveries.into() })))
}

fn polled_text(output: Option<&Output>, symbols: &Symbols) -> String {
    let Some(Output::Polled { deliveries }) = output else { return String::new() };
    let word =
        |d: &Delivery| format!("{}/{}/{}/{}", d.cursor, symbols.text(d.key), d.seq, symbols.text(d.id));
    format!(" [{}]", deliveries.iter().map(word).collect::<Vec<_>>().join(" "))
}

/// `like a* after al limit 9 [am]`
fn list(text: &str, last: bool, symbols: &mut Symbols) -> Result<(Input, Option<Output>), String> {
    let (options, list) = brackets(text)?;
    let (mut pattern, mut after, mut limit) = (None, None, None);
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        match word {
            "like" => pattern = Some(symbols.intern(value)),
            "after" => after = Some(symbols.intern(value)),
            "limit" => limit = Some(number(value)?),
            _ => return Err(format!("unknown option `{word}` of `list`")),
        }
    }
    let names = list.map(|(names, _)| names.split_whitespace().map(|name| symbols.intern(name)).collect());
    Ok((Input::ListAccounts { pattern, after, limit, last }, names.map(|names| Output::Names { names })))
}
