//! A day that is told by how it differs from another: what the store has of the other day, with what is gone taken out and
//! what is new put in. Pure.

use std::hash::Hash;

use rustc_hash::FxHashSet;

/// Adds to `said`, which is what differs, all of `before` that is neither said otherwise nor gone.
pub(super) fn complete<T, K: Hash + Eq>(
    said: &mut Vec<T>,
    before: impl IntoIterator<Item = T>,
    gone: impl IntoIterator<Item = K>,
    key: impl Fn(&T) -> K,
) {
    let mut other: FxHashSet<K> = said.iter().map(&key).collect();
    other.extend(gone);
    said.extend(before.into_iter().filter(|one| !other.contains(&key(one))));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Day = std::collections::BTreeMap<u8, char>;

    proptest! {
        #[test]
        fn a_day_and_how_another_differs_from_it_make_the_other(
            before in prop::collection::btree_map(0_u8..12, prop::char::range('a', 'c'), 0..10),
            after in prop::collection::btree_map(0_u8..12, prop::char::range('a', 'c'), 0..10),
        ) {
            let mut said: Vec<(u8, char)> =
                after.iter().filter(|(key, value)| before.get(key) != Some(value)).map(|(&k, &v)| (k, v)).collect();
            let gone: Vec<u8> = before.keys().filter(|key| !after.contains_key(key)).copied().collect();
            complete(&mut said, before, gone, |one| one.0);
            prop_assert_eq!(said.into_iter().collect::<Day>(), after);
        }
    }
}
