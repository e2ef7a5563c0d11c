//! Who belongs to the cluster, who leads it, and its snapshots: what an operator changes.

use chat_client::{admin, wire};
use serde::Serialize;

use super::leader::{by_leader, named};
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{Look, Report, printable};

/// A member, as results show it.
#[derive(Debug, Serialize)]
pub(super) struct Member {
    node: String,
    voter: bool,
    address: String,
}

impl From<wire::admin::Member> for Member {
    fn from(member: wire::admin::Member) -> Self {
        Member { node: member.node, voter: member.voter, address: member.address }
    }
}

/// The members after a change.
#[derive(Debug, Serialize)]
struct Members {
    members: Vec<Member>,
}

impl Members {
    fn new(members: Vec<wire::admin::Member>) -> Self {
        Members { members: members.into_iter().map(Member::from).collect() }
    }

    fn names(&self, voter: bool) -> Vec<&str> {
        let members = self.members.iter().filter(|member| member.voter == voter);
        members.map(|member| member.node.as_str()).collect()
    }
}

impl Report for Members {
    fn text(&self, _: &Look) -> String {
        let mut text = format!("voters: {}\n", self.names(true).join(", "));
        let learners = self.names(false);
        if !learners.is_empty() {
            text += &format!("without a vote: {}\n", learners.join(", "));
        }
        printable(&text)
    }

    fn items(&self) -> Vec<impl Serialize> {
        self.members.iter().collect()
    }
}

/// Makes `node` a member, which waits until it has caught up, and gives it a vote unless it is to be without.
pub(super) async fn add(context: &mut Context, node: &str, learner: bool) -> Result<(), Failure> {
    let members = add_learner(context, node).await?;
    if learner {
        return context.output.result(&Members::new(members));
    }
    change(context, &format!("give {node} a vote"), &[node.to_owned()], &[]).await
}

/// Gives votes to learners.
pub(super) async fn promote(context: &mut Context, nodes: &[String]) -> Result<(), Failure> {
    change(context, &format!("give {} a vote", nodes.join(", ")), nodes, &[]).await
}

/// Lets members leave.
pub(super) async fn remove(context: &mut Context, nodes: &[String]) -> Result<(), Failure> {
    change(context, &format!("remove {}", nodes.join(", ")), &[], nodes).await
}

/// Adds `new`, and then lets it take the place of `old`, in one change.
pub(super) async fn replace(context: &mut Context, old: &str, new: &str) -> Result<(), Failure> {
    add_learner(context, new).await?;
    let what = format!("replace {old} by {new}");
    change(context, &what, &[new.to_owned()], &[old.to_owned()]).await
}

async fn add_learner(context: &Context, node: &str) -> Result<Vec<wire::admin::Member>, Failure> {
    by_leader(context, &format!("add {node}"), async |leader, limit| {
        admin::add_learner(leader, node, limit).await
    })
    .await
}

async fn change(
    context: &mut Context,
    what: &str,
    promote: &[String],
    remove: &[String],
) -> Result<(), Failure> {
    let members = by_leader(context, what, async |leader, limit| {
        admin::change_members(leader, promote, remove, limit).await
    });
    let members = Members::new(members.await?);
    context.output.result(&members)
}

/// Who leads.
#[derive(Debug, Serialize)]
struct Leader {
    leader: String,
    term: u64,
}

impl Report for Leader {
    fn text(&self, _: &Look) -> String {
        printable(&format!("{} leads, in term {}\n", self.leader, self.term))
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

/// Lets `to` lead, or whoever has the most of the log.
pub(super) async fn transfer(context: &mut Context, to: Option<&str>) -> Result<(), Failure> {
    let what = to.map_or_else(|| "transfer the leadership".to_owned(), |to| format!("let {to} lead"));
    let reply = by_leader(context, &what, async |leader, limit| {
        admin::transfer_leader(leader, to.unwrap_or_default(), limit).await
    });
    let reply = reply.await?;
    context.output.result(&Leader { leader: reply.leader, term: reply.term })
}

/// A snapshot.
#[derive(Debug, Serialize)]
struct Snapshot {
    index: u64,
    purged: u64,
}

impl Report for Snapshot {
    fn text(&self, _: &Look) -> String {
        match self.purged {
            0 => format!("a snapshot up to entry {}\n", self.index),
            purged => format!("a snapshot up to entry {}; the log begins after entry {purged}\n", self.index),
        }
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

/// Has `node`, or the leader, make a snapshot.
pub(super) async fn snapshot(context: &mut Context, node: Option<&str>, purge: bool) -> Result<(), Failure> {
    let limit = context.client.policy().limit;
    let reply = match node {
        None => {
            let snapshot = async |leader: &_, limit| admin::take_snapshot(leader, purge, limit).await;
            by_leader(context, "make a snapshot on the leader", snapshot).await?
        }
        Some(node) => {
            let what = format!("make a snapshot on {node}");
            let endpoint = named(context, node, &what).await?;
            let look = "look at the snapshot's index in `chat-cli cluster status -o json`";
            admin::take_snapshot(endpoint, purge, limit).await.doing(what, look)?
        }
    };
    context.output.result(&Snapshot { index: reply.index, purged: reply.purged })
}
