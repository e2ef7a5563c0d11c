//! Subscriptions: the inbox as a stream.
//!
//! The inbox is scanned from the cursor in pages, and scanned again whenever more was applied. Nothing is handed from
//! the sender to the subscriber, so nothing can be missed or doubled: a subscriber that is slow, or comes back on another
//! node, reads on where it was. The first page is linearizable, so a session that was opened on another node is known;
//! the ones after it are what this node applies, which is a prefix of the log in its order.
//!
//! # What it does not do
//! * A node that is cut off from the others applies nothing, and its subscriptions are silent without an error.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use futures::Stream;
use futures::future::{Either, select};
use futures::stream::try_unfold;
use proto::chat::{Code, Event};

use super::consensus::Consensus;
use super::{Service, ServiceError, message};
use crate::bug::Bug;
use crate::env::{Instant, watch};
use crate::machine::inbox;
use crate::machine::session::{Caller, TokenHash};
use crate::machine::tables::Tables;
use crate::raft::{Consistency, Standing};

/// How many events are held for a subscriber at once.
const PAGE_EVENTS_MAX: usize = 256;

/// How long one page may take to be read. Only a disk that hangs takes so long.
const PAGE_READ_LIMIT: Duration = Duration::from_secs(10);

struct Subscription<C> {
    service: Service<C>,
    token_hash: TokenHash,
    cursor: u64,
    applied: watch::Receiver<u64>,
    page: VecDeque<Event>,
}

/// Reads the first page, and makes the stream that begins with it.
pub(super) async fn begin<C: Consensus>(
    service: Service<C>,
    token_hash: TokenHash,
    cursor: u64,
    deadline: Instant,
) -> Result<impl Stream<Item = Result<Event, ServiceError>> + Send + use<C>, ServiceError> {
    let applied = service.consensus.applied();
    let bugs = service.env.bugs;
    let cursor = if bugs.has(Bug::PollAgain) { cursor.saturating_sub(1) } else { cursor };
    let skips = bugs.has(Bug::PollSkip) && cursor > 0;
    let mut subscription = Subscription { service, token_hash, cursor, applied, page: VecDeque::new() };
    subscription.turn_page(Consistency::Linearizable, deadline).await?;
    if skips && let Some(skipped) = subscription.page.pop_front() {
        subscription.cursor = skipped.cursor;
    }
    Ok(try_unfold(subscription, |mut subscription| async move {
        let event = subscription.next().await?;
        Ok(Some((event, subscription)))
    }))
}

impl<C: Consensus> Subscription<C> {
    async fn next(&mut self) -> Result<Event, ServiceError> {
        loop {
            if let Some(event) = self.page.pop_front() {
                self.cursor = event.cursor;
                return Ok(event);
            }
            self.turn_page(Consistency::Stale, self.service.env.now() + PAGE_READ_LIMIT).await?;
            if self.page.is_empty() {
                self.more().await?;
            }
        }
    }

    /// Waits until more was applied. What was applied since the receiver last looked ends the wait at once, so nothing
    /// that came in after a page was read goes unseen. A node that is removed applies nothing more: the next page tells.
    async fn more(&mut self) -> Result<(), ServiceError> {
        let stopped = pin!(self.service.stopped());
        let mut standing = self.service.consensus.standing();
        let removed = pin!(standing.wait_for(|standing| *standing == Standing::Removed));
        let applied = pin!(self.applied.changed());
        match select(stopped, select(applied, removed)).await {
            Either::Right((Either::Left((Ok(_), _)) | Either::Right((Ok(_), _)), _)) => Ok(()),
            Either::Left(_)
            | Either::Right((
                Either::Left((Err(watch::Closed), _)) | Either::Right((Err(watch::Closed), _)),
                _,
            )) => Err(ServiceError::new(Code::Stopping, "the node is stopping")),
        }
    }

    /// Reads the page after the cursor, if the session still lives.
    async fn turn_page(&mut self, consistency: Consistency, deadline: Instant) -> Result<(), ServiceError> {
        let cursor = self.cursor;
        let read = move |tables: &dyn Tables, _, caller: &Caller| {
            inbox::events(tables, caller.account_id, cursor, PAGE_EVENTS_MAX)
        };
        let events = self.service.read_as(self.token_hash, consistency, deadline, read).await?;
        let events = events.ok_or_else(ServiceError::not_authenticated)?;
        self.page.extend(events.into_iter().map(|event| Event {
            cursor: event.cursor,
            conversation: event.conversation,
            message: Some(message(event.sequence, event.message)),
        }));
        Ok(())
    }
}
