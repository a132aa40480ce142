//! Days that need not be listed again: what lies there is known, and a later collection looked there once more. Pure.

use std::collections::HashMap;

use time::Date;

use super::source::PlaceName;

/// Stretches of settled days of each place, both ends inclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settled(HashMap<PlaceName, Vec<(Date, Date)>>);

impl Settled {
    pub(super) fn new(stretches: impl IntoIterator<Item = (PlaceName, Date, Date)>) -> Self {
        let mut settled = Self::default();
        for (place, first, last) in stretches {
            settled.0.entry(place).or_default().push((first, last));
        }
        settled
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all days from `first` to `last` are. Stretches that touch are one.
    pub(super) fn hold(&self, place: &PlaceName, first: Date, last: Date) -> bool {
        let mut stretches = self.0.get(place).into_iter().flatten();
        stretches.any(|(begin, end)| *begin <= first && last <= *end)
    }
}
