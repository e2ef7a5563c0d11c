//! The measurement of the benchmarks.

#[path = "processor.rs"]
mod processor;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// The time that this thread had of a processor; wall time where the kernel does not tell.
pub(crate) struct ProcessorTime;

impl ProcessorTime {
    #[expect(clippy::disallowed_methods, reason = "a benchmark has a clock")]
    pub(crate) fn now() -> Duration {
        static BEGIN: OnceLock<Instant> = OnceLock::new();
        processor::on_processor().unwrap_or_else(|| BEGIN.get_or_init(Instant::now).elapsed())
    }
}

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        Self::now()
    }

    fn end(&self, begin: Duration) -> Duration {
        Self::now().saturating_sub(begin)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}
