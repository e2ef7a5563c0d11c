//! The port that clients connect to: it passes bytes on to the node behind it, until it is told to cut or to freeze.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

#[derive(Debug)]
pub(super) struct Front {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    frozen: watch::Sender<bool>,
    acceptor: JoinHandle<()>,
}

impl Front {
    pub(super) async fn start(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port can be bound");
        let address = listener.local_addr().expect("a bound port has an address");
        let connections = Arc::<Mutex<Vec<AbortHandle>>>::default();
        let accepted = Arc::clone(&connections);
        let frozen = watch::Sender::new(false);
        let freezing = frozen.subscribe();
        let acceptor = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut freezing = freezing.clone();
                let connection = tokio::spawn(async move {
                    let Ok(mut node) = TcpStream::connect(behind).await else { return };
                    let is_frozen = tokio::select! {
                        biased;
                        frozen = freezing.wait_for(|frozen| *frozen) => frozen.is_ok(),
                        // How a connection ends is up to the two at its ends.
                        _ = copy_bidirectional(&mut client, &mut node) => false,
                    };
                    if is_frozen {
                        std::future::pending().await
                    }
                });
                lock(&accepted).push(connection.abort_handle());
            }
        });
        Front { address, connections, frozen, acceptor }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes nothing on any more, without a word to anybody: connections stay open, and new ones are accepted.
    pub(super) fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// Breaks every connection that is open now.
    pub(super) fn cut(&self) {
        for connection in lock(&self.connections).drain(..) {
            connection.abort();
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.acceptor.abort();
        self.cut();
    }
}

fn lock(connections: &Mutex<Vec<AbortHandle>>) -> std::sync::MutexGuard<'_, Vec<AbortHandle>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}
