//! The simulated operations in a binary history.

use std::fs::File;
use std::io;

use checker::history::binary::{Asked, Blocks, Event, Learned, Page, What};
use checker::history::jsonl::Header;
use checker::log::ledger;

use crate::load::{self, Block, Load, Shape};

/// Writes all operations of a simulation. An event is a microsecond after the one before.
pub(crate) fn write(shape: Shape, path: &str) -> io::Result<()> {
    let mut file = Blocks::new(io::BufWriter::new(File::create(path)?), &Header::new(None))?;
    let keys: Vec<u32> =
        (0..shape.conversations).map(|number| file.name(&format!("room-{number}"))).collect();
    let nodes: Vec<u32> = (1..=5).map(|number| file.name(&format!("n{number}"))).collect();
    let timeout = file.name("timeout");
    let mut names: Vec<u32> = Vec::new();
    let mut processes: Vec<u64> = (0..shape.clients.into()).collect();
    let (mut load, mut block, mut time) = (Load::new(shape), Block::default(), 0);
    let mut shown = Vec::new();
    while load.fill(&mut block, 65_536) {
        for event in &block.events {
            time += 1000;
            let (client, what) = match *event {
                load::Event::Invoke { client, conversation, asked, .. } => {
                    let asked = match asked {
                        ledger::Asked::Send { message } => {
                            names.push(file.name(&format!("c{client}-{message}")));
                            Asked::Send { id: names[message as usize] }
                        }
                        ledger::Asked::Read(range) => Asked::Read { range, last: false },
                        ledger::Asked::Delete { seq } => Asked::Delete { seq },
                    };
                    let (key, node) = (Some(keys[conversation as usize]), Some(nodes[client as usize % 5]));
                    (client, What::Invoked { key, node, asked })
                }
                load::Event::Sent { client, seq } => {
                    (client, What::Completed(Learned::Sent { seq: seq.into() }))
                }
                load::Event::Page { client, page } => {
                    let page = &block.pages[page as usize];
                    shown.clear();
                    shown.extend(block.messages(page).iter().map(|message| names[*message as usize]));
                    let (head, first) = (page.head.into(), page.first.into());
                    let page = Page { head, ids: &shown, first, seqs: &[], tombstones: &[] };
                    (client, What::Completed(Learned::Page(page)))
                }
                load::Event::Unknown { client } => {
                    (client, What::Completed(Learned::Unknown { error: Some(timeout) }))
                }
            };
            file.put(&Event { time, process: processes[client as usize], what })?;
            if matches!(event, load::Event::Unknown { .. }) {
                processes[client as usize] += u64::from(shape.clients);
            }
        }
    }
    file.flush()
}
