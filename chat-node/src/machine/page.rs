//! How much one read may bring.

use proto::log::MessageRecord;

/// The most that the messages of one page hold, in bytes: well below the 4 MiB that a gRPC client takes by default.
pub const PAGE_BYTES_MAX: usize = 3 << 20;

/// An upper bound of what a message costs beside its texts: times, numbers, tags and lengths.
const MESSAGE_OVERHEAD_BYTES: usize = 128;

/// What a page may still take.
pub(super) struct Budget {
    messages: usize,
    bytes: usize,
    empty: bool,
}

impl Budget {
    /// A page of at most `limit` messages.
    pub(super) fn new(limit: usize) -> Self {
        Self { messages: limit, bytes: PAGE_BYTES_MAX, empty: true }
    }

    /// Whether `message` still fits; if so, it is counted. The first always fits.
    pub(super) fn takes(&mut self, message: &MessageRecord) -> bool {
        let cost = message.body.len() + message.from.len() + message.client_id.len() + MESSAGE_OVERHEAD_BYTES;
        if self.messages == 0 || (cost > self.bytes && !self.empty) {
            return false;
        }
        self.messages -= 1;
        self.bytes = self.bytes.saturating_sub(cost);
        self.empty = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> MessageRecord {
        MessageRecord { body: "x".repeat(bytes), ..MessageRecord::default() }
    }

    #[test]
    fn a_page_ends_at_its_limit_or_at_its_bytes_and_is_never_empty_for_size() {
        let mut few = Budget::new(2);
        assert_eq!([(); 3].map(|()| few.takes(&message(1))), [true, true, false]);

        let mut large = Budget::new(1_000);
        let taken =
            std::iter::repeat_with(|| large.takes(&message(65_536))).take_while(|taken| *taken).count();
        assert_eq!(taken, PAGE_BYTES_MAX / (65_536 + MESSAGE_OVERHEAD_BYTES));

        assert!(Budget::new(1).takes(&message(2 * PAGE_BYTES_MAX)));
        assert!(!Budget::new(0).takes(&message(1)));
    }
}
