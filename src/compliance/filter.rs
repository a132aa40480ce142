//! What of the evidence a page shows: account, Region, rule, severity, status, resource type, age. All of it is in the
//! address.

mod which;

use rustc_hash::FxHashMap;
use time::{Date, Duration};

pub(super) use self::which::Which;

use super::Severity;
use super::core::{Age, Counts, PlaceDay};
use super::db::Catalog;
use crate::aws::role::is_account_id;
use crate::error::Error;
use crate::web::form::{CHOICES, Choice, Filters, shortened};
use crate::web::{Address, SCOPE};

/// The filters of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    /// A core name, a name as delivered, or a part of one.
    pub(super) rule: Option<String>,
    /// One name as delivered.
    pub(super) name: Option<String>,
    /// How the rule came to be there, and by which conformance pack.
    pub(super) origin: Option<String>,
    pub(super) pack: Option<String>,
    pub(super) severity: Option<Severity>,
    pub(super) which: Which,
    pub(super) resource_type: Option<String>,
    pub(super) age: Option<Age>,
}

/// Whether an account is meant: by its id, or by a part of its name. Twelve digits are an id and nothing else, so that
/// a link to an account never takes in another one whose name quotes it.
pub fn is_account(asked: &str, account_id: &str, account_name: &str) -> bool {
    let is_id = is_account_id(asked);
    account_id == asked || (!is_id && account_name.to_lowercase().contains(&asked.to_lowercase()))
}

impl Filter {
    /// From the address of a page that offers some filters and knows some `more` parameters. A filter that the page does
    /// not have, and a word that no filter has, are refused, so that rows are never left out or put in unasked.
    pub(super) fn parse(address: &Address, offers: Offers, more: &[&str]) -> Result<Self, Error> {
        fn word<T>(address: &Address, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
            address
                .get(name)
                .map(|text| {
                    parse(text).ok_or_else(|| Error::Invalid(format!("“{text}” is none of the choices for {name}.")))
                })
                .transpose()
        }
        address.only(&[&offers.keys(), more])?;
        let text = |name| address.get(name).map(str::to_owned);
        let age = word(address, "age", Age::parse)?;
        let which = word(address, "status", Which::parse)?;
        if age.is_some() && which.is_some_and(|which| which != Which::NonCompliant) {
            return Err(Error::Invalid(
                "An age is that of a failure: choose the status NON_COMPLIANT with it.".to_owned(),
            ));
        }
        Ok(Self {
            account: text("account"),
            region: text("region"),
            rule: text("rule"),
            name: text("name"),
            origin: text("origin"),
            pack: text("pack"),
            severity: word(address, "severity", severity)?,
            which: if age.is_some() { Which::NonCompliant } else { which.unwrap_or_default() },
            resource_type: text("type"),
            age,
        })
    }

    /// The filters as parameters, for links to the rows of the same; `but` are left out.
    pub(super) fn pairs(&self, but: &[&str]) -> Vec<(&'static str, &str)> {
        let pairs = [
            ("account", self.account.as_deref()),
            ("region", self.region.as_deref()),
            ("rule", self.rule.as_deref()),
            ("name", self.name.as_deref()),
            ("origin", self.origin.as_deref()),
            ("pack", self.pack.as_deref()),
            ("severity", self.severity.map(severity_slug)),
            ("type", self.resource_type.as_deref()),
        ];
        pairs.into_iter().filter_map(|(key, value)| Some((key, value?))).filter(|(key, _)| !but.contains(key)).collect()
    }

    /// What the filters leave, in words: "Only Region eu-west-1, severity HIGH."; `None` where they leave all. `but` are
    /// not spoken of.
    pub(super) fn sentence(&self, but: &[&str]) -> Option<String> {
        let quoted = |word: &Option<String>| word.as_ref().map(|word| format!("“{word}”"));
        let status = (self.which != Which::All).then(|| self.which.words().to_owned());
        let said: Vec<String> = [
            ("account", "account", self.account.clone()),
            ("region", "Region", self.region.clone()),
            ("rule", "rule", quoted(&self.rule)),
            ("name", "name as delivered", quoted(&self.name)),
            ("origin", "rules that come by", quoted(&self.origin)),
            ("pack", "conformance pack", quoted(&self.pack)),
            ("severity", "severity", self.severity.map(|severity| severity.word().to_owned())),
            ("status", "status", status),
            ("type", "resource type", self.resource_type.clone()),
            ("age", "failing for", self.age.map(|age| age.word().to_owned())),
        ]
        .into_iter()
        .filter(|(key, ..)| !but.contains(key))
        .filter_map(|(_, words, value)| Some(format!("{words} {}", value?)))
        .collect();
        (!said.is_empty()).then(|| format!("Only {}.", said.join(", ")))
    }

    /// Of them, those that say which account-Regions.
    pub(super) fn place_pairs(&self) -> Vec<(&'static str, &str)> {
        self.pairs(&[]).into_iter().filter(|(key, _)| SCOPE.contains(key)).collect()
    }

    /// Whether a page is narrowed by what the evaluations are of, beside their places.
    pub(super) fn narrows_rules(&self) -> bool {
        self.rule.is_some()
            || self.name.is_some()
            || self.origin.is_some()
            || self.pack.is_some()
            || self.severity.is_some()
            || self.resource_type.is_some()
    }

    /// The account and Region among what is remembered of a day.
    pub(super) fn scope_words(&self) -> String {
        match (&self.account, &self.region) {
            (None, None) => String::new(),
            scope => format!("{scope:?}"),
        }
    }

    /// The places that the filters leave.
    pub(super) fn places<'a>(&self, places: &'a [PlaceDay]) -> Vec<&'a PlaceDay> {
        places.iter().filter(|place| self.is_of(&place.account_id, &place.account_name, &place.region)).collect()
    }

    /// Whether the filters leave an account in a Region.
    pub(super) fn is_of(&self, account_id: &str, account_name: &str, region: &str) -> bool {
        self.account.as_deref().is_none_or(|asked| is_account(asked, account_id, account_name))
            && self.region.as_deref().is_none_or(|asked| asked == region)
    }

    /// The rules that the filters leave; `None` is all. A whole name, core or as delivered, means that rule alone.
    pub(super) fn rule_ids(&self, catalog: &Catalog) -> Option<Vec<i32>> {
        if self.rule.is_none()
            && self.name.is_none()
            && self.origin.is_none()
            && self.pack.is_none()
            && self.severity.is_none()
        {
            return None;
        }
        let asked = |rule: &&super::db::Rule| {
            self.name.as_deref().is_none_or(|name| rule.name == name)
                && self.origin.as_deref().is_none_or(|origin| rule.origin == origin)
                && self.pack.as_deref().is_none_or(|pack| rule.pack == pack)
                && self.severity.is_none_or(|severity| rule.severity() == severity)
        };
        let Some(text) = self.rule.as_deref() else {
            return Some(catalog.rules.iter().filter(asked).map(|rule| rule.rule_id).collect());
        };
        let core: Vec<i32> = catalog.of_core(text).filter(asked).map(|rule| rule.rule_id).collect();
        let is_whole = catalog.of_core(text).next().is_some() || catalog.rules.iter().any(|rule| rule.name == text);
        if is_whole {
            let named = catalog.rules.iter().filter(|rule| rule.name == text && rule.core_name != text).filter(asked);
            return Some(core.into_iter().chain(named.map(|rule| rule.rule_id)).collect());
        }
        let part = text.to_lowercase();
        let named = catalog.rules.iter().filter(asked).filter(|rule| rule.name.to_lowercase().contains(&part));
        Some(named.map(|rule| rule.rule_id).collect())
    }

    /// The type that the filters leave: `Ok(None)` is all, `Err` one that nothing has.
    pub(super) fn resource_type_id(&self, catalog: &Catalog) -> Result<Option<i16>, NoSuchType> {
        let Some(name) = self.resource_type.as_deref() else { return Ok(None) };
        catalog.types.iter().find(|(_, found)| found == name).map(|(id, _)| Some(*id)).ok_or(NoSuchType)
    }

    /// First observed from one day to another, for an age as of a day.
    pub(super) fn observed(&self, as_of: Date) -> Option<(Option<Date>, Date)> {
        let (least, most) = self.age?.days();
        let back = |days: i64| as_of.checked_sub(Duration::days(days - 1));
        Some((most.and_then(back), back(least).unwrap_or(as_of)))
    }
}

/// No resource of the asked type was ever seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoSuchType;

/// The name of a severity in addresses.
pub(super) fn severity_slug(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Informational => "informational",
        Severity::Unknown => "not-rated",
    }
}

fn severity(slug: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity_slug(*severity) == slug)
}

/// Which filters a page offers beside account and Region.
#[expect(clippy::struct_excessive_bools, reason = "each filter is offered or not, whatever the others are")]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Offers {
    pub(super) rule: bool,
    pub(super) severity: bool,
    pub(super) status: bool,
    pub(super) resource_type: bool,
    pub(super) age: bool,
}

impl Offers {
    /// The parameters of the filters.
    fn keys(self) -> Vec<&'static str> {
        let offered = [
            (true, &SCOPE[..]),
            (self.rule, &["rule", "name", "origin", "pack"]),
            (self.severity, &["severity"]),
            (self.status, &["status"]),
            (self.resource_type, &["type"]),
            (self.age, &["age"]),
        ];
        offered.into_iter().filter(|(offered, _)| *offered).flat_map(|(_, keys)| keys).copied().collect()
    }
}

/// Places with what only some rules or resource types say there, by place id: on the day where it is known, else as was
/// last known.
pub(super) fn narrowed(places: &[&PlaceDay], counts: &FxHashMap<i32, Counts>) -> Vec<PlaceDay> {
    let narrow = |place: &&PlaceDay| {
        let counts = counts.get(&place.place_id).copied().unwrap_or_default();
        PlaceDay {
            counts: if place.known() { counts } else { Counts::default() },
            last_known: place.last_known.map(|(day, _)| (day, counts)),
            ..(*place).clone()
        }
    };
    places.iter().map(narrow).collect()
}

/// The filter form of a page.
pub(super) fn form(address: &Address, places: &[PlaceDay], catalog: &Catalog, offers: Offers) -> Filters {
    let filters = Filters::new(address)
        .accounts(places.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(places.iter().map(|place| place.region.as_str()));
    offered(filters, address, catalog, offers)
}

/// A form with what a page offers beside account and Region.
pub(super) fn offered(mut filters: Filters, address: &Address, catalog: &Catalog, offers: Offers) -> Filters {
    if offers.rule {
        filters = filters.text("rule", "Rule", "name, or part of it");
        // Links set them; they are shown so that they can be seen and taken away.
        for (name, label) in [("name", "Name as delivered"), ("origin", "Comes by"), ("pack", "Conformance pack")] {
            if address.get(name).is_some() {
                filters = filters.text(name, label, "the whole word");
            }
        }
    }
    if offers.severity {
        let choices = Severity::ALL.map(|severity| Choice::new(severity_slug(severity), severity.word())).to_vec();
        filters = filters.select("severity", "Severity", "All severities", choices);
    }
    if offers.status {
        let choices = Which::CHOICES.map(|(_, slug, words)| Choice::new(slug, words)).to_vec();
        filters = filters.select("status", "Status", "All statuses", choices);
    }
    if offers.resource_type {
        filters = if catalog.types.len() > CHOICES {
            filters.text("type", "Resource type", "such as AWS::S3::Bucket")
        } else {
            let choices = catalog.types.iter().map(|(_, name)| Choice::new(name, shortened(name))).collect();
            filters.select("type", "Resource type", "All types", choices)
        };
    }
    if offers.age {
        let choices = Age::ALL.map(|age| Choice::new(age.slug(), age.word())).to_vec();
        filters = filters.select("age", "Failing for", "Any time", choices);
    }
    filters
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::compliance::DeliveryState;

    fn parse(query: &str) -> Result<Filter, Error> {
        let offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: true };
        Filter::parse(&Address::parse("/evaluations", query), offers, &["sort"])
    }

    #[test]
    fn a_filter_that_a_page_does_not_have_is_refused() {
        let parse = |query| Filter::parse(&Address::parse("/rules", query), Offers::default(), &["sort"]);
        assert!(parse("account=1&region=eu-west-1&as_of=2026-11-02&sort=rule").is_ok());
        for query in ["status=compliant", "rule=s3", "name=s3", "age=7", "to=2026-11-02"] {
            assert!(matches!(parse(query), Err(Error::Invalid(_))), "{query}");
        }
    }

    #[test]
    fn twelve_digits_are_an_account_and_no_part_of_a_name() {
        assert!(is_account("111122223333", "111122223333", ""));
        assert!(!is_account("111122223333", "999999999999", "copy of 111122223333"));
        assert!(is_account("COPY", "999999999999", "copy of 111122223333"));
        assert!(!is_account("1111", "111122223333", "payments"));
    }

    #[test]
    fn a_word_that_no_filter_has_is_refused() {
        assert!(matches!(parse("status=green"), Err(Error::Invalid(_))));
        assert!(matches!(parse("severity=HIGH"), Err(Error::Invalid(_))));
        assert!(matches!(parse("age=3"), Err(Error::Invalid(_))));
        assert!(matches!(parse("age=7&status=compliant"), Err(Error::Invalid(_))));
        assert_eq!(parse("age=7").unwrap().which, Which::NonCompliant);
        assert_eq!(parse("").unwrap().which, Which::All);
    }

    #[test]
    fn what_is_left_is_said_and_what_is_left_out_of_the_sentence_is_not() {
        let filter = parse("account=111122223333&severity=high&status=unknown").unwrap();
        assert_eq!(filter.sentence(&["account"]).as_deref(), Some("Only severity HIGH, status unknown, all kinds."));
        assert_eq!(parse("account=111122223333").unwrap().sentence(&["account"]), None);
    }

    #[test]
    fn only_a_known_day_has_counts_of_its_own() {
        let day = time::macros::date!(2026 - 11 - 20);
        let place = |place_id, state, last_known| PlaceDay {
            place_id,
            account_id: String::new(),
            account_name: String::new(),
            unit: String::new(),
            region: String::new(),
            expected: true,
            state,
            snapshot_at: None,
            counts: Counts { complying: 9, ..Counts::default() },
            last_known,
            source: None,
        };
        let last_known = Some((day, Counts { complying: 9, ..Counts::default() }));
        let places = [
            place(1, DeliveryState::Delivered, None),
            place(2, DeliveryState::Missing, last_known),
            place(3, DeliveryState::Delivered, None),
        ];
        let few = Counts { not_complying: 2, ..Counts::default() };
        let narrowed = narrowed(&places.iter().collect::<Vec<_>>(), &[(1, few), (2, few)].into_iter().collect());
        assert_eq!((narrowed[0].counts, narrowed[2].counts), (few, Counts::default()), "nothing of it in the third");
        assert_eq!((narrowed[1].counts, narrowed[1].last_known), (Counts::default(), Some((day, few))));
    }

    #[test]
    fn an_age_is_a_span_of_days() {
        let day = time::macros::date!(2026 - 11 - 22);
        let observed = |age| parse(&format!("age={age}")).unwrap().observed(day);
        assert_eq!(observed("7"), Some((Some(time::macros::date!(2026 - 11 - 16)), day)));
        assert_eq!(observed("over-90"), Some((None, time::macros::date!(2026 - 08 - 24))));
        assert_eq!(parse("").unwrap().observed(day), None);
    }
}
