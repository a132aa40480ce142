//! What a rule asks for in the places that have it, as a part of its page.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use askama::Template;
use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::PgConnection;
use time::Date;

use super::core::{Variant, variants};
use super::history_db::{self as db, Held, PlaceReading, Which};
use super::outcome::{Outcome, Unread};
use crate::error::Error;
use crate::web::download::Format;
use crate::web::list::{Field, List};
use crate::web::parts::html_safe;
use crate::web::table::Table;
use crate::web::{Address, filters, format};

/// Places named with a variant that is not the most frequent one; more are counted.
const PLACES_NAMED: usize = 40;

/// Variants of a rule across accounts, and where its parameters are not known.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    as_of: Date,
    /// The day whose readings are shown: the first one ever, where nothing was read up to the as-of day.
    day: Date,
    variants: Vec<Variant>,
    /// Account-Regions with the rule whose parameters are not known, by cause.
    missing: Vec<(Unread, usize)>,
    /// Account-Regions whose last reading failed after one that did not, by cause.
    stale: Vec<(Outcome, usize)>,
}

/// The part of the page of a rule.
#[derive(Debug, Template)]
#[template(path = "definition/parameters.html")]
pub(crate) struct ParametersPart {
    of: Parameters,
    lines: Vec<Variant>,
    table: Table,
    /// Where every definition is.
    href: String,
}

html_safe!(ParametersPart);

/// What the part of the page knows: its place and its order.
pub(crate) const PARAMETERS_KEYS: [&str; 2] = ["parameters", "parameters-sort"];

/// A line for each variant, the most frequent first.
fn list() -> List<Variant> {
    let fields = vec![
        Field::text("Parameters", "parameters", |variant: &Variant| variant.parameters.as_str().into()),
        Field::text("Scope", "scope", |variant| variant.scope.as_str().into()),
        Field::text("Frequency", "frequency", |variant| variant.frequency.as_str().into()),
        Field::text("Identifier", "rule_identifier", |variant| variant.source_identifier.as_str().into()),
        Field::unseen("owner", |variant| variant.owner.as_str().into()),
        Field::text("State", "state", |variant| counted_words(&variant.states).into()),
        Field::text("Created by", "created_by", |variant| counted_words(&variant.creators).into()),
        Field::number("Accounts", "accounts", |variant| variant.accounts().into()),
        Field::number("Account-Regions", "account_regions", |variant| variant.places.len().into()),
        Field::unseen("where", |variant| places(variant).join(", ").into()),
    ];
    List::new(PARAMETERS_KEYS[0], PARAMETERS_KEYS[1], 50, fields)
}

fn places(variant: &Variant) -> Vec<String> {
    variant.places.iter().map(|(account, region)| format!("{account} {region}")).collect()
}

impl Parameters {
    /// Reads what the rules under some names ask for. `present`: place and name as delivered, on the day.
    pub(crate) async fn load(db: &mut PgConnection, present: &[(i32, String)], as_of: Date) -> sqlx::Result<Self> {
        let mut place_ids: Vec<i32> = present.iter().map(|(place_id, _)| *place_id).collect();
        place_ids.sort_unstable();
        place_ids.dedup();
        let mut names: Vec<String> = present.iter().map(|(_, name)| name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let (day, readings) = db::speaking_readings(db, &place_ids, as_of).await?;
        let held = if readings.iter().any(|reading| reading.read_on.is_some()) {
            let which = Which { place_ids: &place_ids, names: Some(&names), first: day, last: day, known_at: i64::MAX };
            db::held(db, which).await?
        } else {
            Vec::new()
        };
        Ok(Self::of(&readings, &held, present, (as_of, day)))
    }

    fn of(readings: &[PlaceReading], held: &[Held], present: &[(i32, String)], (as_of, day): (Date, Date)) -> Self {
        let wanted: FxHashSet<(i32, &str)> =
            present.iter().map(|(place_id, name)| (*place_id, name.as_str())).collect();
        let key = |one: &Held| (one.place_id, one.definition.name.clone());
        let known: Vec<&Held> =
            held.iter().filter(|one| wanted.contains(&(one.place_id, one.definition.name.as_str()))).collect();
        let found: FxHashSet<(i32, String)> = known.iter().map(|one| key(one)).collect();
        let by_place: FxHashMap<i32, &PlaceReading> =
            readings.iter().map(|reading| (reading.place_id, reading)).collect();
        let mut missing: BTreeMap<Unread, usize> = BTreeMap::new();
        for one in present.iter().filter(|one| !found.contains(one)) {
            *missing.entry(why(by_place.get(&one.0).copied())).or_default() += 1;
        }
        let mut stale: BTreeMap<Outcome, usize> = BTreeMap::new();
        for reading in readings {
            if let (Some(_), Some((outcome, ..))) = (reading.read_on, &reading.last)
                && *outcome != Outcome::Read
            {
                *stale.entry(*outcome).or_default() += 1;
            }
        }
        Self {
            as_of,
            day,
            variants: variants(known.iter().map(|one| (one.account_id.as_str(), one.region.as_str(), &one.definition))),
            missing: missing.into_iter().collect(),
            stale: stale.into_iter().collect(),
        }
    }

    /// As the part of a page, with the address of every definition.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the page's address names no row of it.
    pub(crate) fn part(&self, address: &Address, href: String) -> Result<ParametersPart, Error> {
        let caption =
            format!("What the rule asks for as of {} (UTC), as AWS Config described it", format::day(self.day));
        let (lines, table) = list().table(address, caption, self.variants.clone())?;
        Ok(ParametersPart { of: self.clone(), lines, table, href })
    }

    /// Its lines as a file.
    pub(crate) fn download(&self, format: Format, stem: &str, address: &Address) -> HttpResponse {
        list().download(format, stem, address, self.variants.clone())
    }

    /// Whether a variant is the most frequent one.
    fn is_usual(&self, variant: &Variant) -> bool {
        self.variants.first() == Some(variant)
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn weight(&self) -> usize {
        let texts = |one: &Variant| one.parameters.len() + one.scope.len() + one.source_identifier.len();
        let words = |one: &Variant| (one.states.len() + one.creators.len()) * 60;
        self.variants.iter().map(|one| 200 + texts(one) + words(one) + one.places.len() * 80).sum()
    }

    fn missing_all(&self) -> usize {
        self.missing.iter().map(|(_, places)| places).sum()
    }

    /// Whether the rule asks for the same everywhere, or how many account-Regions differ.
    fn sentence(&self) -> String {
        let number = |places: usize| i64::try_from(places).unwrap_or(i64::MAX);
        let places = self.variants.iter().map(|variant| variant.places.len()).sum();
        let known = format::plural(number(places), "account-Region");
        match self.variants.as_slice() {
            [] | [_] => format!("The same in all of {known} whose parameters are known."),
            [usual, ..] => format!(
                "{} variants in {known} whose parameters are known; other than the most frequent: {}.",
                self.variants.len(),
                format::plural(number(places - usual.places.len()), "account-Region")
            ),
        }
    }
}

/// Why a place's parameters of a rule are not known, by how reading its rules went.
pub(crate) fn why(reading: Option<&PlaceReading>) -> Unread {
    match reading.map(|reading| (&reading.read_on, &reading.last)) {
        Some((Some(_), _)) => Unread::Absent,
        Some((None, Some((outcome, ..)))) => Unread::Refused(*outcome),
        Some((None, None)) | None => Unread::NeverAsked,
    }
}

/// A variant's parameters for a person: "none" instead of `{}`.
fn parameter_words(variant: &Variant) -> &str {
    if variant.parameters == "{}" { "none" } else { &variant.parameters }
}

/// "ACTIVE", or with account-Regions "securityhub.amazonaws.com (3), not given (1)".
fn counted_words(counted: &[(String, usize)]) -> String {
    let word = |word: &str| if word.is_empty() { "not given".to_owned() } else { word.to_owned() };
    match counted {
        [(only, _)] => word(only),
        several => {
            several.iter().map(|(one, number)| format!("{} ({number})", word(one))).collect::<Vec<_>>().join(", ")
        }
    }
}

fn named(variant: &Variant) -> Vec<String> {
    let mut places = places(variant);
    places.truncate(PLACES_NAMED);
    places
}

fn unnamed(variant: &Variant) -> usize {
    variant.places.len().saturating_sub(PLACES_NAMED)
}
