use std::fmt::Debug;

use openraft::{EntryPayload, Vote};

use super::*;
use crate::raft::types::{Entry, LogId};

fn id(term: u64, index: u64) -> LogId {
    LogId::new(term.into(), index)
}

fn same(before: impl Debug, after: impl Debug) {
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

/// Through a frame and back.
fn sent<M: Message + Default>(message: &M) -> M {
    open(Kind::Append, &frame(Kind::Append, message)).unwrap()
}

#[test]
fn questions_survive_the_wire() {
    let before =
        VoteRequest { vote: Vote::new(3, 1.into()), last_log_id: Some(id(2, 7)), leadership_transfer: true };
    same(&before, parse_vote_request(&sent(&vote_request(&before))).unwrap());
    let before = TransferLeaderRequest::new(Vote::new_committed(3, 1.into()), 2.into(), Some(id(3, 9)));
    same(&before, parse_transfer_request(&sent(&transfer_request(&before))).unwrap());
    for previous in [None, Some(id(0, 0))] {
        let first = previous.map_or(0, |id| id.index() + 1);
        let mut before = AppendEntriesRequest {
            vote: Vote::new_committed(3, 1.into()),
            prev_log_id: previous,
            entries: (first..first + 3)
                .map(|index| Entry { log_id: id(3, index), payload: EntryPayload::Blank })
                .collect(),
            leader_commit: previous,
        };
        same(&before, parse_append_request(sent(&append_request(&before))).unwrap());
        before.entries.remove(1);
        let hole = parse_append_request(sent(&append_request(&before)));
        assert_eq!(hole.unwrap_err(), WireError::Hole(first + 2));
        before.entries.remove(0);
        assert!(parse_append_request(sent(&append_request(&before))).is_err());
    }
}

#[test]
fn answers_survive_the_wire() {
    let before = VoteResponse { vote: Vote::new(3, 1.into()), vote_granted: true, last_log_id: None };
    same(&before, parse_vote_reply(&sent(&vote_reply(&before))).unwrap());
    let request = TransferLeaderRequest::new(Vote::new_committed(3, 1.into()), 2.into(), Some(id(3, 9)));
    let not_flushed = TransferLeaderError::LogNotFlushed { expected: Some(id(3, 9)), actual: None };
    let changed = TransferLeaderError::VoteChanged {
        expected: Vote::new_committed(3, 1.into()),
        actual: Vote::new(4, 2.into()),
    };
    for before in [Ok(()), Err(not_flushed), Err(changed)] {
        same(&before, parse_transfer_reply(&sent(&transfer_reply(&before)), &request).unwrap());
    }
    let conflict = Err(StreamAppendError::Conflict(id(1, 2)));
    let higher = Err(StreamAppendError::HigherVote(Vote::new(9, 2.into())));
    for before in [Ok(None), Ok(Some(id(0, 0))), Ok(Some(id(3, 4))), conflict, higher] {
        same(&before, parse_append_reply(&sent(&append_reply(&before))).unwrap());
    }
    let before = SnapshotResponse::new(Vote::new_committed(3, 1.into()));
    same(&before, parse_snapshot_reply(&sent(&snapshot_reply(&before))).unwrap());
}

#[test]
fn what_is_not_known_is_taken_for_unknown() {
    let before = Failure::Unknown { why: "lost".to_owned(), leader: Some("n1".to_owned()) };
    assert_eq!(parse_failure(failure(&before)), before);
    assert_eq!(parse_failure(failure(&Failure::Overloaded)), Failure::Overloaded);
    let later = pb::Failed { reason: 99, why: "?".to_owned(), leader: String::new() };
    assert_eq!(parse_failure(later), Failure::Unknown { why: "?".to_owned(), leader: None });
}

#[test]
fn a_frame_of_another_kind_is_refused() {
    let refused = open::<pb::VoteReply>(Kind::Vote, &frame(Kind::Append, &pb::VoteReply::default()));
    assert_eq!(refused, Err(WireError::Kind(Kind::Append.into())));
}
