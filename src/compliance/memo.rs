//! Remembers what a day's store adds up to: figures over every evaluation of a day cost tens of milliseconds at a
//! million, and stay the same until the next collection.
//!
//! A key names the organisation, its newest collection and everything else that the value depends on; while a
//! collection is running nothing is remembered. So a remembered value is what the transaction itself would read.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Up to this many bytes are kept, as the values weigh themselves; the oldest go first. An organisation of ten million
/// evaluations needs about 60 MB for its pages, one of a million about 10.
const LIMIT_BYTES: usize = 160 << 20;

struct Entry {
    key: String,
    value: Arc<dyn Any + Send + Sync>,
    bytes: usize,
}

/// Shared by clones.
#[derive(Clone, Default)]
pub struct Memo(Arc<Mutex<VecDeque<Entry>>>);

impl Memo {
    /// What was remembered under the key, where it is of this type.
    pub fn get<T: Any + Send + Sync>(&self, key: &str) -> Option<Arc<T>> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.iter().find(|entry| entry.key == key)?;
        Arc::clone(&entry.value).downcast().ok()
    }

    /// Remembers a value that takes about `bytes`.
    pub fn put<T: Any + Send + Sync>(&self, key: String, value: Arc<T>, bytes: usize) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.key != key);
        // What a key and its entry take themselves, so that many small values do not add up unseen.
        let bytes = bytes + key.len() + 100;
        if bytes > LIMIT_BYTES {
            return;
        }
        entries.push_back(Entry { key, value, bytes });
        let mut total: usize = entries.iter().map(|entry| entry.bytes).sum();
        while total > LIMIT_BYTES {
            total -= entries.pop_front().map_or(total, |entry| entry.bytes);
        }
        // Looking up walks the list: keep it short.
        while entries.len() > 512 {
            entries.pop_front();
        }
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_remembered_under_its_key_and_type() {
        let memo = Memo::default();
        memo.put("a".to_owned(), Arc::new(1_u8), 1);
        assert_eq!(memo.get::<u8>("a").as_deref(), Some(&1));
        assert_eq!(memo.get::<u16>("a"), None);
        assert_eq!(memo.get::<u8>("b"), None);
        memo.put("a".to_owned(), Arc::new(2_u8), 1);
        assert_eq!(memo.get::<u8>("a").as_deref(), Some(&2));
    }

    #[test]
    fn the_oldest_go_when_there_is_too_much() {
        let memo = Memo::default();
        memo.put("huge".to_owned(), Arc::new(0_u8), LIMIT_BYTES + 1);
        assert_eq!(memo.get::<u8>("huge"), None);
        for n in 0..5_u8 {
            memo.put(n.to_string(), Arc::new(n), LIMIT_BYTES / 4);
        }
        assert_eq!(memo.get::<u8>("0"), None);
        assert_eq!(memo.get::<u8>("4").as_deref(), Some(&4));
    }
}
