//! The limits of the command line, with the clock and the measure of memory that the library does not have.
//!
//! They are limits of the whole command: its reading, its judging, and what the program takes by itself. Memory is the
//! resident set as the system has it, where that is known (Linux): it is looked at now and then, and beside it what is
//! about to be used is counted before it is. Elsewhere only what is counted counts.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::size;
use crate::limits::{Exceeded, Limits, Pool};

/// How often the memory is measured, if there is much of it left, and if there is not.
const MEASURED_EVERY: [Duration; 2] = [Duration::from_millis(4), Duration::from_micros(500)];

/// How much later than the time limit somebody who waits for input is told, in hundredths of the limit.
const GRACE_PERCENT: u32 = 2;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct LimitArguments {
    /// Give up after this time, such as `30s`: it is one for the whole command, for reading, judging, explaining and the
    /// certificate, and what is not invalid by then is `unknown`
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "5m")]
    pub(super) timeout: Duration,

    /// Give up before the program needs more memory than this, such as `500MiB`
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "4GiB")]
    pub(super) memory: u64,

    /// Judge on so many threads; the result is the same [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    pub(super) threads: Option<NonZeroUsize>,
}

/// Knows what was spent since it began.
#[derive(Debug)]
pub(super) struct Meter {
    began: Instant,
    timeout: Duration,
    memory: u64,
    pool: Pool,
    /// When the memory is to be measured next, in ns since the beginning.
    measure_at: AtomicU64,
}

impl Meter {
    #[expect(clippy::disallowed_methods, reason = "the command line is where the clock is")]
    pub(super) fn start(arguments: &LimitArguments) -> Self {
        Meter {
            began: Instant::now(),
            timeout: arguments.timeout,
            memory: arguments.memory,
            pool: Pool::default(),
            measure_at: AtomicU64::new(0),
        }
    }

    /// Whether the time is over; on the way, the memory is measured if it is time for that.
    pub(super) fn expired(&self) -> bool {
        let elapsed = self.began.elapsed();
        let now = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let due = self.measure_at.load(Ordering::Relaxed);
        // One thread of those that see that it is due.
        let is_mine =
            || self.measure_at.compare_exchange(due, u64::MAX, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if now >= due && is_mine() {
            let used = resident_bytes().unwrap_or(0);
            if used > self.memory {
                self.pool.fill();
            }
            let wait = MEASURED_EVERY[usize::from(used > self.memory / 2)];
            let wait = u64::try_from(wait.as_nanos()).expect("it is a few milliseconds");
            self.measure_at.store(now + wait, Ordering::Relaxed);
        }
        elapsed >= self.timeout
    }

    /// The limits; `expired` is [`Meter::expired`] of this meter.
    pub(super) fn limits<'a>(&'a self, expired: &'a (dyn Fn() -> bool + Sync)) -> Limits<'a> {
        Limits { memory: self.memory, expired, pool: Some(&self.pool), ..Limits::none() }
    }

    /// Says that everything was read: from here on, what is there counts, and what is counted comes on top.
    pub(super) fn loaded(&self) {
        self.pool.take(resident_bytes().unwrap_or(0));
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The limit that was hit, if one was.
    pub(super) fn hit(&self) -> Option<Exceeded> {
        if self.pool.was_short() {
            return Some(Exceeded::Memory(self.memory));
        }
        self.expired().then_some(Exceeded::Time)
    }

    /// What to do if a limit was hit.
    pub(super) fn advice(&self, exceeded: Exceeded) -> String {
        match exceeded {
            Exceeded::Time => {
                format!("`--timeout` gives it more time than {}", humantime::format_duration(self.timeout))
            }
            Exceeded::Memory(_) | Exceeded::Steps(_) => {
                format!("`--memory` gives it more memory than {}", size::format(self.memory))
            }
        }
    }

    /// Does `tell`, which must end the program, if what is done until [`Watch::end`] takes longer than the time limit: it
    /// cannot ask while it waits for somebody who never writes.
    #[expect(clippy::disallowed_methods, reason = "who waits for input cannot look at the clock")]
    pub(super) fn watch(&self, tell: impl FnOnce() + Send + 'static) -> Watch {
        let (done, waits) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let limit = self.timeout.saturating_add(self.timeout * GRACE_PERCENT / 100);
        let left = limit.saturating_sub(self.began.elapsed());
        let watched = Arc::clone(&is_over);
        std::thread::spawn(move || {
            let is_late = waits.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
            if is_late && !watched.swap(true, Ordering::Relaxed) {
                tell();
            }
        });
        Watch { is_over, _done: done }
    }
}

/// As long as it is there, the time of something that cannot ask is watched.
#[derive(Debug)]
#[must_use = "what is watched ends"]
pub(super) struct Watch {
    /// Whether it is known already how it ended.
    is_over: Arc<AtomicBool>,
    _done: Sender<()>,
}

impl Watch {
    /// What is watched came to its end. If it was too late, the program is about to end, and this does not return.
    pub(super) fn end(self) {
        while self.is_over.swap(true, Ordering::Relaxed) {
            std::thread::park();
        }
    }
}

/// The memory that the process has in use, if the system tells.
#[expect(clippy::disallowed_methods, reason = "the command line is where the world is looked at")]
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(timeout: Duration, memory: u64) -> Meter {
        Meter::start(&LimitArguments { timeout, memory, threads: None })
    }

    #[test]
    fn the_time_is_over_when_it_is_over() {
        assert!(meter(Duration::ZERO, u64::MAX).expired());
        assert!(!meter(Duration::from_secs(3600), u64::MAX).expired());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_program_itself_takes_counts() {
        let meter = meter(Duration::from_secs(3600), 1 << 10);
        let expired = || meter.expired();
        assert_eq!(meter.limits(&expired).ask(), Err(Exceeded::Memory(1 << 10)));
        assert_eq!(meter.advice(Exceeded::Memory(1 << 10)), "`--memory` gives it more memory than 1KiB");
    }

    #[test]
    fn who_waits_too_long_is_told_and_who_is_done_is_not() {
        let (said, hears) = channel();
        let watch = meter(Duration::ZERO, u64::MAX).watch(move || {
            let _ = said.send(());
        });
        hears.recv().expect("it was told");
        drop(watch);
        let (said, hears) = channel();
        let watch = meter(Duration::from_secs(3600), u64::MAX).watch(move || {
            let _ = said.send(());
        });
        watch.end();
        assert!(hears.recv().is_err(), "the watch ends, and tells nothing");
    }
}
