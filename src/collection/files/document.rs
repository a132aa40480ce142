//! Goes through an object's text from its first byte to its last, one piece at a time: a member of the top object, or an item.
//!
//! A piece that a window does not hold whole is begun again when the window has grown, so that the scanner needs no memory of its own.

use std::collections::HashSet;

use super::items;
use super::json::{Fault, Scanner, Stop, twice_named};
use crate::collection::source::{Limits, Reading, Sink, Unreadable};

/// A part of the text that moves forward.
pub(super) trait Window {
    /// What has been brought in and not been passed.
    fn bytes(&self) -> &[u8];
    /// Moves past so many bytes.
    fn pass(&mut self, count: usize);
    /// Where in the text the window begins.
    fn position(&self) -> u64;
    /// Brings more in; false at the text's end.
    fn grow(&mut self) -> Result<bool, Unreadable>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Before the first member of the top object, or its end.
    FirstMember,
    /// After a comma between members.
    Member,
    /// After a member.
    MemberEnd,
    FirstItem,
    Item,
    ItemEnd,
    /// After the top object.
    End,
}

/// Levels of containers around a member's value, and around an item.
const IN_TOP: u32 = 1;
const IN_ITEMS: u32 = 2;

/// More members than this in the top object are no configuration file.
const MOST_MEMBERS: usize = 1000;

/// What has been seen so far.
struct Progress<'a> {
    account_id: &'a str,
    limits: &'a Limits,
    names: HashSet<Vec<u8>>,
    has_items: bool,
}

/// Reads the text in `window` to its end, hands its compliance items to `sink` and counts into `reading`.
pub(super) fn read(
    window: &mut impl Window,
    account_id: &str,
    limits: &Limits,
    reading: &mut Reading,
    sink: &mut impl Sink,
) -> Result<(), Unreadable> {
    let mut place = Place::Start;
    let mut progress = Progress { account_id, limits, names: HashSet::new(), has_items: false };
    loop {
        let bytes = window.bytes();
        let space = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        if space > 0 {
            window.pass(space);
        }
        let bytes = window.bytes();
        let stop = if bytes.is_empty() { Err(Stop::End) } else { progress.piece(place, bytes, reading, sink) };
        match stop {
            Ok((used, next)) => {
                window.pass(used);
                place = next;
            }
            Err(Stop::Bad(fault)) => {
                return Err(unreadable(*fault, window.position(), place, reading));
            }
            Err(Stop::End) => {
                let length = bytes.len();
                if exceeds(length, limits.item_bytes) {
                    return Err(unreadable(too_large(limits), window.position(), place, reading));
                }
                if !window.grow()? {
                    match place {
                        Place::End => break,
                        Place::Start if length == 0 => {
                            return Err(unreadable(
                                Fault::new("the unpacked text is empty", 0),
                                window.position(),
                                place,
                                reading,
                            ));
                        }
                        _ => {
                            let fault = Fault::new("not JSON: the text ends in the middle", length);
                            return Err(unreadable(fault, window.position(), place, reading));
                        }
                    }
                }
            }
        }
    }
    reading.unpacked_bytes = window.position();
    Ok(())
}

impl Progress<'_> {
    /// Reads one piece of a window that does not start with white space. Gives its length and what comes next.
    fn piece(
        &mut self,
        place: Place,
        bytes: &[u8],
        reading: &mut Reading,
        sink: &mut impl Sink,
    ) -> Result<(usize, Place), Stop> {
        let mut scanner = Scanner::new(bytes, 0, self.limits.depth);
        let next = match place {
            Place::Start => {
                start(&mut scanner)?;
                Place::FirstMember
            }
            Place::FirstMember if scanner.take(b'}')? => self.end()?,
            Place::FirstMember | Place::Member => self.member(&mut scanner, bytes, reading)?,
            Place::MemberEnd if scanner.take(b',')? => Place::Member,
            Place::MemberEnd if scanner.take(b'}')? => self.end()?,
            Place::MemberEnd => return scanner.expected("a comma or the object's end"),
            Place::FirstItem if scanner.take(b']')? => Place::MemberEnd,
            Place::FirstItem | Place::Item => {
                items::read(&mut scanner, bytes, IN_ITEMS, self.account_id, self.limits, reading, sink)?;
                Place::ItemEnd
            }
            Place::ItemEnd if scanner.take(b',')? => Place::Item,
            Place::ItemEnd if scanner.take(b']')? => Place::MemberEnd,
            Place::ItemEnd => return scanner.expected("a comma or the array's end"),
            Place::End => {
                return Err(Fault::new("not JSON: something follows the JSON text", 0).into());
            }
        };
        Ok((scanner.at, next))
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, bytes: &[u8], reading: &mut Reading) -> Result<Place, Stop> {
        let name = scanner.name()?;
        let plain = name.plain(bytes)?;
        let items = *plain == *b"configurationItems";
        if items {
            if !scanner.take(b'[')? {
                return Err(Fault::new("configurationItems is not an array", scanner.at).into());
            }
        } else {
            let value = scanner.value(IN_TOP)?;
            let text = check_piece(bytes, scanner.at, self.limits)?;
            if *plain == *b"configSnapshotId" && !value.is_null() {
                reading.snapshot_id =
                    Some(value.string(text).map_err(|fault| named("configSnapshotId", fault))?.into_owned());
            }
        }
        if self.names.len() == MOST_MEMBERS {
            return Err(Fault::new(format!("the text has more than {MOST_MEMBERS} members"), name.start).into());
        }
        if !self.names.insert(plain.to_vec()) {
            return Err(twice_named(&plain, name.start).into());
        }
        self.has_items |= items;
        Ok(if items { Place::FirstItem } else { Place::MemberEnd })
    }

    fn end(&self) -> Result<Place, Stop> {
        if self.has_items { Ok(Place::End) } else { Err(Fault::new("the text has no configurationItems", 0).into()) }
    }
}

fn start(scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    if scanner.take(b'{')? {
        return Ok(());
    }
    if scanner.peek()? == 0xef {
        return Err(Fault::new("not JSON: the text starts with a byte order mark", 0).into());
    }
    scanner.expected("an object")
}

/// Checks a piece that has been scanned to `end`: its size, and that all of it is UTF-8, also what was skipped. Gives its text.
pub(super) fn check_piece<'t>(bytes: &'t [u8], end: usize, limits: &Limits) -> Result<&'t str, Fault> {
    if exceeds(end, limits.item_bytes) {
        return Err(too_large(limits));
    }
    let piece = bytes.get(..end).unwrap_or_default();
    simdutf8::basic::from_utf8(piece).map_err(|_utf8| {
        let at = simdutf8::compat::from_utf8(piece).map_or_else(|error| error.valid_up_to(), |_valid| 0);
        Fault::new("invalid UTF-8", at)
    })
}

/// Says what a fault's string is for.
pub(super) fn named(name: &str, mut fault: Fault) -> Fault {
    fault.reason = format!("{name}: {}", fault.reason);
    fault
}

fn exceeds(length: usize, limit: u64) -> bool {
    u64::try_from(length).is_ok_and(|length| length > limit)
}

fn too_large(limits: &Limits) -> Fault {
    Fault::new(format!("one item is larger than the limit of {} bytes", limits.item_bytes), 0)
}

fn unreadable(fault: Fault, base: u64, place: Place, reading: &Reading) -> Unreadable {
    let reason = match place {
        Place::FirstItem | Place::Item => {
            format!("configurationItems[{}]: {}", reading.items, fault.reason)
        }
        _ => fault.reason,
    };
    let position = base + u64::try_from(fault.at).expect("a length fits in 64 bits");
    Unreadable { reason, position, unpacked: true, sha256: None, retry_above: None }
}
