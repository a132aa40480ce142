//! The list of evaluations: its order, its pages, its filters, its names.

use actix_web::http::StatusCode;
use scraper::{Html, Selector};

use crate::bucket::{Bucket, REGION, Rules};
use crate::collection::collect;
use crate::portal::{C, N, OTHER, Reader, links, selector, texts, three_days, walk};

#[actix_web::test]
async fn paging_shows_every_row_once_in_both_directions() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-paging");
    let ids: Vec<String> = (0..130).map(|n| format!("bucket-{n:03}")).collect();
    let rules: [(&str, &str); 2] = [("b-rule", N), ("a-rule", C)];
    let resources: Vec<(&str, &[(&str, &str)])> = ids.iter().map(|id| (id.as_str(), rules.as_slice())).collect();
    bucket.snapshot(1, 5, &resources);
    bucket.snapshot_of(OTHER, REGION, 1, 5, &resources[..7]);
    bucket.snapshot_of(OTHER, "us-east-1", 1, 5, &resources[..3]);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    for filter in ["", "&status=non-compliant", "&rule=a-rule", "&type=AWS::S3::Bucket", "&age=7"] {
        let all: Vec<String> = reader
            .json(&format!("/evaluations?as_of=2026-11-01{filter}&format=json"))
            .await
            .iter()
            .map(|row| {
                format!("{} {} {} {}", row["account_id"], row["region"], row["rule_name"], row["resource_id"])
                    .replace('"', "")
            })
            .collect();
        let mut sorted = all.clone();
        sorted.sort();
        assert_eq!(all, sorted, "text order");
        let mut address = format!("/evaluations?as_of=2026-11-01{filter}");
        let mut seen: Vec<String> = Vec::new();
        let mut pages = Vec::new();
        loop {
            let html = reader.page(&address).await;
            let rows = row_keys(&html);
            let foot = &texts(&html, ".table-foot__rows")[0];
            if all.len() > 100 {
                let from = seen.len() + 1;
                assert!(
                    foot.starts_with(&format!("Rows {from} to {} of {}", seen.len() + rows.len(), all.len())),
                    "{foot}"
                );
            }
            pages.push(rows.clone());
            seen.extend(rows);
            match links(&html, "a[rel=next]").first() {
                Some(next) => address = next.split('#').next().unwrap().to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, all, "{filter}");
        // And back again.
        for page in pages.iter().rev().skip(1) {
            let html = reader.page(&address).await;
            address = links(&html, "a[rel=prev]")[0].split('#').next().unwrap().to_owned();
            let html = reader.page(&address).await;
            assert_eq!(&row_keys(&html), page);
        }
    }
}

#[actix_web::test]
async fn a_sorted_list_holds_the_same_rows_and_is_paged_like_any_other() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-sorted");
    let names: Vec<String> = (0..70).map(|n| format!("bucket-{n:03}")).collect();
    let status = |n: usize, day: u8| match (n + usize::from(day)) % 7 {
        0 | 1 if day > 1 => N,
        2 => "INSUFFICIENT_DATA",
        3 => "NOT_APPLICABLE",
        4 => "BEWILDERING",
        _ if n.is_multiple_of(5) => N,
        _ => C,
    };
    for day in [1, 2, 3] {
        let rules: Vec<[(&str, &str); 3]> = (0..names.len())
            .map(|n| {
                let of = |shift| status(n + shift, day);
                [("iam-root-access-key-check", of(0)), ("a-rule-of-ours", of(1)), ("s3-bucket-logging-enabled", of(2))]
            })
            .collect();
        let resources: Vec<(&str, Rules<'_>)> =
            names.iter().zip(&rules).map(|(name, rules)| (name.as_str(), rules.as_slice())).collect();
        bucket.snapshot(day, 5, &resources);
        if day < 3 {
            bucket.snapshot_of(OTHER, REGION, day, 5, &resources[..20]);
        }
    }
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    for (filter, column) in [
        ("&sort=status", Some(6)),
        ("&sort=-status", Some(6)),
        ("&sort=severity", Some(3)),
        ("&sort=-severity", Some(3)),
        ("&sort=-account", None),
        ("&sort=rule", Some(2)),
        ("&sort=-rule", Some(2)),
        ("&sort=since", Some(7)),
        ("&sort=-since", Some(7)),
        ("&sort=resource", Some(5)),
        ("&status=non-compliant&sort=-resource", Some(5)),
        ("&status=unknown&sort=rule", Some(2)),
        ("&age=7&sort=rule", Some(2)),
        ("&status=non-compliant&sort=since", Some(7)),
        ("&status=non-compliant&sort=-since", Some(7)),
        ("&status=unknown&sort=status&rule=a-rule", Some(6)),
        ("&age=7&sort=severity", Some(3)),
    ] {
        let address = format!("/evaluations?as_of=2026-11-03{filter}");
        let mut all: Vec<String> = reader
            .json(&format!("{address}&format=json"))
            .await
            .iter()
            .map(|row| {
                format!("{} {} {} {}", row["account_id"], row["region"], row["rule_name"], row["resource_id"])
                    .replace('"', "")
            })
            .collect();
        let (mut seen, _) = walk(&reader, &address, "evaluations", row_keys).await;
        seen.sort();
        all.sort();
        assert_eq!(seen, all, "{filter}");
        let Some(column) = column else { continue };
        // Rows that hold the same in the column stand together.
        let (values, _) = walk(&reader, &address, "evaluations", CELLS[column]).await;
        let mut runs = values.clone();
        runs.dedup();
        let mut once = runs.clone();
        once.sort();
        once.dedup();
        assert_eq!(runs.len(), once.len(), "{filter}: {runs:?}");
        assert!(runs.len() > 1, "{filter}: {runs:?}");
    }
}

#[actix_web::test]
async fn hostile_names_are_shown_as_they_are() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-hostile");
    let long = "x".repeat(200);
    let names = ["<b>bold</b>", "=cmd|' /C calc'!A0", "שלום עולם", "存储桶", long.as_str(), "a\"b&c'd"];
    let resources: Vec<(&str, &[(&str, &str)])> =
        names.iter().map(|name| (*name, [("<i>rule</i>", N)].as_slice())).collect();
    bucket.snapshot(1, 5, &resources);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let html = reader.page("/evaluations").await;
    assert!(html.select(&Selector::parse("td b, td i").unwrap()).next().is_none());
    let mut shown = texts(&html, "td a.id");
    shown.sort();
    let mut wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    wanted.sort();
    assert_eq!(shown, wanted);
    for href in links(&html, "td a.id").iter().chain(&links(&html, "td a.wrap")) {
        reader.page(href).await;
    }
    let (_, csv) = reader.ask("/evaluations?format=csv").await;
    assert!(csv.contains("\"'=cmd|"), "a formula is not handed to a spreadsheet");
    let exact = reader.ask("/evaluations?format=jsonl").await.1;
    assert!(exact.contains("\"=cmd|' /C calc'!A0\""));
}

#[actix_web::test]
async fn filters_that_leave_nothing_say_what_to_do() {
    let (_db, reader) = three_days("pages-empty").await;
    for address in
        ["/evaluations?rule=nothing", "/rules?rule=nothing", "/accounts?account=nothing", "/evaluations?type=AWS::X::Y"]
    {
        let html = reader.page(address).await;
        assert_eq!(texts(&html, ".empty a"), ["Clear the filters"], "{address}");
    }
    let (status, html) = reader.ask("/evaluations?status=green").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{html}");
    assert_eq!(reader.ask("/accounts/999999999999").await.0, StatusCode::NOT_FOUND);
    assert_eq!(reader.ask("/rules/no-such-rule").await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_later_collection_is_seen_at_once() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-memo");
    bucket.snapshot(1, 5, &[("a", &[("r", C)])]);
    bucket.snapshot(2, 5, &[("a", &[("r", C)])]);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let failing = "/evaluations?as_of=2026-11-01&status=non-compliant&rule=r&format=json";
    assert!(reader.json(failing).await.is_empty());
    bucket.snapshot(1, 9, &[("a", &[("r", N)])]);
    collect(&db, &bucket).await;
    assert_eq!(reader.json(failing).await.len(), 1, "the day was restated");
}

fn row_keys(html: &Html) -> Vec<String> {
    let row = Selector::parse("#evaluations tbody tr").unwrap();
    let cell = Selector::parse("th, td").unwrap();
    let id = Selector::parse("td .id").unwrap();
    html.select(&row)
        .map(|row| {
            let cells: Vec<String> =
                row.select(&cell).map(|cell| cell.text().collect::<String>().trim().to_owned()).collect();
            let id = row.select(&id).next().unwrap().text().collect::<String>();
            format!("{} {} {} {id}", cells[0].lines().last().unwrap(), cells[1], cells[2])
        })
        .collect()
}

const CELLS: [fn(&Html) -> Vec<String>; 8] = [
    |html| cells(html, 0),
    |html| cells(html, 1),
    |html| cells(html, 2),
    |html| cells(html, 3),
    |html| cells(html, 4),
    |html| cells(html, 5),
    |html| cells(html, 6),
    |html| cells(html, 7),
];

/// A column of the evaluations, without what only explains it.
fn cells(html: &Html, column: usize) -> Vec<String> {
    let cell = selector("th, td");
    html.select(&selector("#evaluations tbody tr"))
        .map(|row| {
            let text = row.select(&cell).nth(column).unwrap().text().collect::<String>();
            let text = text.split("last known").next().unwrap();
            // Words that no list has are one class.
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}
