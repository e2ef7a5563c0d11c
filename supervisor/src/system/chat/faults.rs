//! How a node of the chat is broken from within.

use std::time::Duration;

use chat_client::fault;
use chat_client::wire::fault as wire;
use chat_node::env::fault::CrashPoint;
use futures::future::{FutureExt, LocalBoxFuture};

use super::ChatSystem;
use crate::system::faults::{ClockFault, DiskFault, Kept, NodeFaults, PowerLoss};

/// The exit code of a node that met a damaged file or a failing disk.
const DISK_FAILURE: i32 = 5;

impl NodeFaults for ChatSystem {
    fn set_clock<'a>(
        &'a self,
        node: &'a str,
        fault: ClockFault,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<i64, String>> {
        let ClockFault { wall_jump_ms, timer_jump_ms, drift_ppm, strobe } = fault;
        let (strobe_ms, strobe_every_ms) = strobe.unwrap_or_default();
        let request = wire::ClockFault { wall_jump_ms, timer_jump_ms, drift_ppm, strobe_every_ms, strobe_ms };
        async move {
            let reply = fault::set_clock(&*self.admin(node)?, request, limit).await;
            reply.map(|reply| reply.wall_off_ms).map_err(|error| error.to_string())
        }
        .boxed_local()
    }

    fn set_disk<'a>(
        &'a self,
        node: &'a str,
        fault: DiskFault,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<u64, String>> {
        let DiskFault { fail_reads, fail_writes, fail_syncs, full, slow_sync, stuck_sync } = fault;
        let slow_sync_ms = u32::try_from(slow_sync.as_millis()).unwrap_or(u32::MAX);
        let request = wire::DiskFault { fail_reads, fail_writes, fail_syncs, full, slow_sync_ms, stuck_sync };
        async move {
            let reply = fault::set_disk(&*self.admin(node)?, request, limit).await;
            reply.map(|reply| reply.struck).map_err(|error| error.to_string())
        }
        .boxed_local()
    }

    fn power_loss<'a>(
        &'a self,
        node: &'a str,
        kept: Kept,
        seed: u64,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<PowerLoss, String>> {
        use wire::power_loss_request::Keep;
        let keep = match kept {
            Kept::Nothing => Keep::Nothing,
            Kept::Some => Keep::Some,
            Kept::Torn => Keep::Torn,
        };
        let request = wire::PowerLossRequest { keep: keep.into(), seed };
        async move {
            let reply = fault::power_loss(&*self.admin(node)?, request, limit).await;
            let reply = reply.map_err(|error| error.to_string())?;
            let wire::PowerLossReply { bytes_lost, bytes_kept, torn, .. } = reply;
            Ok(PowerLoss { bytes_lost, bytes_kept, torn })
        }
        .boxed_local()
    }

    fn crash_at<'a>(
        &'a self,
        node: &'a str,
        point: Option<&'a str>,
        skip: u32,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>> {
        async move {
            let armed = fault::crash_at(&*self.admin(node)?, point, skip, limit).await;
            armed.map_err(|error| error.to_string())
        }
        .boxed_local()
    }

    fn crash_points(&self) -> Vec<&'static str> {
        CrashPoint::ALL.iter().map(|point| point.name()).collect()
    }

    fn disk_failure_code(&self) -> i32 {
        DISK_FAILURE
    }

    fn precious_files(&self) -> &'static [&'static str] {
        &["log.redb", "state.redb"]
    }
}
