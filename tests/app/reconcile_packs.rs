//! Conformance packs in the aggregator beside those delivered, and notices of what AWS did not tell, against the stand-in.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION, Rules, item, pack_item};
use crate::harness::{database, said};
use crate::portal::{C, N, Reader, texts};

const OTHER: &str = "222222222222";
const THIRD: &str = "999999999999";
const SILENT: &str = "333333333333";
const PACKS: &str = "DescribeAggregateComplianceByConformancePacks";
const RULES: &str = "DescribeAggregateComplianceByConfigRules";
const DEFINITIONS: &str = "DescribeConfigRules";
const SHARED: &str = "OrgConformsPack-Shared-z6cn9v2w";
const OWN: &str = "Own";
const NAMED: [&str; 2] = ["--aggregator", "organization"];

/// A pack's item whose rules have ARNs, as AWS gives them.
fn pack(account: &str, name: &str, day: u8, rules: Rules<'_>) -> Value {
    let mut pack = pack_item(account, &format!("conformance-pack-{}", name.to_lowercase()), name, day, 5, rules);
    for entry in pack["configuration"]["configRuleList"].as_array_mut().unwrap() {
        let rule = entry["configRuleName"].as_str().unwrap().to_owned();
        entry["configRuleArn"] = format!("arn:aws:config:{REGION}:{account}:config-rule/{rule}").into();
    }
    pack
}

/// Three accounts on two days, and one on the first alone; all have a pack, one has a second.
fn snapshots(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    let mixed: Rules<'_> = &[("a", N), ("b", N), ("c", N), ("d", C), ("e", "INSUFFICIENT_DATA")];
    for day in [9, 10] {
        for account in [ACCOUNT, OTHER, THIRD, SILENT] {
            let mut items = vec![item(account, "x", day, 5, &[("a", N)]), pack(account, SHARED, day, mixed)];
            if account == ACCOUNT {
                items.push(pack(account, OWN, day, &[("d", C)]));
            }
            if day == 9 || account != SILENT {
                bucket.snapshot_items(account, REGION, day, 5, &items);
            }
        }
    }
    bucket
}

fn started(name: &str) -> StandIn {
    let aws = StandIn::start();
    aws.load(&snapshots(name).root);
    aws.describe(&json!({"config": {"bucket": BUCKET, "page_size": 2,
        "aggregators": [{"name": "organization", "account": THIRD, "region": REGION}]}}));
    aws
}

/// What AWS says otherwise than what was delivered.
fn otherwise(aws: &StandIn) {
    aws.describe(&json!({"config": {"packs": [
        {"name": SHARED, "account": OTHER, "members": {"NonCompliantRuleCount": 2, "CompliantRuleCount": 2}},
        {"name": OWN, "absent": true},
        {"added": "OrgConformsPack-Never-abcdefgh", "account": THIRD,
         "members": {"ComplianceType": "COMPLIANT", "CompliantRuleCount": 3, "TotalRuleCount": 7}}]}}));
}

/// What the download says of each account and pack.
async fn packs(reader: &Reader, query: &str) -> BTreeMap<(String, String), Value> {
    let rows = reader.json(&format!("/aggregator?rows=packs&format=json{query}")).await;
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.into_iter().map(|row| ((text(&row, "account_id"), text(&row, "conformance_pack")), row)).collect()
}

fn results(found: &BTreeMap<(String, String), Value>) -> Vec<(&str, &str, &str)> {
    found
        .iter()
        .map(|((account, pack), row)| (account.as_str(), pack.as_str(), row["result"].as_str().unwrap()))
        .collect()
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn packs_that_both_sides_tell_alike_agree_and_are_not_written_again() {
    let (aws, db) = (started("packs-agree"), database().await);
    aws.fault(&json!({"kind": "empty_page", "operation": PACKS, "times": 2}));
    let output = aws.collect(&db, &NAMED).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let words = "conformance packs: 4 agree, 0 differ, 0 only here, 0 only there, 1 not comparable";
    assert!(said(&output).contains(words), "{}", said(&output));
    assert_eq!(aws.calls(PACKS).len(), 5, "three pages of two, and two empty ones that carry a token");
    let ids = "select array_agg(pack_comparison_id order by pack_comparison_id) from pack_comparison";
    let first: Vec<i64> = sqlx::query_scalar(ids).fetch_one(&db).await.unwrap();
    assert_eq!(code(&aws.collect(&db, &NAMED).output().unwrap()), 0);
    let again: Vec<i64> = sqlx::query_scalar(ids).fetch_one(&db).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(aws.violations(), Vec::<Value>::new());

    let reader = Reader::new(&db).await;
    let page = reader.page("/aggregator").await;
    let lead = texts(&page, ".lead").join(" ");
    assert!(lead.contains("Of 5 verdicts of a conformance pack in an account and Region, 4 agree"), "{lead}");
    let rows = texts(&page, "#packs tbody tr");
    assert!(rows[0].contains("no evidence here for the day: missing") && rows[0].contains(SILENT), "{rows:?}");
    let failing = rows.iter().find(|row| row.contains(OTHER)).unwrap();
    let counts = "3 failing, 1 complying, 1 without data, of 5 rules";
    assert_eq!(failing.matches(counts).count(), 2, "{failing}");
    assert_eq!(failing.matches("10 Nov 2026 05:00:00 UTC").count(), 2, "both times: {failing}");
    assert_eq!(texts(&page, "#results tbody tr").len(), 4, "the rules stand in a table of their own");
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn packs_that_differ_tell_both_counts_and_a_pack_of_one_side_says_which() {
    let (aws, db) = (started("packs-differ"), database().await);
    otherwise(&aws);
    // Rules' counts are capped, packs' never.
    aws.describe(&json!({"config": {"cap": 0}}));
    let output = aws.collect(&db, &NAMED).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let reader = Reader::new(&db).await;
    let found = packs(&reader, "").await;
    assert_eq!(
        results(&found),
        [
            (ACCOUNT, "Own", "only here"),
            (ACCOUNT, "Shared", "agree"),
            (OTHER, "Shared", "differ"),
            (SILENT, "Shared", "not comparable"),
            (THIRD, "Never", "only there"),
            (THIRD, "Shared", "agree"),
        ]
    );
    let differs = &found[&(OTHER.to_owned(), "Shared".to_owned())];
    let number = |name: &str| differs[name].as_i64().unwrap();
    assert_eq!((number("failing_rules"), number("complying_rules"), number("rules")), (3, 1, 5));
    assert_eq!((number("aws_failing_rules"), number("aws_complying_rules"), number("aws_rules")), (2, 2, 5));
    assert_eq!((&differs["name"], &differs["evidence_taken_at"]), (&json!(SHARED), &json!("2026-11-10T05:00:00Z")));
    let silent = &found[&(SILENT.to_owned(), "Shared".to_owned())];
    assert_eq!(silent["reason"], "no evidence here for the day: missing");
    assert_eq!(silent["here"], Value::Null, "what was last known is not of the day");

    let (_, html) = reader.ask("/aggregator?pack-result=differ&pack=shar").await;
    assert!(html.contains("3 failing, 1 complying, 1 without data, of 5 rules"), "{html}");
    assert!(html.contains("2 failing, 2 complying, 1 without data, of 5 rules"));
    assert_eq!(html.matches("at least 0 resources").count(), 4, "of rules alone");
    assert_eq!(packs(&reader, "&pack-result=only-there").await.len(), 1);
    assert_eq!(packs(&reader, &format!("&account={ACCOUNT}&pack=OWN")).await.len(), 1);
    assert_eq!(packs(&reader, "&region=eu-west-1").await.len(), 0);
    let sorted = reader.page("/aggregator?packs-sort=-pack").await;
    let rows = texts(&sorted, "#packs tbody tr");
    assert!(rows[0].contains("Own") && rows[5].contains("Never"), "{rows:?}");
    assert_eq!(reader.ask("/aggregator?pack-result=wrong").await.0, 400);

    // AWS's later answer puts it right, and history keeps what was.
    aws.describe(&json!({"config": {"packs": []}}));
    assert_eq!(code(&aws.collect(&db, &NAMED).output().unwrap()), 0);
    let found = packs(&reader, "").await;
    assert_eq!(found.values().filter(|row| row["result"] == "agree").count(), 4, "{found:?}");
    assert_eq!(found.len(), 5, "what neither side has is compared no longer");
    let closed = "select count(*) from aggregate_pack where until_reading is not null";
    assert_eq!(sqlx::query_scalar::<_, i64>(closed).fetch_one(&db).await.unwrap(), 2);
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_pack_that_the_aggregator_alone_has_is_reached_and_says_that_it_never_came() {
    let (aws, db) = (started("packs-there"), database().await);
    otherwise(&aws);
    assert_eq!(code(&aws.collect(&db, &NAMED).output().unwrap()), 0);
    let reader = Reader::new(&db).await;
    let page = reader.page("/aggregator?pack-result=only-there").await;
    let link = scraper::Selector::parse("#packs tbody a").unwrap();
    let href = page.select(&link).next().unwrap().attr("href").unwrap().to_owned();
    assert_eq!(href, "/conformance-packs/Never");
    let pack = reader.page(&href).await;
    let lead = texts(&pack, ".lead").join(" ");
    assert!(lead.starts_with("The evidence of 10 Nov 2026 (UTC) does not hold this pack."), "{lead}");
    assert!(lead.contains("names it in 1 account-Region; it never came in a delivery from there."), "{lead}");
    let rows = texts(&pack, "#elsewhere tbody tr");
    assert_eq!(rows, [format!("{THIRD} {REGION} OrgConformsPack-Never-abcdefgh ● COMPLIANT 0 3 4 7 never")]);
    let rows = reader.json("/conformance-packs/Never?rows=elsewhere&format=json").await;
    assert_eq!((rows.len(), &rows[0]["aws_rules_without_data"]), (1, &json!(4)));

    // An account is asked for by its id or by a part of its name, for the lead as for the rows.
    sqlx::query(
        "insert into account (organization_id, account_id, name, status)
         values (1, $1, 'The shop', 'ACTIVE') on conflict (organization_id, account_id) do update set name = excluded.name",
    )
    .bind(THIRD)
    .execute(&db)
    .await
    .unwrap();
    for (query, places) in [("account=SHOP", 1), ("account=999999999999", 1), ("account=bank", 0), ("region=x", 0)] {
        // Another reader remembers nothing of the names that were.
        let reader = Reader::new(&db).await;
        let pack = reader.page(&format!("/conformance-packs/Never?{query}")).await;
        assert_eq!(texts(&pack, "#elsewhere tbody tr").len(), places, "{query}");
        let lead = texts(&pack, ".lead").join(" ");
        assert_eq!(lead.contains("names it in 1 account-Region;"), places == 1, "{query}: {lead}");
        assert_eq!(lead.contains("the filters leave none"), places == 0, "{query}: {lead}");
        let rows = reader.json(&format!("/conformance-packs/Never?{query}&rows=elsewhere&format=json")).await;
        assert_eq!(rows.len(), places, "{query}");
    }
    let list = reader.page("/conformance-packs").await;
    assert!(texts(&list, "main").join(" ").contains("The aggregator names these too"), "{:?}", texts(&list, "main"));
    assert_eq!(reader.ask("/conformance-packs/None").await.0, 404);

    // Where another place delivers it, the page tells both apart.
    aws.describe(&json!({"config": {"packs": [{"added": OWN, "account": OTHER}]}}));
    assert_eq!(code(&aws.collect(&db, &NAMED).output().unwrap()), 0);
    let own = reader.page("/conformance-packs/Own").await;
    assert_eq!((texts(&own, "#places tbody tr").len(), texts(&own, "#elsewhere tbody tr").len()), (1, 1));
    assert!(texts(&own, ".lead").join(" ").starts_with("Deployed in 1 account-Region"));
    assert_eq!(reader.ask("/conformance-packs/Never").await.0, 404, "neither side has it any more");
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn without_a_pack_on_either_side_the_page_says_so() {
    let aws = StandIn::start();
    let bucket = Bucket::new("packs-none");
    bucket.snapshot(10, 5, &[("a", &[("r", C)])]);
    aws.load(&bucket.root);
    aws.describe(&json!({"config": {"bucket": BUCKET,
        "aggregators": [{"name": "organization", "account": THIRD, "region": REGION}]}}));
    let db = database().await;
    assert_eq!(code(&aws.collect(&db, &NAMED).output().unwrap()), 0);
    let reader = Reader::new(&db).await;
    let page = reader.page("/aggregator").await;
    assert!(texts(&page, "main").join(" ").contains("Neither side has one"));
    assert!(!texts(&page, ".lead").join(" ").contains("conformance"));
}

/// Many packs, as a large organisation's comparison leaves them.
async fn many(db: &PgPool) {
    sqlx::query(
        "insert into pack_comparison (organization_id, account_id, region, pack_name, core_name, verdict, reason,
             here_compliance, here_compliant, here_non_compliant, here_total)
         select organization_id, $1, 'eu-west-1', 'Pack-' || to_char(n, 'FM000'), 'Pack', 1, '', 'COMPLIANT', n, 0, n
         from generate_series(1, 250) n, organization",
    )
    .bind(OTHER)
    .execute(db)
    .await
    .unwrap();
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn many_packs_are_paged_without_moving_the_rules_beside_them() {
    let (aws, db) = (started("packs-many"), database().await);
    assert_eq!(code(&aws.collect(&db, &NAMED).output().unwrap()), 0);
    many(&db).await;
    let reader = Reader::new(&db).await;
    let next = scraper::Selector::parse("nav[aria-label='Pages of Conformance packs on both sides'] a[rel]").unwrap();
    let mut address = "/aggregator?packs-sort=-pack".to_owned();
    let mut seen = Vec::new();
    for wanted in [100, 100, 55] {
        let page = reader.page(&address).await;
        let rows = texts(&page, "#packs tbody tr");
        assert_eq!(rows.len(), wanted, "{address}");
        assert_eq!(texts(&page, "#results tbody tr").len(), 4, "{address}");
        seen.extend(rows);
        let links: Vec<_> = page.select(&next).filter(|link| link.attr("rel") == Some("next")).collect();
        assert_eq!(links.len(), usize::from(seen.len() < 255), "{address}");
        address = links.first().map(|link| link.attr("href").unwrap().to_owned()).unwrap_or_default();
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (255, 255), "each row once");
    assert!(seen[0].contains("Pack-250") && seen[254].contains("OrgConformsPack"), "{}", seen[0]);
    assert_eq!(reader.json("/aggregator?rows=packs&format=json").await.len(), 255);
}

/// Kind, what it is about, whether open.
async fn notices(db: &PgPool) -> Vec<(String, String, bool)> {
    sqlx::query_as("select kind, about, closed_at is null from notice where kind like '%unread' order by notice_id")
        .fetch_all(db)
        .await
        .unwrap()
}

fn rows(rows: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    rows.iter().map(|(kind, about, open)| ((*kind).to_owned(), (*about).to_owned(), *open)).collect()
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn an_aggregator_that_cannot_be_read_is_a_notice_for_each_cause_until_it_can() {
    let (aws, db) = (started("unread-aggregator"), database().await);
    let collect = |wanted: i32, more: &[&str]| {
        let output = aws.collect(&db, &[&NAMED[..], &["--aws-attempts", "1"], more].concat()).output().unwrap();
        assert_eq!(code(&output), wanted, "{}", said(&output));
    };
    let kind = "aggregator-unread";
    let mut wanted = Vec::new();
    for (fault, cause) in [
        (json!({"kind": "deny"}), "denied"),
        (json!({"kind": "throttle"}), "throttled"),
        (json!({"kind": "region_disabled"}), "region off"),
        (json!({"kind": "expired"}), "expired"),
        (json!({"kind": "server_error", "status": 500}), "failed"),
    ] {
        let mut fault = fault;
        fault["operation"] = RULES.into();
        fault["times"] = Value::Null;
        aws.fault(&fault);
        wanted.push((kind, cause, true));
        for _ in 0..2 {
            collect(2, &[]);
            assert_eq!(notices(&db).await, rows(&wanted), "once for the cause");
        }
        aws.clear_faults();
    }
    let gone = aws.collect(&db, &["--aggregator", "nothing"]).output().unwrap();
    assert_eq!(code(&gone), 2, "{}", said(&gone));
    wanted.push((kind, "not found", true));
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 0);
    assert_eq!(notices(&db).await, rows(&wanted), "a collection that asks no aggregator says nothing of it");

    let reader = Reader::new(&db).await;
    let list = texts(&reader.page("/notices?kind=aggregator-unread").await, "tbody tr").join(" ");
    assert!(list.contains("aggregator organization could not be read: access was denied: config:"), "{list}");
    let id: i64 =
        sqlx::query_scalar("select min(notice_id) from notice where about = 'denied'").fetch_one(&db).await.unwrap();
    assert!(reader.ask(&format!("/notices/{id}")).await.1.contains("href=\"/aggregator"));

    collect(0, &[]);
    assert!(notices(&db).await.iter().all(|(_, _, open)| !open), "it works again");
    // What comes back is told again.
    aws.fault(&json!({"kind": "deny", "operation": PACKS, "times": null}));
    collect(2, &[]);
    assert_eq!(notices(&db).await.iter().filter(|(_, _, open)| *open).count(), 1);
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn rules_that_cannot_be_read_are_a_notice_for_each_cause_until_they_can() {
    let (aws, db) = (started("unread-definitions"), database().await);
    aws.describe(&json!({"roles": [{"arn": "arn:aws:iam::*:role/AuditfolioMember"}]}));
    let collect = |wanted: i32| {
        let more = ["--rule-definitions", "--aws-member-role", "AuditfolioMember", "--aws-attempts", "1"];
        let output = aws.collect(&db, &more).output().unwrap();
        assert_eq!(code(&output), wanted, "{}", said(&output));
    };
    let fault = |kind: &str, account: &str| {
        aws.fault(&json!({"kind": kind, "operation": DEFINITIONS, "account": account, "times": null}));
    };
    fault("deny", ACCOUNT);
    fault("deny", OTHER);
    fault("region_disabled", THIRD);
    collect(2);
    let kind = "definitions-unread";
    let mut wanted = vec![(kind, "denied", true), (kind, "region off", true)];
    assert_eq!(notices(&db).await, rows(&wanted), "one for a cause, however many accounts");
    let members: Value = sqlx::query_scalar("select facts -> 'members' from notice where about = 'denied'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(members, json!([format!("{ACCOUNT} {REGION}"), format!("{OTHER} {REGION}")]));
    collect(2);
    assert_eq!(notices(&db).await, rows(&wanted));

    // One is throttled instead: another cause, and the first is over only when both can be read.
    aws.clear_faults();
    fault("throttle", OTHER);
    collect(2);
    wanted = vec![(kind, "denied", true), (kind, "region off", false), (kind, "throttled", true)];
    assert_eq!(notices(&db).await, rows(&wanted));
    aws.clear_faults();
    collect(0);
    assert!(notices(&db).await.iter().all(|(_, _, open)| !open), "{:?}", notices(&db).await);
    let page = Reader::new(&db).await.page("/notices?kind=definitions-unread").await;
    assert!(texts(&page, "tbody tr").join(" ").contains("What rules ask for could not be read in 2 account-Regions"));
}
