//! Lists that Postgres sorts: packs, collections, a collection's objects, jobs and notices, on each of their columns.

use std::collections::BTreeSet;

use scraper::Html;

use crate::bucket::Bucket;
use crate::collection::collect;
use crate::harness::database;
use crate::packs::store;
use crate::portal::{Reader, links, texts, walk};

/// Walks a list in each order that the heads of its table offer, and back: the same rows every time, and turned round
/// where the order is. Gives the orders.
async fn every_order(reader: &Reader, address: &str, table: &str, keys: fn(&Html) -> Vec<String>) -> BTreeSet<String> {
    let heads = links(&reader.page(address).await, &format!("#{table} thead a"));
    let (usual, pages) = walk(reader, address, table, keys).await;
    assert!(pages > 1, "one page shows nothing of paging");
    let usual: BTreeSet<String> = usual.into_iter().collect();
    let mut orders = BTreeSet::new();
    for head in heads {
        let word = head.split("sort=").nth(1).unwrap().trim_start_matches('-').to_owned();
        let (up, _) = walk(reader, &format!("{address}?sort={word}"), table, keys).await;
        let (mut down, _) = walk(reader, &format!("{address}?sort=-{word}"), table, keys).await;
        assert_eq!(up.len(), usual.len(), "{word}: each row once");
        assert_eq!(up.iter().cloned().collect::<BTreeSet<_>>(), usual, "{word}");
        down.reverse();
        assert_eq!(down, up, "{word}");
        orders.insert(word);
    }
    orders
}

async fn column(reader: &Reader, address: &str, table: &str, column: usize) -> Vec<String> {
    texts(&reader.page(address).await, &format!("#{table} tbody td:nth-child({column})"))
}

#[actix_web::test]
async fn packs_are_sorted_on_every_column_and_handed_out_as_rows() {
    let db = store().await;
    sqlx::raw_sql(
        "insert into installation_key values ('k', '', '');
         insert into pack
         select 'AF-' || n, 1, 'Pack ' || n % 7, date '2026-11-01', date '2026-11-01' + n % 5, 1,
             case n % 3 when 0 then null when 1 then '{111122223333}'::text[] else '{111122223333,444455556666}' end,
             case n % 2 when 0 then 'Ångström' else 'zoe' end, false,
             timestamptz '2026-11-12 10:00:00.123456+00' + (n % 50) * interval '1 microsecond', now(), false, null,
             n % 11, n % 13, n % 4, n % 6, 10, 1, '', 1, '', 'k', '', '{}'
         from generate_series(1, 230) n;
         insert into pack_event (pack_id, kind, by_identity, demo)
         select 'AF-' || n, 'draft', 'zoe', false from generate_series(1, 200) n;
         insert into pack_event (pack_id, kind, by_identity, demo, note)
         select 'AF-' || n, 'withdraw', 'zoe', false, 'wrong' from generate_series(1, 40) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let ids = |html: &Html| texts(html, "#packs tbody th .id");
    let orders = every_order(&reader, "/packs", "packs", ids).await;
    let expected = ["by", "day", "evaluations", "gaps", "made", "non-compliant", "pages", "scope", "state", "title"];
    assert_eq!(orders, expected.map(str::to_owned).into());
    let most = column(&reader, "/packs?sort=-evaluations", "packs", 8).await;
    assert_eq!((most[0].as_str(), most.last().unwrap().as_str()), ("12", "7"), "17 or 18 packs have each count");
    assert_eq!(column(&reader, "/packs?sort=-scope", "packs", 4).await[0], "all accounts");
    let states = column(&reader, "/packs?sort=-state", "packs", 2).await;
    assert!(states[..40].iter().all(|state| state.starts_with("withdrawn")) && states[40] == "draft", "{states:?}");
    let rows = reader.json("/packs?format=json").await;
    assert_eq!(rows.len(), 230);
    let first = ids(&reader.page("/packs").await);
    let handed: Vec<&str> = rows.iter().take(100).map(|row| row["pack_id"].as_str().unwrap()).collect();
    assert_eq!(handed, first, "the newest first");
    let (status, _) = reader.ask("/packs?after=%5B%22soon%22%2C%22AF-1%22%5D").await;
    assert_eq!(status.as_u16(), 400);
}

#[actix_web::test]
async fn collections_are_sorted_on_every_column() {
    let db = store().await;
    sqlx::raw_sql(
        "insert into collection (organization_id, engine, source, state, started_by, started_at, finished_at,
             program_version, program_commit, first_day, last_day, objects_done, objects_total, ladder)
         select 1, 'files', '/evidence/' || n % 3, case n % 4 when 0 then 'failed' else 'finished' end, 'p' || n % 5,
             timestamptz '2026-11-01' + n * interval '1 hour',
             timestamptz '2026-11-01' + n * interval '1 hour' + n % 9 * interval '1.5 second', '1', 'c',
             nullif(date '2026-11-01' + n % 6, '2026-11-03'), nullif(date '2026-11-01' + n % 6, '2026-11-03'), n % 8, n % 8,
             case n % 2 when 0 then null else jsonb_build_object('objects_unreadable', n % 10) end
         from generate_series(1, 150) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let numbers = |html: &Html| texts(html, "#collections tbody th");
    let orders = every_order(&reader, "/collections", "collections", numbers).await;
    assert_eq!(orders.len(), 9);
    assert_eq!(column(&reader, "/collections?sort=-unreadable", "collections", 9).await[0], "9");
}

#[actix_web::test]
async fn objects_of_a_collection_are_sorted_on_every_column() {
    let db = database().await;
    let bucket = Bucket::new("sorted-objects");
    for day in 1..=28 {
        for hour in 1..=4 {
            let rule: &[(&str, &str)] = &[("r", "COMPLIANT")];
            let resources: Vec<(&str, &[(&str, &str)])> =
                ["a", "b", "c"].iter().take(usize::from(day) % 3 + 1).map(|name| (*name, rule)).collect();
            bucket.snapshot(day, hour, &resources);
        }
    }
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let keys = |html: &Html| texts(html, "#objects tbody th span.id:first-of-type");
    let orders = every_order(&reader, "/collections/1", "objects", keys).await;
    assert_eq!(orders.len(), 10);
    assert_eq!(column(&reader, "/collections/1?sort=-evaluations", "objects", 10).await[0], "3");
    assert_eq!(column(&reader, "/collections/1?sort=evaluations", "objects", 10).await[0], "–", "superseded, not read");
}

#[actix_web::test]
async fn jobs_are_sorted_on_every_column_and_handed_out_as_rows() {
    let db = store().await;
    sqlx::raw_sql(
        "insert into job (kind, payload, state, created_by, created_at, started_at, finished_at, attempts)
         select case n % 2 when 0 then 'pack' else 'digest' end, '{}',
             case n % 3 when 0 then 'done' when 1 then 'failed' else 'cancelled' end, 'p' || n % 5,
             timestamptz '2026-11-01' + n % 40 * interval '1 hour',
             case n % 3 when 2 then null else timestamptz '2026-11-03' + n * interval '1 hour' end,
             timestamptz '2026-11-03' + n * interval '1 hour' + n % 9 * interval '1.5 second', 1
         from generate_series(1, 150) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let numbers = |html: &Html| texts(html, "#jobs tbody th");
    let orders = every_order(&reader, "/jobs", "jobs", numbers).await;
    assert_eq!(orders, ["asked", "by", "job", "kind", "state", "took"].map(str::to_owned).into());
    let first = numbers(&reader.page("/jobs").await);
    let handed: Vec<String> =
        reader.json("/jobs?format=json").await.iter().map(|row| row["job_id"].to_string()).collect();
    assert_eq!((handed.len(), &handed[..100]), (150, first.as_slice()), "the newest first");
    assert_eq!(reader.json("/jobs?format=json&state=failed&kind=pack").await.len(), 25);
}

#[actix_web::test]
async fn notices_are_sorted_on_every_column() {
    let db = store().await;
    sqlx::raw_sql(
        "insert into notice_decision (organization_id, collection_id, whole, decided_at) values (1, 1, true, now());
         insert into notice (organization_id, kind, about, sentence, facts, opened_at, opened_by, closed_at, closed_by,
             closed_because, acknowledged_at, acknowledged_by)
         select 1, case n % 2 when 0 then 'rule-gone' else 'place-silent' end, n::text, 'n' || n % 7 || '-' || n,
             '{\"members\": []}', timestamptz '2026-11-01' + n % 40 * interval '1 second', 1,
             case n % 3 when 0 then timestamptz '2026-11-02' + n % 9 * interval '1 hour' end,
             case n % 3 when 0 then 1 end, case n % 3 when 0 then 'x' end,
             case n % 5 when 0 then timestamptz '2026-11-03' + n % 4 * interval '1 hour' end,
             case n % 5 when 0 then 'zoe' end
         from generate_series(1, 150) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let words = |html: &Html| texts(html, "#notices tbody th");
    let orders = every_order(&reader, "/notices", "notices", words).await;
    assert_eq!(orders, ["acknowledged", "closed", "kind", "notice", "opened", "state"].map(str::to_owned).into());
    let states = column(&reader, "/notices", "notices", 3).await;
    assert_eq!((states[0].as_str(), states[99].as_str()), ("open", "open, acknowledged"), "what nobody saw first");
    assert_eq!(reader.json("/notices?format=json").await.len(), 150);
}
