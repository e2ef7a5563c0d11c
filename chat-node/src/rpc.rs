//! The wire of clients: gRPC servers that decode, call the service, and encode.
//!
//! Nothing is decided here but which gRPC code goes with an error. What a client may conclude is said by the
//! [`ErrorDetail`](proto::chat::ErrorDetail) in the details of the status; the gRPC code is for tools that know only
//! gRPC, and `UNAVAILABLE`, which such tools retry by themselves, is only given when nothing was applied.

pub mod admin;
pub mod chat;
mod deadline;
pub mod fault;

use prost::Message as _;
use proto::chat::Code;
use tonic::Status;

use crate::service::ServiceError;

/// The largest request that is decoded, in bytes: well above the largest message, so that one that is somewhat too large
/// gets an answer in words.
pub const REQUEST_BYTES_MAX: usize = 256 * 1_024;

/// The error as a gRPC status.
fn status(error: ServiceError) -> Status {
    let code = match error.code {
        Code::Invalid | Code::TooLarge => tonic::Code::InvalidArgument,
        Code::Exists => tonic::Code::AlreadyExists,
        Code::NotFound => tonic::Code::NotFound,
        Code::WrongPassword => tonic::Code::PermissionDenied,
        Code::NotAuthenticated => tonic::Code::Unauthenticated,
        Code::AttemptForgotten => tonic::Code::FailedPrecondition,
        Code::Conflict => tonic::Code::Aborted,
        Code::Overloaded => tonic::Code::ResourceExhausted,
        Code::NoLeader | Code::Starting | Code::Stopping | Code::ReadUnavailable | Code::NotAMember => {
            tonic::Code::Unavailable
        }
        Code::Unknown | Code::Unspecified => tonic::Code::Unknown,
    };
    let message = error.message.clone();
    Status::with_details(code, message, error.into_detail().encode_to_vec().into())
}

#[cfg(test)]
mod tests;
