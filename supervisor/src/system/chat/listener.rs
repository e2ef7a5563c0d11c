//! The subscriptions of one client: a stream for each inbox that it follows.
//!
//! A stream stays open between polls, as a person's would, as long as the poll goes to the same node and goes on where
//! the stream is; else another one is opened after the cursor that the poll names. What the node says is passed on as it
//! is, in whatever order and however often: to judge it is the checker's part.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_client::wire::chat::{Event, SubscribeRequest};
use chat_client::{Cause, Effect, Endpoint, Error, Streaming};
use tokio::time::{Instant, timeout_at};

/// The most events of one poll.
const EVENTS_MAX: usize = 100;

/// How long a poll waits for the first event.
const FIRST_WAIT: Duration = Duration::from_millis(60);

/// The same for a final poll, whose stream begins with all that was acknowledged.
const FINAL_WAIT: Duration = Duration::from_secs(1);

/// How long a poll that has got an event waits for those that come with it.
const MORE_WAIT: Duration = Duration::from_millis(10);

/// What errors call it.
const POLL: &str = "poll";

/// See the module.
#[derive(Default)]
pub(super) struct Listener {
    streams: BTreeMap<String, Stream>,
}

/// An open stream.
struct Stream {
    node: String,
    /// The cursor of the last event that it gave.
    cursor: u64,
    events: Streaming<Event>,
}

/// What a poll asks for.
pub(super) struct Poll<'a> {
    pub(super) node: &'a str,
    pub(super) endpoint: &'a Endpoint,
    /// Whose inbox, and a token of that person.
    pub(super) person: &'a str,
    pub(super) token: String,
    /// The cursor to go on after.
    pub(super) after: u64,
    /// Every final poll opens a stream of its own: the first page of a stream is linearizable.
    pub(super) is_final: bool,
    pub(super) limit: Duration,
}

impl Listener {
    /// What the subscription has delivered; nothing is no error.
    pub(super) async fn poll(&mut self, poll: Poll<'_>) -> Result<Vec<Event>, Error> {
        let deadline = Instant::now() + poll.limit;
        let fits = |open: &Stream| open.node == poll.node && open.cursor == poll.after && !poll.is_final;
        let mut stream = match self.streams.remove(poll.person).filter(fits) {
            Some(open) => open,
            None => {
                let request = SubscribeRequest { token: poll.token.clone(), cursor: poll.after };
                let events = poll.endpoint.subscribe(request, poll.limit).await?;
                Stream { node: poll.node.to_owned(), cursor: poll.after, events }
            }
        };
        let first = if poll.is_final { FINAL_WAIT } else { FIRST_WAIT };
        let mut until = deadline.min(Instant::now() + first);
        let mut events: Vec<Event> = Vec::new();
        while events.len() < EVENTS_MAX {
            match timeout_at(until, stream.events.message()).await {
                Ok(Ok(Some(event))) => {
                    stream.cursor = event.cursor;
                    if events.is_empty() {
                        until = deadline.min(Instant::now() + MORE_WAIT);
                    }
                    events.push(event);
                }
                // What came before the end was delivered all the same, and the next poll opens another stream.
                Ok(_) if !events.is_empty() => return Ok(events),
                Ok(Ok(None)) => {
                    let what = "the node ended the stream".to_owned();
                    return Err(Error::new(POLL, Effect::Read, Cause::Broken, poll.node, what));
                }
                Ok(Err(status)) => return Err(Error::from_status(POLL, Effect::Read, poll.node, &status)),
                Err(_) => break,
            }
        }
        self.streams.insert(poll.person.to_owned(), stream);
        Ok(events)
    }
}
