//! Streams that break in every way, and the events that come through.

use proto::chat::Code;

use super::*;
use crate::fake::{Act, FakeChat, FakeNode};
use crate::retry::Policy;
use crate::servers::Servers;

const LIMIT: Duration = Duration::from_secs(10);

struct Cluster {
    chat: FakeChat,
    nodes: Vec<FakeNode>,
}

impl Cluster {
    async fn start() -> Self {
        let chat = FakeChat::default();
        for name in ["alice", "bob", "carol"] {
            chat.add_account(name, "secret");
        }
        let nodes = vec![FakeNode::start("n1", &chat).await, FakeNode::start("n2", &chat).await];
        Cluster { chat, nodes }
    }

    fn subscribe(&self, cursor: u64) -> Subscription {
        let policy = Policy {
            try_limit: Duration::from_millis(300),
            pause_first: Duration::from_millis(1),
            pause_max: Duration::from_millis(10),
            ..Policy::default()
        };
        let addresses: Vec<String> = self.nodes.iter().map(FakeNode::address).collect();
        let client = Client::new(Servers::new(&addresses).unwrap(), policy);
        client.resume("alice", Token::new(self.chat.add_session("alice")), 0).subscribe(cursor)
    }

    fn say(&self, numbers: std::ops::RangeInclusive<u32>) {
        numbers.for_each(|number| self.chat.add_message("bob", "alice", &format!("m{number}")));
    }

    fn cursors(&self) -> Vec<u64> {
        let calls = self.nodes.iter().flat_map(FakeNode::calls);
        calls.filter_map(|call| call.cursor).collect()
    }
}

async fn next(subscription: &mut Subscription) -> Result<Delivery, Error> {
    tokio::time::timeout(LIMIT, subscription.next()).await.expect("a delivery within the limit")
}

/// The next `count` events' bodies, and how often the subscription was interrupted meanwhile.
async fn take(subscription: &mut Subscription, count: usize) -> (Vec<String>, usize) {
    let (mut bodies, mut interruptions) = (Vec::new(), 0);
    while bodies.len() < count {
        match next(subscription).await.unwrap() {
            Delivery::Event(event) => bodies.push(event.message.unwrap().body),
            Delivery::Interrupted(_) => interruptions += 1,
            Delivery::Resumed(_) => {}
        }
    }
    (bodies, interruptions)
}

fn bodies(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| format!("m{number}")).collect()
}

#[tokio::test]
async fn gives_what_was_and_what_comes_and_nothing_of_others() {
    let cluster = Cluster::start().await;
    cluster.say(1..=2);
    cluster.chat.add_message("bob", "carol", "not for alice");
    let mut subscription = cluster.subscribe(0);
    assert_eq!(take(&mut subscription, 2).await, (bodies(1..=2), 0));
    cluster.say(3..=3);
    assert_eq!(take(&mut subscription, 1).await, (bodies(3..=3), 0));
    assert_eq!(subscription.cursor(), 4);
}

#[tokio::test]
async fn begins_after_its_cursor() {
    let cluster = Cluster::start().await;
    cluster.say(1..=3);
    assert_eq!(take(&mut cluster.subscribe(2), 1).await, (bodies(3..=3), 0));
}

#[tokio::test]
async fn resumes_on_another_node_after_the_last_event() {
    let cluster = Cluster::start().await;
    cluster.say(1..=6);
    cluster.nodes[0].plan([Act::Events(2)]);
    cluster.nodes[1].plan([Act::Events(3)]);
    let mut subscription = cluster.subscribe(0);
    assert_eq!(take(&mut subscription, 6).await, (bodies(1..=6), 2));
    let mut cursors = cluster.cursors();
    cursors.sort_unstable();
    assert_eq!(cursors, [0, 2, 5]);
}

#[tokio::test]
async fn loses_and_repeats_nothing_when_connections_break_under_it() {
    let cluster = Cluster::start().await;
    let mut subscription = cluster.subscribe(0);
    let mut seen = Vec::new();
    for round in 0..10 {
        cluster.say(round * 10 + 1..=round * 10 + 10);
        seen.extend(take(&mut subscription, 3).await.0);
        cluster.nodes.iter().for_each(FakeNode::cut);
    }
    let left = 100 - seen.len();
    seen.extend(take(&mut subscription, left).await.0);
    assert_eq!(seen, bodies(1..=100));
}

#[tokio::test]
async fn passes_over_nodes_that_do_not_serve() {
    let cluster = Cluster::start().await;
    cluster.say(1..=1);
    cluster.nodes[0].plan([Act::Hang, Act::Refuse(Code::Starting, "")]);
    cluster.nodes[1].plan([Act::Drop, Act::Status(tonic::Code::Unavailable)]);
    let mut subscription = cluster.subscribe(0);
    let (seen, interruptions) = take(&mut subscription, 1).await;
    assert_eq!(seen, bodies(1..=1));
    assert!(interruptions >= 2);
}

#[tokio::test]
async fn leaves_a_node_that_is_stopped_within_five_seconds() {
    let cluster = Cluster::start().await;
    cluster.say(1..=1);
    let mut subscription = cluster.subscribe(0).silence_max(Duration::from_hours(1));
    take(&mut subscription, 1).await;
    cluster.nodes[0].freeze();
    let frozen = Instant::now();
    cluster.say(2..=2);
    assert_eq!(take(&mut subscription, 1).await, (bodies(2..=2), 1));
    assert!(frozen.elapsed() < Duration::from_secs(6), "it took {:?}", frozen.elapsed());
    assert_eq!(cluster.nodes[1].calls().len(), 1);
}

#[tokio::test]
async fn leaves_a_node_that_is_silent_because_it_is_cut_off() {
    let cluster = Cluster::start().await;
    let mut subscription = cluster.subscribe(0).silence_max(Duration::from_millis(50));
    let cut_off = std::iter::repeat_n(Act::Refuse(Code::ReadUnavailable, ""), 1_000);
    cluster.nodes[0].plan([Act::Events(usize::MAX)].into_iter().chain(cut_off));
    let delivery = next(&mut subscription).await.unwrap();
    assert!(matches!(&delivery, Delivery::Interrupted(error) if error.code() == Some(Code::ReadUnavailable)));
    let resumed = next(&mut subscription).await.unwrap();
    assert_eq!(resumed, Delivery::Resumed(cluster.nodes[1].address()));
    cluster.say(1..=1);
    assert_eq!(take(&mut subscription, 1).await, (bodies(1..=1), 0));
    assert_eq!(cluster.nodes[1].calls().len(), 1, "it goes on with the other one");
}

#[tokio::test]
async fn stays_with_a_node_that_is_silent_because_nothing_happens() {
    let cluster = Cluster::start().await;
    let mut subscription = cluster.subscribe(0).silence_max(Duration::from_millis(10));
    let waited = tokio::time::timeout(Duration::from_millis(100), subscription.next()).await;
    assert!(waited.is_err(), "nothing happened: {waited:?}");
    // A leader that is being elected is waited for, and what happens meanwhile is told at once.
    cluster.nodes[0].plan([Act::Refuse(Code::NoLeader, ""), Act::Hang]);
    cluster.say(1..=3);
    assert_eq!(take(&mut subscription, 3).await, (bodies(1..=3), 0));
    assert_eq!(cluster.cursors(), [0], "one stream all the time");
    let asked = cluster.nodes[0].calls().iter().filter(|call| call.operation == "list accounts").count();
    assert!(asked >= 2, "it was asked {asked} times");
}

#[tokio::test]
async fn a_refusal_ends_it() {
    let cluster = Cluster::start().await;
    let mut subscription = cluster.subscribe(0);
    cluster.nodes[0].plan([Act::Refuse(Code::NotAuthenticated, "")]);
    let error = next(&mut subscription).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::NotAuthenticated));
}

#[tokio::test]
async fn a_long_outage_ends_it() {
    let mut cluster = Cluster::start().await;
    let mut subscription = cluster.subscribe(0).outage_max(Duration::from_millis(100));
    cluster.nodes.clear();
    let error = loop {
        match next(&mut subscription).await {
            Ok(Delivery::Interrupted(_) | Delivery::Resumed(_)) => {}
            Ok(Delivery::Event(event)) => panic!("{event:?} out of nowhere"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.cause(), Cause::Connect);
    assert!(error.tries() > 1);
}

#[tokio::test]
async fn an_abandoned_wait_loses_nothing() {
    let cluster = Cluster::start().await;
    let mut subscription = cluster.subscribe(0);
    for number in 1..=20 {
        let _ = tokio::time::timeout(Duration::from_millis(1), subscription.next()).await;
        cluster.say(number..=number);
        assert_eq!(take(&mut subscription, 1).await.0, bodies(number..=number));
    }
}

#[tokio::test]
async fn as_a_stream_it_passes_over_interruptions() {
    use futures::StreamExt as _;
    let cluster = Cluster::start().await;
    cluster.say(1..=4);
    cluster.nodes[0].plan([Act::Events(2), Act::Refuse(Code::NotAuthenticated, "")]);
    cluster.nodes[1].plan([Act::Events(2), Act::Refuse(Code::NotAuthenticated, "")]);
    let events: Vec<_> = Box::pin(cluster.subscribe(0).into_events()).collect().await;
    let good: Vec<u64> = events.iter().flatten().map(|event| event.cursor).collect();
    assert_eq!(good, [1, 2, 3, 4]);
    assert_eq!(events.len(), 5, "the error that ended it is the last item");
}
