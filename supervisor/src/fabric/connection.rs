//! One connection through a link: two sockets and a pipe each way, in one future.
//!
//! What holds for the bytes holds for how a stream ends: a FIN or a RST from one side reaches the other through the pipe,
//! after the bytes before it, and only when the conditions let it. So a process that dies behind a partition is not
//! missed by anybody before the partition is lifted.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::flow::Flow;
use super::pipe::{Ending, Pipe, Step};

/// How much is read in one go.
const READ_BYTES_MAX: usize = 64 << 10;

/// Where all connections of a fabric read into; what was read goes into a pipe at once.
#[derive(Debug, Clone)]
pub(super) struct Scratch(Rc<RefCell<Box<[u8]>>>);

impl Default for Scratch {
    fn default() -> Self {
        Self(Rc::new(RefCell::new(vec![0; READ_BYTES_MAX].into_boxed_slice())))
    }
}

/// What a link wants of a connection.
#[derive(Debug, Default)]
pub(super) struct Control {
    waker: RefCell<Option<Waker>>,
    is_reset: Cell<bool>,
}

impl Control {
    /// The connection looks at the conditions again.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The connection is to end with a RST on both sides. Tells whether that is news.
    pub(super) fn reset(&self) -> bool {
        let is_news = !self.is_reset.replace(true);
        self.wake();
        is_news
    }

    /// Ready when it is to be reset; otherwise whoever wakes it wakes this task.
    pub(super) fn poll_reset(&self, cx: &Context<'_>) -> Poll<()> {
        if self.is_reset.get() {
            return Poll::Ready(());
        }
        let mut waker = self.waker.borrow_mut();
        match &mut *waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

/// Closes a connection with a RST.
pub(super) fn reset(stream: TcpStream) {
    // It fails only on a socket that is no more, which is what is wanted.
    drop(stream.set_zero_linger());
}

/// One of the two sides.
#[derive(Debug)]
struct Side {
    /// None: we have reset it.
    stream: Option<TcpStream>,
    /// It takes no bytes any more. It may still have some to give.
    is_broken: bool,
}

impl Side {
    fn new(stream: TcpStream) -> Self {
        // Without it, small messages would wait for acknowledgements. It fails only on a socket that is no more.
        drop(stream.set_nodelay(true));
        Self { stream: Some(stream), is_broken: false }
    }

    fn is_gone(&self) -> bool {
        self.is_broken || self.stream.is_none()
    }
}

/// A connection that is proxied. The future is ready when it is over.
#[derive(Debug)]
pub(super) struct Connection {
    /// The one that has opened it, and the one that it leads to.
    sides: [Side; 2],
    /// `pipes[i]` carries what `sides[i]` sends.
    pipes: [Pipe; 2],
    control: Rc<Control>,
    scratch: Scratch,
    timer: Option<Pin<Box<Sleep>>>,
    /// The next time at which something is due.
    due_next: Option<Instant>,
    /// One direction has changed what the other one has to do.
    is_unsettled: bool,
    /// A black hole has torn it.
    is_torn: bool,
}

impl Connection {
    /// The connection of `near`, which has opened it, to `far`. `flows` are those of the bytes of `near`, and of `far`.
    pub(super) fn new(
        near: TcpStream,
        far: TcpStream,
        flows: &[Rc<Flow>; 2],
        control: Rc<Control>,
        scratch: Scratch,
    ) -> Self {
        Self {
            sides: [Side::new(near), Side::new(far)],
            pipes: [Pipe::new(Rc::clone(&flows[0])), Pipe::new(Rc::clone(&flows[1]))],
            control,
            scratch,
            timer: None,
            due_next: None,
            is_unsettled: false,
            is_torn: false,
        }
    }

    /// Does for the bytes of `sides[from]` what can be done now.
    fn carry(&mut self, from: usize, now: Instant, cx: &mut Context<'_>) {
        loop {
            self.deliver(from, now, cx);
            if !self.fetch(from, now, cx) {
                break;
            }
        }
    }

    /// Writes what is due.
    fn deliver(&mut self, from: usize, now: Instant, cx: &mut Context<'_>) {
        let to = 1 - from;
        loop {
            let sink = &mut self.sides[to];
            let stream = match &mut sink.stream {
                Some(stream) if !sink.is_broken => stream,
                _ => return self.pipes[from].discard(),
            };
            match self.pipes[from].step(now) {
                Step::Write(bytes) => match Pin::new(stream).poll_write(cx, bytes) {
                    Poll::Ready(Ok(count)) => self.pipes[from].wrote(count, now),
                    Poll::Ready(Err(_)) => self.breaks(to, now),
                    Poll::Pending => return,
                },
                Step::End(Ending::Fin) => match Pin::new(stream).poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => self.pipes[from].ended(),
                    Poll::Ready(Err(_)) => self.breaks(to, now),
                    Poll::Pending => return,
                },
                Step::End(Ending::Reset) => {
                    self.is_torn |= !self.sides[from].is_gone();
                    self.pipes[from].ended();
                    self.sides[to].stream.take().into_iter().for_each(reset);
                    self.pipes[to].end(Ending::Reset, now);
                    self.is_unsettled = true;
                }
                Step::Wait(at) => {
                    self.due_next = self.due_next.into_iter().chain(at).min();
                    return;
                }
            }
        }
    }

    /// `sides[side]` takes no more. What it has sent before is read to its end, which then is a reset; if that end was
    /// read already, it was not the whole truth.
    fn breaks(&mut self, side: usize, now: Instant) {
        self.sides[side].is_broken = true;
        if self.pipes[side].has_source_ended() {
            self.pipes[side].end(Ending::Reset, now);
        }
        self.is_unsettled = true;
    }

    /// Reads once. Tells whether something has come.
    fn fetch(&mut self, from: usize, now: Instant, cx: &mut Context<'_>) -> bool {
        let room = self.pipes[from].room();
        let Some(stream) = self.sides[from].stream.as_mut().filter(|_| room > 0) else { return false };
        let mut scratch = self.scratch.0.borrow_mut();
        let mut read = ReadBuf::new(&mut scratch[..room.min(READ_BYTES_MAX)]);
        let ending = match Pin::new(stream).poll_read(cx, &mut read) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                self.pipes[from].push(read.filled(), now);
                return true;
            }
            Poll::Ready(Ok(())) if !self.sides[from].is_broken => Ending::Fin,
            Poll::Ready(_) => Ending::Reset,
        };
        self.sides[from].is_broken |= ending == Ending::Reset;
        self.is_unsettled |= ending == Ending::Reset;
        self.pipes[from].end(ending, now);
        true
    }

    /// Nothing can happen on it any more.
    fn is_over(&self) -> bool {
        self.sides.iter().all(Side::is_gone) || self.pipes.iter().all(Pipe::has_ended)
    }

    /// Ready when the next thing is due.
    fn poll_due(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }
}

/// How a connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conclusion {
    /// As its two sides wanted.
    Ended,
    /// By our RST.
    Reset,
}

impl Future for Connection {
    type Output = Conclusion;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Conclusion> {
        let this = &mut *self;
        if this.control.poll_reset(cx).is_ready() {
            this.sides.iter_mut().filter_map(|side| side.stream.take()).for_each(reset);
            return Poll::Ready(Conclusion::Reset);
        }
        loop {
            let now = Instant::now();
            (this.due_next, this.is_unsettled) = (None, false);
            this.carry(0, now, cx);
            this.carry(1, now, cx);
            if this.is_over() {
                let conclusion = if this.is_torn { Conclusion::Reset } else { Conclusion::Ended };
                return Poll::Ready(conclusion);
            }
            if this.is_unsettled {
                continue;
            }
            match this.due_next.map(|at| this.poll_due(at, cx)) {
                Some(Poll::Ready(())) => {}
                Some(Poll::Pending) | None => return Poll::Pending,
            }
        }
    }
}
