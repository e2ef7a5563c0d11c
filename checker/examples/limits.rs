//! How far the `checker` command goes over its limits, on inputs that are hard for it.
//!
//! ```text
//! cargo build --release -p checker && cargo run --release -p checker --example limits -- target/release/checker
//! ```
//!
//! The inputs are generated into a temporary directory, which takes about a gigabyte. For each of them and each limit, the
//! command is run once; its wall time and the greatest resident set that the system saw of it (`VmHWM`, Linux) are told,
//! and by how much they are over the limit.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures a program, so it needs a clock, files and processes"
)]
#![expect(clippy::print_stdout, reason = "its result is a table on the terminal")]

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The limits that are tried: arguments, seconds, mebibytes.
const LIMITS: [(&[&str], Option<f64>, Option<f64>); 3] = [
    (&["--timeout", "1s"], Some(1.0), None),
    (&["--timeout", "5s"], Some(5.0), None),
    (&["--timeout", "60s", "--memory", "64MiB"], Some(60.0), Some(64.0)),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let checker = PathBuf::from(arguments.next().ok_or("say where the `checker` command is")?);
    let only: Vec<String> = arguments.map(|name| name.to_string_lossy().into_owned()).collect();
    let directory = std::env::temp_dir().join(format!("checker-limits-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    println!(
        "{:<10} {:>9} {:<32} {:>4} {:>8} {:>7} {:>9} {:>7}",
        "input", "size", "limits", "exit", "wall", "over", "VmHWM", "over"
    );
    for (name, write) in INPUTS {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == name) {
            continue;
        }
        let path = directory.join(format!("{name}.jsonl"));
        let mut file = BufWriter::new(File::create(&path)?);
        write(&mut Recorder::new(&mut file)?)?;
        file.flush()?;
        let size = std::fs::metadata(&path)?.len() as f64 / 1e6;
        for (arguments, seconds, mebibytes) in LIMITS {
            let run = run(&checker, &path, arguments)?;
            println!(
                "{name:<10} {size:>6.1} MB {:<32} {:>4} {:>6.2} s {:>7} {:>5.1} MiB {:>7}",
                arguments.join(" "),
                run.status.code().map_or("?".to_owned(), |code| code.to_string()),
                run.wall.as_secs_f64(),
                over(run.wall.as_secs_f64(), seconds),
                run.mebibytes,
                over(run.mebibytes, mebibytes),
            );
        }
        std::fs::remove_file(&path)?;
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

/// By how many percent a figure is over its limit.
fn over(figure: f64, limit: Option<f64>) -> String {
    match limit {
        Some(limit) if figure > limit => format!("{:.1} %", (figure / limit - 1.0) * 100.0),
        Some(_) => "-".to_owned(),
        None => String::new(),
    }
}

struct Run {
    status: ExitStatus,
    wall: Duration,
    mebibytes: f64,
}

fn run(checker: &Path, input: &Path, arguments: &[&str]) -> io::Result<Run> {
    let began = Instant::now();
    let mut child = Command::new(checker)
        .arg(input)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut mebibytes = 0.0;
    loop {
        // The peak never falls, so the last look before the end is less than a millisecond short of it.
        mebibytes = peak(&child).unwrap_or(mebibytes);
        if let Some(status) = child.try_wait()? {
            return Ok(Run { status, wall: began.elapsed(), mebibytes });
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn peak(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kibibytes| kibibytes / 1024.0)
}

type Input = (&'static str, fn(&mut Recorder<'_>) -> io::Result<()>);

const INPUTS: [Input; 6] = [
    ("clients", |recorder| crowd(recorder, 50, 100_000, 5, 30)),
    ("hopeless", |recorder| {
        crowd(recorder, 50, 20_000, 2, 70)?;
        // Nobody has written it, so that every order has to be tried.
        recorder.event(1_000_000, "invoke", "read", "null")?;
        recorder.event(1_000_000, "ok", "read", "77")
    }),
    ("pending", pending),
    ("open", |recorder| crowd(recorder, 10_000, 20_000, 5, 0)),
    ("long", |recorder| crowd(recorder, 5, 1_000_000, 5, 0)),
    ("log", log),
];

/// Clients that are always busy with one register of a few values, of whose operations some percent crash.
fn crowd(
    recorder: &mut Recorder<'_>,
    clients: usize,
    operations: u64,
    values: u64,
    crashed_percent: u64,
) -> io::Result<()> {
    let mut open: Vec<Option<(u64, Asked)>> = vec![None; clients];
    let (mut next_process, mut value) = (0, 0);
    recorder.event(0, "invoke", "write", "0")?;
    recorder.event(0, "ok", "write", "0")?;
    for done in 0..operations + clients as u64 {
        let client = recorder.random(clients as u64) as usize;
        match open[client].take() {
            Some((process, asked)) => {
                let crashes = recorder.random(100) < crashed_percent;
                // It takes effect when it completes: what was asked meanwhile may come before or after it.
                let happens = !crashes || recorder.random(2) == 0;
                let before = value;
                let answer = asked.happen(happens, &mut value, before);
                if crashes {
                    recorder.event(process, "info", asked.f(), "null")?;
                } else {
                    let (kind, text) = answer;
                    recorder.event(process, kind, asked.f(), &text)?;
                }
            }
            None if done < operations => {
                let asked = match recorder.random(4) {
                    0 => Asked::Read,
                    1 | 2 => Asked::Write(recorder.random(values)),
                    _ => Asked::Cas(recorder.random(values), recorder.random(values)),
                };
                // A process is never used again after a crash, and a new number costs nothing.
                next_process += 1;
                recorder.event(next_process, "invoke", asked.f(), &asked.value())?;
                open[client] = Some((next_process, asked));
            }
            None => {}
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    Read,
    Write(u64),
    Cas(u64, u64),
}

impl Asked {
    fn f(self) -> &'static str {
        match self {
            Asked::Read => "read",
            Asked::Write(_) => "write",
            Asked::Cas(..) => "cas",
        }
    }

    fn value(self) -> String {
        match self {
            Asked::Read => "null".to_owned(),
            Asked::Write(value) => value.to_string(),
            Asked::Cas(from, to) => format!("[{from},{to}]"),
        }
    }

    /// Takes effect, if it does, and answers.
    fn happen(self, happens: bool, value: &mut u64, before: u64) -> (&'static str, String) {
        match self {
            Asked::Read => ("ok", before.to_string()),
            Asked::Cas(from, _) if from != before => ("fail", "null".to_owned()),
            Asked::Write(to) | Asked::Cas(_, to) => {
                if happens {
                    *value = to;
                }
                ("ok", self.value())
            }
        }
    }
}

/// Ten thousand writes that never complete, among reads that need some of them in an order that is hard to find.
fn pending(recorder: &mut Recorder<'_>) -> io::Result<()> {
    for write in 0..10_000 {
        recorder.event(write, "invoke", "write", &format!("{}", write % 100))?;
    }
    for read in 0..20_000 {
        let (process, value) = (10_000 + read % 7, recorder.random(100));
        recorder.event(process, "invoke", "read", "null")?;
        recorder.event(process, "ok", "read", &value.to_string())?;
    }
    Ok(())
}

/// A million sends to one conversation by five clients, and pages of them.
fn log(recorder: &mut Recorder<'_>) -> io::Result<()> {
    for seq in 1..=1_000_000_u64 {
        let process = seq % 5;
        recorder.event(process, "invoke", "send", &format!("{{\"id\":\"m{seq}\"}}"))?;
        recorder.event(process, "ok", "send", &format!("{{\"id\":\"m{seq}\",\"seq\":{seq}}}"))?;
        if seq % 50 == 0 {
            let page: Vec<String> =
                (seq - 19..=seq).map(|seq| format!("{{\"seq\":{seq},\"id\":\"m{seq}\"}}")).collect();
            let asked = format!("{{\"after\":{},\"limit\":20}}", seq - 20);
            let answered = format!("{{\"messages\":[{}],\"head\":{seq}}}", page.join(","));
            recorder.event(process, "invoke", "read", &asked)?;
            recorder.event(process, "ok", "read", &answered)?;
        }
    }
    Ok(())
}

/// Writes a history, and is random where that is wanted.
struct Recorder<'w> {
    output: &'w mut dyn Write,
    index: u32,
    state: u64,
}

impl<'w> Recorder<'w> {
    fn new(output: &'w mut dyn Write) -> io::Result<Self> {
        writeln!(output, "{{\"format\":\"hearsay-history\",\"version\":1}}")?;
        Ok(Recorder { output, index: 0, state: 7 })
    }

    fn event(&mut self, process: u64, kind: &str, f: &str, value: &str) -> io::Result<()> {
        let index = self.index;
        self.index += 1;
        let time = u64::from(index) * 1000;
        writeln!(
            self.output,
            "{{\"index\":{index},\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"key\":\"x\",\"value\":{value}}}"
        )
    }

    /// The linear congruential generator of Knuth's MMIX; its upper bits are the good ones.
    fn random(&mut self, below: u64) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % below
    }
}
