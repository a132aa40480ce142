//! The overview and the changes between two days: sorted on every column, narrowed by every filter, handed out as rows.

use std::collections::BTreeSet;

use auditfolio::packs::Request;
use scraper::Html;
use serde_json::Value;
use time::macros::date;

use crate::bucket::{ACCOUNT, Bucket, REGION, Rules};
use crate::collection::collect;
use crate::harness::database;
use crate::packs::{pack, request};
use crate::portal::{C, N, OTHER, Reader, links, selector, texts, walk};
use crate::sorted_tables::{Shown, text};
use crate::tables_of_delivery::hostile;

const DAYS: &str = "from=2026-11-01&as_of=2026-11-02";
const RULES: [&str; 3] = ["s3-bucket-logging-enabled", "iam-user-mfa-enabled", "=cmd, x"];

/// Some hundred changes of one account, and two that fall silent with a hundred evaluations each.
async fn changing(name: &str) -> Reader {
    let (db, bucket) = (database().await, Bucket::new(name));
    let names = |prefix: &str| -> Vec<String> {
        (0..70).map(|n| format!("{}{prefix}-{n:02}", ["=cmd, ", "<b>", "ראשון ", ""][n % 4])).collect()
    };
    let put = |account: &str, region: &str, day: u8, prefix: &str, rules: Rules<'_>| {
        let ids = names(prefix);
        let resources: Vec<(&str, Rules<'_>)> = ids.iter().map(|id| (id.as_str(), rules)).collect();
        bucket.snapshot_of(account, region, day, 5, &resources);
    };
    put(ACCOUNT, REGION, 1, "b", &[(RULES[0], C), (RULES[1], N)]);
    put(ACCOUNT, REGION, 2, "b", &[(RULES[0], N), (RULES[1], "INSUFFICIENT_DATA"), (RULES[2], N)]);
    put(OTHER, REGION, 1, "a", &[(RULES[0], N), (RULES[2], C)]);
    put(OTHER, "us-east-1", 1, "c", &[(RULES[1], C)]);
    collect(&db, &bucket).await;
    Reader::new(&db).await
}

/// What tells a row of changes: account, Region, rule, resource.
fn shown(html: &Html) -> Vec<String> {
    let (row, cell, id) = (selector("#changes tbody tr"), selector("th, td"), selector("td .id"));
    html.select(&row)
        .map(|row| {
            let cells: Vec<String> =
                row.select(&cell).map(|cell| cell.text().collect::<String>().trim().to_owned()).collect();
            let id = row.select(&id).last().unwrap().text().collect::<String>();
            [&cells[1], &cells[2], &cells[3], &id].map(String::as_str).join("|")
        })
        .collect()
}

fn told(row: &Value) -> String {
    let of = |name: &str| row[name].as_str().unwrap_or_default();
    [of("account_id"), of("region"), of("rule_name"), of("resource_id")].join("|")
}

/// What a row is sorted on, as text that is in the order of the column.
fn sorted_on(row: &Value, column: &str) -> String {
    let of = |name: &str| row[name].as_str().unwrap_or("not evaluated").to_owned();
    let place = |words: &[&str], of: &str| words.iter().position(|word| *word == of).unwrap().to_string();
    match column {
        "region" => of("region"),
        "rule" => of("rule_name"),
        "severity" => place(&["not rated", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"], &of("severity")),
        "resource" => format!("{}\0{}", of("resource_type"), of("resource_id")),
        "status" => format!("{} {}", of("status_from"), of("status_to")),
        "change" => place(&["newly failing", "fixed", "reopened", "became unknown"], &of("change")),
        "on" => of("changed_on"),
        _ => of("account_id"),
    }
}

#[actix_web::test]
async fn changes_are_sorted_on_every_column_also_those_of_what_fell_silent() {
    let reader = changing("tables-changes").await;
    let address = format!("/changes?{DAYS}");
    let rows = reader.json(&format!("{address}&format=json")).await;
    assert_eq!(rows.len(), 70 * 6, "newly failing and unknown of one account, all of two places without evidence");
    let (_, csv) = reader.ask(&format!("{address}&format=csv")).await;
    assert_eq!(csv.lines().count(), rows.len() + 1);
    assert!(csv.contains("\"'=cmd, x\"") && csv.contains("\"'=cmd, b-00\""), "{csv}");
    let heads = links(&reader.page(&address).await, "#changes thead a");
    assert_eq!(heads.len(), 8, "{heads:?}");
    for head in heads {
        let column = head.split("sort=").nth(1).unwrap().trim_start_matches('-').to_owned();
        for (sign, turned) in [("", false), ("-", true)] {
            let mut wanted: Vec<&Value> = rows.iter().collect();
            wanted.sort_by(|one, other| {
                let order = sorted_on(one, &column).cmp(&sorted_on(other, &column));
                let order = if turned { order.reverse() } else { order };
                let rest = |row: &Value| told(row).split('|').map(str::to_owned).collect::<Vec<_>>();
                // The two Regions of an account turn round with it.
                let turned_place = if turned && column == "account" {
                    other["region"].as_str().cmp(&one["region"].as_str())
                } else {
                    std::cmp::Ordering::Equal
                };
                order.then(turned_place).then_with(|| rest(one).cmp(&rest(other)))
            });
            let wanted: Vec<String> = wanted.into_iter().map(told).collect();
            let (seen, pages) = walk(&reader, &format!("{address}&sort={sign}{column}"), "changes", shown).await;
            assert_eq!((pages, seen), (5, wanted), "{sign}{column}");
        }
    }
}

#[actix_web::test]
async fn sorted_changes_are_what_the_filters_leave() {
    let reader = changing("tables-changes-filters").await;
    for filter in [
        "rule=s3-bucket-logging-enabled",
        "severity=not-rated",
        "status=carried",
        "change=became-unknown",
        "region=us-east-1",
        "type=AWS::S3::Bucket&account=111122223333",
    ] {
        let address = format!("/changes?{DAYS}&{filter}");
        let mut wanted: Vec<String> = reader.json(&format!("{address}&format=json")).await.iter().map(told).collect();
        wanted.sort();
        assert!(!wanted.is_empty() && wanted.len() < 420, "{filter}");
        for sort in ["rule", "-severity", "resource", "-resource", "status", "region"] {
            let (mut seen, _) = walk(&reader, &format!("{address}&sort={sort}"), "changes", shown).await;
            seen.sort();
            assert_eq!(seen, wanted, "{filter} {sort}");
        }
    }
    // A row that is gone when its link is followed still says where to go on.
    let key = r#"["","111122223333","eu-central-1","=cmd, x","AWS::S3::Bucket","=cmd, a-000"]"#;
    let key = auditfolio::web::address::Encoded(key).to_string();
    let html = reader.page(&format!("/changes?{DAYS}&sort=resource&after={key}")).await;
    assert!(shown(&html)[0].ends_with("|=cmd, a-04"), "{:?}", shown(&html)[0]);
    let (status, _) = reader.ask(&format!("/changes?{DAYS}&sort=resource&after=%5B%221%22%5D")).await;
    assert_eq!(status.as_u16(), 400);
}

#[actix_web::test]
async fn kinds_of_change_and_what_fell_silent_are_sorted_and_handed_out() {
    let (_db, reader) = hostile("tables-lost").await;
    let address = "/changes?from=2026-11-02&as_of=2026-11-04";
    let classes =
        Shown { address, table: "classes", cell: "th", key: |row| text(row, "change"), own_order: &["change"] };
    assert_eq!(classes.check(&reader).await.len(), 3);
    let lost = Shown { table: "lost", key: |row| text(row, "account_name"), cell: "th bdi", ..classes };
    assert_eq!(lost.check(&reader).await.len(), 3);
    let fixed = reader.json(&format!("{address}&rows=classes&format=json&account={ACCOUNT}")).await;
    let fixed = fixed.iter().find(|row| row["change"] == "fixed").unwrap();
    assert_eq!(fixed["evaluations"], 1);
    assert_eq!(reader.ask(&format!("{address}&rows=x&format=csv")).await.0.as_u16(), 400);
}

#[actix_web::test]
async fn every_table_of_the_overview_is_sorted_on_each_column_and_handed_out() {
    let (db, reader) = hostile("tables-overview").await;
    let days = Shown {
        address: "/",
        table: "days",
        cell: "td:nth-child(4)",
        key: |row| text(row, "unknown"),
        own_order: &["at_least", "complying_of_known"],
    };
    assert_eq!(days.check(&reader).await.len(), 4);
    let accounts = Shown {
        table: "accounts",
        cell: "th > a",
        key: |row| if row["account_name"] == "" { text(row, "account_id") } else { text(row, "account_name") },
        own_order: &["account_id", "complying_of_known", "at_least"],
        ..days
    };
    assert_eq!(accounts.check(&reader).await.len(), 7);
    let failures = Shown {
        table: "failures",
        cell: "td:last-child",
        key: |row| text(row, "failing"),
        own_order: &["severity"],
        ..days
    };
    assert_eq!(failures.check(&reader).await.len(), 6);
    assert_eq!(reader.ask("/?rows=x&format=csv").await.0.as_u16(), 400);
    assert_eq!(reader.ask("/?age=7").await.0.as_u16(), 400, "the overview has every age");

    for title in ["=cmd, x", "<b>bold</b>", "ראשון"] {
        let (from, as_of) = (Some(date!(2026 - 11 - 01)), date!(2026 - 11 - 04));
        let asked = Request { organization: "Example".to_owned(), title: title.to_owned(), from, as_of, ..request() };
        pack(&db, &asked).await;
    }
    let packs = Shown { table: "packs", cell: "th a", key: |row| text(row, "title"), own_order: &[], ..days };
    assert_eq!(packs.check(&reader).await.len(), 5);
}

const FIGURES: [&str; 6] =
    ["complying", "not_complying", "insufficient_data", "unrecognised", "not_applicable", "unknown_without_evidence"];

/// Each figure of each day.
fn figures(days: &[Value]) -> Vec<i64> {
    days.iter().flat_map(|day| FIGURES.map(|figure| day[figure].as_i64().unwrap())).collect()
}

#[actix_web::test]
async fn the_days_of_what_the_filters_leave_add_up_to_the_whole() {
    let (_db, reader) = hostile("tables-narrowed").await;
    let days = async |filter: &str| reader.json(&format!("/?format=json{filter}")).await;
    let whole = days("").await;
    assert!(figures(&whole).iter().sum::<i64>() > 20);
    for parts in [
        &["critical", "high", "medium", "low", "informational", "not-rated"].map(|of| format!("&severity={of}"))[..],
        &["s3-bucket-logging-enabled", "s3-bucket-versioning-enabled"].map(|of| format!("&rule={of}")),
        &["AWS::S3::Bucket", "AWS::EC2::Instance"].map(|of| format!("&type={of}")),
    ] {
        let mut sum = vec![0; figures(&whole).len()];
        for part in parts {
            let of = days(part).await;
            for (sum, figure) in sum.iter_mut().zip(figures(&of)) {
                *sum += figure;
            }
            // What never came is never seen, whatever is asked of it.
            for (day, whole) in of.iter().zip(&whole) {
                assert_eq!(day["never_seen_accounts"], whole["never_seen_accounts"], "{part}");
                assert_eq!(day["never_seen_account_regions"], whole["never_seen_account_regions"], "{part}");
            }
        }
        assert_eq!(sum, figures(&whole), "{parts:?}");
    }
    let account = format!("&account={OTHER}");
    assert_eq!(figures(&days(&format!("{account}&rule=s3")).await), figures(&days(&account).await));
    assert_eq!(days("&status=compliant").await, whole, "which says that it is of every status");
}

#[actix_web::test]
async fn what_the_overview_counts_is_what_its_rows_hold() {
    let (_db, reader) = hostile("tables-overview-filters").await;
    for filter in [
        "severity=medium",
        "severity=low",
        "rule=s3-bucket-logging-enabled",
        "type=AWS::S3::Bucket",
        "type=AWS::S3::Bucket&region=eu-central-1",
        "rule=versioning&account=111122223333",
        "status=non-compliant",
    ] {
        let address = format!("/?{filter}");
        let html = reader.page(&address).await;
        let only = texts(&html, ".note").concat();
        assert!(only.contains("Only ") && only.contains("are narrowed to it"), "{only}");
        let mut checked = BTreeSet::new();
        for place in [".figures dt", ".figures--small dd", "#failures td", "#failing", "#accounts td"] {
            for link in html.select(&selector(&format!("{place} a"))) {
                let href = link.attr("href").unwrap().split('#').next().unwrap();
                let words = link.text().collect::<String>().replace(',', "");
                let Ok(figure) = words.trim().trim_start_matches("All ").parse::<usize>() else { continue };
                let rows = reader.json(&format!("{href}&format=json")).await;
                assert_eq!(rows.len(), figure, "{href} from {address}, {place}");
                checked.insert(place);
            }
        }
        if filter.starts_with("type") {
            assert_eq!(checked.len(), 5, "{checked:?}");
        }
        let accounts = reader.json(&format!("{address}&rows=accounts&format=json")).await;
        assert_eq!(accounts.len(), texts(&html, "#accounts tbody tr").len(), "{filter}");
        let day = reader.json(&format!("{address}&format=json")).await.pop().unwrap();
        if !filter.starts_with("status") {
            let failing: i64 = accounts.iter().map(|row| row["not_complying"].as_i64().unwrap()).sum();
            assert_eq!(day["not_complying"], failing, "{filter}");
            let unknown: i64 = accounts.iter().map(|row| row["unknown"].as_i64().unwrap()).sum();
            assert_eq!(day["unknown"], unknown, "{filter}");
        }
    }
    assert_eq!(reader.json("/?severity=critical&rows=failures&format=json").await.len(), 0);
    assert_eq!(reader.json("/?status=compliant&rows=failures&format=json").await.len(), 0, "no failure complies");
}
