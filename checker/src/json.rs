//! What is said about JSON that does not parse.

/// The message of `error` without its " at line 1 column 7": the caller knows the line in the file.
pub(crate) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
