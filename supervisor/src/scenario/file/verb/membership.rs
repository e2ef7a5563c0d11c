//! `membership`, `transfer-leader` and `snapshot`.

use super::super::decode::{Decoder, Fields};
use super::super::place::Placed;
use super::super::tree::Entry;
use super::{BESIDE_VERB, Length, Said, SaidVerb, target};
use crate::scenario::target::Target;
use crate::scenario::verb::{Membership, Snapshot, TransferLeader, Verb};

const MEMBERSHIP: Fields =
    Fields { known: &["add", "remove", "replace", "wipe"], later: &["promote"], elsewhere: BESIDE_VERB };

const TRANSFER: Fields = Fields { known: &["to"], later: &[], elsewhere: BESIDE_VERB };

const SNAPSHOT: Fields = Fields { known: &["target", "purge"], later: &[], elsewhere: BESIDE_VERB };

/// The one who can be added.
const SPARE: &str = "spare";

/// Other members, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidMembership {
    /// What is to be done, and where that stands.
    pub change: Placed<Membership>,
}

impl SaidMembership {
    pub(super) fn draw(&self) -> Verb {
        Verb::Membership(self.change.value.clone())
    }
}

pub(super) fn membership(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    length.refuse(decoder, "a change of members takes as long as it takes");
    let map = decoder.map(&entry.value, "`membership`", &MEMBERSHIP)?;
    let changes: Vec<&Entry> = MEMBERSHIP.known.iter().filter_map(|key| map.entry(key)).collect();
    let [change] = changes[..] else {
        return decoder
            .lose(map.place, "a change of members is exactly one of add, remove, replace and wipe");
    };
    let node = &change.value;
    let value = match change.key.as_str() {
        "add" => {
            let text = decoder.text(node, "the word `spare`")?;
            if text != SPARE {
                let message = format!("`{text}` cannot be added; write `add: spare`, the next one joins");
                return decoder.lose(node.place, message);
            }
            Membership::Add
        }
        "remove" => Membership::Remove(target(decoder, node)?.value),
        "replace" => Membership::Replace(target(decoder, node)?.value),
        _ => Membership::Wipe(target(decoder, node)?.value),
    };
    let change = Placed { value, place: node.place };
    Some(Said { verb: SaidVerb::Membership(SaidMembership { change }), lasts: None })
}

pub(super) fn transfer_leader(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    length.refuse(decoder, "the new leader stays until another one comes");
    let map = decoder.map(&entry.value, "`transfer-leader`", &TRANSFER)?;
    let to = match map.get("to") {
        Some(node) => target(decoder, node)?,
        None => Placed { value: Target::Follower, place: entry.key_place },
    };
    if to.value == Target::Leader {
        return decoder.lose(to.place, "`leader` leads already; name a follower");
    }
    let is_one = matches!(&to.value, Target::Follower | Target::One | Target::Random(1))
        || matches!(&to.value, Target::Named(names) if names.len() == 1);
    if !is_one {
        return decoder.lose(to.place, format!("`{}` may be several nodes, and one can lead", to.value));
    }
    Some(Said { verb: SaidVerb::TransferLeader { to }, lasts: None })
}

pub(super) fn snapshot(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    length.refuse(decoder, "a snapshot takes as long as it takes");
    let map = decoder.map(&entry.value, "`snapshot`", &SNAPSHOT)?;
    let target = decoder.require(&map, "target").and_then(|node| target(decoder, node));
    let purge = map.get("purge").map_or(Some(false), |node| decoder.boolean(node));
    Some(Said { verb: SaidVerb::Snapshot { target: target?, purge: purge? }, lasts: None })
}

pub(super) fn drawn_transfer(to: &Target) -> Verb {
    Verb::TransferLeader(TransferLeader { to: to.clone() })
}

pub(super) fn drawn_snapshot(target: &Target, purge: bool) -> Verb {
    Verb::Snapshot(Snapshot { target: target.clone(), purge })
}
