//! Accounts: create, delete, list.

use std::io::{self, BufRead as _, IsTerminal as _};

use chat_client::Client;
use serde::Serialize;

use crate::cli::{Account, PasswordSource};
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{Look, Report, complain, printable};
use crate::password::{self, Ask};

/// The most that a node gives in one page.
const PAGE_MAX: u32 = 1_000;

pub(super) async fn execute(command: &Account, context: &mut Context) -> Result<(), Failure> {
    match command {
        Account::Create { name, password } => create(name, *password, context).await,
        Account::Delete { yes } => delete(*yes, context).await,
        Account::List { pattern, after, limit } => list(pattern, after, *limit, context).await,
    }
}

#[derive(Debug, Serialize)]
struct Created<'a> {
    name: &'a str,
}

impl Report for Created<'_> {
    fn text(&self, _: &Look) -> String {
        format!("created {}\n", self.name)
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

async fn create(name: &str, source: PasswordSource, context: &mut Context) -> Result<(), Failure> {
    let password = password::obtain(source, name, Ask::Twice)?;
    let look = format!("look with `chat-cli account list {name}`");
    context.client.create_account(name, &password).await.doing(format!("create the account {name}"), look)?;
    context.output.result(&Created { name })
}

#[derive(Debug, Serialize)]
struct Deleted<'a> {
    name: &'a str,
}

impl Report for Deleted<'_> {
    fn text(&self, _: &Look) -> String {
        format!("deleted {}\n", self.name)
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

async fn delete(yes: bool, context: &mut Context) -> Result<(), Failure> {
    let session = context.session()?;
    let name = session.name();
    if !yes {
        confirm(name)?;
    }
    let look = format!("look with `chat-cli account list {name}`");
    session.delete_account().await.doing(format!("delete the account {name}"), look)?;
    context.sessions.remove(name)?;
    context.output.result(&Deleted { name })
}

/// Asks at the terminal whether `name` is really to go.
fn confirm(name: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!("deleting {name} cannot be undone: say --yes")));
    }
    complain(&format!("Deleting {name} cannot be undone. Write the name to go on: "));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::local("could not read the answer", error))?;
    if answer.trim() == name { Ok(()) } else { Err(Failure::usage(format!("{name} was not deleted"))) }
}

#[derive(Debug, Serialize)]
struct Names {
    names: Vec<String>,
    more: bool,
}

#[derive(Debug, Serialize)]
struct Name<'a> {
    name: &'a str,
}

impl Report for Names {
    fn text(&self, _: &Look) -> String {
        self.names.iter().map(|name| printable(name) + "\n").collect()
    }

    fn items(&self) -> Vec<impl Serialize> {
        self.names.iter().map(|name| Name { name }).collect()
    }
}

async fn list(pattern: &str, after: &str, limit: Option<u32>, context: &mut Context) -> Result<(), Failure> {
    let names = match limit {
        Some(limit) => page(&context.client, pattern, after, limit).await?,
        None => all(&context.client, pattern, after).await?,
    };
    context.output.result(&names)?;
    if let Some(last) = names.names.last().filter(|_| names.more && context.output.is_interactive()) {
        context.output.note(&format!("there are more: --after {last}"));
    }
    Ok(())
}

async fn page(client: &Client, pattern: &str, after: &str, limit: u32) -> Result<Names, Failure> {
    let reply = client.list_accounts(pattern, after, limit).await;
    let reply = reply.doing("list the accounts", "list again")?;
    Ok(Names { names: reply.names, more: reply.more })
}

async fn all(client: &Client, pattern: &str, after: &str) -> Result<Names, Failure> {
    let mut all = page(client, pattern, after, PAGE_MAX).await?;
    while let Some(last) = all.names.last().filter(|_| all.more) {
        let next = page(client, pattern, last, PAGE_MAX).await?;
        all.names.extend(next.names);
        all.more = next.more;
    }
    Ok(all)
}
