//! Histories that are hard for the checker.

mod objects;

use std::io::{self, Write};

use objects::{Asked, Counter, Lock, Object, Queue, Register, Registers, Set, Text};

/// A name, and what writes it.
pub(super) type Input = (&'static str, fn(&mut Recorder<'_>) -> io::Result<()>);

/// All of them.
pub(super) const INPUTS: [Input; 13] = [
    ("clients", |recorder| crowd(recorder, &mut Register::default(), 50, 100_000, 30)),
    ("hopeless", |recorder| {
        crowd(recorder, &mut Register::default(), 50, 20_000, 70)?;
        // Nobody has written it, so that every order has to be tried.
        recorder.event(1_000_000, "invoke", "read", "null")?;
        recorder.event(1_000_000, "ok", "read", "77")
    }),
    ("queue", |recorder| crowd(recorder, &mut Queue::default(), 50, 20_000, 30)),
    ("text", |recorder| crowd(recorder, &mut Text::default(), 50, 20_000, 30)),
    ("counter", |recorder| crowd(recorder, &mut Counter(0), 50, 20_000, 30)),
    ("lock", |recorder| crowd(recorder, &mut Lock(false), 50, 20_000, 30)),
    ("set", |recorder| crowd(recorder, &mut Set::default(), 50, 20_000, 30)),
    ("registers", |recorder| crowd(recorder, &mut Registers::default(), 50, 20_000, 30)),
    ("pending", pending),
    ("open", |recorder| crowd(recorder, &mut Register::default(), 10_000, 20_000, 0)),
    ("long", |recorder| crowd(recorder, &mut Register::default(), 5, 1_000_000, 0)),
    ("log", |recorder| log(recorder, false)),
    ("moved", |recorder| log(recorder, true)),
];

/// Clients that are always busy with one object, of whose operations some percent crash.
fn crowd(
    recorder: &mut Recorder<'_>,
    object: &mut dyn Object,
    clients: usize,
    operations: u64,
    crashed_percent: u64,
) -> io::Result<()> {
    let mut open: Vec<Option<(u64, Asked)>> = vec![None; clients];
    let mut next_process = 0;
    for done in 0..operations + clients as u64 {
        let client = recorder.random(clients as u64) as usize;
        match open[client].take() {
            Some((process, asked)) => {
                let crashes = recorder.random(100) < crashed_percent;
                // It takes effect when it completes: what was asked meanwhile may come before or after it.
                let happens = !crashes || recorder.random(2) == 0;
                let answer = if happens { object.happen(&asked) } else { ("info", "null".to_owned()) };
                if crashes {
                    recorder.event(process, "info", asked.f, "null")?;
                } else {
                    recorder.event(process, answer.0, asked.f, &answer.1)?;
                }
            }
            None if done < operations => {
                let asked = object.ask(recorder);
                // A process is never used again after a crash, and a new number costs nothing.
                next_process += 1;
                recorder.event(next_process, "invoke", asked.f, &asked.value)?;
                open[client] = Some((next_process, asked));
            }
            None => {}
        }
    }
    Ok(())
}

/// Ten thousand writes that never complete, among reads that need some of them in an order that is hard to find.
fn pending(recorder: &mut Recorder<'_>) -> io::Result<()> {
    for write in 0..10_000 {
        recorder.event(write, "invoke", "write", &format!("{}", write % 100))?;
    }
    for read in 0..20_000 {
        let (process, value) = (10_000 + read % 7, recorder.random(100));
        recorder.event(process, "invoke", "read", "null")?;
        recorder.event(process, "ok", "read", &value.to_string())?;
    }
    Ok(())
}

/// A million sends to one conversation by five clients, and pages of them. If messages move, the pages of the second half
/// show each of them one number too late.
fn log(recorder: &mut Recorder<'_>, moves: bool) -> io::Result<()> {
    for seq in 1..=1_000_000_u64 {
        let process = seq % 5;
        recorder.event(process, "invoke", "send", &format!("{{\"id\":\"m{seq}\"}}"))?;
        recorder.event(process, "ok", "send", &format!("{{\"id\":\"m{seq}\",\"seq\":{seq}}}"))?;
        if seq % 50 == 0 {
            let late = u64::from(moves && seq > 500_000);
            let page: Vec<String> =
                (seq - 19..=seq).map(|seq| format!("{{\"seq\":{},\"id\":\"m{seq}\"}}", seq + late)).collect();
            let asked = format!("{{\"after\":{},\"limit\":20}}", seq - 20);
            let answered = format!("{{\"messages\":[{}],\"head\":{seq}}}", page.join(","));
            recorder.event(process, "invoke", "read", &asked)?;
            recorder.event(process, "ok", "read", &answered)?;
        }
    }
    Ok(())
}

/// Writes a history, and is random where that is wanted.
pub(super) struct Recorder<'w> {
    output: &'w mut dyn Write,
    index: u32,
    state: u64,
}

impl<'w> Recorder<'w> {
    pub(super) fn new(output: &'w mut dyn Write) -> io::Result<Self> {
        writeln!(output, "{{\"format\":\"hearsay-history\",\"version\":1}}")?;
        Ok(Recorder { output, index: 0, state: 7 })
    }

    fn event(&mut self, process: u64, kind: &str, f: &str, value: &str) -> io::Result<()> {
        let index = self.index;
        self.index += 1;
        let time = u64::from(index) * 1000;
        writeln!(
            self.output,
            "{{\"index\":{index},\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"key\":\"x\",\"value\":{value}}}"
        )
    }

    /// The linear congruential generator of Knuth's MMIX; its upper bits are the good ones.
    pub(super) fn random(&mut self, below: u64) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % below
    }
}
