//! What a run that was killed left behind.
//!
//! Normally nothing is: the kernel ends nodes with their supervisor, and a network of the kernel ends with the process
//! that made it. This is for what should not happen.
//!
//! - *Node processes whose supervisor is gone.* A process is taken for one only if all of this holds: it belongs to this
//!   user; it was started as `/proc/self/exe __node …`; its program has the name of ours; its parent is known and is no
//!   such program. A node of `--node-binary` looks like any other program and is left alone. Before the kill all of it
//!   is looked at again, with the time at which the process began, so that a number that was given to another process
//!   in between is not a mistake.
//! - *Half-made links and records* in the directory of all runs: they carry the number of the process that made them.
//! - *Runs without a verdict* that no process writes any more: they are evidence, so they are only named.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getuid};
use serde::Serialize;

use crate::process::NODE_SUBCOMMAND;

/// What nodes of ours were started as.
const NODE_PROGRAM: &str = "/proc/self/exe";

/// How long a process may take to end after SIGKILL.
const END_WAIT_MAX: Duration = Duration::from_secs(5);

/// How often it is looked whether it has.
const END_LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// A node process without a supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// Its number.
    pub pid: i32,
    /// Its arguments, for a person.
    pub command: String,
    /// When it began, in the kernel's units since boot: with the number, this names a process for ever.
    #[serde(skip)]
    began: u64,
}

/// Everything that was left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// Node processes without a supervisor.
    pub processes: Vec<Orphan>,
    /// Half-made links and records.
    pub files: Vec<PathBuf>,
    /// Runs without a verdict that nobody writes any more.
    pub unfinished_runs: Vec<PathBuf>,
}

impl Leftovers {
    /// What is there now.
    ///
    /// # Errors
    /// If processes or runs cannot be listed.
    pub fn find(runs: &Path) -> io::Result<Self> {
        let (files, unfinished_runs) =
            if runs.is_dir() { (half_made(runs)?, unfinished(runs)?) } else { (Vec::new(), Vec::new()) };
        Ok(Self { processes: orphans()?, files, unfinished_runs })
    }

    /// Ends the processes and removes the files; runs stay. Everything is tried; the errors are sentences.
    #[must_use]
    pub fn remove(&self) -> Vec<String> {
        let ended = self.processes.iter().filter_map(|orphan| orphan.end().err());
        let removed = self.files.iter().filter_map(|path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Some(format!("could not remove {}: {error}", path.display()))
            }
            _ => None,
        });
        ended.chain(removed).collect()
    }
}

impl Orphan {
    fn end(&self) -> Result<(), String> {
        if Process::read(self.pid).and_then(|process| process.orphan()).as_ref() != Some(self) {
            // It has ended, or it is no longer what it was.
            return Ok(());
        }
        match kill(Pid::from_raw(self.pid), Signal::SIGKILL) {
            Ok(()) | Err(nix::Error::ESRCH) => {}
            Err(error) => return Err(format!("could not end process {}: {error}", self.pid)),
        }
        let deadline = Instant::now() + END_WAIT_MAX;
        while Process::read(self.pid).is_some_and(|process| process.began == self.began) {
            if Instant::now() > deadline {
                let limit = END_WAIT_MAX.as_secs();
                return Err(format!("process {} did not end within end_wait_max = {limit} s", self.pid));
            }
            sleep(END_LOOK_INTERVAL);
        }
        Ok(())
    }
}

/// A process that runs; a zombie does not.
#[derive(Debug)]
struct Process {
    pid: i32,
    parent: i32,
    began: u64,
    user: u32,
    program: Option<OsString>,
    arguments: Vec<String>,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        let place = PathBuf::from(format!("/proc/{pid}"));
        let (state, parent, began) = stat(&fs::read_to_string(place.join("stat")).ok()?)?;
        let bytes = fs::read(place.join("cmdline")).ok()?;
        let arguments = bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
        let is_running = state != 'Z' && state != 'X';
        is_running.then_some(Self {
            pid,
            parent,
            began,
            user: fs::metadata(&place).ok()?.uid(),
            program: program_name(&place),
            arguments: arguments.collect(),
        })
    }

    /// The process is one that is provably ours and has lost its supervisor.
    fn orphan(&self) -> Option<Orphan> {
        let ours = program_name(Path::new("/proc/self"))?;
        let is_node = matches!(&self.arguments[..], [program, verb, ..] if program == NODE_PROGRAM && verb == NODE_SUBCOMMAND);
        let is_ours = self.user == getuid().as_raw() && self.program.as_ref() == Some(&ours);
        let has_supervisor = is_supervisor(self.parent, &ours)?;
        (is_node && is_ours && !has_supervisor).then(|| Orphan {
            pid: self.pid,
            command: self.arguments.join(" ").trim_end().to_owned(),
            began: self.began,
        })
    }
}

/// State, parent and beginning of `/proc/PID/stat`. The name, which may hold anything, is in brackets.
fn stat(text: &str) -> Option<(char, i32, u64)> {
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some((fields.first()?.chars().next()?, fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?))
}

/// The file name of a program, also of one that was built anew since.
fn program_name(process: &Path) -> Option<OsString> {
    let path = fs::read_link(process.join("exe")).ok()?;
    let name = path.file_name()?.to_str()?;
    Some(name.strip_suffix(" (deleted)").unwrap_or(name).into())
}

/// Whether the process is a supervisor, as far as the kernel tells: of another user's process, which may be whoever takes
/// in the orphans, only the short name is known. A program that was started as `/proc/self/exe` is called `exe`.
fn is_supervisor(pid: i32, ours: &OsString) -> Option<bool> {
    let place = PathBuf::from(format!("/proc/{pid}"));
    if let Some(name) = program_name(&place) {
        return Some(name == *ours);
    }
    let short = fs::read(place.join("comm")).ok()?;
    let short = short.strip_suffix(b"\n").unwrap_or(&short);
    Some(short == b"exe" || (!short.is_empty() && ours.as_encoded_bytes().starts_with(short)))
}

fn pids() -> io::Result<Vec<i32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(pids)
}

fn orphans() -> io::Result<Vec<Orphan>> {
    let processes = pids()?.into_iter().filter_map(Process::read);
    Ok(processes.filter_map(|process| process.orphan()).collect())
}

/// `latest.new-123`, `.suite.json.new-123`, where no process has that number.
fn half_made(runs: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(runs)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let pid = ["latest.new-", "latest-failed.new-", ".suite.json.new-"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix)?.parse::<i32>().ok());
        if pid.is_some_and(|pid| Process::read(pid).is_none()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn unfinished(runs: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for scenario in directories(runs)? {
        for run in directories(&scenario)? {
            if run.join("scenario.yaml").is_file() && !run.join("verdict.json").exists() {
                found.push(run);
            }
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let open = open_files()?;
    found.retain(|run| {
        let real = fs::canonicalize(run).unwrap_or_else(|_| run.clone());
        !open.iter().any(|file| file.starts_with(&real))
    });
    found.sort();
    Ok(found)
}

/// The directories in a directory, links left out.
fn directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Every file that a process of this user has open, as far as the kernel tells.
fn open_files() -> io::Result<BTreeSet<PathBuf>> {
    let mut open = BTreeSet::new();
    for pid in pids()? {
        let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        open.extend(entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()));
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_name_of_a_process_may_hold_anything() {
        let fields = "S 41 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 0 0";
        assert_eq!(stat(&format!("12 (a) b (c) {fields}")), Some(('S', 41, 777)));
        assert_eq!(stat("12 (a"), None);
    }

    #[test]
    fn this_process_runs_and_is_no_orphan() {
        let process = Process::read(std::process::id().cast_signed()).unwrap();
        assert_eq!(process.parent, std::os::unix::process::parent_id().cast_signed());
        assert_eq!(process.program, program_name(Path::new("/proc/self")));
        assert_eq!(process.orphan(), None);
        assert!(Process::read(i32::MAX).is_none());
    }

    #[test]
    fn half_made_files_go_and_runs_that_nobody_writes_are_named() {
        let place = tempfile::tempdir().unwrap();
        let runs = place.path();
        let run = |name: &str| {
            let path = runs.join("calm").join(name);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("scenario.yaml"), "").unwrap();
            path
        };
        let (done, dead, alive) = (run("done"), run("dead"), run("alive"));
        fs::write(done.join("verdict.json"), "").unwrap();
        let held = fs::File::create(alive.join("events.jsonl")).unwrap();
        symlink("calm/dead", runs.join("latest")).unwrap();
        symlink("calm/dead", runs.join(format!("latest.new-{}", i32::MAX))).unwrap();
        symlink("calm/dead", runs.join(format!("latest.new-{}", std::process::id()))).unwrap();
        let leftovers = Leftovers::find(runs).unwrap();
        assert_eq!(leftovers.unfinished_runs, [dead.as_path()]);
        assert_eq!(leftovers.files, [runs.join(format!("latest.new-{}", i32::MAX))]);
        assert_eq!(leftovers.remove(), Vec::<String>::new());
        assert_eq!(leftovers.remove(), Vec::<String>::new(), "what is gone is gone");
        assert!(dead.exists() && runs.join("latest").exists());
        drop(held);
        let again = Leftovers::find(runs).unwrap();
        assert_eq!((again.files.len(), again.unfinished_runs.len()), (0, 2));
        assert_eq!(Leftovers::find(&runs.join("nowhere")).unwrap().files, Vec::<PathBuf>::new());
    }
}
