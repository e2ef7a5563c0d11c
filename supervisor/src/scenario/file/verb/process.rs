//! `kill`, `pause`, `restart`.

use super::super::decode::{Decoder, Fields};
use super::super::suggest;
use super::super::tree::{Entry, Node};
use super::{BESIDE_VERB, Length, Said, SaidVerb, target, target_of};
use crate::scenario::fitness::unkilling;
use crate::scenario::signal::Signal;

const KILL: Fields =
    Fields { known: &["target", "signal", "restart-after"], later: &[], elsewhere: BESIDE_VERB };

const PAUSE: Fields = Fields { known: &["target"], later: &[], elsewhere: BESIDE_VERB };

const RESTART: Fields = Fields { known: &["target"], later: &[], elsewhere: BESIDE_VERB };

pub(super) fn kill(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    length.refuse(decoder, "a dead process stays dead; write `restart-after` inside `kill`");
    let map = decoder.map(&entry.value, "`kill`", &KILL)?;
    let target = decoder.require(&map, "target").and_then(|node| target(decoder, node));
    let signal = map.get("signal").and_then(|node| signal(decoder, node));
    let lasts = map.get("restart-after").and_then(|node| decoder.duration(node));
    Some(Said { verb: SaidVerb::Kill { target: target?, signal }, lasts })
}

pub(super) fn pause(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    let target = target_of(decoder, entry, "`pause`", &PAUSE);
    let lasts = length.require(decoder, entry, "a pause needs its length: write `for: 4s` beside `pause`");
    Some(Said { verb: SaidVerb::Pause { target: target? }, lasts: lasts? })
}

pub(super) fn restart(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    length.refuse(decoder, "a restart takes as long as it takes");
    let target = target_of(decoder, entry, "`restart`", &RESTART)?;
    Some(Said { verb: SaidVerb::Restart { target }, lasts: None })
}

fn signal(decoder: &mut Decoder, node: &Node) -> Option<Signal> {
    let text = decoder.text(node, "a signal, e.g. KILL")?;
    match text.parse() {
        Ok(signal) => match unkilling(signal) {
            Some(why) => decoder.lose(node.place, why),
            None => Some(signal),
        },
        Err(_) => {
            let question = suggest::question(text.trim_start_matches("SIG"), Signal::names());
            decoder.lose(node.place, format!("unknown signal `{text}`{question}"))
        }
    }
}
