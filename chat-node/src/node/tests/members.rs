//! Clusters whose members change.

use super::*;
use crate::raft::{ChangeError, Standing};

/// How long an operator waits for one change.
const LIMIT: Duration = Duration::from_secs(15);

fn limit() -> crate::env::Instant {
    crate::env::Instant::from_std(Instant::now() + LIMIT)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The members of an answer: those with a vote, and those without.
fn split(members: &[crate::raft::Member]) -> (Vec<&str>, Vec<&str>) {
    let (voters, learners): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.voter);
    let names = |members: Vec<&'_ crate::raft::Member>| -> Vec<String> {
        members.into_iter().map(|member| member.node.clone()).collect()
    };
    let (voters, learners) = (names(voters), names(learners));
    let find =
        |name: &String| members.iter().find(|member| member.node == *name).map(|member| member.node.as_str());
    (voters.iter().filter_map(find).collect(), learners.iter().filter_map(find).collect())
}

/// What a busy machine may make of a change that makes sense. One that was of unknown outcome may have been made.
fn is_passing(error: &ChangeError) -> bool {
    matches!(
        error,
        ChangeError::NotLeader { .. }
            | ChangeError::Unserved(_)
            | ChangeError::InProgress
            | ChangeError::Late { .. }
            | ChangeError::Unknown { .. }
            | ChangeError::NoMajority { .. }
            | ChangeError::Silent { .. }
            | ChangeError::Voter { .. }
            | ChangeError::NoMember { .. }
    )
}

/// A transfer that was made.
struct Transfer {
    from: String,
    to: String,
    /// Since when `to` leads.
    term: u64,
}

impl Cluster {
    /// The leader, once it does what it is told.
    fn office(&self) -> String {
        self.until("a leader that is ready", |cluster| {
            let leader = cluster.leader();
            cluster.replica(&leader).ready().get().then_some(leader)
        })
    }

    fn add(&self, name: &str) -> Result<Vec<crate::raft::Member>, ChangeError> {
        let leader = self.office();
        self.runtime.block_on(self.replica(&leader).add_learner(name, limit()))
    }

    /// Adds a node that must be added, also when leaders change under load.
    fn surely_add(&self, name: &str) {
        self.until("a node that is added", |cluster| {
            let added = cluster.add(name);
            assert!(added.as_ref().err().is_none_or(is_passing), "{added:?}");
            added.ok()
        });
    }

    /// Makes a change that must be made, also when leaders change under load.
    fn surely_change(&self, promote: &[&str], remove: &[&str]) {
        self.until("a change that is made", |cluster| {
            let changed = cluster.change(promote, remove);
            assert!(changed.as_ref().err().is_none_or(is_passing), "{changed:?}");
            let leader = cluster.leader();
            let status = cluster.replica(&leader).status();
            let (voters, learners) = split(&status.members);
            let done = promote.iter().all(|name| voters.contains(name))
                && remove.iter().all(|name| !voters.contains(name) && !learners.contains(name));
            (done && !status.changing).then_some(())
        });
    }

    fn change(&self, promote: &[&str], remove: &[&str]) -> Result<Vec<crate::raft::Member>, ChangeError> {
        let leader = self.office();
        let (promote, remove) = (names(promote), names(remove));
        self.runtime.block_on(self.replica(&leader).change_members(&promote, &remove, limit()))
    }

    /// Has the leader hand over, also when leaders change under load. Whoever it was told to hand over to leads then.
    fn surely_transfer(&self, to: impl Fn(&Self) -> String) -> Transfer {
        self.until("a transfer", |cluster| {
            let (from, wanted) = (cluster.office(), to(cluster));
            let before = cluster.replica(&from).status().term;
            match cluster.transfer(&from, &wanted) {
                Ok((to, term)) => {
                    assert!(term > before && (wanted.is_empty() || to == wanted), "{to} leads since {term}");
                    Some(Transfer { from, to, term })
                }
                Err(error) => {
                    // A busy machine may also let a follower lead meanwhile, or be silent.
                    let busy = matches!(
                        error,
                        ChangeError::Leads { .. } | ChangeError::Unheard { .. } | ChangeError::NoHeir { .. }
                    );
                    assert!(busy || is_passing(&error), "{error:?}");
                    None
                }
            }
        })
    }

    fn transfer(&self, from: &str, to: &str) -> Result<(String, u64), ChangeError> {
        self.runtime.block_on(self.replica(from).transfer_leader(to, limit()))
    }

    /// What the leader says that is told to hand over to whom it must not, also when leaders change under load.
    fn refusal(&self, to: impl Fn(&str) -> String) -> ChangeError {
        self.until("a refusal", |cluster| {
            let leader = cluster.office();
            let error = cluster.transfer(&leader, &to(&leader)).unwrap_err();
            let not_served = matches!(error, ChangeError::NotLeader { .. } | ChangeError::Unserved(_));
            (!not_served).then_some(error)
        })
    }

    /// Waits until each of `running` knows that `voters` are the members, and no others. Nothing is written meanwhile.
    fn settle(&self, running: &[&str], voters: &[&str]) {
        self.until("the members", |cluster| {
            let knows = |name: &&str| {
                let status = cluster.replica(name).status();
                !status.changing && split(&status.members) == (voters.to_vec(), Vec::new())
            };
            running.iter().all(knows).then_some(())
        });
    }

    fn stands(&self, name: &str, standing: Standing) {
        self.until("how a node stands", |cluster| {
            (cluster.replica(name).status().standing == standing).then_some(())
        });
    }

    fn traced(&self, name: &str, kind: &str) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.trace(name)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["kind"] == kind).collect()
    }
}

#[test]
fn a_cluster_grows_from_three_to_five() {
    let mut cluster = Cluster::new(3, Compaction::default());
    for number in 0..20 {
        cluster.surely("n1", number);
    }
    for spare in ["n4", "n5"] {
        // The others find its address in their tables, which had no such line when they started.
        cluster.start(spare).unwrap();
        assert_eq!(cluster.replica(spare).status().standing, Standing::Waiting);
        let refused = cluster.propose(spare, 100).unwrap_err();
        assert_eq!(refused, Failure::NotAMember { removed: false });
        cluster.surely_add(spare);
        cluster.stands(spare, Standing::Member);
    }
    cluster.surely_change(&["n4", "n5"], &[]);
    let all = ["n1", "n2", "n3", "n4", "n5"];
    cluster.settle(&all, &all);
    cluster.until("the trace of it", |cluster| {
        let traced = cluster.traced("n4", "members").pop()?;
        (traced["voters"] == serde_json::json!([all])).then_some(())
    });

    // The new ones count: without two of the old ones there is a majority.
    let leader = cluster.leader();
    let other = ["n1", "n2", "n3"].into_iter().find(|name| *name != leader).unwrap();
    cluster.kill(&leader);
    cluster.kill(other);
    cluster.surely("n5", 21);
    assert!(cluster.read("n4").unwrap() >= 21);
    cluster.converge();
}

#[test]
fn a_cluster_shrinks_from_five_to_three_without_its_leader() {
    let mut cluster = Cluster::new(5, Compaction::default());
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    let follower = cluster.names.iter().find(|name| **name != leader).unwrap().clone();
    let left: Vec<String> =
        cluster.names.iter().filter(|name| **name != leader && **name != follower).cloned().collect();
    let left: Vec<&str> = left.iter().map(String::as_str).collect();

    match cluster.change(&[], &[&leader, &follower]) {
        Ok(members) => {
            assert_eq!(
                split(&members),
                (left.clone(), Vec::new()),
                "the leader answers before it steps down"
            );
        }
        // On a busy machine another may lead before a majority has confirmed it, and the change is his to finish.
        Err(error) => {
            assert!(is_passing(&error), "{error:?}");
            cluster.surely_change(&[], &[&leader, &follower]);
        }
    }
    let next = cluster.until("another leader", |cluster| {
        let status = cluster.replica(left[0]).status();
        status.leader.filter(|name| left.contains(&name.as_str()))
    });
    cluster.settle(&left, &left);
    cluster.surely(left[1], 2);

    // Those who left say so, refuse, and leave the others alone.
    for gone in [&leader, &follower] {
        cluster.stands(gone, Standing::Removed);
        assert_eq!(cluster.propose(gone, 3), Err(Failure::NotAMember { removed: true }));
        assert_eq!(cluster.read(gone), Err(Failure::NotAMember { removed: true }));
        let refused = cluster.runtime.block_on(cluster.replica(gone).add_learner("n9", limit()));
        assert!(
            matches!(refused, Err(ChangeError::Unserved(Failure::NotAMember { removed: true }))),
            "{refused:?}"
        );
    }
    let term = cluster.replica(&next).status().term;
    for number in 10..60 {
        cluster.surely(left[0], number);
        assert_eq!(cluster.replica(&next).status().term, term, "a removed node disturbs the others");
    }

    // Also after it was started again, with its data: it finds out by asking, and may be added with what it has.
    cluster.kill(&follower);
    cluster.start(&follower).unwrap();
    cluster.stands(&follower, Standing::Removed);
    cluster.surely_add(&follower);
    cluster.surely_change(&[&follower], &[]);
    cluster.stands(&follower, Standing::Member);
    cluster.kill(&leader);
    cluster.surely(&follower, 61);
    cluster.converge();
}

#[test]
fn a_dead_node_is_replaced_under_a_new_name() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let dead = cluster.follower();
    cluster.surely(&dead, 1);
    cluster.kill(&dead);
    cluster.start("n6").unwrap();
    cluster.surely_add("n6");
    cluster.surely_change(&["n6"], &[&dead]);
    let mut left: Vec<&str> = cluster.names.iter().map(String::as_str).filter(|name| *name != dead).collect();
    left.push("n6");
    cluster.settle(&left, &left);
    cluster.surely("n6", 2);

    // It comes back, and learns that it was replaced.
    cluster.start(&dead).unwrap();
    cluster.stands(&dead, Standing::Removed);
    let leader = cluster.leader();
    let term = cluster.replica(&leader).status().term;
    cluster.surely(&leader, 3);
    assert_eq!(cluster.replica(&leader).status().term, term);
    cluster.kill(&dead);
    cluster.converge();
}

#[test]
fn a_node_that_lost_its_data_is_not_let_in_under_its_old_name() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    let [wiped, other] = {
        let others: Vec<String> = cluster.names.iter().filter(|name| **name != leader).cloned().collect();
        <[String; 2]>::try_from(others).unwrap()
    };
    cluster.kill(&wiped);
    std::fs::remove_dir_all(cluster.directory.path().join(&wiped)).unwrap();
    // Whoever starts it says that it is to join, not to found.
    cluster.names.retain(|name| *name != wiped);
    cluster.start(&wiped).unwrap();

    let refused = cluster.add(&wiped).unwrap_err();
    assert_eq!(refused, ChangeError::Voter { node: wiped.clone() });
    // With one of the other two there is no majority without it, and it gives none.
    cluster.kill(&other);
    assert!(!cluster.propose(&leader, 2).unwrap_err().is_definite());
    let status = cluster.replica(&wiped).status();
    assert_eq!((status.standing, status.term, status.last_log), (Standing::Waiting, 0, 0));

    // Under a new name it is.
    cluster.start(&other).unwrap();
    cluster.surely(&leader, 3);
    cluster.start("n7").unwrap();
    cluster.surely_add("n7");
    cluster.surely_change(&["n7"], &[&wiped]);
    cluster.surely("n7", 4);
}

#[test]
fn what_the_next_leader_finds_halfway_it_finishes() {
    let mut cluster = Cluster::new(3, Compaction::default());
    cluster.start("n4").unwrap();
    cluster.surely_add("n4");
    let leader = cluster.leader();
    let next: Vec<String> = cluster.names.iter().filter(|name| **name != leader).cloned().collect();
    let next = [next[0].as_str(), next[1].as_str(), "n4"];
    cluster.runtime.block_on(cluster.replica(&leader).leave_halfway(&next));
    let status = cluster.replica(&leader).status();
    assert!(status.changing && status.members.len() == 4, "{status:?}");
    let refused = cluster.add("n5").unwrap_err();
    assert_eq!(refused, ChangeError::InProgress);

    cluster.kill(&leader);
    cluster.settle(&next, &next);
    cluster.surely("n4", 1);
    cluster.kill("n4");
    cluster.surely(next[0], 2);
    cluster.converge();
}

#[test]
fn the_leadership_goes_where_it_is_told_to() {
    let mut cluster = Cluster::new(3, Compaction::default());
    cluster.surely("n1", 1);
    let moved = cluster.surely_transfer(Cluster::follower);
    cluster.until("the trace of it", |cluster| {
        let led = cluster.traced(&moved.to, "leader");
        led.iter().any(|event| event["term"].as_u64() == Some(moved.term)).then_some(())
    });
    cluster.surely(&moved.from, 2);

    cluster.until("a follower that refuses", |cluster| {
        let follower = cluster.follower();
        let refused = cluster.transfer(&follower, "").err()?;
        matches!(&refused, ChangeError::NotLeader { node, leader: Some(leader) } if *node == follower && leader != node)
            .then_some(())
    });
    // Nobody in particular: one of the others.
    let moved = cluster.surely_transfer(|_| String::new());
    assert_ne!(moved.to, moved.from);

    cluster.start("n4").unwrap();
    cluster.surely_add("n4");
    for (to, refused) in [
        ("n4", ChangeError::Learner { node: "n4".to_owned() }),
        (
            "n9",
            ChangeError::NoMember {
                node: "n9".to_owned(),
                members: "n1, n2, n3, n4 (without a vote)".to_owned(),
            },
        ),
        ("N 9", ChangeError::Name(NodeName::parse("N 9").unwrap_err())),
    ] {
        assert_eq!(cluster.refusal(|_| to.to_owned()), refused);
    }
    let own = cluster.refusal(str::to_owned);
    assert!(matches!(own, ChangeError::Leads { .. }), "{own:?}");

    // One that died a moment ago: whatever is answered, somebody leads, and goes on.
    let leader = cluster.leader();
    let dead = cluster.names.iter().find(|name| **name != leader).unwrap().clone();
    cluster.kill(&dead);
    let leader = cluster.office();
    let answer = cluster.transfer(&leader, &dead);
    assert!(
        answer.as_ref().is_err_and(|error| is_passing(error) || matches!(error, ChangeError::Unheard { .. })),
        "{answer:?}"
    );
    let alive = cluster.names.iter().find(|name| **name != dead).unwrap().clone();
    cluster.surely(&alive, 3);
}

#[test]
fn a_change_that_makes_no_sense_is_refused_and_changes_nothing() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    let follower = cluster.follower();
    let members = cluster.replica(&leader).status().members;

    let n = |name: &str| name.to_owned();
    assert_eq!(cluster.change(&[], &[]).unwrap_err(), ChangeError::Nothing);
    assert_eq!(cluster.change(&["n4"], &["n4"]).unwrap_err(), ChangeError::Both { node: n("n4") });
    assert_eq!(cluster.change(&[&follower], &[]).unwrap_err(), ChangeError::Voter { node: follower.clone() });
    assert_eq!(cluster.change(&[], &["n1", "n2", "n3"]).unwrap_err(), ChangeError::NoVoter);
    let stranger = cluster.change(&["n4"], &[]).unwrap_err();
    assert_eq!(stranger.to_string(), "n4 is no member of the cluster, which has n1, n2, n3");
    assert_eq!(cluster.add(&follower).unwrap_err(), ChangeError::Voter { node: follower.clone() });
    assert_eq!(
        cluster.add("n4").unwrap_err(),
        ChangeError::NoAddress { node: n("n4"), leader: leader.clone() }
    );
    // It has an address, and nobody is there.
    cluster.start("n4").unwrap();
    cluster.kill("n4");
    assert!(matches!(cluster.add("n4").unwrap_err(), ChangeError::Silent { .. }));
    let elsewhere = cluster.runtime.block_on(cluster.replica(&follower).add_learner("n4", limit()));
    assert_eq!(
        elsewhere,
        Err(ChangeError::NotLeader { node: follower.clone(), leader: Some(leader.clone()) })
    );

    // Two that would need each other, and one of them is dead.
    cluster.kill(&follower);
    let third = cluster.names.iter().find(|name| **name != leader && **name != follower).unwrap().clone();
    let dead = NodeName::parse(&follower).unwrap();
    cluster.until("silence", |cluster| {
        let replica = cluster.replica(&leader);
        (!replica.answers(&replica.metrics(), &dead)).then_some(())
    });
    let alone = cluster.change(&[], &[&third]).unwrap_err();
    assert!(
        matches!(&alone, ChangeError::NoMajority { voters, answering } if voters.contains(&follower) && *answering == leader),
        "{alone}"
    );
    assert_eq!(cluster.replica(&leader).status().members, members);
    cluster.surely(&leader, 2);
}

#[test]
fn a_minority_changes_nothing() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    cluster.start("n4").unwrap();
    for name in cluster.names.clone() {
        if name != leader {
            cluster.kill(&name);
        }
    }
    let soon = crate::env::Instant::from_std(Instant::now() + Duration::from_secs(2));
    let refused = cluster.runtime.block_on(cluster.replica(&leader).add_learner("n4", soon)).unwrap_err();
    // A majority is asked before anything is begun, so it is certain that nothing was.
    assert!(matches!(refused, ChangeError::Unserved(_) | ChangeError::NotLeader { .. }), "{refused}");
    assert_eq!(cluster.replica(&leader).status().members.len(), 3);
}

#[test]
fn a_node_that_joins_behind_the_log_gets_a_snapshot() {
    let compaction = Compaction { snapshot_entries: 50, keep_entries: 1_000_000 };
    let mut cluster = Cluster::new(3, compaction);
    let leader = cluster.leader();
    // Some mebibytes of state.
    let large = "x".repeat(64 << 10);
    for number in 0..80 {
        cluster.until("an answer", |cluster| cluster.propose_from(&leader, &large, number).ok());
    }
    assert_eq!(cluster.replica(&leader).status().purged, 0, "all of the log is kept");
    for name in cluster.names.clone() {
        let replica = cluster.replica(&name);
        let (index, purged) = cluster.runtime.block_on(replica.take_snapshot(true, limit())).unwrap();
        let status = replica.status();
        assert!(index >= 50 && purged == index, "{name}: {index} {purged}");
        assert_eq!((status.snapshot, status.purged), (index, purged));
        assert!(!cluster.traced(&name, "snapshot-made").is_empty());
    }
    cluster.surely(&leader, 100);

    cluster.start("n4").unwrap();
    cluster.surely_add("n4");
    let installed = cluster.traced("n4", "snapshot-installed");
    assert!(installed.iter().any(|event| event["index"].as_u64() >= Some(50)), "{installed:?}");
    cluster.surely_change(&["n4"], &[]);
    cluster.surely("n4", 101);
    assert!(cluster.read("n4").unwrap() >= 82);
    cluster.converge();

    // Nothing new: the snapshot that there is will do.
    let again = cluster.replica("n4");
    let made = cluster.runtime.block_on(again.take_snapshot(false, limit())).unwrap();
    assert_eq!(cluster.runtime.block_on(again.take_snapshot(false, limit())).unwrap().0, made.0);
}
