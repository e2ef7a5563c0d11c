//! Text that is safe and times that are read where the reader is.

use super::*;

fn look(zone: TimeZone) -> Look {
    Look { color: false, zone, today: "2025-03-01".to_owned() }
}

#[test]
fn nothing_in_a_text_commands_the_terminal() {
    assert_eq!(printable("a\u{1b}[31mb\rc\u{7}\u{202e}d"), "a\\u{1b}[31mb\\u{d}c\\u{7}\\u{202e}d");
    assert_eq!(printable("zwei\nZeilen — «ü» 🙂"), "zwei\nZeilen — «ü» 🙂");
}

#[test]
fn a_moment_is_in_the_readers_zone() {
    let ms = 1_740_821_462_000;
    assert_eq!(look(TimeZone::UTC).moment(ms), ("2025-03-01".to_owned(), "09:31:02".to_owned()));
    let east = TimeZone::fixed(jiff::tz::offset(15));
    assert_eq!(look(east).moment(ms), ("2025-03-02".to_owned(), "00:31:02".to_owned()));
    assert_eq!(look(TimeZone::UTC).moment(u64::MAX).1, "??:??:??");
}

#[test]
fn a_day_is_told_when_it_is_not_taken_for_granted() {
    let look = look(TimeZone::UTC);
    assert_eq!(look.day_heading("2025-03-01", None), None);
    assert_eq!(look.day_heading("2025-02-28", None).unwrap(), "-- 2025-02-28 --");
    assert_eq!(look.day_heading("2025-02-28", Some("2025-02-28")), None);
    assert_eq!(look.day_heading("2025-03-01", Some("2025-02-28")).unwrap(), "-- 2025-03-01 --");
}
