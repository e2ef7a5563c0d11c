//! What the kernel allows: files, ports, signals.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;

use super::{CLIENTS, Finding, NODES};

/// What is open whatever is run: standard streams, logs, the runtime.
const FILES_ALWAYS: usize = 64;

/// Connections from a node to a peer: appends, votes, snapshots.
const PEER_CONNECTIONS: usize = 3;

/// With fewer ports to choose from, connections of a long run may find none.
const PORTS_MIN: u32 = 2_000;

/// The files that the supervisor has open for a cluster: each directed link is a listener, and two ends of each
/// connection; each client is one more end on a link to every node.
fn files_needed(nodes: usize, clients: usize) -> usize {
    let peers = nodes * nodes.saturating_sub(1) * (1 + 2 * PEER_CONNECTIONS);
    peers + nodes * (1 + 3 * clients) + FILES_ALWAYS
}

/// The most clients for which so many files are enough.
fn clients_allowed(files: usize, nodes: usize) -> usize {
    files.saturating_sub(files_needed(nodes, 0)) / (3 * nodes)
}

pub(super) fn open_files() -> Finding {
    const NAME: &str = "open-files";
    let mend = "`ulimit -n 4096` in the shell that starts the supervisor";
    let files = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, _)) => usize::try_from(soft).unwrap_or(usize::MAX),
        Err(error) => {
            return Finding::limited(
                NAME,
                format!("unknown: {error}"),
                "nobody knows whether it is enough",
                mend,
            );
        }
    };
    let clients = clients_allowed(files, NODES);
    let found = format!("at most {files}: enough for {NODES} nodes and {clients} clients");
    if clients < CLIENTS {
        return Finding::cannot(NAME, found, "clients and links find no file to open", mend);
    }
    if clients < 4 * CLIENTS {
        return Finding::limited(NAME, found, "scenarios with more clients cannot run", mend);
    }
    Finding::good(NAME, found)
}

pub(super) fn loopback() -> Finding {
    const NAME: &str = "loopback";
    // Two for each node, one for each link between nodes, and one for the clients of each.
    let listeners = NODES * 2 + NODES * (NODES - 1) + NODES;
    match round_trips(listeners) {
        Ok(()) => Finding::good(NAME, format!("{listeners} ports at once, all answer")),
        Err(error) => {
            let mend = "bring the interface up: `ip link set lo up`; allow connections to 127.0.0.1";
            Finding::cannot(NAME, format!("no answer on 127.0.0.1: {error}"), "nodes cannot be reached", mend)
        }
    }
}

/// Listens on so many ports at once, and sends a byte through each.
fn round_trips(listeners: usize) -> io::Result<()> {
    let listeners: Vec<TcpListener> =
        (0..listeners).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
    for listener in &listeners {
        let mut client = TcpStream::connect(listener.local_addr()?)?;
        client.write_all(&[7])?;
        let (mut server, _) = listener.accept()?;
        let mut byte = [0];
        server.read_exact(&mut byte)?;
    }
    Ok(())
}

pub(super) fn ports() -> Finding {
    const NAME: &str = "ports";
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    let Some((low, high)) = range.as_deref().and_then(port_range) else {
        // Loopback was tried; the range is a detail that some containers hide.
        return Finding::good(NAME, "the range is not told");
    };
    let count = high.saturating_sub(low).saturating_add(1);
    let found = format!("{count} to choose from ({low}..{high})");
    if count < PORTS_MIN {
        let follows = "a run that makes many connections may find no free port";
        let mend = "`sysctl net.ipv4.ip_local_port_range='32768 60999'`";
        return Finding::limited(NAME, found, follows, mend);
    }
    Finding::good(NAME, found)
}

fn port_range(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

pub(super) fn death_signal() -> Finding {
    const NAME: &str = "death-signal";
    match try_death_signal() {
        Ok(()) => Finding::good(NAME, "nodes end with their supervisor (PDEATHSIG)"),
        Err(error) => Finding::cannot(
            NAME,
            format!("the kernel gives no PDEATHSIG: {error}"),
            "nodes refuse to start, for they could outlive their supervisor",
            "allow prctl(2) in the sandbox or container",
        ),
    }
}

/// Asks for the signal, looks whether it is noted, and puts back what was.
fn try_death_signal() -> nix::Result<()> {
    let before = prctl::get_pdeathsig()?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let noted = prctl::get_pdeathsig();
    prctl::set_pdeathsig(before)?;
    if noted? == Some(Signal::SIGKILL) { Ok(()) } else { Err(nix::Error::ENOSYS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_are_allowed_are_enough_for_the_clients_that_are_named() {
        for files in [0, 300, 1_024, 65_536] {
            let clients = clients_allowed(files, NODES);
            assert!(clients == 0 || files_needed(NODES, clients) <= files, "{files}");
            assert!(files_needed(NODES, clients + 1) > files, "{files}");
        }
        assert!(clients_allowed(1_024, NODES) >= CLIENTS, "the default of most systems is enough");
    }

    #[test]
    fn the_range_of_ports_is_two_numbers() {
        assert_eq!(port_range("32768\t60999\n"), Some((32_768, 60_999)));
        assert_eq!(port_range("many"), None);
    }

    #[test]
    fn what_was_asked_of_the_kernel_is_put_back() {
        let before = prctl::get_pdeathsig().unwrap();
        try_death_signal().unwrap();
        assert_eq!(prctl::get_pdeathsig().unwrap(), before);
    }
}
