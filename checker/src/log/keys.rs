//! Conversations by number, in the order in which they are first spoken of.

/// The numbers of the conversations. Keys are dense numbers themselves; there may be none.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// By key; [`NONE`] if there is none.
    by_key: Vec<u32>,
    /// That of the operations without a key.
    keyless: Option<u32>,
    keys: Vec<Option<u32>>,
}

/// No conversation: there are fewer.
const NONE: u32 = u32::MAX;

impl Keys {
    /// The number of a conversation, a new one if it was not spoken of before.
    #[inline]
    pub(super) fn number(&mut self, key: Option<u32>) -> u32 {
        match self.find(key) {
            Some(known) => known,
            None => self.add(key),
        }
    }

    fn add(&mut self, key: Option<u32>) -> u32 {
        let number = u32::try_from(self.keys.len()).expect("there are fewer conversations than operations");
        self.keys.push(key);
        match key.map(|key| key as usize) {
            Some(key) => {
                if self.by_key.len() <= key {
                    self.by_key.resize(key + 1, NONE);
                }
                self.by_key[key] = number;
            }
            None => self.keyless = Some(number),
        }
        number
    }

    /// The number of a conversation that was spoken of.
    pub(super) fn find(&self, key: Option<u32>) -> Option<u32> {
        match key {
            Some(key) => self.by_key.get(key as usize).copied().filter(|known| *known != NONE),
            None => self.keyless,
        }
    }

    /// The key of a conversation.
    pub(super) fn key(&self, number: u32) -> Option<u32> {
        self.keys[number as usize]
    }

    /// How many conversations there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// About how many bytes this needs.
    pub(super) fn bytes(&self) -> u64 {
        (self.by_key.len() * size_of::<u32>() + self.keys.len() * size_of::<Option<u32>>()) as u64
    }
}
