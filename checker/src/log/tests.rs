mod decisions;
mod differential;
mod generate;
mod limits;
mod mutations;
mod stream;
mod tombstones;

use crate::history::History;

/// A random history of one conversation, so many percent of whose operations are deletes. It is linearizable, unless its log forgets some messages on the way.
pub(crate) fn simulated(seed: u64, deletes: u64, forgets: usize) -> History {
    let shape = generate::Shape {
        processes: 4,
        operations: 30,
        info_percent: 8,
        delete_percent: deletes,
        limit_max: 6,
        final_reads: 2,
        forgets,
    };
    generate::history(&generate::simulate(seed, &shape))
}
