//! The figures of the pages of evaluations, and where they lead.

use actix_web::http::StatusCode;
use auditfolio::collection::{Options, Progress};
use scraper::Selector;

use crate::bucket::{ACCOUNT, Bucket, REGION, options};
use crate::collection::collect;
use crate::portal::{C, N, OTHER, Reader, links, selector, texts, three_days};

#[actix_web::test]
async fn a_silent_place_counts_as_unknown_and_never_as_complying() {
    let (db, reader) = three_days("pages-figures").await;
    let html = reader.page("/?as_of=2026-11-03").await;
    let lead = &texts(&html, ".lead")[0];
    assert!(lead.starts_with("1 of 2 account-regions delivered for 3 Nov 2026 (UTC); 1 silent."), "{lead}");
    // Two comply, one is INSUFFICIENT_DATA, one was last known to fail in the silent place.
    let figures = texts(&html, ".figures dd");
    assert!(figures.contains(&"100.0 %".to_owned()), "{figures:?}");
    assert!(figures.contains(&"50.0 %".to_owned()), "{figures:?}");

    let total: (i64, i64, i64) = sqlx::query_as(
        "select complying, not_complying, insufficient_data + unrecognised + unknown_carried from day_total where day = '2026-11-03'",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(total, (2, 0, 2), "the page and the trend add up alike");
}

#[actix_web::test]
async fn every_figure_leads_to_as_many_rows() {
    let (_db, reader) = three_days("pages-links").await;
    let scope = format!("account={ACCOUNT}&region={REGION}");
    let mut checked = 0;
    for day in ["2026-11-01", "2026-11-02", "2026-11-03"] {
        for page in [
            "/?".to_owned(),
            format!("/?{scope}"),
            "/?account=111122223333&".to_owned(),
            "/accounts?".to_owned(),
            format!("/accounts?region={REGION}&"),
            "/accounts?rule=s3-bucket-logging-enabled&status=non-compliant&".to_owned(),
            "/rules?".to_owned(),
            format!("/rules?{scope}&status=non-compliant&"),
            "/rules/s3-bucket-logging-enabled?".to_owned(),
            format!("/rules/s3-bucket-versioning-enabled?region={REGION}&"),
            format!("/accounts/{ACCOUNT}?"),
            format!("/accounts/{OTHER}?region={REGION}&"),
            "/changes?from=2026-11-01&".to_owned(),
        ] {
            let html = reader.page(&format!("{page}&as_of={day}").replace("&&", "&").replace("?&", "?")).await;
            for link in html.select(&Selector::parse("main a[href]").unwrap()) {
                let href = link.value().attr("href").unwrap();
                let table = if href.starts_with("/evaluations") { "evaluations" } else { "changes" };
                let Ok(figure) = link.text().collect::<String>().trim().replace(',', "").parse::<usize>() else {
                    continue;
                };
                if !href.starts_with(&format!("/{table}")) {
                    continue;
                }
                let (href, _) = href.split_once('#').unwrap_or((href, ""));
                let rows = reader.json(&format!("{href}&format=json")).await;
                assert_eq!(rows.len(), figure, "{href} from {page}");
                let shown = reader.page(href).await;
                assert_eq!(texts(&shown, &format!("#{table} tbody tr")).len(), figure, "{href} from {page}");
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

#[actix_web::test]
async fn a_scope_adds_up_to_the_whole() {
    let (_db, reader) = three_days("pages-scope").await;
    let days = async |scope: &str| reader.json(&format!("/?as_of=2026-11-03{scope}&format=json")).await;
    let (whole, here, there) =
        (days("").await, days(&format!("&account={ACCOUNT}")).await, days(&format!("&account={OTHER}")).await);
    assert_eq!(whole.len(), 3);
    for (at, day) in whole.iter().enumerate() {
        for figure in ["complying", "not_complying", "insufficient_data", "unknown_without_evidence"] {
            let of = |row: &serde_json::Value| row[figure].as_i64().unwrap();
            assert_eq!(of(day), of(&here[at]) + of(&there[at]), "{figure} of {}", day["day"]);
        }
    }
    assert_eq!(there[2]["unknown_without_evidence"], 1);
}

#[actix_web::test]
async fn a_resource_is_found_whatever_its_id_holds() {
    let (_db, reader) = three_days("pages-resource").await;
    let html = reader.page("/evaluations?as_of=2026-11-02&account=012345678901").await;
    let hrefs = links(&html, "a.id[href^='/resources']");
    assert_eq!(hrefs.len(), 4);
    for href in hrefs {
        let page = reader.page(&href).await;
        assert_eq!(texts(&page, "#bands tbody tr").len(), 1, "{href}");
    }
    let (status, _) = reader.ask("/resources?account=012345678901&region=eu-central-1&type=AWS::S3::Bucket&id=z").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_gap_is_shown_as_a_gap() {
    let (_db, reader) = three_days("pages-gap").await;
    let html = reader
        .page(&format!("/resources?account={OTHER}&region={REGION}&type=AWS::S3::Bucket&id=quiet&as_of=2026-11-03"))
        .await;
    assert!(texts(&html, ".lead")[0].starts_with("Unknown as of 3 Nov 2026 (UTC)"), "{:?}", texts(&html, ".lead"));
    let rows = texts(&html, "#dates tbody tr");
    assert!(rows[0].contains("no evidence: missing last known: NON_COMPLIANT"), "{rows:?}");

    let rows = texts(&reader.page("/evaluations?status=carried&as_of=2026-11-03").await, "#evaluations tbody tr");
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("unknown last known on 2 Nov 2026: NON_COMPLIANT"), "{rows:?}");
}

#[actix_web::test]
async fn a_name_as_delivered_means_that_rule_alone() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pages-names");
    let pack = "s3-bucket-logging-enabled-conformance-pack-aaaaaaaaa";
    bucket.snapshot(1, 5, &[("a", &[("s3-bucket-logging-enabled", N), (pack, C)])]);
    bucket.snapshot_of(OTHER, REGION, 1, 5, &[("b", &[("s3-bucket-logging-enabled-conformance-pack-bbbbbbbbb", N)])]);
    collect(&db, &bucket).await;
    // Both suffixes are one pack, as the pack's own items would tell.
    sqlx::query(
        "update rule set timeline_id = (select min(timeline_id) from rule where origin = 'conformance-pack')
         where origin = 'conformance-pack'",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let html = reader.page("/rules/s3-bucket-logging-enabled").await;
    let ways = texts(&html, "#variants tbody tr");
    assert_eq!(ways.len(), 2, "{ways:?}");
    for (href, rows) in links(&html, "#variants tbody th a").iter().zip([2, 1]) {
        assert_eq!(reader.json(&format!("{href}&format=json")).await.len(), rows, "{href}");
    }
    let names = links(&html, "#variants tbody td a");
    assert_eq!(names.len(), 1, "two names of one pack are one line");
    let html = reader.page(&names[0]).await;
    assert_eq!(texts(&html, "#names tbody tr").len(), 2);
    for href in links(&html, "#names tbody th a") {
        assert_eq!(reader.json(&format!("{href}&format=json")).await.len(), 1, "{href}");
    }
    let all = reader.json("/rules/s3-bucket-logging-enabled/names?format=json").await;
    assert_eq!(all.len(), 3);
    let accounts = reader.json("/rules/s3-bucket-logging-enabled?format=json").await;
    assert_eq!(accounts.len(), 2);
    assert!(accounts.iter().all(|account| account["present"] == true));
    assert_eq!(reader.ask("/rules/no-such-rule/names").await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn silence_is_no_improvement_of_a_rule() {
    let (_db, reader) = three_days("pages-rule-silent").await;
    let html = reader.page("/rules/s3-bucket-versioning-enabled?as_of=2026-11-03").await;
    let day = texts(&html, ".chart tbody tr").last().unwrap().clone();
    assert_eq!(day, "3 Nov 2026 0 0 1 1 1", "nothing fails where anything is known; one was last known to fail");
    assert_eq!(html.select(&selector(".bars rect[fill]")).count(), 1, "hatched");
}

#[actix_web::test]
async fn a_stretch_of_a_band_leads_to_its_exact_dates() {
    let (_db, reader) = three_days("pages-bands").await;
    let resource = format!("/resources?account={ACCOUNT}&region={REGION}&type=AWS::S3::Bucket&id=a&as_of=2026-11-03");
    let html = reader.page(&resource).await;
    let stretches: Vec<(String, String)> = html
        .select(&selector("#bands .strip a"))
        .map(|link| (link.attr("href").unwrap().to_owned(), link.attr("aria-label").unwrap().to_owned()))
        .collect();
    assert_eq!(stretches.len(), 3);
    for (href, label) in stretches {
        let (_, row) = href.split_once('#').unwrap();
        let row = texts(&html, &format!("#{row}")).concat();
        let day = label.split(", ").nth(1).unwrap();
        assert!(row.contains(day) && row.contains(label.split(',').next().unwrap()), "{label}: {row}");
    }
}

#[actix_web::test]
async fn a_rule_says_where_it_fails_and_where_it_is_absent() {
    let (_db, reader) = three_days("pages-rule").await;
    let html = reader.page("/rules/s3-bucket-logging-enabled?as_of=2026-11-02").await;
    let lead = &texts(&html, ".lead")[0];
    assert_eq!(lead, "Fails on 4 of 4 resources in 1 of 2 accounts; not present in 1.");
    assert_eq!(texts(&html, "#oldest tbody tr").len(), 4);
    let rules = reader.json("/rules?as_of=2026-11-02&format=json").await;
    assert_eq!(rules.len(), 2);
    assert!(rules.iter().all(|rule| rule["present_in_accounts"] == 1));
}

#[actix_web::test]
async fn an_account_shows_its_delivery_before_any_verdict() {
    let (_db, reader) = three_days("pages-account").await;
    let html = reader.page(&format!("/accounts/{OTHER}?as_of=2026-11-03")).await;
    let heads = texts(&html, "h2");
    assert_eq!(heads[..4], ["Delivery", "Rules", "Failures by severity and age", "Unknown"]);
    assert_eq!(texts(&html, "#unknown tbody td"), ["0", "0", "1"]);
    let html = reader.page(&format!("/accounts/{ACCOUNT}?as_of=2026-11-02")).await;
    assert_eq!(texts(&html, "#files tbody tr").len(), 1);
    assert_eq!(texts(&html, "#failures tbody td").last().unwrap(), "4");
}

/// Collects with lists of accounts and Regions, so that what never came is expected.
async fn collect_expecting(db: &sqlx::PgPool, bucket: &Bucket, accounts: &[&str], regions: &[&str]) {
    let list = bucket.root.join("accounts-2026-10-01.json");
    let accounts: Vec<_> = accounts.iter().map(|id| serde_json::json!({ "Id": id, "Status": "ACTIVE" })).collect();
    std::fs::write(&list, serde_json::json!({ "Accounts": accounts }).to_string()).unwrap();
    let regions = regions.iter().map(|region| (*region).to_owned()).collect();
    let options = Options { accounts: vec![list], regions, ..options(&bucket.root) };
    auditfolio::collection::run(db, &options, &Progress::silent()).await.unwrap();
}

#[actix_web::test]
async fn the_trend_of_a_scope_that_leaves_nothing_out_is_the_trend_of_all() {
    let rules: &[(&str, &str)] = &[("r", C), ("t", "INSUFFICIENT_DATA")];
    let db = crate::harness::database().await;
    let bucket = Bucket::new("trend-of-a-region");
    bucket.snapshot(1, 5, &[("a", rules), ("b", &[("r", N)])]);
    bucket.snapshot(3, 5, &[("a", rules)]);
    bucket.snapshot_of(OTHER, REGION, 2, 5, &[("c", rules)]);
    collect_expecting(&db, &bucket, &[ACCOUNT, OTHER, "333344445555"], &[REGION]).await;
    let reader = Reader::new(&db).await;
    let all = reader.json("/?format=json").await;
    assert_eq!(all.len(), 3);
    assert_eq!(all[0]["never_seen_accounts"], 2, "one has not come yet, one never does");
    assert_eq!(all[2]["unknown_without_evidence"], 2, "the other account is silent on the third");
    assert_eq!(reader.json(&format!("/?region={REGION}&format=json")).await, all);

    let db = crate::harness::database().await;
    let bucket = Bucket::new("trend-of-an-account");
    bucket.snapshot(1, 5, &[("a", rules)]);
    bucket.snapshot(2, 5, &[("a", &[("r", N)])]);
    collect_expecting(&db, &bucket, &[ACCOUNT], &[REGION, "us-east-1"]).await;
    let reader = Reader::new(&db).await;
    let all = reader.json("/?format=json").await;
    assert_eq!(all[1]["never_seen_account_regions"], 1);
    assert_eq!(reader.json(&format!("/?account={ACCOUNT}&format=json")).await, all);
}
