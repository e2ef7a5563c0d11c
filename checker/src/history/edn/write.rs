//! A history as Jepsen writes it: one operation map a line.

use std::io::{self, Write};

use serde_json::Value;

use crate::history::jsonl::{Header, Process, Type};
use crate::history::{
    Datum, Event, Fault, History, Input, Moment, Object, Operation, Outcome, Output, Symbol, Symbols,
};

/// Writes a whole history, with a comment in the first line that says what an EDN history has no place for.
///
/// A key is said as `:key`, apart from the value. An acknowledgement repeats what was asked, as Jepsen's clients do.
///
/// # Errors
/// Those of the output.
pub fn write(history: &History, mut output: impl Write) -> io::Result<()> {
    output.write_all(b"; ")?;
    serde_json::to_writer(&mut output, &Header::of(history))?;
    output.write_all(b"\n")?;
    let mut line = String::new();
    for event in &history.events {
        line.clear();
        event_map(history, *event, &mut line);
        line.push('\n');
        output.write_all(line.as_bytes())?;
    }
    output.flush()
}

fn event_map(history: &History, event: Event, line: &mut String) {
    match event {
        Event::FaultBegan(number) => {
            let fault = &history.faults[number as usize];
            fault_map(history, fault, fault.began, fault.value, line);
        }
        Event::FaultEnded(number) => {
            let fault = &history.faults[number as usize];
            let ended = fault.ended.expect("a fault that ended says when");
            fault_map(history, fault, ended, fault.effect, line);
        }
        Event::Invoked(id) => {
            let operation = history.operation(id);
            begin(
                line,
                operation.invoked,
                Type::Invoke,
                Process::Client(operation.process),
                history.f(operation),
            );
            let value = asked(operation.input, &history.symbols);
            finish(line, history, operation, value, None);
        }
        Event::Completed(id) => {
            let operation = history.operation(id);
            let at = operation.completed.expect("a completed operation says when");
            let asked = || asked(operation.input, &history.symbols);
            let (r#type, value, error) = match &operation.outcome {
                Outcome::Ok(output) => (Type::Ok, answered(operation.input, output, &history.symbols), None),
                Outcome::Fail(error) => (Type::Fail, asked(), *error),
                Outcome::Info(error) => (Type::Info, asked(), *error),
            };
            begin(line, at, r#type, Process::Client(operation.process), history.f(operation));
            finish(line, history, operation, value, error);
        }
    }
}

fn begin(line: &mut String, at: Moment, r#type: Type, process: Process, f: &str) {
    let r#type = match r#type {
        Type::Invoke => "invoke",
        Type::Ok => "ok",
        Type::Fail => "fail",
        Type::Info => "info",
    };
    let process = match process {
        Process::Client(number) => number.to_string(),
        Process::Nemesis => ":nemesis".to_owned(),
    };
    let Moment { index, time } = at;
    line.push_str(&format!("{{:index {index}, :time {time}, :type :{type}, :process {process}, :f "));
    if is_keyword(f) {
        line.push(':');
        line.push_str(f);
    } else {
        string(f, line);
    }
}

/// A value as it is written, and whether it looks as a key with its value.
struct Said {
    text: String,
    pair: bool,
}

fn finish(line: &mut String, history: &History, operation: &Operation, value: Said, error: Option<Symbol>) {
    match operation.key {
        Some(key) => put(line, ":key", Some(key), &history.symbols),
        None if value.pair => line.push_str(", :key nil"),
        None => {}
    }
    line.push_str(", :value ");
    line.push_str(&value.text);
    put(line, ":node", operation.node, &history.symbols);
    put(line, ":error", error, &history.symbols);
    line.push('}');
}

fn put(line: &mut String, field: &str, text: Option<Symbol>, symbols: &Symbols) {
    if let Some(text) = text {
        line.push_str(", ");
        line.push_str(field);
        line.push(' ');
        string(symbols.text(text), line);
    }
}

fn asked(input: Input, symbols: &Symbols) -> Said {
    match (input, input.object()) {
        (Input::Cas { from, to }, _) => {
            let mut text = "[".to_owned();
            datum(from, symbols, &mut text);
            text.push(' ');
            datum(to, symbols, &mut text);
            text.push(']');
            Said { text, pair: true }
        }
        (_, Object::Register | Object::General | Object::Unknown) => of_datum(input.argument(), symbols),
        (_, Object::Conversation | Object::Account | Object::Subscription) => {
            of_json(&input.to_json(symbols))
        }
    }
}

fn answered(input: Input, output: &Output, symbols: &Symbols) -> Said {
    match output {
        Output::Value { value } => of_datum(*value, symbols),
        Output::Done => asked(input, symbols),
        Output::Sent { .. } | Output::Page { .. } | Output::Polled { .. } | Output::Names { .. } => {
            of_json(&output.to_json(&input, symbols))
        }
    }
}

fn of_datum(value: Datum, symbols: &Symbols) -> Said {
    let mut text = String::new();
    datum(value, symbols, &mut text);
    Said { text, pair: value.items(symbols).is_some_and(|items| items.len() == 2) }
}

fn of_json(value: &Value) -> Said {
    let mut text = String::new();
    json(value, &mut text);
    Said { text, pair: false }
}

fn fault_map(history: &History, fault: &Fault, at: Moment, value: Datum, line: &mut String) {
    begin(line, at, Type::Info, Process::Nemesis, history.text(fault.f));
    put(line, ":key", fault.key, &history.symbols);
    line.push_str(", :value ");
    match (value, &*fault.nodes) {
        (Datum::Nil, nodes @ [_, _, ..]) => {
            let names: Vec<Datum> = nodes.iter().copied().map(Datum::Name).collect();
            line.push_str("{\"nodes\" ");
            items(&names, ["[", "]"], &history.symbols, line);
            line.push('}');
        }
        (value, nodes) => {
            datum(value, &history.symbols, line);
            let said = value.to_json(&history.symbols).get("nodes").is_some();
            put(line, ":node", nodes.first().copied().filter(|_| !said), &history.symbols);
        }
    }
    line.push('}');
}

fn datum(value: Datum, symbols: &Symbols, text: &mut String) {
    match value {
        Datum::Nil => text.push_str("nil"),
        Datum::Bool(value) => text.push_str(if value { "true" } else { "false" }),
        Datum::Int(value) => text.push_str(&value.to_string()),
        Datum::Name(name) => string(symbols.text(name), text),
        Datum::Other(other) => text.push_str(symbols.text(other)),
        Datum::List(list) => items(symbols.items(list), ["[", "]"], symbols, text),
        Datum::Map(list) => items(symbols.items(list), ["{", "}"], symbols, text),
    }
}

fn items(items: &[Datum], [open, close]: [&str; 2], symbols: &Symbols, text: &mut String) {
    text.push_str(open);
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            text.push(' ');
        }
        datum(*item, symbols, text);
    }
    text.push_str(close);
}

/// JSON as EDN: the keys of objects are keywords.
fn json(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("nil"),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::String(value) => string(value, text),
        Value::Array(values) => {
            text.push('[');
            for (number, value) in values.iter().enumerate() {
                if number > 0 {
                    text.push(' ');
                }
                json(value, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            text.push('{');
            for (number, (key, value)) in entries.iter().enumerate() {
                text.push_str(if number > 0 { ", :" } else { ":" });
                text.push_str(key);
                text.push(' ');
                json(value, text);
            }
            text.push('}');
        }
    }
}

fn string(content: &str, text: &mut String) {
    text.push('"');
    for character in content.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            other => text.push(other),
        }
    }
    text.push('"');
}

/// Whether a name can be written with a colon before it.
fn is_keyword(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*+!?/<>=".contains(&byte);
    name.bytes().all(fits)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && name != "nil"
}
