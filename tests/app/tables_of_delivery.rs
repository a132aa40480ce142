//! The tables of delivery, of rule definitions, of scopes and of packs: sorted on every column, on the page and as rows.

use auditfolio::collection::{Options, Progress};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::bucket::{ACCOUNT, Bucket, REGION, Rules, options};
use crate::harness::database;
use crate::packs::{pack, request, store};
use crate::portal::{C, N, OTHER, Reader, texts};
use crate::scopes::{PRODUCTION, make, three_accounts};
use crate::sorted_tables::{Shown, text, words};

const SILENT: &str = "222233334444";
const STRANGER: &str = "444455556666";
const FAR: &str = "us-east-1";
/// Accounts with names that a file or a page could trip over; the last two never delivered.
pub(crate) const NAMES: [(&str, &str); 5] = [
    (ACCOUNT, "=cmd|' /C calc'!A0"),
    (OTHER, "<b>shop</b>, \"east\""),
    (SILENT, "מחלקה, אחת"),
    ("333344445555", "+never, ever"),
    ("555566667777", "<script>never</script>"),
];
const LOGGING: &str = "s3-bucket-logging-enabled";

/// Four days: an account falls silent, a Region of another is delivered without compliance items, a third is on no list.
pub(crate) async fn hostile(name: &str) -> (PgPool, Reader) {
    let (db, bucket) = (database().await, Bucket::new(name));
    for day in 1..=4 {
        let b = if day > 2 { C } else { N };
        let (c, of_b): (Rules<'_>, [(&str, &str); 1]) = (&[(LOGGING, C)], [(LOGGING, b)]);
        bucket.snapshot(day, 5, &[("=cmd|' /C calc'!A0", c), ("<b>bold</b>, x", &of_b), ("ראשון", c)]);
        bucket.snapshot_of(OTHER, REGION, day, 5, &[("b, c", &[("s3-bucket-versioning-enabled", N)])]);
        bucket.snapshot_of(OTHER, FAR, day, 5, if day < 4 { &[("far", &[(LOGGING, C)])] } else { &[] });
        if day < 3 {
            bucket.snapshot_of(SILENT, REGION, day, 5, &[("quiet", &[(LOGGING, N)])]);
        }
        bucket.snapshot_of(STRANGER, FAR, day, 5, &[("strange", &[(LOGGING, "INSUFFICIENT_DATA")])]);
        bucket.snapshot_of(STRANGER, REGION, day, 5, &[("strange", &[(LOGGING, "NOT_APPLICABLE")])]);
    }
    let list = bucket.root.join("accounts-2026-10-01.json");
    let accounts = NAMES.map(|(id, name)| json!({"Id": id, "Name": name, "State": "ACTIVE"}));
    std::fs::write(&list, json!({ "Accounts": accounts }).to_string()).unwrap();
    let regions = vec![REGION.to_owned(), FAR.to_owned()];
    let options = Options { accounts: vec![list], regions, ..options(&bucket.root) };
    auditfolio::collection::run(&db, &options, &Progress::silent()).await.unwrap();
    let reader = Reader::new(&db).await;
    (db, reader)
}

fn names(columns: &[&str]) -> std::collections::BTreeSet<String> {
    columns.iter().map(|column| (*column).to_owned()).collect()
}

#[actix_web::test]
async fn every_table_of_delivery_is_sorted_on_each_column_and_handed_out() {
    let (_db, reader) = hostile("tables-delivery").await;
    let place = |row: &Value| text(row, "account_id");
    let gaps = Shown { address: "/delivery", table: "gaps", cell: "td:nth-child(2) a", key: place, own_order: &[] };
    let columns = ["state", "account_id", "region", "first_day", "last_day", "days"];
    assert_eq!(gaps.check(&reader).await, names(&columns));
    let region = |row: &Value| text(row, "region");
    let stopped = Shown { table: "stopped", cell: "th a", key: region, ..gaps };
    assert_eq!(stopped.check(&reader).await, names(&["region", "state", "accounts", "not_known_since"]));
    for table in ["never", "unexpected"] {
        let list = Shown { table, cell: "th a", key: place, ..gaps };
        assert_eq!(list.check(&reader).await, names(&["account_id", "account_name", "organizational_unit", "region"]));
    }
    let shown = texts(&reader.page("/delivery?never-sort=-account_name").await, "#never tbody td bdi");
    assert_eq!(shown.iter().filter(|name| name.contains("<script>never</script>")).count(), 2, "{shown:?}");
    // A state narrows the tables, their files, and the counts that are said.
    let missing = "/delivery?state=missing";
    for table in ["gaps", "stopped", "never", "unexpected"] {
        let all = reader.json(&format!("/delivery?rows={table}&format=json")).await;
        let few = reader.json(&format!("{missing}&rows={table}&format=json")).await;
        let shown = texts(&reader.page(missing).await, &format!("#{table} tbody tr")).len();
        assert_eq!(few.len(), shown, "{table}");
        match table {
            "unexpected" => assert_eq!((all.len(), few.len()), (2, 0)),
            "never" => assert_eq!((all.len(), few.len()), (6, 6)),
            _ => assert!(few.len() < all.len() && few.iter().all(|row| row["state"] == "missing"), "{table}"),
        }
    }
    let days: i64 = reader
        .json(&format!("{missing}&rows=gaps&format=json"))
        .await
        .iter()
        .map(|row| row["days"].as_i64().unwrap())
        .sum();
    let lead = texts(&reader.page(missing).await, ".lead").concat();
    assert!(lead.contains(&format!(" {days} of 40 days are gaps of this state: {days} missing.")), "{lead}");
    let unreadable = texts(&reader.page("/delivery?state=unreadable").await, "main .empty").concat();
    assert!(!unreadable.contains("is known on it") && !unreadable.contains("at least once"), "{unreadable}");
    let (status, _) = reader.ask(&format!("/delivery?account={OTHER}&rows=stopped&format=csv")).await;
    assert_eq!(status.as_u16(), 400, "one account says nothing of its Regions");
    assert_eq!(reader.ask("/delivery?rows=others&format=csv").await.0.as_u16(), 400);
    assert_eq!(reader.ask("/delivery?calendar-sort=known").await.0.as_u16(), 400);
}

#[actix_web::test]
async fn the_calendar_is_sorted_like_its_rows() {
    let (_db, reader) = hostile("tables-calendar").await;
    for (sort, first) in [
        ("account_id", ACCOUNT),
        ("-account_id", "555566667777"),
        ("-gaps", ACCOUNT),
        ("-known", ACCOUNT),
        ("region", ACCOUNT),
    ] {
        let address = format!("/delivery?places-sort={sort}");
        let html = reader.page(&address).await;
        let (accounts, regions) = (texts(&html, "#places tbody th a"), texts(&html, "#places tbody td:nth-child(2)"));
        let shown: Vec<(String, String)> = accounts.into_iter().zip(regions).collect();
        let mut rows: Vec<(String, String)> = reader
            .json(&format!("{address}&format=json"))
            .await
            .iter()
            .map(|row| (text(row, "account_id"), text(row, "region")))
            .collect();
        rows.dedup();
        assert_eq!((shown.len(), &shown), (12, &rows), "{sort}");
        assert_eq!(shown[0].0, first, "{sort}");
        let figures = |column: usize| -> Vec<i64> {
            let cells = texts(&html, &format!("#places tbody td:nth-child({column})"));
            cells.iter().map(|cell| cell.parse().unwrap()).collect()
        };
        match sort {
            "-known" => assert!(figures(4).is_sorted_by(|one, other| one >= other)),
            "-gaps" => assert!(figures(5).is_sorted_by(|one, other| one >= other)),
            "region" => assert!(shown.is_sorted_by(|one, other| one.1 <= other.1)),
            _ => {}
        }
        let heads = texts(&html, "#places thead th[aria-sort] a");
        assert_eq!(heads.len(), 1, "{heads:?}");
    }
}

#[actix_web::test]
async fn what_of_rule_definitions_was_not_read_and_what_changed_is_sorted_and_handed_out() {
    let (db, _) = hostile("tables-definitions").await;
    sqlx::raw_sql(
        "insert into collection (organization_id, engine, source, state, started_by, started_at, finished_at,
             program_version, program_commit)
         select organization_id, 'files', 'x', 'finished', 'x', now(), now(), '1', 'c' from organization;
         insert into rule_reading (place_id, collection_id, day, outcome, rules, failure)
         select place_id, 1, '2026-11-02', 'read', 1, null from place where place_id % 4 > 0;
         insert into rule_reading (place_id, collection_id, day, outcome, rules, failure)
         select place_id, 2, '2026-11-03', case place_id % 3 when 0 then 'denied' when 1 then 'throttled' else 'read' end,
             case place_id % 3 when 2 then 1 end, case when place_id % 3 < 2 then '=cmd, <b>' || place_id end
         from place;
         insert into rule_definition (place_id, rule_name, arn, config_rule_id, owner, source_identifier, parameters, scope,
             source_details, frequency, modes, state, created_by, description, since_collection, first_day,
             until_collection, end_day)
         select place_id, case place_id % 2 when 0 then '=cmd, x' else 'ראשון' end, '', '', 'AWS', 'X',
             case collection_id when 1 then '{\"age\":\"90\"}' else '{\"age\":\"<b>' || place_id || '</b>\"}' end, '', '',
             '', '{}', '', '', '', collection_id, date '2026-11-01' + collection_id::integer,
             case collection_id when 1 then 2 end, case collection_id when 1 then date '2026-11-03' end
         from place, collection where place_id % 3 = 2;",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let account = |row: &Value| text(row, "account_id");
    let unread = Shown { address: "/rule-definitions", table: "unread", cell: "th a", key: account, own_order: &[] };
    assert_eq!(unread.check(&reader).await, names(&["account_id", "region", "cause", "tried_on", "last_read_on"]));
    let changed = Shown { table: "changed", key: |row| text(row, "rule"), ..unread };
    let columns = ["rule", "account_id", "region", "change", "seen_before", "found_on"];
    assert_eq!(changed.check(&reader).await, names(&columns));
    let of = |what: &str| format!("/rule-definitions?account={ACCOUNT}{what}");
    for table in ["unread", "changed"] {
        let rows = reader.json(&of(&format!("&rows={table}&format=json"))).await;
        assert_eq!(rows.len(), texts(&reader.page(&of("")).await, &format!("#{table} tbody tr")).len());
        assert!(rows.iter().all(|row| row["account_id"] == ACCOUNT), "{rows:?}");
    }
    assert!(!reader.json("/rule-definitions?format=json").await.is_empty(), "all definitions where none is named");
    assert_eq!(reader.ask("/rule-definitions?rows=x&format=csv").await.0.as_u16(), 400);
}

#[actix_web::test]
async fn every_table_of_scopes_is_sorted_on_each_column_and_handed_out() {
    let db = three_accounts("tables-scopes").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    make(&db, "production", &[("kind", "accounts"), ("accounts", OTHER)], "2026-11-03").await;
    make(&db, "other", &[("kind", "accounts"), ("accounts", "999988887777")], "2026-11-02").await;
    sqlx::query("update account set name = case account_id when $1 then '=cmd, x' else '<b>מחלקה</b>' end")
        .bind(ACCOUNT)
        .execute(&db)
        .await
        .unwrap();
    let reader = Reader::new(&db).await;
    let scopes = Shown {
        address: "/scopes",
        table: "scopes",
        cell: "th a:first-child",
        key: |row| text(row, "scope"),
        own_order: &[],
    };
    let columns = ["scope", "title", "accounts", "definitions_in_force", "undecided"];
    assert_eq!(scopes.check(&reader).await, names(&columns));
    assert_eq!(reader.json("/scopes?format=json").await.len(), 2);
    let account = |row: &Value| text(row, "account_id");
    for (address, table) in [("/scopes/production", "in"), ("/scopes/other", "out")] {
        let list = Shown { address, table, cell: "th", key: account, own_order: &[] };
        let columns = ["account_id", "account_name", "account_regions", "evaluations", "why"];
        assert_eq!(list.check(&reader).await, names(&columns));
    }
    let definitions = Shown {
        address: "/scopes/production",
        table: "definitions",
        cell: "th",
        key: |row| text(row, "definition"),
        // By what accounts are chosen is ordered by its words.
        own_order: &["by"],
    };
    let columns = ["definition", "by", "first_day", "reason", "made_at", "ended_at"];
    assert_eq!(definitions.check(&reader).await, names(&columns));
}

#[actix_web::test]
async fn packs_are_found_by_account_and_by_a_day_that_they_cover() {
    let db = store().await;
    sqlx::raw_sql(
        "insert into installation_key values ('k', '', '');
         insert into account (organization_id, account_id, name, status)
         select 1, account_id, '=cmd, ' || account_id, 'ACTIVE' from (select distinct account_id from place) of
         on conflict do nothing;
         insert into pack
         select 'AF-' || n, 1, '<b>' || n % 7 || '</b>, x', date '2026-11-01' + n % 3, date '2026-11-04' + n % 5, 1,
             case n % 3 when 0 then null when 1 then '{000000000001}'::text[] else '{000000000002,999999999999}' end,
             'p', false, timestamptz '2026-11-12 10:00+00' + n * interval '1 second', now(), false, null, 1, n % 13, 1, 0,
             10, 1, '', 1, '', 'k', '', '{}'
         from generate_series(1, 230) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let of = async |query: &str, meant: &dyn Fn(&Value) -> bool| {
        let all = reader.json("/packs?format=json").await;
        let rows = reader.json(&format!("/packs?{query}&format=json")).await;
        let ids = |rows: &[Value]| rows.iter().map(|row| text(row, "pack_id")).collect::<Vec<_>>();
        let wanted: Vec<Value> = all.into_iter().filter(|row| meant(row)).collect();
        assert_eq!(ids(&rows), ids(&wanted), "{query}");
        let html = reader.page(&format!("/packs?{query}")).await;
        let shown = texts(&html, "#packs tbody th .id");
        assert_eq!(shown, ids(&rows)[..rows.len().min(100)], "{query}");
        let (_, csv) = reader.ask(&format!("/packs?{query}&format=csv")).await;
        assert_eq!(csv.lines().count(), rows.len() + 1, "{query}");
        if rows.len() > 100 {
            assert!(texts(&html, ".table-foot__rows").concat().ends_with(&format!("of {}", rows.len())), "{query}");
        }
        rows.len()
    };
    let is_of = |row: &Value, account: &str| row["account_ids"].as_str().is_none_or(|ids| ids.contains(account));
    let covers = |row: &Value, day: &str| row["from"].as_str().unwrap() <= day && day <= row["as_of"].as_str().unwrap();
    assert!(of("account=000000000001", &|row| is_of(row, "000000000001")).await < 230);
    assert!(of("account=%3Dcmd%2C%20000000000002", &|row| is_of(row, "000000000002")).await < 230);
    assert!(of("day=2026-11-07", &|row| covers(row, "2026-11-07")).await > 50);
    let both = |row: &Value| is_of(row, "000000000002") && covers(row, "2026-11-08");
    assert!(of("account=000000000002&day=2026-11-08", &both).await > 0);
    assert_eq!(of("account=nobody", &|_| false).await, 0);
    assert_eq!(reader.ask("/packs?day=tomorrow").await.0.as_u16(), 400);
    assert_eq!(reader.ask("/packs?region=x").await.0.as_u16(), 400);
}

#[actix_web::test]
async fn every_table_of_a_pack_is_sorted_on_each_column_and_handed_out() {
    let db = store().await;
    let id = pack(&db, &request()).await;
    let reader = Reader::new(&db).await;
    let address = format!("/packs/{id}");
    let results = Shown {
        address: &address,
        table: "results",
        cell: "th",
        key: |row| text(row, "severity"),
        own_order: &["severity"],
    };
    let columns =
        ["severity", "rules", "resources", "compliant", "non_compliant", "not_applicable", "unknown", "deviations"];
    assert_eq!(results.check(&reader).await, names(&columns));
    let checks = Shown { table: "checks", key: |row| text(row, "what"), ..results };
    assert_eq!(checks.check(&reader).await.len(), 6);
    let attachments = Shown { table: "attachments", key: |row| text(row, "file"), ..results };
    assert_eq!(attachments.check(&reader).await, names(&["file", "what_it_holds", "rows", "sha256"]));
    assert_eq!(reader.ask(&format!("{address}?account=x")).await.0.as_u16(), 400, "a pack is what it is");
}

/// Checks in each order that the heads of a table offer, and back, that the rows are handed out as its first page shows
/// them. `cell` holds what a row's `column` does. Gives how many heads there are.
pub(crate) async fn handed_out_as_shown(
    reader: &Reader,
    path: &str,
    (table, cell, column): (&str, &str, &str),
    rows: usize,
) -> usize {
    let and = if path.contains('?') { '&' } else { '?' };
    let heads = crate::portal::links(&reader.page(path).await, &format!("#{table} thead a"));
    for head in &heads {
        let word = head.split("sort=").nth(1).unwrap().trim_start_matches('-').to_owned();
        for sort in [word.clone(), format!("-{word}")] {
            let address = format!("{path}{and}sort={sort}");
            let shown = texts(&reader.page(&address).await, &format!("#{table} tbody {cell}"));
            let found = reader.json(&format!("{address}&format=json")).await;
            let handed: Vec<String> = found.iter().take(100).map(|row| words(&text(row, column))).collect();
            assert_eq!((found.len(), handed), (rows, shown), "{address}");
        }
    }
    heads.len()
}

#[actix_web::test]
async fn a_list_is_handed_out_in_the_order_of_its_page() {
    let db = store().await;
    sqlx::raw_sql(
        "insert into job (kind, payload, state, created_by, created_at, attempts)
         select 'pack', '{}', 'done', case n % 3 when 0 then '=cmd' when 1 then '<b>' else 'ראשון' end,
             timestamptz '2026-11-01' + n % 40 * interval '1 hour', 1 from generate_series(1, 150) n;
         insert into notice_decision (organization_id, collection_id, whole, decided_at) values (1, 1, true, now());
         insert into notice (organization_id, kind, about, sentence, facts, opened_at, opened_by)
         select 1, case n % 2 when 0 then 'rule-gone' else 'place-silent' end, n::text,
             case n % 3 when 0 then '=cmd, ' when 1 then '<b>' else 'ראשון' end || n, '{\"members\": []}',
             timestamptz '2026-11-01' + n % 40 * interval '1 second', 1 from generate_series(1, 150) n;
         insert into collection (organization_id, engine, source, state, started_by, started_at, finished_at,
             program_version, program_commit, objects_done, objects_total)
         select 1, 'files', '=cmd' || n % 3, 'finished', 'p' || n % 5, timestamptz '2026-11-01' + n % 40 * interval '1 hour',
             timestamptz '2026-11-03' + n % 9 * interval '1.5 second', '1', 'c', n % 8, n % 8
         from generate_series(2, 150) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    assert_eq!(handed_out_as_shown(&reader, "/jobs", ("jobs", "th", "job_id"), 150).await, 6);
    assert_eq!(handed_out_as_shown(&reader, "/notices", ("notices", "th", "sentence"), 150).await, 6);
    assert_eq!(handed_out_as_shown(&reader, "/collections", ("collections", "th", "collection_id"), 150).await, 9);
}

#[actix_web::test]
async fn objects_and_what_fails_are_handed_out_in_the_order_of_their_pages() {
    let (db, bucket) = (database().await, Bucket::new("tables-handed"));
    for day in 1..=28 {
        for hour in 1..=4 {
            let names: Vec<String> = (0..=day % 3).map(|name| format!("{name}-{day}")).collect();
            let rules: Rules<'_> = &[(LOGGING, N)];
            let resources: Vec<(&str, Rules<'_>)> = names.iter().map(|name| (name.as_str(), rules)).collect();
            bucket.snapshot(day, hour, &resources);
        }
    }
    let names: Vec<String> = (0..120).map(|name| format!("n{}", name * 77 % 120)).collect();
    let rules: Rules<'_> = &[(LOGGING, N)];
    let resources: Vec<(&str, Rules<'_>)> = names.iter().map(|name| (name.as_str(), rules)).collect();
    bucket.snapshot(29, 5, &resources[..60]);
    bucket.snapshot(30, 5, &resources);
    crate::collection::collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let objects = ("objects", "th span.id:first-of-type", "key");
    assert_eq!(handed_out_as_shown(&reader, "/collections/1", objects, 114).await, 10);
    let failing = format!("/results?account={ACCOUNT}&region={REGION}&rule={LOGGING}");
    assert_eq!(handed_out_as_shown(&reader, &failing, ("failing", "th .id", "resource_id"), 120).await, 2);
}
