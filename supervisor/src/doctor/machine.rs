//! The processor, the memory, the clock, and this build.

use std::fs;
use std::time::Instant;

use super::Finding;

/// With fewer cores than this, nodes wait for each other.
const CORES_MIN: usize = 2;

/// With less memory than this, the checker of a default scenario may not have enough.
const MEMORY_MIN: u64 = 256 << 20;

/// With less than this, a long run may not.
const MEMORY_GOOD: u64 = 1 << 30;

/// So often the clock is read to know what it costs.
const CLOCK_READS: u32 = 20_000;

/// A clock that takes longer to read, in ns, costs more than what it measures.
const CLOCK_NS_MAX: u128 = 1_000;

pub(super) fn cores() -> Finding {
    const NAME: &str = "cores";
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load: Option<f64> = load.and_then(|text| text.split_whitespace().next()?.parse().ok());
    let found = match load {
        Some(load) => format!("{cores} usable, load {load:.1}"),
        None => format!("{cores} usable"),
    };
    if cores < CORES_MIN {
        let follows = "five nodes and their clients share one core: elections are late, latencies say little";
        return Finding::limited(NAME, found, follows, "give this machine or container more cores");
    }
    let is_busy = load.is_some_and(|load| load > cores as f64);
    if is_busy {
        let follows =
            "somebody else keeps the cores busy: latencies and outages are longer than they would be";
        return Finding::limited(NAME, found, follows, "wait until the other work is done");
    }
    Finding::good(NAME, found)
}

pub(super) fn memory() -> Finding {
    const NAME: &str = "memory";
    let Some(available) = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text)) else {
        let follows = "nobody knows whether there is enough";
        return Finding::limited(NAME, "unknown: /proc/meminfo does not tell", follows, "mount /proc");
    };
    let read = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse().ok();
    let of_group = read("memory.max").zip(read("memory.current"));
    let left = of_group.map(|(most, used): (u64, u64)| most.saturating_sub(used));
    let usable = left.map_or(available, |left| left.min(available));
    let found = format!("{} MiB available", usable >> 20);
    let mend = "end what needs so much, or give this machine or container more";
    match usable {
        0..MEMORY_MIN => Finding::cannot(NAME, found, "the kernel may kill nodes or the checker", mend),
        MEMORY_MIN..MEMORY_GOOD => {
            Finding::limited(NAME, found, "histories of long runs may be too large to check", mend)
        }
        MEMORY_GOOD.. => Finding::good(NAME, found),
    }
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

pub(super) fn clock() -> Finding {
    const NAME: &str = "clock";
    let source = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    let source = source.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
    let began = Instant::now();
    for _ in 0..CLOCK_READS {
        std::hint::black_box(Instant::now());
    }
    let each_ns = began.elapsed().as_nanos() / u128::from(CLOCK_READS);
    let found = format!("{source}, {each_ns} ns to read");
    if each_ns > CLOCK_NS_MAX {
        let follows =
            "reading the clock asks the kernel or a device every time, which slows nodes and testbed";
        let mend = "boot with a clock source that processes can read: tsc, kvm-clock";
        return Finding::limited(NAME, found, follows, mend);
    }
    Finding::good(NAME, found)
}

pub(super) fn node() -> Finding {
    const NAME: &str = "node";
    if cfg!(feature = "chat") {
        return Finding::good(NAME, "built in");
    }
    let follows = "there is no system to test";
    Finding::cannot(NAME, "this build has no node of its own", follows, "build with the feature `chat`")
}

pub(super) fn bugs() -> Finding {
    const NAME: &str = "planted-bugs";
    if cfg!(feature = "bugs") {
        let follows = "this build is for testing the testbed only";
        return Finding {
            follows: Some(follows.to_owned()),
            ..Finding::good(NAME, "this build can plant them")
        };
    }
    let follows = "scenarios/self-test cannot run";
    Finding::limited(NAME, "this build cannot plant them", follows, "build with `--features bugs`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_in_bytes() {
        let text = "MemTotal:       16318480 kB\nMemFree:          201600 kB\nMemAvailable:   12000000 kB\n";
        assert_eq!(available(text), Some(12_288_000_000));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!(available("MemAvailable: many\n"), None);
    }
}
