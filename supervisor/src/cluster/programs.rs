//! Which program each node runs the next time that it is started.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::process::NodeBinary;
use crate::scenario::step::DEFAULT_BINARY;
use crate::system::NodeName;

/// The programs of a cluster. A node runs the default one until it is given another.
#[derive(Debug)]
pub struct Programs {
    default: NodeBinary,
    named: BTreeMap<String, NodeBinary>,
    of: RefCell<BTreeMap<NodeName, String>>,
}

impl Programs {
    /// Every node runs `binary`.
    #[must_use]
    pub fn only(binary: NodeBinary) -> Self {
        Self::new(binary, BTreeMap::new(), BTreeMap::new())
    }

    /// The nodes run what `of` names, which must be in `named`; the others run `default`.
    #[must_use]
    pub fn new(
        default: NodeBinary,
        named: BTreeMap<String, NodeBinary>,
        of: BTreeMap<NodeName, String>,
    ) -> Self {
        Self { default, named, of: RefCell::new(of) }
    }

    /// What `node` is started with.
    pub(super) fn of(&self, node: &str) -> NodeBinary {
        match self.of.borrow().get(node).map(String::as_str) {
            None | Some(DEFAULT_BINARY) => self.default.clone(),
            Some(name) => self.named.get(name).expect("a plan names only programs that it has").clone(),
        }
    }

    /// From its next start on, `node` runs the program called `name`.
    pub(super) fn give(&self, node: &str, name: &str) {
        self.of.borrow_mut().insert(node.to_owned(), name.to_owned());
    }
}
