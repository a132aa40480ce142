//! What Athena's queries cost: query by query, by collection and by month.

use scraper::Html;
use serde_json::Value;
use sqlx::PgPool;

use crate::athena::{athena, collected};
use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::harness::{database, said};
use crate::portal::{Reader, texts};
use crate::s3::OTHER;

/// Each account's object of a day, and how large they are.
fn delivered(bucket: &Bucket, day: u8) -> [i64; 2] {
    [ACCOUNT, OTHER].map(|account| {
        let status = if day.is_multiple_of(2) { "COMPLIANT" } else { "NON_COMPLIANT" };
        let name = bucket.snapshot_of(account, REGION, day, 5, &[("a", &[("r", status)])]);
        i64::try_from(std::fs::metadata(bucket.root.join(name)).unwrap().len()).unwrap()
    })
}

/// Lets a collection have begun at one moment, and its queries have been asked at these.
async fn as_if(db: &PgPool, collection_id: i64, began: &str, asked: [&str; 2]) {
    sqlx::query("update collection set started_at = $2::text::timestamptz where collection_id = $1")
        .bind(collection_id)
        .bind(began)
        .execute(db)
        .await
        .unwrap();
    let moved = sqlx::query(
        "update athena_query q set created_at = m.at::timestamptz
         from (select athena_query_id, row_number() over (order by athena_query_id) as number from athena_query
               where collection_id = $1) n
         join unnest($2::text[]) with ordinality m (at, number) using (number)
         where q.athena_query_id = n.athena_query_id",
    )
    .bind(collection_id)
    .bind(asked)
    .execute(db)
    .await
    .unwrap();
    assert_eq!(moved.rows_affected(), 2);
}

/// The heading and the words of each figure about queries.
fn spent(page: &Html) -> Vec<(String, String)> {
    texts(page, "#spent dt").into_iter().zip(texts(page, "#spent dd")).collect()
}

fn figures(queries: i64, bytes: i64, price: &str, month: &str, of_month: &str) -> Vec<(String, String)> {
    [
        ("Queries", queries.to_string()),
        ("Bytes scanned", auditfolio::web::format::count(bytes)),
        ("Price", price.to_owned()),
        (month, of_month.to_owned()),
    ]
    .map(|(name, words)| (name.to_owned(), words))
    .to_vec()
}

#[actix_web::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn queries_cost_at_least_ten_megabytes_each_and_add_up_by_collection_and_by_month() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, Bucket::new("athena-cost"));
    // One query an account and collection; the price is another from the third collection on.
    let collect = |price: &str| {
        aws.load(&bucket.root);
        let one_by_one = ["--athena-batch", "1", "--athena-queries", "1", "--relist-days", "1000"];
        said(&collected(&aws, &db, &[&one_by_one[..], &["--athena-price-per-tb", price]].concat()))
    };
    let first = delivered(&bucket, 9);
    collect("1000");
    as_if(&db, 1, "2025-09-30 23:59:58Z", ["2025-10-01 00:00:00Z", "2025-10-01 00:00:01Z"]).await;
    let second = delivered(&bucket, 10);
    collect("1000");
    // It goes on from October into November, by UTC; by the clocks of Berlin it was November already.
    as_if(&db, 2, "2025-10-31 23:30:00Z", ["2025-10-31 23:59:59.999Z", "2025-11-01 00:00:00Z"]).await;
    let third = delivered(&bucket, 11);
    let told = collect("2000");
    as_if(&db, 3, "2025-11-30 23:59:59Z", ["2025-11-30 23:59:59Z", "2025-11-30 23:59:59.5Z"]).await;

    // Each later day is told from the one before: both objects are scanned.
    let scanned: [i64; 2] = [first[0] + second[0], first[1] + second[1]];
    let of_first: i64 = first.iter().sum();
    let of_second: i64 = scanned.iter().sum();
    let of_third: i64 = second.iter().chain(&third).sum();
    let stored: Vec<(i64, i64)> =
        sqlx::query_as("select bytes_scanned, price_billionths from athena_query order by athena_query_id")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(stored.iter().map(|(bytes, _)| bytes).sum::<i64>(), of_first + of_second + of_third);
    // 10 MB of a TB at 1,000 and at 2,000 USD: 10 / 1,048,576 of it, rounded up to billionths.
    let prices: Vec<i64> = stored.iter().map(|(_, price)| *price).collect();
    assert_eq!(prices, [9_536_744, 9_536_744, 9_536_744, 9_536_744, 19_073_487, 19_073_487]);
    let words = format!(
        "Athena: 2 queries scanned {of_third} bytes, price 0.0382 USD; this month {of_third} bytes, 0.0382 USD"
    );
    assert!(told.contains(&words), "{told}");

    let reader = Reader::new(&db).await;
    let count = auditfolio::web::format::count;
    let september = "0 queries, 0 bytes, 0.0000 USD".to_owned();
    let october = format!("3 queries, {} bytes, 0.0287 USD", count(of_first + scanned[0]));
    let november = format!("3 queries, {} bytes, 0.0477 USD", count(scanned[1] + of_third));
    for (collection, wanted) in [
        (1, figures(2, of_first, "0.0191 USD", "Sep 2025 (UTC), all collections", &september)),
        (2, figures(2, of_second, "0.0191 USD", "Oct 2025 (UTC), all collections", &october)),
        (3, figures(2, of_third, "0.0382 USD", "Nov 2025 (UTC), all collections", &november)),
    ] {
        assert_eq!(spent(&reader.page(&format!("/collections/{collection}")).await), wanted);
    }
    let rows = reader.json("/collections/3?rows=queries&format=json").await;
    let handed: Vec<&Value> = rows.iter().map(|row| &row["price_billionths"]).collect();
    assert_eq!(handed, [19_073_487, 19_073_487]);
}
