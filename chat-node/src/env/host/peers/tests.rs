//! Over real sockets.
#![expect(clippy::disallowed_methods, reason = "this module is what Env stands on")]

use std::net::Ipv4Addr;
use std::task::Poll;

use tokio::sync::mpsc;

use super::*;
use crate::env::HostRuntime;
use crate::env::transport::HandlerError;

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

/// Frames without an end, or one that does not come; what is dropped when the first is asked for; what they hold.
fn frames(endless: bool) -> (BoxStream<'static, Frame>, oneshot::Receiver<()>, Arc<()>) {
    let (polled, begun) = oneshot::channel();
    let held = Arc::new(());
    let (mut polled, holder) = (Some(polled), held.clone());
    let frames = futures::stream::poll_fn(move |_| {
        let _held = &holder;
        drop(polled.take());
        if endless {
            Poll::Ready(Some(Frame { payload: vec![0; 64 << 10], ..Frame::default() }))
        } else {
            Poll::Pending
        }
    });
    (frames.boxed(), begun, held)
}

/// The kernel of the peer takes what fits, and the peer reads nothing.
#[tokio::test]
async fn what_a_stuck_connection_sends_is_let_go_when_the_node_stops() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let table: PeerTable = format!("n2={}", listener.local_addr().unwrap()).parse().unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    for endless in [true, false] {
        let runtime = Arc::new(HostRuntime::current());
        let (peers, _) = Peers::bind(runtime, any, None, table.clone()).await.unwrap();
        let deadline = peers.inner.runtime.now() + Duration::from_secs(60);
        let (sent, begun, held) = frames(endless);
        let sending = tokio::spawn(peers.append("n2", sent, deadline));
        let _connection = listener.accept().await.unwrap();
        assert!(begun.await.is_err(), "the sender is dropped when the first frame is asked for");
        assert_eq!(Arc::strong_count(&held), 2);
        peers.stop();
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(!sending.is_finished(), "the connection stands");
        sending.abort();

        // What is begun after the end is not sent.
        let (late, _begun, held) = frames(endless);
        let _sending = peers.append("n2", late, deadline);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

struct Echo;

impl Handler for Echo {
    fn call(&self, question: Frame) -> BoxFuture<'static, Result<Frame, HandlerError>> {
        std::future::ready(Ok(question)).boxed()
    }

    fn append(&self, frames: Incoming) -> BoxStream<'static, Result<Frame, HandlerError>> {
        frames.filter_map(|frame| std::future::ready(frame.ok().map(Ok))).boxed()
    }

    fn snapshot(&self, _frames: Incoming) -> BoxFuture<'static, Result<Frame, HandlerError>> {
        std::future::ready(Ok(Frame::default())).boxed()
    }
}

/// An operator's call may be the first to need a connection, from a runtime that rests when it has its answer.
#[test]
fn a_connection_goes_on_when_whoever_dialled_it_rests() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (node, other) = (runtime(), runtime());
    let guest = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let bind = |table: PeerTable| Peers::bind(Arc::new(HostRuntime::current()), any, None, table);
    let (answering, address) =
        other.block_on(async { bind("n1=127.0.0.1:1".parse().unwrap()).await.unwrap() });
    let _context = other.enter();
    answering.serve(Arc::new(Echo));
    let table: PeerTable = format!("n2={address}").parse().unwrap();
    let (peers, _) = node.block_on(async { bind(table).await.unwrap() });
    let deadline = || HostRuntime::clock() + Duration::from_secs(20);
    let question = Frame { payload: vec![7], ..Frame::default() };
    assert_eq!(guest.block_on(peers.call("n2", question.clone(), deadline())).unwrap(), question);
    assert_eq!(node.block_on(peers.call("n2", question.clone(), deadline())).unwrap(), question);
}

/// Frames that a test makes as it goes on, and what makes them.
fn fed() -> (mpsc::UnboundedSender<Frame>, BoxStream<'static, Frame>) {
    let (feed, mut frames) = mpsc::unbounded_channel();
    (feed, futures::stream::poll_fn(move |context| frames.poll_recv(context)).boxed())
}

/// HTTP/2 sends a request to its end, whether or not somebody still reads the answers.
#[tokio::test]
async fn what_nobody_waits_for_is_not_sent_any_more() {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let runtime = || Arc::new(HostRuntime::current());
    let nobody = "n1=127.0.0.1:1".parse().unwrap();
    let (answering, address) = Peers::bind(runtime(), any, None, nobody).await.unwrap();
    answering.serve(Arc::new(Echo));
    let mute = TcpListener::bind(any).await.unwrap();
    let table = format!("n2={address},n3={}", mute.local_addr().unwrap());
    let (peers, _) = Peers::bind(runtime(), any, None, table.parse().unwrap()).await.unwrap();
    let deadline = |time| peers.inner.runtime.now() + time;

    let (feed, frames) = fed();
    feed.send(Frame { payload: vec![7], ..Frame::default() }).unwrap();
    let mut answers = peers.append("n2", frames, deadline(Duration::from_secs(20))).await.unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap().payload, [7]);
    assert!(!feed.is_closed());
    drop(answers);
    assert!(feed.is_closed(), "nobody reads the answers");

    let (feed, frames) = fed();
    let unanswered = peers.append("n3", frames, deadline(Duration::from_millis(50))).await.map(drop);
    assert!(matches!(unanswered, Err(TransportError::Timeout { .. })), "{unanswered:?}");
    assert!(feed.is_closed(), "it was not opened in time");
}
