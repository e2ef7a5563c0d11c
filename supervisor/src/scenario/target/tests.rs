use super::*;

fn cluster(roles: &[(Role, bool)]) -> Vec<NodeStatus> {
    let node = |(index, (role, alive)): (usize, &(Role, bool))| NodeStatus {
        name: format!("n{}", index + 1),
        role: *role,
        alive: *alive,
    };
    roles.iter().enumerate().map(node).collect()
}

/// `n1` leads, the other four follow.
fn healthy() -> Vec<NodeStatus> {
    let mut roles = [(Role::Follower, true); 5];
    roles[0].0 = Role::Leader { term: 3 };
    cluster(&roles)
}

fn struck(target: &str, nodes: &[NodeStatus], seed: u64) -> Result<Vec<String>, Why> {
    resolve(&target.parse().unwrap(), nodes, &mut Rng::from_seed(seed))
}

#[test]
fn every_target_is_written_as_it_is_read() {
    for text in Target::words().chain(["n3", "n1,n3", "random:2"]) {
        assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
    }
    for text in ["", "n0", "n", "n100", "leaders", "random", "random:0", "random:x", "n1,", "spare"] {
        assert_eq!(text.parse::<Target>(), Err(UnknownTarget(text.to_owned())));
    }
}

#[test]
fn counts_are_fractions_of_the_whole_cluster() {
    let counts = |target: Target| [1, 2, 3, 4, 5, 6, 7, 9].map(|n| target.count(n).unwrap());
    assert_eq!(counts(Target::Minority), [0, 0, 1, 1, 2, 2, 3, 4]);
    assert_eq!(counts(Target::Majority), [1, 2, 2, 3, 3, 4, 4, 5]);
    assert_eq!(counts(Target::MinorityThird), [0, 0, 0, 1, 1, 1, 2, 2]);
}

#[test]
fn a_minority_leaves_a_majority_and_a_majority_does_not() {
    for n in 1..=9 {
        let is_majority = |count: usize| count > n / 2;
        let minority = Target::Minority.count(n).unwrap();
        let majority = Target::Majority.count(n).unwrap();
        assert!(is_majority(n - minority) && !is_majority(n - minority - 1), "minority of {n}");
        assert!(!is_majority(n - majority) && is_majority(majority), "majority of {n}");
        assert!(3 * Target::MinorityThird.count(n).unwrap() < n, "a third of {n}");
    }
}

#[test]
fn roles_are_struck_by_role() {
    for seed in 0..50 {
        assert_eq!(struck("leader", &healthy(), seed).unwrap(), ["n1"]);
        assert_eq!(struck("followers", &healthy(), seed).unwrap(), ["n2", "n3", "n4", "n5"]);
        assert_ne!(struck("follower", &healthy(), seed).unwrap(), ["n1"]);
        assert_eq!(struck("all", &healthy(), seed).unwrap().len(), 5);
        assert_eq!(struck("n4,n2", &healthy(), seed).unwrap(), ["n2", "n4"]);
        for (target, count) in
            [("one", 1), ("minority", 2), ("majority", 3), ("minority-third", 1), ("random:4", 4)]
        {
            assert_eq!(struck(target, &healthy(), seed).unwrap().len(), count, "{target}");
        }
    }
}

#[test]
fn every_node_is_chosen_by_some_seed() {
    for target in ["one", "minority", "majority", "minority-third", "random:2", "any"] {
        let mut seen: Vec<String> =
            (0..100).flat_map(|seed| struck(target, &healthy(), seed).unwrap()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["n1", "n2", "n3", "n4", "n5"], "{target}");
    }
    let mut counts: Vec<usize> =
        (0..100).map(|seed| struck("any", &healthy(), seed).unwrap().len()).collect();
    counts.sort_unstable();
    counts.dedup();
    assert_eq!(counts, [1, 2, 3, 4, 5], "sizes of `any`");
}

#[test]
fn a_choice_does_not_depend_on_roles_or_on_nodes_that_were_not_chosen() {
    for seed in 0..50 {
        let chosen = struck("minority", &healthy(), seed).unwrap();
        let mut others = healthy();
        for node in &mut others {
            node.role = Role::Other;
        }
        let bystander = others.iter_mut().find(|node| !chosen.contains(&node.name)).unwrap();
        bystander.alive = false;
        assert_eq!(struck("minority", &others, seed).unwrap(), chosen);
    }
}

#[test]
fn only_nodes_that_are_up_are_struck() {
    let follower = (Role::Follower, true);
    let dead_leader = (Role::Leader { term: 9 }, false);
    let nodes = cluster(&[dead_leader, follower, (Role::Follower, false), follower, (Role::Other, true)]);
    for seed in 0..50 {
        assert_eq!(struck("leader", &nodes, seed), Err(Why::NoLeader));
        assert_eq!(struck("followers", &nodes, seed).unwrap(), ["n2", "n4"]);
        assert_eq!(struck("all", &nodes, seed).unwrap(), ["n2", "n4", "n5"]);
        assert_eq!(struck("n1,n2,n3", &nodes, seed).unwrap(), ["n2"]);
        assert!(
            struck("any", &nodes, seed).unwrap().iter().all(|node| ["n2", "n4", "n5"].contains(&&**node))
        );
        assert!(struck("majority", &nodes, seed).is_ok());
    }
    let why = struck("random:4", &nodes, 1).unwrap_err();
    assert_eq!(why.to_string(), "random:4 means 4 of 5 nodes, and 3 are up");
    assert_eq!(struck("n3", &nodes, 1).unwrap_err().to_string(), "n3 is not up");
}

#[test]
fn of_two_leaders_the_one_of_the_higher_term_is_meant() {
    let nodes = cluster(&[
        (Role::Leader { term: 4 }, true),
        (Role::Leader { term: 2 }, true),
        (Role::Follower, true),
    ]);
    assert_eq!(struck("leader", &nodes, 1).unwrap(), ["n1"]);
}

#[test]
fn nobody_is_an_answer_and_not_an_accident() {
    let dead = cluster(&[(Role::Follower, false); 3]);
    for target in Target::words() {
        assert!(struck(target, &dead, 1).is_err(), "{target}");
        assert!(struck(target, &[], 1).is_err(), "{target}");
    }
    let pair = cluster(&[(Role::Follower, true); 2]);
    assert_eq!(
        struck("minority", &pair, 1).unwrap_err().to_string(),
        "minority means 0 of 2 nodes, and 2 are up"
    );
}
