//! What only the leader does, or only one node: it is found by asking every server how it is.

use std::time::Duration;

use chat_client::wire::admin::{Role, StatusReply};
use chat_client::{Endpoint, Error, admin};
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use super::STATUS_LIMIT;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};

/// How long after a failure that passes the leader is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// What to do when it is not known whether something was done.
const LOOK: &str = "look with `chat-cli cluster status`";

/// Has the leader do `what`, whoever that is, within the limit of one operation. Another try is only made after one that
/// certainly did nothing.
pub(super) async fn by_leader<T>(
    context: &Context,
    what: &str,
    ask: impl AsyncFn(&Endpoint, Duration) -> Result<T, Error>,
) -> Result<T, Failure> {
    let deadline = Instant::now() + context.client.policy().limit;
    loop {
        let statuses = statuses(context, deadline).await;
        let left = deadline.saturating_duration_since(Instant::now());
        let failure = match leader(&statuses) {
            Some(endpoint) => match ask(endpoint, left).await {
                Err(error) if error.is_definite() && error.is_passing() => {
                    Err::<T, Error>(error).doing(what, LOOK).err()
                }
                answer => return answer.doing(what, LOOK),
            },
            None => Some(absent(&statuses, what)),
        };
        if Instant::now() + LOOK_AGAIN >= deadline {
            return Err(failure.unwrap_or_else(|| absent(&statuses, what)));
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// The server that is the node of this name.
pub(super) async fn named<'c>(context: &'c Context, name: &str, what: &str) -> Result<&'c Endpoint, Failure> {
    let statuses = statuses(context, Instant::now() + STATUS_LIMIT).await;
    let found = statuses.iter().find(|(_, status)| status.node == name);
    found
        .map(|(endpoint, _)| *endpoint)
        .ok_or_else(|| Failure::NotAmongServers { what: what.to_owned(), node: name.to_owned() })
}

type Statuses<'c> = Vec<(&'c Endpoint, StatusReply)>;

/// What the servers that answer say of themselves.
async fn statuses(context: &Context, deadline: Instant) -> Statuses<'_> {
    let limit = STATUS_LIMIT.min(deadline.saturating_duration_since(Instant::now()));
    let ask = async |endpoint| Some((endpoint, admin::status(endpoint, limit).await.ok()?));
    join_all(context.client.servers().iter().map(ask)).await.into_iter().flatten().collect()
}

/// The leader of the newest term among them. One that was cut off may not know yet that it is none any more.
fn leader<'c>(statuses: &Statuses<'c>) -> Option<&'c Endpoint> {
    let leaders = statuses.iter().filter(|(_, status)| status.role() == Role::Leader);
    leaders.max_by_key(|(_, status)| status.term).map(|(endpoint, _)| *endpoint)
}

/// Nobody among them leads.
fn absent(statuses: &Statuses<'_>, what: &str) -> Failure {
    let newest =
        statuses.iter().filter(|(_, status)| !status.leader.is_empty()).max_by_key(|(_, status)| status.term);
    let what = what.to_owned();
    match newest {
        Some((_, status)) => Failure::NotAmongServers { what, node: status.leader.clone() },
        None => Failure::NoLeader { what },
    }
}
