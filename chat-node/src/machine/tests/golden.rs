//! Runs the scripts in `testscripts/machine`: blocks of commands, `---`, and what they must print.
//!
//! ```text
//! at 2h                              sets the leader's clock
//! create NAME ATTEMPT                login NAME TOKEN [for DURATION] [life ID]     logout TOKEN [everywhere]
//! delete TOKEN ATTEMPT               send TOKEN TO ATTEMPT BODY                    apply HEX
//! set-topic TOKEN WITH ATTEMPT [if-version N | if-text TEXT] [TEXT]          topic TOKEN WITH
//! who TOKEN                          accounts PATTERN [after NAME] [limit N]       records
//! read TOKEN WITH [after N | before N] [limit N]                                   inbox TOKEN [after CURSOR] [limit N]
//! ```
//!
//! An attempt is `client/sequence`, or `client/sequence<answered_below`. `UPDATE_SCRIPTS=1` writes what is printed.
#![expect(clippy::disallowed_methods, reason = "a test reads its scripts")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proto::log::command::Action;
use proto::log::set_topic::Expected;
use proto::log::{CloseSession, CreateAccount, DeleteAccount, OpenSession, Send, SetTopic};

use super::world::{Try, World, hash, show};
use crate::machine::conversation::{Part, page};
use crate::machine::key::Key;
use crate::machine::name::Name;
use crate::machine::pattern::Pattern;
use crate::machine::{account, inbox, session, topic};

#[test]
fn scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts/machine");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are scripts");
    for path in paths {
        let script = fs::read_to_string(&path).unwrap();
        let printed = run(&script);
        if std::env::var_os("UPDATE_SCRIPTS").is_some() {
            fs::write(&path, printed).unwrap();
        } else {
            assert_eq!(printed, script, "{} (UPDATE_SCRIPTS=1 writes what is printed)", path.display());
        }
    }
}

/// The script with what its commands print now.
fn run(script: &str) -> String {
    let mut world = World::default();
    let blocks: Vec<String> = script.split("\n\n").map(|block| run_block(&mut world, block.trim())).collect();
    blocks.join("\n\n") + "\n"
}

fn run_block(world: &mut World, block: &str) -> String {
    let is_command = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let input: Vec<&str> = block.lines().take_while(|line| *line != "---").collect();
    let printed: String =
        input.iter().filter(|line| is_command(line)).map(|line| run_line(world, line)).collect();
    if printed.is_empty() {
        input.join("\n")
    } else {
        format!("{}\n---\n{}", input.join("\n"), printed.trim_end())
    }
}

fn run_line(world: &mut World, line: &str) -> String {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let (token, attempt, action) = match command {
        "at" => {
            let clock = humantime::parse_duration(words[0]).expect("a duration");
            world.clock_ms = u64::try_from(clock.as_millis()).unwrap();
            return String::new();
        }
        "create" => {
            let password_hash = format!("hash of {}", words[0]);
            let create = CreateAccount { name: words[0].to_owned(), password_hash };
            ("", attempt(words[1]), Action::CreateAccount(create))
        }
        "login" => ("", Try::default(), Action::OpenSession(login(world, &words))),
        "logout" => {
            let everywhere = words.get(1) == Some(&"everywhere");
            (words[0], Try::default(), Action::CloseSession(CloseSession { everywhere }))
        }
        "delete" => (words[0], attempt(words[1]), Action::DeleteAccount(DeleteAccount {})),
        "send" => {
            let body = rest.splitn(4, ' ').nth(3).unwrap_or_default();
            let body =
                body.strip_prefix("bytes=").map_or(body.to_owned(), |n| "x".repeat(n.parse().unwrap()));
            let send = Send { to: words[1].to_owned(), body };
            (words[0], attempt(words[2]), Action::Send(send))
        }
        "set-topic" => (words[0], attempt(words[2]), Action::SetTopic(set_topic(&words))),
        "apply" => {
            let hex = words.first().copied().unwrap_or_default();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
            let reply = show(&world.apply(&bytes));
            return format!("[{}] {reply}\n", world.index);
        }
        _ => return query(world, command, &words),
    };
    let reply = show(&world.propose(token, &attempt, action));
    format!("[{}] {reply}\n", world.index)
}

fn set_topic(words: &[&str]) -> SetTopic {
    let (expected, text) = match &words[3..] {
        ["if-version", version, text @ ..] => {
            (Some(Expected::ExpectedVersion(version.parse().unwrap())), text)
        }
        // A dash stands for no topic.
        ["if-text", expected, text @ ..] => {
            (Some(Expected::ExpectedText(expected.trim_matches('-').to_owned())), text)
        }
        text => (None, text),
    };
    let text = text.join(" ");
    let text = text.strip_prefix("bytes=").map_or(text.clone(), |n| "x".repeat(n.parse().unwrap()));
    SetTopic { with: words[1].to_owned(), text, expected }
}

fn login(world: &World, words: &[&str]) -> OpenSession {
    let life = option(words, "life").map_or_else(
        || {
            let name = Name::parse(words[0]).ok();
            let account = name.and_then(|name| account::find(&world.tables, &name).unwrap());
            account.map_or(0, |account| account.account_id)
        },
        |life| life.parse().unwrap(),
    );
    let lifetime = humantime::parse_duration(option(words, "for").unwrap_or("30d")).unwrap();
    OpenSession {
        name: words[0].to_owned(),
        account_id: life,
        token_hash: hash(words[1]).to_vec(),
        lifetime_ms: u64::try_from(lifetime.as_millis()).unwrap(),
    }
}

fn query(world: &World, command: &str, words: &[&str]) -> String {
    let tables = &world.tables;
    let limit = option(words, "limit").map_or(10, |limit| limit.parse().unwrap());
    let number = |name| option(words, name).map(|text| text.parse::<u64>().unwrap());
    let caller = |token: &str| session::caller(tables, &hash(token)).unwrap();
    let mut out = String::new();
    match command {
        "who" => match caller(words[0]) {
            Some(caller) => writeln!(out, "{} of life {}", caller.name, caller.account_id).unwrap(),
            None => out.push_str("nobody\n"),
        },
        "accounts" => {
            let pattern = Pattern::parse(words[0]).unwrap();
            let after = option(words, "after").unwrap_or_default();
            let names = account::list(tables, &pattern, after, limit).unwrap();
            writeln!(out, "{}{}", names.names.join(" "), if names.more { " …" } else { "" }).unwrap();
        }
        "read" => {
            let part = number("after").map(Part::After).or_else(|| number("before").map(Part::Before));
            let with = Name::parse(words[1]).unwrap();
            let Some(caller) = caller(words[0]) else { return "not authenticated\n".to_owned() };
            match page(tables, &caller, &with, part.unwrap_or(Part::Last), limit).unwrap() {
                None => out.push_str("nothing and nobody there\n"),
                Some(page) => {
                    writeln!(out, "{} head {}", page.conversation.as_str(), page.head).unwrap();
                    for (sequence, message) in page.messages {
                        writeln!(out, "  #{sequence} {}: {}", message.from, message.body).unwrap();
                    }
                }
            }
        }
        "topic" => {
            let Some(caller) = caller(words[0]) else { return "not authenticated\n".to_owned() };
            match topic::find(tables, &caller, &Name::parse(words[1]).unwrap()).unwrap() {
                None => out.push_str("nobody there\n"),
                Some(topic) if topic.version == 0 => out.push_str("never set\n"),
                Some(topic) => {
                    let (by, at) = (topic.by, topic.time_ms);
                    let text = if topic.text.is_empty() { "(none)" } else { &topic.text };
                    writeln!(out, "version {} by {by} at {at} ms: {text}", topic.version).unwrap();
                }
            }
        }
        "inbox" => {
            let Some(caller) = caller(words[0]) else { return "not authenticated\n".to_owned() };
            let after = number("after").unwrap_or(0);
            for event in inbox::events(tables, caller.account_id, after, limit).unwrap() {
                let (place, message) = (format!("{}#{}", event.conversation, event.sequence), event.message);
                writeln!(out, "  [{}] {place} {}: {}", event.cursor, message.from, message.body).unwrap();
            }
            if out.is_empty() {
                out.push_str("empty\n");
            }
        }
        "records" => writeln!(out, "{}", records(world)).unwrap(),
        _ => panic!("no command is called {command}"),
    }
    out
}

/// How many records there are of each kind.
fn records(world: &World) -> String {
    let mut counts = BTreeMap::new();
    for key in world.tables.keys() {
        let debug = format!("{:?}", Key::parse(key).expect("the machine writes keys only"));
        let kind = debug.split([' ', '{']).next().unwrap_or_default().to_lowercase();
        *counts.entry(kind).or_insert(0) += 1;
    }
    counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", ")
}

/// The word after `name`.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| *word == name)?;
    words.get(at + 1).copied()
}

fn attempt(text: &str) -> Try {
    let (client_id, numbers) = text.split_once('/').expect("an attempt is client/sequence");
    let (sequence, answered_below) = numbers.split_once('<').unwrap_or((numbers, "0"));
    Try {
        client_id: client_id.to_owned(),
        sequence: sequence.parse().unwrap(),
        answered_below: answered_below.parse().unwrap(),
    }
}
