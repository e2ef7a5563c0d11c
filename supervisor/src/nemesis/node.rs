//! What is broken inside nodes: clocks, disks, and crashes at points of their code.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use futures::future::{LocalBoxFuture, join_all, try_join_all};
use nix::sys::signal::Signal;
use rand::RngExt;

use super::effect::Effect;
use super::guard::{FaultGuard, Struck, Undo};
use super::{Aim, Nemesis};
use crate::cluster::{Comeback, ExpectedExit};
use crate::harness::HarnessFailure;
use crate::rng::Rng;
use crate::scenario::count::Count;
use crate::scenario::unit::Size;
use crate::scenario::verb::{Call, Clock, Crash, Disk, DiskVerb, Loss};
use crate::system::faults::{ClockFault, DiskFault, Kept, NodeFaults, PowerLoss};

/// How long a node may take to break itself as it is told to.
const CONTROL_LIMIT: Duration = Duration::from_secs(2);

impl From<&Clock> for ClockFault {
    fn from(clock: &Clock) -> Self {
        let every = u32::try_from(clock.strobe_every.as_millis()).unwrap_or(u32::MAX);
        Self {
            wall_jump_ms: clock.jump.map_or(0, |jump| jump.ms),
            timer_jump_ms: clock
                .timers
                .map_or(0, |timers| u64::try_from(timers.as_millis()).unwrap_or(u64::MAX)),
            drift_ppm: clock.drift.map_or(0, |drift| drift.ppm),
            strobe: clock.strobe.map(|strobe| (strobe.ms, every)),
        }
    }
}

/// The end of a node that has come to the point at which it was to crash.
const CRASH: ExpectedExit = ExpectedExit::Signal(nix::libc::SIGKILL);

/// How long a node may take to end after its disk has failed.
const FAIL_STOP_LIMIT: Duration = Duration::from_secs(2);

/// How often a node is told that a fault is over, and how long it rests between two tries.
const TELL_TRIES_MAX: u32 = 5;
const TELL_REST: Duration = Duration::from_millis(100);

/// What of a disk can be set while its node runs.
fn running_fault(verb: DiskVerb) -> DiskFault {
    let none = DiskFault::default();
    match verb {
        DiskVerb::IoError(Call::Read) => DiskFault { fail_reads: true, ..none },
        DiskVerb::IoError(Call::Write) => DiskFault { fail_writes: true, ..none },
        DiskVerb::IoError(Call::Sync) => DiskFault { fail_syncs: true, ..none },
        DiskVerb::Full => DiskFault { full: true, ..none },
        DiskVerb::Slow(slow_sync) => DiskFault { slow_sync, ..none },
        DiskVerb::Stuck => DiskFault { stuck_sync: true, ..none },
        DiskVerb::PowerLoss(_) | DiskVerb::BitFlip(_) => none,
    }
}

impl Nemesis {
    pub(super) async fn set_clocks(&self, clock: &Clock, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let faults = self.node_faults()?;
        let struck = self.struck(&aim);
        let layer = self.inside.clocks.put(struck.clone(), clock.into());
        let set = struck.iter().map(|life| async move {
            let fault = self.inside.clocks.on(life).unwrap_or_default();
            let set = faults.set_clock(&life.node, fault, CONTROL_LIMIT).await;
            set.map(|_| life.clone()).map_err(|why| format!("the clock of {} was not set: {why}", life.node))
        });
        let (struck, failed) = parted(join_all(set).await);
        Ok(self.standing.install(aim.nodes, Undo::Clocks { struck, layer, failed }))
    }

    /// Sets clocks right again, as far as this strike goes.
    pub(super) async fn set_clocks_right(
        &self,
        struck: &[Struck],
        layer: u64,
        failed: Vec<String>,
    ) -> Result<Effect, HarnessFailure> {
        let faults = self.node_faults()?;
        self.inside.clocks.lift(layer);
        let right = struck.iter().map(|life| async move {
            let node = &life.node;
            let rest = || ClockFault { timer_jump_ms: 0, ..self.inside.clocks.on(life).unwrap_or_default() };
            let set = self.insist(life, || faults.set_clock(node, rest(), CONTROL_LIMIT)).await?;
            let text = match set {
                Some(_) => format!("the clock of {node} was set right"),
                None => format!("{node} ended with its clock set wrong"),
            };
            Ok::<_, HarnessFailure>(Effect::of(text, &[(Count::ClocksSet, 1)]))
        });
        let failed = failed.into_iter().map(|text| Effect::of(text, &[]));
        Ok(Effect::all(try_join_all(right).await?.into_iter().chain(failed)))
    }

    pub(super) async fn break_disks(
        &self,
        disk: &Disk,
        aim: Aim,
        rng: &mut Rng,
    ) -> Result<FaultGuard, HarnessFailure> {
        match disk.fault {
            DiskVerb::PowerLoss(loss) => self.cut_power(loss, aim, rng).await,
            DiskVerb::BitFlip(bits) => self.flip_bits(bits, aim, rng).await,
            verb => self.strike_disks(verb, aim).await,
        }
    }

    async fn strike_disks(&self, verb: DiskVerb, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let faults = self.node_faults()?;
        let expected = ExpectedExit::Code(faults.disk_failure_code());
        // The lives are those from before: a node may end before it can say that it was struck.
        let struck = self.struck(&aim);
        let layer = self.inside.disks.put(struck.clone(), running_fault(verb));
        let set = struck.iter().map(|life| async move {
            if verb.fails() {
                self.cluster.expect_exit(&life.node, expected);
            }
            let fault = self.inside.disks.on(life).unwrap_or_default();
            match faults.set_disk(&life.node, fault, CONTROL_LIMIT).await {
                Ok(before) => (before, None),
                Err(_) if !self.lives(life) => (0, None),
                Err(why) => (0, Some(format!("the disk of {} was not struck: {why}", life.node))),
            }
        });
        let (before, failed): (Vec<u64>, Vec<Option<String>>) = join_all(set).await.into_iter().unzip();
        let failed = failed.into_iter().flatten().collect();
        Ok(self.standing.install(aim.nodes, Undo::Disks { fault: verb, struck, before, layer, failed }))
    }

    /// Mends disks as far as this strike goes, starts the nodes that their disks have ended, and says what came of it.
    pub(super) async fn mend_disks(
        &self,
        verb: DiskVerb,
        struck: &[Struck],
        before: &[u64],
        layer: u64,
        failed: Vec<String>,
    ) -> Result<Effect, HarnessFailure> {
        self.inside.disks.lift(layer);
        let mend = struck.iter().zip(before).map(|(life, before)| self.mend_disk(verb, life, *before));
        let failed = failed.into_iter().map(|text| Effect::of(text, &[]));
        Ok(Effect::all(try_join_all(mend).await?.into_iter().chain(failed)))
    }

    async fn mend_disk(&self, verb: DiskVerb, life: &Struck, before: u64) -> Result<Effect, HarnessFailure> {
        let (faults, node) = (self.node_faults()?, &life.node);
        let rest = || self.inside.disks.on(life).unwrap_or_default();
        let Some(calls) = self.insist(life, || faults.set_disk(node, rest(), CONTROL_LIMIT)).await? else {
            return self.bring_back_after(life, faults.disk_failure_code(), Count::DiskFailures).await;
        };
        let calls = calls.saturating_sub(before);
        let struck = Effect::of(
            format!("{calls} calls to the disk of {node} were struck"),
            &[(Count::DiskCallsStruck, calls)],
        );
        if !verb.fails() {
            return Ok(struck);
        }
        if calls == 0 {
            self.cluster.expect_exit_no_more(node, ExpectedExit::Code(faults.disk_failure_code()));
            return Ok(struck);
        }
        // A node whose disk has failed is on its way out, and may be a little longer.
        if self.cluster.ended(node, life.generation, FAIL_STOP_LIMIT).await {
            let back = self.bring_back_after(life, faults.disk_failure_code(), Count::DiskFailures).await?;
            return Ok(struck.and(back));
        }
        Ok(struck)
    }

    async fn cut_power(&self, loss: Loss, aim: Aim, rng: &mut Rng) -> Result<FaultGuard, HarnessFailure> {
        let faults = self.node_faults()?;
        let kept = match loss {
            Loss::All => Kept::Nothing,
            Loss::Some => Kept::Some,
            Loss::Torn => Kept::Torn,
        };
        let lives: Vec<(Struck, u64)> =
            self.struck(&aim).into_iter().map(|life| (life, rng.random())).collect();
        let cut = lives.into_iter().map(|(life, seed)| async move {
            let node = &life.node;
            let lost = faults.power_loss(node, kept, seed, CONTROL_LIMIT).await;
            if !self.lives(&life) || self.cluster.was_ended(node) {
                // Another strike was quicker; its node is not ours to start again.
                return Ok((None, Effect::of(format!("{node} had ended already"), &[])));
            }
            self.cluster.kill(node, Signal::SIGKILL).await?;
            let lost = match lost {
                Ok(PowerLoss { bytes_lost, bytes_kept, torn }) => Effect::of(
                    format!(
                        "{node} lost {} that it had not synced, {} are kept",
                        Size(bytes_lost),
                        Size(bytes_kept)
                    ),
                    &[(Count::UnsyncedBytesDropped, bytes_lost), (Count::WritesTorn, u64::from(torn))],
                ),
                // What was not synced is lost with the process, too.
                Err(why) => self
                    .cluster
                    .unsynced_effect(node)
                    .and(Effect::of(format!("{node} could not say what it lost: {why}"), &[])),
            };
            Ok::<_, HarnessFailure>((Some(life), lost))
        });
        let (struck, lost): (Vec<Option<Struck>>, Vec<Effect>) = try_join_all(cut).await?.into_iter().unzip();
        let (struck, lost) = (struck.into_iter().flatten().collect(), Effect::all(lost));
        Ok(self.standing.install(aim.nodes, Undo::PowerOn { struck, lost }))
    }

    async fn flip_bits(&self, bits: u32, aim: Aim, rng: &mut Rng) -> Result<FaultGuard, HarnessFailure> {
        let faults = self.node_faults()?;
        let (struck, mut flipped) = self.struck_alive(&aim);
        try_join_all(struck.iter().map(|life| self.cluster.kill(&life.node, Signal::SIGKILL))).await?;
        for Struck { node, .. } in &struck {
            let directory = self.cluster.data_dir(node);
            let mut total = 0;
            for _ in 0..bits {
                let files = faults.precious_files();
                let file = directory.join(files[rng.random_range(0..files.len())]);
                total +=
                    u64::from(flip_a_bit(&file, rng).map_err(HarnessFailure::file("flip a bit of", &file))?);
            }
            let text = format!("flipped {total} bits on the disk of {node}");
            flipped = flipped.and(Effect::of(text, &[(Count::BitsFlipped, total)]));
        }
        Ok(self.standing.install(aim.nodes, Undo::Inspect { struck, flipped }))
    }

    /// Starts nodes again whose disks are damaged. One that refuses to go on from its disk does what it must, and is
    /// not asked again.
    pub(super) async fn inspect(&self, struck: &[Struck], flipped: Effect) -> Result<Effect, HarnessFailure> {
        let code = self.node_faults()?.disk_failure_code();
        let inspect = struck.iter().map(|Struck { node, generation }| async move {
            let text = match self.cluster.bring_back_or_refuse(node, *generation, code).await {
                Ok(Comeback::Refused) => {
                    self.cluster.give_up(node, "it refused its damaged disk, as it must");
                    format!("{node} refused its damaged disk")
                }
                Ok(Comeback::Gone) => format!("{node} is out of the run"),
                Ok(_) => {
                    self.cluster.undamaged(node);
                    format!("{node} started again")
                }
                Err(HarnessFailure::Start { why, .. }) => format!("{node} did not come back: {why}"),
                Err(failure) => return Err(failure),
            };
            Ok(Effect::of(text, &[]))
        });
        Ok(flipped.and(Effect::all(try_join_all(inspect).await?)))
    }

    pub(super) async fn arm(&self, crash: &Crash, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let faults = self.node_faults()?;
        let struck = self.struck(&aim);
        let layer = self.inside.crashes.put(struck.clone(), (crash.at.clone(), crash.skip));
        let arm = struck.iter().map(|life| async move {
            let node = &life.node;
            self.cluster.expect_exit(node, CRASH);
            let armed = faults.crash_at(node, Some(&crash.at), crash.skip, CONTROL_LIMIT).await;
            // A node that has come to the point already cannot answer.
            match armed {
                Err(why) if self.lives(life) => Err(format!("{node} was not armed: {why}")),
                _ => Ok(life.clone()),
            }
        });
        let (_, failed) = parted(join_all(arm).await);
        Ok(self.standing.install(aim.nodes, Undo::Disarm { struck, layer, at: crash.at.clone(), failed }))
    }

    /// Disarms nodes that never came to the point, starts those that did, and says what came of it.
    pub(super) async fn disarm(
        &self,
        struck: &[Struck],
        layer: u64,
        at: &str,
        failed: Vec<String>,
    ) -> Result<Effect, HarnessFailure> {
        let faults = self.node_faults()?;
        self.inside.crashes.lift(layer);
        let disarm = struck.iter().map(|life| async move {
            let node = &life.node;
            let rest = self.inside.crashes.on(life);
            let (point, skip) =
                rest.as_ref().map_or((None, 0), |(point, skip)| (Some(point.as_str()), *skip));
            let told = self.insist(life, || faults.crash_at(node, point, skip, CONTROL_LIMIT)).await?;
            if told.is_some() {
                self.cluster.expect_exit_no_more(node, CRASH);
                return Ok(Effect::of(format!("{node} never came to {at}"), &[]));
            }
            if self.cluster.generation(node) != life.generation || self.cluster.was_ended(node) {
                return Ok(Effect::of(format!("{node} was ended before it came to {at}"), &[]));
            }
            let lost = self.cluster.unsynced_effect(node);
            let back = self.bring_back(std::slice::from_ref(life), Some(Count::Crashes)).await?;
            Ok::<_, HarnessFailure>(Effect::of(format!("{node} crashed at {at}"), &[]).and(lost).and(back))
        });
        let failed = failed.into_iter().map(|text| Effect::of(text, &[]));
        Ok(Effect::all(try_join_all(disarm).await?.into_iter().chain(failed)))
    }

    /// Starts a node again that has ended with `code`, which is counted as `what`. One that the testbed itself has ended is
    /// left to whoever has done that.
    async fn bring_back_after(
        &self,
        life: &Struck,
        code: i32,
        what: Count,
    ) -> Result<Effect, HarnessFailure> {
        let node = &life.node;
        if self.cluster.generation(node) != life.generation || self.cluster.was_ended(node) {
            return Ok(Effect::of(format!("{node} was ended by another fault"), &[]));
        }
        let is_it = self.cluster.exit_code(node) == Some(code);
        self.bring_back(std::slice::from_ref(life), is_it.then_some(what)).await
    }

    /// Tells a node something until it has heard it; `None` when that life of it has ended. A node that does not hear it
    /// is ended and started anew: no fault may stay.
    async fn insist<'a, T>(
        &self,
        life: &Struck,
        tell: impl Fn() -> LocalBoxFuture<'a, Result<T, String>>,
    ) -> Result<Option<T>, HarnessFailure> {
        let node = &life.node;
        for _ in 0..TELL_TRIES_MAX {
            if !self.lives(life) {
                return Ok(None);
            }
            if let Ok(told) = tell().await {
                return Ok(Some(told));
            }
            tokio::time::sleep(TELL_REST).await;
        }
        if self.lives(life) {
            self.cluster.kill(node, Signal::SIGKILL).await?;
            self.bring_back(std::slice::from_ref(life), None).await?;
        }
        Ok(None)
    }

    fn node_faults(&self) -> Result<&dyn NodeFaults, HarnessFailure> {
        let none = || {
            HarnessFailure::Unsupported("the nodes of this system cannot be broken from within".to_owned())
        };
        self.cluster.system().faults().ok_or_else(none)
    }
}

/// The lives that did as they were told, and what the others said.
fn parted(answers: Vec<Result<Struck, String>>) -> (Vec<Struck>, Vec<String>) {
    let (done, failed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    (done.into_iter().flatten().collect(), failed.into_iter().filter_map(Result::err).collect())
}

/// Flips a random bit of a file; tells whether there was one.
fn flip_a_bit(path: &Path, rng: &mut Rng) -> std::io::Result<bool> {
    let file = fs::File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(false);
    }
    let (place, bit) = (rng.random_range(0..length), rng.random_range(0..8_u8));
    let mut byte = [0];
    file.read_exact_at(&mut byte, place)?;
    file.write_all_at(&[byte[0] ^ (1 << bit)], place)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_flipped_and_the_rest_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("log");
        let before = vec![0_u8; 1000];
        fs::write(&file, &before).unwrap();
        assert!(flip_a_bit(&file, &mut Rng::from_seed(7)).unwrap());
        let after = fs::read(&file).unwrap();
        let flipped: u32 =
            before.iter().zip(&after).map(|(before, after)| (before ^ after).count_ones()).sum();
        assert_eq!((flipped, after.len()), (1, 1000));
        fs::write(&file, "").unwrap();
        assert!(!flip_a_bit(&file, &mut Rng::from_seed(7)).unwrap());
    }
}
