//! Over real sockets, on a runtime of one thread as the supervisor's.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::*;

/// Longer than anything takes that is to happen.
const LIMIT: Duration = Duration::from_secs(20);

/// Long enough for a byte that nothing stops to arrive many times over.
const SILENCE: Duration = Duration::from_millis(150);

/// A node: a listener whose connections are handed to the test.
struct Node {
    address: SocketAddr,
    accepted: mpsc::UnboundedReceiver<TcpStream>,
    listener: tokio::task::AbortHandle,
}

impl Node {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, accepted) = mpsc::unbounded_channel();
        let listener = tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let _ = sender.send(stream);
            }
        });
        Self { address, accepted, listener: listener.abort_handle() }
    }

    async fn accept(&mut self) -> TcpStream {
        timeout(LIMIT, self.accepted.recv()).await.expect("a connection arrives").unwrap()
    }
}

/// `n1`, which connects, `n2`, which listens, and a client.
struct Bench {
    fabric: Fabric,
    n1: Node,
    n2: Node,
}

impl Bench {
    async fn new() -> Self {
        let names = ["n1", "n2"].map(str::to_owned);
        let fabric = Fabric::new(&names, &["clients".to_owned()], &Rng::from_seed(7)).unwrap();
        let (n1, n2) = (Node::start().await, Node::start().await);
        fabric.node_listens("n1", n1.address, n1.address).unwrap();
        fabric.node_listens("n2", n2.address, n2.address).unwrap();
        Self { fabric, n1, n2 }
    }

    fn address(&self) -> SocketAddr {
        self.fabric.address("n1", "n2")
    }

    /// A connection of `n1` to `n2`: both ends.
    async fn connect(&mut self) -> (TcpStream, TcpStream) {
        let near = connect(self.address()).await.unwrap();
        (near, self.n2.accept().await)
    }

    fn impose(&self, condition: Condition, edges: &[Edge]) -> EdgeFault {
        self.fabric.impose(condition, edges).unwrap()
    }
}

fn forth() -> Edge {
    Edge::new("n1", "n2")
}

fn back() -> Edge {
    Edge::new("n2", "n1")
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = timeout(LIMIT, TcpStream::connect(address)).await.expect("a connect comes to an end")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn send(stream: &mut TcpStream, text: &str) {
    timeout(LIMIT, stream.write_all(text.as_bytes())).await.expect("there is room").unwrap();
}

async fn receive(stream: &mut TcpStream, len: usize) -> String {
    let mut bytes = vec![0; len];
    timeout(LIMIT, stream.read_exact(&mut bytes)).await.expect("the bytes arrive").unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn passes(from: &mut TcpStream, to: &mut TcpStream) {
    send(from, "hello").await;
    assert_eq!(receive(to, 5).await, "hello");
}

/// Nothing comes: no byte, no end.
async fn is_silent(stream: &mut TcpStream) {
    let got = timeout(SILENCE, stream.read(&mut [0; 1])).await;
    assert!(got.is_err(), "something came: {got:?}");
}

async fn ends(stream: &mut TcpStream) {
    let got = timeout(LIMIT, stream.read(&mut [0; 1])).await.expect("the stream ends");
    assert_eq!(got.unwrap(), 0);
}

async fn is_reset(stream: &mut TcpStream) {
    let got = timeout(LIMIT, stream.read(&mut [0; 1])).await.expect("the connection is reset");
    assert_eq!(got.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

async fn is_refused(address: SocketAddr) {
    assert_eq!(connect(address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

/// Waits until an edge has counted what the test waits for.
async fn until(fabric: &Fabric, edge: &Edge, reached: impl Fn(&Traffic) -> bool) {
    let reached = async {
        while !reached(&fabric.traffic(edge)) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, reached).await.expect("the traffic gets there");
}

fn run(test: impl AsyncFnOnce(Bench)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async { test(Bench::new().await).await });
}

#[test]
fn bytes_and_ends_pass_both_ways() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        passes(&mut near, &mut far).await;
        passes(&mut far, &mut near).await;
        // Half a connection may end before the other.
        near.shutdown().await.unwrap();
        ends(&mut far).await;
        passes(&mut far, &mut near).await;
        drop(far);
        ends(&mut near).await;
        let traffic = bench.fabric.traffic(&forth());
        assert_eq!((traffic.connections, traffic.passed_bytes), (1, 5));
        assert_eq!(bench.fabric.traffic(&back()).passed_bytes, 10);
    });
}

#[test]
fn a_thousand_small_messages_arrive_in_order() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let echo = tokio::task::spawn_local(async move {
            let (mut from, mut to) = far.split();
            tokio::io::copy(&mut from, &mut to).await.unwrap()
        });
        for number in 0..1000 {
            let message = format!("{number:06}");
            send(&mut near, &message).await;
            assert_eq!(receive(&mut near, 6).await, message);
        }
        near.shutdown().await.unwrap();
        ends(&mut near).await;
        assert_eq!(echo.await.unwrap(), 6000);
    });
}

#[test]
fn more_than_all_buffers_hold_arrives_whole() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let sent: Vec<u8> = (0..32 << 20).map(|place: u32| (place % 251) as u8).collect();
        let expected = sent.clone();
        let sending = tokio::task::spawn_local(async move {
            near.write_all(&sent).await.unwrap();
            near.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        timeout(LIMIT, far.read_to_end(&mut received)).await.expect("it arrives").unwrap();
        assert!(received == expected, "the bytes are not those that were sent");
        sending.await.unwrap();
    });
}

#[test]
fn what_is_held_arrives_when_the_hold_is_lifted() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let hold = bench.impose(Condition::Hold, &[forth()]);
        send(&mut near, "one two").await;
        // New connections come about, and are held, too.
        let (mut new_near, mut new_far) = bench.connect().await;
        send(&mut new_near, "three").await;
        until(&bench.fabric, &forth(), |traffic| traffic.held_bytes == 12).await;
        is_silent(&mut far).await;
        is_silent(&mut new_far).await;
        passes(&mut far, &mut near).await;
        assert_eq!(hold.traffic().held_bytes, 12);
        drop(hold);
        assert_eq!(receive(&mut far, 7).await, "one two");
        assert_eq!(receive(&mut new_far, 5).await, "three");
    });
}

#[test]
fn a_hold_that_is_full_makes_the_sender_wait() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let hold = bench.impose(Condition::Hold, &[forth()]);
        let total = 64 << 20;
        let sending = tokio::task::spawn_local(async move { near.write_all(&vec![7; total]).await });
        until(&bench.fabric, &forth(), |traffic| traffic.held_bytes == pipe::KEPT_BYTES_MAX as u64).await;
        is_silent(&mut far).await;
        assert!(!sending.is_finished(), "64 MiB are nowhere to be kept");
        assert_eq!(hold.traffic().held_bytes, pipe::KEPT_BYTES_MAX as u64);
        drop(hold);
        let mut received = Vec::new();
        timeout(LIMIT, far.read_to_end(&mut received)).await.expect("it arrives").unwrap();
        assert_eq!(received.len(), total);
        sending.await.unwrap().unwrap();
    });
}

#[test]
fn a_cut_of_an_edge_silences_it_on_the_connections_of_both_and_not_the_other_edge() {
    run(async |mut bench| {
        let (mut opened_near, mut opened_far) = bench.connect().await;
        let mut accepted_near = connect(bench.fabric.address("n2", "n1")).await.unwrap();
        let mut accepted_far = bench.n1.accept().await;
        let cut = bench.impose(Condition::Cut, &[forth()]);
        // What n1 says, on the connection that it opened and on the one that it accepted.
        send(&mut opened_near, "x").await;
        send(&mut accepted_far, "y").await;
        until(&bench.fabric, &forth(), |traffic| traffic.held_bytes == 2).await;
        is_silent(&mut opened_far).await;
        is_silent(&mut accepted_near).await;
        // What n2 says.
        passes(&mut opened_far, &mut opened_near).await;
        passes(&mut accepted_near, &mut accepted_far).await;
        drop(cut);
        assert_eq!(receive(&mut opened_far, 1).await, "x");
        assert_eq!(receive(&mut accepted_near, 1).await, "y");
    });
}

#[test]
fn nobody_connects_across_a_cut_and_nobody_is_refused() {
    run(async |mut bench| {
        for edge in [forth(), back()] {
            let cut = bench.impose(Condition::Cut, &[edge]);
            let mut connecting = std::pin::pin!(TcpStream::connect(bench.address()));
            assert!(timeout(SILENCE, connecting.as_mut()).await.is_err(), "it got through");
            assert!(bench.n2.accepted.try_recv().is_err(), "the node has heard of it");
            drop(cut);
            // The kernel tries again after a second.
            let mut near = timeout(LIMIT, connecting).await.expect("it gets through").unwrap();
            let mut far = bench.n2.accept().await;
            passes(&mut near, &mut far).await;
        }
    });
}

#[test]
fn an_end_does_not_get_through_a_cut() {
    run(async |mut bench| {
        let (near, mut far) = bench.connect().await;
        let (reset_near, mut reset_far) = bench.connect().await;
        let cut = bench.impose(Condition::Cut, &[forth(), back()]);
        drop(near);
        connection::reset(reset_near);
        is_silent(&mut far).await;
        is_silent(&mut reset_far).await;
        // The one who is still there may talk: it is not told either that nobody listens.
        send(&mut far, "hello?").await;
        is_silent(&mut far).await;
        drop(cut);
        is_reset(&mut reset_far).await;
        // First the end that was sent, then the answer to bytes that reached nobody.
        ends(&mut far).await;
    });
}

#[test]
fn a_black_hole_swallows_bytes_and_resets_what_it_has_torn() {
    run(async |mut bench| {
        let (mut torn_near, mut torn_far) = bench.connect().await;
        let (mut idle_near, mut idle_far) = bench.connect().await;
        let hole = bench.impose(Condition::BlackHole, &[forth()]);
        send(&mut torn_near, "gone").await;
        until(&bench.fabric, &forth(), |traffic| traffic.lost_bytes == 4).await;
        is_silent(&mut torn_far).await;
        passes(&mut torn_far, &mut torn_near).await;
        drop(hole);
        is_reset(&mut torn_near).await;
        is_reset(&mut torn_far).await;
        passes(&mut idle_near, &mut idle_far).await;
        until(&bench.fabric, &forth(), |traffic| traffic.resets == 1).await;
    });
}

#[test]
fn a_reset_is_seen_by_both_sides_at_once_on_both_links() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let mut other_near = connect(bench.fabric.address("n2", "n1")).await.unwrap();
        let mut other_far = bench.n1.accept().await;
        let _cut = bench.impose(Condition::Cut, &[forth(), back()]);
        assert_eq!(bench.fabric.reset(&[forth()]), 2);
        for stream in [&mut near, &mut far, &mut other_near, &mut other_far] {
            is_reset(stream).await;
        }
        assert_eq!(bench.fabric.reset(&[forth(), back()]), 0);
        assert_eq!(bench.fabric.traffic(&forth()).resets, 1);
    });
}

#[test]
fn a_delay_makes_bytes_late_and_keeps_their_order() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let (base, jitter) = (Duration::from_millis(60), Duration::from_millis(30));
        let delay = Delay { base, jitter, distribution: Distribution::Uniform };
        let fault = bench.impose(Condition::Delay(delay), &[forth()]);
        let began = Instant::now();
        let sent: String = ('a'..='z').collect();
        for letter in sent.chars() {
            send(&mut near, &letter.to_string()).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(receive(&mut far, 26).await, sent);
        let took = began.elapsed();
        assert!(took >= base - jitter, "{took:?}");
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(fault.traffic().slowed_bytes, 26);
        // The other way there is no delay, and there is none after it.
        passes(&mut far, &mut near).await;
        assert_eq!(bench.fabric.traffic(&back()).slowed_bytes, 0);
    });
}

#[test]
fn what_is_delayed_arrives_at_once_when_the_delay_is_lifted() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let fault = bench.impose(Condition::Delay(Delay::of(Duration::from_secs(3600))), &[forth()]);
        send(&mut near, "late").await;
        until(&bench.fabric, &forth(), |traffic| traffic.slowed_bytes == 4).await;
        drop(fault);
        assert_eq!(receive(&mut far, 4).await, "late");
    });
}

#[test]
fn a_rate_is_shared_by_the_connections_of_an_edge() {
    run(async |mut bench| {
        let (mut one_near, mut one_far) = bench.connect().await;
        let (mut two_near, mut two_far) = bench.connect().await;
        let rate = NonZeroU64::new(40_000).unwrap();
        let fault = bench.impose(Condition::Rate(rate), &[forth()]);
        let began = Instant::now();
        let text = "x".repeat(5_000);
        send(&mut one_near, &text).await;
        send(&mut two_near, &text).await;
        tokio::join!(receive(&mut one_far, 5_000), receive(&mut two_far, 5_000));
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(200), "10 000 bytes took {took:?} at 40 000 a second");
        assert!(took < Duration::from_secs(3), "{took:?}");
        assert_eq!(fault.traffic().slowed_bytes, 10_000);
    });
}

#[test]
fn faults_overlap_and_lifting_one_uncovers_the_other() {
    run(async |mut bench| {
        let (mut near, mut far) = bench.connect().await;
        let (hold, cut) = (
            bench.impose(Condition::Hold, &[forth()]),
            bench.impose(Condition::Cut, &[forth(), back(), forth()]),
        );
        assert_eq!(bench.fabric.standing(), 2);
        assert_eq!(cut.edges().count(), 2);
        send(&mut near, "one").await;
        send(&mut far, "two").await;
        drop(cut);
        assert_eq!(bench.fabric.standing(), 1);
        assert_eq!(receive(&mut near, 3).await, "two");
        // Connections come about again, and are held.
        let (mut new_near, mut new_far) = bench.connect().await;
        is_silent(&mut far).await;
        drop(hold);
        assert_eq!(bench.fabric.standing(), 0);
        assert_eq!(receive(&mut far, 3).await, "one");
        passes(&mut new_near, &mut new_far).await;
    });
}

#[test]
fn a_dead_node_refuses_and_a_new_life_is_reached_at_the_same_address() {
    run(async |mut bench| {
        let address = bench.address();
        let (mut near, mut far) = bench.connect().await;
        bench.n2.listener.abort();
        bench.fabric.node_is_gone("n2");
        for _ in 0..3 {
            is_refused(address).await;
            is_refused(bench.fabric.address("clients", "n2")).await;
        }
        // The connection of the old life ends when its kernel ends it.
        passes(&mut near, &mut far).await;
        drop(far);
        ends(&mut near).await;
        bench.n2 = Node::start().await;
        bench.fabric.node_listens("n2", bench.n2.address, bench.n2.address).unwrap();
        assert_eq!(bench.address(), address);
        let (mut near, mut far) = bench.connect().await;
        passes(&mut near, &mut far).await;
    });
}

#[test]
fn a_node_that_has_just_died_resets_whom_its_link_has_accepted() {
    run(async |mut bench| {
        // Its process is gone, and nobody has told the fabric yet.
        bench.n2.listener.abort();
        until(&bench.fabric, &forth(), |_| bench.n2.listener.is_finished()).await;
        let mut near = connect(bench.address()).await.unwrap();
        is_reset(&mut near).await;
        assert!(bench.n2.accepted.recv().await.is_none());
    });
}

#[test]
fn a_dead_node_behind_a_cut_is_silent() {
    run(async |mut bench| {
        bench.fabric.node_is_gone("n2");
        let cut = bench.impose(Condition::Cut, &[back()]);
        let silent = timeout(SILENCE, TcpStream::connect(bench.address())).await;
        assert!(silent.is_err(), "it came to an end: {silent:?}");
        // It comes back while it is cut off.
        bench.fabric.node_is_gone("n2");
        bench.fabric.node_listens("n2", bench.n2.address, bench.n2.address).unwrap();
        let silent = timeout(SILENCE, TcpStream::connect(bench.address())).await;
        assert!(silent.is_err(), "it came to an end: {silent:?}");
        drop(cut);
        bench.connect().await;
        let cut = bench.impose(Condition::Cut, &[forth()]);
        bench.fabric.node_is_gone("n2");
        drop(cut);
        is_refused(bench.address()).await;
    });
}

#[test]
fn clients_and_peers_fail_apart() {
    run(async |mut bench| {
        let to_clients = Edge::new("n2", "clients");
        let _cut = bench.impose(Condition::Cut, &[forth(), back()]);
        let mut client = connect(bench.fabric.address("clients", "n2")).await.unwrap();
        let mut served = bench.n2.accept().await;
        passes(&mut client, &mut served).await;
        let _hold = bench.impose(Condition::Hold, std::slice::from_ref(&to_clients));
        send(&mut served, "unheard").await;
        until(&bench.fabric, &to_clients, |traffic| traffic.held_bytes == 7).await;
        passes(&mut client, &mut served).await;
    });
}

#[test]
fn peers_and_clients_are_led_to_their_own_ports() {
    run(async |mut bench| {
        let mut for_clients = Node::start().await;
        bench.fabric.node_listens("n2", bench.n2.address, for_clients.address).unwrap();
        let _peer = connect(bench.address()).await.unwrap();
        bench.n2.accept().await;
        let _client = connect(bench.fabric.address("clients", "n2")).await.unwrap();
        for_clients.accept().await;
        assert!(bench.n2.accepted.try_recv().is_err());
        assert_eq!(bench.fabric.edges().count(), 6);
    });
}

#[test]
fn the_last_to_go_closes_everything() {
    run(async |mut bench| {
        let address = bench.address();
        let (mut near, mut far) = bench.connect().await;
        let names = ["n1", "n2"].map(str::to_owned);
        bench.fabric = Fabric::new(&names, &[], &Rng::from_seed(7)).unwrap();
        ends(&mut near).await;
        ends(&mut far).await;
        is_refused(address).await;
    });
}
