//! Where a password comes from. Never from the command line, which everybody on the machine can see.

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, IsTerminal as _};

use crate::cli::PasswordSource;
use crate::failure::Failure;

/// The environment variable.
const VARIABLE: &str = "CHAT_PASSWORD";

/// Whether a mistyped password can be noticed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// It is known to the cluster, which will refuse another one.
    Once,
    /// It is new: a slip would lock its owner out.
    Twice,
}

/// The password of `name`.
pub(crate) fn obtain(source: PasswordSource, name: &str, ask: Ask) -> Result<String, Failure> {
    if source.password_stdin {
        return read_line(&mut io::stdin().lock());
    }
    if let Ok(password) = std::env::var(VARIABLE) {
        return Ok(password);
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "no password for {name}: use --password-stdin, or set {VARIABLE}"
        )));
    }
    let password = prompt(&format!("Password of {name}: "))?;
    if ask == Ask::Twice && prompt("Once more: ")? != password {
        return Err(Failure::usage("the two passwords differ"));
    }
    Ok(password)
}

fn prompt(question: &str) -> Result<String, Failure> {
    rpassword::prompt_password(question)
        .map_err(|error| Failure::local("could not ask for the password", error))
}

/// One line, so that several commands of a script can each have theirs.
fn read_line(input: &mut impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let bytes = input
        .read_line(&mut line)
        .map_err(|error| Failure::local("could not read the password from standard input", error))?;
    if bytes == 0 {
        return Err(Failure::usage("standard input ended before there was a password"));
    }
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}
