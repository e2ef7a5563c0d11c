//! Something that is wrong with edges of a network, whichever network that is.
//!
//! The two kinds of networks can do different things. A scenario that wants of one what only the other can do is refused
//! when it is read; here such a wish is an error of the kind [`io::ErrorKind::Unsupported`].

use std::io;
use std::num::NonZeroU64;

use super::Network;
use crate::fabric::{self, Delay, Edge};
use crate::kernel;
use crate::scenario::unit::Chance;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing arrives, and no connection comes about.
    Cut,
    /// So many bytes a second.
    Rate(NonZeroU64),
    /// Bytes come late. Proxies only.
    Delay(Delay),
    /// Bytes are kept, and come in one burst when it is lifted. Proxies only.
    Hold,
    /// Bytes vanish. Proxies only.
    BlackHole,
    /// Packets are lost by chance. The kernel only.
    Loss(Chance),
}

/// A fault that stands on some edges. Dropping it lifts it.
#[derive(Debug)]
pub enum LinkFault {
    /// On links of proxies.
    Proxy(fabric::EdgeFault),
    /// On packets.
    Kernel(kernel::EdgeFault),
}

impl Network {
    /// `wrong` stands on each of `edges` from now on, until the fault is dropped.
    ///
    /// # Errors
    /// If this network cannot do that, or the kernel refuses what it takes; then nothing stands.
    pub fn impose(&self, wrong: Wrong, edges: &[Edge]) -> io::Result<LinkFault> {
        match self {
            Self::Direct => Err(unsupported("the nodes have no links that could be broken")),
            Self::Proxy(fabric) => fabric.impose(of_proxies(wrong)?, edges).map(LinkFault::Proxy),
            Self::Kernel(network) => network.impose(of_kernel(wrong)?, edges).map(LinkFault::Kernel),
        }
    }

    /// Resets every connection that carries bytes of `edges`. Returns how many there were.
    ///
    /// # Errors
    /// If this network cannot do that.
    pub fn reset(&self, edges: &[Edge]) -> io::Result<u64> {
        match self {
            Self::Direct => Err(unsupported("the nodes have no links that could be broken")),
            Self::Proxy(fabric) => Ok(fabric.reset(edges)),
            Self::Kernel(network) => network.reset(edges),
        }
    }
}

fn of_proxies(wrong: Wrong) -> io::Result<fabric::Condition> {
    match wrong {
        Wrong::Cut => Ok(fabric::Condition::Cut),
        Wrong::Rate(rate) => Ok(fabric::Condition::Rate(rate)),
        Wrong::Delay(delay) => Ok(fabric::Condition::Delay(delay)),
        Wrong::Hold => Ok(fabric::Condition::Hold),
        Wrong::BlackHole => Ok(fabric::Condition::BlackHole),
        Wrong::Loss(_) => Err(unsupported("a proxy cannot lose single packets")),
    }
}

fn of_kernel(wrong: Wrong) -> io::Result<kernel::Condition> {
    match wrong {
        Wrong::Cut => Ok(kernel::Condition::Cut),
        Wrong::Rate(rate) => Ok(kernel::Condition::Rate(rate)),
        Wrong::Loss(chance) => Ok(kernel::Condition::Loss(chance)),
        Wrong::Delay(_) | Wrong::Hold | Wrong::BlackHole => {
            Err(unsupported("the kernel's network can only drop packets"))
        }
    }
}

fn unsupported(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_network_refuses_what_only_the_other_can_do() {
        let loss = Wrong::Loss(Chance::ALWAYS);
        assert_eq!(of_proxies(loss).unwrap_err().kind(), io::ErrorKind::Unsupported);
        assert_eq!(of_kernel(loss).unwrap(), kernel::Condition::Loss(Chance::ALWAYS));
        for wrong in [Wrong::Delay(Delay::of(Duration::from_millis(5))), Wrong::Hold, Wrong::BlackHole] {
            assert!(of_proxies(wrong).is_ok());
            assert_eq!(of_kernel(wrong).unwrap_err().kind(), io::ErrorKind::Unsupported);
        }
        assert!(of_proxies(Wrong::Cut).is_ok() && of_kernel(Wrong::Cut).is_ok());
    }
}
