//! Messages as they come in.

use std::time::Duration;

use chat_client::wire::chat::Event;
use chat_client::{Consistency, Delivery, Page, Session, Subscription};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::message::Message;
use crate::cli::{Format, Watch};
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{Output, printable};

/// Longer than anybody watches.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

#[derive(Debug, Serialize)]
struct Item<'a> {
    cursor: u64,
    conversation: &'a str,
    message: &'a Message,
}

pub(super) async fn execute(watch: &Watch, context: &mut Context) -> Result<(), Failure> {
    if context.output.format() == Format::Json {
        return Err(Failure::usage("a watch has no end, so it is not one object: use -o jsonl"));
    }
    let session = context.session()?;
    let after = match watch.after {
        Some(cursor) => cursor,
        None => cursor_now(&session).await?,
    };
    let mut subscription = session.subscribe(after).outage_max(watch.outage_max);
    let deadline = Instant::now() + watch.time.unwrap_or(FOR_EVER);
    let Ok(end) = timeout_at(deadline, print(&mut subscription, watch.limit, &mut context.output)).await
    else {
        return Ok(());
    };
    end
}

/// A cursor is a place in the log, and a read says which place it was made at.
async fn cursor_now(session: &Session) -> Result<u64, Failure> {
    let reply = session.read(session.name(), Page::Last, 1, Consistency::Linearizable).await;
    Ok(reply.doing("watch", "watch again")?.applied)
}

async fn print(
    subscription: &mut Subscription,
    limit: Option<u64>,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut printed = 0;
    let mut last_day = None;
    let mut interrupted = false;
    while limit.is_none_or(|limit| printed < limit) {
        match subscription.next().await.doing("watch", "watch again")? {
            Delivery::Event(event) => {
                print_event(event, &mut last_day, output)?;
                printed += 1;
                interrupted = false;
            }
            Delivery::Resumed(server) => {
                interrupted = false;
                output.note(&format!("going on with {server}"));
            }
            Delivery::Interrupted(error) => {
                // Once for each outage, not for each try in it.
                if !std::mem::replace(&mut interrupted, true) {
                    output.note(&format!("waiting for a node that serves: {error}"));
                }
            }
        }
    }
    Ok(())
}

fn print_event(event: Event, last_day: &mut Option<String>, output: &mut Output) -> Result<(), Failure> {
    let Event { cursor, conversation, message } = event;
    let message = Message::from(message.unwrap_or_default());
    let line = message.text(&format!("{}  ", printable(&conversation)), 0, last_day, output.look());
    output.item(&line, &Item { cursor, conversation: &conversation, message: &message })
}
