//! The pages of evaluations, on evidence that was collected from real objects.

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::compliance::memo::Memo;
use scraper::{Html, Selector};
use sqlx::PgPool;

use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::collection::collect;

/// Somebody signed in.
pub(crate) struct Reader {
    state: State,
    cookie: String,
}

impl Reader {
    pub(crate) async fn new(db: &PgPool) -> Self {
        let state = State { db: db.clone(), memo: Memo::default(), clock: Clock::Real, demo: true };
        let app = init_service(auditfolio::web::app(state.clone())).await;
        let request = TestRequest::post()
            .uri("/sign-in")
            .insert_header(("origin", "http://localhost:8080"))
            .insert_header(("sec-fetch-site", "same-origin"))
            .set_form([("role", "auditor")])
            .to_request();
        let response = call_service(&app, request).await;
        let cookie = response.headers().get("set-cookie").unwrap().to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { state, cookie }
    }

    pub(crate) async fn ask(&self, address: &str) -> (StatusCode, String) {
        let app = init_service(auditfolio::web::app(self.state.clone())).await;
        let request = TestRequest::get().uri(address).insert_header(("cookie", self.cookie.as_str())).to_request();
        let response = call_service(&app, request).await;
        let status = response.status();
        (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
    }

    pub(crate) async fn page(&self, address: &str) -> Html {
        let (status, html) = self.ask(address).await;
        assert_eq!(status, StatusCode::OK, "{address}: {html}");
        assert!(html.len() < 100_000, "{address} has {} bytes", html.len());
        Html::parse_document(&html)
    }

    pub(crate) async fn json(&self, address: &str) -> Vec<serde_json::Value> {
        let (status, text) = self.ask(address).await;
        assert_eq!(status, StatusCode::OK, "{address}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

pub(crate) fn texts(html: &Html, selector: &str) -> Vec<String> {
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "))
        .collect()
}

fn links(html: &Html, selector: &str) -> Vec<String> {
    html.select(&Selector::parse(selector).unwrap()).filter_map(|a| a.value().attr("href")).map(str::to_owned).collect()
}

const C: &str = "COMPLIANT";
const N: &str = "NON_COMPLIANT";
const OTHER: &str = "111122223333";

/// Three days of two places; the second place is silent on the last.
async fn three_days(name: &str) -> (PgPool, Reader) {
    let db = crate::harness::database().await;
    let bucket = Bucket::new(name);
    let quiet = [("quiet", [("s3-bucket-versioning-enabled", N)].as_slice())];
    for day in [1, 2] {
        bucket.snapshot_of(OTHER, REGION, day, 5, &quiet);
    }
    let rule = "s3-bucket-logging-enabled";
    bucket.snapshot(1, 5, &[("a", &[(rule, C)]), ("b", &[(rule, N)]), ("c", &[(rule, N)]), ("d/e:f ü", &[(rule, N)])]);
    bucket.snapshot(2, 5, &[("a", &[(rule, N)]), ("b", &[(rule, N)]), ("c", &[(rule, N)]), ("d/e:f ü", &[(rule, N)])]);
    bucket.snapshot(3, 5, &[("a", &[(rule, C)]), ("b", &[(rule, C)]), ("d/e:f ü", &[(rule, "INSUFFICIENT_DATA")])]);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    (db, reader)
}

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
async fn every_figure_of_the_overview_leads_to_as_many_rows() {
    let (_db, reader) = three_days("pages-links").await;
    for day in ["2026-11-01", "2026-11-02", "2026-11-03"] {
        let html = reader.page(&format!("/?as_of={day}")).await;
        let selector = Selector::parse("a[href^='/evaluations']").unwrap();
        for link in html.select(&selector) {
            let Ok(figure) = link.text().collect::<String>().trim().replace(',', "").parse::<usize>() else { continue };
            let href = link.value().attr("href").unwrap();
            let rows = reader.json(&format!("{href}&format=json")).await;
            assert_eq!(rows.len(), figure, "{href}");
            let page = reader.page(href).await;
            assert_eq!(texts(&page, "#evaluations tbody tr").len(), figure, "{href}");
        }
    }
}

#[actix_web::test]
async fn changes_tell_fixed_from_gone_and_silence() {
    let (_db, reader) = three_days("pages-changes").await;
    let html = reader.page("/changes?from=2026-11-02&to=2026-11-03").await;
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

    let rows = reader.json("/changes?from=2026-11-01&to=2026-11-02&format=json").await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0]["change"].as_str(), rows[0]["resource_id"].as_str()), (Some("newly failing"), Some("a")));
    assert_eq!(
        texts(&reader.page("/changes?from=2026-11-03&to=2026-11-03").await, ".empty__what"),
        ["No changes to show"]
    );
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
    let rows = reader.json("/changes?from=2026-11-02&to=2026-11-03&format=json").await;
    assert_eq!(rows[0]["change"], "reopened");
    // The same two days as for an evaluation that fails on both: no change between them.
    assert!(reader.json("/changes?from=2026-11-01&to=2026-11-03&format=json").await.is_empty());
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
    assert!(reader.json("/changes?from=2026-11-02&to=2026-11-03&format=json").await.is_empty());
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
    assert_eq!(texts(&html, "#failures tfoot td").last().unwrap(), "4");
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
