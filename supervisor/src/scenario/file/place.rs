//! Where something was said: in the file, or on the command line.

use saphyr_parser::Span;

/// Where something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file.
    File {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// How many characters are meant; at least 1.
        width: usize,
    },
    /// On the command line: the n-th override, from 0.
    Override(usize),
}

impl Place {
    /// Where to begin in a file of which nothing more exact is known.
    pub(crate) const START: Self = Self::File { line: 1, column: 1, width: 1 };

    /// The place of a node in a file that ends at `end`. A node of several lines is shown by its first character.
    pub(super) fn of(span: Span, end: Self) -> Self {
        let Span { start, end: stop } = span;
        let width =
            if start.line() == stop.line() { stop.col().saturating_sub(start.col()).max(1) } else { 1 };
        let place = Self::File { line: start.line().max(1), column: start.col() + 1, width };
        // What is missing at the end of the file is behind its last line, which cannot be shown.
        place.min(end)
    }

    /// The place behind the last character of `text`.
    pub(super) fn end_of(text: &str) -> Self {
        let last = text.lines().last().unwrap_or_default();
        Self::File { line: text.lines().count().max(1), column: last.chars().count() + 1, width: 1 }
    }
}

/// A value, and where it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<T> {
    /// What.
    pub value: T,
    /// Where.
    pub place: Place,
}
