use time::macros::{date, datetime};

use super::*;
use crate::collection::db::DeliveryRow;
use crate::collection::place::empty_row;
use crate::collection::plan::{Seen, Stored};
use crate::collection::source::{Key, Kind};

fn place() -> PlaceName {
    PlaceName { account_id: "111122223333".to_owned(), region: "eu-central-1".to_owned() }
}

fn snapshot(day: Date, hour: i64) -> Object {
    let folder = format!("o-abc/AWSLogs/111122223333/Config/eu-central-1/{}", super::super::statement::written(day));
    Object {
        name: format!("{folder}/ConfigSnapshot/{hour}.json.gz"),
        key: Key {
            place: place(),
            day,
            kind: Kind::Snapshot,
            taken_at: Some(datetime!(2026-11-20 00:00 UTC) + time::Duration::hours(hour)),
            resource_type: None,
        },
        size_bytes: 10,
        modified_ns: None,
        etag: Some(format!("{day} {hour}")),
        version_id: None,
    }
}

fn standing(rows: &[(Date, DeliveryState, Option<i64>)], seen: &[(&Object, i64, Outcome)]) -> Standing {
    let rows = rows.iter().map(|&(day, state, object_id)| DeliveryRow {
        object_id,
        complying: 5,
        ..empty_row(Day::from(day), state)
    });
    let stored = seen.iter().map(|&(object, object_id, outcome)| Stored {
        version: Version::from(object),
        seen: Seen { object_id, outcome, retry_above: None },
        day: object.key.day,
        kind: object.key.kind,
        taken_at: object.key.taken_at,
        sha256: None,
        first_collection: 1,
        judged_by: 1,
        reason: None,
    });
    Standing { rows: rows.collect(), stored: stored.collect(), known: vec![], ever_known: vec![] }
}

const AGAIN: Again = Again { collection_id: 2, all: false, unpacked_limit: 0 };

fn todo(objects: &[Object], day: Date, standing: &Standing) -> Todo {
    let days = plan::days(objects, &standing.stored, AGAIN);
    let of_day = days.iter().find(|it| it.day == day).expect("the day has objects");
    plan("b", &place(), 0, objects, of_day, standing)
}

fn asked(todo: Todo) -> Ask {
    match todo {
        Todo::Ask(ask) => *ask,
        other => panic!("{other:?}"),
    }
}

const P: Date = date!(2026 - 11 - 17);
const D: Date = date!(2026 - 11 - 19);

#[test]
fn a_place_is_told_from_its_own_last_delivered_day() {
    let objects = [snapshot(P, 5), snapshot(D, 5)];
    let stored = standing(&[(P, DeliveryState::Delivered, Some(7))], &[(&objects[0], 7, Outcome::Collected)]);
    let base = asked(todo(&objects, D, &stored)).base.expect("there is a day before");
    assert_eq!((base.day, base.object_id, base.evaluations), (P, 7, 5));
    assert_eq!(base.path, format!("s3://b/{}", objects[0].name));
}

#[test]
fn everything_is_asked_for_where_the_day_before_cannot_be_told_from() {
    let objects = [snapshot(P, 5), snapshot(D, 5)];
    let collected = [(&objects[0], 7, Outcome::Collected)];
    let cases: [(&str, Standing); 4] = [
        ("no day before", standing(&[], &[])),
        ("inferred", standing(&[(P, DeliveryState::InferredFromHistory, None)], &collected)),
        ("changed since", standing(&[(P, DeliveryState::Delivered, Some(7))], &[(&objects[0], 7, Outcome::Changed)])),
        ("gone from the bucket", standing(&[(P, DeliveryState::Delivered, Some(8))], &collected)),
    ];
    for (name, stored) in cases {
        assert_eq!(asked(todo(&objects, D, &stored)).base, None, "{name}");
    }
    // A day before that could not be read is passed over.
    let earlier = date!(2026 - 11 - 16);
    let objects = [snapshot(earlier, 5), snapshot(P, 5), snapshot(D, 5)];
    let rows = [(earlier, DeliveryState::Delivered, Some(6)), (P, DeliveryState::Unreadable, None)];
    let stored = standing(&rows, &[(&objects[0], 6, Outcome::Collected), (&objects[1], 7, Outcome::Unreadable)]);
    assert_eq!(asked(todo(&objects, D, &stored)).base.map(|base| base.day), Some(earlier));
}

#[test]
fn the_last_snapshot_that_may_be_readable_is_asked_for() {
    let objects = [snapshot(D, 5), snapshot(D, 9)];
    let ask = asked(todo(&objects, D, &standing(&[], &[])));
    assert_eq!(ask.name, objects[1].name);
    let unreadable = standing(&[], &[(&objects[1], 1, Outcome::Unreadable)]);
    assert_eq!(asked(todo(&objects, D, &unreadable)).name, objects[0].name);
    let collected = standing(&[(D, DeliveryState::Delivered, Some(1))], &[(&objects[1], 1, Outcome::Collected)]);
    assert_eq!(todo(&objects, D, &collected), Todo::Files(None));
    let all = [(&objects[0], 2, Outcome::Superseded), (&objects[1], 1, Outcome::Collected)];
    assert_eq!(todo(&objects, D, &standing(&[], &all)), Todo::Nothing);
}

#[test]
fn a_key_that_the_table_does_not_project_is_read_by_us() {
    let mut object = snapshot(D, 5);
    object.name = object.name.replace("/2026/11/19/", "/2026/11/019/");
    assert!(matches!(todo(&[object.clone()], D, &standing(&[], &[])), Todo::Files(Some(_))));
    object.name = snapshot(D, 5).name.replace("5.json.gz", "_5.json.gz");
    assert!(matches!(todo(&[object], D, &standing(&[], &[])), Todo::Files(Some(_))));
}

fn of(account: u64, region: &str) -> Ask {
    Ask {
        index: 0,
        place: PlaceName { account_id: format!("{account:012}"), region: region.to_owned() },
        name: "k".to_owned(),
        path: "s3://b/k".to_owned(),
        etag: None,
        version_id: None,
        size_bytes: 1,
        base: None,
    }
}

#[test]
fn a_statement_asks_of_at_most_so_many_accounts() {
    let asks = (0..7).flat_map(|account| ["eu-central-1", "us-east-1"].map(|region| of(account, region))).collect();
    let sizes: Vec<usize> = chunks(asks, 3).iter().map(Vec::len).collect();
    assert_eq!(sizes, [6, 6, 2]);
    let long = Ask { path: "x".repeat(1000), ..of(1, "eu-central-1") };
    let chunks = chunks(vec![long; 1000], 50);
    assert!(chunks.len() > 5 && chunks.iter().all(|chunk| chunk.len() < 200));
    assert_eq!(chunks.iter().map(Vec::len).sum::<usize>(), 1000);
}

fn asks(parts: Vec<Ask>) -> Asks {
    Asks::of(parts).expect("there are parts")
}

#[test]
fn a_question_is_halved_between_accounts_and_at_last_between_regions() {
    let sizes = |parts| asks(parts).halves().map(|(left, right)| (left.len(), right.len()));
    assert_eq!(sizes(vec![of(1, "a"), of(1, "b"), of(1, "c"), of(2, "a")]), Ok((3, 1)));
    assert_eq!(sizes(vec![of(1, "a"), of(1, "b")]), Ok((1, 1)));
    assert_eq!(sizes(vec![of(1, "a"), of(2, "a")]), Ok((1, 1)));
}

#[test]
fn nothing_is_no_question_and_one_part_has_no_halves() {
    assert_eq!(Asks::of(vec![]), None);
    assert!(chunks(vec![], 3).is_empty());
    let alone = asks(vec![of(1, "a")]);
    assert_eq!(alone.clone().halves(), Err(alone));
}
