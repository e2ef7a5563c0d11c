//! A program that can be a node: where it is, whether it can be executed, and which build it is.
//!
//! A path without a slash is the name of a file beside the supervisor itself: what was built together lies together. Any
//! other path counts from where the supervisor was started, as that of `--node-binary` does.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::harness::HarnessFailure;
use crate::scenario::file::{ScenarioError, ScenarioErrors, ScenarioFile};
use crate::scenario::plan::Plan;

/// A program, as `env.json` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Where it was.
    pub path: PathBuf,
    /// XXH3 of its bytes, 16 hexadecimal digits.
    pub xxh3: String,
}

impl Program {
    /// The program that a scenario calls `path`.
    ///
    /// # Errors
    /// If it cannot be executed or read.
    pub fn read(path: &str) -> Result<Self, HarnessFailure> {
        let path = find(path).map_err(HarnessFailure::Unsupported)?;
        let failed = |error| HarnessFailure::file("read", &path)(error);
        let mut file = File::open(&path).map_err(failed)?;
        let (mut hash, mut buffer) = (Xxh3::new(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                length => hash.update(&buffer[..length]),
            }
        }
        Ok(Self { xxh3: format!("{:016x}", hash.digest()), path })
    }
}

/// Where the program is that a scenario calls `path`.
///
/// # Errors
/// In a sentence, if there is none or it cannot be executed.
pub fn find(path: &str) -> Result<PathBuf, String> {
    let full = if path.contains('/') { PathBuf::from(path) } else { beside_us(path) };
    let what = full.display();
    match full.metadata() {
        Err(error) => Err(format!("there is no program {what}: {error}")),
        Ok(metadata) if !metadata.is_file() => Err(format!("{what} is no program: it is not a file")),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => {
            Err(format!("{what} is not executable"))
        }
        Ok(_) => Ok(full),
    }
}

fn beside_us(name: &str) -> PathBuf {
    let us = std::env::current_exe().unwrap_or_default();
    us.parent().unwrap_or(Path::new("")).join(name)
}

/// What is wrong with the programs of `file`, shown where it names them.
#[must_use]
pub fn refusal(file: &ScenarioFile) -> Option<ScenarioErrors> {
    file.binaries.values().find_map(|said| {
        let message = find(&said.value).err()?;
        let help = "a name without a slash is a file beside the supervisor: build it in the same profile, e.g. \
                    `cargo build -p chat-node`";
        let help = (!said.value.contains('/')).then(|| help.to_owned());
        Some(file.refuse(ScenarioError { place: said.place, message, help }))
    })
}

/// The same for a plan, in a sentence.
#[must_use]
pub fn missing(plan: &Plan) -> Option<String> {
    plan.binaries.iter().find_map(|(name, path)| Some(format!("binaries.{name}: {}", find(path).err()?)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_not_there_or_cannot_be_executed_is_no_program() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node");
        let text = path.display().to_string();
        assert_eq!(
            find(&text),
            Err(format!("there is no program {text}: No such file or directory (os error 2)"))
        );
        fs::write(&path, "#!/bin/sh\n").unwrap();
        assert_eq!(find(&text), Err(format!("{text} is not executable")));
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(find(&text), Ok(path.clone()));
        let program = Program::read(&text).unwrap();
        fs::write(&path, "#!/bin/bash\n").unwrap();
        assert_ne!(Program::read(&text).unwrap().xxh3, program.xxh3, "another build");
        let directory = directory.path().display();
        assert_eq!(find(&directory.to_string()), Err(format!("{directory} is no program: it is not a file")));
    }

    #[test]
    fn a_name_is_a_file_beside_us() {
        let us = std::env::current_exe().unwrap();
        let name = us.file_name().unwrap().to_str().unwrap();
        assert_eq!(find(name), Ok(us.clone()));
    }

    #[test]
    fn a_program_that_is_missing_is_shown_where_it_is_named() {
        let text = "version: 1\nname: x\nbinaries: { old: { path: ./no-such-node } }\ncluster: { binary: old }\n\
                    workload: { kind: conversation }\nrun: { duration: 9s }\nchecks: [linearizable]\n";
        let file =
            ScenarioFile::parse(Path::new("x.yaml"), text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        let refusal = refusal(&file).expect("it is not there").to_string();
        assert!(refusal.starts_with("x.yaml:3:26: there is no program ./no-such-node: "), "{refusal}");
        let missing = missing(&Plan::resolve(&file, 1)).unwrap();
        assert!(missing.starts_with("binaries.old: there is no program ./no-such-node: "), "{missing}");
    }
}
