use std::collections::BTreeSet;

use super::*;
use crate::scenario::target::Role;

const SEEDS: u64 = 100;

/// `n` nodes, of which `n2` leads, or `n1` if it is alone.
fn cluster(n: usize) -> Vec<NodeStatus> {
    let leader = if n == 1 { 1 } else { 2 };
    let role = |number| if number == leader { Role::Leader { term: 3 } } else { Role::Follower };
    (1..=n).map(|number| NodeStatus { name: format!("n{number}"), role: role(number), alive: true }).collect()
}

fn names(n: usize) -> Vec<NodeName> {
    cluster(n).into_iter().map(|node| node.name).collect()
}

/// What a partition leaves of a cluster.
struct Cut {
    nodes: Vec<NodeName>,
    edges: BTreeSet<Edge>,
}

impl Cut {
    fn hears(&self, to: &str, from: &str) -> bool {
        !self.edges.contains(&Edge::new(from, to))
    }

    /// Who can talk with `node`, itself included.
    fn seen_by(&self, node: &str) -> BTreeSet<&str> {
        let seen = self.nodes.iter().filter(|other| self.hears(node, other) && self.hears(other, node));
        seen.map(String::as_str).collect()
    }

    fn is_symmetric(&self) -> bool {
        self.edges.iter().all(|edge| self.edges.contains(&edge.reversed()))
    }

    /// The groups of nodes that see the same ones, the smallest first.
    fn sides(&self) -> Vec<BTreeSet<&str>> {
        let sides: BTreeSet<_> = self.nodes.iter().map(|node| self.seen_by(node)).collect();
        let mut sides: Vec<_> = sides.into_iter().collect();
        sides.sort_by_key(BTreeSet::len);
        sides
    }

    fn side_sizes(&self) -> Vec<usize> {
        self.sides().iter().map(BTreeSet::len).collect()
    }
}

fn strike(shape: &Shape, ways: Ways, n: usize, seed: u64) -> Result<Cut, Why> {
    let partition = Partition { shape: shape.clone(), ways };
    let edges = partition.cut(&cluster(n), &mut Rng::from_seed(seed))?.edges;
    assert!(!edges.is_empty(), "{shape} of {n} nodes cuts nothing");
    assert!(edges.is_sorted(), "{shape} of {n} nodes is not in order");
    let cut = Cut { nodes: names(n), edges: edges.iter().cloned().collect() };
    assert_eq!(cut.edges.len(), edges.len(), "{shape} of {n} nodes cuts an edge twice");
    assert!(cut.edges.iter().all(|edge| edge.from != edge.to), "{shape} cuts a node from itself");
    Ok(cut)
}

/// Strikes clusters of up to nine nodes which can have this shape, with many seeds.
fn for_each_cut(shape: &Shape, n_min: usize, check: impl Fn(usize, &Cut)) {
    for n in 1..=9 {
        for seed in 0..SEEDS {
            match strike(shape, Ways::Both, n, seed) {
                Ok(cut) => {
                    assert!(n >= n_min, "{shape} of {n} nodes");
                    check(n, &cut);
                }
                Err(why) => {
                    let wanted = Impossible::TooFew { shape: shape.to_string(), wanted: n_min, nodes: n };
                    assert_eq!(why, Why::Impossible(wanted));
                    assert!(n < n_min);
                }
            }
        }
    }
}

#[test]
fn one_is_a_node_on_its_own() {
    for_each_cut(&Shape::One, 2, |n, cut| {
        assert!(cut.is_symmetric());
        let sizes = if n == 2 { vec![1, 1] } else { vec![1, n - 1] };
        assert_eq!(cut.side_sizes(), sizes);
    });
}

#[test]
fn halves_are_as_equal_as_can_be() {
    for_each_cut(&Shape::Halves, 2, |n, cut| {
        assert!(cut.is_symmetric());
        assert_eq!(cut.side_sizes(), [n / 2, n - n / 2]);
    });
}

#[test]
fn in_the_majorities_ring_each_node_sees_a_majority_of_its_own() {
    for_each_cut(&Shape::MajoritiesRing, 3, |n, cut| {
        assert!(cut.is_symmetric());
        let seen: Vec<_> = cut.nodes.iter().map(|node| cut.seen_by(node)).collect();
        assert!(seen.iter().all(|seen| seen.len() > n / 2), "a node sees no majority");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), n, "two nodes see the same majority");
        // Of three nodes, the one in the middle sees all; see the module.
        assert!(n == 3 || seen.iter().all(|seen| seen.len() < n), "a node sees everybody");
        let fewest = n / 2 + 1;
        assert!(seen.iter().all(|seen| seen.len() <= fewest + 1), "more than the majority needs");
    });
}

#[test]
fn a_bridge_is_all_that_two_halves_have_in_common() {
    for_each_cut(&Shape::Bridge, 3, |n, cut| {
        assert!(cut.is_symmetric());
        let bridges: Vec<_> = cut.nodes.iter().filter(|node| cut.seen_by(node).len() == n).collect();
        assert_eq!(bridges.len(), 1);
        let mut sizes = vec![n / 2 + 1, n - n / 2, n];
        sizes.sort_unstable();
        assert_eq!(cut.side_sizes(), sizes);
    });
}

#[test]
fn the_leader_is_on_the_side_that_the_shape_says() {
    for_each_cut(&Shape::LeaderInMinority, 3, |n, cut| {
        assert!(cut.is_symmetric());
        assert_eq!(cut.seen_by("n2").len(), (n - 1) / 2);
        assert_eq!(cut.sides().len(), 2);
        assert!(cut.sides()[1].len() > n / 2, "the others have no majority");
    });
    for_each_cut(&Shape::LeaderInMajority, 3, |n, cut| {
        assert!(cut.is_symmetric());
        assert_eq!(cut.seen_by("n2").len(), n / 2 + 1);
        assert_eq!(cut.sides().len(), 2);
    });
}

#[test]
fn one_way_is_a_node_that_cannot_send_or_cannot_hear() {
    let kinds = std::cell::RefCell::new(BTreeSet::new());
    for_each_cut(&Shape::OneWay, 2, |n, cut| {
        assert_eq!(cut.edges.len(), n - 1);
        assert!(!cut.edges.iter().any(|edge| cut.edges.contains(&edge.reversed())));
        let senders: BTreeSet<_> = cut.edges.iter().map(|edge| &edge.from).collect();
        let receivers: BTreeSet<_> = cut.edges.iter().map(|edge| &edge.to).collect();
        assert_eq!(senders.len().min(receivers.len()), 1);
        kinds.borrow_mut().insert(senders.len() == 1);
    });
    assert_eq!(kinds.borrow().len(), 2, "both kinds are drawn");
}

#[test]
fn isolated_nodes_see_each_other_and_nobody_else() {
    for (target, isolated) in [("n1,n3", 2), ("leader", 1), ("minority", 2), ("majority", 3), ("random:4", 4)]
    {
        let shape = Shape::Isolate(target.parse().unwrap());
        for seed in 0..SEEDS {
            let cut = strike(&shape, Ways::Both, 5, seed).unwrap();
            assert!(cut.is_symmetric());
            let mut sizes = [isolated, 5 - isolated];
            sizes.sort_unstable();
            assert_eq!(cut.side_sizes(), sizes, "{target}");
        }
    }
    let cut = strike(&Shape::Isolate("leader".parse().unwrap()), Ways::Both, 5, 7).unwrap();
    assert_eq!(cut.seen_by("n2"), BTreeSet::from(["n2"]));
}

fn groups(groups: &[&[&str]]) -> Shape {
    Shape::Groups(groups.iter().map(|group| group.iter().map(|&node| node.to_owned()).collect()).collect())
}

#[test]
fn nodes_in_no_group_together_are_cut_from_each_other() {
    let cut = strike(&groups(&[&["n1", "n2"], &["n3", "n4"], &["n5"]]), Ways::Both, 5, 7).unwrap();
    assert!(cut.is_symmetric());
    assert_eq!(cut.side_sizes(), [1, 2, 2]);
    assert_eq!(cut.seen_by("n1"), BTreeSet::from(["n1", "n2"]));

    let bridged = strike(&groups(&[&["n1", "n2"], &["n2", "n3"]]), Ways::Both, 3, 7).unwrap();
    let expected = [Edge::new("n1", "n3"), Edge::new("n3", "n1")];
    assert_eq!(bridged.edges, BTreeSet::from(expected));
}

#[test]
fn cut_one_way_the_first_side_is_not_heard() {
    let leader = Shape::Isolate("leader".parse().unwrap());
    let cut = strike(&leader, Ways::One, 3, 7).unwrap();
    assert_eq!(cut.edges, BTreeSet::from([Edge::new("n2", "n1"), Edge::new("n2", "n3")]));

    let cut = strike(&groups(&[&["n3"], &["n1", "n2"]]), Ways::One, 3, 7).unwrap();
    assert_eq!(cut.edges, BTreeSet::from([Edge::new("n3", "n1"), Edge::new("n3", "n2")]));

    for (word, shape, n_min) in WORDS.iter().filter(|(_, shape, _)| *shape != Shape::OneWay) {
        for n in *n_min..=9 {
            let both = strike(shape, Ways::Both, n, 7).unwrap();
            let one = strike(shape, Ways::One, n, 7).unwrap();
            assert!(one.edges.is_subset(&both.edges), "{word}");
            assert_eq!(one.edges.len() * 2, both.edges.len(), "{word}");
            assert!(!one.edges.iter().any(|edge| one.edges.contains(&edge.reversed())), "{word}");
        }
    }
}

#[test]
fn the_same_seed_cuts_the_same_edges_and_another_one_others() {
    for (word, shape, _) in &WORDS {
        let edges = |seed| strike(shape, Ways::Both, 7, seed).unwrap().edges;
        assert_eq!(edges(1), edges(1), "{word}");
        let drawn: BTreeSet<_> = (0..SEEDS).map(edges).collect();
        assert!(drawn.len() > 5, "{word} is always the same");
    }
}

#[test]
fn who_is_up_does_not_change_who_is_on_which_side() {
    let mut nodes = cluster(5);
    let partition = Partition { shape: Shape::Halves, ways: Ways::Both };
    let before = partition.cut(&nodes, &mut Rng::from_seed(7));
    nodes[0].alive = false;
    assert_eq!(partition.cut(&nodes, &mut Rng::from_seed(7)), before);
}

#[test]
fn what_cannot_be_says_why() {
    let why = |shape: &Shape, n| shape.check(&names(n)).unwrap_err().to_string();
    assert_eq!(why(&Shape::Bridge, 2), "`bridge` needs at least 3 nodes, and there are 2");
    assert_eq!(why(&Shape::MajoritiesRing, 1), "`majorities-ring` needs at least 3 nodes, and there are 1");
    let isolate = |target: &str| Shape::Isolate(target.parse().unwrap());
    assert_eq!(why(&isolate("all"), 5), "`all` is 5 of 5 nodes: there is nobody to cut from anybody");
    assert_eq!(
        why(&isolate("minority"), 2),
        "`minority` is 0 of 2 nodes: there is nobody to cut from anybody"
    );
    assert_eq!(why(&isolate("leader"), 1), "`leader` is 1 of 1 nodes: there is nobody to cut from anybody");
    assert_eq!(why(&isolate("n1,n9"), 5), "there is no node n9");
    assert_eq!(why(&groups(&[&["n1"], &["n2", "n4"]]), 3), "there is no node n4");
    assert_eq!(why(&groups(&[&["n1"], &["n2"]]), 3), "n3 is in no group: say on which side it is");
    assert_eq!(
        why(&groups(&[&["n1", "n2", "n3"], &["n1"]]), 3),
        "the groups cut nobody: every two nodes are in one together"
    );
}

#[test]
fn what_cannot_be_now_says_why() {
    let mut nodes = cluster(3);
    let strike = |shape: &Shape, nodes: &[NodeStatus]| {
        let partition = Partition { shape: shape.clone(), ways: Ways::Both };
        partition.cut(nodes, &mut Rng::from_seed(7)).unwrap_err().to_string()
    };
    nodes[1].role = Role::Other;
    assert_eq!(strike(&Shape::LeaderInMinority, &nodes), "no leader is known");
    nodes.iter_mut().for_each(|node| node.role = Role::Follower);
    let everybody = Shape::Isolate(Target::Followers);
    assert_eq!(strike(&everybody, &nodes), "`followers` is every node: there is nobody to cut it from");
}

#[test]
fn a_word_is_read_as_it_is_shown() {
    for word in Shape::words() {
        assert_eq!(word.parse::<Shape>().unwrap().to_string(), word);
    }
    assert_eq!("brigde".parse::<Shape>().unwrap_err().to_string(), "unknown shape `brigde`");
    assert_eq!(Shape::Isolate(Target::Leader).to_string(), "isolate leader");
    assert_eq!(groups(&[&["n1", "n2"], &["n3"]]).to_string(), "n1,n2 | n3");
}
