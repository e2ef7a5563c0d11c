//! The kernel's list of TCP connections, and the means to end one: `SOCK_DESTROY`.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use nix::errno::Errno;
use nix::sys::socket::SockProtocol;

use super::netlink::{Message, Socket};

/// `SOCK_DIAG_BY_FAMILY`: list sockets.
const LIST: u16 = 20;
/// `SOCK_DESTROY`: end a socket.
const DESTROY: u16 = 21;

const AF_INET: u8 = 2;
const IPPROTO_TCP: u8 = 6;

/// The states of a connection that has come about and has not ended: established, and on its way to the end
/// (`FIN_WAIT1`, `FIN_WAIT2`, `CLOSE_WAIT`, `LAST_ACK`, `CLOSING`).
const STATES: u32 = bit(1) | bit(4) | bit(5) | bit(8) | bit(9) | bit(11);

const fn bit(state: u32) -> u32 {
    1 << state
}

/// The length of `struct inet_diag_sockid`: ports, addresses, interface, cookie.
const SOCKET_ID_BYTES: usize = 48;

/// One side of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Side {
    own: SocketAddrV4,
    other: SocketAddrV4,
    /// What the kernel knows it by.
    id: [u8; SOCKET_ID_BYTES],
}

impl Side {
    /// Reads a `struct inet_diag_msg`.
    fn parse(message: &[u8]) -> Option<Self> {
        let id: [u8; SOCKET_ID_BYTES] = *message.get(4..)?.first_chunk()?;
        let end = |port: usize, address: usize| {
            let port = u16::from_be_bytes(*id.get(port..)?.first_chunk()?);
            let octets: [u8; 4] = *id.get(address..)?.first_chunk()?;
            Some(SocketAddrV4::new(Ipv4Addr::from(octets), port))
        };
        Some(Self { own: end(0, 4)?, other: end(2, 20)?, id })
    }

    /// The connection it is a side of, the same for both.
    fn connection(&self) -> (SocketAddrV4, SocketAddrV4) {
        (self.own.min(self.other), self.own.max(self.other))
    }
}

/// Resets every connection that has come about of which `concerns` is true of the two addresses, on both sides, whatever the packet filter
/// does: each side learns it now. Returns how many there were.
///
/// # Errors
/// If the kernel cannot list connections, or end them (`CONFIG_INET_DIAG_DESTROY`).
pub(super) fn reset(concerns: impl Fn(Ipv4Addr, Ipv4Addr) -> bool) -> io::Result<u64> {
    let mut socket = Socket::open(SockProtocol::NetlinkSockDiag)?;
    let found = socket.dump(Message::new(LIST, 0, &request(&[0; SOCKET_ID_BYTES])))?;
    let sides = found.iter().filter_map(|message| Side::parse(message));
    let mut connections = BTreeSet::new();
    for side in sides.filter(|side| concerns(*side.own.ip(), *side.other.ip())) {
        match socket.order(Message::new(DESTROY, 0, &request(&side.id))) {
            Ok(()) => drop(connections.insert(side.connection())),
            // It has ended meanwhile, perhaps because the other side was reset just now.
            Err(error) if error.raw_os_error() == Some(Errno::ENOENT as i32) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(u64::try_from(connections.len()).unwrap_or(u64::MAX))
}

/// `struct inet_diag_req_v2`: family, protocol, extensions, nothing, states, socket.
fn request(id: &[u8; SOCKET_ID_BYTES]) -> Vec<u8> {
    let mut bytes = vec![AF_INET, IPPROTO_TCP, 0, 0];
    bytes.extend(STATES.to_ne_bytes());
    bytes.extend(id);
    bytes
}
