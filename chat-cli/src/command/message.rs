//! Messages: send one, read many.

use std::io::{self, Read as _};

use chat_client::wire::chat::{self, ReadReply, SendReply};
use chat_client::{Consistency, Page, Session};
use serde::Serialize;

use crate::cli::{Format, Read};
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{Look, Output, Report, printable};

/// The most that a node gives in one page.
const PAGE_MAX: u32 = 1_000;

#[derive(Debug, Serialize)]
struct Sent {
    conversation: String,
    sequence: u64,
    time_ms: u64,
}

impl Report for Sent {
    fn text(&self, _: &Look) -> String {
        format!("sent {} in {}\n", self.sequence, self.conversation)
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

pub(super) async fn send(to: &str, text: &[String], context: &mut Context) -> Result<(), Failure> {
    let session = context.session()?;
    let body = match text {
        [dash] if dash == "-" => read_input()?,
        words => words.join(" "),
    };
    let reply = session.send(to, &body).await;
    let SendReply { conversation, sequence, time_ms } = reply
        .doing(format!("send to {to}"), format!("look with `chat-cli read {to}` before you send it again"))?;
    context.output.result(&Sent { conversation, sequence, time_ms })
}

/// All of standard input, without the line break that ends it.
fn read_input() -> Result<String, Failure> {
    let mut body = String::new();
    let read = io::stdin().lock().read_to_string(&mut body);
    read.map_err(|error| Failure::local("could not read the message from standard input", error))?;
    if body.ends_with('\n') {
        body.pop();
    }
    Ok(body)
}

/// A message as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    sequence: u64,
    from: String,
    body: String,
    time_ms: u64,
    client_id: String,
    client_sequence: u64,
}

impl From<chat::Message> for Message {
    fn from(message: chat::Message) -> Self {
        let chat::Message { sequence, from, body, time_ms, client_id, client_sequence } = message;
        Message { sequence, from, body, time_ms, client_id, client_sequence }
    }
}

impl Message {
    /// A line for people, after the heading of its day where that is not `last`. It begins with `label`, and the name of
    /// the sender is padded to `from_width`. Further lines of the body are indented below the first.
    pub(super) fn text(
        &self,
        label: &str,
        from_width: usize,
        last: &mut Option<String>,
        look: &Look,
    ) -> String {
        let (day, time) = look.moment(self.time_ms);
        let heading = look.day_heading(&day, last.as_deref()).map(|line| line + "\n").unwrap_or_default();
        *last = Some(day);
        let place = format!("{label}{:>2}  {time}", self.sequence);
        let from = format!("{:from_width$}", printable(&self.from));
        let indent = place.chars().count() + from.chars().count() + 4;
        let body = printable(&self.body).replace('\n', &format!("\n{:indent$}", ""));
        format!("{heading}{}  {from}  {body}\n", look.dim(&place))
    }
}

#[derive(Debug, Serialize)]
struct Conversation {
    conversation: String,
    messages: Vec<Message>,
    head: u64,
    applied: u64,
}

impl From<ReadReply> for Conversation {
    fn from(reply: ReadReply) -> Self {
        let ReadReply { conversation, messages, head, applied } = reply;
        let messages = messages.into_iter().map(Message::from).collect();
        Conversation { conversation, messages, head, applied }
    }
}

impl Report for Conversation {
    fn text(&self, look: &Look) -> String {
        let mut last = None;
        let from_width = self.messages.iter().map(|message| message.from.chars().count()).max().unwrap_or(0);
        self.messages.iter().map(|message| message.text("", from_width, &mut last, look)).collect()
    }

    fn items(&self) -> Vec<impl Serialize> {
        self.messages.iter().collect()
    }
}

pub(super) async fn read(read: &Read, context: &mut Context) -> Result<(), Failure> {
    let session = context.session()?;
    let consistency = if read.stale { Consistency::Stale } else { Consistency::Linearizable };
    let conversation = if read.all {
        all(&session, &read.with, read.after.unwrap_or(0), consistency).await?
    } else {
        let page = match (read.after, read.before) {
            (Some(after), _) => Page::After(after),
            (None, Some(before)) => Page::Before(before),
            (None, None) => Page::Last,
        };
        page_of(&session, &read.with, page, read.limit, consistency).await?
    };
    context.output.result(&conversation)?;
    comment(read, &conversation, &mut context.output);
    Ok(())
}

async fn page_of(
    session: &Session,
    with: &str,
    page: Page,
    limit: u32,
    consistency: Consistency,
) -> Result<Conversation, Failure> {
    let reply = session.read(with, page, limit, consistency).await;
    Ok(reply.doing(format!("read the conversation with {with}"), "read again")?.into())
}

/// Page after page up to the head. Each page knows everything that was acknowledged before it was asked for.
async fn all(
    session: &Session,
    with: &str,
    after: u64,
    consistency: Consistency,
) -> Result<Conversation, Failure> {
    let mut all = page_of(session, with, Page::After(after), PAGE_MAX, consistency).await?;
    while let Some(last) = all.messages.last().map(|message| message.sequence).filter(|&last| last < all.head)
    {
        let mut next = page_of(session, with, Page::After(last), PAGE_MAX, consistency).await?;
        if next.messages.is_empty() {
            // Another node, which is further behind, took over a stale read.
            break;
        }
        all.messages.append(&mut next.messages);
        (all.head, all.applied) = (next.head, next.applied);
    }
    Ok(all)
}

/// Tells a person what the lines alone do not.
fn comment(read: &Read, conversation: &Conversation, output: &mut Output) {
    if read.stale && output.format() == Format::Text {
        output.note(&format!(
            "as one node knows it: {} messages, at log index {}",
            conversation.head, conversation.applied
        ));
    }
    if !output.is_interactive() {
        return;
    }
    let with = &read.with;
    let (Some(first), Some(last)) = (conversation.messages.first(), conversation.messages.last()) else {
        output.note(&format!("there are no such messages with {with}"));
        return;
    };
    if last.sequence < conversation.head {
        output.note(&format!("newer ones: chat-cli read {with} --after {}", last.sequence));
    }
    if first.sequence > 1 && read.after.is_none() {
        output.note(&format!("older ones: chat-cli read {with} --before {}", first.sequence));
    }
}
