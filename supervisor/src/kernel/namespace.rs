//! A network namespace of the supervisor's own.
//!
//! The process leaves the host's network for a fresh one that has a loopback interface and nothing else. What it starts
//! from then on is born there. The namespace has no name and is held by its processes and their sockets alone: it ends,
//! with every rule in it, when the last of them ends, however it ends. Nothing of the host is changed.
//!
//! Who may manage networks gets just that. Everybody else gets a user namespace as well, in which he may: his user and
//! group are themselves in it, so files belong to whom they belonged before, and programs that are executed in it have no
//! more rights than outside.
//!
//! The loopback interface carries packets as Ethernet does, 1500 bytes each, instead of 64 KiB: so that the loss of a
//! packet is the loss of a packet.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::SockProtocol;
use nix::unistd::{getgid, getuid};

use super::netlink::{Message, Socket};
use super::probe::Missing;

/// The longest packet in bytes, as on Ethernet.
const PACKET_BYTES_MAX: u32 = 1500;

/// The index of the loopback interface: it is the first of each namespace.
const LOOPBACK: i32 = 1;

/// `RTM_SETLINK`: change an interface.
const SET_LINK: u16 = 19;
/// The interface is up.
const IFF_UP: u32 = 1;
/// `IFLA_MTU`.
const LINK_MTU: u16 = 4;
/// `IFLA_GSO_MAX_SEGS`: how many packets TCP may hand over as one.
const LINK_SEGMENTS_MAX: u16 = 40;

/// The proof that this process is in a network namespace of its own, whose loopback interface is up.
///
/// A process is in one network at a time and never goes back, so the proof does not expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace {
    _entered: (),
}

/// Leaves the host's network for one of our own. The process must have a single thread, which is so until a runtime is
/// built or a thread is spawned.
///
/// # Errors
/// What the kernel, or the rights of this user, lack for it. If only the loopback interface is missing, the process has
/// left the host's network already; it is to end then.
pub fn enter() -> Result<Namespace, Missing> {
    match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => {}
        Err(Errno::EPERM) => enter_as_user()?,
        Err(error) => return Err(refused(error)),
    }
    raise_loopback().map_err(|error| Missing {
        what: format!("the loopback interface of a new network namespace does not come up: {error}"),
        // So it goes where a user namespace is allowed and its rights are not.
        remedy: remedy_of_users(),
    })?;
    Ok(Namespace { _entered: () })
}

fn enter_as_user() -> Result<(), Missing> {
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).map_err(refused)?;
    let write = |file: &str, text: String| {
        fs::write(file, text).map_err(|error| Missing {
            what: format!("could not write {file} in a new user namespace: {error}"),
            remedy: remedy_of_users(),
        })
    };
    // The kernel wants it before it takes a map of groups from somebody without rights.
    write("/proc/self/setgroups", "deny".to_owned())?;
    write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    write("/proc/self/gid_map", format!("{group} {group} 1"))
}

fn refused(error: Errno) -> Missing {
    let remedy = match error {
        Errno::EINVAL if thread_count().is_some_and(|threads| threads > 1) => {
            "it must be entered before a second thread is started: this is a bug of the supervisor".to_owned()
        }
        Errno::EINVAL => "the kernel needs CONFIG_NET_NS and CONFIG_USER_NS".to_owned(),
        Errno::ENOSPC => {
            "raise the limits user.max_user_namespaces and user.max_net_namespaces (sysctl)".to_owned()
        }
        _ => remedy_of_users(),
    };
    Missing { what: format!("the kernel gives no network namespace: {}", error.desc()), remedy }
}

/// What lets a user without rights have a user namespace, on this machine.
fn remedy_of_users() -> String {
    let switches = [
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user.max_user_namespaces", "0", "10000"),
        ("user.max_net_namespaces", "0", "10000"),
    ];
    let wrong = switches.into_iter().find(|(name, wrong, _)| {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        fs::read_to_string(path).is_ok_and(|value| value.trim() == *wrong)
    });
    match wrong {
        Some((name, _, right)) => format!("allow user namespaces: `sysctl -w {name}={right}`"),
        None => "user namespaces must be allowed, which containers often forbid: run it outside of one, or as root"
            .to_owned(),
    }
}

fn thread_count() -> Option<usize> {
    fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}

/// Lets the loopback interface carry packets, of the length that we want.
fn raise_loopback() -> io::Result<()> {
    // `struct ifinfomsg`: family, type, index, flags, which flags to change.
    let mut link = vec![0; 4];
    link.extend(LOOPBACK.to_ne_bytes());
    link.extend(IFF_UP.to_ne_bytes());
    link.extend(IFF_UP.to_ne_bytes());
    let message = Message::new(SET_LINK, 0, &link)
        .with(LINK_MTU, &PACKET_BYTES_MAX.to_ne_bytes())
        .with(LINK_SEGMENTS_MAX, &1_u32.to_ne_bytes());
    Socket::open(SockProtocol::NetlinkRoute)?.order(message)
}
