//! What an operator or a tester may ask of one node. These never go elsewhere: it is this very node that is asked.

use std::time::Duration;

use proto::admin::{DigestReply, DigestRequest, StatusReply, StatusRequest};

use crate::endpoint::Endpoint;
use crate::error::Error;

/// What the node says of itself.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn status(endpoint: &Endpoint, limit: Duration) -> Result<StatusReply, Error> {
    endpoint.execute(StatusRequest {}, limit).await
}

/// The digest of the node's state once it has applied `at_least`. With `verify` the node also computes it afresh from
/// every stored record.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn digest(
    endpoint: &Endpoint,
    at_least: u64,
    verify: bool,
    limit: Duration,
) -> Result<DigestReply, Error> {
    endpoint.execute(DigestRequest { at_least, verify }, limit).await
}
