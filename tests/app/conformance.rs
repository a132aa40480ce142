//! Conformance packs: AWS's verdict beside ours.

use crate::bucket::{ACCOUNT, Bucket, REGION, Rules, item, pack_item};
use crate::collection::collect;
use crate::harness::database;
use crate::portal::{C, N, OTHER, Reader, texts};

const ID: &str = "conformance-pack-k3yq7n1xz";
const NAME: &str = "OrgConformsPack-NIST-CSF-z6cn9v2w";
const LOGGING: &str = "s3-bucket-logging-enabled-conformance-pack-k3yq7n1xz";
const KEYS: &str = "access-keys-rotated-conformance-pack-k3yq7n1xz";
const NO_DATA: &str = "INSUFFICIENT_DATA";

/// A pack of two rules in two accounts: one fails there, here one rule has no data.
async fn collected(name: &str) -> Reader {
    let db = database().await;
    let bucket = Bucket::new(name);
    let hollow: Rules<'_> = &[(LOGGING, C), (KEYS, NO_DATA)];
    let failing: Rules<'_> = &[(LOGGING, N), (KEYS, C)];
    for day in [1, 2] {
        let pack = |account: &str, rules| pack_item(account, ID, NAME, day, 5, rules);
        bucket.snapshot_items(
            ACCOUNT,
            REGION,
            day,
            5,
            &[item(ACCOUNT, "a", day, 5, &[(LOGGING, C)]), pack(ACCOUNT, hollow)],
        );
        if day == 1 {
            let items = [item(OTHER, "a", day, 5, failing), pack(OTHER, failing)];
            bucket.snapshot_items(OTHER, REGION, day, 5, &items);
        }
    }
    collect(&db, &bucket).await;
    Reader::new(&db).await
}

#[actix_web::test]
async fn a_pack_that_aws_calls_compliant_says_how_many_rules_have_no_data() {
    let reader = collected("conformance").await;
    let packs = reader.json("/conformance-packs?format=json&as_of=2026-11-01").await;
    assert_eq!(packs.len(), 1);
    assert_eq!(packs[0]["conformance_pack"], "NIST-CSF");
    let of = |name: &str| packs[0][name].as_i64().unwrap();
    assert_eq!((of("account_regions"), of("aws_compliant"), of("aws_non_compliant")), (2, 1, 1));
    assert_eq!(of("aws_compliant_with_rules_without_data"), 1);

    let page = reader.page("/conformance-packs/NIST-CSF?as_of=2026-11-01").await;
    let rows = texts(&page, "#places tbody tr");
    assert!(rows[0].contains("COMPLIANT 1 of 2 rules has no data"), "{rows:?}");
    assert!(rows[0].contains("0 failing, 1 complying, 1 without data, of 2 ◐ INSUFFICIENT_DATA"), "{rows:?}");
    assert!(
        rows[1].contains("▲ NON_COMPLIANT 1 failing, 1 complying, 0 without data, of 2 ▲ NON_COMPLIANT"),
        "{rows:?}"
    );
    assert_eq!(
        texts(&page, "#rules tbody tr"),
        ["s3-bucket-logging-enabled MEDIUM 2 1 1 0", "access-keys-rotated MEDIUM 2 0 1 1"]
    );
    let hollow = reader.json("/conformance-packs/NIST-CSF?as_of=2026-11-01&verdict=hollow&format=json").await;
    assert_eq!(hollow.len(), 1);
    assert_eq!((&hollow[0]["aws_verdict"], &hollow[0]["our_verdict"]), (&"COMPLIANT".into(), &NO_DATA.into()));
    assert_eq!(reader.json("/conformance-packs/NIST-CSF?as_of=2026-11-01&rows=rules&format=json").await.len(), 2);
    assert!(texts(&reader.page("/rules").await, "main a").contains(&"Conformance packs".to_owned()));
}

#[actix_web::test]
async fn a_pack_of_a_place_without_evidence_for_the_day_is_unknown() {
    let reader = collected("conformance-silent").await;
    let page = reader.page("/conformance-packs").await;
    let rows = texts(&page, "#packs tbody tr");
    assert_eq!(rows, ["NIST-CSF 2 0 1 1 0 1 2"], "the place that was silent is neither failing nor complying");
    let rows = reader.json("/conformance-packs/NIST-CSF?verdict=unknown&format=json").await;
    assert_eq!((rows.len(), &rows[0]["known"]), (1, &false.into()));
    assert_eq!(rows[0]["our_verdict"], serde_json::Value::Null);
    let (status, _) = reader.ask("/conformance-packs/none").await;
    assert_eq!(status, 404);
}
