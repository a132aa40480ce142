//! Conformance packs over the account-Regions that the filters leave, one line each.

use std::collections::BTreeMap;

use time::Date;

use super::core::Verdict;
use super::db::Delivered;
use crate::compliance::core::PlaceDay;
use crate::compliance::shown::{Shown, link};
use crate::compliance::{Status, filter};
use crate::web::View;
use crate::web::address::Encoded;
use crate::web::format::{count, day, plural};
use crate::web::list::{Field, List};

/// A pack over some places.
#[derive(Debug, Clone)]
pub(super) struct PackLine {
    day: Date,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) places: i64,
    pub(super) failing: i64,
    pub(super) complying: i64,
    /// Of those complying: with rules without data.
    pub(super) hollow: i64,
    pub(super) insufficient: i64,
    pub(super) unrecognised: i64,
    /// Places without evidence for the day.
    pub(super) unknown: i64,
    pub(super) most_rules: i64,
}

/// What of the packs is asked for: account, Region, AWS's verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    account: Option<&'a str>,
    region: Option<&'a str>,
    pub(super) verdict: Option<Verdict>,
}

impl<'a> Asked<'a> {
    /// # Errors
    /// A verdict that is none of the choices.
    pub(super) fn of(view: &'a View) -> Result<Self, crate::error::Error> {
        let address = &view.address;
        let verdict = address.get("verdict").map(Verdict::parse).transpose()?;
        Ok(Self { account: address.get("account"), region: address.get("region"), verdict })
    }

    /// Whether the filters that say where leave an account-Region.
    pub(super) fn is_in(&self, account_id: &str, account_name: &str, region: &str) -> bool {
        self.account.is_none_or(|account| filter::is_account(account, account_id, account_name))
            && self.region.is_none_or(|asked| asked == region)
    }

    /// Whether the filters leave a pack where it is deployed.
    pub(super) fn holds(&self, shown: &Shown, place: &PlaceDay, one: &Delivered) -> bool {
        self.is_in(&place.account_id, &place.account_name, &place.region)
            && self
                .verdict
                .is_none_or(|verdict| verdict.is_of(place.known(), &shown.catalog.status(one.status_id), one.theirs()))
    }

    /// "Only account 111122223333, AWS’s verdict COMPLIANT."
    pub(super) fn sentence(&self) -> Option<String> {
        let said: Vec<String> = [
            self.account.map(|account| format!("account {account}")),
            self.region.map(|region| format!("Region {region}")),
            self.verdict.map(|verdict| format!("AWS’s verdict {}", verdict.words())),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!said.is_empty()).then(|| format!("Only {}.", said.join(", ")))
    }

    /// As parameters, for links to the same of one pack.
    fn pairs(&self) -> Vec<(&'static str, &'a str)> {
        let verdict = self.verdict.map(Verdict::slug);
        let pairs = [("account", self.account), ("region", self.region), ("verdict", verdict)];
        pairs.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

pub(super) fn lines(shown: &Shown, view: &View, asked: &Asked<'_>, found: &[Delivered]) -> Vec<PackLine> {
    let mut packs: BTreeMap<&str, PackLine> = BTreeMap::new();
    for one in found {
        let Some(place) = shown.place(one.place_id).filter(|place| asked.holds(shown, place, one)) else { continue };
        let line = packs.entry(&one.pack).or_insert_with(|| PackLine {
            day: view.as_of,
            name: one.pack.clone(),
            href: link(view, &format!("/conformance-packs/{}", Encoded(&one.pack)), &asked.pairs()),
            places: 0,
            failing: 0,
            complying: 0,
            hollow: 0,
            insufficient: 0,
            unrecognised: 0,
            unknown: 0,
            most_rules: 0,
        });
        line.places += 1;
        line.most_rules = line.most_rules.max(one.total_rules.into());
        if !place.known() {
            line.unknown += 1;
            continue;
        }
        match shown.catalog.status(one.status_id) {
            Status::NonCompliant => line.failing += 1,
            Status::Compliant => {
                line.complying += 1;
                line.hollow += i64::from(one.theirs().no_data() > 0);
            }
            Status::InsufficientData => line.insufficient += 1,
            _ => line.unrecognised += 1,
        }
    }
    packs.into_values().collect()
}

pub(super) fn packs() -> List<PackLine> {
    let fields = vec![
        Field::unseen("day", |line: &PackLine| line.day.into()),
        Field::text("Conformance pack", "conformance_pack", |line| line.name.as_str().into()),
        Field::number("Account-Regions", "account_regions", |line| line.places.into()),
        Field::number("NON_COMPLIANT", "aws_non_compliant", |line| line.failing.into()),
        Field::number("COMPLIANT", "aws_compliant", |line| line.complying.into()),
        Field::number("of those with rules without data", "aws_compliant_with_rules_without_data", |line| {
            line.hollow.into()
        }),
        Field::number("INSUFFICIENT_DATA", "aws_insufficient_data", |line| line.insufficient.into()),
        Field::unseen("aws_unrecognised", |line| line.unrecognised.into()),
        Field::number("Unknown", "unknown_without_evidence", |line| line.unknown.into()),
        Field::number("Rules", "rules_at_most", |line| line.most_rules.into()),
    ];
    List::new("packs", "sort", 100, fields)
}

pub(super) fn lead(view: &View, rows: &[PackLine]) -> String {
    let sum = |of: fn(&PackLine) -> i64| rows.iter().map(of).sum::<i64>();
    format!(
        "{} as of {} (UTC): AWS says COMPLIANT of {} deployments, and in {} of them some rules have no data.",
        plural(i64::try_from(rows.len()).unwrap_or(i64::MAX), "conformance pack"),
        day(view.as_of),
        count(sum(|line| line.complying)),
        count(sum(|line| line.hollow))
    )
}
