use super::*;
use crate::env::fault::manual::ManualHost;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Clocks over a host whose time stands still, and their runtime.
fn clocks() -> (Arc<ManualHost>, SkewedClock, Arc<dyn Runtime>) {
    let host = ManualHost::new();
    let clock = SkewedClock::new(host.clone());
    let runtime = clock.runtime();
    (host, clock, runtime)
}

/// How long a sleep of `time` takes by the host.
fn slept(host: &ManualHost, runtime: &dyn Runtime, time: Duration) -> Duration {
    let begun = host.passed();
    host.until(runtime.sleep_until(runtime.now() + time)) - begun
}

/// How far the wall clock is ahead of the host's, in milliseconds.
fn wall_ahead_ms(host: &ManualHost, runtime: &dyn Runtime) -> i64 {
    i64::try_from(runtime.unix_ns() / 1_000_000).unwrap() - host.unix_ms()
}

#[test]
fn nothing_is_wrong_until_it_is_told_so() {
    let (host, clock, runtime) = clocks();
    assert_eq!(slept(&host, &*runtime, ms(500)), ms(500));
    assert_eq!(runtime.now(), host.now());
    assert_eq!(runtime.unix_ns(), host.unix_ns());
    assert_eq!(clock.off(), Off { wall_ms: 0, timers_ms: 0 });
}

#[test]
fn the_wall_clock_jumps_and_timers_do_not() {
    let (host, clock, runtime) = clocks();
    for wall_jump_ms in [3_600_000, -3_600_000, 0] {
        let off = clock.set(Skew { wall_jump_ms, ..Skew::default() }).unwrap();
        assert_eq!(off, Off { wall_ms: wall_jump_ms, timers_ms: 0 });
        assert_eq!(wall_ahead_ms(&host, &*runtime), wall_jump_ms);
        assert_eq!(slept(&host, &*runtime, ms(500)), ms(500));
    }
    clock.set(Skew { wall_jump_ms: -WALL_OFF_MS_MAX, ..Skew::default() }).unwrap();
    assert_eq!(runtime.unix_ns(), 0, "there is no time before 1970");
}

#[test]
fn timers_jump_forward_and_wake_who_sleeps() {
    let (host, clock, runtime) = clocks();
    let mut short = runtime.sleep_until(runtime.now() + ms(400));
    let mut long = runtime.sleep_until(runtime.now() + ms(1_500));
    assert!((&mut short).now_or_never().is_none());
    assert!((&mut long).now_or_never().is_none());
    host.advance(ms(100));
    let off = clock.set(Skew { timer_jump_ms: 1_000, ..Skew::default() }).unwrap();
    assert_eq!(off.timers_ms, 1_000);
    assert_eq!(host.until(short), ms(100));
    assert_eq!(host.until(long), ms(500));

    // What timers have gained stays, also when nothing is wrong any more.
    let off = clock.set(Skew::default()).unwrap();
    assert_eq!(off, Off { wall_ms: 0, timers_ms: 1_000 });
    assert_eq!(slept(&host, &*runtime, ms(500)), ms(500));
}

/// A task that sleeps is woken by the change itself, not only by its old timer.
#[tokio::test]
async fn a_jump_wakes_a_task() {
    let (_, clock, runtime) = clocks();
    let sleeper = tokio::task::JoinSet::from_iter([runtime.sleep_until(runtime.now() + ms(1_000))]);
    tokio::task::yield_now().await;
    clock.set(Skew { timer_jump_ms: 1_000, ..Skew::default() }).unwrap();
    // The host's time stands still: nothing else could wake it.
    assert_eq!(sleeper.join_all().await, [()]);
}

#[test]
fn clocks_drift() {
    for (drift_ppm, slept_ms, off_ms) in
        [(1_000_000, 500, 500), (-500_000, 2_000, -1_000), (9_000_000, 100, 900)]
    {
        let (host, clock, runtime) = clocks();
        clock.set(Skew { drift_ppm, ..Skew::default() }).unwrap();
        assert_eq!(slept(&host, &*runtime, ms(1_000)), ms(slept_ms), "at {drift_ppm} ppm");
        assert_eq!(clock.off(), Off { wall_ms: off_ms, timers_ms: off_ms }, "at {drift_ppm} ppm");
        assert_eq!(wall_ahead_ms(&host, &*runtime), off_ms);
        // The wall clock is right again, and timers keep what they gained or lost.
        let off = clock.set(Skew::default()).unwrap();
        assert_eq!(off, Off { wall_ms: 0, timers_ms: off_ms });
    }
}

#[test]
fn a_sleep_that_is_under_way_is_reckoned_anew_when_the_pace_changes() {
    let (host, clock, runtime) = clocks();
    let mut sleep = runtime.sleep_until(runtime.now() + ms(1_000));
    for (at, drift_ppm) in [(500, -500_000), (900, 2_000_000)] {
        while host.passed() < ms(at) {
            assert!((&mut sleep).now_or_never().is_none());
            host.advance(ms(1));
        }
        clock.set(Skew { drift_ppm, ..Skew::default() }).unwrap();
    }
    // 500 at the right pace, 400 that count half, and the 300 that are left at three times the pace.
    assert_eq!(host.until(sleep), ms(1_000));
}

#[test]
fn the_wall_clock_strobes() {
    let (host, clock, runtime) = clocks();
    let strobe = Some(Strobe { every_ms: 200, by_ms: -60_000 });
    clock.set(Skew { wall_jump_ms: 5_000, strobe, ..Skew::default() }).unwrap();
    for (at_ms, off_ms) in [(0, -55_000), (199, -55_000), (200, 5_000), (399, 5_000), (400, -55_000)] {
        host.advance(ms(at_ms) - host.passed());
        assert_eq!(clock.off(), Off { wall_ms: off_ms, timers_ms: 0 }, "after {at_ms} ms");
        assert_eq!(wall_ahead_ms(&host, &*runtime), off_ms);
    }
}

#[test]
fn what_no_clock_can_do_is_refused_and_changes_nothing() {
    let (_, clock, _) = clocks();
    clock.set(Skew { wall_jump_ms: 7, ..Skew::default() }).unwrap();
    let nothing = Skew::default();
    let strobe = |every_ms, by_ms| Skew { strobe: Some(Strobe { every_ms, by_ms }), ..nothing };
    for bad in [
        Skew { wall_jump_ms: i64::MIN, ..nothing },
        Skew { timer_jump_ms: TIMER_JUMP_MS_MAX + 1, ..nothing },
        Skew { drift_ppm: DRIFT_PPM_MIN - 1, ..nothing },
        Skew { drift_ppm: DRIFT_PPM_MAX + 1, ..nothing },
        strobe(0, 5),
        strobe(5, 0),
        strobe(5, i64::MAX),
    ] {
        assert!(clock.set(bad).is_err(), "{bad:?}");
        assert_eq!(clock.off().wall_ms, 7);
    }
}
