//! What was agreed for an engagement, when its room is open, and what changed after it had opened. Pure.

use time::{Date, OffsetDateTime};

use crate::web::format;

/// What holds of an engagement from the moment it was written until the next terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Their number among the terms of all engagements, in the order in which they were made.
    pub record: i64,
    pub title: String,
    /// A scope set as its record stood at `scope_record`; `None` is the whole organisation.
    pub scope_name: Option<String>,
    pub scope_record: i64,
    /// Core names of rules, in order; `None` is all of them.
    pub core_names: Option<Vec<String>>,
    /// The audited period, both days included.
    pub first_day: Date,
    pub last_day: Date,
    pub opens_at: OffsetDateTime,
    pub closes_at: OffsetDateTime,
    pub reason: String,
    pub made_by: String,
    pub made_at: OffsetDateTime,
}

/// How a room stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    NotYet,
    Open,
    Closed,
}

impl Moment {
    pub fn words(self) -> &'static str {
        match self {
            Self::NotYet => "not open yet",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// What later terms changed after the room had opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub made_at: OffsetDateTime,
    pub made_by: String,
    pub reason: String,
    /// "period: 1 to 30 Jun 2026, was 1 to 31 May 2026".
    pub what: Vec<String>,
}

impl Terms {
    /// The closing moment itself is closed.
    pub fn moment(&self, now: OffsetDateTime) -> Moment {
        if now < self.opens_at {
            Moment::NotYet
        } else if now < self.closes_at {
            Moment::Open
        } else {
            Moment::Closed
        }
    }

    /// "scope cardholder-data", "the whole organisation".
    pub fn scope_words(&self) -> String {
        match &self.scope_name {
            Some(name) => format!("scope {name} as defined up to number {}", self.scope_record),
            None => "the whole organisation".to_owned(),
        }
    }

    /// "all rules", "3 rules: a, b, c".
    pub fn rules_words(&self) -> String {
        match &self.core_names {
            None => "all rules".to_owned(),
            Some(names) => {
                let number = i64::try_from(names.len()).unwrap_or(i64::MAX);
                format!("{}: {}", format::plural(number, "rule"), names.join(", "))
            }
        }
    }

    pub fn period_words(&self) -> String {
        format!("{} to {}", format::day(self.first_day), format::day(self.last_day))
    }

    pub fn closes_words(&self) -> String {
        format::at(self.closes_at)
    }

    pub fn moments_words(&self) -> String {
        format!("{} to {}", format::at(self.opens_at), format::at(self.closes_at))
    }

    /// What these say otherwise than the terms before them.
    fn against(&self, before: &Self) -> Vec<String> {
        let title = (format!("“{}”", self.title), format!("“{}”", before.title));
        let each = [
            ("title", title),
            ("scope", (self.scope_words(), before.scope_words())),
            ("rules", (self.rules_words(), before.rules_words())),
            ("period", (self.period_words(), before.period_words())),
            ("room open", (self.moments_words(), before.moments_words())),
        ];
        each.into_iter()
            .filter(|(_, (now, was))| now != was)
            .map(|(what, (now, was))| format!("{what}: {now}; was {was}"))
            .collect()
    }
}

/// What changed after the room had first opened, in the order in which it changed. `terms` are in the order of their making.
pub(super) fn changes(terms: &[Terms]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut opened = false;
    for (before, after) in terms.iter().zip(terms.iter().skip(1)) {
        let opening = before.opens_at.max(before.made_at);
        opened |= opening < before.closes_at && opening < after.made_at;
        let what = after.against(before);
        if opened && !what.is_empty() {
            let Terms { made_at, made_by, reason, .. } = after.clone();
            changes.push(Change { made_at, made_by, reason, what });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    fn terms(made_at: OffsetDateTime) -> Terms {
        Terms {
            record: 1,
            title: "SOC 2".to_owned(),
            scope_name: Some("prod".to_owned()),
            scope_record: 4,
            core_names: None,
            first_day: date!(2026 - 05 - 01),
            last_day: date!(2026 - 05 - 31),
            opens_at: datetime!(2026-06-01 08:00 UTC),
            closes_at: datetime!(2026-07-01 08:00 UTC),
            reason: "agreed".to_owned(),
            made_by: "manager".to_owned(),
            made_at,
        }
    }

    #[test]
    fn a_room_is_open_from_its_opening_until_before_its_closing_moment() {
        let terms = terms(datetime!(2026-05-20 08:00 UTC));
        assert_eq!(terms.moment(datetime!(2026-06-01 07:59:59 UTC)), Moment::NotYet);
        assert_eq!(terms.moment(datetime!(2026-06-01 08:00 UTC)), Moment::Open);
        assert_eq!(terms.moment(datetime!(2026-07-01 07:59:59 UTC)), Moment::Open);
        assert_eq!(terms.moment(datetime!(2026-07-01 08:00 UTC)), Moment::Closed);
    }

    #[test]
    fn only_what_changes_after_the_opening_shows() {
        let first = terms(datetime!(2026-05-20 08:00 UTC));
        let before = Terms { title: "SOC 2 2026".to_owned(), ..terms(datetime!(2026-05-25 08:00 UTC)) };
        assert_eq!(changes(&[first.clone(), before.clone()]), [], "before it opened");
        let wider = Terms { scope_name: None, made_at: datetime!(2026-06-02 08:00 UTC), ..before.clone() };
        let same = Terms { made_at: datetime!(2026-06-03 08:00 UTC), ..wider.clone() };
        let shut = Terms {
            closes_at: datetime!(2026-06-04 08:00 UTC),
            made_at: datetime!(2026-06-04 08:00 UTC),
            ..same.clone()
        };
        let found = changes(&[first, before, wider, same, shut]);
        let what: Vec<&str> = found.iter().flat_map(|change| change.what.iter().map(String::as_str)).collect();
        assert_eq!(what.len(), 2, "{what:?}");
        assert_eq!(what[0], "scope: the whole organisation; was scope prod as defined up to number 4");
        assert!(what[1].starts_with("room open: ") && what[1].contains("; was "), "{what:?}");
    }

    #[test]
    fn a_room_that_terms_moved_before_it_opened_did_not_open() {
        let first = terms(datetime!(2026-05-20 08:00 UTC));
        let later = Terms {
            opens_at: datetime!(2026-06-10 08:00 UTC),
            made_at: datetime!(2026-05-31 08:00 UTC),
            ..first.clone()
        };
        let again =
            Terms { last_day: date!(2026 - 06 - 05), made_at: datetime!(2026-06-09 08:00 UTC), ..later.clone() };
        assert_eq!(changes(&[first, later, again]), []);
    }
}
