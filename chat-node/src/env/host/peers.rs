//! The other nodes over gRPC: one long-lived connection to each, and one more for a snapshot while it is sent.
//!
//! A connection is dialled when it is first needed, once for all who need it, and dropped at its first failure; the next
//! use looks up the address and dials again. So a dial that failed proves that nothing was sent, and nothing else does.
//! A connection is driven by the node's own runtime, whoever was the first to need it.
//!
//! HTTP/2 pings from both ends find a peer that is stopped but whose kernel still answers: without them its connection,
//! and whatever waits on it, would stand for as long as it is stopped.

mod outgoing;
mod server;
pub mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::{BoxFuture, Shared};
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use proto::raft::Frame;
use proto::raft::peer_client::PeerClient;
use proto::raft::peer_server::PeerServer;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Response, Status};

use self::outgoing::Outbox;
use self::server::Service;
pub use self::table::PeerTable;
use crate::chain::Chain;
use crate::env::transport::{Handler, Incoming, Transport, TransportError};
use crate::env::{Instant, Runtime, timeout_at};

/// How long a dial may take.
const CONNECT: Duration = Duration::from_millis(500);
/// How often a connection is probed, and how long the answer may take.
const PING_EVERY: Duration = Duration::from_millis(1000);
const PING_WAIT: Duration = Duration::from_millis(1500);
/// No frame is longer: an append has a mebibyte of entries and one more entry.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// HTTP/2 windows; the default of 64 KiB would make every append wait for the follower.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// How many questions a peer may have open at once. The default of 200 would let forwarded proposals keep out votes.
const STREAMS_MAX: u32 = 16 << 10;

type Dial = Shared<BoxFuture<'static, Result<Channel, TransportError>>>;

/// The peers of one node. Clones are the same.
#[derive(Clone)]
pub struct Peers {
    inner: Arc<Inner>,
}

struct Inner {
    runtime: Arc<dyn Runtime>,
    line: Line,
    dials: Mutex<BTreeMap<String, Dial>>,
    listener: Mutex<Option<TcpListener>>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    outbox: Outbox,
}

/// What it takes to dial: where peers are, and the address to dial from.
#[derive(Clone)]
struct Line {
    table: PeerTable,
    from: Option<IpAddr>,
}

impl Peers {
    /// Binds the address where peers are heard, and returns the address with its port. Peers are spoken to from the
    /// address `from`; none: the kernel chooses.
    ///
    /// # Errors
    /// It cannot be bound.
    #[expect(clippy::disallowed_methods, reason = "this module is what Env stands on")]
    pub async fn bind(
        runtime: Arc<dyn Runtime>,
        listen: SocketAddr,
        from: Option<IpAddr>,
        table: PeerTable,
    ) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let inner = Inner {
            runtime,
            line: Line { table, from },
            dials: Mutex::default(),
            listener: Mutex::new(Some(listener)),
            stop: Mutex::default(),
            outbox: Outbox::default(),
        };
        Ok((Self { inner: Arc::new(inner) }, address))
    }

    fn dials(&self) -> MutexGuard<'_, BTreeMap<String, Dial>> {
        self.inner.dials.lock().expect("nothing that runs under this lock can panic")
    }

    /// The connection to `peer`, dialled if there is none.
    fn dial(&self, peer: &str) -> Dial {
        let mut dials = self.dials();
        if let Some(dial) = dials.get(peer) {
            return dial.clone();
        }
        let dial = self.connect(peer).shared();
        dials.insert(peer.to_owned(), dial.clone());
        dial
    }

    /// A new connection, which lives on the node's own runtime: whoever asks for it may be a guest that does not stay.
    fn connect(&self, peer: &str) -> BoxFuture<'static, Result<Channel, TransportError>> {
        let (connected, connection) = oneshot::channel();
        let dialling = connect(self.inner.line.clone(), peer.to_owned());
        self.inner.runtime.spawn(
            async move {
                // Whoever asked may have given up.
                let _ = connected.send(dialling.await);
            }
            .boxed(),
        );
        let peer = peer.to_owned();
        async move { connection.await.unwrap_or_else(|_| Err(unreachable(&peer, "the node is stopping"))) }
            .boxed()
    }

    /// Drops a connection, so that the next use dials again.
    fn hang_up(&self, peer: &str, dial: &Dial) {
        let mut dials = self.dials();
        if dials.get(peer).is_some_and(|current| current.ptr_eq(dial)) {
            dials.remove(peer);
        }
    }

    async fn client(
        self,
        peer: String,
        deadline: Instant,
    ) -> Result<(PeerClient<Channel>, Dial), TransportError> {
        let dial = self.dial(&peer);
        match timeout_at(&*self.inner.runtime, deadline, dial.clone()).await {
            Ok(Ok(channel)) => Ok((client(channel), dial)),
            Ok(Err(error)) => {
                self.hang_up(&peer, &dial);
                Err(error)
            }
            Err(_) => Err(unreachable(&peer, "no connection in time")),
        }
    }

    /// What `answer` came to, until the deadline.
    async fn answered<T>(
        self,
        peer: String,
        dial: Option<Dial>,
        deadline: Instant,
        answer: BoxFuture<'static, Result<Response<T>, Status>>,
    ) -> Result<T, TransportError> {
        match timeout_at(&*self.inner.runtime, deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(self.failed(&peer, dial.as_ref(), &status)),
            Err(_) => Err(TransportError::Timeout { peer }),
        }
    }

    /// Hangs up, unless it was the node that refused.
    fn failed(&self, peer: &str, dial: Option<&Dial>, status: &Status) -> TransportError {
        if let Some(dial) = dial
            && status.code() != Code::FailedPrecondition
        {
            self.hang_up(peer, dial);
        }
        TransportError::Lost { peer: peer.to_owned(), why: status.message().to_owned() }
    }
}

async fn connect(line: Line, peer: String) -> Result<Channel, TransportError> {
    let address = line.table.address(&peer).map_err(|error| unreachable(&peer, error))?;
    let endpoint =
        Endpoint::from_shared(format!("http://{address}")).map_err(|error| unreachable(&peer, error))?;
    endpoint
        .local_address(line.from)
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WAIT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .connect()
        .await
        .map_err(|error| unreachable(&peer, Chain(&error)))
}

fn client(channel: Channel) -> PeerClient<Channel> {
    PeerClient::new(channel)
        .max_decoding_message_size(FRAME_BYTES_MAX)
        .max_encoding_message_size(FRAME_BYTES_MAX)
}

fn unreachable(peer: &str, why: impl ToString) -> TransportError {
    TransportError::Unreachable { peer: peer.to_owned(), why: why.to_string() }
}

impl Transport for Peers {
    fn call(
        &self,
        peer: &str,
        question: Frame,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>> {
        let (this, peer) = (self.clone(), peer.to_owned());
        async move {
            let (mut client, dial) = this.clone().client(peer.clone(), deadline).await?;
            let answer = async move { client.call(question).await }.boxed();
            this.answered(peer, Some(dial), deadline, answer).await
        }
        .boxed()
    }

    fn append(
        &self,
        peer: &str,
        frames: BoxStream<'static, Frame>,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Incoming, TransportError>> {
        let (this, peer) = (self.clone(), peer.to_owned());
        let (frames, recall) = self.inner.outbox.send(frames);
        async move {
            let (mut client, dial) = this.clone().client(peer.clone(), deadline).await?;
            let answer = async move { client.append(frames).await }.boxed();
            let answers = this.clone().answered(peer.clone(), Some(dial.clone()), deadline, answer).await?;
            let read = move |answer: Result<Frame, Status>| {
                // HTTP/2 goes on to send a request whose answers are not read any more.
                let _until_nobody_reads = &recall;
                answer.map_err(|status| this.failed(&peer, Some(&dial), &status))
            };
            Ok(answers.map(read).boxed())
        }
        .boxed()
    }

    fn snapshot(
        &self,
        peer: &str,
        frames: BoxStream<'static, Frame>,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>> {
        let (this, peer) = (self.clone(), peer.to_owned());
        let (frames, recall) = self.inner.outbox.send(frames);
        let dial = this.connect(&peer);
        async move {
            let _until_nobody_waits = recall;
            let mut client = client(dial.await?);
            let answer = async move { client.snapshot(frames).await }.boxed();
            this.answered(peer, None, deadline, answer).await
        }
        .boxed()
    }

    fn address(&self, peer: &str) -> Option<String> {
        self.inner.line.table.address(peer).ok()
    }

    fn serve(&self, handler: Arc<dyn Handler>) {
        let Some(listener) = self.inner.listener.lock().expect("no panic under this lock").take() else {
            return;
        };
        let (stop, stopped) = oneshot::channel();
        *self.inner.stop.lock().expect("no panic under this lock") = Some(stop);
        let service = PeerServer::new(Service(handler))
            .max_decoding_message_size(FRAME_BYTES_MAX)
            .max_encoding_message_size(FRAME_BYTES_MAX);
        let serve = Server::builder()
            .http2_keepalive_interval(Some(PING_EVERY))
            .http2_keepalive_timeout(Some(PING_WAIT))
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_concurrent_streams(Some(STREAMS_MAX))
            .add_service(service)
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                stopped.map(drop),
            );
        self.inner.runtime.spawn(
            async move {
                if let Err(error) = serve.await {
                    tracing::error!(%error, "peers are not heard any more");
                }
            }
            .boxed(),
        );
    }

    fn stop(&self) {
        // Dropping the sender ends the server, as sending would.
        drop(self.inner.stop.lock().expect("no panic under this lock").take());
        self.dials().clear();
        self.inner.outbox.close();
    }
}
