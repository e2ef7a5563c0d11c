//! What a tester may break inside this node, over gRPC. Served only with `--faults`.
//!
//! Every method replaces what was set before it. Nothing is authenticated: a node with this service is a node under test.

use proto::fault::fault_server::{Fault, FaultServer};
use proto::fault::{
    ClockFault, ClockReply, CrashAtReply, CrashAtRequest, DiskFault, DiskReply, ListPointsReply,
    ListPointsRequest, PowerLossReply, PowerLossRequest,
};
use tonic::{Request, Response, Status};

use super::REQUEST_BYTES_MAX;
use crate::env::fault::{BadPoint, CrashPoint, FaultControls};

/// Serves testers.
#[derive(Debug)]
pub struct FaultRpc(FaultControls);

impl FaultRpc {
    /// The gRPC service over `controls`.
    #[must_use]
    pub fn server(controls: FaultControls) -> FaultServer<Self> {
        FaultServer::new(Self(controls)).max_decoding_message_size(REQUEST_BYTES_MAX)
    }
}

#[tonic::async_trait]
impl Fault for FaultRpc {
    async fn set_clock(&self, _: Request<ClockFault>) -> Result<Response<ClockReply>, Status> {
        Err(Status::unimplemented("this build cannot skew the clocks"))
    }

    async fn set_disk(&self, _: Request<DiskFault>) -> Result<Response<DiskReply>, Status> {
        Err(Status::unimplemented("this build cannot break the disk"))
    }

    async fn power_loss(&self, _: Request<PowerLossRequest>) -> Result<Response<PowerLossReply>, Status> {
        Err(Status::unimplemented("this build cannot cut the power"))
    }

    async fn crash_at(&self, request: Request<CrashAtRequest>) -> Result<Response<CrashAtReply>, Status> {
        let CrashAtRequest { point, skip } = request.into_inner();
        if point.is_empty() {
            self.0.crash_points.disarm();
        } else {
            let unknown = |error: BadPoint| Status::invalid_argument(error.to_string());
            let point: CrashPoint = point.parse().map_err(unknown)?;
            self.0.crash_points.arm(point, skip);
        }
        Ok(Response::new(CrashAtReply {}))
    }

    async fn list_points(&self, _: Request<ListPointsRequest>) -> Result<Response<ListPointsReply>, Status> {
        let points = CrashPoint::ALL.iter().map(ToString::to_string).collect();
        Ok(Response::new(ListPointsReply { points }))
    }
}
