//! Habits of a node that are odd and legal: what a testbed is to stay silent about.

use std::time::Duration;

use super::Bug;
use crate::env::Env;
use crate::raft::lifecycle::hand_over;
use crate::raft::replica::Replica;

/// How long a restless leader leads.
const OFFICE: Duration = Duration::from_secs(3);

/// How long a proposal waits at most where they overtake one another, in milliseconds.
const LOITER_MS_MAX: u8 = 32;

/// Hands the leadership over now and then, if that is planted, until the node ends.
pub fn start(replica: &Replica) {
    if !replica.env().bugs.has(Bug::RestlessLeader) {
        return;
    }
    let (replica, env) = (replica.clone(), replica.env().clone());
    env.clone().spawn(async move {
        while env.timeout_at(env.now() + OFFICE, replica.ended()).await.is_err() {
            hand_over(&replica).await;
        }
    });
}

/// Waits as long as proposals of `actor` do, if they overtake one another: each person's as long as the others of the
/// same.
pub async fn loiter(env: &Env, actor: &[u8]) {
    if env.bugs.has(Bug::ReorderProposals) {
        let ms = actor.first().map_or(0, |byte| byte % LOITER_MS_MAX);
        env.runtime.sleep_until(env.now() + Duration::from_millis(ms.into())).await;
    }
}
