//! Netlink, the way to talk to the kernel about its network, as far as this testbed needs it.
//!
//! A [`Message`] is a header and whatever its family wants: a fixed struct, then attributes, which may hold attributes. A
//! [`Socket`] sends messages and reads what the kernel answers. The kernel works on a request while it is being sent, so
//! its answer is there when the send returns, and nothing here waits for long.
//!
//! Lengths, types and flags are in the byte order of the machine; what is inside of an attribute is its family's concern.

use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// How long an answer may take. It is there at once, unless something is very wrong.
const ANSWER_WAIT_SECONDS_MAX: i64 = 5;

/// No answer of the kernel comes in longer pieces.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Room for the longest batch: it is sent in one piece.
const SEND_BUFFER_BYTES: usize = 1 << 20;

/// The header: length, type, flags, sequence number, port.
const HEADER_BYTES: usize = 16;

/// The header of an attribute: length, type.
const ATTRIBUTE_HEADER_BYTES: usize = 4;

/// The attribute holds attributes.
const NESTED: u16 = 0x8000;

/// The message is a request.
const REQUEST: u16 = 0x1;
/// The kernel is to say that it is done.
pub(super) const ACK: u16 = 0x4;
/// Everything of a kind is wanted.
const DUMP: u16 = 0x300;
/// What is not there is to be created.
pub(super) const CREATE: u16 = 0x400;
/// It is to be put behind what is there.
pub(super) const APPEND: u16 = 0x800;

/// An answer that is a result: an error number, or 0.
const KIND_ERROR: u16 = 2;
/// The end of an answer of several parts.
const KIND_DONE: u16 = 3;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A request of type `kind` that begins with `fixed`, the struct of its family.
    pub(super) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((REQUEST | flags).to_ne_bytes());
        bytes.resize(HEADER_BYTES, 0);
        bytes.extend(fixed);
        Self { bytes }
    }

    /// With one more attribute.
    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        put_attribute(&mut self.bytes, kind, value);
        self
    }

    /// With one more attribute that is a text.
    pub(super) fn with_text(self, kind: u16, text: &str) -> Self {
        self.with(kind, &terminated(text))
    }

    /// With one more attribute that holds others.
    pub(super) fn with_nested(mut self, kind: u16, inner: &Attributes) -> Self {
        put_attribute(&mut self.bytes, kind | NESTED, &inner.bytes);
        self
    }

    /// With more flags.
    pub(super) fn flagged(mut self, flags: u16) -> Self {
        self.bytes.splice(6..8, (self.flags() | flags).to_ne_bytes());
        self
    }

    fn flags(&self) -> u16 {
        u16::from_ne_bytes([self.bytes[6], self.bytes[7]])
    }

    /// The bytes to send, numbered.
    fn finish(mut self, sequence: u32) -> Vec<u8> {
        let len = u32::try_from(self.bytes.len()).expect("messages are short");
        self.bytes[..4].copy_from_slice(&len.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

/// Attributes in a row, to be put into another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    bytes: Vec<u8>,
}

impl Attributes {
    /// With one more.
    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        put_attribute(&mut self.bytes, kind, value);
        self
    }

    /// With one more that is a number, most significant byte first, as nftables wants it.
    pub(super) fn with_u32(self, kind: u16, value: u32) -> Self {
        self.with(kind, &value.to_be_bytes())
    }

    /// See [`Attributes::with_u32`].
    pub(super) fn with_u64(self, kind: u16, value: u64) -> Self {
        self.with(kind, &value.to_be_bytes())
    }

    /// With one more that is a text.
    pub(super) fn with_text(self, kind: u16, text: &str) -> Self {
        self.with(kind, &terminated(text))
    }

    /// With one more that holds others.
    pub(super) fn with_nested(mut self, kind: u16, inner: &Self) -> Self {
        put_attribute(&mut self.bytes, kind | NESTED, &inner.bytes);
        self
    }
}

fn terminated(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn put_attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let len = u16::try_from(ATTRIBUTE_HEADER_BYTES + value.len()).expect("attributes are short");
    bytes.extend(len.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// The attributes in `bytes`: type and value. It ends where the bytes make no sense any more.
pub(super) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        let value = rest.get(ATTRIBUTE_HEADER_BYTES..len)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & !NESTED, value))
    })
}

/// A message of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    kind: u16,
    sequence: u32,
    /// What follows the header.
    body: Vec<u8>,
}

impl Answer {
    /// If it is a result: whether the request was carried out.
    fn result(&self) -> Option<io::Result<()>> {
        let number = i32::from_ne_bytes(*self.body.first_chunk()?);
        let result = if number == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-number)) };
        [KIND_ERROR, KIND_DONE].contains(&self.kind).then_some(result)
    }
}

/// The messages in `bytes`. It ends where the bytes make no sense any more.
fn answers(bytes: &[u8]) -> impl Iterator<Item = Answer> + '_ {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = usize::try_from(u32::from_ne_bytes(*rest.first_chunk()?)).ok()?;
        let kind = u16::from_ne_bytes(*rest.get(4..)?.first_chunk()?);
        let sequence = u32::from_ne_bytes(*rest.get(8..)?.first_chunk()?);
        let body = rest.get(HEADER_BYTES..len)?.to_vec();
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(Answer { kind, sequence, body })
    })
}

/// A connection to one part of the kernel.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    /// The number of the last message that was sent.
    sequence: u32,
}

impl Socket {
    /// A connection to `part`, in the network namespace that the process is in now; it stays in that one.
    ///
    /// # Errors
    /// If the kernel has no such part, or no file descriptor.
    pub(super) fn open(part: SockProtocol) -> io::Result<Self> {
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, part)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER_WAIT_SECONDS_MAX))?;
        // The kernel gives what it is willing to give; if that is too little, the send says so.
        setsockopt(&fd, sockopt::SndBuf, &SEND_BUFFER_BYTES)?;
        Ok(Self { fd, sequence: 0 })
    }

    /// Sends a request and waits until it is carried out.
    ///
    /// # Errors
    /// What the kernel says against it.
    pub(super) fn order(&mut self, message: Message) -> io::Result<()> {
        self.list(message.flagged(ACK)).map(drop)
    }

    /// Asks for everything of a kind. The answers begin with the struct of the family.
    ///
    /// # Errors
    /// What the kernel says against it.
    pub(super) fn dump(&mut self, message: Message) -> io::Result<Vec<Vec<u8>>> {
        self.list(message.flagged(DUMP))
    }

    /// Sends a request, and reads until the kernel says how it ended.
    fn list(&mut self, message: Message) -> io::Result<Vec<Vec<u8>>> {
        let own = self.send([message])?;
        let mut found = Vec::new();
        loop {
            for answer in self.receive(&own)? {
                match answer.result() {
                    Some(result) => return result.map(|()| found),
                    None => found.push(answer.body),
                }
            }
        }
    }

    /// Sends several requests in one piece, of which the one before the last asks for an [`ACK`]: the last one only marks
    /// the end. The kernel does all or nothing.
    ///
    /// # Errors
    /// What the kernel says against the first of them that it does not like.
    pub(super) fn batch(&mut self, messages: Vec<Message>) -> io::Result<()> {
        let own = self.send(messages)?;
        loop {
            for answer in self.receive(&own)? {
                match answer.result() {
                    Some(Ok(())) if answer.sequence + 1 == *own.end() => return Ok(()),
                    Some(result) => result?,
                    None => {}
                }
            }
        }
    }

    /// Sends messages in one piece. Returns their numbers.
    fn send(&mut self, messages: impl IntoIterator<Item = Message>) -> io::Result<RangeInclusive<u32>> {
        let first = self.sequence + 1;
        let mut bytes = Vec::new();
        for message in messages {
            self.sequence += 1;
            bytes.extend(message.finish(self.sequence));
        }
        let sent = send(self.fd.as_raw_fd(), &bytes, MsgFlags::empty())?;
        assert_eq!(sent, bytes.len(), "netlink takes a piece whole or not at all");
        Ok(first..=self.sequence)
    }

    /// The next answers to the requests `own`. What comes for others is an answer that nobody waits for any more.
    fn receive(&self, own: &RangeInclusive<u32>) -> io::Result<Vec<Answer>> {
        let mut buffer = vec![0; ANSWER_BYTES_MAX];
        let len = match recv(self.fd.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(len) => len,
            Err(Errno::EAGAIN) => {
                let why = format!("the kernel did not answer within {ANSWER_WAIT_SECONDS_MAX} s");
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(answers(&buffer[..len]).filter(|answer| own.contains(&answer.sequence)).collect())
    }
}
