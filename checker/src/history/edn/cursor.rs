//! The words of EDN: where a form begins and ends, strings, numbers, and what stands between forms.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The deepest nesting that is read.
const DEPTH_MAX: u32 = 128;

/// Why a form cannot be read.
#[derive(Debug)]
pub(in crate::history) enum Stop {
    /// The text ends within it.
    End,
    /// It is wrong.
    Wrong {
        /// At which byte of the text.
        at: usize,
        /// What is wrong.
        message: String,
    },
}

/// A place in a text.
#[derive(Debug, Clone)]
pub(in crate::history) struct Cursor<'a> {
    pub(in crate::history) text: &'a [u8],
    pub(in crate::history) at: usize,
    /// Whether the text is all there is, so that what stands at its end ends there.
    pub(in crate::history) whole: bool,
}

impl<'a> Cursor<'a> {
    pub(in crate::history) fn wrong<T>(&self, message: impl Into<String>) -> Result<T, Stop> {
        self.wrong_at(self.at, message)
    }

    pub(in crate::history) fn wrong_at<T>(&self, at: usize, message: impl Into<String>) -> Result<T, Stop> {
        Err(Stop::Wrong { at, message: message.into() })
    }

    #[inline]
    pub(in crate::history) fn peek(&self) -> Result<u8, Stop> {
        self.text.get(self.at).copied().ok_or(Stop::End)
    }

    /// The byte behind the next one.
    pub(super) fn peek_second(&self) -> Result<u8, Stop> {
        self.text.get(self.at + 1).copied().ok_or(Stop::End)
    }

    /// Goes one level down.
    pub(super) fn deeper(&self, depth: u32) -> Result<u32, Stop> {
        if depth >= DEPTH_MAX {
            return self.wrong(format!("this is nested deeper than {DEPTH_MAX} levels"));
        }
        Ok(depth + 1)
    }

    /// Passes over spaces, commas, comments, discarded forms and metadata.
    #[inline]
    pub(in crate::history) fn trivia(&mut self, depth: u32) -> Result<(), Stop> {
        // Nothing of it begins like a letter, a digit or a bracket.
        match self.text.get(self.at) {
            Some(byte) if *byte < b'$' || matches!(byte, b',' | b';' | b'^') => self.all_trivia(depth),
            _ => Ok(()),
        }
    }

    fn all_trivia(&mut self, depth: u32) -> Result<(), Stop> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b',' | b'\n' | b'\t' | b'\r' | 0x0b | 0x0c) => self.at += 1,
                Some(b';' | b'#' | b'^') => {
                    if !self.passes_over(depth)? {
                        return Ok(());
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Passes over a comment, a discarded form or metadata, if one is here. Where the text ends within it, it stays before it.
    fn passes_over(&mut self, depth: u32) -> Result<bool, Stop> {
        let begin = self.at;
        let passed = self.passed(depth);
        if matches!(passed, Err(Stop::End)) {
            self.at = begin;
        }
        passed
    }

    fn passed(&mut self, depth: u32) -> Result<bool, Stop> {
        match (self.peek()?, self.text.get(self.at + 1)) {
            (b';', _) => match memchr(b'\n', &self.text[self.at..]) {
                Some(length) => self.at += length + 1,
                None if self.whole => self.at = self.text.len(),
                None => return Err(Stop::End),
            },
            (b'#', None) => return Err(Stop::End),
            (b'#', Some(b'_' | b'^')) => {
                self.at += 2;
                self.skip(self.deeper(depth)?)?;
            }
            (b'^', _) => {
                self.at += 1;
                self.skip(self.deeper(depth)?)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Passes over one form, whatever it is.
    pub(in crate::history) fn skip(&mut self, depth: u32) -> Result<(), Stop> {
        self.trivia(depth)?;
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'\\' => self.character().map(|_| ()),
            open @ (b'[' | b'(' | b'{') => {
                let depth = self.deeper(depth)?;
                let close = closer(open);
                self.at += 1;
                loop {
                    self.trivia(depth)?;
                    match self.peek()? {
                        byte if byte == close => {
                            self.at += 1;
                            return Ok(());
                        }
                        b']' | b')' | b'}' => return self.unbalanced(close),
                        _ => self.skip(depth)?,
                    }
                }
            }
            b']' | b')' | b'}' => self.wrong("a form was expected, not the end of one"),
            // `#tag form`, `#{`, `#(`, `#"`, and what a form is quoted with; but `##Inf`, `'name` and `#'name` are whole.
            b'#' | b'\'' | b'`' | b'@' | b'~' => {
                let mark = self.token();
                let name = matches!(mark, [b'#', b'#' | b'\'', _, ..] | [b'\'' | b'`' | b'@' | b'~', _, ..]);
                match self.text.get(self.at) {
                    _ if name => self.ended(),
                    None => Err(Stop::End),
                    Some(_) => self.skip(self.deeper(depth)?),
                }
            }
            _ => {
                self.token();
                self.ended()
            }
        }
    }

    /// The wrong closing bracket stands here.
    pub(super) fn unbalanced<T>(&self, close: u8) -> Result<T, Stop> {
        let found = char::from(self.text[self.at]);
        self.wrong(format!("`{}` was expected, not `{found}`", char::from(close)))
    }

    /// What stands here up to a space, a bracket or a quote.
    #[inline]
    pub(in crate::history) fn token(&mut self) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| is_delimiter(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Whether the token before really ends here: more of it may come.
    #[inline]
    pub(in crate::history) fn ended(&self) -> Result<(), Stop> {
        if self.at < self.text.len() || self.whole { Ok(()) } else { Err(Stop::End) }
    }

    /// A whole number of at most 18 digits that is followed by a delimiter. If there is none, nothing is passed.
    #[inline]
    pub(in crate::history) fn short_integer(&mut self) -> Option<i64> {
        let digits = self.at + usize::from(self.text.get(self.at) == Some(&b'-'));
        let mut at = digits;
        let mut value: i64 = 0;
        while let Some(bytes) = self.text.get(at..).and_then(|rest| rest.first_chunk()) {
            let (number, length) = leading_digits(*bytes);
            at += length;
            if at - digits > 18 {
                return None;
            }
            value = value * TENS[length] + number;
            if length < 8 {
                break;
            }
        }
        while let Some(byte @ b'0'..=b'9') = self.text.get(at) {
            if at - digits == 18 {
                return None;
            }
            value = value * 10 + i64::from(byte - b'0');
            at += 1;
        }
        // An octal number begins with 0 too.
        let octal = self.text.get(digits) == Some(&b'0') && at - digits > 1;
        if at == digits || octal || !self.text.get(at).is_some_and(|byte| is_delimiter(*byte)) {
            return None;
        }
        let negative = digits > self.at;
        self.at = at;
        Some(if negative { -value } else { value })
    }

    /// Passes this word, if it stands here and ends here. It may be longer where the text ends, so there it is not passed.
    #[inline]
    pub(in crate::history) fn word<const LENGTH: usize>(&mut self, word: &[u8; LENGTH]) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found =
            rest.first_chunk() == Some(word) && rest.get(LENGTH).is_some_and(|byte| is_delimiter(*byte));
        self.at += if found { LENGTH } else { 0 };
        found
    }

    /// A string; the cursor is at its first quote.
    pub(in crate::history) fn string(&mut self) -> Result<Cow<'a, str>, Stop> {
        let begin = self.at + 1;
        let rest = &self.text[begin..];
        let end = memchr2(b'"', b'\\', rest).ok_or(Stop::End)?;
        let text = self.utf8(begin, begin + end)?;
        self.at = begin + end;
        if rest[end] == b'"' {
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        let mut text = text.to_owned();
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                b'\\' => text.push(self.escape()?),
                _ => {
                    let rest = &self.text[self.at..];
                    let length = memchr2(b'"', b'\\', rest).ok_or(Stop::End)?;
                    text.push_str(self.utf8(self.at, self.at + length)?);
                    self.at += length;
                }
            }
        }
    }

    pub(super) fn utf8(&self, begin: usize, end: usize) -> Result<&'a str, Stop> {
        std::str::from_utf8(&self.text[begin..end]).or_else(|error| {
            self.wrong_at(begin + error.valid_up_to(), "this is not UTF-8; the file must be text in UTF-8")
        })
    }

    /// `\n`, `\u00e4` or `\o12` in a string.
    fn escape(&mut self) -> Result<char, Stop> {
        let at = self.at;
        let byte = self.peek_second()?;
        self.at += 2;
        Ok(match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'\'' | b'/' => char::from(byte),
            b'u' => {
                let unit = self.hex_unit(at)?;
                if !(0xd800..0xdc00).contains(&unit) {
                    return char::from_u32(unit).map_or_else(|| self.no_character(at), Ok);
                }
                // The first half of a pair, as Java writes what needs more than 16 bits.
                if self.peek()? != b'\\' || self.peek_second()? != b'u' {
                    return self.no_character(at);
                }
                self.at += 2;
                let low = self.hex_unit(at)?;
                if !(0xdc00..0xe000).contains(&low) {
                    return self.no_character(at);
                }
                let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(code).map_or_else(|| self.no_character(at), Ok);
            }
            b'0'..=b'7' | b'o' => {
                self.at -= usize::from(byte != b'o');
                let mut code = 0;
                for _ in 0..3 {
                    let digit @ b'0'..=b'7' = self.peek()? else { break };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                return char::from_u32(code).map_or_else(|| self.no_character(at), Ok);
            }
            _ => return self.wrong_at(at, "a string knows no such escape; a backslash is written `\\\\`"),
        })
    }

    fn no_character<T>(&self, at: usize) -> Result<T, Stop> {
        self.wrong_at(at, "this escape is no character")
    }

    /// The four digits behind `\u`.
    fn hex_unit(&mut self, at: usize) -> Result<u32, Stop> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16);
            let Some(digit) = digit else { return self.wrong_at(at, "`\\u` needs four hexadecimal digits") };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// A character such as `\a` or `\newline`, with its backslash.
    pub(super) fn character(&mut self) -> Result<&'a str, Stop> {
        let begin = self.at;
        // The first one may be a delimiter: `\(` is a character.
        self.peek_second()?;
        self.at += 2;
        self.token();
        self.ended()?;
        self.utf8(begin, self.at)
    }
}

/// Powers of ten.
const TENS: [i64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that eight bytes begin with, and how many digits it has. All eight are looked at together: as parts of a
/// word, first joined to numbers of two digits, then of four, then of eight.
#[inline]
fn leading_digits(bytes: [u8; 8]) -> (i64, usize) {
    // A digit is now 0 to 9, so that it stays below 0x80 if 0x76 is added; a carry reaches only what comes behind.
    let digits = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let length = others.trailing_zeros() as usize / 8;
    if length == 0 {
        return (0, 0);
    }
    // Zeros in front.
    let digits = digits << (64 - 8 * length);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    ((low.wrapping_add(high) >> 32).cast_signed(), length)
}

/// Whether a token ends before this byte.
#[inline]
pub(in crate::history) fn is_delimiter(byte: u8) -> bool {
    DELIMITERS[usize::from(byte)]
}

const DELIMITERS: [bool; 256] = {
    let mut table = [false; 256];
    let delimiters = b" ,\n\t\r\x0b\x0c()[]{}\";";
    let mut at = 0;
    while at < delimiters.len() {
        table[delimiters[at] as usize] = true;
        at += 1;
    }
    table
};

/// The bracket that closes what this one opens.
pub(super) fn closer(open: u8) -> u8 {
    match open {
        b'[' => b']',
        b'(' => b')',
        _ => b'}',
    }
}
