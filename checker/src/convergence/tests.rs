use super::*;
use crate::anomaly::AnomalyKind;
use crate::evidence::StateDigest;
use crate::history::timeline;

/// Digests as words: `n1@9=aa`.
fn digests(words: &str) -> Vec<StateDigest> {
    let digest = |word: &str| {
        let (node, rest) = word.split_once('@').unwrap();
        let (index, digest) = rest.split_once('=').unwrap();
        StateDigest { node: node.to_owned(), index: index.parse().unwrap(), digest: digest.to_owned() }
    };
    words.split_whitespace().map(digest).collect()
}

fn judge(words: &str, picture: &str) -> Findings {
    let history = timeline::parse(picture).unwrap();
    check(&Evidence { history, digests: digests(words), ..Evidence::default() }, &Limits::none())
}

fn said(findings: &Findings) -> Vec<(AnomalyKind, &str)> {
    findings.anomalies.iter().map(|anomaly| (anomaly.kind, anomaly.sentence.as_str())).collect()
}

/// Judges final reads of three nodes that agree otherwise.
fn judge_reads(picture: &str) -> Findings {
    let findings = judge("n1@9=aa n2@9=aa n3@9=aa", picture);
    assert_eq!(findings.keys, 3);
    findings
}

#[test]
fn equal_digests_of_all_nodes_at_one_index_are_convergence() {
    let findings = judge("n1@9=aa n2@9=aa n3@9=aa n1@12=bb", "");
    assert_eq!((said(&findings), &findings.doubts[..]), (vec![], &[][..]));
    assert_eq!((findings.operations, findings.keys), (4, 3));
}

#[test]
fn different_digests_at_one_index_are_divergence() {
    let findings = judge("n1@9=aa n2@9=bb n3@9=bb", "");
    assert_eq!(
        said(&findings),
        [(
            AnomalyKind::Diverged,
            "the log up to index 9 has left 2 different states: one on n2 and n3, one on n1"
        )]
    );
    assert_eq!(findings.anomalies[0].digests.len(), 3);
    // Also if not all nodes are there.
    assert_eq!(judge("n1@9=aa n2@9=bb n3@10=cc", "").anomalies.len(), 1);
}

#[test]
fn what_was_not_compared_is_unknown() {
    assert_eq!(judge("", "").doubts, ["no node gave a digest of its state"]);
    let findings = judge("n1@9=aa n2@9=aa", "p0@n3: |-get 1-|\np1@n4: |-get 1-|");
    assert_eq!(findings.doubts, ["there is no digest of the state of n3 and n4"]);
    let findings = judge("n1@9=aa n2@9=aa n3@12=bb n1@4=cc", "");
    assert_eq!(findings.doubts, ["the digests are of different indexes: n1 at 9, n2 at 9, n3 at 12"]);
    let findings =
        judge("n1@9=aa n2@9=aa", "p0@n1: |-final-read [a]-|\np1@n2: |-final-read-!  |-final-read @j-?");
    assert_eq!(findings.doubts, ["no final read of `j` by n2 succeeded, and 1 more"]);
    // Another attempt makes up for it.
    let findings =
        judge("n1@9=aa n2@9=aa", "p0@n1: |-final-read [a]-|\np1@n2: |-final-read-!  |-final-read [a]-|");
    assert_eq!(findings.doubts, [""; 0]);
}

#[test]
fn final_reads_agree_about_every_number() {
    let findings = judge_reads(
        "p0@n1: |-final-read [a b]-|
         p1@n2:                      |-final-read [a c]-|
         p2@n3:                                            |-final-read [a b]-|",
    );
    assert_eq!(
        said(&findings),
        [(
            AnomalyKind::Diverged,
            "the nodes disagree about number 2 of `k`: the final reads show `b` to client 0 on n1 and `c` to client 1 \
             on n2"
        )]
    );
    assert_eq!(findings.anomalies[0].operations.len(), 2);
    let pages = "p0@n1: |-final-read 0+2 [a b]/3-| |-final-read 2+2 [c]-|
                 p1@n2:                                                   |-final-read [a b c]-|
                 p2@n3:                                                   |-final-read [b] @j-|";
    assert_eq!(said(&judge_reads(pages)), []);
}

#[test]
fn a_deletion_of_unknown_outcome_may_come_late() {
    let reads = "
         p0@n1:                |-final-read [a]-|
         p1@n2:                                   |-final-read [a†]-|
         p2@n3:                                                       |-final-read [a†]-|";
    assert_eq!(said(&judge_reads(reads)).len(), 1);
    assert_eq!(said(&judge_reads(&format!("p9@n1: |-delete #1-?{reads}"))), []);
}

#[test]
fn what_was_acknowledged_is_missing_nowhere() {
    let reads = "
         p0@n1:                |-final-read [a]-|
         p1@n2:                                   |-final-read [a b]-|
         p2@n3:                                                        |-final-read [a b]-|";
    let findings = judge_reads(&format!("p9@n1: |-send b=2-|{reads}"));
    assert_eq!(
        said(&findings),
        [(
            AnomalyKind::Diverged,
            "`b` is number 2 of `k` for client 1 on n2, but for client 0 on n1 that conversation ends at 1, though it \
             was acknowledged before"
        )]
    );
    // What nobody knows about may come between the reads.
    assert_eq!(said(&judge_reads(&format!("p9@n1: |-send b-?{reads}"))), []);
}

#[test]
fn limits_are_obeyed() {
    let history = timeline::parse("p0@n1: |-final-read [a]-| |-final-read [a]-|").unwrap();
    let evidence = Evidence { history, digests: digests("n1@9=aa"), ..Evidence::default() };
    let findings = check(&evidence, &Limits { steps: 1, ..Limits::none() });
    assert_eq!(findings.doubts, ["the limit of 1 steps was reached while the final reads were compared"]);
}

#[test]
fn final_lists_show_the_same_accounts() {
    let lists = "
         p0@n1:                  |-final-list [al bo]-|
         p1@n2:                                          |-final-list [bo]-|
         p2@n3:                                                               |-final-list limit 1 [bo]-|";
    let findings = judge_reads(&format!("p8@n1: |-create al-|{lists}"));
    assert_eq!(
        said(&findings),
        [(
            AnomalyKind::Diverged,
            "the nodes disagree about the account `al` in the final lists: it exists for client 0 on n1, and it does \
             not exist for client 1 on n2"
        )]
    );
    assert_eq!(findings.operations, 3 + 3, "digests and lists");
    // A page says nothing about what it does not cover, and a list that is not final nothing at all.
    let agreeing = "p0@n1: |-final-list [al bo]-|  |-final-list after al [bo]-|  |-list []-|
                    p1@n2: |-final-list limit 1 [al]-|  |-final-list like b* [bo]-|";
    assert_eq!(said(&judge_reads(agreeing)), []);
    // It may come late, and it may be gone in between; but not if it certainly failed.
    assert_eq!(said(&judge_reads(&format!("p8@n1: |-create al-?{lists}"))), []);
    assert_eq!(said(&judge_reads(&format!("p8@n1:               |-delete-account al-|{lists}"))), []);
    assert_eq!(said(&judge_reads(&format!("p8@n1: |-create al-!{lists}"))).len(), 1);
}

#[test]
fn a_final_list_that_failed_leaves_a_doubt() {
    let findings = judge_reads("p0@n1: |-final-list [al]-|\np1@n2: |-final-list-!  |-final-list after al-?");
    assert_eq!(findings.doubts, ["no final list of accounts after `al` by n2 succeeded, and 1 more"]);
    assert_eq!(judge_reads("p0@n1: |-final-list-!  |-final-list []-|").doubts, [""; 0]);
}

/// A damaged history may say anything, and a number that nothing can follow is followed by nothing.
#[test]
fn the_last_number_of_all_is_an_end_too() {
    let picture = format!("p0@n1: |-send a=1-|\np1@n1:               |-final-read [a]/{}-|", u64::MAX);
    assert_eq!(said(&judge_reads(&picture)), []);
}
