//! Whatever stands in a file, its reader answers with evidence or with an error that names a line; and whatever was
//! read, the checks and the drawings cope with it.

use checker::check::{self, CheckName};
use checker::evidence::{Evidence, trace};
use checker::history::format::{self, Format, Place};
use checker::history::{History, edn, jsonl, timeline};
use checker::limits::Limits;
use proptest::prelude::*;

#[path = "readers/damage.rs"]
mod damage;

const HISTORY: &str = r#"{"format":"hearsay-history","version":1,"started_unix_ns":5}
{"index":0,"time":1,"process":0,"type":"invoke","f":"send","key":"k","value":{"id":"a"},"node":"n2"}
{"index":1,"time":2,"process":"nemesis","type":"info","f":"kill","key":"k1","value":{"nodes":["n1","n2"]}}
{"index":2,"time":3,"process":0,"type":"ok","f":"send","key":"k","value":{"id":"a","seq":1}}
{"index":3,"time":3,"process":1,"type":"invoke","f":"read","key":"k","value":{"before":9,"limit":5,"final":true}}
{"index":4,"time":4,"process":1,"type":"ok","f":"read","key":"k","value":{"messages":[{"seq":1,"id":"a"}],"head":1}}
{"index":5,"time":5,"process":1,"type":"invoke","f":"cas","key":"x","value":[1,null]}
{"index":6,"time":6,"process":1,"type":"info","f":"cas","key":"x","error":"timeout"}
{"index":7,"time":6,"process":2,"type":"invoke","f":"list-accounts","value":{"pattern":"a*","limit":3}}
{"index":8,"time":7,"process":2,"type":"ok","f":"list-accounts","value":{"names":["al","am"]}}
"#;

const TRACE: &str = r#"{"kind":"start","at":1,"node":"n1"}
{"kind":"vote","at":2,"node":"n1","term":5,"for":"n2"}
{"kind":"applied","at":5,"node":"n1","index":9,"term":5,"state":"000000000000000000000000000000ff"}
"#;

const PICTURE: &str = "p0@n1: |-send a=1-| |-read <9+5 [a 4:b]/7 @k-| |-get 3-!\n\
    p1: |-list like a* [al am]-?\nnemesis: |-kill n1 @x->";

/// A text with a few places overwritten, cut out or doubled.
fn damaged(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let damage =
        (any::<prop::sample::Index>(), 0..6_usize, prop::option::of("[ -~\\n]{0,4}|18446744073709551615"));
    prop::collection::vec(damage, 1..4).prop_map(move |damages| {
        let mut bytes = text.as_bytes().to_vec();
        for (place, length, instead) in damages {
            let begin = place.index(bytes.len().max(1)).min(bytes.len());
            let end = (begin + length).min(bytes.len());
            let instead = instead.map_or_else(|| bytes[begin..end].repeat(2), String::into_bytes);
            bytes.splice(begin..end, instead);
        }
        bytes
    })
}

fn cope_with(history: History) {
    let _ = timeline::draw(&history);
    let evidence = Evidence { history, ..Evidence::default() };
    let results = check::check(&evidence, &CheckName::ALL, &Limits::none());
    assert_eq!(results.len(), CheckName::ALL.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_damaged_history(bytes in damaged(HISTORY)) {
        match jsonl::read(&*bytes) {
            Ok((history, _)) => cope_with(history),
            Err(error) => prop_assert!(error.to_string().starts_with("line "), "{error}"),
        }
    }

    #[test]
    fn a_damaged_trace(bytes in damaged(TRACE)) {
        if let Err(error) = trace::read(&*bytes) {
            prop_assert!(error.to_string().starts_with("line "), "{error}");
        }
    }

    #[test]
    fn a_damaged_picture(bytes in damaged(PICTURE)) {
        match timeline::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(history) => cope_with(history),
            Err(error) => prop_assert!(error.to_string().starts_with("line "), "{error}"),
        }
    }

    #[test]
    fn a_damaged_history_of_any_format(seed in any::<u64>(), reader in 0..=Format::ALL.len()) {
        let reader = Format::ALL.get(reader).copied();
        let text = damage::damaged(&mut damage::Random::new(seed, 0), reader);
        match format::read(&*text, reader) {
            Ok((history, _)) => {
                if format::loss(&history, Format::Edn).is_none() {
                    let mut written = Vec::new();
                    edn::write(&history, &mut written).unwrap();
                    let (again, _) = edn::read(&*written).unwrap();
                    let said = String::from_utf8_lossy(&written);
                    prop_assert!(jsonl::events(&again).eq(jsonl::events(&history)), "{}", said);
                }
                cope_with(history);
            }
            Err(error) => match error.place {
                Place::Line { line, column } => prop_assert!(line >= 1 && column >= 1, "{error}"),
                Place::Byte(offset) => prop_assert!(offset <= text.len() as u64, "{error}"),
            },
        }
    }
}
