//! How texts and pictures are written: how wide, with which characters, with colours or without.

use std::borrow::Cow;

/// How wide a text is, and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The most columns of a line, unless a single word is longer; at least [`Style::WIDTH_MIN`].
    pub width: usize,
    /// Whether only ASCII is drawn, for terminals that know nothing else. Names are written as they are.
    pub ascii: bool,
    /// Whether there are colours (ANSI escape sequences).
    pub colour: bool,
}

impl Default for Style {
    /// 100 columns of Unicode without colours.
    fn default() -> Self {
        Style { width: 100, ascii: false, colour: false }
    }
}

/// What a word is painted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// All is well.
    Good,
    /// Something is wrong.
    Bad,
    /// Nobody knows.
    Doubt,
    /// The beginning of a paragraph.
    Title,
}

impl Style {
    /// The fewest columns in which a picture can be drawn.
    pub const WIDTH_MIN: usize = 40;

    /// The same style with as many columns less.
    #[must_use]
    pub fn narrower(self, columns: usize) -> Style {
        Style { width: self.width.saturating_sub(columns).max(Self::WIDTH_MIN), ..self }
    }

    /// A text with the colour of what it is for.
    #[must_use]
    pub fn paint<'t>(self, paint: Paint, text: &'t str) -> Cow<'t, str> {
        if !self.colour || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let code = match paint {
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Doubt => "33",
            Paint::Title => "1",
        };
        Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m"))
    }

    /// The same text in characters that the terminal has.
    pub(crate) fn letters<'t>(self, text: &'t str) -> Cow<'t, str> {
        if self.ascii && !text.is_ascii() {
            return Cow::Owned(text.replace('…', "...").replace('†', "+"));
        }
        Cow::Borrowed(text)
    }

    /// The character that is drawn for one of a picture.
    pub(super) fn stroke(self, drawn: char) -> char {
        if !self.ascii {
            return drawn;
        }
        match drawn {
            '─' => '-',
            '━' => '=',
            '├' | '┤' | '│' => '|',
            '┣' => '[',
            '┫' => ']',
            '◀' => '<',
            '▶' => '>',
            '≈' => '~',
            other => other,
        }
    }
}

/// A text for a terminal: what would move its cursor or change its colours is shown as a replacement character.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        return Cow::Owned(text.replace(char::is_control, "\u{fffd}"));
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        let plain = Style::default();
        assert_eq!(plain.paint(Paint::Bad, "INVALID"), "INVALID");
        let coloured = Style { colour: true, ..plain };
        assert_eq!(coloured.paint(Paint::Bad, "INVALID"), "\u{1b}[31mINVALID\u{1b}[0m");
        assert_eq!(coloured.paint(Paint::Good, ""), "");
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(printable("c1-\u{1b}[2J\n"), "c1-\u{fffd}[2J\u{fffd}");
        assert_eq!(printable("naïve"), "naïve");
    }

    #[test]
    fn a_style_is_never_too_narrow_to_draw() {
        assert_eq!(Style { width: 20, ..Style::default() }.narrower(4).width, Style::WIDTH_MIN);
    }
}
