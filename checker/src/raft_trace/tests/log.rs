use super::*;

fn judged(text: &str) -> Findings {
    super::super::log(&traces(text), &Limits::none())
}

#[track_caller]
fn violated(text: &str, kind: AnomalyKind, sentence: &str) {
    let judged = judged(text);
    let told: Vec<_> = judged.anomalies.iter().map(|a| (a.kind, a.sentence.as_str())).collect();
    assert_eq!(told, [(kind, sentence)]);
    assert_eq!(judged.anomalies_total, 1);
}

#[track_caller]
fn kept(text: &str) {
    let judged = judged(text);
    assert_eq!((said(&judged), &judged.doubts[..]), (vec![], &[][..]), "{text}");
}

/// Three nodes, two leaders, a snapshot, a power failure that takes what was not durable.
const GOOD: &str = "n1: start, found, appended 0 0 a, voters 0@0 n1 n2 n3, vote 1 n1, following 1 n1, appended 1 1 b, leader 1, flushed 1 1, commit 1 1, appended 2 1 c d, flushed 3 1, commit 3 1, appended 4 1 e, start, found elected 1 n1 terms 0@0 1@1 to 3@1, following 2 n2, appended 4 2 f, flushed 4 2, commit 4 2
                    n2: start, found, appended 0 0 a, voters 0@0 n1 n2 n3, vote 1 n1, following 1 n1, appended 1 1 b c d, flushed 3 1, commit 3 1, vote 2 n2, following 2 n2, appended 4 2 f, leader 2, flushed 4 2, commit 4 2, made 4 2, purged 3 1, start, found elected 2 n2 purged 3@1 terms 4@2 to 4@2 snapshot 4@2
                    n3: start, found, appended 0 0 a, voters 0@0 n1 n2 n3, following 1 n1, appended 1 1 b c d e, flushed 4 1, following 2 n2, truncated 4, appended 4 2 f, flushed 4 2, commit 4 2";

#[test]
fn logs_that_keep_their_promises() {
    kept(GOOD);
    assert_eq!(judged(GOOD).keys, 3);
    // What was removed, but not yet durably, may be back after a power failure.
    kept(&GOOD.replace(
        "truncated 4, appended 4 2 f, flushed 4 2, commit 4 2",
        "truncated 4, appended 4 2 f, start, found elected 2 n2 terms 0@0 1@1 to 4@1",
    ));
}

#[test]
fn an_index_and_a_term_name_one_entry() {
    violated(
        &GOOD.replace("appended 1 1 b c d e", "appended 1 1 b c 77 e"),
        AnomalyKind::LogMismatch,
        "two entries have index 3 and term 1: what n1 appended (line 11 of its trace), and what n3 appended (line 6 of \
         its trace)",
    );
    violated(
        "n1: start, found, appended 0 0 a, appended 1 5 b, start, found elected 5 n1 terms 0@0 to 0@0, appended 1 5 c",
        AnomalyKind::LogMismatch,
        "two entries have index 1 and term 5: what n1 appended (line 4 of its trace), and what n1 appended (line 7 of its \
         trace), with a restart in between",
    );
    violated(
        "n1: start, found, appended 0 1 a, appended 1 3 b
         n2: start, found, appended 0 2 a, appended 1 3 b",
        AnomalyKind::LogMismatch,
        "the entry of index 1 and term 3 follows one of term 1 in the log of n1 (line 4 of its trace) and one of term 2 \
         in the log of n2 (line 4 of its trace)",
    );
}

#[test]
fn what_was_durable_is_there_after_a_restart() {
    violated(
        "n1: start, found, appended 0 1 a b c, flushed 2 1, start, found vote 1 n1 terms 0@1 to 1@1",
        AnomalyKind::EntryForgotten,
        "the entry of index 2 and term 1 was durable on n1 (line 4 of its trace), and when it came up again it was gone \
         (line 6 of its trace)",
    );
    // Not durable, removed since, purged since, or on a disk that is gone.
    kept("n1: start, found, appended 0 1 a b c, flushed 1 1, start, found vote 1 n1 terms 0@1 to 1@1");
    kept(
        "n1: start, found, appended 0 1 a b c, flushed 2 1, truncated 1, start, found vote 2 n1 terms 0@1 to 0@1",
    );
    kept(
        "n1: start, found, appended 0 1 a b c, truncated 2, appended 2 2 d, flushed 2 1, start, found vote 2 n1 terms 0@1 to 1@1",
    );
    kept(
        "n1: start, found, appended 0 1 a b c, flushed 2 1, made 2 1, start, found vote 1 n1 purged 2@1 snapshot 2@1",
    );
    kept("n1: start, found, appended 0 1 a b c, flushed 2 1, start, found");
    // In between it ran as a program that says nothing of its log.
    let silent = "n1: start, found, appended 0 1 a b c, flushed 2 1, start, vote 2 n2, start, found vote 2 n2 terms 0@1 to 0@1";
    kept(silent);
}

#[test]
fn a_leader_has_all_that_was_committed_before_its_term() {
    let short = "n3: start, found, appended 0 0 a, voters 0@0 n1 n2 n3, following 1 n1, appended 1 1 b, vote 3 n3, following 3 n3, leader 3";
    let text: Vec<&str> = GOOD.lines().take(2).chain([short]).collect();
    violated(
        &text.join("\n"),
        AnomalyKind::LeaderIncomplete,
        "n1 knew in term 2 that the entry of index 4 and term 2 is committed (line 20 of its trace), but n3 became leader \
         of term 3 without it (line 9 of its trace)",
    );
    // What was committed only in a later term a leader before it need not have.
    kept(
        "n1: start, found, appended 0 0 a, vote 1 n1, appended 1 1 b, leader 1, following 3 n2, commit 1 1
         n3: start, found, appended 0 0 a, vote 2 n3, appended 1 2 c, leader 2",
    );
}

#[test]
fn what_is_committed_is_never_removed_from_the_end() {
    violated(
        "n1: start, found, appended 0 1 a b, commit 1 1, truncated 1",
        AnomalyKind::CommitUndone,
        "n1 knew that the entry of index 1 and term 1 is committed (line 4 of its trace), and removed it (line 5 of its \
         trace)",
    );
    kept("n1: start, found, appended 0 1 a b c, commit 1 1, truncated 2");
}

#[test]
fn who_leads_is_a_voter_by_its_own_log() {
    let members = "n1: start, found, appended 0 0 a, voters 0@0 n1 n2, appended 1 1 b, voters 1@1 n2 n3";
    violated(
        &format!("{members}, vote 2 n1, leader 2"),
        AnomalyKind::LeaderNotVoter,
        "n1 became leader of term 2 (line 8 of its trace), but by the last members in its log it has no vote (line 6 of \
         its trace)",
    );
    kept(&format!("{members}, truncated 1, vote 2 n1, leader 2"));
    kept(&format!("{members}, start, found vote 1 n1 terms 0@0 to 0@0, vote 2 n1, leader 2"));
}

#[test]
fn commit_and_applied_indexes_rise_within_a_life() {
    violated(
        "n1: start, found, appended 0 1 a b c, commit 2 1, commit 1 1",
        AnomalyKind::CommitWentBack,
        "the commit index of n1 went back from 2 (line 4 of its trace) to 1 (line 5 of its trace) without a restart",
    );
    violated(
        "n1: start, found, applied 2 1 a, applied 1 1 b",
        AnomalyKind::AppliedWentBack,
        "the applied index of n1 went back from 2 (line 3 of its trace) to 1 (line 4 of its trace) without a restart",
    );
    kept(
        "n1: start, found, appended 0 1 a b c, flushed 2 1, commit 2 1, applied 2 1 a, start, found vote 1 n1 terms 0@1 to 2@1, commit 1 1, applied 1 1 b",
    );
}

#[test]
fn only_what_a_snapshot_holds_is_removed_from_the_front() {
    violated(
        "n1: start, found, appended 0 1 a b c, made 1 1, purged 2 1",
        AnomalyKind::SnapshotForgotten,
        "n1 removed its log up to index 2 (line 5 of its trace), but its newest snapshot ends at 1 (line 4 of its trace)",
    );
    violated(
        "n1: start, found, appended 0 1 a b c, made 2 1, start, found vote 1 n1 terms 0@1 to 2@1 snapshot 1@1",
        AnomalyKind::SnapshotForgotten,
        "n1 had a snapshot up to index 2 (line 4 of its trace), but when it came up again its newest snapshot ends at 1 \
         (line 6 of its trace)",
    );
    violated(
        "n1: start, found vote 1 n1 purged 2@1 to 2@1",
        AnomalyKind::SnapshotForgotten,
        "n1 came up without its log up to index 2, which was removed, but it has no snapshot (line 2 of its trace)",
    );
    kept("n1: start, found, appended 0 1 a b c, installed 5 1, purged 5 1, appended 6 1 d");
}

#[test]
fn without_what_a_node_found_nothing_is_known() {
    assert_eq!(
        judged("n1: start, leader 5, truncated 0, purged 9 1").doubts,
        ["no node wrote down what is in its log"]
    );
    assert_eq!(judged("").doubts, ["no node wrote down what is in its log"]);
    let many =
        |hash: &str| (0..20).map(|index| format!(", appended {index} 1 {hash}{index}")).collect::<String>();
    let judged = judged(&format!("n1: start, found{}\nn2: start, found{}", many("a"), many("b")));
    assert_eq!((judged.anomalies.len(), judged.anomalies_total), (8, 20));
}
