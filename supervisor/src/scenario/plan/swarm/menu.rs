//! What can be drawn in one scenario: the templates of its kinds, as far as its cluster can suffer them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::standing::Burden;
use super::toll::Toll;
use crate::quorum::may_fail;
use crate::rng::Rng;
use crate::scenario::drawn::Drawn;
use crate::scenario::file::{
    Majority, Narrowed, NemesisSection, SaidVerb, ScenarioError, ScenarioFile, said_verb, senseless,
    spares_needed,
};
use crate::scenario::plan::NODES_DEFAULT;
use crate::scenario::verb::{End, FaultKind};
use crate::scenario::word::Word;

/// A fault that can be drawn; ranges are not drawn yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) struct Template {
    /// Its weight among the templates of its kind.
    pub(in crate::scenario) weight: u32,
    /// What it does.
    pub(in crate::scenario) verb: SaidVerb,
    /// For how long; `None`: it ends by itself.
    pub(in crate::scenario) lasts: Option<Drawn<Duration>>,
    /// How many nodes it takes out.
    pub(in crate::scenario) toll: Toll,
    /// What it costs the cluster whatever becomes of its members.
    pub(super) burden: Burden,
}

impl Template {
    fn of(
        weight: u32,
        verb: SaidVerb,
        lasts: Option<Drawn<Duration>>,
        (nodes, spares): (usize, usize),
        of_all: Drawn<Duration>,
    ) -> Self {
        // What ranges are drawn to changes neither the toll nor the end.
        let drawn = verb.draw(&Rng::from_seed(0));
        let usual = || (drawn.end() == End::AtHeal).then_some(of_all);
        Self {
            weight,
            lasts: lasts.or_else(usual),
            toll: Toll::of(&drawn, nodes),
            burden: Burden::of(&drawn, nodes + spares),
            verb,
        }
    }

    /// The shortest time that it may stand.
    pub(in crate::scenario) fn shortest(&self) -> Duration {
        self.lasts.map_or(self.burden.own_length, |lasts| lasts.min)
    }

    /// The longest.
    pub(super) fn longest(&self) -> Duration {
        self.lasts.map_or(self.burden.own_length, |lasts| lasts.max)
    }
}

/// What can be drawn in one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) struct Menu {
    /// How many nodes the cluster has.
    pub(in crate::scenario) nodes: usize,
    /// How many spares it has.
    pub(super) spares: usize,
    /// How many of them no timed fault needs.
    pub(super) spares_left: usize,
    templates: BTreeMap<FaultKind, Vec<Template>>,
    /// Why a kind has no template that its cluster can suffer, whatever becomes of the majority.
    pub(in crate::scenario) unfit: BTreeMap<FaultKind, ScenarioError>,
}

impl Menu {
    /// What `said` lets be drawn in the scenario `file`.
    pub(in crate::scenario) fn new(said: &NemesisSection, file: &ScenarioFile) -> Self {
        let nodes = usize::from(file.cluster.nodes.unwrap_or(NODES_DEFAULT));
        let spares = usize::from(file.cluster.spares.map_or(0, |said| said.value));
        let mut menu = Self {
            nodes,
            spares,
            spares_left: spares.saturating_sub(spares_needed(file)),
            templates: BTreeMap::new(),
            unfit: BTreeMap::new(),
        };
        for kind in said.kinds.keys() {
            let all = all(*kind, said, (nodes, spares));
            let mut fitting = Vec::new();
            for template in all {
                match senseless(&template.verb, file) {
                    None => fitting.push(template),
                    Some(why) => {
                        menu.unfit.entry(*kind).or_insert(why);
                    }
                }
            }
            if !fitting.is_empty() {
                menu.unfit.remove(kind);
            }
            let is_possible = |template: &Template| {
                said.majority.value != Majority::Keep || template.toll.most <= may_fail(nodes)
            };
            fitting.retain(is_possible);
            menu.templates.insert(*kind, fitting);
        }
        menu
    }

    /// The templates of a kind; none for a kind that the scenario does not have.
    pub(in crate::scenario) fn of(&self, kind: FaultKind) -> impl Iterator<Item = &Template> {
        self.templates.get(&kind).into_iter().flatten()
    }

    /// Whether a fault of this template alone leaves no majority.
    pub(in crate::scenario) fn breaks(&self, template: &Template) -> bool {
        template.toll.breaks(self.nodes)
    }
}

/// The templates of a kind, whether the cluster can suffer them or not.
fn all(kind: FaultKind, said: &NemesisSection, (nodes, spares): (usize, usize)) -> Vec<Template> {
    if let Some(options) = said.options.get(&kind) {
        let template = |Narrowed { verb, lasts, .. }: &Narrowed| {
            Template::of(1, verb.clone(), *lasts, (nodes, spares), said.duration)
        };
        return options.iter().map(template).collect();
    }
    let template = |(weight, text): &(u32, &str)| {
        let (verb, lasts) = said_verb(kind.word(), text, said.duration).expect("a test reads every template");
        Template::of(*weight, verb, lasts, (nodes, spares), said.duration)
    };
    // Who is gone for good is to be replaced.
    let is_bearable = |template: &Template| spares > 0 || !template.burden.is_final;
    kind.templates().iter().map(template).filter(is_bearable).collect()
}
