use std::num::NonZeroU64;
use std::time::Duration;

use super::*;
use crate::fabric::condition::Condition;
use crate::fabric::delay::{Delay, Distribution};
use crate::rng::Rng;

/// A pipe, its edge, and a clock that is wound by hand.
struct Bench {
    flow: Rc<Flow>,
    pipe: Pipe,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let flow = Rc::new(Flow::new(Rng::from_seed(7)));
        Self { pipe: Pipe::new(Rc::clone(&flow)), flow, now: Instant::now() }
    }

    fn push(&mut self, text: &str) {
        self.pipe.push(text.as_bytes(), self.now);
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// Writes all that is due, and passes on the end if it is. Returns what was written, and how it ended.
    fn drain(&mut self) -> (String, Option<Ending>) {
        let mut written = Vec::new();
        loop {
            let count = match self.pipe.step(self.now) {
                Step::Write(bytes) => {
                    written.extend_from_slice(bytes);
                    bytes.len()
                }
                Step::End(ending) => {
                    self.pipe.ended();
                    return (text(written), Some(ending));
                }
                Step::Wait(_) => return (text(written), None),
            };
            self.pipe.wrote(count, self.now);
        }
    }

    fn next_due(&mut self) -> Option<Duration> {
        let now = self.now;
        match self.pipe.step(now) {
            Step::Wait(at) => at.map(|at| at - now),
            step => panic!("there is something to do at once: {step:?}"),
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("tests write text")
}

fn written(text: &str) -> (String, Option<Ending>) {
    (text.to_owned(), None)
}

fn delay(base_ms: u64, jitter_ms: u64) -> Condition {
    let (base, jitter) = (Duration::from_millis(base_ms), Duration::from_millis(jitter_ms));
    Condition::Delay(Delay { base, jitter, distribution: Distribution::Uniform })
}

fn rate(bytes: u64) -> Condition {
    Condition::Rate(NonZeroU64::new(bytes).expect("a test's rate is positive"))
}

#[test]
fn an_open_pipe_passes_everything_on_and_then_the_end() {
    let mut bench = Bench::new();
    bench.push("one ");
    bench.push("two");
    bench.pipe.end(Ending::Fin, bench.now);
    assert_eq!(bench.drain(), ("one two".to_owned(), Some(Ending::Fin)));
    assert!(bench.pipe.has_ended());
    assert_eq!(bench.drain(), written(""));
    assert_eq!(bench.flow.traffic().passed_bytes, 7);
}

#[test]
fn what_is_held_comes_in_one_burst_with_its_end() {
    let mut bench = Bench::new();
    bench.flow.impose(1, Condition::Hold);
    for _ in 0..100 {
        bench.push("x");
        bench.pass(1);
    }
    bench.pipe.end(Ending::Reset, bench.now);
    assert_eq!(bench.drain(), written(""));
    assert_eq!(bench.next_due(), None);
    bench.flow.lift(1);
    assert_eq!(bench.drain(), ("x".repeat(100), Some(Ending::Reset)));
    assert_eq!(bench.flow.traffic().held_bytes, 100);
}

#[test]
fn a_full_pipe_has_no_room_until_something_has_left() {
    let mut bench = Bench::new();
    bench.flow.impose(1, Condition::Hold);
    bench.push(&"x".repeat(KEPT_BYTES_MAX));
    assert_eq!(bench.pipe.room(), 0);
    bench.flow.lift(1);
    bench.drain();
    assert_eq!(bench.pipe.room(), KEPT_BYTES_MAX);
    assert!(bench.pipe.bytes.capacity() <= IDLE_BYTES_MAX, "an empty pipe keeps its memory");
}

#[test]
fn a_black_hole_takes_what_is_under_way_and_what_comes_and_tears_the_stream() {
    let mut bench = Bench::new();
    bench.flow.impose(1, delay(10, 0));
    bench.push("under way ");
    bench.flow.impose(2, Condition::BlackHole);
    bench.push("and gone");
    bench.pass(1000);
    assert_eq!(bench.drain(), written(""));
    bench.flow.lift(1);
    assert_eq!(bench.drain(), written(""));
    bench.flow.lift(2);
    assert_eq!(bench.drain(), (String::new(), Some(Ending::Reset)));
    assert_eq!(bench.flow.traffic().lost_bytes, 18);
    assert_eq!(bench.flow.traffic().passed_bytes, 0);
}

#[test]
fn a_black_hole_that_took_nothing_tears_nothing() {
    let mut bench = Bench::new();
    bench.flow.impose(1, Condition::BlackHole);
    bench.pipe.end(Ending::Fin, bench.now);
    assert_eq!(bench.drain(), written(""));
    bench.flow.lift(1);
    assert_eq!(bench.drain(), (String::new(), Some(Ending::Fin)));
}

#[test]
fn a_torn_stream_is_not_reset_across_a_cut() {
    let mut bench = Bench::new();
    bench.flow.impose(1, Condition::Cut);
    bench.flow.impose(2, Condition::BlackHole);
    bench.push("gone");
    bench.flow.lift(2);
    assert_eq!(bench.drain(), written(""));
    bench.flow.lift(1);
    assert_eq!(bench.drain(), (String::new(), Some(Ending::Reset)));
}

#[test]
fn each_piece_is_as_late_as_the_delay() {
    let mut bench = Bench::new();
    bench.flow.impose(1, delay(50, 0));
    bench.push("a");
    bench.pass(20);
    bench.push("b");
    bench.pipe.end(Ending::Fin, bench.now);
    assert_eq!(bench.next_due(), Some(Duration::from_millis(30)));
    bench.pass(30);
    assert_eq!(bench.drain(), written("a"));
    assert_eq!(bench.next_due(), Some(Duration::from_millis(20)));
    bench.pass(20);
    assert_eq!(bench.drain(), ("b".to_owned(), Some(Ending::Fin)));
    assert_eq!(bench.flow.traffic().slowed_bytes, 2);
}

#[test]
fn jitter_keeps_the_order() {
    let mut bench = Bench::new();
    bench.flow.impose(1, delay(50, 50));
    let sent: String = ('a'..='z').collect();
    let mut arrived = String::new();
    for letter in sent.chars() {
        bench.push(&letter.to_string());
        bench.pass(3);
        arrived += &bench.drain().0;
    }
    bench.pass(100);
    arrived += &bench.drain().0;
    assert_eq!(arrived, sent);
}

#[test]
fn what_was_delayed_comes_at_once_when_the_delay_is_lifted_and_sooner_when_it_is_shortened() {
    let mut bench = Bench::new();
    bench.flow.impose(1, delay(10_000, 0));
    bench.push("late");
    bench.flow.impose(2, delay(20_000, 0));
    assert_eq!(bench.next_due(), Some(Duration::from_secs(10)));
    bench.flow.lift(1);
    bench.flow.lift(2);
    assert_eq!(bench.drain(), written("late"));

    bench.flow.impose(3, delay(10_000, 0));
    bench.push("later");
    bench.flow.impose(4, delay(100, 0));
    assert_eq!(bench.next_due(), Some(Duration::from_secs(10)), "the longest delay stands");
    bench.flow.lift(3);
    assert_eq!(bench.next_due(), Some(Duration::from_millis(100)));
}

#[test]
fn a_rate_lets_little_through_at_a_time() {
    let mut bench = Bench::new();
    bench.flow.impose(1, rate(1000));
    bench.push(&"x".repeat(100));
    let mut arrived = 0;
    let began = bench.now;
    loop {
        let at_once = bench.drain().0.len();
        assert!(at_once <= 40, "{at_once} bytes in one go");
        arrived += at_once;
        if arrived == 100 {
            break;
        }
        let wait = bench.next_due().expect("a rate says when it goes on");
        bench.now += wait;
    }
    let took = bench.now - began;
    assert!((80..=100).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn an_end_in_order_may_turn_out_to_be_a_reset_but_never_the_other_way_round() {
    let mut bench = Bench::new();
    bench.pipe.end(Ending::Fin, bench.now);
    assert_eq!(bench.drain().1, Some(Ending::Fin));
    bench.pipe.end(Ending::Reset, bench.now);
    assert!(!bench.pipe.has_ended());
    assert_eq!(bench.drain().1, Some(Ending::Reset));
    bench.pipe.end(Ending::Fin, bench.now);
    assert!(bench.pipe.has_ended());
}

/// Against a model that is a string: whatever is done in whatever order, what arrives is a prefix of what was sent, and
/// all of it once everything is lifted, unless the stream was torn.
#[test]
fn what_arrives_is_always_a_prefix_of_what_was_sent() {
    use rand::RngExt;
    for seed in 0..300 {
        let mut rng = Rng::from_seed(seed);
        let mut bench = Bench::new();
        let (mut sent, mut arrived, mut standing) = (String::new(), String::new(), Vec::new());
        let kinds = [Condition::Hold, Condition::Cut, delay(5, 5), rate(2000), Condition::BlackHole];
        for fault in 0..200_u64 {
            match rng.random_range(0..6) {
                0 => {
                    // A black hole in one run of three only: it is the end of a stream.
                    let kind = kinds[rng.random_range(0..if seed % 3 == 0 { 5 } else { 4 })];
                    bench.flow.impose(fault, kind);
                    standing.push(fault);
                }
                1 if !standing.is_empty() => {
                    let lifted = standing.swap_remove(rng.random_range(0..standing.len()));
                    bench.flow.lift(lifted);
                }
                2 => bench.pass(rng.random_range(0..10)),
                3 | 4 if !bench.pipe.has_source_ended() => {
                    let piece = format!("{fault},");
                    bench.push(&piece);
                    sent += &piece;
                }
                _ => {
                    let (bytes, ending) = bench.drain();
                    arrived += &bytes;
                    if ending.is_some() {
                        bench.pipe.end(Ending::Reset, bench.now);
                    }
                }
            }
            assert!(sent.starts_with(&arrived), "seed {seed}");
        }
        standing.drain(..).for_each(|fault| bench.flow.lift(fault));
        bench.pass(60_000);
        arrived += &bench.drain().0;
        let lost = bench.flow.traffic().lost_bytes;
        assert!(if lost == 0 { arrived == sent } else { sent.starts_with(&arrived) }, "seed {seed}");
    }
}
