//! The nodes that are to be part of the cluster now.

use std::cell::RefCell;
use std::rc::Rc;

use crate::system::NodeName;

/// A list of nodes that can change. Clones share it.
#[derive(Debug, Clone)]
pub struct Members {
    nodes: Rc<RefCell<Vec<NodeName>>>,
}

impl Members {
    /// These nodes.
    #[must_use]
    pub fn new(nodes: Vec<NodeName>) -> Self {
        Self { nodes: Rc::new(RefCell::new(nodes)) }
    }

    /// Who they are now, in the order in which they became members.
    #[must_use]
    pub fn now(&self) -> Vec<NodeName> {
        self.nodes.borrow().clone()
    }

    /// `node` is one from now on.
    pub(super) fn add(&self, node: &str) {
        if !self.nodes.borrow().iter().any(|member| member == node) {
            self.nodes.borrow_mut().push(node.to_owned());
        }
    }

    /// `node` is one no more; tells whether it was.
    pub(super) fn remove(&self, node: &str) -> bool {
        let before = self.nodes.borrow().len();
        self.nodes.borrow_mut().retain(|member| member != node);
        self.nodes.borrow().len() < before
    }

    /// Whether `node` is one now.
    pub(super) fn has(&self, node: &str) -> bool {
        self.nodes.borrow().iter().any(|member| member == node)
    }
}
