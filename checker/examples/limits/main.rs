//! How far the `checker` command goes over its limits, on inputs that are hard for it.
//!
//! ```text
//! cargo build --release -p checker && cargo run --release -p checker --example limits -- target/release/checker
//! ```
//!
//! Names of inputs behind that are the only ones which are tried. The inputs are generated into a temporary directory,
//! which takes about 200 MB. For each of them and each limit, the command is run once, on one thread. Told are
//! - its wall time, and the processor time that it used after the time was over: the first says what a person waits on
//!   this machine now, the second what the command did too much, whatever else runs beside it;
//! - the greatest resident set that the system saw of it (`VmHWM`, Linux);
//! - by how much they are over the limit.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures a program, so it needs a clock, files and processes"
)]
#![expect(clippy::print_stdout, reason = "its result is a table on the terminal")]

mod inputs;

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use inputs::{INPUTS, Recorder};

/// A limit that is tried.
#[derive(Debug, Clone, Copy)]
enum Limit {
    /// Seconds.
    Time(f64),
    /// Mebibytes.
    Memory(f64),
}

const LIMITS: [Limit; 6] = [
    Limit::Time(0.5),
    Limit::Time(2.0),
    Limit::Time(10.0),
    Limit::Memory(50.0),
    Limit::Memory(200.0),
    Limit::Memory(1000.0),
];

/// How long a limit of memory is waited for, in seconds.
const WAIT: f64 = 20.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let checker = PathBuf::from(arguments.next().ok_or("say where the `checker` command is")?);
    let only: Vec<String> = arguments.map(|name| name.to_string_lossy().into_owned()).collect();
    let directory = std::env::temp_dir().join(format!("checker-limits-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    println!(
        "{:<10} {:>9} {:>9} {:>4} {:>8} {:>7} {:>8} {:>7} {:>10} {:>7}",
        "input", "size", "limit", "exit", "wall", "over", "CPU over", "", "VmHWM", "over"
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
        for limit in LIMITS {
            let run = run(&checker, &path, limit)?;
            println!("{name:<10} {size:>6.1} MB {}", row(limit, &run));
        }
        std::fs::remove_file(&path)?;
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

fn row(limit: Limit, run: &Run) -> String {
    let (limit, seconds, mebibytes) = match limit {
        Limit::Time(seconds) => (format!("{seconds} s"), Some(seconds), None),
        Limit::Memory(mebibytes) => (format!("{mebibytes} MiB"), None, Some(mebibytes)),
    };
    let wall = run.wall.as_secs_f64();
    format!(
        "{limit:>9} {:>4} {wall:>6.2} s {:>7} {:>5.0} ms {:>7} {:>6.1} MiB {:>7}",
        run.status.code().map_or("?".to_owned(), |code| code.to_string()),
        over(wall, seconds),
        run.late.as_secs_f64() * 1e3,
        over(run.late.as_secs_f64() + seconds.unwrap_or(0.0), seconds),
        run.mebibytes,
        over(run.mebibytes, mebibytes),
    )
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
    /// The processor time used after the limit of time.
    late: Duration,
    mebibytes: f64,
}

fn run(checker: &Path, input: &Path, limit: Limit) -> io::Result<Run> {
    let arguments = match limit {
        Limit::Time(seconds) => vec![format!("--timeout={}ms", seconds * 1e3)],
        Limit::Memory(mebibytes) => vec![format!("--memory={mebibytes}MiB"), format!("--timeout={WAIT}s")],
    };
    let seconds = match limit {
        Limit::Time(seconds) => seconds,
        Limit::Memory(_) => WAIT,
    };
    let began = Instant::now();
    let mut child = Command::new(checker)
        .arg(input)
        .arg("--threads=1")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut mebibytes = 0.0;
    let (mut in_time, mut used) = (Duration::ZERO, Duration::ZERO);
    loop {
        // The peak never falls, so the last look before the end is less than a millisecond short of it.
        mebibytes = peak(&child).unwrap_or(mebibytes);
        used = processor_time(&child).unwrap_or(used).max(used);
        if began.elapsed().as_secs_f64() <= seconds {
            in_time = used;
        }
        if let Some(status) = child.try_wait()? {
            return Ok(Run { status, wall: began.elapsed(), late: used - in_time, mebibytes });
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn peak(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kibibytes| kibibytes / 1024.0)
}

/// What all threads of a process have used so far.
fn processor_time(child: &Child) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).ok()?;
    let nanoseconds = threads.filter_map(|thread| {
        let used = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        used.split(' ').next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanoseconds.sum()))
}
