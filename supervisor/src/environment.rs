//! `env.json`: where and how a run was made, as far as a reader of its evidence may need it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nix::sys::utsname::uname;
use serde::{Deserialize, Serialize};

use crate::harness::HarnessFailure;
use crate::program::Program;
use crate::scenario::plan::Plan;

/// The surroundings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The version of this testbed.
    pub supervisor: String,
    /// The program that was each node, when it was not the supervisor itself.
    pub node_binary: Option<String>,
    /// The programs that the plan names; each node runs one of them or the one above.
    #[serde(default)]
    pub binaries: BTreeMap<String, Program>,
    /// The file that the plan was read from, when it was not drawn from the scenario and the seed.
    #[serde(default)]
    pub replay_of: Option<String>,
    /// The operating system and its version.
    pub kernel: String,
    /// The kind of processor.
    pub machine: String,
    /// How many threads can run at once.
    pub cores: usize,
    /// The load of the machine over the last minute when the run began.
    pub load_1min: Option<f64>,
    /// When the run began, in RFC 3339.
    pub began: String,
}

impl Environment {
    /// What is true here and now.
    #[must_use]
    pub fn here(node_binary: Option<&Path>, began: &str) -> Self {
        let (kernel, machine) = match uname() {
            Ok(name) => (
                format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy()),
                name.machine().to_string_lossy().into_owned(),
            ),
            Err(error) => (format!("unknown: {error}"), std::env::consts::ARCH.to_owned()),
        };
        let load = fs::read_to_string("/proc/loadavg").ok();
        Self {
            supervisor: env!("CARGO_PKG_VERSION").to_owned(),
            node_binary: node_binary.map(|path| path.display().to_string()),
            binaries: BTreeMap::new(),
            replay_of: None,
            kernel,
            machine,
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            load_1min: load.and_then(|text| text.split_whitespace().next()?.parse().ok()),
            began: began.to_owned(),
        }
    }

    /// The environment of a run, from its directory.
    pub fn read(directory: &Path) -> Result<Self, HarnessFailure> {
        let path = directory.join("env.json");
        let text = fs::read_to_string(&path).map_err(HarnessFailure::file("read", &path))?;
        serde_json::from_str(&text).map_err(|error| HarnessFailure::Check { path, why: error.to_string() })
    }

    /// The same, of a run whose plan names these programs.
    #[must_use]
    pub fn with(self, binaries: BTreeMap<String, Program>) -> Self {
        Self { binaries, ..self }
    }

    /// The same, of a run whose plan was read from `plan`.
    #[must_use]
    pub fn replaying(self, plan: Option<&Path>) -> Self {
        Self { replay_of: plan.map(|path| path.display().to_string()), ..self }
    }

    /// The command that makes the same run again; `directory` is the run's, as a person would type it. A plan that was
    /// not drawn has no seed that gives it, so it is taken from the run itself.
    #[must_use]
    pub fn reproduce(&self, plan: &Plan, directory: &str) -> String {
        let mut command = "cargo run --release ".to_owned();
        if plan.cluster.inject_bug.is_some() && self.node_binary.is_none() {
            command += "--features bugs ";
        }
        if self.replay_of.is_some() {
            command += &format!("-- replay {}", quoted(directory));
        } else {
            command += &format!("-- run {} --seed {}", quoted(&plan.source), plan.seed);
            for change in &plan.overrides {
                command += &format!(" --set {}", quoted(change));
            }
        }
        if let Some(binary) = &self.node_binary {
            command += &format!(" --node-binary {}", quoted(binary));
        }
        command
    }
}

/// A word as a shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |quoted| quoted.into_owned())
}
