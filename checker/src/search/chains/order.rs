//! The certificate: from an order of the chains to an order of the operations.
//!
//! Chains stand one after the other; in a chain, value by value; of a value, first its writer and then its readers by
//! their calls. What fits any state stands where its call is.

use super::clusters::{Clusters, NONE, START};
use super::{CHUNK, Part, Role};
use crate::limits::{Budget, Exceeded, sort_by_key};

/// The order of all parts that take part.
pub(super) fn order(
    parts: &[Part],
    clusters: &Clusters,
    chains: &[u32],
    budget: &mut Budget<'_>,
) -> Result<Vec<usize>, Exceeded> {
    let words = 2 * clusters.all().len() + parts.len();
    budget.allocate((words * size_of::<u32>() + size_of_val(parts)) as u64)?;
    let by_call = Calls::new(parts, budget)?;
    let mut places = places(parts, clusters, chains, budget)?;
    let mut order = vec![usize::MAX; places.count];
    for chunk in by_call.chunks(CHUNK) {
        budget.ticks(chunk.len() as u64)?;
        for position in chunk {
            if let Role::Reads(value) = parts[position].role {
                let place = &mut places.next[value as usize];
                order[*place as usize] = position;
                *place += 1;
            }
        }
    }
    for (value, writer) in places.writers {
        budget.tick()?;
        order[value as usize] = writer as usize;
    }
    let free = by_call.iter().filter(|position| parts[*position].role == Role::Free).collect();
    with_free(parts, order, free, budget)
}

/// The positions of the parts by their calls.
enum Calls {
    /// As they are.
    Same(usize),
    Sorted(Vec<u32>),
}

impl Calls {
    fn new(parts: &[Part], budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        if parts.is_sorted_by_key(|part| part.invoked) {
            return Ok(Calls::Same(parts.len()));
        }
        budget.allocate((parts.len() * size_of::<u32>()) as u64)?;
        let count = u32::try_from(parts.len()).expect("operations are counted in a u32");
        let mut sorted: Vec<u32> = (0..count).collect();
        sort_by_key(budget, &mut sorted, |position| parts[*position as usize].invoked)?;
        Ok(Calls::Sorted(sorted))
    }

    fn len(&self) -> usize {
        match self {
            Calls::Same(count) => *count,
            Calls::Sorted(sorted) => sorted.len(),
        }
    }

    fn at(&self, number: usize) -> usize {
        match self {
            Calls::Same(_) => number,
            Calls::Sorted(sorted) => sorted[number] as usize,
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).map(|number| self.at(number))
    }

    fn chunks(&self, size: usize) -> impl Iterator<Item = impl ExactSizeIterator<Item = usize>> {
        (0..self.len())
            .step_by(size)
            .map(move |begin| (begin..(begin + size).min(self.len())).map(|number| self.at(number)))
    }
}

/// Where the parts of each value go.
struct Places {
    /// By value: the place of its next reader.
    next: Vec<u32>,
    /// The places of the writers, and the writers.
    writers: Vec<(u32, u32)>,
    /// How many places there are.
    count: usize,
}

fn places(
    parts: &[Part],
    clusters: &Clusters,
    chains: &[u32],
    budget: &mut Budget<'_>,
) -> Result<Places, Exceeded> {
    let mut next = vec![0_u32; clusters.all().len()];
    for chunk in parts.chunks(CHUNK) {
        budget.ticks(chunk.len() as u64)?;
        for part in chunk {
            if let Role::Reads(value) = part.role {
                next[value as usize] += 1;
            }
        }
    }
    let mut writers = Vec::with_capacity(clusters.written());
    let mut count = 0;
    for root in chains {
        for value in clusters.chain(*root) {
            budget.tick()?;
            let writer = clusters.of(value).writer;
            if writer != START {
                writers.push((count, writer));
                count += 1;
            }
            count += std::mem::replace(&mut next[value as usize], count);
        }
    }
    debug_assert!(writers.iter().all(|(_, writer)| *writer != NONE), "chains have writers");
    Ok(Places { next, writers, count: count as usize })
}

/// Puts in what is `free`, by call: before the first operation that stands behind a later call.
fn with_free(
    parts: &[Part],
    order: Vec<usize>,
    free: Vec<usize>,
    budget: &mut Budget<'_>,
) -> Result<Vec<usize>, Exceeded> {
    if free.is_empty() {
        return Ok(order);
    }
    budget.allocate(((order.len() + 2 * free.len()) * size_of::<usize>()) as u64)?;
    let mut merged = Vec::with_capacity(order.len() + free.len());
    let mut free = free.into_iter().peekable();
    let mut latest = 0;
    for position in order {
        budget.tick()?;
        latest = latest.max(parts[position].invoked);
        while let Some(earlier) = free.next_if(|free| parts[*free].invoked < latest) {
            merged.push(earlier);
        }
        merged.push(position);
    }
    merged.extend(free);
    Ok(merged)
}
