//! A node's own table of where its peers are.
#![expect(clippy::disallowed_methods, reason = "this module is what Env stands on")]

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::str::FromStr;

/// Names and addresses, fixed or in a file.
///
/// A file has one `name=host:port` a line, or `name=` while nobody knows where that is. It is read again for every dial,
/// so a peer may move while the node runs; whoever changes the file renames a new one over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerTable {
    /// Given once.
    Fixed(BTreeMap<String, String>),
    /// In a file.
    File(PathBuf),
}

impl PeerTable {
    /// The table as it is now.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it is no `name=host:port`.
    pub fn load(&self) -> io::Result<BTreeMap<String, String>> {
        match self {
            PeerTable::Fixed(peers) => Ok(peers.clone()),
            PeerTable::File(path) => {
                let text = std::fs::read_to_string(path)?;
                parse(text.lines()).map_err(|what| io::Error::new(ErrorKind::InvalidData, what))
            }
        }
    }

    /// The address of `peer` as it is now.
    ///
    /// # Errors
    /// As [`PeerTable::load`]; `NotFound` when the table does not have it.
    pub fn address(&self, peer: &str) -> io::Result<String> {
        let absent = || io::Error::new(ErrorKind::NotFound, "the table of peers has no address of it");
        self.load()?.remove(peer).filter(|address| !address.is_empty()).ok_or_else(absent)
    }
}

fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, String>, String> {
    let mut peers = BTreeMap::new();
    for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
        let (name, address) = line.split_once('=').ok_or_else(|| format!("`{line}` is no name=host:port"))?;
        if !address.is_empty()
            && address.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err())
        {
            return Err(format!("`{address}` is no host:port"));
        }
        if peers.insert(name.to_owned(), address.to_owned()).is_some() {
            return Err(format!("{name} is there twice"));
        }
    }
    Ok(peers)
}

impl FromStr for PeerTable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('@') {
            Some(path) => Ok(PeerTable::File(path.into())),
            None => parse(text.split(',')).map(PeerTable::Fixed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_given_on_the_command_line_or_in_a_file() {
        let table: PeerTable = "n1=127.0.0.1:1,n2=[::1]:2".parse().unwrap();
        assert_eq!(table.address("n2").unwrap(), "[::1]:2");
        assert_eq!(table.address("n3").unwrap_err().kind(), ErrorKind::NotFound);
        for bad in ["n1", "n1=host", "n1=host:x", "n1=a:1,n1=b:2"] {
            assert!(bad.parse::<PeerTable>().is_err(), "{bad}");
        }

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("peers");
        let table: PeerTable = format!("@{}", path.display()).parse().unwrap();
        assert!(table.load().is_err());
        std::fs::write(&path, "n1=127.0.0.1:1\n\nn2=127.0.0.1:2\n").unwrap();
        assert_eq!(table.address("n1").unwrap(), "127.0.0.1:1");
        std::fs::write(&path, "n1=127.0.0.1:9\nn2=\n").unwrap();
        assert_eq!(table.address("n1").unwrap(), "127.0.0.1:9");
        assert_eq!(table.address("n2").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(table.load().unwrap().len(), 2);
    }
}
