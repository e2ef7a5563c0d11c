//! Nodes whose clocks are wrong. Elections, and all else that waits, go by them; what is acknowledged does not.

use std::time::UNIX_EPOCH;

use super::*;
use crate::env::fault::clock::{DRIFT_PPM_MAX, DRIFT_PPM_MIN, Skew, TIMER_JUMP_MS_MAX};

/// Longer than an election takes where clocks are right, and shorter than where they run at a tenth.
const ELECTION: Duration = Duration::from_millis(1_500);

fn drift(drift_ppm: i32) -> Skew {
    Skew { drift_ppm, ..Skew::default() }
}

impl Cluster {
    fn skew(&self, name: &str, skew: Skew) {
        self.members[name].clock.set(skew).unwrap();
    }

    /// Proposes until it is certain that it was done, whatever time it is on the node.
    fn surely_by_its_clock(&self, name: &str, number: u64) {
        let replica = self.replica(name);
        self.until("an answer", |cluster| {
            let command = Command { sequence: number, ..Command::default() };
            let deadline = replica.env().now() + Duration::from_secs(30);
            cluster.runtime.block_on(replica.propose(Vec::new(), command, deadline)).ok()
        });
    }
}

#[test]
fn a_follower_whose_clock_is_fast_deposes_nobody_and_serves_when_its_leader_falls() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let fast = cluster.follower();
    cluster.surely(&fast, 1);
    cluster.skew(&fast, drift(DRIFT_PPM_MAX));
    // By its clock a second passes between two heartbeats, and it may ask for votes; nobody gives one. If somebody did,
    // there would be an election in every such while; on a busy machine there may be one in some.
    let node = cluster.replica(&fast).env().clone();
    let leader = cluster.until("a while without an election", |cluster| {
        let leads = |leader: &String| {
            let status = cluster.replica(leader).status();
            (status.role == Role::Leader).then_some(status.term)
        };
        let leader = cluster.leader();
        let term = leads(&leader)?;
        if leader == fast {
            // The others did not hear of theirs for long enough.
            let soon = node.now() + Duration::from_secs(30);
            let _ = cluster.runtime.block_on(cluster.replica(&fast).transfer_leader("", soon));
            return None;
        }
        let later = node.now() + 5 * ELECTION;
        cluster.until("five elections by its clock", |_| (node.now() > later).then_some(()));
        (leads(&leader) == Some(term)).then_some(leader)
    });
    cluster.surely(&leader, 2);

    cluster.kill(&leader);
    cluster.surely_by_its_clock(&fast, 3);
}

#[test]
fn slow_clocks_hold_up_an_election_and_a_jump_of_timers_makes_it_happen() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    let others: Vec<String> = cluster.names.iter().filter(|name| **name != leader).cloned().collect();
    others.iter().for_each(|name| cluster.skew(name, drift(DRIFT_PPM_MIN)));
    cluster.kill(&leader);
    let begun = Instant::now();
    while begun.elapsed() < ELECTION {
        assert!(
            cluster.statuses().iter().all(|status| status.role != Role::Leader),
            "slow clocks were not slow"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let jump = Skew { timer_jump_ms: 5_000, ..Skew::default() };
    others.iter().for_each(|name| cluster.skew(name, jump));
    let next = cluster.leader();
    cluster.surely_by_its_clock(&next, 2);
}

/// Wall clocks are for people: consensus does not look at them.
#[test]
fn a_cluster_serves_whatever_its_wall_clocks_say_and_however_far_timers_jump() {
    let cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    for (number, wall_jump_ms) in (1..).zip([-1_000_000_000_000, 1_000_000_000_000, -86_400_000]) {
        for name in &cluster.names {
            let timer_jump_ms = if *name == leader { TIMER_JUMP_MS_MAX } else { 0 };
            cluster.skew(name, Skew { wall_jump_ms, timer_jump_ms, ..Skew::default() });
            let wall = i128::from(cluster.replica(name).env().unix_ms());
            let host = i128::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
            assert!((wall - host - i128::from(wall_jump_ms)).abs() < 60_000, "{name} is at {wall}");
        }
        let next = cluster.leader();
        cluster.surely_by_its_clock(&next, number);
    }
    cluster.names.iter().for_each(|name| cluster.skew(name, Skew::default()));
    let next = cluster.leader();
    cluster.surely_by_its_clock(&next, 4);
}

#[test]
fn a_leader_whose_timers_jumped_sees_who_answers() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let jump = Skew { timer_jump_ms: 86_400_000, ..Skew::default() };
    cluster.names.iter().for_each(|name| cluster.skew(name, jump));
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let name = NodeName::parse(&follower).unwrap();
    let answers = |cluster: &Cluster| {
        let replica = cluster.replica(&leader);
        replica.answers(&replica.metrics(), &name)
    };
    cluster.until("an answer", |cluster| answers(cluster).then_some(()));
    cluster.kill(&follower);
    cluster.until("silence", |cluster| (!answers(cluster)).then_some(()));
}
