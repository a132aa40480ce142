//! What arrived of what was expected: a row for every place and day, the gaps, the objects and the accounts.

use rustc_hash::FxHashMap;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::population::{Place, StatusCounts};
use super::{KnownAt, Scope};
use super::{db, deliveries_db};
use crate::collection::day::Day;
use crate::compliance::DeliveryState;

/// On which days places should have delivered.
#[derive(Debug)]
pub(super) enum Expectations {
    /// By the account and Region lists: days from until before, by place.
    Listed(FxHashMap<i32, Vec<(Day, Day)>>),
    /// Without an account list: every place that ever delivered, on the days from the first to the last collected one.
    Collected(Option<(Day, Day)>),
}

impl Expectations {
    pub(super) async fn load(db: &mut PgConnection, scope: &Scope, known_at: KnownAt) -> sqlx::Result<Self> {
        if !deliveries_db::has_account_list(db, scope.organization_id, known_at).await? {
            return Ok(Self::Collected(deliveries_db::collected_days(db, scope.organization_id, known_at).await?));
        }
        let mut listed: FxHashMap<i32, Vec<(Day, Day)>> = FxHashMap::default();
        for (place_id, first, end) in deliveries_db::expected_places(db, scope, known_at).await? {
            listed.entry(place_id).or_default().push((first, end));
        }
        Ok(Self::Listed(listed))
    }

    pub(super) fn expected(&self, place_id: i32, day: Day) -> bool {
        match self {
            Self::Listed(places) => {
                places.get(&place_id).into_iter().flatten().any(|(first, end)| *first <= day && day < *end)
            }
            Self::Collected(days) => days.is_some_and(|(first, last)| first <= day && day <= last),
        }
    }
}

/// Whether an account list and a list of Regions were known: without both, completeness against the organisation is not
/// established.
pub async fn completeness_established(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<bool> {
    deliveries_db::has_both_lists(db, organization_id, known_at).await
}

/// What arrived for a place on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceDay {
    pub day: Date,
    pub expected: bool,
    pub state: DeliveryState,
    /// The object that the day stands on.
    pub object: Option<ObjectVersion>,
    pub snapshot_at: Option<OffsetDateTime>,
    /// Configuration items, and among them compliance items.
    pub items: i64,
    pub compliance_items: i64,
    pub evaluations: StatusCounts,
    /// The collection that said so; `None` where nothing was collected.
    pub collection_id: Option<i64>,
}

impl PlaceDay {
    /// Whether the day was expected and the store does not speak for it.
    pub fn is_gap(&self) -> bool {
        self.expected && !self.state.known()
    }
}

/// One version of a delivered object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    pub key: String,
    pub size_bytes: i64,
    pub etag: Option<String>,
    /// Of the bytes as delivered; `None` where they were not read by us.
    pub sha256: Option<[u8; 32]>,
}

impl ObjectVersion {
    /// The hash in hexadecimal, or "not read by us".
    pub fn sha256_text(&self) -> String {
        self.sha256.map_or_else(|| "not read by us".to_owned(), |hash| hex(&hash))
    }
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes what is written");
        text
    })
}

/// A place and all days of the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceDays {
    pub place: Place,
    /// One for each day, in order.
    pub days: Vec<PlaceDay>,
}

/// Reads every place-day of a period, in the bytewise order of account and Region.
///
/// Places that were never expected and delivered nothing by the end of the period are left out.
#[derive(Debug)]
pub struct Deliveries {
    from: Day,
    until: Day,
    known_at: KnownAt,
    expectations: Expectations,
    places: std::vec::IntoIter<Place>,
}

impl Deliveries {
    /// Begins to read the days `from..=until`.
    pub async fn open(
        db: &mut PgConnection,
        scope: &Scope,
        from: Date,
        until: Date,
        known_at: KnownAt,
    ) -> anyhow::Result<Self> {
        let expectations = Expectations::load(db, scope, known_at).await?;
        let places = deliveries_db::known_places(db, scope, known_at).await?.into_iter();
        Ok(Self { from: Day::from(from), until: Day::from(until), known_at, expectations, places })
    }

    /// The next place; `None` at the end.
    pub async fn next(&mut self, db: &mut PgConnection) -> anyhow::Result<Option<PlaceDays>> {
        let Some(place) = self.places.next() else {
            return Ok(None);
        };
        let rows = deliveries_db::place_days(db, place.place_id, (self.from, self.until), self.known_at).await?;
        let mut rows = rows.into_iter().peekable();
        let mut days = Vec::new();
        for day in (self.from.0..=self.until.0).map(Day) {
            let expected = self.expectations.expected(place.place_id, day);
            let found = rows.next_if(|row| row.day == day);
            let Some(date) = day.date() else { continue };
            days.push(match found {
                Some(row) => row.into_place_day(date, expected)?,
                None => PlaceDay {
                    day: date,
                    expected,
                    state: if expected { DeliveryState::Missing } else { DeliveryState::NotExpected },
                    object: None,
                    snapshot_at: None,
                    items: 0,
                    compliance_items: 0,
                    evaluations: StatusCounts::default(),
                    collection_id: None,
                },
            });
        }
        Ok(Some(PlaceDays { place, days }))
    }
}

/// Days in succession on which a place was expected and the store does not speak for them, for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub account_id: String,
    pub region: String,
    pub state: DeliveryState,
    pub first: Date,
    pub last: Date,
    pub days: u32,
}

/// The gaps of a place, in the order of their days.
pub fn gaps(place: &PlaceDays) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut before: Option<&PlaceDay> = None;
    for day in &place.days {
        if day.is_gap() {
            match gaps.last_mut() {
                Some(gap) if before.is_some_and(|before| before.is_gap() && before.state == day.state) => {
                    gap.last = day.day;
                    gap.days += 1;
                }
                _ => gaps.push(Gap {
                    account_id: place.place.account_id.clone(),
                    region: place.place.region.clone(),
                    state: day.state,
                    first: day.day,
                    last: day.day,
                    days: 1,
                }),
            }
        }
        before = Some(day);
    }
    gaps
}

/// One version of a delivered object, with what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub account_id: String,
    pub region: String,
    /// The path's day.
    pub day: Date,
    /// snapshot or history.
    pub kind: String,
    pub version: ObjectVersion,
    pub version_id: Option<String>,
    /// When the snapshot was taken, or when a history object's window ended, by the name.
    pub taken_at: Option<OffsetDateTime>,
    /// When the file was changed, where it came from a folder.
    pub modified_at: Option<OffsetDateTime>,
    pub unpacked_bytes: Option<i64>,
    pub snapshot_id: Option<String>,
    pub items: Option<i64>,
    pub compliance_items: Option<i64>,
    pub evaluations: Option<i64>,
    /// collected, superseded, unreadable or changed, by the last collection that looked at it; `None` where none did yet.
    pub outcome: Option<String>,
    /// Why it is unreadable, or by what it is superseded.
    pub reason: Option<String>,
    pub position_bytes: Option<i64>,
    /// The execution of Amazon Athena that read it; `None` where we did, or nobody.
    pub athena_execution_id: Option<String>,
    /// The collection that saw it first.
    pub first_collection: i64,
}

/// Reads the objects of a period, in the bytewise order of account, Region, day, key and size.
#[derive(Debug)]
pub struct Objects {
    from: Date,
    until: Date,
    known_at: KnownAt,
    places: std::vec::IntoIter<Place>,
}

impl Objects {
    /// Begins to read the objects whose path is of the days `from..=until`.
    pub async fn open(
        db: &mut PgConnection,
        scope: &Scope,
        from: Date,
        until: Date,
        known_at: KnownAt,
    ) -> anyhow::Result<Self> {
        let places = db::places(db, scope).await?.into_iter();
        Ok(Self { from, until, known_at, places })
    }

    /// The objects of the next place, which may have none; `None` at the end.
    pub async fn next(&mut self, db: &mut PgConnection) -> anyhow::Result<Option<Vec<Object>>> {
        let Some(place) = self.places.next() else {
            return Ok(None);
        };
        let rows = deliveries_db::objects(db, place.place_id, (self.from, self.until), self.known_at).await?;
        Ok(Some(rows.into_iter().map(|row| row.into_object(&place)).collect()))
    }
}

/// An account, by the newest list that was known and had it, and what of it was expected and seen.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    pub account_id: String,
    /// `None` where no account list has the account.
    pub name: Option<String>,
    /// Organizations' word, e.g. ACTIVE or SUSPENDED.
    pub status: Option<String>,
    pub listed_on: Option<Date>,
    /// The Regions in which it was expected at any time.
    pub expected_regions: i64,
    pub expected_from: Option<Date>,
    /// The day from which it is expected no more; `None` where it still is, or never was.
    pub expected_until: Option<Date>,
    /// Known days, over all Regions.
    pub first_known_day: Option<Date>,
    pub last_known_day: Option<Date>,
    /// The root and the organizational units down to the account's own, by the newest list that tells them.
    pub unit_names: Option<Vec<String>>,
}

/// The accounts of a scope: all that were listed or delivered anything, by id.
pub async fn accounts(db: &mut PgConnection, scope: &Scope, known_at: KnownAt) -> anyhow::Result<Vec<Account>> {
    Ok(deliveries_db::accounts(db, scope, known_at).await?)
}

/// A place that was expected on a day and of which no day up to it is known.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NeverSeenPlace {
    pub account_id: String,
    pub region: String,
    /// Whether the account was known by then in another Region.
    pub account_seen: bool,
}

/// The places of a scope that were expected on a day and never seen up to it, by account and Region.
pub async fn never_seen(
    db: &mut PgConnection,
    scope: &Scope,
    day: Date,
    known_at: KnownAt,
) -> anyhow::Result<Vec<NeverSeenPlace>> {
    Ok(deliveries_db::never_seen(db, scope, day, known_at).await?)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn day(day: Date, expected: bool, state: DeliveryState) -> PlaceDay {
        let evaluations = StatusCounts::default();
        let (items, compliance_items, collection_id) = (0, 0, None);
        PlaceDay {
            day,
            expected,
            state,
            object: None,
            snapshot_at: None,
            items,
            compliance_items,
            evaluations,
            collection_id,
        }
    }

    #[test]
    fn gaps_are_summed_up_by_cause_and_ended_by_evidence() {
        use DeliveryState::{Delivered, Missing, NoComplianceItems, NotExpected};
        let place = Place { place_id: 1, account_id: "000000000001".into(), region: "eu-central-1".into() };
        let states = [
            (date!(2026 - 11 - 01), true, Missing),
            (date!(2026 - 11 - 02), true, Missing),
            (date!(2026 - 11 - 03), true, NoComplianceItems),
            (date!(2026 - 11 - 04), true, Delivered),
            (date!(2026 - 11 - 05), true, Missing),
            (date!(2026 - 11 - 06), false, NotExpected),
            (date!(2026 - 11 - 07), true, Missing),
        ];
        let days = states.map(|(date, expected, state)| day(date, expected, state)).to_vec();

        let found = gaps(&PlaceDays { place, days });

        let found: Vec<_> = found.iter().map(|gap| (gap.state, gap.first.day(), gap.last.day(), gap.days)).collect();
        assert_eq!(found, [(Missing, 1, 2, 2), (NoComplianceItems, 3, 3, 1), (Missing, 5, 5, 1), (Missing, 7, 7, 1)]);
    }

    #[test]
    fn a_hash_that_we_did_not_make_says_so() {
        let object = ObjectVersion { key: "k".into(), size_bytes: 1, etag: None, sha256: None };
        assert_eq!(object.sha256_text(), "not read by us");
        let object = ObjectVersion { sha256: Some([0xab; 32]), ..object };
        assert_eq!(object.sha256_text(), "ab".repeat(32));
    }
}
