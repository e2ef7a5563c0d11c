//! Damaged histories, from a seed: what the fuzzer and the tests of the readers share.

use checker::history::binary::{MAGIC, Writer};
use checker::history::format::{self, Format};
use checker::history::jsonl::{self, Header};

/// Texts as they should be, each with most of what its format knows.
pub(crate) const SEEDS: [(Format, &str); 7] = [
    (
        Format::Jsonl,
        r#"{"format":"hearsay-history","version":1,"started_unix_ns":5}
{"index":0,"time":1,"process":0,"type":"invoke","f":"send","key":"k","value":{"id":"a"},"node":"n2"}
{"index":1,"time":2,"process":"nemesis","type":"info","f":"kill","key":"k1","value":{"nodes":["n1","n2"]}}
{"index":2,"time":3,"process":0,"type":"ok","f":"send","key":"k","value":{"id":"a","seq":1}}
{"index":3,"time":3,"process":1,"type":"invoke","f":"read","key":"k","value":{"before":9,"limit":5,"final":true}}
{"index":4,"time":4,"process":1,"type":"ok","f":"read","key":"k","value":{"messages":[{"seq":1,"id":"a"}],"head":1}}
{"index":5,"time":5,"process":1,"type":"invoke","f":"txn","key":"x","value":[["r",1,null],["append",2.5,true]]}
{"index":6,"time":6,"process":1,"type":"info","f":"txn","key":"x","error":"timeout"}
"#,
    ),
    (
        Format::Edn,
        r#"[{:index 0, :time 3291485317, :type :invoke, :process 0, :f :write, :value [0 3]}
 {:type :info, :f :start, :process :nemesis, :value {"n1" #{"n2" "n3"}}} ; cut
 #jepsen.history.Op{:process 1 :type :invoke :f :read :value [0 nil] :index 3}
 {:index 4, :type :fail, :process 1, :f :read, :value [0 nil], :error [:net "refused \"n1\" \u00e4"]}
 #_{:ignored \a} {:index 5 :type :ok :process 0 :f :write :value [0 3] :ext #inst "2024"}]
"#,
    ),
    (
        Format::Edn,
        r#"; {"format":"hearsay-history","version":1,"initially":"empty"}
{:process 0, :type :invoke, :f :txn, :value [[:r :x nil] [:append 1 -2]], :key "k", :node "n1"}
{:process 0, :type :ok, :f :txn, :value [[:r :x (1 2N 1/2)] [:append 1 -2]], :key "k"}
{:process 0, :type :invoke, :f :cas, :value [{:a 1.5, :b 0x1f} [nil true]]}
{:process 0, :type :info, :f :cas, :value :timed-out}
{:process 0, :type :invoke, :f :poll}
"#,
    ),
    (
        Format::Edn,
        r#"{:process 0, :type :invoke, :f :add, :value [1 2]}
{:process 0, :type :ok, :f :add, :value [1 2]}
{:process 0, :type :invoke, :f :drain, :value nil}
{:process 0, :type :ok, :f :drain, :value #{1 2 [3 18446744073709551616]}}
"#,
    ),
    (
        Format::JepsenLog,
        "INFO [2024-05-06 07:08:09,012] main - jepsen.core Test: {:name \"etcd\", :ok true}\n\
         INFO [2024-05-06] jepsen worker 3 - jepsen.util 3\t:invoke\t:cas\t[1 2]\n\
         INFO  jepsen.util - 12  :invoke :read   nil\n\
         INFO  jepsen.util - :nemesis\t:info\t:start\t\"n1 is cut off\"\n\
         12\t:fail\t:read\tnil\t[:http \"refused\"]\r\n\
         INFO  jepsen.util - 3\t:info\t:cas\t:timed-out\n\
         INFO  jepsen.util - 3\t:invoke\t:write\t[7 8]\n\
         INFO  jepsen.util - 3\t:ok\t:write\t[7 8]\n",
    ),
    (
        Format::PorcupineKv,
        "{:process 9, :type :invoke, :f :append, :key \"0\", :value \"x 9 0 y\"}\n\
         {:process 1, :type :invoke, :f :get, :key \"9\", :value nil}\n\
         {:process 9, :type :ok, :f :append, :key \"0\", :value \"x 9 0 y\"}\n\
         {:process 1, :type :ok, :f :get, :key \"9\", :value \"\"}\n\
         {:process 1, :type :invoke, :f :put, :key \"9\", :value \"a\\nb\"}\n",
    ),
    (
        Format::PorcupineKv,
        "{:process 9, :type :invoke, :f :inc, :value 2}\n{:process 9, :type :ok, :f :inc, :value 7}\n\
         {:process 9, :type :invoke, :f :acquire, :value nil}\n{:process 9, :type :fail, :f :acquire, :value nil}\n",
    ),
];

/// Pieces that mean something to a reader.
const PIECES: [&str; 44] = [
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "#{",
    "#_",
    "^",
    "#tag ",
    "##Inf",
    "\"",
    "\\",
    "\\u12",
    "\\ud83d",
    ";",
    ",",
    "\n",
    "\r\n",
    "\t",
    " ",
    "nil",
    "true",
    ":",
    ":f",
    ":value",
    ":key",
    ":type",
    ":invoke",
    ":ok",
    ":info",
    ":nemesis",
    "0",
    "-",
    "+",
    ".",
    "e9",
    "N",
    "/",
    "9223372036854775808",
    "99999999999999999999999",
    "\u{0}",
    "\u{e4}",
    "null",
];

/// A generator of numbers (splitmix64, Steele and others, 2014).
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of a round.
    pub(crate) fn new(seed: u64, round: u64) -> Self {
        Random(
            seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(round.wrapping_mul(0x2545_f491_4f6c_dd1d)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A file for a reader, damaged in up to six places: bytes changed, cut out, doubled, moved, or a piece put in.
pub(crate) fn damaged(random: &mut Random, reader: Option<Format>) -> Vec<u8> {
    let is_binary = match reader {
        Some(reader) => reader == Format::Binary,
        None => random.below(8) == 0,
    };
    if is_binary { damaged_blocks(random) } else { damaged_text(random, reader) }
}

/// A binary history of a text above. Mostly what is in its blocks is damaged, and they are sealed again.
fn damaged_blocks(random: &mut Random) -> Vec<u8> {
    let (format, text) = SEEDS[random.below(SEEDS.len())];
    let (history, _) = format::read(text.as_bytes(), Some(format)).expect("a text as it should be");
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &Header::new(Some(5))).expect("a vector takes everything");
    for event in jsonl::events(&history) {
        // What JSON cannot say in this way is left out.
        if writer.append(&event.borrowed()).is_ok() && random.below(3) == 0 {
            writer.flush().expect("a vector takes everything");
        }
    }
    writer.flush().expect("a vector takes everything");
    drop(writer);
    if random.below(4) == 0 {
        damage(random, &mut file, 6);
        return file;
    }
    let (mut damaged, mut rest) = (MAGIC.to_vec(), &file[MAGIC.len()..]);
    let mut places = random.below(7);
    while let Some((head, behind)) = rest.split_at_checked(12) {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let mut payload = behind[..length].to_vec();
        if places > 0 && random.below(2) == 0 {
            damage(random, &mut payload, places);
            places /= 2;
        }
        let length_bytes = (payload.len() as u32).to_le_bytes();
        damaged.extend_from_slice(&length_bytes);
        damaged.extend_from_slice(&crc32c::crc32c(&length_bytes).to_le_bytes());
        damaged.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
        damaged.extend_from_slice(&payload);
        rest = &behind[length..];
    }
    if random.below(8) == 0 {
        damaged.truncate(random.below(damaged.len() + 1));
    }
    damaged
}

fn damaged_text(random: &mut Random, reader: Option<Format>) -> Vec<u8> {
    let fitting: Vec<&str> = SEEDS
        .iter()
        .filter(|(format, _)| reader.is_none_or(|reader| reader == *format))
        .map(|(_, text)| *text)
        .collect();
    let mut text = fitting[random.below(fitting.len())].as_bytes().to_vec();
    damage(random, &mut text, 6);
    if random.below(8) == 0 {
        text.truncate(random.below(text.len() + 1));
    }
    text
}

/// Damages bytes in up to so many places.
fn damage(random: &mut Random, text: &mut Vec<u8>, places: usize) {
    for _ in 0..random.below(places + 1) {
        let begin = random.below(text.len() + 1);
        let end = (begin + random.below(12)).min(text.len());
        let instead = match random.below(6) {
            0 => Vec::new(),
            1 => text[begin..end].repeat(1 + random.below(4)),
            2 => vec![random.below(256) as u8],
            3 => {
                let from = random.below(text.len() + 1);
                text[from..(from + random.below(40)).min(text.len())].to_vec()
            }
            // A number or a word becomes another one.
            4 => PIECES[random.below(PIECES.len())].repeat(1 + random.below(3)).into_bytes(),
            _ => [&text[begin..end], PIECES[random.below(PIECES.len())].as_bytes()].concat(),
        };
        text.splice(begin..end, instead);
    }
}
