use std::sync::Arc;

use proto::fault::fault_client::FaultClient;
use tempfile::TempDir;
use tonic::Code;

use super::*;
use crate::env::fault::SkewedClock;
use crate::env::{Env, HostRuntime};
use crate::raft::testing::env;

type Client = FaultClient<FaultServer<FaultRpc>>;

fn client(env: &Env, clock: Option<SkewedClock>) -> Client {
    FaultClient::new(FaultRpc::server(FaultControls::new(env, clock)))
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
