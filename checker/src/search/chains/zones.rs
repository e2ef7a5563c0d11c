//! The zones of chains, and one walk over them in time order.

use super::clusters::{Cluster, Clusters, NONE, START};
use super::{CHUNK, Flaw};
use crate::limits::{Budget, Exceeded};

/// When a chain must be there, or may be there at any moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zone {
    /// The value that the chain begins with.
    root: u32,
    /// Forward: where it begins and ends. Backward: where it ends and begins.
    first_return: u32,
    last_call: u32,
}

impl Zone {
    fn is_forward(&self) -> bool {
        self.first_return < self.last_call
    }

    /// Where it begins.
    fn begin(&self) -> u32 {
        self.first_return.min(self.last_call)
    }
}

/// The zone of each chain, that of the start first, or what is wrong inside a chain.
pub(super) fn of_chains(
    clusters: &Clusters,
    budget: &mut Budget<'_>,
) -> Result<Result<Vec<Zone>, Flaw>, Exceeded> {
    let mut zones = Vec::new();
    let mut reached = 0;
    if let Some(start) = clusters.start() {
        match zone(clusters, start, &mut reached) {
            Ok(zone) => zones.push(zone),
            Err(flaw) => return Ok(Err(flaw)),
        }
    }
    let mut value = 0;
    for chunk in clusters.all().chunks(CHUNK) {
        budget.ticks(chunk.len() as u64)?;
        for Cluster { writer, from, .. } in chunk {
            if *writer < START && *from == NONE {
                match zone(clusters, value, &mut reached) {
                    Ok(zone) => zones.push(zone),
                    Err(flaw) => return Ok(Err(flaw)),
                }
            }
            value += 1;
        }
    }
    budget.allocate((zones.capacity() * size_of::<Zone>()) as u64)?;
    // What was not reached from any beginning goes round: there are no forks.
    Ok(if reached == clusters.written() { Ok(zones) } else { Err(cycle(clusters)) })
}

/// The zone of one chain; condition 2 of the theorem.
fn zone(clusters: &Clusters, root: u32, reached: &mut usize) -> Result<Zone, Flaw> {
    let mut zone = Zone { root, first_return: u32::MAX, last_call: 0 };
    for value in clusters.chain(root) {
        *reached += 1;
        let cluster = clusters.of(value);
        if cluster.writer != START {
            zone.last_call = zone.last_call.max(cluster.written);
            if zone.last_call > cluster.first_return {
                return Err(Flaw::Early { value, call: zone.last_call });
            }
        }
        zone.first_return = zone.first_return.min(cluster.first_return);
        zone.last_call = zone.last_call.max(cluster.last_call);
    }
    Ok(zone)
}

/// A value of a cycle; there is one.
fn cycle(clusters: &Clusters) -> Flaw {
    let mut reached = vec![false; clusters.all().len()];
    let is_root = |cluster: &Cluster| cluster.writer != NONE && cluster.from == NONE;
    for root in (0..).zip(clusters.all()).filter(|(_, cluster)| is_root(cluster)).map(|(root, _)| root) {
        clusters.chain(root).for_each(|value| reached[value as usize] = true);
    }
    let left = (0..)
        .zip(clusters.all())
        .zip(reached)
        .find(|((_, cluster), reached)| cluster.writer != NONE && !reached);
    let ((value, _), _) = left.expect("a value with a writer was not reached from any beginning");
    Flaw::Cycle { value }
}

/// Condition 3 of the theorem. The first zone is that of the value at the `start`, if there is one.
///
/// The answer is the chains in the order in which they may stand, named by their first values.
pub(super) fn sweep(
    mut zones: Vec<Zone>,
    start: Option<u32>,
    budget: &mut Budget<'_>,
) -> Result<Result<Vec<u32>, Flaw>, Exceeded> {
    budget.ticks(zones.len() as u64)?;
    let first = usize::from(start.is_some());
    sort(&mut zones[first..], budget)?;
    // The end of the last forward zone, and its chain.
    let mut cover = start.map(|start| (zones[0].last_call, start));
    let mut chains = Vec::with_capacity(zones.len());
    chains.extend(start);
    for zone in &zones[first..] {
        if let Some((end, other)) = cover
            && zone.first_return < end
        {
            return Ok(Err(Flaw::Clash { one: other, other: zone.root }));
        }
        chains.push(zone.root);
        if zone.is_forward() {
            cover = Some((zone.last_call, zone.root));
        }
    }
    Ok(Ok(chains))
}

/// How many places in time there may be for each zone, so that a table of them is better than sorting.
const PLACES_PER_ZONE: usize = 16;

/// Sorts by the beginning, in linear time if the beginnings are dense.
fn sort(zones: &mut [Zone], budget: &mut Budget<'_>) -> Result<(), Exceeded> {
    let end = zones.iter().map(|zone| zone.begin() as usize + 1).max().unwrap_or(0);
    if zones.is_sorted_by_key(Zone::begin) {
        return Ok(());
    }
    if end / PLACES_PER_ZONE > zones.len() {
        zones.sort_unstable_by_key(Zone::begin);
        return Ok(());
    }
    budget.allocate((end * size_of::<u32>() + size_of_val(zones)) as u64)?;
    budget.ticks(zones.len() as u64)?;
    let mut places = vec![NONE; end];
    for (number, zone) in (0..).zip(&*zones) {
        places[zone.begin() as usize] = number;
    }
    let unsorted = zones.to_vec();
    for (zone, number) in zones.iter_mut().zip(places.into_iter().filter(|number| *number != NONE)) {
        *zone = unsorted[number as usize];
    }
    Ok(())
}
