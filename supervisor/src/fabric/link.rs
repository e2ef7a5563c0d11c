//! One link: where one party connects to when it wants to reach another.
//!
//! A link has an address for as long as it lives, and leads to an address that may change. What a connect to it meets is
//! what it would meet on a network, and the kernel's doing each time, for a proxy that accepts has said too much already:
//!
//! * **The other side listens**: the link listens, too. Each connection that is accepted leads to the other side.
//! * **The other side is dead**: nobody listens, so the connect is refused, and the client knows that it sent nothing.
//!   The port stays ours: a socket that is bound to it and does not listen keeps it.
//! * **One of the two directions is cut**: the packets that open connections are lost. A filter on the listening socket
//!   drops them (`SO_ATTACH_FILTER`; no rights are needed), so the client's kernel sends them again after 1 s, 3 s, 7 s, …,
//!   and gets through once the cut is lifted, unless the client has given up. Where there is no such filter, the
//!   kernel lets the connection come about, and it meets silence.
//!
//! Connections that exist are not the door's concern: see [`super::connection`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::{Either, select};
use socket2::{SockFilter, SockRef};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, spawn_local};

use super::connection::{Conclusion, Connection, Control, Scratch, reset};
use super::flow::Flow;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long a link rests after it could not accept, which is for want of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// A program for the kernel's packet filter: `ret #0`, keep nothing of the packet.
const DROP_EVERYTHING: [SockFilter; 1] = [SockFilter::new(0x06, 0, 0, 0)];

/// A link that is open. Dropping it closes it and its connections.
#[derive(Debug)]
pub(super) struct Link {
    inner: Rc<Inner>,
    acceptor: AbortHandle,
}

#[derive(Debug)]
struct Inner {
    /// Bound to the port, and never listening.
    keeper: TcpSocket,
    /// Where it leads; none: nobody is there.
    target: Cell<Option<SocketAddr>>,
    /// Of the bytes of the one who connects, and of the other.
    flows: [Rc<Flow>; 2],
    door: RefCell<Option<Door>>,
    /// The task that accepts.
    acceptor: RefCell<Option<Waker>>,
    connections: RefCell<BTreeMap<u64, (Rc<Control>, AbortHandle)>>,
    accepted: Cell<u64>,
    scratch: Scratch,
}

/// A socket that listens.
#[derive(Debug)]
struct Door {
    listener: TcpListener,
    /// It drops the packets that would open a connection.
    is_deaf: bool,
}

impl Link {
    /// A link that leads nowhere yet. `flows` are those of the bytes of the one who connects, and of the other one.
    ///
    /// # Errors
    /// If the kernel has no port or no file descriptor for it.
    pub(super) fn open(flows: [Rc<Flow>; 2], scratch: Scratch) -> io::Result<Self> {
        let keeper = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let inner = Rc::new(Inner {
            keeper,
            target: Cell::new(None),
            flows,
            door: RefCell::default(),
            acceptor: RefCell::default(),
            connections: RefCell::default(),
            accepted: Cell::new(0),
            scratch,
        });
        let acceptor = spawn_local(Rc::clone(&inner).accept_all()).abort_handle();
        Ok(Self { inner, acceptor })
    }

    /// Where to connect to. It never changes.
    pub(super) fn address(&self) -> SocketAddr {
        self.inner.address()
    }

    /// From now on, connections lead to `target`; if none, they are refused. Those that exist go on for as long as their
    /// two sides want: when a process dies, its kernel ends its connections, and each such end passes through here.
    ///
    /// # Errors
    /// If the kernel has no file descriptor to listen with.
    pub(super) fn point_at(&self, target: Option<SocketAddr>) -> io::Result<()> {
        self.inner.target.set(target);
        self.settle()
    }

    /// Lets the conditions, which may have changed, take effect.
    ///
    /// # Errors
    /// If the kernel has no file descriptor to listen with. It has one where it listens already, which it does if a
    /// condition was only lifted.
    pub(super) fn settle(&self) -> io::Result<()> {
        for (control, _) in self.inner.connections.borrow().values() {
            control.wake();
        }
        self.inner.settle_door()
    }

    /// Resets every connection. Returns how many there were.
    pub(super) fn reset(&self) -> u64 {
        let connections = self.inner.connections.borrow();
        connections.values().map(|(control, _)| u64::from(control.reset())).sum()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.acceptor.abort();
        for (_, task) in self.inner.connections.borrow().values() {
            task.abort();
        }
    }
}

impl Inner {
    fn address(&self) -> SocketAddr {
        self.keeper.local_addr().expect("a socket that is bound has an address")
    }

    fn settle_door(&self) -> io::Result<()> {
        let is_deaf = self.flows.iter().any(|flow| flow.conditions().is_silent);
        let mut door = self.door.borrow_mut();
        match &mut *door {
            _ if !is_deaf && self.target.get().is_none() => *door = None,
            Some(door) => door.set_deaf(is_deaf),
            None => *door = Some(Door::open(self.address(), is_deaf)?),
        }
        if let Some(waker) = self.acceptor.take() {
            waker.wake();
        }
        Ok(())
    }

    async fn accept_all(self: Rc<Self>) {
        loop {
            match std::future::poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(stream) => self.serve(stream),
                Err(_) => tokio::time::sleep(ACCEPT_RETRY).await,
            }
        }
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        *self.acceptor.borrow_mut() = Some(cx.waker().clone());
        match &*self.door.borrow() {
            Some(door) if !door.is_deaf => door.listener.poll_accept(cx).map_ok(|(stream, _)| stream),
            _ => Poll::Pending,
        }
    }

    /// Proxies a connection that was accepted, in a task of its own.
    fn serve(self: &Rc<Self>, near: TcpStream) {
        let number = self.accepted.get();
        self.accepted.set(number + 1);
        self.flows[0].count(|traffic| traffic.connections += 1);
        let control = Rc::new(Control::default());
        let (link, own_control) = (Rc::clone(self), Rc::clone(&control));
        let task = spawn_local(async move {
            if link.proxy(near, own_control).await == Conclusion::Reset {
                link.flows[0].count(|traffic| traffic.resets += 1);
            }
            link.connections.borrow_mut().remove(&number);
        });
        self.connections.borrow_mut().insert(number, (control, task.abort_handle()));
    }

    async fn proxy(&self, near: TcpStream, control: Rc<Control>) -> Conclusion {
        let Some(target) = self.target.get() else {
            // It has died between the accept and now: the client learns it as from a kernel that has just refused.
            reset(near);
            return Conclusion::Ended;
        };
        let far = Box::pin(TcpStream::connect(target));
        match select(far, std::future::poll_fn(|cx| control.poll_reset(cx))).await {
            Either::Left((Ok(far), _)) => {
                Connection::new(near, far, &self.flows, Rc::clone(&control), self.scratch.clone()).await
            }
            Either::Left((Err(_), _)) => {
                reset(near);
                Conclusion::Ended
            }
            Either::Right(_) => {
                reset(near);
                Conclusion::Reset
            }
        }
    }
}

impl Door {
    fn open(address: SocketAddr, is_deaf: bool) -> io::Result<Self> {
        let socket = bind(address)?;
        if is_deaf {
            deafen(&SockRef::from(&socket));
        }
        Ok(Self { listener: socket.listen(BACKLOG)?, is_deaf })
    }

    fn set_deaf(&mut self, is_deaf: bool) {
        match (self.is_deaf, is_deaf) {
            (false, true) => deafen(&SockRef::from(&self.listener)),
            // It fails only where there is no filter, because there can be none.
            (true, false) => drop(SockRef::from(&self.listener).detach_filter()),
            _ => {}
        }
        self.is_deaf = is_deaf;
    }
}

/// Makes a listening socket drop what would open a connection.
fn deafen(socket: &SockRef<'_>) {
    // Where there can be no filter, connections come about and are not accepted, which is silence, too.
    drop(socket.attach_filter(&DROP_EVERYTHING));
}

/// A socket that is bound to `address`, beside others of ours that do not listen.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
