//! Log time: the clock that all replicas agree on.
//!
//! Each proposal carries the wall clock of the leader that made it. Leaders differ, and clocks are set back, so log time
//! is the greatest of all times proposed so far: it never falls. A leader whose clock is ahead takes log time with it;
//! it then stands still until the others have caught up.

use proto::log::ClockRecord;

use super::key::Key;
use super::record;
use super::tables::{StoreError, Tables, TablesMut};

/// Log time, in unix milliseconds; 0 before the first proposal.
pub(super) fn now_ms(tables: &dyn Tables) -> Result<u64, StoreError> {
    Ok(record::get::<ClockRecord>(tables, &Key::Clock)?.unwrap_or_default().now_ms)
}

/// Takes the time of a proposal into account, and returns log time.
pub(super) fn advance(tables: &mut dyn TablesMut, proposed_ms: u64) -> Result<u64, StoreError> {
    let now_ms = now_ms(tables)?;
    if proposed_ms <= now_ms {
        return Ok(now_ms);
    }
    record::put(tables, &Key::Clock, &ClockRecord { now_ms: proposed_ms })?;
    Ok(proposed_ms)
}
