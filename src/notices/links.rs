//! Where the evidence behind a notice stands, as of the day it was opened for. Pure.

use time::Date;

use super::core::PlaceName;
use super::kind::Kind;
use crate::web::Address;
use crate::web::address::Encoded;

/// Words and address.
pub(super) type Link = (String, String);

fn of_day(address: &Address, as_of: Option<Date>) -> String {
    as_of.map_or_else(|| address.to_string(), |day| address.with("as_of", day).to_string())
}

fn delivery(place: &PlaceName, as_of: Option<Date>) -> String {
    of_day(&Address::new("/delivery").with("account", &place.account_id).with("region", &place.region), as_of)
}

/// The pages that show what the notice is about.
pub(super) fn evidence(kind: Kind, about: &str, facts: &serde_json::Value, as_of: Option<Date>) -> Vec<Link> {
    let number = |name: &str| facts.get(name).and_then(serde_json::Value::as_i64);
    let collection =
        |query: &str| number("collection").map(|id| (format!("Collection {id}"), format!("/collections/{id}{query}")));
    match kind {
        Kind::PlaceSilent | Kind::ItemsDropped => PlaceName::of_member(about)
            .map(|place| {
                let account = Address::new(format!("/accounts/{}", Encoded(&place.account_id)));
                vec![
                    ("Its deliveries".to_owned(), delivery(&place, as_of)),
                    ("The account".to_owned(), of_day(&account, as_of)),
                ]
            })
            .unwrap_or_default(),
        Kind::RuleGone => vec![rule(about, as_of)],
        Kind::CriticalFailing => {
            let failing = Address::new("/evaluations").with("rule", about).with("status", "non-compliant");
            vec![rule(about, as_of), ("Failing evaluations".to_owned(), of_day(&failing, as_of))]
        }
        Kind::CollectionFailed => {
            let job = number("job").map(|id| (format!("Job {id}"), format!("/jobs/{id}")));
            collection("").into_iter().chain(job).collect()
        }
        Kind::ObjectsUnreadable => collection("?outcome=unreadable").into_iter().collect(),
        Kind::AggregatorUnread => {
            let compared = ("Compared with AWS".to_owned(), "/aggregator".to_owned());
            [compared].into_iter().chain(collection("")).collect()
        }
        Kind::DefinitionsUnread => collection("").into_iter().collect(),
        Kind::ReportVersion | Kind::ReviewDue | Kind::CertificateEnding => {
            let text = |name: &str| facts.get(name).and_then(serde_json::Value::as_str);
            let version = text("report").zip(number("version"));
            let page = |(report, version): (&str, i64)| {
                ("The report".to_owned(), format!("/artifact/reports/{}/versions/{version}", Encoded(report)))
            };
            version.map(page).into_iter().collect()
        }
        Kind::ReportGap => {
            let text = |name: &str| facts.get(name).and_then(serde_json::Value::as_str);
            let period = text("from").zip(text("until")).map(|(from, until)| {
                let address = Address::new("/artifact").with("from", from).with("until", until);
                ("AWS’s reports for its period".to_owned(), format!("{address}#gaps"))
            });
            let engagement = number("engagement").map(|id| ("The engagement".to_owned(), format!("/engagements/{id}")));
            period.into_iter().chain(engagement).collect()
        }
        Kind::ArtifactUnread => vec![("AWS’s reports".to_owned(), "/artifact".to_owned())],
    }
}

fn rule(core_name: &str, as_of: Option<Date>) -> Link {
    let page = Address::new(format!("/rules/{}", Encoded(core_name)));
    ("The rule".to_owned(), of_day(&page, as_of))
}

/// The page that shows one member of a notice: a place, or an account.
pub(super) fn member(kind: Kind, about: &str, member: &str, as_of: Option<Date>) -> Option<String> {
    match kind {
        Kind::RuleGone | Kind::DefinitionsUnread => PlaceName::of_member(member).map(|place| delivery(&place, as_of)),
        Kind::CriticalFailing => {
            let rows = Address::new("/evaluations").with("account", member).with("rule", about);
            Some(of_day(&rows.with("status", "non-compliant"), as_of))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::date;

    use super::*;

    const DAY: Option<Date> = Some(date!(2026 - 11 - 22));

    #[test]
    fn evidence_is_linked_as_of_the_day_it_was_noticed_on() {
        let links = |kind, about, facts| -> Vec<String> {
            evidence(kind, about, &facts, DAY).into_iter().map(|(_, href)| href).collect()
        };
        assert_eq!(
            links(Kind::PlaceSilent, "000000000001 eu-central-1", json!({})),
            [
                "/delivery?account=000000000001&region=eu-central-1&as_of=2026-11-22",
                "/accounts/000000000001?as_of=2026-11-22"
            ]
        );
        assert_eq!(links(Kind::RuleGone, "a b", json!({})), ["/rules/a%20b?as_of=2026-11-22"]);
        assert_eq!(links(Kind::CollectionFailed, "collections", json!({"collection": null, "job": 3})), ["/jobs/3"]);
        assert_eq!(
            links(Kind::ObjectsUnreadable, "4", json!({"collection": 4})),
            ["/collections/4?outcome=unreadable"]
        );
        assert_eq!(
            member(Kind::CriticalFailing, "r", "000000000001", None).as_deref(),
            Some("/evaluations?account=000000000001&rule=r&status=non-compliant")
        );
    }
}
