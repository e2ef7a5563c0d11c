//! Over real sockets.
#![expect(clippy::disallowed_methods, reason = "this module is what Env stands on")]

use std::net::Ipv4Addr;

use super::*;
use crate::env::HostRuntime;

#[tokio::test]
async fn peers_are_dialled_from_the_address_that_was_given() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let table: PeerTable = format!("n2={}", listener.local_addr().unwrap()).parse().unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // On Linux, all of 127.0.0.0/8 is here.
    for from in [Ipv4Addr::new(127, 0, 1, 7), Ipv4Addr::new(127, 0, 1, 8)] {
        let runtime = Arc::new(HostRuntime::current());
        let (peers, _) = Peers::bind(runtime, any, Some(from.into()), table.clone()).await.unwrap();
        let deadline = peers.inner.runtime.now() + Duration::from_secs(5);
        let call = peers.call("n2", Frame::default(), deadline);
        let (_, stranger) = tokio::select! {
            answer = call => panic!("nobody answers here: {answer:?}"),
            accepted = listener.accept() => accepted.unwrap(),
        };
        assert_eq!(stranger.ip(), from);
    }
}
