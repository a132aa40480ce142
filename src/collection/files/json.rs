//! A scanner for JSON text that checks what it is asked for and skips the rest fast. Pure, without recursion.
//!
//! The text may be a window of a longer one: running off its end is [`Stop::End`], and the caller comes again with more.
//! Containers that nobody asks for are skipped by their strings and brackets alone; their inside is not checked further.

use std::borrow::Cow;
use std::collections::HashSet;

use super::blocks;
use super::escapes::{Escape, escape_at, unescape};

/// Why a scan stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The text ends before the value does.
    End,
    /// In a box, so that what a scan gives stays small.
    Bad(Box<Fault>),
}

/// What is wrong with a text, and at which of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: String,
    pub(super) at: usize,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Bad(Box::new(fault))
    }
}

impl Fault {
    pub(super) fn new(reason: impl Into<String>, at: usize) -> Self {
        Self { reason: reason.into(), at }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    /// A string with escapes.
    EscapedString,
    Number,
    True,
    False,
    Null,
}

/// Where a value lies in the text; strings with their quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Value {
    pub(super) fn is_null(self) -> bool {
        self.kind == Kind::Null
    }

    /// The value as it is written.
    pub(super) fn source(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// The string's characters. Escapes are decoded only where there are some.
    ///
    /// # Errors
    ///
    /// Not a string; the character NUL, which Postgres cannot hold.
    pub(super) fn string(self, text: &str) -> Result<Cow<'_, str>, Fault> {
        let inside = text.get(self.start + 1..self.end - 1).unwrap_or_default();
        match self.kind {
            Kind::String => Ok(Cow::Borrowed(inside)),
            Kind::EscapedString => {
                let decoded = unescape(inside.as_bytes(), self.start + 1)?;
                String::from_utf8(decoded).map(Cow::Owned).map_err(|_utf8| Fault::new("invalid UTF-8", self.start))
            }
            _ => Err(Fault::new("a string was expected", self.start)),
        }
    }

    /// The inside of a string as bytes, for comparing; decoded only if it has escapes.
    pub(super) fn plain(self, text: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
        let inside = text.get(self.start + 1..self.end - 1).unwrap_or_default();
        match self.kind {
            Kind::EscapedString => unescape(inside, self.start + 1).map(Cow::Owned),
            _ => Ok(Cow::Borrowed(inside)),
        }
    }
}

pub(super) struct Scanner<'t> {
    text: &'t [u8],
    pub(super) at: usize,
    /// Containers nested deeper than this are a fault.
    max_depth: u32,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8], at: usize, max_depth: u32) -> Self {
        Self { text, at, max_depth }
    }

    /// The next byte that is not white space, not taken.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Stop> {
        while let Some(&byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(Stop::End)
    }

    /// Takes the next byte that is not white space, if it is this one.
    #[inline]
    pub(super) fn take(&mut self, wanted: u8) -> Result<bool, Stop> {
        let found = self.peek()? == wanted;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Fails at the next byte: something else was expected.
    pub(super) fn expected<T>(&mut self, what: &str) -> Result<T, Stop> {
        let byte = self.peek()?;
        let found = match byte {
            0x20..=0x7e => format!("\"{}\"", char::from(byte)),
            _ => format!("byte 0x{byte:02x}"),
        };
        Err(Fault::new(format!("not JSON: {what} was expected, not {found}"), self.at).into())
    }

    /// Takes a member's name and its colon.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Value, Stop> {
        if self.peek()? != b'"' {
            return self.expected("a name in quotes");
        }
        let name = self.string()?;
        if !self.take(b':')? {
            return self.expected("a colon");
        }
        Ok(name)
    }

    /// Takes a value that is inside `depth` containers. Scalars are checked; containers are skipped.
    pub(super) fn value(&mut self, depth: u32) -> Result<Value, Stop> {
        let first = self.peek()?;
        let start = self.at;
        let kind = match first {
            b'"' => return self.string(),
            b'{' | b'[' => {
                self.at = self.skip_container(depth)?;
                if first == b'{' { Kind::Object } else { Kind::Array }
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Kind::Number
            }
            b't' => self.word(b"true", Kind::True)?,
            b'f' => self.word(b"false", Kind::False)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => return self.expected("a value"),
        };
        Ok(Value { kind, start, end: self.at })
    }

    /// Takes an object that is inside `depth` containers and gives those of its members whose name `slot_of` knows.
    ///
    /// Any name that comes twice is a fault, known or not: to take the first or the last would be to choose the reading.
    pub(super) fn object<const N: usize>(
        &mut self,
        depth: u32,
        slot_of: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<[Option<Value>; N], Stop> {
        self.object_with(depth, slot_of, |scanner, _slot| scanner.value(depth + 1))
    }

    /// The same, where `take` takes the members' values. It must leave the scanner behind the value that it gives.
    pub(super) fn object_with<const N: usize>(
        &mut self,
        depth: u32,
        slot_of: impl Fn(&[u8]) -> Option<usize>,
        mut take: impl FnMut(&mut Self, Option<usize>) -> Result<Value, Stop>,
    ) -> Result<[Option<Value>; N], Stop> {
        if !self.take(b'{')? {
            return self.expected("an object");
        }
        self.check_depth(depth)?;
        let mut slots = [None; N];
        let mut others = Names::default();
        if self.take(b'}')? {
            return Ok(slots);
        }
        loop {
            let name = self.name()?;
            let plain = name.plain(self.text)?;
            let index = slot_of(&plain);
            let value = take(self, index)?;
            let new = match index.and_then(|index| slots.get_mut(index)) {
                Some(slot) => slot.replace(value).is_none(),
                None => others.insert(&plain),
            };
            if !new {
                return Err(twice_named(&plain, name.start).into());
            }
            if self.take(b'}')? {
                return Ok(slots);
            }
            if !self.take(b',')? {
                return self.expected("a comma or the object's end");
            }
            self.peek()?;
        }
    }

    /// Comes before each element of an array, whose opening bracket has been taken: is there one more?
    pub(super) fn more_elements(&mut self, first: bool) -> Result<bool, Stop> {
        if self.take(b']')? {
            return Ok(false);
        }
        if first || self.take(b',')? { Ok(true) } else { self.expected("a comma or the array's end") }
    }

    pub(super) fn check_depth(&self, depth: u32) -> Result<(), Fault> {
        if depth < self.max_depth { Ok(()) } else { Err(too_deep(self.max_depth, self.at.saturating_sub(1))) }
    }

    #[inline]
    fn string(&mut self) -> Result<Value, Stop> {
        let start = self.at;
        let mut kind = Kind::String;
        self.at += 1;
        loop {
            self.at = blocks::find_string_mark(self.text, self.at).ok_or(Stop::End)?;
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    let value = Value { kind, start, end: self.at };
                    return Ok(value);
                }
                Some(b'\\') => {
                    kind = Kind::EscapedString;
                    match escape_at(self.text.get(self.at..).unwrap_or_default()) {
                        Escape::Is(_, length) => self.at += length,
                        Escape::Bad(reason) => return Err(Fault::new(reason, self.at).into()),
                        Escape::End => return Err(Stop::End),
                    }
                }
                Some(byte) => {
                    return Err(Fault::new(format!("not JSON: byte 0x{byte:02x} in a string"), self.at).into());
                }
                None => return Err(Stop::End),
            }
        }
    }

    fn number(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let bad = |at| Stop::from(Fault::new("not JSON: a malformed number", at));
        let next = |at: usize| self.text.get(at).copied().ok_or(Stop::End);
        let digits = |mut at: usize| -> Result<usize, Stop> {
            let first = at;
            while next(at)?.is_ascii_digit() {
                at += 1;
            }
            if at > first { Ok(at) } else { Err(bad(at)) }
        };
        let mut at = start + usize::from(next(start)? == b'-');
        at = if next(at)? == b'0' { at + 1 } else { digits(at)? };
        if next(at)? == b'.' {
            at = digits(at + 1)?;
        }
        if matches!(next(at)?, b'e' | b'E') {
            at += 1 + usize::from(matches!(next(at + 1)?, b'+' | b'-'));
            at = digits(at)?;
        }
        if next(at)?.is_ascii_digit() {
            return Err(bad(start));
        }
        self.at = at;
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, Stop> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.len() < word.len() && word.starts_with(rest) {
            return Err(Stop::End);
        }
        if !rest.starts_with(word) {
            return self.expected("a value");
        }
        self.at += word.len();
        Ok(kind)
    }

    fn skip_container(&self, depth: u32) -> Result<usize, Stop> {
        // Most of what AWS writes is empty.
        if let Some(b"{}" | b"[]") = self.text.get(self.at..self.at + 2)
            && depth < self.max_depth
        {
            return Ok(self.at + 2);
        }
        let room = self.max_depth.saturating_sub(depth);
        match blocks::skip_container(self.text, self.at, room) {
            blocks::Skipped::To(end) => {
                let matching = matches!(
                    (self.text.get(self.at), self.text.get(end - 1)),
                    (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))
                );
                if matching {
                    Ok(end)
                } else {
                    Err(Fault::new("not JSON: a bracket that does not match its opening", end - 1).into())
                }
            }
            blocks::Skipped::TooDeep(at) => Err(too_deep(self.max_depth, at).into()),
            blocks::Skipped::End => Err(Stop::End),
        }
    }
}

pub(super) fn twice_named(name: &[u8], at: usize) -> Fault {
    Fault::new(format!("the name \"{}\" comes twice in one object", String::from_utf8_lossy(name).escape_debug()), at)
}

fn too_deep(max_depth: u32, at: usize) -> Fault {
    Fault::new(format!("nested deeper than {max_depth} levels"), at)
}

/// Names seen in one object that have no slot. A few are compared one by one, many are hashed.
#[derive(Default)]
struct Names {
    few: Vec<Vec<u8>>,
    many: Option<HashSet<Vec<u8>>>,
}

impl Names {
    const FEW: usize = 16;

    /// False if the name is there already.
    fn insert(&mut self, name: &[u8]) -> bool {
        if self.few.iter().any(|seen| seen == name) {
            return false;
        }
        if self.few.len() < Self::FEW {
            self.few.push(name.to_vec());
            return true;
        }
        self.many.get_or_insert_default().insert(name.to_vec())
    }
}
