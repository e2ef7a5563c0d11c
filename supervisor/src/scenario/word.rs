//! A closed set of words: the enums of the format.

/// An enum whose values are words of the format. The word is also what serde writes.
pub(crate) trait Word: Copy + 'static {
    /// Every value, in the order in which they are listed to a person.
    const ALL: &'static [Self];

    /// The word for this value, in kebab case.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }

    /// All the words.
    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|value| value.word()).collect()
    }
}

/// An enum whose values are words of the format. Each stands here once, with the word that serde writes, too.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$doc:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $crate::scenario::word::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}
pub(crate) use words;

impl Word for checker::anomaly::AnomalyKind {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for crate::fabric::Distribution {
    const ALL: &'static [Self] = &[Self::Uniform, Self::Normal, Self::Pareto];

    fn word(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::Pareto => "pareto",
        }
    }
}

impl Word for super::plan::LiveCheck {
    const ALL: &'static [Self] = &[Self::Off, Self::Tell, Self::Stop];

    fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Tell => "tell",
            Self::Stop => "stop",
        }
    }
}

impl Word for super::plan::HistoryForm {
    const ALL: &'static [Self] = &[Self::Jsonl, Self::Binary];

    fn word(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Binary => "binary",
        }
    }
}

impl Word for super::verb::Loss {
    const ALL: &'static [Self] = &[Self::All, Self::Some, Self::Torn];

    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Some => "some",
            Self::Torn => "torn",
        }
    }
}

impl Word for super::verb::Call {
    const ALL: &'static [Self] = &[Self::Read, Self::Write, Self::Sync];

    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
        }
    }
}

impl Word for checker::check::CheckName {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.name()
    }
}
