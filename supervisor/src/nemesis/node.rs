//! What is broken inside nodes: clocks, disks, and crashes at points of their code.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
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
use crate::system::NodeName;
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
        let set = aim.nodes.iter().map(|node| async move {
            let set = faults.set_clock(node, clock.into(), CONTROL_LIMIT).await;
            set.map(|_| node.clone()).map_err(|why| format!("the clock of {node} was not set: {why}"))
        });
        let (struck, failed) = parted(join_all(set).await);
        let struck = self.lives(&struck);
        Ok(self.standing.install(aim.nodes, Undo::Clocks { struck, failed }))
    }

    /// Sets clocks right again, and says what they were when the nodes that live still had them wrong.
    pub(super) async fn set_clocks_right(
        &self,
        struck: &[Struck],
        failed: Vec<String>,
    ) -> Result<Effect, HarnessFailure> {
        let faults = self.node_faults()?;
        let right = struck.iter().map(|Struck { node, generation }| async move {
            let one = [(Count::ClocksSet, 1)];
            if self.cluster.living_generation(node) != Some(*generation) {
                return Effect::of(format!("{node} ended with its clock set wrong"), &one);
            }
            match faults.set_clock(node, ClockFault::default(), CONTROL_LIMIT).await {
                Ok(_) => Effect::of(format!("the clock of {node} was set right"), &one),
                Err(why) => Effect::of(format!("the clock of {node} stays wrong: {why}"), &one),
            }
        });
        let failed = failed.into_iter().map(|text| Effect::of(text, &[]));
        Ok(Effect::all(join_all(right).await.into_iter().chain(failed)))
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
            verb => {
                let faults = self.node_faults()?;
                let code = faults.disk_failure_code();
                let set = aim.nodes.iter().map(|node| async move {
                    self.cluster.expect_exit(node, ExpectedExit::Code(code));
                    let set = faults.set_disk(node, running_fault(verb), CONTROL_LIMIT).await;
                    set.map(|_| node.clone())
                        .map_err(|why| format!("the disk of {node} was not struck: {why}"))
                });
                // The lives are those from before: a node may end before it can say that it was struck.
                let struck = self.struck(&aim);
                let (_, failed) = parted(join_all(set).await);
                Ok(self.standing.install(aim.nodes, Undo::Disks { struck, failed }))
            }
        }
    }

    /// Mends the disks of nodes that live, starts the nodes that their disks have ended, and says what came of it.
    pub(super) async fn mend_disks(
        &self,
        struck: &[Struck],
        failed: Vec<String>,
    ) -> Result<Effect, HarnessFailure> {
        let faults = self.node_faults()?;
        let mend = struck.iter().map(|struck| async move {
            let Struck { node, generation } = struck;
            if self.cluster.living_generation(node) == Some(*generation) {
                let mended = faults.set_disk(node, DiskFault::default(), CONTROL_LIMIT).await;
                self.cluster.expect_exit(node, ExpectedExit::No);
                return Ok(match mended {
                    Ok(calls) => Effect::of(
                        format!("{calls} calls to the disk of {node} were struck"),
                        &[(Count::DiskCallsStruck, calls)],
                    ),
                    Err(why) => Effect::of(format!("the disk of {node} was not mended: {why}"), &[]),
                });
            }
            self.bring_back(std::slice::from_ref(struck), Count::DiskFailures).await
        });
        let failed = failed.into_iter().map(|text| Effect::of(text, &[]));
        Ok(Effect::all(try_join_all(mend).await?.into_iter().chain(failed)))
    }

    async fn cut_power(&self, loss: Loss, aim: Aim, rng: &mut Rng) -> Result<FaultGuard, HarnessFailure> {
        let faults = self.node_faults()?;
        let kept = match loss {
            Loss::All => Kept::Nothing,
            Loss::Some => Kept::Some,
            Loss::Torn => Kept::Torn,
        };
        let struck = self.struck(&aim);
        let seeds: Vec<u64> = aim.nodes.iter().map(|_| rng.random()).collect();
        let cut = aim.nodes.iter().zip(seeds).map(|(node, seed)| async move {
            let lost = faults.power_loss(node, kept, seed, CONTROL_LIMIT).await;
            self.cluster.kill(node, nix::sys::signal::Signal::SIGKILL).await?;
            Ok::<_, HarnessFailure>(match lost {
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
            })
        });
        let lost = Effect::all(try_join_all(cut).await?);
        Ok(self.standing.install(aim.nodes, Undo::PowerOn { struck, lost }))
    }

    async fn flip_bits(&self, bits: u32, aim: Aim, rng: &mut Rng) -> Result<FaultGuard, HarnessFailure> {
        let faults = self.node_faults()?;
        let struck = self.struck(&aim);
        try_join_all(aim.nodes.iter().map(|node| self.cluster.kill(node, nix::sys::signal::Signal::SIGKILL)))
            .await?;
        let mut flipped = Effect::default();
        for node in &aim.nodes {
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
                Ok(_) => format!("{node} started again"),
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
        let arm = aim.nodes.iter().map(|node| async move {
            self.cluster.expect_exit(node, ExpectedExit::Signal(nix::libc::SIGKILL));
            let armed = faults.crash_at(node, Some(&crash.at), crash.skip, CONTROL_LIMIT).await;
            // A node that has come to the point already cannot answer.
            match armed {
                Err(why) if self.cluster.living_generation(node).is_some() => {
                    Err(format!("{node} was not armed: {why}"))
                }
                _ => Ok(node.clone()),
            }
        });
        let (_, failed) = parted(join_all(arm).await);
        Ok(self.standing.install(aim.nodes, Undo::Disarm { struck, at: crash.at.clone(), failed }))
    }

    /// Disarms nodes that never came to the point, starts those that did, and says what came of it.
    pub(super) async fn disarm(
        &self,
        struck: &[Struck],
        at: &str,
        failed: Vec<String>,
    ) -> Result<Effect, HarnessFailure> {
        let faults = self.node_faults()?;
        let disarm = struck.iter().map(|struck| async move {
            let Struck { node, generation } = struck;
            if self.cluster.living_generation(node) == Some(*generation) {
                // It fails when the node comes to the point just now, which the heal will see.
                drop(faults.crash_at(node, None, 0, CONTROL_LIMIT).await);
                if self.cluster.living_generation(node) == Some(*generation) {
                    self.cluster.expect_exit(node, ExpectedExit::No);
                    return Ok(Effect::of(format!("{node} never came to {at}"), &[]));
                }
            }
            if self.cluster.generation(node) != *generation {
                return Ok(Effect::of(format!("{node} was started anew meanwhile"), &[]));
            }
            let lost = self.cluster.unsynced_effect(node);
            let back = self.bring_back(std::slice::from_ref(struck), Count::Crashes).await?;
            Ok(Effect::of(format!("{node} crashed at {at}"), &[]).and(lost).and(back))
        });
        let failed = failed.into_iter().map(|text| Effect::of(text, &[]));
        let effects: Vec<Effect> = try_join_all(disarm).await?;
        Ok(Effect::all(effects.into_iter().chain(failed)))
    }

    fn node_faults(&self) -> Result<&dyn NodeFaults, HarnessFailure> {
        let none = || {
            HarnessFailure::Unsupported("the nodes of this system cannot be broken from within".to_owned())
        };
        self.cluster.system().faults().ok_or_else(none)
    }

    fn lives(&self, nodes: &[NodeName]) -> Vec<Struck> {
        let life = |node: &NodeName| Struck { node: node.clone(), generation: self.cluster.generation(node) };
        nodes.iter().map(life).collect()
    }
}

/// The nodes that did as they were told, and what the others said.
fn parted(answers: Vec<Result<NodeName, String>>) -> (Vec<NodeName>, Vec<String>) {
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
