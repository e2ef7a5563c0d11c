//! Streams of frames on their way to peers, which can be taken back.
//!
//! A connection holds the stream that it sends, and one that does not move, as to a peer that is stopped, holds it for
//! as long as it stands. The stream holds what it reads from, a log or a snapshot, and a node that stops closes those.
//! It would also go on to send when nobody reads the answers any more, in the place of the stream that came after it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};

use futures::stream::{BoxStream, Stream, StreamExt as _};
use proto::raft::Frame;

/// All streams that one node sends.
#[derive(Default)]
pub(super) struct Outbox(Mutex<State>);

#[derive(Default)]
struct State {
    sending: Vec<Weak<Mutex<Slot>>>,
    closed: bool,
}

/// One stream, until it ended or was taken back.
struct Slot {
    frames: Option<BoxStream<'static, Frame>>,
    /// Whoever waits for its next frame.
    waker: Option<Waker>,
}

impl Outbox {
    /// The frames, until [`Outbox::close`] or until the [`Recall`] is dropped.
    pub(super) fn send(&self, frames: BoxStream<'static, Frame>) -> (Outgoing, Recall) {
        let mut state = lock(&self.0);
        let slot = Slot { frames: (!state.closed).then_some(frames), waker: None };
        let outgoing = Outgoing(Arc::new(Mutex::new(slot)));
        let recall = Recall(Arc::downgrade(&outgoing.0));
        state.sending.retain(|slot| slot.strong_count() > 0);
        state.sending.push(Arc::downgrade(&outgoing.0));
        (outgoing, recall)
    }

    /// Ends every stream, and those that are begun later, too.
    pub(super) fn close(&self) {
        let sending = {
            let mut state = lock(&self.0);
            state.closed = true;
            std::mem::take(&mut state.sending)
        };
        sending.iter().for_each(take_back);
    }
}

/// Takes a stream back when it is dropped.
pub(super) struct Recall(Weak<Mutex<Slot>>);

impl Drop for Recall {
    fn drop(&mut self) {
        take_back(&self.0);
    }
}

/// Drops what a stream was to send, and ends it. One that panicked has nothing to send any more.
fn take_back(slot: &Weak<Mutex<Slot>>) {
    let Some(slot) = slot.upgrade() else { return };
    // What a stream does when it is dropped is done without the lock.
    let (_frames, waker) = match slot.lock() {
        Ok(mut slot) => (slot.frames.take(), slot.waker.take()),
        Err(_) => return,
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Frames to send, as a type of its own: the compiler cannot prove of the bare trait object that it may be sent to
/// another thread from within an async block.
pub(super) struct Outgoing(Arc<Mutex<Slot>>);

impl Stream for Outgoing {
    type Item = Frame;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        let mut slot = lock(&self.0);
        let Some(frames) = &mut slot.frames else { return Poll::Ready(None) };
        let next = frames.poll_next_unpin(cx);
        slot.waker = next.is_pending().then(|| cx.waker().clone());
        next
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a stream that panicked stops the node")
}
