//! What the terminal can show.

use std::io::{self, IsTerminal};

use crate::explain::Style;

/// The most columns that are used of a wide terminal: longer lines are hard to read.
const WIDTH_MAX: usize = 140;

/// The style that fits standard output: on a terminal as wide as that, with colours unless `NO_COLOR` is set, and in
/// ASCII if the locale has nothing else. Anywhere else the text is plain, 100 columns wide.
pub(super) fn style(width: Option<usize>, ascii: bool) -> Style {
    let plain = Style::default();
    let terminal = io::stdout().is_terminal();
    let columns = || {
        let (width, _) = terminal_size::terminal_size()?;
        Some(usize::from(width.0).min(WIDTH_MAX))
    };
    let width = width.or_else(|| if terminal { columns() } else { None }).unwrap_or(plain.width);
    Style {
        width: width.max(Style::WIDTH_MIN),
        ascii: ascii || (terminal && !is_unicode()),
        colour: terminal && has_colours(&variable("NO_COLOR"), &variable("TERM")),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how a text looks depends on the terminal; what it says does not"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// <https://no-color.org>: any value but the empty one.
fn has_colours(no_color: &str, terminal: &str) -> bool {
    no_color.is_empty() && terminal != "dumb"
}

fn is_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(variable).find(|locale| !locale.is_empty());
    // Most terminals without a locale, such as those of containers, show Unicode all the same.
    locale.is_none_or(|locale| knows_unicode(&locale))
}

fn knows_unicode(locale: &str) -> bool {
    let locale = locale.to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_can_be_turned_off() {
        assert!(has_colours("", "xterm-256color"));
        assert!(!has_colours("1", "xterm-256color"));
        assert!(!has_colours("", "dumb"));
    }

    #[test]
    fn the_locale_says_what_can_be_shown() {
        assert!(knows_unicode("en_GB.UTF-8") && knows_unicode("C.utf8"));
        assert!(!knows_unicode("POSIX") && !knows_unicode("de_DE.ISO-8859-1"));
    }
}
