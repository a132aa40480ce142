//! What is wrong with a chain, and what its being whole does not show. Pure.

use super::chain::{Checkpoint, Link, Linked, NOTHING, fits};
use crate::web::format::{count, hex};

/// Something that is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The entry, or its link, is not what was hashed.
    Altered { position: i64, audit_log_id: i64 },
    /// What stands here was written elsewhere.
    Moved { position: i64, audit_log_id: i64, from: i64 },
    /// The link is there and its entry is not.
    Removed { position: i64, audit_log_id: i64 },
    /// Links that are not there, with those after them there.
    Missing { first: i64, last: i64 },
    /// The link before is not the one that this one was made after.
    Severed { position: i64, audit_log_id: i64 },
    /// An entry that has no link.
    Unlinked { audit_log_id: i64 },
    /// A checkpoint knows of more entries than there are.
    Cut { of: String, first: i64, last: i64 },
    /// The chain passes a checkpoint at another hash.
    Rewritten { of: String, position: i64, known: String, found: String },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Altered { position, audit_log_id } => write!(
                f,
                "position {position}, entry {audit_log_id}: altered: the entry or its link is not what was hashed when it was written"
            ),
            Self::Moved { position, audit_log_id, from } => write!(
                f,
                "position {position}, entry {audit_log_id}: swapped: what was written here stands at position {from}"
            ),
            Self::Removed { position, audit_log_id } => {
                write!(f, "position {position}, entry {audit_log_id}: removed: its link is there, the entry is not")
            }
            Self::Missing { first, last } if first == last => {
                write!(f, "position {first}: removed: its link is not there, and links after it are")
            }
            Self::Missing { first, last } => {
                write!(f, "positions {first} to {last}: removed: their links are not there, and links after them are")
            }
            Self::Severed { position, audit_log_id } => write!(
                f,
                "position {position}, entry {audit_log_id}: does not follow: the link before it is not the one that it was made \
                 after, so what stands at position {} was put in or written anew",
                position - 1
            ),
            Self::Unlinked { audit_log_id } => {
                write!(f, "entry {audit_log_id}: inserted: it has no link, so it was not written as entries are")
            }
            Self::Cut { of, first, last } if first == last => {
                write!(f, "position {first}: cut off: checkpoint {of} knows of it, and the chain ends before it")
            }
            Self::Cut { of, first, last } => {
                write!(
                    f,
                    "positions {first} to {last}: cut off: checkpoint {of} knows of them, and the chain ends before"
                )
            }
            Self::Rewritten { of, position, known, found } => write!(
                f,
                "position {position}: written anew, it or what comes before it: its hash is {found} where checkpoint {of} knows {known}"
            ),
        }
    }
}

/// Faults that are kept; of more only the number is.
pub const MOST_FAULTS: usize = 1000;
/// Altered entries that are tried in each other's place.
const MOST_TRIED: usize = 100;

/// Reads a chain from its first link to its last. Memory does not grow with the chain.
#[derive(Debug)]
pub struct Check {
    /// In the order of their positions.
    checkpoints: Vec<(String, Checkpoint)>,
    next_checkpoint: usize,
    /// The newest link's position and hash, and when it was made.
    position: i64,
    head: Vec<u8>,
    linked_at: Option<String>,
    by_upgrade: i64,
    faults: Vec<Fault>,
    more_faults: u64,
    altered: Vec<Linked>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub head: Checkpoint,
    /// Entries that were there before the chain was.
    pub by_upgrade: i64,
    pub faults: Vec<Fault>,
    /// Faults beyond [`MOST_FAULTS`].
    pub more_faults: u64,
    /// Names of checkpoints that the chain passes, with their entries.
    pub agreed: Vec<(String, i64)>,
}

impl Check {
    /// `checkpoints` have the names that faults call them by.
    pub fn new(mut checkpoints: Vec<(String, Checkpoint)>) -> Self {
        checkpoints.sort_by_key(|(_, checkpoint)| checkpoint.entries);
        Self {
            checkpoints,
            next_checkpoint: 0,
            position: 0,
            head: NOTHING.to_vec(),
            linked_at: None,
            by_upgrade: 0,
            faults: Vec::new(),
            more_faults: 0,
            altered: Vec::new(),
        }
    }

    /// The position after which links are still to come.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The next link; its position is above that of the one before.
    pub fn add(&mut self, linked: Linked) {
        let Linked { link, entry } = &linked;
        let (position, audit_log_id) = (link.position, link.audit_log_id);
        let expected = self.position + 1;
        if position != expected {
            self.fault(Fault::Missing { first: expected, last: position - 1 });
        } else if link.previous != self.head {
            self.fault(Fault::Severed { position, audit_log_id });
        }
        match entry {
            None => self.fault(Fault::Removed { position, audit_log_id }),
            Some(entry) if !fits(link, entry) => {
                self.fault(Fault::Altered { position, audit_log_id });
                if self.altered.len() < MOST_TRIED {
                    self.altered.push(linked.clone());
                }
            }
            Some(_) => {}
        }
        while let Some((of, checkpoint)) = self.checkpoints.get(self.next_checkpoint) {
            if checkpoint.entries > position {
                break;
            }
            if checkpoint.entries == position && checkpoint.head != hex(&link.hash) {
                let (of, known, found) = (of.clone(), checkpoint.head.clone(), hex(&link.hash));
                self.fault(Fault::Rewritten { of, position, known, found });
            }
            self.next_checkpoint += 1;
        }
        self.by_upgrade += i64::from(link.linked_by == "upgrade");
        self.position = position;
        self.head = linked.link.hash;
        self.linked_at = linked.link.linked_at;
    }

    /// An entry without a link.
    pub fn add_unlinked(&mut self, audit_log_id: i64) {
        self.fault(Fault::Unlinked { audit_log_id });
    }

    /// After the last link.
    pub fn end(mut self) -> Checked {
        for (of, checkpoint) in self.checkpoints.clone() {
            if checkpoint.entries > self.position {
                self.fault(Fault::Cut { of, first: self.position + 1, last: checkpoint.entries });
            }
        }
        let moved: Vec<(i64, i64)> =
            self.altered.iter().filter_map(|one| Some((one.link.position, self.moved(one)?))).collect();
        for fault in &mut self.faults {
            if let Fault::Altered { position, audit_log_id } = *fault
                && let Some((_, from)) = moved.iter().find(|(of, _)| *of == position)
            {
                *fault = Fault::Moved { position, audit_log_id, from: *from };
            }
        }
        let agreed = self.agreed();
        let Self { position, head, linked_at, by_upgrade, faults, more_faults, .. } = self;
        let head = Checkpoint { entries: position, head: hex(&head), linked_at };
        Checked { head, by_upgrade, faults, more_faults, agreed }
    }

    fn agreed(&self) -> Vec<(String, i64)> {
        let disagrees = |name: &str| {
            self.faults.iter().any(|fault| match fault {
                Fault::Cut { of, .. } | Fault::Rewritten { of, .. } => of == name,
                Fault::Missing { first, last } => self
                    .checkpoints
                    .iter()
                    .any(|(of, checkpoint)| of == name && (*first..=*last).contains(&checkpoint.entries)),
                _ => false,
            })
        };
        let agreed = self.checkpoints.iter().filter(|(name, _)| self.more_faults == 0 && !disagrees(name));
        agreed.map(|(name, checkpoint)| (name.clone(), checkpoint.entries)).collect()
    }

    /// Where what was hashed for a link stands now, if it is among what is altered: two entries may have changed their
    /// contents, or two links their entries or their positions.
    fn moved(&self, one: &Linked) -> Option<i64> {
        let others = self.altered.iter().filter(|other| other.link.position != one.link.position);
        let found = others.into_iter().find(|other| {
            let Some(entry) = &other.entry else { return false };
            let here = Link { ..one.link.clone() };
            let of_other = Link { audit_log_id: other.link.audit_log_id, ..one.link.clone() };
            let at_other = Link { position: other.link.position, ..one.link.clone() };
            fits(&here, entry) || fits(&of_other, entry) || one.entry.as_ref().is_some_and(|own| fits(&at_other, own))
        });
        found.map(|other| other.link.position)
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }
}

impl Checked {
    pub fn whole(&self) -> bool {
        self.faults.is_empty()
    }

    /// What the check says, a sentence a line.
    pub fn report(&self) -> String {
        let mut lines: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        if self.more_faults > 0 {
            lines.push(format!("and {} more faults", self.more_faults));
        }
        let Checkpoint { entries, head, linked_at } = &self.head;
        let ends = match linked_at {
            Some(at) => format!("the chain ends at position {entries}, hash {head}, linked {at}"),
            None => "the chain has no link".to_owned(),
        };
        lines.push(ends);
        lines.extend(self.agreed.iter().map(|(name, entries)| format!("checkpoint {name}: {entries} entries, agrees")));
        lines.push(if self.whole() {
            format!("unbroken: {} as hashed, each after the one before", entries_words(*entries))
        } else {
            "NOT UNBROKEN: see above".to_owned()
        });
        lines.extend(self.unproven().into_iter().map(|line| format!("not proven: {line}")));
        lines.join("\n")
    }

    /// What the chain cannot show.
    fn unproven(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.by_upgrade > 0 {
            lines.push(format!(
                "that {} stand as they were written before the upgrade, which linked them; from then on each was linked when it was written",
                entries_words(self.by_upgrade)
            ));
        }
        let reached = self.agreed.iter().map(|(_, entries)| *entries).max().unwrap_or_default();
        lines.push(match reached {
            0 => "that nobody wrote the whole chain anew or cut off its end: only a checkpoint that was kept elsewhere shows that \
                  (--checkpoint)"
                .to_owned(),
            reached if reached >= self.head.entries => "anything about entries that were cut off after the last checkpoint".to_owned(),
            reached => format!(
                "that nobody wrote anew what follows position {reached}, or cut off the end: only a later checkpoint shows that"
            ),
        });
        lines.push("that what an entry says is true, or that an act was written at all".to_owned());
        lines
    }
}

fn entries_words(entries: i64) -> String {
    if entries == 1 { "1 entry".to_owned() } else { format!("{} entries", count(entries)) }
}

#[cfg(test)]
mod tests {
    use super::super::chain::hashed_text;
    use super::super::chain::tests::{chain, written};
    use super::*;
    use crate::packs::sign::sha256;

    fn check(chain: Vec<Linked>, checkpoints: &[(&str, Checkpoint)]) -> Checked {
        let named = checkpoints.iter().map(|(name, checkpoint)| ((*name).to_owned(), checkpoint.clone())).collect();
        let mut check = Check::new(named);
        for linked in chain {
            check.add(linked);
        }
        check.end()
    }

    fn faults(chain: Vec<Linked>) -> Vec<Fault> {
        check(chain, &[]).faults
    }

    #[test]
    fn a_chain_as_it_was_made_is_unbroken() {
        assert_eq!(faults(vec![]), []);
        let checked = check(chain(5), &[]);
        assert!(checked.whole() && checked.report().contains("unbroken: 5 entries"), "{}", checked.report());
    }

    #[test]
    fn each_kind_of_damage_is_named() {
        let mut altered = chain(5);
        altered[2].entry = Some(written("act 33"));
        assert_eq!(faults(altered), [Fault::Altered { position: 3, audit_log_id: 6 }]);

        let mut removed = chain(5);
        removed[1].entry = None;
        assert_eq!(faults(removed), [Fault::Removed { position: 2, audit_log_id: 4 }]);

        let mut missing = chain(5);
        missing.drain(1..3);
        assert_eq!(faults(missing), [Fault::Missing { first: 2, last: 3 }]);

        let mut swapped = chain(5);
        let entry = swapped[1].entry.take();
        swapped[1].entry = std::mem::replace(&mut swapped[3].entry, entry);
        let moved = |position, from| Fault::Moved { position, audit_log_id: position * 2, from };
        assert_eq!(faults(swapped), [moved(2, 4), moved(4, 2)]);

        let mut again = chain(5);
        again[2].entry = Some(written("act 33"));
        again[2].link.hash = sha256(hashed_text(&again[2].link, &written("act 33")).as_bytes()).to_vec();
        assert_eq!(faults(again), [Fault::Severed { position: 4, audit_log_id: 8 }]);
    }

    #[test]
    fn only_a_checkpoint_shows_a_cut_end_and_a_chain_written_anew() {
        let all = chain(5);
        let at = |position: usize| {
            let link = &all[position - 1].link;
            Checkpoint { entries: link.position, head: hex(&link.hash), linked_at: None }
        };
        let checked = check(all.clone(), &[("a", at(5)), ("b", at(2)), ("zero", Checkpoint::empty())]);
        assert!(checked.whole() && checked.agreed.len() == 3, "{checked:?}");

        let cut = check(all[..3].to_vec(), &[("a", at(5)), ("b", at(2))]);
        assert_eq!(cut.faults, [Fault::Cut { of: "a".to_owned(), first: 4, last: 5 }]);
        assert_eq!(cut.agreed, [("b".to_owned(), 2)]);

        let other = Checkpoint { head: hex(&[1; 32]), ..at(4) };
        let anew = check(all.clone(), &[("a", other.clone())]);
        let found = at(4).head;
        assert_eq!(anew.faults, [Fault::Rewritten { of: "a".to_owned(), position: 4, known: other.head, found }]);

        let mut gap = all.clone();
        gap.remove(3);
        let gap = check(gap, &[("a", at(4))]);
        assert_eq!((gap.agreed, gap.faults), (vec![], vec![Fault::Missing { first: 4, last: 4 }]));
    }
}
