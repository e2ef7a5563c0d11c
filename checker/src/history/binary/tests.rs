//! What is written comes back, and what is damaged is noticed.

use proptest::prelude::*;

use super::*;
use crate::differential::random::Random;
use crate::history::jsonl::{self, Header};
use crate::history::{
    Datum, Entry, FaultLine, History, Input, Moment, Outcome, Output, PageRange, Symbol, timeline,
};

/// The history as text, to compare.
fn text(history: &History) -> String {
    let mut text = Vec::new();
    jsonl::write(history, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn bytes(history: &History) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(history, &mut bytes).unwrap();
    bytes
}

/// As a recorder writes it, with a block after every few events.
fn recorded(history: &History, events: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &Header::new(Some(5))).unwrap();
    for (number, event) in jsonl::events(history).enumerate() {
        writer.append(&event.borrowed()).unwrap();
        if (number + 1) % events == 0 {
            writer.flush().unwrap();
        }
    }
    writer.flush().unwrap();
    drop(writer);
    bytes
}

/// One of everything.
fn everything() -> History {
    let picture = "
        p0@n1: |-send a=1-|  |-read 0+9 [a]-|  |-delete #1-|  |-final-read [a†]-|  |-read <9+9 [4:b 1:a]/7-|
        p1@n2:   |-send b-?
        p2:      |-send c (refused)-!
        p3:    |-create al-|  |-login al-|  |-list like a* after a limit 3 [al]-|  |-final-list [al bo]-|
        p4:    |-get 3-|  |-write {\"a\":[1,2.5]}-|  |-cas 1 null-|  |-get null-|  |-delete-account al-|
        p5:    |-poll by w after 3 [7/k/1/a]-|  |-final-poll []-|  |-call odd [1,null]-|
        p6:    |-read []->
        nemesis: |-kill n1---------------------|
        nemesis:    |-partition n1 n2------------------------->
    ";
    let mut history = timeline::parse(picture).unwrap();
    history.set_started_unix_ns(5);
    history
}

#[test]
fn everything_comes_back() {
    let history = everything();
    let (back, torn) = read(&*bytes(&history)).unwrap();
    assert_eq!((text(&back), torn), (text(&history), None));
    let (back, torn) = read(&*recorded(&history, 4)).unwrap();
    assert_eq!((text(&back), torn), (text(&history), None));
}

#[test]
fn a_recorder_writes_what_is_written_of_the_whole() {
    let picture = "
        p0@n1: |-send a=1-|  |-read 0+9 [a]-|  |-delete #1-|  |-poll []-|
        nemesis: |-kill n1---------------------|
    ";
    let mut history = timeline::parse(picture).unwrap();
    history.set_started_unix_ns(5);
    assert_eq!(recorded(&history, usize::MAX), bytes(&history));
}

#[test]
fn a_header_comes_back() {
    let mut history = History::new();
    history.set_initially_empty();
    let (back, _) = read(&*bytes(&history)).unwrap();
    assert!(back.is_initially_empty() && back.started_unix_ns().is_none());
}

#[test]
fn it_is_small() {
    let sends: Vec<String> = (1..=500).map(|n| format!("|-send message-{n}={n}-|")).collect();
    let history = timeline::parse(&format!("p0@n1: {}", sends.join("  "))).unwrap();
    let (binary, json) = (bytes(&history).len(), text(&history).len());
    assert!(binary * 6 < json, "{binary} bytes, {json} as JSON");
}

/// The places behind the blocks of a file, the header's first.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let (mut ends, mut place) = (Vec::new(), MAGIC.len());
    while place < bytes.len() {
        let length = u32::from_le_bytes(bytes[place..place + 4].try_into().unwrap());
        place += block::HEAD + length as usize;
        ends.push(place);
    }
    ends
}

#[test]
fn a_file_that_is_cut_off_is_read_up_to_its_last_whole_block() {
    let history = everything();
    let (bytes, lines) = (recorded(&history, 3), text(&history));
    let lines: Vec<&str> = lines.lines().collect();
    let ends = ends(&bytes);
    for cut in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let read = read(&bytes[..cut]);
        let Some(blocks) = whole.checked_sub(1) else {
            assert!(read.is_err(), "cut at {cut}");
            continue;
        };
        let (back, torn) = read.unwrap();
        let expected = (!ends.contains(&cut)).then(|| Torn { offset: ends[blocks] as u64 });
        assert_eq!(torn, expected, "cut at {cut}");
        let events = (blocks * 3).min(lines.len() - 1);
        assert_eq!(back.next_index() as usize, events, "cut at {cut}");
        assert_eq!(back.operations().len(), lines[..=events].join("").matches("\"type\":\"invoke\"").count());
    }
}

#[test]
fn what_comes_in_pieces_is_there_with_its_last_byte() {
    let history = everything();
    let (file, whole) = (recorded(&history, 3), text(&history));
    let ends = ends(&file);
    for size in [1, 2, 13, 64, file.len()] {
        let (mut feed, mut fed) = (Feed::default(), 0);
        for piece in file.chunks(size) {
            feed.push(piece).unwrap();
            fed += piece.len();
            while feed.take().unwrap() {}
            let blocks = ends.iter().filter(|end| **end <= fed).count().saturating_sub(1);
            let events = (blocks * 3).min(history.next_index() as usize);
            assert_eq!(feed.history().next_index() as usize, events, "{fed} bytes in pieces of {size}");
        }
        assert_eq!(text(feed.history()), whole);
    }
}

#[test]
fn what_is_fed_and_is_damaged_is_an_error_with_its_place() {
    let mut feed = Feed::default();
    assert_eq!(feed.push(b"history!").unwrap_err().to_string(), Problem::NotAHistory.at(0).to_string());
    let file = recorded(&everything(), 3);
    let second = ends(&file)[1];
    for (place, said) in
        [(second, "seems to have"), (second + block::HEAD, "the checksum of the block is wrong")]
    {
        let mut file = file.clone();
        file[place] ^= 1;
        let mut feed = Feed::default();
        let fed = feed.push(&file).and_then(|()| {
            while feed.take()? {}
            Ok(())
        });
        let error = fed.unwrap_err();
        assert!(error.offset == second as u64 && error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_byte_that_is_changed_is_noticed() {
    let bytes = recorded(&everything(), 3);
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let error = read(&*damaged).unwrap_err();
            assert!(error.offset as usize <= place, "byte {place}: {error}");
        }
    }
}

/// A block with a right checksum, whatever is in it.
fn block_of(payload: &[u8]) -> Vec<u8> {
    let mut file = bytes(&History::new());
    block::write(&mut file, &mut Vec::new(), payload).unwrap();
    file
}

#[test]
fn what_no_writer_writes_is_an_error_with_its_place() {
    let error = |payload: &[u8]| {
        let header = bytes(&History::new()).len() as u64 + block::HEAD as u64;
        let error = read(&*block_of(payload)).unwrap_err();
        (error.offset - header, error.problem.to_string())
    };
    let short = "a record goes on behind the end of its block";
    assert_eq!(error(&[99, 0, 0]), (0, "a record of a kind that this version does not know".to_owned()));
    assert_eq!(error(&[0, 1, b'a', 1, 0, 0, 0]), (3, short.to_owned()));
    assert_eq!(error(&[1, 0, 0, 0, 0, 0]), (0, "a name that was not given before".to_owned()));
    assert_eq!(error(&[9, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f]), (0, short.to_owned()));
    // A page of an operation that nobody began.
    assert_eq!(error(&[11, 0, 7]).1, "process 7 completes `` but has nothing open");
    let mut long = bytes(&History::new());
    let length = (block::BYTES_MAX + 1).to_le_bytes();
    long.extend(length.into_iter().chain(crc32c::crc32c(&length).to_le_bytes()).chain([0; 4]));
    assert!(matches!(read(&*long).unwrap_err().problem, Problem::Length(_)));
}

#[test]
fn a_length_that_was_promised_claims_no_memory() {
    let mut file = bytes(&History::new());
    let offset = file.len() as u64;
    let length = block::BYTES_MAX.to_le_bytes();
    file.extend(length.into_iter().chain(crc32c::crc32c(&length).to_le_bytes()).chain([0; 20]));
    let mut reader = Reader::new(&*file).unwrap();
    assert!(reader.next(|_| {}).unwrap().is_none());
    assert_eq!(reader.torn(), Some(Torn { offset }));
    assert!(reader.capacity() < 1 << 16);
}

#[test]
fn what_does_not_begin_like_one_is_none() {
    for other in
        [&b""[..], b"\x89HSYH\r\n", b"{\"format\":\"hearsay-history\",\"version\":1}\n", b"[{:type :invoke}]"]
    {
        assert!(!is_binary(other));
        let error = read(other).unwrap_err();
        assert_eq!(error.to_string(), "byte 0: not a binary history: it does not begin with its eight bytes");
    }
    assert!(is_binary(&bytes(&History::new())));
}

/// A history of whatever a recorder could see, with names and values of all kinds.
fn random_history(seed: u64) -> History {
    let mut random = Random(seed);
    let mut history = History::new();
    let mut open: Vec<Option<Input>> = vec![None; 6];
    let mut processes: Vec<u64> = (0..6).map(|number| number * number * 1_000_003).collect();
    let (mut index, mut time) = (0, 0);
    for _ in 0..random.below(120_u8) {
        time += random.pick(&[0, 1, 1_000_000, 1 << 40]);
        let at = Moment { index, time };
        index += 1;
        let client = random.below(6_usize);
        let name = |history: &mut History, text: u64| -> Symbol {
            let texts = ["", "a", "ä\n\"", "nemesis", "long-long-long-name"];
            let text = format!("{}{text}", texts[text as usize % texts.len()]);
            history.symbols.intern(&text)
        };
        let number = |random: &mut Random| random.pick(&[0, 1, 7, 300, u64::MAX]);
        let key = random.chance(80).then(|| name(&mut history, random.below(3)));
        if random.chance(5) {
            let nodes = (0..random.below(3)).map(|node| name(&mut history, node)).collect();
            let value = if random.chance(50) { Datum::Int(-3) } else { Datum::Nil };
            let f = name(&mut history, random.below(3));
            history.nemesis(at, FaultLine { f, key, nodes, value }).unwrap();
            continue;
        }
        match open[client].take() {
            None => {
                let seq = number(&mut random);
                let input = match random.below(7_u8) {
                    0 | 1 => Input::Send { id: name(&mut history, 100 + u64::from(index)) },
                    2 => Input::Read { range: PageRange::After { seq, limit: 7 }, last: random.chance(50) },
                    3 => Input::Read {
                        range: PageRange::Before { seq, limit: u32::MAX },
                        last: random.chance(50),
                    },
                    4 => Input::Delete { seq },
                    5 => Input::Login,
                    _ => Input::ListAccounts { pattern: None, after: None, limit: Some(3), last: false },
                };
                let node = random.chance(80).then(|| name(&mut history, random.below(3)));
                history.invoke(at, processes[client], node, key, input).unwrap();
                open[client] = Some(input);
            }
            Some(input) => {
                let outcome = outcome(&mut random, &mut history, &input, number);
                let f = input.f(&history.symbols).to_owned();
                let is_dead = matches!(outcome, Outcome::Info(_));
                history.complete(at, processes[client], &f, outcome).unwrap();
                if is_dead {
                    processes[client] += 7;
                }
            }
        }
    }
    history
}

fn outcome(
    random: &mut Random,
    history: &mut History,
    input: &Input,
    number: impl Fn(&mut Random) -> u64,
) -> Outcome {
    let error = random.chance(50).then(|| history.symbols.intern("timeout: x"));
    match random.below(6_u8) {
        0 => return Outcome::Fail(error),
        1 => return Outcome::Info(error),
        _ => {}
    }
    Outcome::Ok(match input {
        Input::Send { .. } => Output::Sent { seq: number(random) },
        Input::Read { .. } => {
            let (mut seq, strange) = (number(random), random.chance(40));
            let entries = (0..random.below(9_u64)).map(|place| {
                seq = if strange && random.chance(30) { number(random) } else { seq.wrapping_add(1) };
                let id = history.symbols.intern(&format!("m{}", place * random.below(3_u64)));
                Entry { seq, id, deleted: strange && random.chance(20) }
            });
            Output::Page { entries: entries.collect(), head: number(random) }
        }
        Input::ListAccounts { .. } => Output::Names { names: [history.symbols.intern("al")].into() },
        _ => Output::Done,
    })
}

proptest! {
    #[test]
    fn any_history_comes_back(seed: u64, events in 1usize..20) {
        let history = random_history(seed);
        let (back, torn) = read(&*bytes(&history)).unwrap();
        prop_assert_eq!((text(&back), torn), (text(&history), None));
        let (back, torn) = read(&*recorded(&history, events)).unwrap();
        prop_assert_eq!(torn, None);
        let lines = |history: &History| text(history).lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(lines(&back), lines(&history));
    }

    #[test]
    fn garbage_is_an_error_or_nothing(payload: Vec<u8>) {
        // With and without a right checksum: an answer, whatever it is.
        let _ = read(&*block_of(&payload));
        let file: Vec<u8> = bytes(&History::new()).into_iter().chain(payload).collect();
        let _ = read(&*file);
    }

    #[test]
    fn records_with_mad_bytes_are_an_error_or_a_history(seed: u64, places: Vec<(u16, u8)>) {
        let written = bytes(&random_history(seed));
        let begin = ends(&written)[0] + block::HEAD;
        let mut payload = written.get(begin..).unwrap_or_default().to_vec();
        for (place, byte) in places {
            if let Some(length) = std::num::NonZeroUsize::new(payload.len()) {
                payload[usize::from(place) % length] = byte;
            }
        }
        if let Ok((history, torn)) = read(&*block_of(&payload)) {
            prop_assert_eq!(torn, None);
            prop_assert!(history.operations().len() <= payload.len());
        }
    }
}
