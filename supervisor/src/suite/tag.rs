//! Which scenarios, by their tags: `ci and not slow`, `(smoke or ci) and not bug`, `ci,smoke`.
//!
//! ```text
//! any   = all  { ("or" | ",") all }
//! all   = one  { "and" one }
//! one   = "not" one | "(" any ")" | TAG
//! ```
//!
//! A comma is an `or`. Nothing else is understood: what is not in this grammar is refused with its column.

use std::collections::BTreeSet;

use thiserror::Error;

/// What a tag is made of, beside letters and digits.
const TAG_MARKS: [char; 3] = ['-', '_', '.'];

/// An expression over tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagExpression {
    /// The scenario has this tag.
    Tag(String),
    /// It does not hold.
    Not(Box<TagExpression>),
    /// Both hold.
    And(Box<TagExpression>, Box<TagExpression>),
    /// At least one holds.
    Or(Box<TagExpression>, Box<TagExpression>),
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("tag expression `{text}`, column {column}: {what}")]
pub struct TagError {
    text: String,
    /// In characters, from 1.
    column: usize,
    what: String,
}

impl TagExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// If it is not in the grammar of this module.
    pub fn parse(text: &str) -> Result<Self, TagError> {
        let mut parser = Parser { text, words: words(text)?, next: 0 };
        let expression = parser.any()?;
        match parser.peek() {
            None => Ok(expression),
            Some(Word { kind: WordKind::Close, .. }) => Err(parser.error("`)` without a `(` before it")),
            Some(_) => Err(parser.error("expected `and`, `or`, `,` or the end")),
        }
    }

    /// Whether it holds of a scenario with these tags.
    #[must_use]
    pub fn holds(&self, tags: &[String]) -> bool {
        match self {
            Self::Tag(tag) => tags.contains(tag),
            Self::Not(inner) => !inner.holds(tags),
            Self::And(left, right) => left.holds(tags) && right.holds(tags),
            Self::Or(left, right) => left.holds(tags) || right.holds(tags),
        }
    }

    /// Every tag that it names.
    #[must_use]
    pub fn tags(&self) -> BTreeSet<&str> {
        match self {
            Self::Tag(tag) => BTreeSet::from([tag.as_str()]),
            Self::Not(inner) => inner.tags(),
            Self::And(left, right) | Self::Or(left, right) => {
                left.tags().into_iter().chain(right.tags()).collect()
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum WordKind {
    And,
    Or,
    Not,
    Open,
    Close,
    Tag(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    kind: WordKind,
    column: usize,
}

fn words(text: &str) -> Result<Vec<Word>, TagError> {
    let mut words = Vec::new();
    let mut characters = text.chars().enumerate().peekable();
    while let Some((place, character)) = characters.next() {
        let kind = match character {
            character if character.is_whitespace() => continue,
            ',' => WordKind::Or,
            '(' => WordKind::Open,
            ')' => WordKind::Close,
            character if is_of_tag(character) => {
                let mut word = String::from(character);
                while let Some((_, character)) = characters.next_if(|(_, character)| is_of_tag(*character)) {
                    word.push(character);
                }
                match word.as_str() {
                    "and" => WordKind::And,
                    "or" => WordKind::Or,
                    "not" => WordKind::Not,
                    _ => WordKind::Tag(word),
                }
            }
            character => {
                let what =
                    format!("`{character}` has no meaning; there are `and`, `or`, `,`, `not`, `(`, `)`");
                return Err(TagError { text: text.to_owned(), column: place + 1, what });
            }
        };
        words.push(Word { kind, column: place + 1 });
    }
    Ok(words)
}

fn is_of_tag(character: char) -> bool {
    character.is_alphanumeric() || TAG_MARKS.contains(&character)
}

struct Parser<'a> {
    text: &'a str,
    words: Vec<Word>,
    next: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<TagExpression, TagError> {
        let mut left = self.all()?;
        while self.take(&WordKind::Or) {
            left = TagExpression::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<TagExpression, TagError> {
        let mut left = self.one()?;
        while self.take(&WordKind::And) {
            left = TagExpression::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<TagExpression, TagError> {
        if self.take(&WordKind::Not) {
            return Ok(TagExpression::Not(Box::new(self.one()?)));
        }
        if self.take(&WordKind::Open) {
            let inner = self.any()?;
            return if self.take(&WordKind::Close) { Ok(inner) } else { Err(self.error("expected `)`")) };
        }
        match self.peek() {
            Some(Word { kind: WordKind::Tag(tag), .. }) => {
                let tag = tag.clone();
                self.next += 1;
                Ok(TagExpression::Tag(tag))
            }
            _ => Err(self.error("expected a tag, `not` or `(`")),
        }
    }

    fn peek(&self) -> Option<&Word> {
        self.words.get(self.next)
    }

    fn take(&mut self, kind: &WordKind) -> bool {
        let is_next = self.peek().is_some_and(|word| word.kind == *kind);
        self.next += usize::from(is_next);
        is_next
    }

    /// An error at the next word, or at the end.
    fn error(&self, what: &str) -> TagError {
        let column = self.peek().map_or(self.text.chars().count() + 1, |word| word.column);
        TagError { text: self.text.to_owned(), column, what: what.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(text: &str, tags: &[&str]) -> bool {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        TagExpression::parse(text).unwrap_or_else(|error| panic!("{error}")).holds(&tags)
    }

    #[test]
    fn not_binds_before_and_and_that_before_or() {
        assert!(selects("ci", &["smoke", "ci"]) && !selects("ci", &["smoke"]));
        assert!(selects("ci and not slow", &["ci"]) && !selects("ci and not slow", &["ci", "slow"]));
        assert!(selects("ci,smoke", &["smoke"]) && selects("ci , smoke", &["ci"]));
        assert!(selects("a or b and c", &["a"]) && !selects("(a or b) and c", &["a"]));
        assert!(selects("not a and b", &["b"]) && !selects("not (a or b)", &["b"]));
        assert!(selects("not not a", &["a"]) && selects("self-test,b.2", &["b.2"]));
        assert!(selects("andy", &["andy"]), "a tag may begin like a word of the grammar");
    }

    #[test]
    fn every_tag_is_known() {
        let expression = TagExpression::parse("ci and (not slow or ci), bug").unwrap();
        assert_eq!(expression.tags().into_iter().collect::<Vec<_>>(), ["bug", "ci", "slow"]);
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused_with_its_place() {
        let refused = |text: &str| TagExpression::parse(text).unwrap_err().to_string();
        assert_eq!(refused(""), "tag expression ``, column 1: expected a tag, `not` or `(`");
        assert_eq!(refused("ci and"), "tag expression `ci and`, column 7: expected a tag, `not` or `(`");
        assert_eq!(
            refused("ci slow"),
            "tag expression `ci slow`, column 4: expected `and`, `or`, `,` or the end"
        );
        assert_eq!(refused("(ci"), "tag expression `(ci`, column 4: expected `)`");
        assert_eq!(refused("ci)"), "tag expression `ci)`, column 3: `)` without a `(` before it");
        assert_eq!(
            refused("ci && slow"),
            "tag expression `ci && slow`, column 4: `&` has no meaning; there are `and`, `or`, `,`, `not`, `(`, `)`"
        );
        assert_eq!(
            refused("ci,,smoke"),
            "tag expression `ci,,smoke`, column 4: expected a tag, `not` or `(`"
        );
    }
}
