//! What arrived of what was expected, and the objects, as known at a collection.

use auditfolio::compliance::DeliveryState;
use auditfolio::compliance::evidence::{Deliveries, KnownAt, Objects, accounts, completeness_established, gaps};
use auditfolio::database::read_only;
use time::{Duration, OffsetDateTime};

use crate::harness::database;
use crate::world::three_days;

#[actix_web::test]
async fn deliveries_name_what_was_expected_and_did_not_come() {
    use DeliveryState::{Delivered, Missing, NotExpected};
    let db = database().await;
    let world = three_days(&db).await;
    let read_all = async |known_at: KnownAt| {
        let mut read = read_only(&db).await.unwrap();
        let mut deliveries =
            Deliveries::open(&mut read, &world.scope(), world.date(0), world.date(4), known_at).await.unwrap();
        let mut places = Vec::new();
        while let Some(place) = deliveries.next(&mut read).await.unwrap() {
            places.push(place);
        }
        (places, completeness_established(&mut read, world.organization_id, known_at).await.unwrap())
    };
    let first = KnownAt::latest(&mut read_only(&db).await.unwrap(), world.organization_id).await.unwrap().unwrap();

    let (places, established) = read_all(first).await;
    assert!(!established, "no account list yet");
    assert_eq!(places.len(), 1, "of the others nothing was known");
    let states: Vec<_> = places[0].days.iter().map(|day| (day.expected, day.state)).collect();
    assert_eq!(
        states,
        [(true, Delivered), (true, Delivered), (true, Missing), (true, Delivered), (false, NotExpected)]
    );

    // A list expects the first place from its second day on, and another one that never delivered.
    let second = world.begin().await;
    for (place, offset) in [(0, 1), (2, 3)] {
        sqlx::query("insert into expected_place (place_id, first_day, since_collection) values ($1, $2, $3)")
            .bind(world.places[place].id)
            .bind(world.day(offset))
            .bind(second)
            .execute(&db)
            .await
            .unwrap();
    }
    sqlx::query(
        "with l as (
             insert into account_list (organization_id, collection_id, listed_on, source, sha256)
             values ($1, $2, $3, 'accounts.json', sha256('')) returning account_list_id)
         insert into account_listing (account_list_id, account_id, name, status)
         select account_list_id, id, 'Account ' || id, 'ACTIVE' from l, unnest(array['000000000003', '000000000012']) id",
    )
    .bind(world.organization_id)
    .bind(second)
    .bind(world.date(3))
    .execute(&db)
    .await
    .unwrap();
    sqlx::query(
        "insert into region_list (organization_id, collection_id, listed_on, regions)
         select organization_id, $2, $3, array_agg(distinct region) from place where organization_id = $1 group by 1",
    )
    .bind(world.organization_id)
    .bind(second)
    .bind(world.date(3))
    .execute(&db)
    .await
    .unwrap();
    world.finish(second).await;

    let (places, established) = read_all(KnownAt(second)).await;
    assert!(established);
    let found: Vec<_> =
        places.iter().flat_map(gaps).map(|gap| (gap.account_id, gap.first, gap.last, gap.days)).collect();
    assert_eq!(
        found,
        [
            ("000000000003".into(), world.date(3), world.date(4), 2),
            ("000000000012".into(), world.date(2), world.date(2), 1),
            ("000000000012".into(), world.date(4), world.date(4), 1),
        ]
    );
    assert!(!places[1].days[0].expected, "delivered before it was expected");
    let (again, _) = read_all(first).await;
    assert_eq!(again.len(), 1, "the earlier knowledge point knows no list");

    let mut read = read_only(&db).await.unwrap();
    let listed = accounts(&mut read, &world.scope(), KnownAt(second)).await.unwrap();
    let [never, known] = listed.as_slice() else { panic!("two accounts: {listed:?}") };
    assert_eq!((never.account_id.as_str(), never.name.as_deref()), ("000000000003", Some("Account 000000000003")));
    assert_eq!((never.first_known_day, never.expected_from), (None, Some(world.date(3))));
    assert_eq!((known.last_known_day, known.expected_until), (Some(world.date(3)), None));
    let before = accounts(&mut read, &world.scope(), first).await.unwrap();
    assert_eq!(before.iter().map(|account| account.name.clone()).collect::<Vec<_>>(), [None]);
}

#[actix_web::test]
async fn objects_stand_with_what_was_made_of_them_by_then() {
    let db = database().await;
    let world = three_days(&db).await;
    let first = KnownAt::latest(&mut read_only(&db).await.unwrap(), world.organization_id).await.unwrap().unwrap();
    let object_id: i64 = sqlx::query_scalar(
        "insert into object (place_id, day, kind, key, size_bytes, modified_ns, first_collection)
         values ($1, $2, 'snapshot', 'AWSLogs/x.json.gz', 10, 1500000000, $3) returning object_id",
    )
    .bind(world.places[0].id)
    .bind(world.day(1))
    .bind(first.0)
    .fetch_one(&db)
    .await
    .unwrap();
    let second = world.begin().await;
    for (collection_id, outcome) in [(first.0, "collected"), (second, "superseded")] {
        sqlx::query("insert into object_outcome (object_id, collection_id, outcome) values ($1, $2, $3)")
            .bind(object_id)
            .bind(collection_id)
            .bind(outcome)
            .execute(&db)
            .await
            .unwrap();
    }
    world.finish(second).await;
    for (known_at, outcome) in [(first, "collected"), (KnownAt(second), "superseded")] {
        let mut read = read_only(&db).await.unwrap();
        let mut objects =
            Objects::open(&mut read, &world.scope(), world.date(0), world.date(3), known_at).await.unwrap();
        let mut found = Vec::new();
        while let Some(of_place) = objects.next(&mut read).await.unwrap() {
            found.extend(of_place);
        }
        let [object] = found.as_slice() else { panic!("one object: {found:?}") };
        assert_eq!(object.outcome.as_deref(), Some(outcome));
        assert_eq!(object.version.sha256_text(), "not read by us");
        assert_eq!(object.modified_at, Some(OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(1500)));
    }
}
