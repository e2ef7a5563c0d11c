//! What a tester may break inside this node, over gRPC. Served only with `--faults`.
//!
//! Every method replaces what was set before it. Nothing is authenticated: a node with this service is a node under test.

use std::time::Duration;

use proto::fault::fault_server::{Fault, FaultServer};
use proto::fault::{
    ClockFault, ClockReply, CrashAtReply, CrashAtRequest, DiskFault, DiskReply, ListPointsReply,
    ListPointsRequest, PowerLossReply, PowerLossRequest, power_loss_request,
};
use tonic::{Code, Request, Response, Status};

use super::REQUEST_BYTES_MAX;
use crate::chain::Chain;
use crate::env::fault::clock::{Skew, Strobe};
use crate::env::fault::disk::volatile::{Keep, Loss};
use crate::env::fault::disk::{self, PowerError};
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

fn power_status(error: &PowerError) -> Status {
    let code = match error {
        PowerError::NotVolatile | PowerError::Gone => Code::FailedPrecondition,
        PowerError::Io(_) => Code::Internal,
    };
    Status::new(code, Chain(error).to_string())
}

#[tonic::async_trait]
impl Fault for FaultRpc {
    async fn set_clock(&self, request: Request<ClockFault>) -> Result<Response<ClockReply>, Status> {
        let Some(clock) = &self.0.clock else {
            return Err(Status::failed_precondition(
                "the clocks of this node are the host's; start it with `--clock skewable` to set them off",
            ));
        };
        let off =
            clock.set(skew(request.get_ref())).map_err(|bad| Status::invalid_argument(bad.to_string()))?;
        Ok(Response::new(ClockReply { wall_off_ms: off.wall_ms, timers_off_ms: off.timers_ms }))
    }

    async fn set_disk(&self, request: Request<DiskFault>) -> Result<Response<DiskReply>, Status> {
        let DiskFault { fail_reads, fail_writes, fail_syncs, full, slow_sync_ms, stuck_sync } =
            request.into_inner();
        let slow_sync = Duration::from_millis(slow_sync_ms.into());
        let fault = disk::DiskFault { fail_reads, fail_writes, fail_syncs, full, slow_sync, stuck_sync };
        Ok(Response::new(DiskReply { struck: self.0.disk.set(fault) }))
    }

    async fn power_loss(
        &self,
        request: Request<PowerLossRequest>,
    ) -> Result<Response<PowerLossReply>, Status> {
        let PowerLossRequest { keep, seed } = request.into_inner();
        let keep = match power_loss_request::Keep::try_from(keep) {
            Ok(power_loss_request::Keep::Nothing) => Keep::Nothing,
            Ok(power_loss_request::Keep::Some) => Keep::Some { seed },
            Ok(power_loss_request::Keep::Torn) => Keep::Torn { seed },
            Err(_) => {
                let why = format!("{keep} is no way to lose power; 0 keeps nothing, 1 some, 2 tears a write");
                return Err(Status::invalid_argument(why));
            }
        };
        let Loss { bytes_lost, bytes_kept, sectors_lost, sectors_kept, torn } =
            self.0.disk.cut_power(keep).await.map_err(|error| power_status(&error))?;
        Ok(Response::new(PowerLossReply { bytes_lost, bytes_kept, sectors_lost, sectors_kept, torn }))
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

/// What is said of the clocks. A strobe that is said by half is kept, to be refused.
fn skew(fault: &ClockFault) -> Skew {
    let ClockFault { wall_jump_ms, timer_jump_ms, drift_ppm, strobe_every_ms, strobe_ms } = *fault;
    let strobe = Strobe { every_ms: strobe_every_ms, by_ms: strobe_ms };
    let strobe = (strobe != Strobe { every_ms: 0, by_ms: 0 }).then_some(strobe);
    Skew { wall_jump_ms, timer_jump_ms, drift_ppm, strobe }
}

#[cfg(test)]
mod tests;
