use proptest::prelude::*;

use super::{Key, TOKEN_HASH_BYTES, range};

/// A key with fields of its own, so that one can be drawn.
#[derive(Debug, Clone)]
struct Drawn {
    kind: u8,
    one: u64,
    two: u64,
    text: String,
    hash: [u8; TOKEN_HASH_BYTES],
}

impl Drawn {
    fn key(&self) -> Key<'_> {
        let Drawn { kind, one, two, text, hash } = self;
        match kind {
            0 => Key::Clock,
            1 => Key::Account { name: text },
            2 => Key::Session { token_hash: hash },
            3 => Key::Expiry { at_ms: *one, token_hash: hash },
            4 => Key::Conversation { conversation: text },
            5 => Key::Message { conversation: text, sequence: *one },
            6 => Key::Inbox { account_id: *one, index: *two },
            7 => Key::Client { scope: *one, client_id: text },
            8 => Key::Outcome { scope: *one, client_id: text, sequence: *two },
            9 => Key::Idle { since_ms: *one, scope: *two, client_id: text },
            10 => Key::Ended { account_id: *one },
            _ => Key::Topic { conversation: text },
        }
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    // Few values, and texts that look like the beginning of the field after them, so that collisions would be met.
    let number = prop_oneof![0..3_u64, Just(0x0100), Just(u64::MAX)];
    let text = prop_oneof!["[a\u{0}\u{1}:]{0,4}", "\\PC{0,20}"];
    (0..12_u8, number.clone(), number, text, any::<bool>()).prop_map(|(kind, one, two, text, bit)| Drawn {
        kind,
        one,
        two,
        text,
        hash: [u8::from(bit); TOKEN_HASH_BYTES],
    })
}

proptest! {
    #[test]
    fn a_key_is_parsed_as_what_it_was_built_from(drawn in drawn()) {
        let bytes = drawn.key().encode();
        prop_assert_eq!(Key::parse(&bytes), Some(drawn.key()));
        prop_assert!((0x01..=0x7f).contains(&bytes[0]), "the tag {} is not the machine's", bytes[0]);
    }

    #[test]
    fn two_keys_share_no_bytes(one in drawn(), other in drawn()) {
        prop_assert_eq!(one.key() == other.key(), one.key().encode() == other.key().encode());
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Some(key) = Key::parse(&bytes) {
            prop_assert_eq!(key.encode(), bytes);
        }
    }

    #[test]
    fn a_range_of_messages_holds_those_of_its_conversation_in_order(
        one in "[a:]{1,3}", other in "[a:]{1,3}", sequence in 0..6_u64, from in 0..6_u64, to in 0..6_u64,
    ) {
        let range = range::messages(&one, from..to);
        let key = Key::Message { conversation: &other, sequence }.encode();
        prop_assert_eq!(range.contains(&key), one == other && (from..to).contains(&sequence));
    }

    #[test]
    fn a_range_of_accounts_holds_the_names_after_one_with_a_prefix(
        prefix in "[a-c]{0,2}", after in "[a-c]{0,3}", name in "[a-c]{1,3}",
    ) {
        let range = range::accounts(&prefix, &after);
        let key = Key::Account { name: &name }.encode();
        prop_assert_eq!(range.contains(&key), name.starts_with(&prefix) && name > after);
    }

    #[test]
    fn an_inbox_is_one_life_after_a_cursor(one in 0..3_u64, other in 0..3_u64, after in 0..5_u64, index in 0..6_u64) {
        let key = Key::Inbox { account_id: other, index }.encode();
        prop_assert_eq!(range::inbox(one, after).contains(&key), one == other && index > after);
    }
}
