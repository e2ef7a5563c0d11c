//! `clock`, `disk` and `crash`.

use std::time::Duration;

use super::super::decode::{Decoder, Fields};
use super::super::place::{Place, Placed};
use super::super::tree::Entry;
use super::{BESIDE_VERB, Length, Said, SaidVerb, target};
use crate::rng::Rng;
use crate::scenario::drawn::Drawn;
use crate::scenario::target::Target;
use crate::scenario::unit::{Drift, Offset};
use crate::scenario::verb::{Call, Clock, Disk, DiskVerb, Loss, Verb};

const CLOCK: Fields = Fields {
    known: &["target", "jump", "timers", "drift", "strobe", "strobe-every"],
    later: &[],
    elsewhere: BESIDE_VERB,
};

const DISK: Fields = Fields {
    known: &[
        "target",
        "power-loss",
        "torn-write",
        "bit-flip",
        "io-error",
        "full",
        "slow",
        "stuck",
        "restart-after",
    ],
    later: &[],
    elsewhere: BESIDE_VERB,
};

/// The fields of `disk` that say what is wrong.
const DISK_FAULTS: [&str; 7] = ["power-loss", "torn-write", "bit-flip", "io-error", "full", "slow", "stuck"];

const CRASH: Fields = Fields { known: &["target", "at", "skip"], later: &[], elsewhere: BESIDE_VERB };

/// How often a clock strobes where that was not said.
const STROBE_EVERY_DEFAULT: Duration = Duration::from_millis(200);

/// The most bits that are flipped at once.
const BITS_MAX: u64 = 10_000;

/// The most passes of a point before a crash.
const SKIP_MAX: u64 = 1_000_000;

/// Clocks that are wrong, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidClock {
    /// Where the verb stands.
    pub place: Place,
    /// Whose.
    pub target: Placed<Target>,
    /// The wall clock is off by so much.
    pub jump: Option<Drawn<Offset>>,
    /// The clock of timers jumps ahead by so much.
    pub timers: Option<Drawn<Duration>>,
    /// Both run faster or slower.
    pub drift: Option<Drawn<Drift>>,
    /// The wall clock jumps by so much and back.
    pub strobe: Option<Drawn<Offset>>,
    /// How often it does.
    pub strobe_every: Option<Drawn<Duration>>,
}

/// Something is wrong with a disk, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidDisk {
    /// Whose.
    pub target: Placed<Target>,
    /// What.
    pub fault: Placed<SaidDiskVerb>,
}

/// See [`SaidDisk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaidDiskVerb {
    /// What was not synced is lost.
    PowerLoss(Loss),
    /// Bits change at rest.
    BitFlip(Drawn<u64>),
    /// Calls fail.
    IoError(Call),
    /// There is no space left.
    Full,
    /// Syncs come late.
    Slow(Drawn<Duration>),
    /// Syncs hang.
    Stuck,
}

impl SaidClock {
    pub(super) fn draw(&self, rng: &Rng) -> Verb {
        Verb::Clock(Clock {
            target: self.target.value.clone(),
            jump: self.jump.map(|jump| jump.draw(&mut rng.fork("jump"))),
            timers: self.timers.map(|timers| timers.draw(&mut rng.fork("timers"))),
            drift: self.drift.map(|drift| drift.draw(&mut rng.fork("drift"))),
            strobe: self.strobe.map(|strobe| strobe.draw(&mut rng.fork("strobe"))),
            strobe_every: self
                .strobe_every
                .map_or(STROBE_EVERY_DEFAULT, |every| every.draw(&mut rng.fork("strobe-every"))),
        })
    }
}

impl SaidDisk {
    pub(super) fn draw(&self, rng: &Rng) -> Verb {
        let fault = match self.fault.value {
            SaidDiskVerb::PowerLoss(loss) => DiskVerb::PowerLoss(loss),
            SaidDiskVerb::BitFlip(bits) => {
                let bits = bits.draw(&mut rng.fork("bits"));
                DiskVerb::BitFlip(u32::try_from(bits).expect("the parser has limited the count"))
            }
            SaidDiskVerb::IoError(call) => DiskVerb::IoError(call),
            SaidDiskVerb::Full => DiskVerb::Full,
            SaidDiskVerb::Slow(by) => DiskVerb::Slow(by.draw(&mut rng.fork("slow"))),
            SaidDiskVerb::Stuck => DiskVerb::Stuck,
        };
        Verb::Disk(Disk { target: self.target.value.clone(), fault })
    }
}

pub(super) fn clock(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    let map = decoder.map(&entry.value, "`clock`", &CLOCK)?;
    let target = decoder.require(&map, "target").and_then(|node| target(decoder, node));
    let jump = map.get("jump").map(|node| decoder.drawn(node, "a time, e.g. -30s", str::parse::<Offset>));
    let timers = map.get("timers").map(|node| decoder.duration(node));
    let drift = map.get("drift").map(|node| decoder.drawn(node, "a drift, e.g. 20%", str::parse::<Drift>));
    let strobe =
        map.get("strobe").map(|node| decoder.drawn(node, "a time, e.g. 200ms", str::parse::<Offset>));
    let strobe_every = map.get("strobe-every").map(|node| decoder.duration(node));
    let lasts = length.read(
        decoder,
        entry,
        "a clock that is set wrong again and again needs to be set right: write `for: 5s` beside it",
    );
    if jump.is_none() && timers.is_none() && drift.is_none() && strobe.is_none() {
        return decoder.lose(
            map.place,
            "the clock fault does nothing; write one of `jump`, `timers`, `drift` and `strobe`",
        );
    }
    if let (None, Some(every)) = (&strobe, map.entry("strobe-every")) {
        decoder.refuse(every.key_place, "`strobe-every` has no meaning without `strobe`");
    }
    let clock = SaidClock {
        place: entry.key_place,
        target: target?,
        jump: said(jump)?,
        timers: said(timers)?,
        drift: said(drift)?,
        strobe: said(strobe)?,
        strobe_every: said(strobe_every)?,
    };
    Some(Said { verb: SaidVerb::Clock(clock), lasts: lasts? })
}

/// What was said, if it could be read.
#[expect(clippy::option_option, reason = "what is absent is not what could not be read")]
fn said<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    match field {
        Some(value) => value.map(Some),
        None => Some(None),
    }
}

pub(super) fn disk(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    let map = decoder.map(&entry.value, "`disk`", &DISK)?;
    let target = decoder.require(&map, "target").and_then(|node| target(decoder, node));
    let restart_after = map.entry("restart-after");
    let faults: Vec<&Entry> = DISK_FAULTS.iter().filter_map(|key| map.entry(key)).collect();
    let [fault] = faults[..] else {
        return decoder
            .lose(map.place, format!("a disk fault has exactly one of {}", DISK_FAULTS.join(", ")));
    };
    let verb = disk_verb(decoder, fault);
    let place = fault.key_place;
    let is_fatal = ["power-loss", "torn-write", "bit-flip"].contains(&fault.key.as_str());
    let lasts = if is_fatal {
        length.refuse(
            decoder,
            "the node is gone until it is started again; write `restart-after` inside `disk`",
        );
        said(restart_after.map(|entry| decoder.duration(&entry.value)))
    } else {
        if let Some(entry) = restart_after {
            let message =
                format!("`restart-after` has no meaning with `{}`; write `for` beside the verb", fault.key);
            decoder.refuse(entry.key_place, message);
        }
        length.read(
            decoder,
            entry,
            "a disk that fails again and again needs to be mended: write `for: 5s` beside it",
        )
    };
    let verb = SaidVerb::Disk(SaidDisk { target: target?, fault: Placed { value: verb?, place } });
    Some(Said { verb, lasts: lasts? })
}

fn disk_verb(decoder: &mut Decoder, fault: &Entry) -> Option<SaidDiskVerb> {
    let node = &fault.value;
    let switch = |decoder: &mut Decoder, verb: SaidDiskVerb| match decoder.boolean(node)? {
        true => Some(verb),
        false => {
            decoder.lose(node.place, format!("`{}: false` does nothing; leave the fault out", fault.key))
        }
    };
    match fault.key.as_str() {
        "power-loss" => decoder.word::<Loss>(node, "kind of loss", &[]).map(SaidDiskVerb::PowerLoss),
        "torn-write" => switch(decoder, SaidDiskVerb::PowerLoss(Loss::Torn)),
        "bit-flip" => decoder.count(node, 1, BITS_MAX).map(SaidDiskVerb::BitFlip),
        "io-error" => decoder.word::<Call>(node, "kind of call", &[]).map(SaidDiskVerb::IoError),
        "full" => switch(decoder, SaidDiskVerb::Full),
        "slow" => decoder.duration(node).map(SaidDiskVerb::Slow),
        _ => switch(decoder, SaidDiskVerb::Stuck),
    }
}

pub(super) fn crash(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    let map = decoder.map(&entry.value, "`crash`", &CRASH)?;
    let target = decoder.require(&map, "target").and_then(|node| target(decoder, node));
    let at = decoder.require(&map, "at").and_then(|node| decoder.kebab(node, "the name of a crash point"));
    let skip = map.get("skip").map(|node| decoder.count(node, 0, SKIP_MAX));
    let lasts = length.read(
        decoder,
        entry,
        "a crash that strikes again and again needs an end, when the node is started again: write `for: 5s` beside it",
    );
    let verb = SaidVerb::Crash { target: target?, at: at?, skip: said(skip)? };
    Some(Said { verb, lasts: lasts? })
}
