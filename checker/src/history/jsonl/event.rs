//! One line, as a recorder has it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// Who does something: a number, or the text `nemesis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Process {
    /// A logical client.
    Client(u64),
    /// The one who makes things go wrong.
    Nemesis,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Client(number) => write!(f, "{number}"),
            Process::Nemesis => f.write_str("nemesis"),
        }
    }
}

impl Serialize for Process {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Process::Client(number) => serializer.serialize_u64(*number),
            Process::Nemesis => serializer.serialize_str("nemesis"),
        }
    }
}

impl<'de> Deserialize<'de> for Process {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Process;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a process number or \"nemesis\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Process, E> {
                Ok(Process::Client(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Process, E> {
                if text == "nemesis" {
                    Ok(Process::Nemesis)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(text), &self))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What kind of event a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// An operation begins. Recorded before the request leaves.
    Invoke,
    /// It succeeded. Recorded after the answer came, as are the next two.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Nobody knows. The process must not be used again.
    Info,
}

/// One line, as a recorder writes it: fields in this order, those without a value left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The number of the line, dense from 0.
    pub index: u32,
    /// Nanoseconds since the start of the run; never less than the line before.
    pub time: u64,
    /// Who.
    pub process: Process,
    /// What kind of event.
    pub r#type: Type,
    /// The operation's name.
    pub f: String,
    /// The object; for the nemesis, the name of the strike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The operation's argument or answer.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// The node concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Why it failed, or why nobody knows: a code such as `already-exists`, a `:` and more where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Event {
    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> EventRef<'_> {
        EventRef {
            index: self.index,
            time: self.time,
            process: self.process,
            r#type: self.r#type,
            f: &self.f,
            key: self.key.as_deref(),
            value: &self.value,
            node: self.node.as_deref(),
            error: self.error.as_deref(),
        }
    }
}

/// What [`Event`] is, without owning anything, for a recorder that has it all elsewhere. It is written as the same line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EventRef<'a> {
    /// See [`Event::index`].
    pub index: u32,
    /// See [`Event::time`].
    pub time: u64,
    /// See [`Event::process`].
    pub process: Process,
    /// See [`Event::type`].
    pub r#type: Type,
    /// See [`Event::f`].
    pub f: &'a str,
    /// See [`Event::key`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// See [`Event::value`].
    #[serde(skip_serializing_if = "is_null")]
    pub value: &'a Value,
    /// See [`Event::node`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<&'a str>,
    /// See [`Event::error`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

fn is_null(value: &&Value) -> bool {
    value.is_null()
}
