//! Scripts: the commands of the command line, one a line, and what is expected of them.
//!
//! A script is understood as a whole before its first command is carried out, so that a slip in its last line costs
//! nothing. Lines are split as a shell splits words; `#` begins a comment. A command that fails ends the script with its
//! exit code, unless the line before expects it.

#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Parser;

use crate::cli::Command;
use crate::command;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// One line's words, as clap is to understand them.
#[derive(Debug, Parser)]
#[command(name = "chat-cli", no_binary_name = true, disable_help_flag = true, disable_help_subcommand = true)]
enum Step {
    #[command(flatten)]
    Command(Command),
    /// Who acts from here on.
    As { name: String },
    /// How the next command must end.
    ExpectExit { code: u8 },
    /// What the last command must have printed.
    AssertContains { text: String },
    /// What the last command must not have printed.
    AssertLacks { text: String },
    /// Wait.
    Sleep {
        #[arg(value_parser = humantime::parse_duration)]
        time: Duration,
    },
}

/// A step and the line that it stands in, counted from 1.
#[derive(Debug)]
struct Line {
    number: usize,
    step: Step,
}

/// Runs the script at `path`, and tells when it fails.
pub(crate) async fn run(path: &Path, context: &mut Context) -> Exit {
    let result = match fs::read_to_string(path) {
        Ok(text) => run_text(&path.display().to_string(), &text, context).await,
        Err(error) => Err(Failure::local(format!("could not read {}", path.display()), error)),
    };
    match result {
        Ok(()) => Exit::Done,
        Err(failure) => {
            context.output.failure(&failure);
            failure.exit()
        }
    }
}

async fn run_text(name: &str, text: &str, context: &mut Context) -> Result<(), Failure> {
    let lines = parse(name, text)?;
    let mut expected = Exit::Done.code();
    for Line { number, step } in &lines {
        let place = || format!("{name}:{number}");
        match step {
            Step::Command(command) => {
                context.output.begin();
                let exit = command::execute(command, context).await;
                let expected = std::mem::replace(&mut expected, Exit::Done.code());
                check_exit(place(), exit, expected)?;
            }
            Step::As { name } => context.user = Some(name.clone()),
            Step::ExpectExit { code } => expected = *code,
            Step::AssertContains { text } => check_printed(place(), text, true, context.output.printed())?,
            Step::AssertLacks { text } => check_printed(place(), text, false, context.output.printed())?,
            Step::Sleep { time } => tokio::time::sleep(*time).await,
        }
    }
    Ok(())
}

/// Every step of the script; an error names the line.
fn parse(name: &str, text: &str) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let wrong = |what: &str| Failure::usage(format!("{name}:{number}: {what}"));
        let words = shlex::split(line).ok_or_else(|| wrong("a quote is not closed"))?;
        if words.is_empty() {
            continue;
        }
        let step = Step::try_parse_from(words).map_err(|error| wrong(&gist(&error)))?;
        lines.push(Line { number, step });
    }
    check_expectations(name, &lines)?;
    Ok(lines)
}

/// An expectation that no command follows would never be checked.
fn check_expectations(name: &str, lines: &[Line]) -> Result<(), Failure> {
    let mut open = None;
    for Line { number, step } in lines {
        match (step, open) {
            (Step::Command(_), _) => open = None,
            (Step::ExpectExit { .. }, None) => open = Some(*number),
            (Step::ExpectExit { .. }, Some(_)) => {
                return Err(Failure::usage(format!(
                    "{name}:{number}: the line before already expects something"
                )));
            }
            _ => {}
        }
    }
    match open {
        Some(number) => Err(Failure::usage(format!("{name}:{number}: no command follows that could end so"))),
        None => Ok(()),
    }
}

/// The sentence of a message of clap, and its tips, on one line.
fn gist(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let sentence =
        text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let words: Vec<&str> = sentence.flat_map(str::split_whitespace).collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

fn check_exit(place: String, exit: Exit, expected: u8) -> Result<(), Failure> {
    if exit.code() == expected {
        Ok(())
    } else if expected == Exit::Done.code() {
        Err(Failure::Script { place, exit })
    } else {
        let what = format!("expected exit code {expected}, and it was {}", exit.code());
        Err(Failure::Assertion { place, what })
    }
}

fn check_printed(place: String, text: &str, wanted: bool, printed: &str) -> Result<(), Failure> {
    if printed.contains(text) == wanted {
        return Ok(());
    }
    let lacks = if wanted { "does not contain" } else { "contains" };
    let what = format!("the output {lacks} {text:?}; it is:\n{}", printed.trim_end());
    Err(Failure::Assertion { place, what })
}
