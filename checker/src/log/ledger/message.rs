//! Messages, each in a few bytes.

/// A message, by number of the caller. There is one for each number up to the greatest that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) send: u32,
    pub(super) conversation: u32,
    /// A [`Place`], in four bytes.
    pub(super) place: u32,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nobody has sent it.
    Unsent,
    /// Its send failed.
    Refused,
    /// It was sent, and nobody has shown it: the slot of the send.
    Flying(u32),
    /// It has this number.
    At(u32),
}

impl Message {
    pub(super) const UNSENT: Message = Message { send: 0, conversation: 0, place: Place::Unsent.pack() };

    #[inline]
    pub(super) fn place(&self) -> Place {
        Place::unpack(self.place)
    }
}

impl Place {
    const FLYING: u32 = 1 << 31;

    #[inline]
    pub(super) const fn pack(self) -> u32 {
        match self {
            Place::Unsent => u32::MAX,
            Place::Refused => u32::MAX - 1,
            Place::Flying(slot) => Place::FLYING | slot,
            Place::At(seq) => seq,
        }
    }

    #[inline]
    pub(super) const fn unpack(packed: u32) -> Self {
        match packed {
            u32::MAX => Place::Unsent,
            // There are fewer operations than 2^31 - 2, for each has two events, so no slot looks like this.
            0xffff_fffe => Place::Refused,
            packed if packed & Place::FLYING != 0 => Place::Flying(packed & !Place::FLYING),
            seq => Place::At(seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_fits_into_four_bytes() {
        for place in [
            Place::Unsent,
            Place::Refused,
            Place::Flying(0),
            Place::Flying(77),
            Place::At(1),
            Place::At((1 << 31) - 1),
        ] {
            assert_eq!(Place::unpack(place.pack()), place);
        }
    }
}
