//! A wildcard pattern over names: `*` is any text, `?` any one character.

use proto::chat::Code;
use proto::log::Refusal;

use super::name::NAME_BYTES_MAX;
use super::reply::refusal;

/// The longest pattern, in bytes: each character of the longest name with a `*` before it.
const PATTERN_BYTES_MAX: usize = 2 * NAME_BYTES_MAX;

/// A pattern that a name may match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Takes `text` as a pattern; the empty one matches every name.
    ///
    /// # Errors
    /// A [`Code::Invalid`] when no name could ever match it, or it is too long.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'?');
        if text.len() > PATTERN_BYTES_MAX || !text.bytes().all(allowed) {
            let what = format!(
                "a pattern is at most {PATTERN_BYTES_MAX} of a-z, 0-9, '-', '_', '.' and the wildcards '*' and '?'"
            );
            return Err(refusal(Code::Invalid, what));
        }
        Ok(Self(if text.is_empty() { "*".to_owned() } else { text.to_owned() }))
    }

    /// The text that every matching name begins with.
    pub(super) fn prefix(&self) -> &str {
        self.0.split(['*', '?']).next().unwrap_or_default()
    }

    /// Whether the whole of `name` matches.
    ///
    /// Only the last `*` is ever tried again: an earlier one could take over no text that the last one cannot. So the
    /// work is at most the product of the two lengths.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut at, mut seen) = (0, 0);
        let mut retry = None;
        while seen < name.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    retry = Some((at + 1, seen));
                    at += 1;
                }
                Some(&byte) if byte == b'?' || byte == name[seen] => {
                    at += 1;
                    seen += 1;
                }
                _ => {
                    let Some((after_star, taken)) = retry else { return false };
                    retry = Some((after_star, taken + 1));
                    (at, seen) = (after_star, taken + 1);
                }
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                naive(rest, name) || name.split_first().is_some_and(|(_, shorter)| naive(pattern, shorter))
            }
            (Some((p, rest)), Some((n, shorter))) => (*p == b'?' || p == n) && naive(rest, shorter),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_its_definition_says(pattern in "[ab*?]{0,8}", name in "[ab]{1,8}") {
            let parsed = Pattern::parse(&pattern).unwrap();
            let defined = pattern.is_empty() || naive(pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(parsed.matches(&name), defined);
            prop_assert!(!defined || name.starts_with(parsed.prefix()));
        }
    }

    #[test]
    fn a_pattern_that_no_name_can_match_is_refused() {
        assert!(Pattern::parse("A*").is_err());
        assert!(Pattern::parse(&"a".repeat(65)).is_err());
    }
}
