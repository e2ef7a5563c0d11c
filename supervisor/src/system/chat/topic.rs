//! The values of a register as topics of a conversation: a value is its JSON text, and null is no topic.

use serde_json::Value;

/// The topic that stands for `value`.
#[must_use]
pub(super) fn compose(value: &Value) -> String {
    if value.is_null() { String::new() } else { value.to_string() }
}

/// The value that a topic stands for. A text that no value has becomes one that nobody ever wrote: the checker calls it a
/// phantom.
#[must_use]
pub(super) fn identify(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let value = serde_json::from_str(text).ok().filter(|value| compose(value) == text);
    value.unwrap_or_else(|| Value::String(format!("corrupt:{text}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_comes_back_and_nothing_else_does() {
        for value in [json!(null), json!(17), json!("seventeen"), json!(u64::MAX)] {
            assert_eq!(identify(&compose(&value)), value);
        }
        for text in ["1 7", " 17", "x", "null"] {
            assert_eq!(identify(text), format!("corrupt:{text}"), "{text}");
        }
    }
}
