//! The address where clients are heard.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// How often a client's connection is probed, and how long the answer may take.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_WAIT: Duration = Duration::from_secs(10);
/// How many calls one connection may have open at once. The node has a limit of its own on what is in flight, and says
/// so; the default of 200 here would only make calls wait unseen.
const STREAMS_MAX: u32 = 16 << 10;

/// A bound address, at which nobody is served yet.
#[derive(Debug)]
pub struct ClientListener(TcpListener);

impl ClientListener {
    /// Binds the address where clients are heard, and returns the address with its port.
    ///
    /// # Errors
    /// It cannot be bound.
    #[expect(clippy::disallowed_methods, reason = "this module is what Env stands on")]
    pub async fn bind(listen: SocketAddr) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok((Self(listener), address))
    }

    /// Serves `routes` until `stop`, and then until the calls in flight are answered.
    ///
    /// # Errors
    /// Connections cannot be accepted any more.
    pub async fn serve(
        self,
        routes: Routes,
        stop: impl Future<Output = ()>,
    ) -> Result<(), tonic::transport::Error> {
        Server::builder()
            .http2_keepalive_interval(Some(PING_EVERY))
            .http2_keepalive_timeout(Some(PING_WAIT))
            .max_concurrent_streams(Some(STREAMS_MAX))
            .add_routes(routes)
            .serve_with_incoming_shutdown(TcpIncoming::from(self.0).with_nodelay(Some(true)), stop)
            .await
    }
}
