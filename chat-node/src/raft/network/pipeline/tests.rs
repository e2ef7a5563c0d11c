use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use openraft::network::{NetStreamAppend as _, RPCOption, RaftNetworkFactory as _};
use openraft::{EmptyNode, EntryPayload, Vote};
use proto::raft as pb;
use proto::raft::Frame;

use super::*;
use crate::env::disk::memory::MemoryDisk;
use crate::env::transport::{Handler, Transport};
use crate::raft::network::Network;
use crate::raft::testing;
use crate::raft::types::Entry;
use crate::raft::wire::rpc::{frame, parse_append_request};

/// The place that a request was for, and its entries.
type Seen = (Option<u64>, Vec<u64>);

/// A follower that has whatever it is sent, and remembers it.
#[derive(Default)]
struct Willing(Arc<Mutex<Vec<Seen>>>);

impl Transport for Willing {
    fn call(&self, _: &str, _: Frame, _: Instant) -> BoxFuture<'static, Result<Frame, TransportError>> {
        unreachable!("nothing is asked here")
    }

    fn append(
        &self,
        _: &str,
        frames: BoxStream<'static, Frame>,
        _: Instant,
    ) -> BoxFuture<'static, Result<Incoming, TransportError>> {
        let seen = self.0.clone();
        let answers = frames.map(move |question| {
            let request = parse_append_request(open(Kind::Append, &question).unwrap()).unwrap();
            let entries = request.entries.iter().map(|entry| entry.log_id.index()).collect();
            seen.lock().unwrap().push((request.prev_log_id.map(|id| id.index()), entries));
            let matched = pb::append_reply::Outcome::Matched(pb::Matched { last: None });
            Ok(frame(Kind::Append, &pb::AppendReply { outcome: Some(matched) }))
        });
        std::future::ready(Ok(answers.boxed())).boxed()
    }

    fn snapshot(
        &self,
        _: &str,
        _: BoxStream<'static, Frame>,
        _: Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>> {
        unreachable!("nothing is sent here")
    }

    fn address(&self, _: &str) -> Option<String> {
        None
    }

    fn serve(&self, _: Arc<dyn Handler>) {}

    fn stop(&self) {}
}

fn id(index: u64) -> LogId {
    LogId::new(1.into(), index)
}

/// A request after `previous` with `entries`, when all up to `committed` is committed.
fn request(
    previous: Option<u64>,
    entries: std::ops::Range<u64>,
    committed: u64,
) -> AppendEntriesRequest<TypeConfig> {
    AppendEntriesRequest {
        vote: Vote::new_committed(1, 1.into()),
        prev_log_id: previous.map(id),
        entries: entries.map(|index| Entry { log_id: id(index), payload: EntryPayload::Blank }).collect(),
        leader_commit: Some(id(committed)),
    }
}

/// What became of a pipeline.
struct Outcome {
    /// What was sent.
    sent: Vec<Seen>,
    /// Why it ended, unless the requests did.
    error: Option<String>,
}

async fn run(
    requests: impl IntoIterator<Item = AppendEntriesRequest<TypeConfig>, IntoIter: Send> + 'static,
) -> Outcome {
    let willing = Willing::default();
    let seen = willing.0.clone();
    let env = Env { transport: Arc::new(willing), ..testing::env_on(MemoryDisk::default()) };
    let mut connection = Network::new(env).new_client(2.into(), &EmptyNode::new()).await;
    let input = futures::stream::iter(requests);
    let results = connection.stream_append(input, RPCOption::new(Duration::from_secs(10))).await.unwrap();
    let results: Vec<_> = results.collect().await;
    let answered = results.iter().filter(|result| matches!(result, Ok(Ok(_)))).count();
    let error = results.into_iter().find_map(Result::err).map(|error| error.to_string());
    let sent = seen.lock().unwrap().clone();
    assert_eq!(answered, sent.len(), "what is sent is answered before the end");
    Outcome { sent, error }
}

#[tokio::test]
async fn entries_with_a_hole_are_not_sent() {
    for (previous, entries) in [(Some(6), 9..12), (None, 1..2), (Some(6), 6..8)] {
        let outcome = run([request(Some(4), 5..7, 20), request(previous, entries, 20)]).await;
        assert_eq!(outcome.sent, [(Some(4), vec![5, 6])]);
        assert!(outcome.error.unwrap().contains("purged"));
    }
}

#[tokio::test]
async fn who_has_nothing_of_what_is_to_be_sent_does_not_try_for_ever() {
    let endless = std::iter::repeat_with(|| request(Some(4), 5..5, 20));
    let outcome = run(endless.take(10)).await;
    assert_eq!(outcome.sent, [(Some(4), vec![]), (Some(4), vec![])]);
    assert!(outcome.error.unwrap().contains("purged"));
}

#[tokio::test]
async fn a_pipeline_that_tells_what_is_committed_goes_on() {
    let told = (0..=9).map(|committed| request(Some(9), 10..10, committed));
    let outcome = run(told.collect::<Vec<_>>()).await;
    assert_eq!((outcome.sent.len(), outcome.error), (10, None));

    // A commit that is known a little before the entry is.
    let late = (9..19).flat_map(|last| {
        let early = request(Some(last), 0..0, last + 1);
        [early.clone(), early, request(Some(last), last + 1..last + 2, last + 1)]
    });
    let outcome = run(late.collect::<Vec<_>>()).await;
    assert_eq!((outcome.sent.len(), outcome.error), (30, None));
}
