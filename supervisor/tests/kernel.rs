//! The kernel's network, in real network namespaces: what a fault drops, and that nothing is left behind.
//!
//! A process that has entered a namespace never comes back, and must have a single thread to enter it. So this is a program
//! of its own, without the usual harness. It executes itself again for each group of cases: as the user who runs it and,
//! if that is root, once more as one who has no rights. Where the machine gives no namespace, it says why and skips.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "this is a test, which clippy cannot know")]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU64;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};
use supervisor::fabric::Edge;
use supervisor::kernel::namespace::{self, Namespace};
use supervisor::kernel::{Condition, Network, probe};

/// Longer than anything takes that is to happen.
const LIMIT: Duration = Duration::from_secs(20);

/// Long enough for a packet that nothing stops to arrive many times over.
const SILENCE: Duration = Duration::from_millis(150);

/// A user who has no rights, on every Linux.
const NOBODY: u32 = 65534;

type Case = (&'static str, fn(Namespace));

const CASES: [Case; 9] = [
    ("the machine can do everything that the probe knows", the_machine_can_do_everything),
    ("a cut drops one direction and passes the other", a_cut_is_one_way),
    ("a cut keeps a connection from coming about", a_cut_refuses_connections),
    ("a stream goes on when a cut is lifted", a_stream_survives_a_cut),
    ("an edge is cut until the last cut is lifted", cuts_overlap),
    ("random loss loses some, and about as many as asked for", loss_loses_some),
    ("a rate lets so many bytes pass", a_rate_is_kept),
    ("a reset ends connections of an edge on both sides, cut or not", a_reset_is_noticed),
    ("a network replaces the one before", a_network_replaces_the_one_before),
];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("__cases") => cases(),
        Some("__hold") => hold(),
        // Nextest asks for the names of the tests: it is one, without a name.
        Some("--list") => ExitCode::SUCCESS,
        _ => all(),
    }
}

fn all() -> ExitCode {
    let before = network();
    let mut passed = run("as this user", Command::new("/proc/self/exe").arg("__cases"));
    if nix::unistd::getuid().is_root() {
        passed &= run("without rights", as_nobody(Command::new("/proc/self/exe").arg("__cases")));
    }
    nothing_is_left();
    if cfg!(feature = "chat") {
        nothing_of_a_run_is_left();
    }
    assert_eq!(network(), before, "this process has left its network");
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn as_nobody(command: &mut Command) -> &mut Command {
    command.uid(NOBODY).gid(NOBODY)
}

fn run(name: &str, command: &mut Command) -> bool {
    println!("kernel network, {name}:");
    command.status().expect("this program can be executed again").success()
}

/// The cases, in a namespace of this process.
fn cases() -> ExitCode {
    let (user, outside) = (nix::unistd::getuid(), network());
    let inside = match namespace::enter() {
        Ok(inside) => inside,
        Err(missing) => {
            println!("  SKIPPED: {missing}");
            return ExitCode::SUCCESS;
        }
    };
    assert_ne!(network(), outside, "the process is where it was");
    assert_eq!(nix::unistd::getuid(), user, "the process is somebody else");
    for (name, case) in CASES {
        case(inside);
        println!("  {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// Two nodes and a client, a UDP socket for each.
struct Bench {
    network: Network,
    sockets: [UdpSocket; 3],
}

const PARTIES: [&str; 3] = ["n1", "n2", "clients"];

impl Bench {
    fn new(inside: Namespace) -> Self {
        let nodes = ["n1", "n2"].map(str::to_owned);
        let network = Network::new(inside, &nodes, &["clients".to_owned()]).unwrap();
        let sockets = PARTIES.map(|party| UdpSocket::bind((network.address(party), 0)).unwrap());
        Self { network, sockets }
    }

    fn socket(&self, party: &str) -> &UdpSocket {
        &self.sockets[PARTIES.iter().position(|name| *name == party).expect("it is a party")]
    }

    fn send(&self, edge: &Edge, len: usize) {
        let target = self.socket(&edge.to).local_addr().unwrap();
        self.socket(&edge.from).send_to(&vec![0; len], target).expect("a sender does not learn of a drop");
    }

    /// Of so many packets, those that arrive.
    fn arrived(&self, edge: &Edge, packets: usize, len: usize) -> usize {
        let receiver = self.socket(&edge.to);
        // What is not there at once was dropped: the loopback interface has no queue.
        receiver.set_nonblocking(true).unwrap();
        (0..packets)
            .map(|_| {
                self.send(edge, len);
                usize::from(receiver.recv(&mut [0; 2048]).is_ok())
            })
            .sum()
    }

    fn passes(&self, edge: &Edge) -> bool {
        let before = self.network.traffic(edge).unwrap();
        let arrived = self.arrived(edge, 1, 10) == 1;
        let counted = self.network.traffic(edge).unwrap().since(&before).passed.packets == 1;
        assert_eq!(arrived, counted, "{edge}: what was counted is not what arrived");
        arrived
    }

    fn impose(&self, condition: Condition, edge: &Edge) -> supervisor::kernel::EdgeFault {
        self.network.impose(condition, std::slice::from_ref(edge)).unwrap()
    }

    fn listen(&self) -> TcpListener {
        TcpListener::bind((self.network.address("n2"), 0)).unwrap()
    }

    /// A connection of `n1` to the listener of `n2`, both ends.
    fn connect(&self, listener: &TcpListener) -> [TcpStream; 2] {
        let near = dial(self.network.address("n1"), listener, LIMIT).unwrap();
        let (far, _) = listener.accept().unwrap();
        for side in [&near, &far] {
            side.set_nodelay(true).unwrap();
            side.set_read_timeout(Some(LIMIT)).unwrap();
        }
        [near, far]
    }
}

fn dial(from: Ipv4Addr, listener: &TcpListener, limit: Duration) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SockAddr::from(SocketAddr::from((from, 0))))?;
    socket.connect_timeout(&SockAddr::from(listener.local_addr()?), limit)?;
    Ok(socket.into())
}

fn forth() -> Edge {
    Edge::new("n1", "n2")
}

fn back() -> Edge {
    Edge::new("n2", "n1")
}

fn the_machine_can_do_everything(inside: Namespace) {
    let capabilities = probe::examine(inside).unwrap();
    let lacks = probe::Ability::ALL.map(|ability| capabilities.lack(ability).map(ToString::to_string));
    assert_eq!(lacks, [None, None, None]);
}

fn a_cut_is_one_way(inside: Namespace) {
    let bench = Bench::new(inside);
    assert!(bench.passes(&forth()) && bench.passes(&back()));
    let fault = bench.impose(Condition::Cut, &forth());
    assert_eq!(bench.network.standing(), 1);
    assert_eq!(fault.traffic().unwrap(), supervisor::kernel::Traffic::default(), "it dropped nothing yet");
    assert!(!bench.passes(&forth()), "what is cut arrives");
    assert!(bench.passes(&back()), "the other direction is cut as well");
    assert!(bench.passes(&Edge::new("clients", "n2")), "another edge is cut as well");
    let traffic = fault.traffic().unwrap();
    // 10 bytes, with the headers of IP and UDP.
    assert_eq!((traffic.cut.packets, traffic.cut.bytes), (1, 38));
    assert_eq!(fault.struck().unwrap(), 1);
    assert_eq!(traffic.dropped(), traffic.cut);
    fault.lift().unwrap();
    assert_eq!(bench.network.standing(), 0);
    assert!(bench.passes(&forth()), "it is lifted and stands");
}

fn a_cut_refuses_connections(inside: Namespace) {
    let bench = Bench::new(inside);
    let listener = bench.listen();
    for edge in [forth(), back()] {
        let fault = bench.impose(Condition::Cut, &edge);
        let error = dial(bench.network.address("n1"), &listener, SILENCE).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{edge}: silence, not a refusal");
        assert!(fault.traffic().unwrap().cut.packets > 0, "{edge}");
    }
    // The testbed's own questions come from no party.
    let _fault = bench.impose(Condition::Cut, &forth());
    TcpStream::connect_timeout(&listener.local_addr().unwrap(), LIMIT).unwrap();
}

fn a_stream_survives_a_cut(inside: Namespace) {
    let bench = Bench::new(inside);
    let listener = bench.listen();
    let [mut near, mut far] = bench.connect(&listener);
    let fault = bench.impose(Condition::Cut, &forth());
    near.write_all(b"held").unwrap();
    far.write_all(b"passes").unwrap();
    let mut got = [0; 6];
    near.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"passes");
    far.set_read_timeout(Some(SILENCE)).unwrap();
    assert_eq!(far.read(&mut got).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert!(fault.traffic().unwrap().cut.packets > 0);
    drop(fault);
    far.set_read_timeout(Some(LIMIT)).unwrap();
    far.read_exact(&mut got[..4]).unwrap();
    assert_eq!(&got[..4], b"held");
}

fn cuts_overlap(inside: Namespace) {
    let bench = Bench::new(inside);
    let (first, second) = (bench.impose(Condition::Cut, &forth()), bench.impose(Condition::Cut, &forth()));
    assert_eq!(bench.network.standing(), 2);
    drop(first);
    assert!(!bench.passes(&forth()), "one cut still stands");
    drop(second);
    assert!(bench.passes(&forth()));
    assert_eq!(bench.network.standing(), 0);
}

fn loss_loses_some(inside: Namespace) {
    const PACKETS: usize = 2000;
    let bench = Bench::new(inside);
    let third = Condition::Loss("30%".parse().unwrap());
    let fault = bench.impose(third, &forth());
    let arrived = bench.arrived(&forth(), PACKETS, 10);
    // 1400 are expected; 120 is six times the deviation of 20.
    assert!(arrived.abs_diff(1400) < 120, "{arrived} of {PACKETS}");
    let traffic = fault.traffic().unwrap();
    assert_eq!(traffic.passed.packets, arrived as u64);
    assert_eq!(traffic.lost.packets, (PACKETS - arrived) as u64);
    drop(fault);
    assert_eq!(bench.arrived(&forth(), PACKETS, 10), PACKETS);
}

fn a_rate_is_kept(inside: Namespace) {
    let bench = Bench::new(inside);
    let rate = Condition::Rate(NonZeroU64::new(20_000).unwrap());
    let fault = bench.impose(rate, &forth());
    let began = Instant::now();
    let arrived = bench.arrived(&forth(), 200, 1000);
    let seconds = began.elapsed().as_secs_f64();
    let traffic = fault.traffic().unwrap();
    assert_eq!(traffic.passed.packets, arrived as u64);
    // At the beginning there is room for a second's worth and the burst; then it fills at the rate.
    let passed = traffic.passed.bytes as f64;
    let most = 20_000.0 * (1.0 + seconds) + 4096.0;
    assert!((20_000.0..=most).contains(&passed), "{passed} in {seconds} s, not 20000 to {most}");
    assert_eq!(traffic.limited.packets, 200 - arrived as u64);
}

fn a_reset_is_noticed(inside: Namespace) {
    let bench = Bench::new(inside);
    let listener = bench.listen();
    let [stranger, mut stranger_far] = {
        let near = dial(bench.network.address("clients"), &listener, LIMIT).unwrap();
        [near, listener.accept().unwrap().0]
    };
    for is_cut in [false, true] {
        let sides = [bench.connect(&listener), bench.connect(&listener)];
        let fault = is_cut.then(|| bench.network.impose(Condition::Cut, &[forth(), back()]).unwrap());
        assert_eq!(bench.network.reset(&[forth()]).unwrap(), 2);
        for mut side in sides.into_iter().flatten() {
            let kind = side.read(&mut [0; 1]).unwrap_err().kind();
            let known = [io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionAborted];
            assert!(known.contains(&kind), "{kind}");
        }
        drop(fault);
    }
    assert_eq!(bench.network.reset(&[forth()]).unwrap(), 0, "they have ended");
    (&stranger).write_all(b"!").unwrap();
    stranger_far.read_exact(&mut [0; 1]).expect("a connection of another edge goes on");
}

fn a_network_replaces_the_one_before(inside: Namespace) {
    let bench = Bench::new(inside);
    let fault = bench.impose(Condition::Cut, &forth());
    assert!(!bench.passes(&forth()));
    let Bench { network, sockets } = bench;
    drop((fault, network));
    // The sockets stay; nobody drops anything any more.
    let target = sockets[1].local_addr().unwrap();
    sockets[0].send_to(b"!", target).unwrap();
    sockets[1].set_nonblocking(false).unwrap();
    sockets[1].set_read_timeout(Some(LIMIT)).unwrap();
    sockets[1].recv(&mut [0; 1]).expect("a packet arrives");
    let next = Bench::new(inside);
    assert_eq!(next.network.traffic(&forth()).unwrap(), supervisor::kernel::Traffic::default());
    assert!(next.passes(&forth()));
}

/// A process in a namespace with a cut that stands; it says so and waits.
fn hold() -> ExitCode {
    let bench = match namespace::enter() {
        Ok(inside) => Bench::new(inside),
        Err(missing) => {
            println!("SKIPPED: {missing}");
            return ExitCode::SUCCESS;
        }
    };
    let _fault = bench.impose(Condition::Cut, &forth());
    println!("{}", network());
    io::stdin().read_to_end(&mut Vec::new()).expect("the other process ends it");
    ExitCode::SUCCESS
}

/// How a process ends.
type End = fn(&mut Child);

/// Ends such a process in several ways: its namespace is gone with it.
fn nothing_is_left() {
    let ways: [(&str, End); 3] = [
        ("it ends by itself", |child| drop(child.stdin.take())),
        ("SIGINT", |child| signal(child, nix::sys::signal::Signal::SIGINT)),
        ("SIGKILL", |child| signal(child, nix::sys::signal::Signal::SIGKILL)),
    ];
    for (name, end) in ways {
        let mut child = Command::new("/proc/self/exe")
            .arg("__hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be executed again");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it was asked for")).read_line(&mut line).unwrap();
        let namespace = line.trim();
        let was_held = is_held(namespace);
        end(&mut child);
        child.wait().unwrap();
        if namespace.starts_with("SKIPPED") {
            println!("{namespace}");
            return;
        }
        assert!(was_held, "{namespace} does not exist while it should");
        assert!(!is_held(namespace), "{name}: {namespace} is left behind");
        println!("no namespace is left when {name} ... ok");
    }
}

/// A short run of real nodes, with a fault that stands for most of it.
const SCENARIO: &str = "\
version: 1
name: leftovers
cluster: { nodes: 3, network: kernel }
workload: { kind: conversation, clients: 2, rate: 20/s }
run: { warmup: 0s, duration: 8s, settle: 30s, final-reads: true }
faults:
  - { name: cut, at: 1s, for: 5s, partition: { isolate: follower } }
checks: [linearizable, durable, one-leader-per-term, convergence]
";

/// Ends runs in several ways while a fault stands: no process, and so no namespace and no rule, is left. Where root runs
/// this, the runs are those of somebody without rights.
fn nothing_of_a_run_is_left() {
    let ways: [(&str, End); 3] = [
        ("it ends by itself", |_| {}),
        ("SIGINT", |child| signal(child, nix::sys::signal::Signal::SIGINT)),
        ("SIGKILL", |child| signal(child, nix::sys::signal::Signal::SIGKILL)),
    ];
    for (name, end) in ways {
        let directory = tempfile::tempdir().unwrap();
        let scenario = directory.path().join("leftovers.yaml");
        std::fs::write(&scenario, SCENARIO).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
        command.arg("run").arg(&scenario).arg("--out").arg(directory.path().join("runs"));
        command.args(["--progress", "plain"]).stdout(Stdio::null()).stderr(Stdio::piped());
        if nix::unistd::getuid().is_root() {
            std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            as_nobody(&mut command);
        }
        let mut child = command.spawn().expect("the supervisor was built");
        let mut lines = BufReader::new(child.stderr.take().expect("it was asked for")).lines();
        let mut said = Vec::new();
        let stands = lines.by_ref().map_while(Result::ok).any(|line| {
            said.push(line.clone());
            line.contains("partition n")
        });
        if !stands && said.iter().any(|line| line.contains("is not possible here")) {
            println!("SKIPPED: {}", said.join("\n"));
            child.wait().unwrap();
            return;
        }
        assert!(stands, "no fault struck: {said:#?}");
        let namespace = name_of(&format!("/proc/{}/ns/net", child.id())).unwrap();
        assert_ne!(namespace, network(), "the run is in the network of everybody");
        assert_eq!(held_by(&namespace), 4, "three nodes and their supervisor are in {namespace}");
        end(&mut child);
        // Nobody reads what it says, but it must be able to say it.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        child.wait().unwrap();
        let deadline = Instant::now() + LIMIT;
        while is_held(&namespace) {
            assert!(Instant::now() < deadline, "{name}: {namespace} is left behind: {rest:#?}");
            std::thread::yield_now();
        }
        println!("nothing of a run is left when {name} ... ok");
    }
}

fn signal(child: &Child, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, signal).expect("a process that was not waited for can be signalled");
}

/// The network namespace of this process: `net:[4026531840]`.
fn network() -> String {
    name_of("/proc/self/ns/net").expect("each process has a network")
}

fn name_of(path: &str) -> Option<String> {
    std::fs::read_link(path).ok().map(|name| name.to_string_lossy().into_owned())
}

/// Some process is in the namespace.
fn is_held(namespace: &str) -> bool {
    held_by(namespace) > 0
}

/// How many processes are in the namespace.
fn held_by(namespace: &str) -> usize {
    let processes = std::fs::read_dir("/proc").expect("there is a /proc");
    let names =
        processes.flatten().filter_map(|entry| name_of(&format!("{}/ns/net", entry.path().display())));
    names.into_iter().filter(|name| name == namespace).count()
}
