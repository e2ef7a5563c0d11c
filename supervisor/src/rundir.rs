//! The directory of one run: the evidence.
//!
//! ```text
//! runs/<scenario>/<UTC time>-seed<N>/
//!   scenario.yaml plan.yaml env.json       what was asked, what was drawn, where it ran
//!   history.jsonl events.jsonl             operations; faults, elections, phases; with `run.history: binary` the
//!                                          operations are in history.bin
//!   nodes/n1/{log.jsonl,trace.jsonl,peers,data/}
//!   verdict.json
//! ```
//!
//! It is written before anything is started, so that a run which dies leaves what it saw. `runs/latest` is a link to
//! the run that began last, also while it goes on or when it was killed; `runs/latest-failed` to the one that ended
//! last and not as expected.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use crate::harness::HarnessFailure;

/// The paths of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    root: PathBuf,
    runs: PathBuf,
}

impl RunDir {
    /// Creates `<runs>/<scenario>/<time>-seed<seed>`; a suffix keeps two runs of one second apart.
    pub fn create(runs: &Path, scenario: &str, seed: u64, now: SystemTime) -> Result<Self, HarnessFailure> {
        let parent = runs.join(scenario);
        fs::create_dir_all(&parent).map_err(HarnessFailure::file("create", &parent))?;
        let time = humantime::format_rfc3339_seconds(now).to_string().replace(':', "-");
        let stem = format!("{time}-seed{seed}");
        for attempt in 1_u32.. {
            let name = if attempt == 1 { stem.clone() } else { format!("{stem}.{attempt}") };
            let root = parent.join(name);
            match fs::create_dir(&root) {
                Ok(()) => return Ok(Self { root: absolute(&root)?, runs: absolute(runs)? }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(HarnessFailure::file("create", root)(error)),
            }
        }
        unreachable!("the loop over attempts does not end")
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The directory as a person would type it: relative to where they are, if it is below.
    #[must_use]
    pub fn display(&self) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        self.root.strip_prefix(&here).unwrap_or(&self.root).display().to_string()
    }

    /// A file of the run.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The directory of one node, created when it is not there.
    pub fn node(&self, name: &str) -> Result<PathBuf, HarnessFailure> {
        let path = self.root.join("nodes").join(name);
        fs::create_dir_all(&path).map_err(HarnessFailure::file("create", &path))?;
        Ok(path)
    }

    /// Writes a whole file of the run.
    pub fn save(&self, name: &str, text: &str) -> Result<(), HarnessFailure> {
        let path = self.file(name);
        fs::write(&path, text).map_err(HarnessFailure::file("write", path))
    }

    /// Points `runs/latest` at this run.
    pub fn link_latest(&self) -> Result<(), HarnessFailure> {
        replace_link(&self.runs.join("latest"), &self.root)
    }

    /// Points `runs/latest-failed` at this run.
    pub fn link_failed(&self) -> Result<(), HarnessFailure> {
        replace_link(&self.runs.join("latest-failed"), &self.root)
    }

    /// Removes the nodes' data directories: they are large and, after a run that passed, of no use.
    pub fn remove_node_data(&self) -> Result<(), HarnessFailure> {
        let nodes = self.root.join("nodes");
        for entry in fs::read_dir(&nodes).map_err(HarnessFailure::file("read", &nodes))? {
            let data = entry.map_err(HarnessFailure::file("read", &nodes))?.path().join("data");
            match fs::remove_dir_all(&data) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(HarnessFailure::file("remove", data)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn absolute(path: &Path) -> Result<PathBuf, HarnessFailure> {
    fs::canonicalize(path).map_err(HarnessFailure::file("find", path))
}

/// Replaces a symbolic link in one step, so that a reader never finds it missing.
fn replace_link(link: &Path, target: &Path) -> Result<(), HarnessFailure> {
    let relative = target.strip_prefix(link.parent().unwrap_or(Path::new(""))).unwrap_or(target);
    let fresh = link.with_extension(format!("new-{}", std::process::id()));
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(HarnessFailure::file("replace", fresh)(error));
        }
        _ => {}
    }
    std::os::unix::fs::symlink(relative, &fresh).map_err(HarnessFailure::file("create", &fresh))?;
    fs::rename(&fresh, link).map_err(HarnessFailure::file("replace", link))
}

/// A file of JSON lines. Every line goes to the kernel at once, so that a kill -9 of the supervisor loses none.
///
/// After a write has failed, nothing more is written: a torn line is then the last one, which readers pass over.
#[derive(Debug)]
pub struct JsonLines {
    file: fs::File,
    path: PathBuf,
    is_broken: bool,
    /// The line that is being written; kept so that a line costs no allocation.
    line: Vec<u8>,
}

impl JsonLines {
    /// Creates the file; it must not exist.
    pub fn create(path: PathBuf) -> Result<Self, HarnessFailure> {
        let file = fs::File::create_new(&path).map_err(HarnessFailure::file("create", &path))?;
        Ok(Self { file, path, is_broken: false, line: Vec::new() })
    }

    /// Goes on with the file, or creates it.
    pub fn append(path: PathBuf) -> Result<Self, HarnessFailure> {
        let file = fs::File::options().create(true).append(true).open(&path);
        let file = file.map_err(HarnessFailure::file("open", &path))?;
        Ok(Self { file, path, is_broken: false, line: Vec::new() })
    }

    /// Appends one line.
    pub fn push(&mut self, line: &impl Serialize) -> Result<(), HarnessFailure> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)
            .expect("what we record has string keys and no failing serialiser");
        self.line.push(b'\n');
        let written = if self.is_broken {
            Err(io::Error::other("an earlier line could not be written"))
        } else {
            self.file.write_all(&self.line)
        };
        self.is_broken = written.is_err();
        written.map_err(HarnessFailure::file("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_one_second_get_two_directories_and_latest_is_the_newer() {
        let runs = tempfile::tempdir().unwrap();
        let first = RunDir::create(runs.path(), "calm", 7, SystemTime::UNIX_EPOCH).unwrap();
        let second = RunDir::create(runs.path(), "calm", 7, SystemTime::UNIX_EPOCH).unwrap();
        assert_ne!(first.path(), second.path());
        first.link_latest().unwrap();
        first.link_failed().unwrap();
        second.link_latest().unwrap();
        let at = |link: &str| fs::canonicalize(runs.path().join(link)).unwrap();
        assert_eq!(at("latest"), second.path());
        assert_eq!(at("latest-failed"), first.path());
    }

    #[test]
    fn after_a_write_that_failed_nothing_more_is_written() {
        let mut lines = JsonLines::append(PathBuf::from("/dev/full")).unwrap();
        assert!(matches!(lines.push(&1), Err(HarnessFailure::File { action: "write", .. })));
        lines.file = tempfile::tempfile().unwrap();
        lines.push(&2).unwrap_err();
        assert_eq!(lines.file.metadata().unwrap().len(), 0);
    }
}
