use std::sync::Arc;

use proto::fault::fault_client::FaultClient;
use tempfile::TempDir;
use tonic::Code;

use super::*;
use crate::env::fault::disk::volatile::VolatileDisk;
use crate::env::fault::{DiskControl, SkewedClock};
use crate::env::{Disk as _, Env, HostRuntime};
use crate::raft::testing::env;

type Client = FaultClient<FaultServer<FaultRpc>>;

fn client(env: &Env, clock: Option<SkewedClock>) -> Client {
    let (_, disk) = DiskControl::over(env.disk.clone(), None, env.runtime.clone());
    FaultClient::new(FaultRpc::server(FaultControls::new(env, clock, disk)))
}

#[tokio::test]
async fn a_point_is_armed_disarmed_and_looked_for() {
    let directory = TempDir::new().unwrap();
    let env = env(&directory);
    let mut client = client(&env, None);
    let points = client.list_points(ListPointsRequest {}).await.unwrap().into_inner().points;
    assert_eq!(points.len(), CrashPoint::ALL.len());
    for point in points {
        client.crash_at(CrashAtRequest { point: point.clone(), skip: 3 }).await.unwrap();
        assert_eq!(env.crash_points.armed().unwrap().name(), point);
    }
    let unknown = client.crash_at(CrashAtRequest { point: "vote".into(), skip: 0 }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::InvalidArgument);
    assert!(unknown.message().contains("vote-before-sync"), "{}", unknown.message());
    assert!(env.crash_points.armed().is_some(), "what is refused changes nothing");
    client.crash_at(CrashAtRequest::default()).await.unwrap();
    assert_eq!(env.crash_points.armed(), None);
}

#[tokio::test]
async fn clocks_are_skewed_only_where_they_can_be() {
    let directory = TempDir::new().unwrap();
    let env = env(&directory);
    let fault = ClockFault { wall_jump_ms: -5_000, timer_jump_ms: 700, ..ClockFault::default() };
    let refused = client(&env, None).set_clock(fault).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("--clock skewable"), "{}", refused.message());

    let mut client = client(&env, Some(SkewedClock::new(Arc::new(HostRuntime::current()))));
    let off = client.set_clock(fault).await.unwrap().into_inner();
    assert_eq!(off, ClockReply { wall_off_ms: -5_000, timers_off_ms: 700 });
    let wrong = ClockFault { strobe_ms: 5, ..ClockFault::default() };
    assert_eq!(client.set_clock(wrong).await.unwrap_err().code(), Code::InvalidArgument);
    let off = client.set_clock(ClockFault::default()).await.unwrap().into_inner();
    assert_eq!(off, ClockReply { wall_off_ms: 0, timers_off_ms: 700 });
}

#[tokio::test]
async fn a_disk_is_broken_and_mended() {
    let directory = TempDir::new().unwrap();
    let env = env(&directory);
    let (disk, control) = DiskControl::over(env.disk.clone(), None, env.runtime.clone());
    let mut client = FaultClient::new(FaultRpc::server(FaultControls::new(&env, None, control)));
    let full = DiskFault { full: true, ..DiskFault::default() };
    assert_eq!(client.set_disk(full).await.unwrap().into_inner().struck, 0);
    assert!(disk.create("file").is_err_and(|error| error.raw_os_error() == Some(28)));
    assert_eq!(client.set_disk(DiskFault::default()).await.unwrap().into_inner().struck, 1);
    assert!(disk.create("file").is_ok());
}

#[tokio::test]
async fn the_power_of_a_volatile_disk_is_cut_once_and_of_another_never() {
    let directory = TempDir::new().unwrap();
    let env = env(&directory);
    let plain = client(&env, None).power_loss(PowerLossRequest::default()).await.unwrap_err();
    assert_eq!(plain.code(), Code::FailedPrecondition);
    assert!(plain.message().contains("--disk volatile"), "{plain}");

    let volatile = VolatileDisk::over(env.disk.clone()).unwrap();
    volatile.database("file").unwrap().write(500, &[1; 24]).unwrap();
    let (_, control) = DiskControl::over(env.disk.clone(), Some(volatile), env.runtime.clone());
    let mut client = FaultClient::new(FaultRpc::server(FaultControls::new(&env, None, control)));
    let unknown = client.power_loss(PowerLossRequest { keep: 9, seed: 0 }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::InvalidArgument);
    let request = PowerLossRequest { keep: power_loss_request::Keep::Nothing.into(), seed: 0 };
    let lost = client.power_loss(request).await.unwrap().into_inner();
    assert_eq!(lost, PowerLossReply { bytes_lost: 24, sectors_lost: 2, ..PowerLossReply::default() });
    let again = client.power_loss(request).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);
}
