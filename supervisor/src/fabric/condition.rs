//! What can be wrong with an edge, and what several wrongs come to.

use std::num::NonZeroU64;

use super::delay::Delay;

/// Something that is wrong with the bytes of an edge while it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Bytes are kept, and come in one burst when it is lifted. New connections come about.
    Hold,
    /// Silence, as in a partition: bytes are kept as in [`Condition::Hold`], and no connection comes about, for the
    /// packets that would open one are lost.
    Cut,
    /// Bytes vanish, those under way included. The connection stays open while this stands, for the end of a stream does
    /// not arrive either. A stream that has lost something cannot go on, so its connection is reset when this is lifted.
    /// New connections come about.
    BlackHole,
    /// Bytes come late.
    Delay(Delay),
    /// So many bytes a second, for all connections of the edge together.
    Rate(NonZeroU64),
}

/// What becomes of bytes; the worst is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Passage {
    /// They arrive.
    #[default]
    Open,
    /// They are kept.
    Held,
    /// They vanish.
    Lost,
}

/// All that is wrong with an edge at one time: of each kind, the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Conditions {
    pub(super) passage: Passage,
    /// No connection comes about.
    pub(super) is_silent: bool,
    /// The one whose longest delay is the longest.
    pub(super) delay: Option<Delay>,
    /// The lowest.
    pub(super) rate: Option<NonZeroU64>,
}

impl Conditions {
    /// What `imposed` come to.
    pub(super) fn of<'a>(imposed: impl IntoIterator<Item = &'a Condition>) -> Self {
        imposed.into_iter().fold(Self::default(), |all, condition| match condition {
            Condition::Hold => Self { passage: all.passage.max(Passage::Held), ..all },
            Condition::Cut => Self { passage: all.passage.max(Passage::Held), is_silent: true, ..all },
            Condition::BlackHole => Self { passage: Passage::Lost, ..all },
            Condition::Delay(delay) => {
                let delay = all.delay.into_iter().chain([*delay]).max_by_key(Delay::longest);
                Self { delay, ..all }
            }
            Condition::Rate(rate) => Self { rate: all.rate.into_iter().chain([*rate]).min(), ..all },
        })
    }

    /// Bytes come later than they would.
    pub(super) fn is_slow(&self) -> bool {
        self.delay.is_some() || self.rate.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rate(bytes: u64) -> Condition {
        Condition::Rate(NonZeroU64::new(bytes).expect("the rates of these tests are positive"))
    }

    #[test]
    fn nothing_wrong_is_an_open_edge() {
        let none = Conditions::of([]);
        assert_eq!(none, Conditions::default());
        assert!(!none.is_slow() && !none.is_silent && none.passage == Passage::Open);
    }

    #[test]
    fn of_each_kind_the_worst_stands_whatever_the_order() {
        let (short, long) = (Delay::of(Duration::from_millis(5)), Delay::of(Duration::from_millis(50)));
        let mut imposed = [
            Condition::Hold,
            rate(1000),
            Condition::BlackHole,
            Condition::Delay(long),
            Condition::Cut,
            rate(10),
            Condition::Delay(short),
        ];
        let expected = Conditions {
            passage: Passage::Lost,
            is_silent: true,
            delay: Some(long),
            rate: NonZeroU64::new(10),
        };
        for _ in 0..imposed.len() {
            imposed.rotate_left(1);
            assert_eq!(Conditions::of(&imposed), expected);
        }
    }

    #[test]
    fn a_held_edge_lets_connections_come_about_and_a_cut_one_does_not() {
        assert!(!Conditions::of(&[Condition::Hold]).is_silent);
        assert!(Conditions::of(&[Condition::Hold, Condition::Cut]).is_silent);
        assert_eq!(Conditions::of(&[Condition::Cut]).passage, Passage::Held);
    }
}
