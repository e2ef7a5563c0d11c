//! Whether this machine can do it, found out by doing it.
//!
//! The only proof that a kernel drops packets is a packet that was dropped: versions and configurations tell less. So the
//! [`examine`]d namespace gets a network of two parties, and each fault strikes it. [`probe`] does that in a process of
//! its own, for a process that has entered a namespace never comes back.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU64;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use socket2::{Domain, SockAddr, Socket, Type};
use thiserror::Error;

use super::namespace::{self, Namespace};
use super::{Condition, Count, Network, Traffic};
use crate::fabric::Edge;
use crate::scenario::unit::Chance;

/// The hidden sub-command with which the supervisor examines the machine.
pub const PROBE_SUBCOMMAND: &str = "__kernel-probe";

/// How long a packet, or its absence, may take to be counted. It is there at once.
const PACKET_WAIT_MAX: Duration = Duration::from_secs(2);

/// A rate so low that the second packet exceeds it, were it not for the burst.
const PROBE_RATE: NonZeroU64 = NonZeroU64::MIN;

/// So many packets of so many bytes exceed any burst.
const PROBE_PACKETS: usize = 64;
const PROBE_PACKET_BYTES: usize = 1024;

/// Why there can be no such network here. It says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{what}; {remedy}")]
pub struct Missing {
    /// What is missing: `the kernel gives no network namespace: permission denied`.
    pub what: String,
    /// What to do about it: `allow user namespaces: …`.
    pub remedy: String,
}

/// What a kernel can have or lack. Without cuts there is nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// [`Condition::Loss`].
    Loss,
    /// [`Condition::Rate`].
    Rate,
    /// [`Network::reset`].
    Reset,
}

impl Ability {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Loss, Self::Rate, Self::Reset];

    /// What a kernel must be built with for it.
    fn option(self) -> &'static str {
        match self {
            Self::Loss => "CONFIG_NFT_NUMGEN",
            Self::Rate => "CONFIG_NFT_LIMIT",
            Self::Reset => "CONFIG_INET_DIAG_DESTROY",
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Loss => "loss",
            Self::Rate => "rate",
            Self::Reset => "reset",
        })
    }
}

/// What this machine can do besides partitions, which it can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What it cannot do, and why.
    lacks: BTreeMap<Ability, Missing>,
}

impl Capabilities {
    /// What a machine can do that cannot do these, and why.
    #[must_use]
    pub fn lacking(lacks: impl IntoIterator<Item = (Ability, Missing)>) -> Self {
        Self { lacks: lacks.into_iter().collect() }
    }

    /// Why the machine lacks `ability`; `None`: it has it.
    #[must_use]
    pub fn lack(&self, ability: Ability) -> Option<&Missing> {
        self.lacks.get(&ability)
    }
}

impl fmt::Display for Capabilities {
    /// `partition, loss, rate, reset`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("partition")?;
        let has = Ability::ALL.into_iter().filter(|ability| self.lack(*ability).is_none());
        has.into_iter().try_for_each(|ability| write!(f, ", {ability}"))
    }
}

/// Asks, in a process of its own, what this machine can do. This program must be the supervisor.
///
/// # Errors
/// What it lacks for any network of this kind.
pub fn probe() -> Result<Capabilities, Missing> {
    let unasked = |why: String| Missing {
        what: format!("could not ask the kernel: {why}"),
        remedy: "run `supervisor` as it was built".to_owned(),
    };
    let output = Command::new("/proc/self/exe")
        .arg(PROBE_SUBCOMMAND)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| unasked(error.to_string()))?;
    serde_json::from_slice::<Answer>(&output.stdout)
        .map_err(|error| unasked(format!("the answer, {}, makes no sense: {error}", output.status)))?
        .into()
}

/// What the examining process says: one line of JSON. It leaves the network of its caller for good.
#[must_use]
pub fn answer() -> String {
    let answer = Answer::from(namespace::enter().and_then(examine));
    serde_json::to_string(&answer).expect("an answer is plain data")
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Can(Capabilities),
    Missing(Missing),
}

impl From<Result<Capabilities, Missing>> for Answer {
    fn from(result: Result<Capabilities, Missing>) -> Self {
        result.map_or_else(Self::Missing, Self::Can)
    }
}

impl From<Answer> for Result<Capabilities, Missing> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Can(capabilities) => Ok(capabilities),
            Answer::Missing(missing) => Err(missing),
        }
    }
}

/// Tries each fault in the namespace. No other network may be in it.
///
/// # Errors
/// If there can be no network, or a cut drops nothing.
pub fn examine(inside: Namespace) -> Result<Capabilities, Missing> {
    let bench = Bench::new(inside).map_err(|error| Missing {
        what: format!("the kernel has no packet filter for us: {error}"),
        remedy: "it needs nftables (CONFIG_NF_TABLES_IPV4; `modprobe nf_tables`)".to_owned(),
    })?;
    bench.cut().map_err(|error| Missing {
        what: format!("the kernel does not cut one direction of two: {error}"),
        remedy: "it needs nftables (CONFIG_NF_TABLES_IPV4)".to_owned(),
    })?;
    let tried = Ability::ALL.map(|ability| {
        let result = match ability {
            Ability::Loss => bench.loss(),
            Ability::Rate => bench.rate(),
            Ability::Reset => bench.reset(),
        };
        (ability, result)
    });
    let lacks = tried.into_iter().filter_map(|(ability, result)| {
        let why = result.err()?;
        let what = format!("the kernel cannot do `{ability}`: {why}");
        Some((ability, Missing { what, remedy: format!("it needs {}", ability.option()) }))
    });
    Ok(Capabilities::lacking(lacks))
}

/// A network of two parties, and a socket for each.
struct Bench {
    network: Network,
    sockets: [UdpSocket; 2],
}

impl Bench {
    fn new(inside: Namespace) -> io::Result<Self> {
        let network = Network::new(inside, &["n1", "n2"].map(str::to_owned), &[])?;
        let socket = |name| UdpSocket::bind((network.address(name), 0));
        let sockets = [socket("n1")?, socket("n2")?];
        Ok(Self { network, sockets })
    }

    /// A packet travels along `edge`.
    fn send(&self, edge: &Edge) -> io::Result<()> {
        let [from, to] = if edge.from == "n1" { [0, 1] } else { [1, 0] };
        let target = self.sockets[to].local_addr()?;
        self.sockets[from].send_to(&[0; PROBE_PACKET_BYTES], target).map(drop)
    }

    /// While `condition` stands on one edge, so many packets on each; of those of the edge, `dropped` tells.
    fn strike(
        &self,
        condition: Condition,
        packets: usize,
        dropped: impl Fn(Traffic) -> Count,
    ) -> io::Result<()> {
        let (edge, back) = (forth(), forth().reversed());
        let before = self.network.traffic(&back)?;
        let fault = self.network.impose(condition, std::slice::from_ref(&edge))?;
        for _ in 0..packets {
            self.send(&edge)?;
            self.send(&back)?;
        }
        until("a packet was not dropped", || Ok(dropped(fault.traffic()?).packets > 0))?;
        let passes = u64::try_from(packets).unwrap_or(u64::MAX);
        let all_back = || Ok(self.network.traffic(&back)?.since(&before).passed.packets == passes);
        until("the other direction was not spared", all_back)?;
        fault.lift()?;
        let before = self.network.traffic(&edge)?;
        self.send(&edge)?;
        until("it was not lifted", || Ok(self.network.traffic(&edge)?.since(&before).passed.packets == 1))
    }

    fn cut(&self) -> io::Result<()> {
        self.strike(Condition::Cut, 1, |traffic| traffic.cut)
    }

    fn loss(&self) -> io::Result<()> {
        self.strike(Condition::Loss(Chance::ALWAYS), 1, |traffic| traffic.lost)
    }

    fn rate(&self) -> io::Result<()> {
        self.strike(Condition::Rate(PROBE_RATE), PROBE_PACKETS, |traffic| traffic.limited)
    }

    fn reset(&self) -> io::Result<()> {
        let listener = TcpListener::bind((self.network.address("n2"), 0))?;
        let near = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        near.bind(&SockAddr::from(std::net::SocketAddr::from((self.network.address("n1"), 0))))?;
        near.connect(&SockAddr::from(listener.local_addr()?))?;
        let (far, _) = listener.accept()?;
        match self.network.reset(&[forth()])? {
            1 => both_reset(&TcpStream::from(near), &far),
            found => Err(io::Error::other(format!("{found} connections of 1 were reset"))),
        }
    }
}

fn forth() -> Edge {
    Edge::new("n1", "n2")
}

fn both_reset(near: &TcpStream, far: &TcpStream) -> io::Result<()> {
    use io::Read as _;
    for mut side in [near, far] {
        side.set_read_timeout(Some(PACKET_WAIT_MAX))?;
        match side.read(&mut [0; 1]).map_err(|error| error.kind()) {
            Err(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) => {}
            other => return Err(io::Error::other(format!("a side read {other:?}"))),
        }
    }
    Ok(())
}

/// Waits until something is so.
fn until(otherwise: &'static str, is_so: impl Fn() -> io::Result<bool>) -> io::Result<()> {
    let deadline = Instant::now() + PACKET_WAIT_MAX;
    while !is_so()? {
        if Instant::now() >= deadline {
            return Err(io::Error::other(otherwise));
        }
        std::thread::yield_now();
    }
    Ok(())
}
