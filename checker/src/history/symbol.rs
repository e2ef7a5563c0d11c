//! Interned texts and lists: every key, message id, account name, node and value of a history is stored once and
//! named by a small number, so that an operation is a few words long however often a name occurs.

use std::collections::HashMap;
use std::sync::Arc;

use super::datum::Datum;

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

/// The table behind the symbols and the lists of one history.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    texts: Vec<Arc<str>>,
    by_text: HashMap<Arc<str>, Symbol>,
    lists: Vec<Arc<[Datum]>>,
    by_items: HashMap<Arc<[Datum]>, List>,
}

impl Symbols {
    /// The symbol of `text`, a new one if the text was not seen before.
    ///
    /// # Panics
    /// After 2^32 different texts.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.by_text.get(text) {
            return *symbol;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).expect("a history has fewer than 2^32 names"));
        let shared: Arc<str> = text.into();
        self.texts.push(Arc::clone(&shared));
        self.by_text.insert(shared, symbol);
        symbol
    }

    /// The symbol of `text` if the history contains it.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.by_text.get(text).copied()
    }

    /// The text of a symbol of this table.
    ///
    /// # Panics
    /// If the symbol belongs to another history and is out of range here.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.index()]
    }

    /// The list of `items`, a new one if they were not seen together before.
    ///
    /// # Panics
    /// After 2^32 different lists.
    pub fn list(&mut self, items: &[Datum]) -> List {
        if let Some(list) = self.by_items.get(items) {
            return *list;
        }
        let list = List(u32::try_from(self.lists.len()).expect("a history has fewer than 2^32 lists"));
        let shared: Arc<[Datum]> = items.into();
        self.lists.push(Arc::clone(&shared));
        self.by_items.insert(shared, list);
        list
    }

    /// The items of a list of this table.
    ///
    /// # Panics
    /// If the list belongs to another history and is out of range here.
    #[must_use]
    pub fn items(&self, list: List) -> &[Datum] {
        &self.lists[list.0 as usize]
    }

    /// How many different texts there are; every symbol's index is below it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether no text was interned yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
