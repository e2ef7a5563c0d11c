//! Interned texts and lists: every key, message id, account name, node and value of a history is stored once and
//! named by a small number, so that an operation is a few words long however often a name occurs.

use super::datum::Datum;
use super::interner::{Hash, Interner};

/// A text of one [`History`](super::History): a key, a message id, a name, a node, a value or an error.
///
/// Two symbols of the same history are equal exactly when their texts are. Symbols are dense from 0 in the
/// order of first occurrence, so they can index an array. They mean nothing in another history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    pub(crate) fn new(number: u32) -> Self {
        Symbol(number)
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The position of the symbol in the table, for arrays indexed by symbol.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A list of values of one [`History`](super::History).
///
/// Two lists of the same history are equal exactly when their items are. They mean nothing in another history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct List(u32);

impl List {
    /// The position of the list in the table, for arrays indexed by list.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The table behind the symbols and the lists of one history.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    /// All texts, one behind the other, and where each ends.
    text: String,
    text_ends: Vec<usize>,
    by_text: Interner,
    /// The items of all lists, one list behind the other, and where each ends.
    items: Vec<Datum>,
    list_ends: Vec<usize>,
    by_items: Interner,
}

impl Symbols {
    /// The symbol of `text`, a new one if the text was not seen before.
    ///
    /// # Panics
    /// After 2^32 - 1 different texts.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let hash = Hash::new().bytes(text.as_bytes());
        if let Some(number) = self.find_hashed(hash, text) {
            return Symbol(number);
        }
        self.text.push_str(text);
        self.text_ends.push(self.text.len());
        Symbol(self.by_text.add(hash))
    }

    /// The symbol of `text` if the history contains it.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.find_hashed(Hash::new().bytes(text.as_bytes()), text).map(Symbol)
    }

    fn find_hashed(&self, hash: Hash, text: &str) -> Option<u32> {
        self.by_text.find(hash, |number| self.text(Symbol(number)) == text)
    }

    /// The text of a symbol of this table.
    ///
    /// # Panics
    /// If the symbol belongs to another history and is out of range here.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.text[range(&self.text_ends, symbol.0)]
    }

    /// The list of `items`, a new one if they were not seen together before.
    ///
    /// # Panics
    /// After 2^32 - 1 different lists.
    pub fn list(&mut self, items: &[Datum]) -> List {
        let hash = items.iter().fold(Hash::new(), |hash, item| item.hash_into(hash)).word(items.len() as u64);
        if let Some(number) = self.by_items.find(hash, |number| self.items(List(number)) == items) {
            return List(number);
        }
        self.items.extend_from_slice(items);
        self.list_ends.push(self.items.len());
        List(self.by_items.add(hash))
    }

    /// The items of a list of this table.
    ///
    /// # Panics
    /// If the list belongs to another history and is out of range here.
    #[must_use]
    pub fn items(&self, list: List) -> &[Datum] {
        &self.items[range(&self.list_ends, list.0)]
    }

    /// All symbols of this table, in order.
    pub fn all(&self) -> impl Iterator<Item = Symbol> + use<> {
        (0..u32::try_from(self.len()).expect("a history has fewer than 2^32 names")).map(Symbol)
    }

    /// How many different texts there are; every symbol's index is below it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text_ends.len()
    }

    /// Whether no text was interned yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text_ends.is_empty()
    }
}

/// Where a thing lies, if each ends where the next begins.
fn range(ends: &[usize], number: u32) -> std::ops::Range<usize> {
    let number = number as usize;
    let begin = if number == 0 { 0 } else { ends[number - 1] };
    begin..ends[number]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let mut symbols = Symbols::default();
        let texts = ["", "a", "ä", "ab", "a".repeat(1_000).as_str()]
            .map(|text| (symbols.intern(text), text.to_owned()));
        for (number, (symbol, text)) in texts.iter().enumerate() {
            assert_eq!((symbol.index(), symbols.text(*symbol)), (number, text.as_str()));
            assert_eq!((symbols.intern(text), symbols.find(text)), (*symbol, Some(*symbol)));
        }
        assert_eq!((symbols.len(), symbols.find("b")), (5, None));
    }

    #[test]
    fn equal_lists_are_one() {
        let mut symbols = Symbols::default();
        let [a, b] = ["a", "b"].map(|text| Datum::Name(symbols.intern(text)));
        let (ab, ba, none) = (symbols.list(&[a, b]), symbols.list(&[b, a]), symbols.list(&[]));
        assert_eq!((symbols.list(&[a, b]), symbols.list(&[])), (ab, none));
        assert!(ab != ba && ab != none);
        let nested = symbols.list(&[Datum::List(ab)]);
        assert_eq!(symbols.items(nested), [Datum::List(ab)]);
        assert_eq!((symbols.items(ab), symbols.items(none)), (&[a, b][..], &[][..]));
    }
}
