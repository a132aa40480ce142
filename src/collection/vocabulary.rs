//! How many different words objects may bring: one hostile object must not use up the ids that all others need.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// AWS has four status words. Ids are 16 bits.
const STATUSES_OF_OBJECT: usize = 32;
const STATUSES: usize = 20_000;
/// AWS Config knows some 500 resource types; types of third parties come on top. Ids are 16 bits.
const TYPES_OF_OBJECT: usize = 2_000;
const TYPES: usize = 30_000;

/// The status words and resource types of the store, and of what was read since.
#[derive(Debug)]
pub(super) struct Vocabulary {
    statuses: Words,
    resource_types: Words,
}

#[derive(Debug)]
struct Words {
    what: &'static str,
    most_of_object: usize,
    most: usize,
    known: Mutex<HashSet<Box<str>>>,
}

impl Vocabulary {
    pub(super) fn new(
        statuses: impl Iterator<Item = Box<str>>,
        resource_types: impl Iterator<Item = Box<str>>,
    ) -> Self {
        Self {
            statuses: Words {
                what: "status words",
                most_of_object: STATUSES_OF_OBJECT,
                most: STATUSES,
                known: Mutex::new(statuses.collect()),
            },
            resource_types: Words {
                what: "resource types",
                most_of_object: TYPES_OF_OBJECT,
                most: TYPES,
                known: Mutex::new(resource_types.collect()),
            },
        }
    }

    /// Takes the words that an object brings, or says why it is refused.
    pub(super) fn admit(&self, statuses: &[Box<str>], resource_types: &[Box<str>]) -> Result<(), String> {
        self.statuses.admit(statuses)?;
        self.resource_types.admit(resource_types)
    }
}

impl Words {
    fn admit(&self, brought: &[Box<str>]) -> Result<(), String> {
        if brought.is_empty() {
            return Ok(());
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<&Box<str>> = brought.iter().filter(|word| !known.contains(*word)).collect();
        let what = self.what;
        if new.len() > self.most_of_object {
            return Err(format!(
                "it brings {} {what} that no object had before; at most {} are taken from one object",
                new.len(),
                self.most_of_object
            ));
        }
        if !new.is_empty() && known.len() + new.len() > self.most {
            return Err(format!("it brings new {what}, and the store has {} already; it takes no more", known.len()));
        }
        known.extend(new.into_iter().cloned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn words(count: usize, stem: &str) -> Vec<Box<str>> {
        (0..count).map(|number| format!("{stem}{number}").into()).collect()
    }

    #[test]
    fn one_object_cannot_use_up_what_all_others_need() {
        let vocabulary = Vocabulary::new(words(4, "known").into_iter(), std::iter::empty());
        assert!(vocabulary.admit(&words(4, "known"), &[]).is_ok());
        assert!(vocabulary.admit(&words(33, "odd"), &[]).unwrap_err().contains("33 status words"));
        assert!(vocabulary.admit(&words(32, "odd"), &words(2_000, "type")).is_ok());
        assert!(vocabulary.admit(&words(33, "odd"), &[]).is_ok(), "only one of them is new");
        assert!(vocabulary.admit(&[], &words(2_001, "other")).unwrap_err().contains("2001 resource types"));
    }

    #[test]
    fn a_full_store_takes_known_words_only() {
        let vocabulary = Vocabulary::new(words(STATUSES, "known").into_iter(), std::iter::empty());
        assert!(vocabulary.admit(&words(40, "known"), &[]).is_ok());
        assert!(vocabulary.admit(&words(1, "new"), &[]).unwrap_err().contains("20000 already"));
    }
}
