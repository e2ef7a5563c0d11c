//! nftables, the kernel's packet filter, spoken to directly: no program has to be installed.
//!
//! A [`Table`] is one table of one base chain, which sees every packet that arrives at a local address, and further
//! chains that it leads to. It goes with this value, or with its namespace. Changes are a [`Batch`], which the kernel
//! carries out whole or not at all, between two packets.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;

use nix::sys::socket::SockProtocol;

use super::netlink::{ACK, APPEND, Attributes, CREATE, Message, Socket, attributes};

/// The table's name. It is alone in its namespace.
const TABLE: &str = "hearsay";

/// The chain that sees every packet.
const BASE_CHAIN: &str = "input";

/// What the kernel knows the parts of nftables by: `linux/netfilter/nf_tables.h`.
mod uapi {
    pub(super) const SUBSYSTEM: u16 = 10;
    pub(super) const FAMILY_IPV4: u8 = 2;
    pub(super) const HOOK_LOCAL_IN: u32 = 1;

    pub(super) const BATCH_BEGIN: u16 = 0x10;
    pub(super) const BATCH_END: u16 = 0x11;
    pub(super) const NEW_TABLE: u16 = 0;
    pub(super) const DELETE_TABLE: u16 = 2;
    pub(super) const NEW_CHAIN: u16 = 3;
    pub(super) const NEW_RULE: u16 = 6;
    pub(super) const DELETE_RULE: u16 = 8;
    pub(super) const NEW_OBJECT: u16 = 18;
    pub(super) const GET_OBJECT: u16 = 19;

    pub(super) const TABLE_NAME: u16 = 1;
    pub(super) const CHAIN_TABLE: u16 = 1;
    pub(super) const CHAIN_NAME: u16 = 3;
    pub(super) const CHAIN_HOOK: u16 = 4;
    pub(super) const CHAIN_POLICY: u16 = 5;
    pub(super) const CHAIN_TYPE: u16 = 7;
    pub(super) const HOOK_NUMBER: u16 = 1;
    pub(super) const HOOK_PRIORITY: u16 = 2;
    pub(super) const RULE_TABLE: u16 = 1;
    pub(super) const RULE_CHAIN: u16 = 2;
    pub(super) const RULE_EXPRESSIONS: u16 = 4;
    pub(super) const LIST_ELEMENT: u16 = 1;
    pub(super) const EXPRESSION_NAME: u16 = 1;
    pub(super) const EXPRESSION_DATA: u16 = 2;
    pub(super) const OBJECT_TABLE: u16 = 1;
    pub(super) const OBJECT_NAME: u16 = 2;
    pub(super) const OBJECT_TYPE: u16 = 3;
    pub(super) const OBJECT_DATA: u16 = 4;
    pub(super) const OBJECT_IS_COUNTER: u32 = 1;
    pub(super) const COUNTER_BYTES: u16 = 1;
    pub(super) const COUNTER_PACKETS: u16 = 2;

    pub(super) const DATA_VALUE: u16 = 1;
    pub(super) const DATA_VERDICT: u16 = 2;
    pub(super) const VERDICT_CODE: u16 = 1;
    pub(super) const VERDICT_CHAIN: u16 = 2;
    pub(super) const VERDICT_DROP: u32 = 0;
    pub(super) const VERDICT_ACCEPT: u32 = 1;
    pub(super) const VERDICT_GOTO: u32 = (-4_i32).cast_unsigned();
    pub(super) const REGISTER_VERDICT: u32 = 0;
    pub(super) const REGISTER_1: u32 = 1;

    pub(super) const IMMEDIATE_REGISTER: u16 = 1;
    pub(super) const IMMEDIATE_DATA: u16 = 2;
    pub(super) const COMPARE_REGISTER: u16 = 1;
    pub(super) const COMPARE_OPERATOR: u16 = 2;
    pub(super) const COMPARE_DATA: u16 = 3;
    pub(super) const COMPARE_EQUAL: u32 = 0;
    pub(super) const COMPARE_LESS: u32 = 2;
    pub(super) const PAYLOAD_REGISTER: u16 = 1;
    pub(super) const PAYLOAD_BASE: u16 = 2;
    pub(super) const PAYLOAD_OFFSET: u16 = 3;
    pub(super) const PAYLOAD_LENGTH: u16 = 4;
    pub(super) const PAYLOAD_NETWORK_HEADER: u32 = 1;
    pub(super) const BYTE_ORDER_FROM: u16 = 1;
    pub(super) const BYTE_ORDER_TO: u16 = 2;
    pub(super) const BYTE_ORDER_OPERATOR: u16 = 3;
    pub(super) const BYTE_ORDER_LENGTH: u16 = 4;
    pub(super) const BYTE_ORDER_SIZE: u16 = 5;
    pub(super) const BYTE_ORDER_HTON: u32 = 1;
    pub(super) const LIMIT_RATE: u16 = 1;
    pub(super) const LIMIT_UNIT: u16 = 2;
    pub(super) const LIMIT_BURST: u16 = 3;
    pub(super) const LIMIT_TYPE: u16 = 4;
    pub(super) const LIMIT_FLAGS: u16 = 5;
    pub(super) const LIMIT_IS_BYTES: u32 = 1;
    pub(super) const LIMIT_INVERTED: u32 = 1;
    pub(super) const NUMBER_REGISTER: u16 = 1;
    pub(super) const NUMBER_MODULUS: u16 = 2;
    pub(super) const NUMBER_TYPE: u16 = 3;
    pub(super) const NUMBER_IS_RANDOM: u32 = 1;
    pub(super) const OBJECT_REFERENCE_TYPE: u16 = 1;
    pub(super) const OBJECT_REFERENCE_NAME: u16 = 2;
}

/// One step of a rule: a condition, or something that is done. Where a condition does not hold, the rule ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The packet goes from one address to another.
    Between(Ipv4Addr, Ipv4Addr),
    /// A random number below `of` is below `below`.
    Chance {
        /// How many of them.
        below: u32,
        /// Of how many.
        of: u32,
    },
    /// The packets that come so far are more than so many bytes a second, with so many at once besides.
    Over {
        /// Bytes a second.
        rate: u64,
        /// Bytes.
        burst: u32,
    },
    /// Count the packet in the counter of that name.
    Count(String),
    /// The packet vanishes.
    Drop,
    /// The packet arrives.
    Accept,
    /// Go on with the chain of that name, and do not come back.
    Goto(String),
}

impl Step {
    fn expressions(&self) -> Vec<Attributes> {
        use uapi as u;
        let empty = Attributes::default;
        let verdict = |code: Attributes| {
            let data = empty().with_nested(u::DATA_VERDICT, &code);
            let data = empty()
                .with_u32(u::IMMEDIATE_REGISTER, u::REGISTER_VERDICT)
                .with_nested(u::IMMEDIATE_DATA, &data);
            vec![expression("immediate", &data)]
        };
        let compare = |operator, value: &[u8]| {
            let data = empty()
                .with_u32(u::COMPARE_REGISTER, u::REGISTER_1)
                .with_u32(u::COMPARE_OPERATOR, operator)
                .with_nested(u::COMPARE_DATA, &empty().with(u::DATA_VALUE, value));
            expression("cmp", &data)
        };
        match self {
            Self::Between(from, to) => {
                // The two addresses are neighbours in the header: one load, one comparison.
                let load = empty()
                    .with_u32(u::PAYLOAD_REGISTER, u::REGISTER_1)
                    .with_u32(u::PAYLOAD_BASE, u::PAYLOAD_NETWORK_HEADER)
                    .with_u32(u::PAYLOAD_OFFSET, 12)
                    .with_u32(u::PAYLOAD_LENGTH, 8);
                let addresses = [from.octets(), to.octets()].concat();
                vec![expression("payload", &load), compare(u::COMPARE_EQUAL, &addresses)]
            }
            Self::Chance { below, of } => {
                let draw = empty()
                    .with_u32(u::NUMBER_REGISTER, u::REGISTER_1)
                    .with_u32(u::NUMBER_MODULUS, *of)
                    .with_u32(u::NUMBER_TYPE, u::NUMBER_IS_RANDOM);
                // A comparison is one of bytes, so the most significant one must be the first.
                let order = empty()
                    .with_u32(u::BYTE_ORDER_FROM, u::REGISTER_1)
                    .with_u32(u::BYTE_ORDER_TO, u::REGISTER_1)
                    .with_u32(u::BYTE_ORDER_OPERATOR, u::BYTE_ORDER_HTON)
                    .with_u32(u::BYTE_ORDER_LENGTH, 4)
                    .with_u32(u::BYTE_ORDER_SIZE, 4);
                let compare = compare(u::COMPARE_LESS, &below.to_be_bytes());
                vec![expression("numgen", &draw), expression("byteorder", &order), compare]
            }
            Self::Over { rate, burst } => {
                let limit = empty()
                    .with_u64(u::LIMIT_RATE, *rate)
                    .with_u64(u::LIMIT_UNIT, 1)
                    .with_u32(u::LIMIT_BURST, *burst)
                    .with_u32(u::LIMIT_TYPE, u::LIMIT_IS_BYTES)
                    .with_u32(u::LIMIT_FLAGS, u::LIMIT_INVERTED);
                vec![expression("limit", &limit)]
            }
            Self::Count(counter) => {
                let reference = empty()
                    .with_u32(u::OBJECT_REFERENCE_TYPE, u::OBJECT_IS_COUNTER)
                    .with_text(u::OBJECT_REFERENCE_NAME, counter);
                vec![expression("objref", &reference)]
            }
            Self::Drop => verdict(empty().with_u32(u::VERDICT_CODE, u::VERDICT_DROP)),
            Self::Accept => verdict(empty().with_u32(u::VERDICT_CODE, u::VERDICT_ACCEPT)),
            Self::Goto(chain) => {
                verdict(empty().with_u32(u::VERDICT_CODE, u::VERDICT_GOTO).with_text(u::VERDICT_CHAIN, chain))
            }
        }
    }
}

fn expression(name: &str, data: &Attributes) -> Attributes {
    Attributes::default().with_text(uapi::EXPRESSION_NAME, name).with_nested(uapi::EXPRESSION_DATA, data)
}

/// Changes of the table that are made at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    messages: Vec<Message>,
}

impl Batch {
    /// A table that is empty, whatever was in it.
    fn reset_table(mut self) -> Self {
        let table = |kind, flags| message(kind, flags).with_text(uapi::TABLE_NAME, TABLE);
        // What is not there cannot be deleted, so it is created first.
        self.messages.push(table(uapi::NEW_TABLE, CREATE));
        self.messages.push(table(uapi::DELETE_TABLE, 0));
        self.messages.push(table(uapi::NEW_TABLE, CREATE));
        let hook = Attributes::default()
            .with_u32(uapi::HOOK_NUMBER, uapi::HOOK_LOCAL_IN)
            .with_u32(uapi::HOOK_PRIORITY, 0);
        let chain = chain(BASE_CHAIN)
            .with_nested(uapi::CHAIN_HOOK, &hook)
            .with(uapi::CHAIN_POLICY, &uapi::VERDICT_ACCEPT.to_be_bytes())
            .with_text(uapi::CHAIN_TYPE, "filter");
        self.messages.push(chain);
        self
    }

    fn delete_table(mut self) -> Self {
        self.messages.push(message(uapi::DELETE_TABLE, 0).with_text(uapi::TABLE_NAME, TABLE));
        self
    }

    /// A new chain, without rules.
    pub(super) fn add_chain(mut self, name: &str) -> Self {
        self.messages.push(chain(name));
        self
    }

    /// A new counter, of nothing yet.
    pub(super) fn add_counter(mut self, name: &str) -> Self {
        let object = message(uapi::NEW_OBJECT, CREATE)
            .with_text(uapi::OBJECT_TABLE, TABLE)
            .with_text(uapi::OBJECT_NAME, name)
            .with(uapi::OBJECT_TYPE, &uapi::OBJECT_IS_COUNTER.to_be_bytes())
            .with_nested(uapi::OBJECT_DATA, &Attributes::default());
        self.messages.push(object);
        self
    }

    /// The packets that all packets are shown to are shown to this rule, too, after those that are there.
    pub(super) fn add_base_rule(self, steps: &[Step]) -> Self {
        self.add_rule(BASE_CHAIN, steps)
    }

    /// The rules of `chain` are these, and no others.
    pub(super) fn set_rules(mut self, chain: &str, rules: &[Vec<Step>]) -> Self {
        let delete = message(uapi::DELETE_RULE, 0)
            .with_text(uapi::RULE_TABLE, TABLE)
            .with_text(uapi::RULE_CHAIN, chain);
        self.messages.push(delete);
        rules.iter().fold(self, |batch, rule| batch.add_rule(chain, rule))
    }

    fn add_rule(mut self, chain: &str, steps: &[Step]) -> Self {
        let expressions = steps.iter().flat_map(Step::expressions);
        let list =
            expressions.fold(Attributes::default(), |list, one| list.with_nested(uapi::LIST_ELEMENT, &one));
        let rule = message(uapi::NEW_RULE, CREATE | APPEND)
            .with_text(uapi::RULE_TABLE, TABLE)
            .with_text(uapi::RULE_CHAIN, chain)
            .with_nested(uapi::RULE_EXPRESSIONS, &list);
        self.messages.push(rule);
        self
    }

    /// The messages between their marks; the last of them is to be acknowledged.
    fn finish(self) -> Vec<Message> {
        let mark = |kind| Message::new(kind, 0, &family(0, uapi::SUBSYSTEM));
        let mut messages = self.messages;
        if let Some(last) = messages.pop() {
            messages.push(last.flagged(ACK));
        }
        messages.insert(0, mark(uapi::BATCH_BEGIN));
        messages.push(mark(uapi::BATCH_END));
        messages
    }
}

/// `struct nfgenmsg`: family, version, resource.
fn family(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

fn message(kind: u16, flags: u16) -> Message {
    Message::new(uapi::SUBSYSTEM << 8 | kind, flags, &family(uapi::FAMILY_IPV4, 0))
}

fn chain(name: &str) -> Message {
    message(uapi::NEW_CHAIN, CREATE).with_text(uapi::CHAIN_TABLE, TABLE).with_text(uapi::CHAIN_NAME, name)
}

/// What a counter has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Their bytes, with the headers of IP and TCP.
    pub bytes: u64,
}

/// The table. Dropping it takes it out of the kernel.
#[derive(Debug)]
pub(super) struct Table {
    socket: Socket,
}

impl Table {
    /// A new table, in place of the one that is there, with `content` in it.
    ///
    /// # Errors
    /// What the kernel says against it; `EOPNOTSUPP` or `ENOENT` where it lacks a part of nftables.
    pub(super) fn create(content: Batch) -> io::Result<Self> {
        let mut table = Self { socket: Socket::open(SockProtocol::NetlinkNetFilter)? };
        let mut batch = Batch::default().reset_table();
        batch.messages.extend(content.messages);
        table.apply(batch)?;
        Ok(table)
    }

    /// Makes the changes, all of them or none.
    ///
    /// # Errors
    /// What the kernel says against one of them.
    pub(super) fn apply(&mut self, batch: Batch) -> io::Result<()> {
        self.socket.batch(batch.finish())
    }

    /// What each counter has seen, by its name.
    ///
    /// # Errors
    /// What the kernel says against being asked.
    pub(super) fn counts(&mut self) -> io::Result<BTreeMap<String, Count>> {
        let question = message(uapi::GET_OBJECT, 0)
            .with_text(uapi::OBJECT_TABLE, TABLE)
            .with(uapi::OBJECT_TYPE, &uapi::OBJECT_IS_COUNTER.to_be_bytes());
        let objects = self.socket.dump(question)?;
        // Each begins with a `struct nfgenmsg`.
        Ok(objects.iter().filter_map(|object| counter(object.get(4..)?)).collect())
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // If it fails, the table goes with the namespace, or with the next one that is created in it.
        drop(self.apply(Batch::default().delete_table()));
    }
}

fn find(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// The name and the content of a counter.
fn counter(object: &[u8]) -> Option<(String, Count)> {
    let name = find(object, uapi::OBJECT_NAME)?;
    let name = std::str::from_utf8(name.strip_suffix(&[0])?).ok()?.to_owned();
    let data = find(object, uapi::OBJECT_DATA)?;
    let number = |kind| Some(u64::from_be_bytes(find(data, kind)?.try_into().ok()?));
    let count = Count { packets: number(uapi::COUNTER_PACKETS)?, bytes: number(uapi::COUNTER_BYTES)? };
    Some((name, count))
}
