//! Random subscriptions over a random log, which are valid as they come; then each is bent in one place.

use super::*;
use crate::history::{Delivery, Moment};

/// SplitMix64: a few lines instead of a dependency, and the same histories for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const PEOPLE: [&str; 3] = ["al", "bo", "cy"];
const KEYS: [&str; 3] = ["al:bo", "bo:cy", "al:cy"];

/// A message in the log, at its cursor.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    cursor: u64,
    key: &'static str,
    seq: u64,
    id: String,
}

#[derive(Debug, Clone)]
enum Event {
    /// A send, and whether its answer comes: if not, it may be in the log all the same.
    Send {
        message: Message,
        answered: bool,
    },
    Poll {
        subscriber: usize,
        after: u64,
        last: bool,
        delivered: Vec<Message>,
    },
}

#[derive(Debug)]
struct Reader {
    inbox: &'static str,
    cursor: u64,
}

/// Sends and polls one after the other; every subscriber is late by chance, and drained in the end.
fn events(random: &mut Random) -> Vec<Event> {
    let mut log: Vec<Message> = Vec::new();
    let mut readers: Vec<Reader> =
        (0..4).map(|number| Reader { inbox: PEOPLE[number % PEOPLE.len()], cursor: 0 }).collect();
    let mut events = Vec::new();
    for number in 0..60 {
        if random.chance(50) {
            let key = KEYS[random.below(KEYS.len())];
            let seq = 1 + log.iter().filter(|message| message.key == key).count() as u64;
            // Other entries of the log lie in between.
            let cursor = log.last().map_or(3, |last| last.cursor) + 1 + random.below(3) as u64;
            let message = Message { cursor, key, seq, id: format!("m{number}") };
            log.push(message.clone());
            events.push(Event::Send { message, answered: random.chance(80) });
        } else {
            let subscriber = random.below(readers.len());
            let rewinds = random.chance(10);
            let reader = &mut readers[subscriber];
            if rewinds && !log.is_empty() {
                reader.cursor = log[random.below(log.len())].cursor;
            }
            let most = random.below(6);
            events.push(poll(&log, subscriber, reader, most, false));
        }
    }
    for (subscriber, reader) in readers.iter_mut().enumerate() {
        events.push(poll(&log, subscriber, reader, log.len(), true));
        events.push(poll(&log, subscriber, reader, log.len(), true));
    }
    events
}

fn poll(log: &[Message], subscriber: usize, reader: &mut Reader, most: usize, last: bool) -> Event {
    let after = reader.cursor;
    let theirs = |message: &&Message| {
        message.cursor > after && message.key.split(':').any(|name| name == reader.inbox)
    };
    let delivered: Vec<Message> = log.iter().filter(theirs).take(most).cloned().collect();
    reader.cursor = delivered.last().map_or(after, |last| last.cursor);
    Event::Poll { subscriber, after, last, delivered }
}

fn history(events: &[Event]) -> History {
    let mut history = History::new();
    let mut process = 0;
    let at = |history: &History| {
        let index = history.next_index();
        Moment { index, time: u64::from(index) }
    };
    for event in events {
        process += 1;
        let (key, input, outcome) = match event {
            Event::Send { message, answered } => {
                let id = history.symbols.intern(&message.id);
                let outcome = if *answered {
                    Outcome::Ok(Output::Sent { seq: message.seq })
                } else {
                    Outcome::Info(None)
                };
                (message.key, Input::Send { id }, outcome)
            }
            Event::Poll { subscriber, after, last, delivered } => {
                let symbols = &mut history.symbols;
                let mut delivery = |message: &Message| Delivery {
                    cursor: message.cursor,
                    key: symbols.intern(message.key),
                    seq: message.seq,
                    id: symbols.intern(&message.id),
                };
                let deliveries = delivered.iter().map(&mut delivery).collect();
                let name = Some(history.symbols.intern(&format!("w{subscriber}")));
                let input = Input::Poll { subscriber: name, after: Some(*after), last: *last };
                (PEOPLE[subscriber % PEOPLE.len()], input, Outcome::Ok(Output::Polled { deliveries }))
            }
        };
        let key = Some(history.symbols.intern(key));
        let f = input.f(&history.symbols).to_owned();
        history.invoke(at(&history), process, None, key, input).unwrap();
        history.complete(at(&history), process, &f, outcome).unwrap();
    }
    history
}

fn judge(events: &[Event]) -> CheckResult {
    check(&history(events), &Limits::none())
}

fn of_kind(result: &CheckResult, kind: AnomalyKind) -> bool {
    result.anomalies.iter().any(|anomaly| anomaly.kind == kind)
}

/// Bends the poll at `at`; `false` where there is nothing to bend in that way.
type Bend = fn(&mut Random, &mut [Event], usize) -> bool;

fn delivered(event: &mut Event) -> &mut Vec<Message> {
    match event {
        Event::Poll { delivered, .. } => delivered,
        Event::Send { .. } => panic!("it is a poll"),
    }
}

fn skip(random: &mut Random, events: &mut [Event], at: usize) -> bool {
    let messages = delivered(&mut events[at]);
    let followed =
        |place: &usize| messages[place + 1..].iter().any(|later| later.key == messages[*place].key);
    let places: Vec<usize> = (0..messages.len()).filter(followed).collect();
    let Some(place) = places.get(random.below(places.len().max(1))) else { return false };
    // Where a subscription begins in the middle, what comes before its first delivery may be in front of it.
    let is_first = messages[..*place].iter().all(|earlier| earlier.key != messages[*place].key);
    if is_first {
        return false;
    }
    messages.remove(*place);
    true
}

fn repeat(random: &mut Random, events: &mut [Event], at: usize) -> bool {
    let messages = delivered(&mut events[at]);
    if messages.is_empty() {
        return false;
    }
    let place = random.below(messages.len());
    let again = messages[place].clone();
    messages.insert(place + random.below(messages.len() - place) + 1, again);
    true
}

fn swap(random: &mut Random, events: &mut [Event], at: usize) -> bool {
    let messages = delivered(&mut events[at]);
    if messages.len() < 2 {
        return false;
    }
    let place = random.below(messages.len() - 1);
    messages.swap(place, place + 1);
    true
}

fn forge(random: &mut Random, events: &mut [Event], at: usize) -> bool {
    let messages = delivered(&mut events[at]);
    if messages.is_empty() {
        return false;
    }
    let place = random.below(messages.len());
    messages[place].id = "forged".to_owned();
    true
}

/// The last message of the log, of whichever subscriber, is kept from the final polls.
fn cut_tail(_: &mut Random, events: &mut [Event], at: usize) -> bool {
    let proven = events.iter().filter_map(|event| match event {
        Event::Send { message, answered: true } => Some(message.clone()),
        _ => None,
    });
    let proven: Vec<Message> = proven.collect();
    let messages = delivered(&mut events[at]);
    match messages.last() {
        Some(last) if proven.contains(last) && messages.len() > 1 => {
            let key = messages.pop().expect("it is there").key;
            // Of a conversation of which nothing is delivered, nothing may be due.
            let is_due = messages.iter().any(|message| message.key == key);
            let cursor = messages.last().map(|last| last.cursor);
            // The drain's second poll goes on after what the first one gave.
            if let (Some(cursor), Event::Poll { after, .. }) = (cursor, &mut events[at + 1]) {
                *after = cursor;
            }
            is_due
        }
        _ => false,
    }
}

#[test]
fn what_a_log_tells_is_valid() {
    for seed in 0..2_000 {
        let events = events(&mut Random(seed));
        let result = judge(&events);
        assert_eq!(result.verdict, Verdict::Valid, "seed {seed}: {:?}\n{events:#?}", result.reason);
    }
}

#[test]
fn each_fault_that_is_planted_is_found_by_its_name() {
    let plans: [(Bend, AnomalyKind, bool); 5] = [
        (skip, AnomalyKind::PollSkip, false),
        (repeat, AnomalyKind::DuplicateDelivery, false),
        (swap, AnomalyKind::NonmonotonicPoll, false),
        (forge, AnomalyKind::Phantom, false),
        (cut_tail, AnomalyKind::LostTail, true),
    ];
    for (bend, kind, only_first_final) in plans {
        let mut found = 0;
        for seed in 0..600 {
            let mut random = Random(seed);
            let mut events = events(&mut random);
            let is_place = |event: &Event| match event {
                Event::Poll { last, .. } => !only_first_final || *last,
                Event::Send { .. } => false,
            };
            let places: Vec<usize> = (0..events.len()).filter(|at| is_place(&events[*at])).collect();
            let at = places[random.below(places.len())];
            if !bend(&mut random, &mut events, at) {
                continue;
            }
            let result = judge(&events);
            assert_eq!(result.verdict, Verdict::Invalid, "seed {seed}, {kind}: {:#?}", events[at]);
            assert!(of_kind(&result, kind), "seed {seed}, {kind}: {:?}\n{:#?}", result.reason, events[at]);
            found += 1;
        }
        assert!(found > 30, "{kind} was planted {found} times");
    }
}
