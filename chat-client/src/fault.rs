//! What a tester may break inside one node. Only a node that was started with `--faults` is served so; another answers
//! that it does not know the call. It is this very node that is asked: nothing here goes to another.
//!
//! Each call replaces what was set before it, so it can be made again without harm; and a node that ends forgets all of
//! it.

use std::time::Duration;

use proto::fault::{
    ClockFault, ClockReply, CrashAtReply, CrashAtRequest, DiskFault, DiskReply, ListPointsRequest,
    PowerLossReply, PowerLossRequest,
};

use crate::endpoint::Endpoint;
use crate::error::Error;

/// Replaces what is wrong with the node's clocks, and returns how far they are off. Needs `--clock skewable`.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn set_clock(endpoint: &Endpoint, fault: ClockFault, limit: Duration) -> Result<ClockReply, Error> {
    endpoint.execute(fault, limit).await
}

/// Replaces what is wrong with the node's disk, and returns how many calls were struck since the node started.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn set_disk(endpoint: &Endpoint, fault: DiskFault, limit: Duration) -> Result<DiskReply, Error> {
    endpoint.execute(fault, limit).await
}

/// Cuts the power of the node's disk, and returns what is lost. The node answers nothing that needs its disk after that,
/// and is to be killed. Needs `--disk volatile`.
///
/// # Errors
///
/// Whatever went wrong with this one try. One that is not definite may have cut the power.
pub async fn power_loss(
    endpoint: &Endpoint,
    request: PowerLossRequest,
    limit: Duration,
) -> Result<PowerLossReply, Error> {
    endpoint.execute(request, limit).await
}

/// The node ends, as by kill -9, when it comes to `point` after it has passed it `skip` times; `None` disarms. The
/// answer comes before the end, unless another task of the node is quicker to reach the point.
///
/// # Errors
///
/// Whatever went wrong with this one try. A point that the node does not have is `INVALID_ARGUMENT`, with the names that
/// are like it.
pub async fn crash_at(
    endpoint: &Endpoint,
    point: Option<&str>,
    skip: u32,
    limit: Duration,
) -> Result<(), Error> {
    let request = CrashAtRequest { point: point.unwrap_or_default().to_owned(), skip };
    let CrashAtReply {} = endpoint.execute(request, limit).await?;
    Ok(())
}

/// The names of the points at which the node can be told to end.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn list_points(endpoint: &Endpoint, limit: Duration) -> Result<Vec<String>, Error> {
    Ok(endpoint.execute(ListPointsRequest {}, limit).await?.points)
}
