//! The nodes of the cluster.

mod leader;
mod members;

use std::time::Duration;

use chat_client::wire::admin::{Role, Standing, StatusReply};
use chat_client::{Endpoint, Error, admin};
use comfy_table::{Cell, CellAlignment, Color, Table, presets};
use futures::future::join_all;
use serde::Serialize;

use self::members::Member;

use crate::cli::Cluster;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Look, Report, printable};

/// A node that takes longer to say how it is counts as unreachable.
const STATUS_LIMIT: Duration = Duration::from_secs(2);

pub(super) async fn execute(command: &Cluster, context: &mut Context) -> Result<(), Failure> {
    match command {
        Cluster::Status => status(context).await,
        Cluster::Add { node, learner } => members::add(context, node, *learner).await,
        Cluster::Promote { nodes } => members::promote(context, nodes).await,
        Cluster::Remove { nodes } => members::remove(context, nodes).await,
        Cluster::Replace { old, new } => members::replace(context, old, new).await,
        Cluster::Transfer { node } => members::transfer(context, node.as_deref()).await,
        Cluster::Snapshot { node, purge } => members::snapshot(context, node.as_deref(), *purge).await,
    }
}

#[derive(Debug, Serialize)]
struct Nodes {
    nodes: Vec<Node>,
}

/// A node: its address, and either all of the rest or `error`.
#[derive(Debug, Serialize)]
struct Node {
    address: String,
    reachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Unreachable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Debug, Serialize)]
struct Unreachable {
    cause: &'static str,
    message: String,
}

#[derive(Debug, Serialize)]
struct Status {
    node: String,
    role: &'static str,
    /// Whether the node belongs to the cluster: `member`, `waiting` to be added, `removed`.
    standing: &'static str,
    term: u64,
    /// None where the node knows none.
    leader: Option<String>,
    last_log: u64,
    committed: u64,
    applied: u64,
    snapshot: u64,
    purged: u64,
    members: Vec<Member>,
    /// The members are being changed.
    changing: bool,
    version: String,
    bugs: Vec<String>,
    uptime_ms: u64,
}

impl Node {
    fn new(address: String, answer: Result<StatusReply, Error>) -> Self {
        match answer {
            Ok(reply) => Node { address, reachable: true, error: None, status: Some(reply.into()) },
            Err(error) => {
                let error = Unreachable { cause: error.cause().word(), message: error.message().to_owned() };
                Node { address, reachable: false, error: Some(error), status: None }
            }
        }
    }

    fn row(&self, look: &Look) -> Vec<Cell> {
        let number = |number: u64| Cell::new(number).set_alignment(CellAlignment::Right);
        let colored = |text: &str, color| {
            let cell = Cell::new(text);
            if look.color { cell.fg(color) } else { cell }
        };
        match &self.status {
            Some(status) => vec![
                Cell::new(printable(&status.node)),
                Cell::new(&self.address),
                match (status.standing, status.role) {
                    (standing @ ("waiting" | "removed"), _) => colored(standing, Color::Yellow),
                    (_, "leader") => colored(status.role, Color::Green),
                    _ => Cell::new(status.role),
                },
                number(status.term),
                number(status.applied),
            ],
            None => {
                vec![Cell::new("?"), Cell::new(&self.address), colored("unreachable", Color::Red)]
            }
        }
    }
}

impl From<StatusReply> for Status {
    fn from(reply: StatusReply) -> Self {
        let (role, standing) = (role_name(reply.role()), standing_name(reply.standing()));
        let members = reply.members.into_iter();
        Status {
            node: reply.node,
            role,
            standing,
            term: reply.term,
            leader: Some(reply.leader).filter(|leader| !leader.is_empty()),
            last_log: reply.last_log,
            committed: reply.committed,
            applied: reply.applied,
            snapshot: reply.snapshot,
            purged: reply.purged,
            members: members.map(Member::from).collect(),
            changing: reply.changing,
            version: reply.version,
            bugs: reply.bugs,
            uptime_ms: reply.uptime_ms,
        }
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Leader => "leader",
        Role::Candidate => "candidate",
        Role::Follower => "follower",
        Role::Learner => "learner",
        Role::Unspecified => "?",
    }
}

fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Member => "member",
        Standing::Waiting => "waiting",
        Standing::Removed => "removed",
        Standing::Unspecified => "?",
    }
}

impl Report for Nodes {
    fn text(&self, look: &Look) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["NODE", "ADDRESS", "ROLE", "TERM", "APPLIED"]);
        if look.color {
            table.enforce_styling().style_text_only();
        } else {
            table.force_no_tty();
        }
        for number in [3, 4] {
            if let Some(column) = table.column_mut(number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if let Some(column) = table.column_mut(0) {
            column.set_padding((0, 1));
        }
        table.add_rows(self.nodes.iter().map(|node| node.row(look)));
        table.trim_fmt() + "\n"
    }

    fn items(&self) -> Vec<impl Serialize> {
        self.nodes.iter().collect()
    }
}

async fn status(context: &mut Context) -> Result<(), Failure> {
    let limit = STATUS_LIMIT.min(context.client.policy().limit);
    let ask = async |endpoint: &Endpoint| Node::new(endpoint.address(), admin::status(endpoint, limit).await);
    let nodes = Nodes { nodes: join_all(context.client.servers().iter().map(ask)).await };
    context.output.result(&nodes)?;
    for node in &nodes.nodes {
        if let Some(error) = &node.error {
            context.output.note(&format!("{}: {}", node.address, error.message));
        }
    }
    if nodes.nodes.iter().any(|node| node.reachable) {
        Ok(())
    } else {
        Err(Failure::NobodyAnswered { servers: nodes.nodes.len() })
    }
}
