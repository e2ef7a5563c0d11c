//! A subscription that goes on by itself.
//!
//! It remembers the cursor of the last event that it gave out, which means the same on every node. When its stream
//! breaks, it opens another one after that cursor, on another node if need be, so that each event comes once and in the
//! order of the log. It gives up when a node refuses it, or when no stream could be opened for `outage_max`.
//!
//! # Silence
//! Nothing said may mean that nothing happened, that the node is gone without a word, or that it lives but is cut off
//! from the others and learns of nothing. The connection's own signs of life ([`crate::endpoint`]) tell the second; for
//! the third the node is asked, after each `silence_max` without an event, for something that it cannot answer without
//! the leader. One that cannot is left for another.

#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::Stream;
use proto::chat::{Event, ListAccountsRequest, SubscribeRequest};
use tokio::time::{Instant, sleep_until};
use tonic::{Status, Streaming};

use crate::client::Client;
use crate::endpoint::SUBSCRIBE;
use crate::error::{Cause, Effect, Error};
use crate::retry;
use crate::session::Token;

/// Somebody who subscribes wants to wait; but not for ever on a cluster that is gone.
const OUTAGE_MAX: Duration = Duration::from_mins(5);

/// A stream that lived for this long was a good one, also when nothing happened on it.
const GOOD_STREAM_MIN: Duration = Duration::from_secs(1);

/// How long a stream may be silent before the node is asked whether it still hears from the others.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// How long the node may take to answer that, with tries while a leader is elected.
const SILENCE_ANSWER_MAX: Duration = Duration::from_secs(2);

/// What a subscription has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// The next event.
    Event(Event),
    /// The stream broke, or could not be opened again. Nothing is lost; ask for the next delivery to go on.
    Interrupted(Error),
    /// After an interruption another stream is open, from the node at this address.
    Resumed(String),
}

/// A subscription that goes on by itself.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    token: Token,
    cursor: u64,
    outage_max: Duration,
    silence_max: Duration,
    stream: Option<Open>,
    outage: Option<Outage>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    /// When the node was last known to hear from the others.
    heard: Instant,
    place: usize,
    address: String,
    stream: Streaming<Event>,
}

#[derive(Debug)]
struct Outage {
    since: Instant,
    failures: u32,
    retry_at: Instant,
}

impl Subscription {
    pub(crate) fn new(client: Client, token: Token, cursor: u64) -> Self {
        let (outage_max, silence_max) = (OUTAGE_MAX, SILENCE_MAX);
        Subscription { client, token, cursor, outage_max, silence_max, stream: None, outage: None }
    }

    /// The same, but it gives up when it finds no node for `outage_max`.
    #[must_use]
    pub fn outage_max(self, outage_max: Duration) -> Self {
        Subscription { outage_max, ..self }
    }

    /// The same, but it asks a node that was silent for `silence_max` whether it still hears from the others.
    #[must_use]
    pub fn silence_max(self, silence_max: Duration) -> Self {
        Subscription { silence_max, ..self }
    }

    /// The cursor of the last event that was given out: subscribe after it to go on later.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Waits for the next thing to say. Nothing is lost when the wait is abandoned.
    ///
    /// # Errors
    ///
    /// When a node refuses the subscription, or none was found for `outage_max`.
    pub async fn next(&mut self) -> Result<Delivery, Error> {
        loop {
            let Some(open) = &mut self.stream else {
                match self.open().await {
                    Ok(address) if self.outage.is_some() => return Ok(Delivery::Resumed(address)),
                    Ok(_) => continue,
                    Err(error) => return self.interrupted(error).map(Delivery::Interrupted),
                }
            };
            let error = match open.next(&self.client, self.silence_max).await {
                Ok(event) => match self.accept(event) {
                    Some(event) => return Ok(Delivery::Event(event)),
                    None => continue,
                },
                Err(error) => error,
            };
            let place = open.place;
            if open.since.elapsed() >= GOOD_STREAM_MIN {
                self.outage = None;
            }
            self.stream = None;
            self.client.servers().failed(place, &error, self.client.policy().try_limit).await;
            return self.interrupted(error).map(Delivery::Interrupted);
        }
    }

    /// The events alone; interruptions are passed over. Ends after the first error.
    pub fn into_events(self) -> impl Stream<Item = Result<Event, Error>> {
        futures::stream::unfold(Some(self), async |subscription| {
            let mut subscription = subscription?;
            loop {
                match subscription.next().await {
                    Ok(Delivery::Event(event)) => return Some((Ok(event), Some(subscription))),
                    Ok(Delivery::Interrupted(_) | Delivery::Resumed(_)) => {}
                    Err(error) => return Some((Err(error), None)),
                }
            }
        })
    }

    /// Opens a stream after the cursor on whichever node is to be asked, once a pause that is due is over. Tells where.
    async fn open(&mut self) -> Result<String, Error> {
        if let Some(outage) = &self.outage {
            sleep_until(outage.retry_at).await;
        }
        let servers = self.client.servers();
        let (place, endpoint) = servers.pick();
        let request = SubscribeRequest { token: self.token.reveal().to_owned(), cursor: self.cursor };
        let limit = self.client.policy().try_limit;
        match endpoint.subscribe(request, limit).await {
            Ok(stream) => {
                servers.succeeded(place);
                let address = endpoint.address();
                let since = Instant::now();
                self.stream = Some(Open { since, heard: since, place, address: address.clone(), stream });
                Ok(address)
            }
            Err(error) => {
                servers.failed(place, &error, limit).await;
                Err(error)
            }
        }
    }

    /// The event, unless it was given out before.
    fn accept(&mut self, event: Event) -> Option<Event> {
        if event.cursor <= self.cursor {
            tracing::warn!(cursor = event.cursor, last = self.cursor, "a node repeated an event");
            return None;
        }
        self.cursor = event.cursor;
        self.outage = None;
        Some(event)
    }

    /// Plans the next try after `error`, and hands it back: as a note, or as the end.
    fn interrupted(&mut self, error: Error) -> Result<Error, Error> {
        let now = Instant::now();
        let outage = self.outage.get_or_insert(Outage { since: now, failures: 0, retry_at: now });
        outage.failures = outage.failures.saturating_add(1);
        let bound = self.client.policy().pause_bound(outage.failures);
        outage.retry_at = now + bound.mul_f64(retry::random_fraction());
        let over = now.duration_since(outage.since) >= self.outage_max;
        if error.is_passing() && !over { Ok(error) } else { Err(error.after(outage.failures, false)) }
    }
}

impl Open {
    /// The next event, unless the stream ends, or the node is silent and cannot say why.
    async fn next(&mut self, client: &Client, silence_max: Duration) -> Result<Event, Error> {
        loop {
            let asked_at = self.heard + silence_max;
            let silence = async {
                sleep_until(asked_at).await;
                hears(client, self.place).await
            };
            tokio::select! {
                biased;
                message = self.stream.message() => {
                    self.heard = Instant::now();
                    return self.read(message);
                }
                answer = silence => {
                    answer?;
                    self.heard = Instant::now();
                }
            }
        }
    }

    fn read(&self, message: Result<Option<Event>, Status>) -> Result<Event, Error> {
        match message {
            Ok(Some(event)) => Ok(event),
            Ok(None) => {
                let message = "the node ended the stream".to_owned();
                Err(Error::new(SUBSCRIBE, Effect::Read, Cause::Broken, &self.address, message))
            }
            Err(status) => Err(Error::from_status(SUBSCRIBE, Effect::Read, &self.address, &status)),
        }
    }
}

/// Asks the node at `place` for what it cannot answer without the leader.
async fn hears(client: &Client, place: usize) -> Result<(), Error> {
    let endpoint = client.servers().at(place);
    let policy = client.policy().clone().within(SILENCE_ANSWER_MAX);
    let question = ListAccountsRequest { limit: 1, ..ListAccountsRequest::default() };
    let answer =
        retry::run(&policy, retry::random_fraction, |limit| endpoint.execute(question.clone(), limit));
    answer.await.map(|_| ())
}
