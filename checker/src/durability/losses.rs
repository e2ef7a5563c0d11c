//! Whom a loss is laid to: the node that acknowledged the message, and the fault nearest to that moment.

use serde::{Deserialize, Serialize};

use crate::history::{Fault, History, Input, Moment, OperationId, Symbol};

/// The most losses that are listed one by one.
const LISTED_MAX: usize = 100;

/// The messages that were acknowledged and lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses {
    /// How many there are for each node that acknowledged them and each fault nearest to that, the most first.
    pub groups: Vec<LossGroup>,
    /// The first of them, at most a hundred.
    pub messages: Vec<Loss>,
}

/// The losses that have a node and a fault in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossGroup {
    /// The node that acknowledged them, where that is known.
    pub node: Option<String>,
    /// The fault nearest to the acknowledgement: its verb and the nodes that it struck. `None` if there was none.
    pub fault: Option<String>,
    /// How many messages.
    pub messages: u64,
}

/// One message that was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The message.
    pub id: String,
    /// Its conversation.
    pub key: Option<String>,
    /// The number that it was acknowledged as.
    pub seq: u64,
    /// The node that acknowledged it.
    pub node: Option<String>,
    /// When, in ns since the start of the run.
    pub acknowledged: u64,
    /// The fault nearest to that.
    pub fault: Option<NearFault>,
}

/// A fault near a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearFault {
    /// Its verb and the nodes that it struck: `kill n2`.
    pub name: String,
    /// When it began, in ns since the start of the run.
    pub began: u64,
    /// When it was lifted; `None` if never.
    pub ended: Option<u64>,
    /// How far the moment is from its window, in ns; 0 within it.
    pub distance: u64,
}

impl Losses {
    /// Notes a lost message.
    pub(super) fn add(&mut self, history: &History, send: OperationId, seq: u64) {
        let operation = history.operation(send);
        let Some(completed) = operation.completed else { return };
        let node = operation.node.map(|node| history.text(node).to_owned());
        let fault = nearest(history, completed, operation.node);
        let name = fault.as_ref().map(|fault| fault.name.clone());
        match self.groups.iter_mut().find(|group| group.node == node && group.fault == name) {
            Some(group) => group.messages += 1,
            None => self.groups.push(LossGroup { node: node.clone(), fault: name, messages: 1 }),
        }
        if self.messages.len() < LISTED_MAX {
            let Input::Send { id } = operation.input else { return };
            self.messages.push(Loss {
                id: history.text(id).to_owned(),
                key: operation.key.map(|key| history.text(key).to_owned()),
                seq,
                node,
                acknowledged: completed.time,
                fault,
            });
        }
    }

    /// The losses in their final order; `None` if there are none.
    pub(super) fn finish(mut self) -> Option<Self> {
        self.groups.sort_by(|one, other| {
            other
                .messages
                .cmp(&one.messages)
                .then_with(|| (&one.node, &one.fault).cmp(&(&other.node, &other.fault)))
        });
        (!self.groups.is_empty()).then_some(self)
    }

    /// One line: `lost: 12 acknowledged by n2 near kill n2, 1 by n3 near partition n1 n3`.
    #[must_use]
    pub fn line(&self) -> String {
        let group = |group: &LossGroup| {
            let node = group.node.as_deref().map_or(String::new(), |node| format!(" by {node}"));
            let fault = group
                .fault
                .as_deref()
                .map_or(" without any fault".to_owned(), |fault| format!(" near {fault}"));
            format!("{} acknowledged{node}{fault}", group.messages)
        };
        format!("lost: {}", self.groups.iter().map(group).collect::<Vec<_>>().join(", "))
    }
}

/// The fault whose window is nearest to a moment; of several those that strike the node come first, then the one that
/// began last before it.
fn nearest(history: &History, at: Moment, node: Option<Symbol>) -> Option<NearFault> {
    let distance = |fault: &Fault| match fault.ended {
        _ if at.time < fault.began.time => fault.began.time - at.time,
        Some(ended) => at.time.saturating_sub(ended.time),
        None => 0,
    };
    let strikes = |fault: &Fault| node.is_some_and(|node| fault.nodes.contains(&node));
    let rank = |fault: &&Fault| (distance(fault), !strikes(fault), at.time.abs_diff(fault.began.time));
    let fault = history.faults().iter().min_by_key(rank)?;
    let nodes = fault.nodes.iter().map(|node| format!(" {}", history.text(*node)));
    let name = std::iter::once(history.text(fault.f).to_owned()).chain(nodes).collect();
    let (began, ended) = (fault.began.time, fault.ended.map(|ended| ended.time));
    Some(NearFault { name, began, ended, distance: distance(fault) })
}
