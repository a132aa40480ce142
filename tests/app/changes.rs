//! What changed between two days.

use scraper::Html;

use crate::bucket::{ACCOUNT, Bucket, REGION, Rules};
use crate::collection::collect;
use crate::portal::{C, N, OTHER, Reader, links, selector, texts, three_days, walk};

#[actix_web::test]
async fn changes_tell_fixed_from_gone_and_silence() {
    let (_db, reader) = three_days("pages-changes").await;
    let html = reader.page("/changes?from=2026-11-02&as_of=2026-11-03").await;
    let classes: Vec<String> = texts(&html, "#classes tbody tr")
        .iter()
        .map(|row| row.split_whitespace().take(4).collect::<Vec<_>>().join(" "))
        .collect();
    let count = |word: &str| {
        let row = classes.iter().find(|row| row.starts_with(word)).unwrap_or_else(|| panic!("{word} in {classes:?}"));
        row[word.len()..].split_whitespace().next().unwrap().parse::<i64>().unwrap()
    };
    // "a" failed on the 2nd and complied on the 1st and 3rd; "c" went without being fixed; "d" became unknown, as did
    // the one evaluation of the silent place.
    assert_eq!(count("fixed"), 2);
    assert_eq!(count("newly failing"), 0);
    assert_eq!(count("gone with resource"), 1);
    assert_eq!(count("became unknown"), 2);
    assert_eq!(texts(&html, "#lost tbody th"), [OTHER]);
    // What became unknown with its place is a row like any other, on the page and in every format.
    let unknown = "/changes?from=2026-11-02&as_of=2026-11-03&change=became-unknown";
    let rows = reader.json(&format!("{unknown}&format=json")).await;
    let of =
        |at: usize| (rows[at]["resource_id"].as_str(), rows[at]["status_to"].as_str(), rows[at]["changed_on"].as_str());
    assert_eq!(rows.len(), 2);
    assert_eq!(of(0), (Some("d/e:f ü"), Some("INSUFFICIENT_DATA"), Some("2026-11-03")));
    assert_eq!(of(1), (Some("quiet"), Some("no evidence"), Some("2026-11-03")));
    assert_eq!(texts(&reader.page(unknown).await, "#changes tbody tr").len(), 2);
    // The as-of day is the later one: the control in the bar moves it.
    let earlier = links(&html, ".asof__step")[0].clone();
    assert_eq!(earlier, "/changes?from=2026-11-02&as_of=2026-11-02");
    let html = reader.page("/changes?from=2026-11-03&as_of=2026-11-02").await;
    assert_eq!(texts(&html, ".empty a"), ["Compare with seven days before the as-of day"]);

    let rows = reader.json("/changes?from=2026-11-01&as_of=2026-11-02&format=json").await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0]["change"].as_str(), rows[0]["resource_id"].as_str()), (Some("newly failing"), Some("a")));
    assert_eq!(
        texts(&reader.page("/changes?from=2026-11-03&as_of=2026-11-03").await, ".empty__what"),
        ["No changes to show"]
    );
}

#[actix_web::test]
async fn what_was_unknown_before_its_place_fell_silent_did_not_become_it() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-silent");
    let rule = |status| [("r", status)];
    let (c, n, odd) = (rule(C), rule(N), rule("INSUFFICIENT_DATA"));
    bucket.snapshot(1, 5, &[("a", &c), ("b", &n), ("c", &odd), ("d", &rule("NOT_APPLICABLE"))]);
    bucket.snapshot_of(OTHER, REGION, 2, 5, &[("e", &c)]);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let html = reader.page("/changes?from=2026-11-01&as_of=2026-11-02").await;
    assert!(texts(&html, ".lead")[0].ends_with(": 2 became unknown."), "{:?}", texts(&html, ".lead"));
    assert_eq!(texts(&html, "#changes tbody tr").len(), 2);
    let carried = reader.json("/evaluations?status=carried&as_of=2026-11-02&format=json").await;
    assert_eq!(carried.len(), 3, "they all are unknown now");
}

#[actix_web::test]
async fn changes_are_paged_by_what_they_are_of() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-changes-paging");
    let ids: Vec<String> = (0..130).map(|n| format!("bucket-{n:03}")).collect();
    let resources =
        |rules: Rules<'static>| -> Vec<(String, Rules<'static>)> { ids.iter().map(|id| (id.clone(), rules)).collect() };
    let put = |account: &str, day: u8, rules: Rules<'static>| {
        let resources = resources(rules);
        let resources: Vec<(&str, Rules<'_>)> = resources.iter().map(|(id, rules)| (id.as_str(), *rules)).collect();
        bucket.snapshot_of(account, REGION, day, 5, &resources);
    };
    put(ACCOUNT, 1, &[("a-rule", C), ("b-rule", N)]);
    put(ACCOUNT, 2, &[("a-rule", N), ("b-rule", C)]);
    put(OTHER, 1, &[("c-rule", N)]);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    for query in ["", "&sort=change", "&sort=-on", "&rule=c-rule", "&change=became-unknown", "&status=carried"] {
        let address = format!("/changes?from=2026-11-01&as_of=2026-11-02{query}");
        let mut all: Vec<String> = reader
            .json(&format!("{address}&format=json"))
            .await
            .iter()
            .map(|row| format!("{} {} {}", row["change"], row["rule_name"], row["resource_id"]).replace('"', ""))
            .collect();
        let (mut seen, pages) = walk(&reader, &address, "changes", change_keys).await;
        assert!(pages > 1, "{query}");
        if query.starts_with("&sort=change") {
            assert!(seen[..130].iter().all(|row| row.starts_with("newly failing")), "{query}");
        }
        all.sort();
        seen.sort();
        assert_eq!(seen, all, "{query}");
    }
    // A row that is gone when its link is followed still says where to go on.
    let key = r#"["","012345678901","eu-central-1","a-rule","AWS::S3::Bucket","bucket-0505"]"#;
    let html = reader
        .page(&format!("/changes?from=2026-11-01&as_of=2026-11-02&after={}", auditfolio::web::address::Encoded(key)))
        .await;
    assert_eq!(change_keys(&html)[0], "newly failing a-rule bucket-051");
}

#[actix_web::test]
async fn what_failed_and_complied_before_is_reopened() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-reopened");
    for (day, status) in [(1, N), (2, C), (3, N)] {
        bucket.snapshot(day, 5, &[("a", &[("r", status)])]);
    }
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let rows = reader.json("/changes?from=2026-11-02&as_of=2026-11-03&format=json").await;
    assert_eq!(rows[0]["change"], "reopened");
    // The same two days as for an evaluation that fails on both: no change between them.
    assert!(reader.json("/changes?from=2026-11-01&as_of=2026-11-03&format=json").await.is_empty());
}

#[actix_web::test]
async fn a_redeployed_pack_is_no_change_and_continues_its_band() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-redeployed");
    let old = "s3-bucket-versioning-enabled-conformance-pack-aaaaaaaaa";
    let new = "s3-bucket-versioning-enabled-conformance-pack-bbbbbbbbb";
    // The same pack by its own items: its name without the suffix is what continues.
    bucket.snapshot(1, 5, &[("a", &[(old, N)])]);
    bucket.snapshot(2, 5, &[("a", &[(old, N)])]);
    bucket.snapshot(3, 5, &[("a", &[(new, N)])]);
    collect(&db, &bucket).await;
    // What a conformance pack's items would tell: both suffixes are one pack.
    sqlx::query("update rule set timeline_id = (select min(timeline_id) from rule)").execute(&db).await.unwrap();
    let reader = Reader::new(&db).await;
    assert!(reader.json("/changes?from=2026-11-02&as_of=2026-11-03&format=json").await.is_empty());
    let rows = reader.json("/evaluations?as_of=2026-11-03&format=json").await;
    assert_eq!((rows[0]["rule_name"].as_str(), rows[0]["since"].as_str()), (Some(new), Some("2026-11-01")));

    let resource = format!("/resources?account={ACCOUNT}&region={REGION}&type=AWS::S3::Bucket&id=a");
    let html = reader.page(&resource).await;
    assert_eq!(texts(&html, "#bands tbody th"), [new]);
    assert_eq!(texts(&html, "#dates tbody tr").len(), 1, "one stretch over both names");

    // Its failure is three days old, wherever age is counted.
    let html = reader.page("/rules/s3-bucket-versioning-enabled").await;
    assert_eq!(texts(&html, "#oldest tbody td").last().unwrap(), "3");
}

fn change_keys(html: &Html) -> Vec<String> {
    let (row, cell, id) = (selector("#changes tbody tr"), selector("th, td"), selector("td .id"));
    html.select(&row)
        .map(|row| {
            let cells: Vec<String> =
                row.select(&cell).map(|cell| cell.text().collect::<String>().trim().to_owned()).collect();
            let id = row.select(&id).last().unwrap().text().collect::<String>();
            format!("{} {} {id}", cells[0], cells[3])
        })
        .collect()
}
