//! Who is logged in: one file per person, readable by nobody else, with the token in it.

#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use chat_client::{Session, Token};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::failure::Failure;

/// A session as it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    name: String,
    token: String,
    expires_ms: u64,
}

/// A session that was found.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) token: Token,
    pub(crate) expires_ms: u64,
}

/// The folder of the session files.
#[derive(Debug, Clone)]
pub(crate) struct SessionDir {
    path: PathBuf,
}

impl SessionDir {
    /// `$CHAT_SESSION_DIR`, or `hearsay` in the user's state folder.
    pub(crate) fn of_user() -> Result<Self, Failure> {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = path("CHAT_SESSION_DIR")
            .or_else(|| Some(path("XDG_STATE_HOME")?.join("hearsay")))
            .or_else(|| Some(path("HOME")?.join(".local/state/hearsay")))
            .ok_or_else(|| Failure::usage("there is no HOME to keep the session in: set CHAT_SESSION_DIR"))?;
        Ok(SessionDir { path })
    }

    /// The session of `user`, or else of the only person who is logged in.
    pub(crate) fn find(&self, user: Option<&str>) -> Result<Kept, Failure> {
        if let Some(user) = user {
            let not_logged_in = || Failure::NotLoggedIn { who: format!("{user} is"), name: user.to_owned() };
            return self.load(user)?.ok_or_else(not_logged_in);
        }
        let names = self.names()?;
        match names.as_slice() {
            [] => Err(Failure::NotLoggedIn { who: "you are".to_owned(), name: "NAME".to_owned() }),
            [name] => self.find(Some(name)),
            _ => Err(Failure::usage(format!(
                "several people are logged in here ({}): say who acts with --as NAME or CHAT_USER",
                names.join(", ")
            ))),
        }
    }

    /// Keeps `session`, in place of an earlier one of the same person.
    pub(crate) fn save(&self, session: &Session) -> Result<(), Failure> {
        let path = self.file(session.name())?;
        let record = Record {
            name: session.name().to_owned(),
            token: session.token().reveal().to_owned(),
            expires_ms: session.expires_ms(),
        };
        let text = serde_json::to_string(&record).expect("a record of strings and a number");
        self.write(&path, &text).map_err(|error| Failure::local(could_not("write", &path), error))
    }

    /// Forgets the session of `name`.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.file(name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::local(could_not("remove", &path), error))
            }
            _ => Ok(()),
        }
    }

    fn load(&self, name: &str) -> Result<Option<Kept>, Failure> {
        let path = self.file(name)?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::local(could_not("read", &path), error)),
        };
        let record: Record = serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{} is no session file: {error}; log in again", path.display()))
        })?;
        let Record { name, token, expires_ms } = record;
        Ok(Some(Kept { name, token: Token::new(token), expires_ms }))
    }

    fn names(&self) -> Result<Vec<String>, Failure> {
        let failure = |error| Failure::local(could_not("read", &self.path), error);
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failure(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(failure)?.file_name();
            names.extend(file.to_str().and_then(|file| file.strip_suffix(".json")).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Where the session of `name` is kept. A name that is none must not lead elsewhere.
    fn file(&self, name: &str) -> Result<PathBuf, Failure> {
        let is_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(Failure::usage(format!("`{name}` is not a name: use a-z, 0-9, `-`, `_`, `.`")));
        }
        Ok(self.path.join(format!("{name}.json")))
    }

    /// Writes beside, then renames: the file is there whole or not at all. A temporary file is its owner's alone from its
    /// beginning, whatever the folder is like.
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let mut beside = NamedTempFile::new_in(&self.path)?;
        beside.write_all(text.as_bytes())?;
        beside.as_file().sync_all()?;
        beside.persist(path)?;
        Ok(())
    }
}

fn could_not(verb: &str, path: &Path) -> String {
    format!("could not {verb} {}", path.display())
}
