//! The command that exports populations.

use std::collections::BTreeMap;

use auditfolio::collection::{self, Progress};
use auditfolio::compliance::evidence::KnownAt;
use auditfolio::compliance::evidence::export::{ExportArgs, ExportFormat, run};
use auditfolio::database::read_only;
use auditfolio::sample::{Expected, generate};
use time::Date;

use crate::harness::database;
use crate::portal::{Reader, texts};
use crate::sample::{Scratch, small};
use crate::sample_collected::collecting;
use crate::world::{Said, World, three_days};

fn args(days: &[Date], format: ExportFormat) -> ExportArgs {
    let (as_of, from, until) = match days {
        [day] => (Some(*day), None, None),
        [from, until] => (None, Some(*from), Some(*until)),
        _ => panic!("one day or two"),
    };
    ExportArgs { as_of, from, until, known_at: None, accounts: vec![], scope: None, format }
}

async fn export(world: &World, args: &ExportArgs) -> anyhow::Result<String> {
    let mut out = Vec::new();
    let exported = run(args, "Example", &world.db, &mut out).await?;
    assert!(exported.whole);
    Ok(String::from_utf8(out).unwrap())
}

#[actix_web::test]
async fn a_day_is_exported_safe_for_spreadsheets_and_exact_in_json() {
    let world = three_days(&database().await).await;
    let day = world.date(1);
    let csv = export(&world, &args(&[day], ExportFormat::Csv)).await.unwrap();
    assert_eq!(
        csv.lines().map(str::trim_end).collect::<Vec<_>>(),
        [
            "day,account_id,region,rule_name,rule_identifier,resource_type,resource_id,status,since,snapshot_at,delivery",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::EC2::Instance,b,COMPLIANT,2026-11-01T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::S3::Bucket,\"'=cmd\",NON_COMPLIANT,2026-11-02T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::S3::Bucket,B,COMPLIANT,2026-11-01T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::S3::Bucket,b,COMPLIANT,2026-11-01T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
        ]
    );
    let lines = export(&world, &args(&[day], ExportFormat::Jsonl)).await.unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1]["resource_id"], "=cmd");
    let array: Vec<serde_json::Value> =
        serde_json::from_str(&export(&world, &args(&[day], ExportFormat::Json)).await.unwrap()).unwrap();
    assert_eq!(array, lines);
}

#[actix_web::test]
async fn a_period_is_exported_with_its_days_and_deviations() {
    let world = three_days(&database().await).await;
    let period = [world.date(0), world.date(3)];
    let lines = export(&world, &args(&period, ExportFormat::Jsonl)).await.unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[1],
        serde_json::json!({
            "account_id": "000000000012", "region": "eu-central-1", "rule_name": "a-rule", "rule_identifier": "A_RULE",
            "resource_type": "AWS::S3::Bucket", "resource_id": "=cmd",
            "days_expected": 4, "days_observed": 2, "days_complying": 1, "days_not_complying": 1, "days_unknown": 1,
            "deviations": [{
                "last_day_known_good": "2026-11-01", "first_day_bad": "2026-11-02", "last_day_bad": "2026-11-02",
                "first_day_good_again": null, "gap_days": 1, "ended": "gone with resource",
                "first_day_otherwise": "2026-11-04",
            }],
        })
    );
    let text = export(&world, &args(&period, ExportFormat::Csv)).await.unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 4);
    let deviations: serde_json::Value = serde_json::from_str(&records[1][11]).unwrap();
    assert_eq!(deviations, lines[1]["deviations"]);
    assert_eq!(&records[0][11], "[]");
}

#[actix_web::test]
async fn an_export_of_what_was_never_collected_is_refused_and_says_why() {
    let world = three_days(&database().await).await;
    let refused = async |args: ExportArgs| export(&world, &args).await.unwrap_err().to_string();
    let day = args(&[world.date(1)], ExportFormat::Csv);

    let never = refused(args(&[world.date(9)], ExportFormat::Csv)).await;
    assert!(never.contains("the collected days are 2026-11-01 to 2026-11-04"), "{never}");
    let backwards = refused(args(&[world.date(2), world.date(1)], ExportFormat::Csv)).await;
    assert!(backwards.contains("before it begins"), "{backwards}");
    let beyond = refused(args(&[world.date(2), world.date(9)], ExportFormat::Csv)).await;
    assert!(beyond.contains("after the last collected day, 2026-11-04"), "{beyond}");
    let account = refused(ExportArgs { accounts: vec!["999999999999".into()], ..day.clone() }).await;
    assert!(account.contains("999999999999"), "{account}");
    let collection = refused(ExportArgs { known_at: Some(77), ..day.clone() }).await;
    assert!(collection.contains("no collection 77"), "{collection}");
    let running = world.begin().await;
    let unfinished = refused(ExportArgs { known_at: Some(running), ..day.clone() }).await;
    assert!(unfinished.contains("has not finished"), "{unfinished}");
    let organization = run(&day, "Other", &world.db, Vec::new()).await.unwrap_err().to_string();
    assert!(organization.contains("no organisation \"Other\""), "{organization}");
}

#[actix_web::test]
async fn what_a_collection_knew_is_settled_only_when_none_before_it_runs() {
    let world = three_days(&database().await).await;
    let (slow, fast) = (world.begin().await, world.begin().await);
    world.finish(fast).await;
    let mut read = read_only(&world.db).await.unwrap();
    let latest = KnownAt::latest(&mut read, world.organization_id).await.unwrap();
    assert_eq!(latest, Some(KnownAt(slow - 1)), "the one that still runs may yet write below {fast}");
    let refused = KnownAt::asked(&mut read, world.organization_id, fast).await.unwrap_err().to_string();
    assert!(refused.contains("still runs"), "{refused}");
    drop(read);
    world.finish(slow).await;
    let mut read = read_only(&world.db).await.unwrap();
    assert_eq!(KnownAt::latest(&mut read, world.organization_id).await.unwrap(), Some(KnownAt(fast)));
}

#[actix_web::test]
async fn an_export_holds_only_the_accounts_that_were_asked_for() {
    let db = database().await;
    let mut world = three_days(&db).await;
    let collection_id = world.begin().await;
    let said = Said::from([((world.rules[1], world.places[2].resources[0]), 2)]);
    let days = BTreeMap::from([(world.day(1), Some(said))]);
    world.collect(collection_id, 2, days).await;
    world.finish(collection_id).await;
    let mut asked = args(&[world.date(1)], ExportFormat::Csv);
    let count = async |args: &ExportArgs| export(&world, args).await.unwrap().lines().count() - 1;
    assert_eq!(count(&asked).await, 5);
    asked.accounts = vec!["000000000003".into()];
    assert_eq!(count(&asked).await, 1);
    asked.known_at = Some(collection_id - 1);
    assert_eq!(count(&asked).await, 0, "not delivered yet");
}

#[actix_web::test]
async fn every_export_is_in_the_audit_log() {
    let world = three_days(&database().await).await;
    let asked = ExportArgs { accounts: vec!["000000000012".into()], ..args(&[world.date(1)], ExportFormat::Jsonl) };
    export(&world, &asked).await.unwrap();
    let (act, object, detail): (String, String, serde_json::Value) =
        sqlx::query_as("select act, object, detail from audit_log").fetch_one(&world.db).await.unwrap();
    assert_eq!((act.as_str(), object.as_str()), ("export", "population of 2026-11-02"));
    assert_eq!(detail["accounts"], serde_json::json!(["000000000012"]));
    assert_eq!(detail["format"], "jsonl");
}

/// Takes some bytes, then says that nobody reads on, or that the disk is full.
struct Ends(usize, std::io::ErrorKind);

impl std::io::Write for Ends {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn a_reader_that_has_enough_is_no_error_and_a_full_disk_is() {
    use std::io::ErrorKind::{BrokenPipe, StorageFull};
    let world = three_days(&database().await).await;
    let asked = args(&[world.date(1)], ExportFormat::Csv);
    assert!(!run(&asked, "Example", &world.db, Ends(10, BrokenPipe)).await.unwrap().whole);
    run(&asked, "Example", &world.db, Ends(10, StorageFull)).await.unwrap_err();
}

/// So many rows of each account, Region and state of delivery.
type Rows = BTreeMap<(String, String, String), u64>;

fn counted<'a>(rows: impl Iterator<Item = [&'a str; 3]>) -> Rows {
    let mut counts = Rows::new();
    for [account_id, region, delivery] in rows {
        *counts.entry((account_id.to_owned(), region.to_owned(), delivery.to_owned())).or_default() += 1;
    }
    counts
}

fn counted_json(rows: &[serde_json::Value]) -> Rows {
    counted(rows.iter().map(|row| ["account_id", "region", "delivery"].map(|name| row[name].as_str().unwrap())))
}

fn counted_csv(text: &str) -> Rows {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let at = ["account_id", "region", "delivery"]
        .map(|name| reader.headers().unwrap().iter().position(|header| header == name).unwrap());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    counted(records.iter().map(|record| at.map(|at| &record[at])))
}

#[actix_web::test]
async fn rows_say_whether_their_place_delivered_or_was_inferred_from_history() {
    let db = database().await;
    let folder = Scratch::new("export-inferred");
    let options = small(&folder);
    let summary = generate(&options, |_| ()).unwrap();
    collection::run(&db, &collecting(&options, &summary), &Progress::silent()).await.unwrap();
    let expected = Expected::read(&options.out).unwrap();
    let history_only = &expected.cases.iter().find(|case| case.case == "delivers history only").unwrap().account_id;
    let truth = expected.days.last().unwrap();
    let wanted: Rows = truth
        .places
        .iter()
        .map(|place| {
            let it = &place.counts;
            let all = it.complying + it.not_complying + it.insufficient_data + it.not_applicable + it.unrecognised;
            ((place.account_id.clone(), place.region.clone(), place.state.clone()), all)
        })
        .filter(|(place, all)| *all > 0 && (place.2.starts_with("delivered") || place.2 == "inferred from history"))
        .collect();
    let of_it: Vec<_> = wanted.iter().filter(|((account_id, ..), _)| account_id == history_only).collect();
    assert!(!of_it.is_empty() && of_it.iter().all(|((.., state), _)| state == "inferred from history"), "{of_it:?}");
    assert!(wanted.keys().any(|(.., state)| state == "delivered"), "{wanted:?}");

    let text = async |format| {
        let mut out = Vec::new();
        run(&args(&[truth.day], format), "Example", &db, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    };
    let lines = text(ExportFormat::Jsonl).await;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(counted_json(&lines), wanted);
    assert_eq!(counted_json(&serde_json::from_str::<Vec<_>>(&text(ExportFormat::Json).await).unwrap()), wanted);
    assert_eq!(counted_csv(&text(ExportFormat::Csv).await), wanted);

    // The page's rows are the same, and it counts as many.
    let reader = Reader::new(&db).await;
    let address = format!("/evaluations?as_of={}&account={history_only}", truth.day);
    let rows: u64 = of_it.iter().map(|(_, count)| **count).sum();
    let page = reader.page(&address).await;
    let lead = texts(&page, ".lead").concat();
    assert!(lead.starts_with(&format!("{rows} evaluations ")), "{lead}");
    let of_page = reader.json(&format!("{address}&format=json")).await;
    let of_it: Rows = of_it.into_iter().map(|(place, count)| (place.clone(), *count)).collect();
    assert_eq!(counted_json(&of_page), of_it);
}
