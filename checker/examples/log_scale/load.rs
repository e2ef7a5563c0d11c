//! A simulated chat that keeps its word: what clients ask and learn, as compact events, for as many operations as are
//! wanted. The same seed makes the same events.
//!
//! Clients do one thing at a time. An operation takes effect at a random moment between its invocation and its
//! completion, and nobody learns the outcome of a few of them. The events come in blocks, so that a run of any length
//! needs little memory: that of the conversations themselves, four bytes a message. If it is wanted, the chat lies once.

use checker::history::PageRange;
use checker::log::ledger::{Answer, Asked, Known, Ledger, Open, Page, Violation};

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// How many operations.
    pub(crate) operations: u32,
    /// Of how many conversations.
    pub(crate) conversations: u32,
    /// By how many clients at once.
    pub(crate) clients: u32,
    /// How many of a hundred operations are sends; the rest are reads.
    pub(crate) sends_percent: u32,
    /// How many messages a read asks for.
    pub(crate) page: u32,
    /// How many of a hundred reads ask for the end of the conversation; the rest ask for any place.
    pub(crate) tail_percent: u32,
    /// How many of a thousand operations have an unknown outcome.
    pub(crate) info_permille: u32,
    /// If the chat lies: after this operation has begun, the first page that shows two messages or more shows the
    /// first two in the wrong order.
    pub(crate) lie: Option<u32>,
}

/// An event, by the client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Invoke {
        client: u32,
        operation: u32,
        conversation: u32,
        asked: Asked,
    },
    Sent {
        client: u32,
        seq: u32,
    },
    /// One of the block's pages, which are in the order of the events.
    Page {
        client: u32,
        page: u32,
    },
    Unknown {
        client: u32,
    },
}

/// A page. Its messages begin at `start` of the block's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) conversation: u32,
    pub(crate) first: u32,
    pub(crate) head: u32,
    start: u32,
    messages: u32,
}

/// Events in their order.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) events: Vec<Event>,
    pub(crate) pages: Vec<Shown>,
    messages: Vec<u32>,
}

impl Block {
    /// The messages of a page.
    pub(crate) fn messages(&self, page: &Shown) -> &[u32] {
        &self.messages[page.start as usize..][..page.messages as usize]
    }
}

#[derive(Debug, Clone, Copy)]
enum Client {
    Idle,
    Asked { conversation: u32, asked: Asked },
    Done { answer: Done },
}

#[derive(Debug, Clone, Copy)]
enum Done {
    Sent { seq: u32 },
    Page { conversation: u32, first: u32, messages: u32, head: u32 },
    Unknown,
}

/// The simulation.
pub(crate) struct Load {
    shape: Shape,
    random: u64,
    conversations: Vec<Vec<u32>>,
    clients: Vec<Client>,
    operations: u32,
    messages: u32,
    busy: u32,
}

impl Load {
    pub(crate) fn new(shape: Shape) -> Self {
        Load {
            shape,
            random: 7,
            conversations: vec![Vec::new(); shape.conversations as usize],
            clients: vec![Client::Idle; shape.clients as usize],
            operations: 0,
            messages: 0,
            busy: 0,
        }
    }

    /// How many messages were sent so far.
    pub(crate) fn messages(&self) -> u32 {
        self.messages
    }

    /// Puts the next events into a block. Returns false if there are no more.
    pub(crate) fn fill(&mut self, block: &mut Block, events: usize) -> bool {
        block.events.clear();
        block.pages.clear();
        block.messages.clear();
        while block.events.len() < events && (self.operations < self.shape.operations || self.busy > 0) {
            let client = self.below(self.shape.clients);
            self.step(client, block);
        }
        !block.events.is_empty()
    }

    fn step(&mut self, client: u32, block: &mut Block) {
        match self.clients[client as usize] {
            Client::Idle if self.operations < self.shape.operations => self.invoke(client, block),
            Client::Idle => {}
            Client::Asked { conversation, asked } => {
                let answer = self.answer(conversation, asked);
                self.clients[client as usize] = Client::Done { answer };
            }
            Client::Done { answer } => {
                self.busy -= 1;
                self.clients[client as usize] = Client::Idle;
                self.complete(client, answer, block);
            }
        }
    }

    fn invoke(&mut self, client: u32, block: &mut Block) {
        let conversation = self.below(self.shape.conversations);
        let length = u32::try_from(self.conversations[conversation as usize].len()).expect("it fits");
        let asked = if self.below(100) < self.shape.sends_percent {
            self.messages += 1;
            Asked::Send { message: self.messages - 1 }
        } else if self.below(100) < self.shape.tail_percent {
            let seq = length.saturating_sub(self.shape.page);
            Asked::Read(PageRange::After { seq: seq.into(), limit: self.shape.page })
        } else {
            let seq = self.below(length + 1);
            Asked::Read(PageRange::After { seq: seq.into(), limit: self.shape.page })
        };
        let operation = self.operations;
        self.operations += 1;
        self.busy += 1;
        self.clients[client as usize] = Client::Asked { conversation, asked };
        block.events.push(Event::Invoke { client, operation, conversation, asked });
    }

    /// The operation takes effect.
    fn answer(&mut self, conversation: u32, asked: Asked) -> Done {
        let unknown = self.below(1000) < self.shape.info_permille;
        let happens = !unknown || self.below(2) == 0;
        let log = &mut self.conversations[conversation as usize];
        let number = |length: usize| u32::try_from(length).expect("it fits");
        match asked {
            Asked::Send { message } if happens => {
                log.push(message);
                if unknown { Done::Unknown } else { Done::Sent { seq: number(log.len()) } }
            }
            Asked::Read(PageRange::After { seq, limit }) if !unknown => {
                let head = number(log.len());
                let seq = u32::try_from(seq).expect("it was a number").min(head);
                Done::Page { conversation, first: seq + 1, messages: limit.min(head - seq), head }
            }
            _ => Done::Unknown,
        }
    }

    fn complete(&mut self, client: u32, answer: Done, block: &mut Block) {
        let number = |length: usize| u32::try_from(length).expect("a block is small");
        block.events.push(match answer {
            Done::Unknown => Event::Unknown { client },
            Done::Sent { seq } => Event::Sent { client, seq },
            Done::Page { conversation, first, messages, head } => {
                let (start, from) = (block.messages.len(), first as usize - 1);
                let log = &self.conversations[conversation as usize];
                block.messages.extend_from_slice(&log[from..from + messages as usize]);
                if self.shape.lie.is_some_and(|after| after < self.operations) && messages > 1 {
                    self.shape.lie = None;
                    block.messages.swap(start, start + 1);
                }
                let page = number(block.pages.len());
                block.pages.push(Shown { conversation, first, head, start: number(start), messages });
                Event::Page { client, page }
            }
        });
    }

    /// SplitMix64.
    fn below(&mut self, bound: u32) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((((z ^ (z >> 31)) >> 32) * u64::from(bound)) >> 32).expect("it is below the bound")
    }
}

/// So many pages are looked at ahead of time.
const AHEAD: usize = 256;

/// Feeds a ledger with a block. `open` is what each client has open. Returns what was found.
pub(crate) fn feed(ledger: &mut Ledger, open: &mut [Option<Open>], block: &Block) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut complete = |ledger: &mut Ledger, open: &mut Option<Open>, answer: Answer<'_>| {
        let open = open.take().expect("what completes was invoked");
        found.extend(ledger.complete(open, answer).err());
    };
    let mut known = [Known::default(); AHEAD];
    for event in &block.events {
        match *event {
            Event::Invoke { client, operation, conversation, asked } => {
                open[client as usize] = Some(ledger.invoke(operation, conversation, asked));
            }
            Event::Sent { client, seq } => {
                complete(ledger, &mut open[client as usize], Answer::Sent { seq: seq.into() });
            }
            Event::Page { client, page } => {
                let number = page as usize;
                if number.is_multiple_of(AHEAD) {
                    look_ahead(ledger, block, number, &mut known);
                }
                let shown = &block.pages[number];
                let page = Page {
                    first: shown.first.into(),
                    messages: block.messages(shown),
                    tombstones: &[],
                    head: shown.head.into(),
                    known: known[number % AHEAD],
                };
                complete(ledger, &mut open[client as usize], Answer::Page(page));
            }
            Event::Unknown { client } => {
                complete(ledger, &mut open[client as usize], Answer::Unknown);
            }
        }
    }
    found
}

/// Looks at the pages of a block from `number` on. It is a loop of its own so that nothing else stands between them.
#[inline(never)]
fn look_ahead(ledger: &Ledger, block: &Block, number: usize, known: &mut [Known; AHEAD]) {
    for (page, known) in block.pages[number..].iter().zip(known) {
        *known = ledger.look_ahead(page.conversation, page.first.into(), block.messages(page));
    }
}
