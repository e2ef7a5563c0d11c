//! Whether the random faults make sense: whether each kind can strike this cluster, within this load, for every seed.

use std::time::Duration;

use super::super::decode::Decoder;
use super::super::nemesis::{Majority, NemesisSection};
use super::super::place::Placed;
use super::super::verb::{SaidMembership, SaidVerb};
use super::{ScenarioFile, finds_spares, fits_cluster};
use crate::quorum::may_fail;
use crate::scenario::plan::swarm::{Menu, Template, strikes_max};
use crate::scenario::unit::Time;
use crate::scenario::verb::{FaultKind, Membership};
use crate::scenario::word::Word;

/// The names of random faults begin with this.
const PREFIX: &str = "nemesis-";

/// Notes what does not go together, and answers how often random faults may strike at most.
pub(super) fn check(file: &ScenarioFile, nodes: usize, decoder: &mut Decoder) -> usize {
    let Some(said) = &file.nemesis else { return 0 };
    for fault in &file.faults {
        if fault.name.value.starts_with(PREFIX) {
            let message =
                format!("`{}` is the name of a random fault; `{PREFIX}…` is theirs", fault.name.value);
            decoder.refuse(fault.name.place, message);
        }
    }
    let Placed { value: majority, place } = said.majority;
    if majority == Majority::Keep && may_fail(nodes) == 0 {
        let message = format!(
            "no node may be struck: a cluster of {nodes} has no majority without it, and the majority is to be kept"
        );
        decoder.refuse_with(place, message, "write `keep-majority: false`, or at least 3 `nodes`");
        return 0;
    }
    let errors = decoder.errors.len();
    for narrowed in said.options.values().flatten() {
        fits_cluster(&narrowed.verb, file, decoder);
        finds_spares(&narrowed.verb, file, decoder);
    }
    if decoder.errors.len() > errors {
        return 0;
    }
    let menu = Menu::new(said, file);
    let all_can: Vec<bool> = said.kinds.keys().map(|kind| can_strike(*kind, said, &menu, decoder)).collect();
    adds_before(file, said, &menu, decoder);
    if !all_can.contains(&false) {
        breaks(said, &menu, decoder);
        fits(file, said, &menu, decoder);
    }
    strikes_max(said, file.run.duration.value.max)
}

/// Checks that something of a kind is left to be drawn.
fn can_strike(kind: FaultKind, said: &NemesisSection, menu: &Menu, decoder: &mut Decoder) -> bool {
    if menu.of(kind).next().is_some() {
        return true;
    }
    let word = kind.word();
    let options = said.options.get(&kind).and_then(|options| options.first());
    let place = options.map_or(said.kinds[&kind].place, |narrowed| narrowed.place);
    if options.is_none() && !menu.unfit.contains_key(&kind) && kind == FaultKind::Crash {
        let message = "the points at which a node can crash are its own; `options` must say which to draw";
        let help = "write e.g. `options: { crash: [{ target: leader, at: append-before-sync }] }`";
        decoder.refuse_with(place, message, help);
    } else if let Some(why) = menu.unfit.get(&kind) {
        let message = format!("nothing of the kind `{word}` can strike this cluster: {}", why.message);
        match &why.help {
            Some(help) => decoder.refuse_with(place, message, help.clone()),
            None => decoder.refuse(place, message),
        }
    } else {
        let message = format!(
            "`{word}` may take out more than {} of {} nodes, and the majority is to be kept",
            may_fail(menu.nodes),
            menu.nodes
        );
        decoder.refuse_with(place, message, "narrow its target, or write `keep-majority: false`");
    }
    false
}

/// Checks that nodes do not only leave.
fn adds_before(file: &ScenarioFile, said: &NemesisSection, menu: &Menu, decoder: &mut Decoder) {
    let change = |verb: &SaidVerb| match verb {
        SaidVerb::Membership(SaidMembership { change }) => Some(change.value.clone()),
        _ => None,
    };
    let changes: Vec<Membership> =
        menu.of(FaultKind::Membership).filter_map(|one| change(&one.verb)).collect();
    let only_leave = !changes.is_empty() && changes.iter().all(|one| matches!(one, Membership::Remove(_)));
    let adds = file.faults.iter().any(|fault| change(&fault.verb) == Some(Membership::Add));
    if only_leave && !adds {
        let message = "a node is removed only after one was added, and none is";
        let place = said.options[&FaultKind::Membership][0].place;
        decoder.refuse_with(place, message, "write `{ add: spare }` among the options of `membership`");
    }
}

/// Checks that something leaves no majority, if that is wanted.
fn breaks(said: &NemesisSection, menu: &Menu, decoder: &mut Decoder) {
    let can = |kind: &FaultKind| menu.of(*kind).any(|template| menu.breaks(template));
    if said.majority.value == Majority::Break && !said.kinds.keys().any(can) {
        let message = "none of the kinds, as the options narrow them, is certain to break the majority";
        let able = FaultKind::Kill.word();
        decoder.refuse_with(said.majority.place, message, format!("add a kind that can, e.g. `{able}`"));
    }
}

/// Checks that a fault fits into the shortest load, whichever kinds a seed leaves.
fn fits(file: &ScenarioFile, said: &NemesisSection, menu: &Menu, decoder: &mut Decoder) {
    let longest_of_all = said.kinds.keys().filter_map(|kind| {
        let wanted = |one: &&Template| {
            said.majority.value != Majority::Break
                || menu.breaks(one)
                || !menu.of(*kind).any(|other| menu.breaks(other))
        };
        menu.of(*kind).filter(wanted).map(Template::shortest).min()
    });
    let longest = longest_of_all.max().unwrap_or_default();
    let most = |said: Option<crate::scenario::drawn::Drawn<Duration>>| {
        said.map_or(Duration::ZERO, |range| range.max)
    };
    let first = most(said.start) + said.interval.value.max;
    let end = file.run.duration.value.min.saturating_sub(most(said.quiet));
    if first + longest > end {
        let message = format!(
            "a random fault may not fit: it would begin after {} and stand for {}, but must be lifted after {}",
            Time(first),
            Time(longest),
            Time(end)
        );
        decoder.refuse(said.interval.place, message);
    }
}
