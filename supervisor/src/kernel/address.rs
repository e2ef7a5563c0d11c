//! Who has which address: a packet tells by its two addresses which edge it travels on.
//!
//! `n1` is 127.0.1.1, the first client 127.0.2.1. Each listens on its own address and dials from it. Who dials from any
//! other, as the testbed does for its questions, travels on no edge, and no fault touches it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::system::NodeName;

/// The most nodes, and the most clients: the numbers of a network's last byte.
const PARTIES_MAX: usize = 254;

/// The addresses of the parties of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addresses {
    by_name: BTreeMap<NodeName, Ipv4Addr>,
}

impl Addresses {
    /// One for each.
    pub(super) fn of(nodes: &[NodeName], clients: &[NodeName]) -> Self {
        assert!(nodes.len() <= PARTIES_MAX && clients.len() <= PARTIES_MAX, "too many parties for a network");
        let place = |network: u8, names: &[NodeName]| -> Vec<_> {
            let numbered = names.iter().cloned().zip(1_u8..);
            numbered.map(|(name, number)| (name, Ipv4Addr::new(127, 0, network, number))).collect()
        };
        let by_name: BTreeMap<_, _> = place(1, nodes).into_iter().chain(place(2, clients)).collect();
        assert_eq!(by_name.len(), nodes.len() + clients.len(), "two parties of a network have one name");
        Self { by_name }
    }

    /// The address of `party`.
    pub(super) fn get(&self, party: &str) -> Ipv4Addr {
        *self.by_name.get(party).expect("only parties of this network are asked for")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_party_has_an_address_of_its_own() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let addresses = Addresses::of(&names(&["n1", "n2"]), &names(&["clients"]));
        assert_eq!(addresses.get("n1").to_string(), "127.0.1.1");
        assert_eq!(addresses.get("n2").to_string(), "127.0.1.2");
        assert_eq!(addresses.get("clients").to_string(), "127.0.2.1");
    }
}
