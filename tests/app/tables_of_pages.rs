//! The tables of the pages of accounts, rules, resources, evaluations and conformance packs: sorted on every column in both
//! directions, narrowed by every filter, and the same rows as CSV and JSON.

use std::collections::BTreeSet;

use auditfolio::collection::{Options, Progress};
use scraper::Html;
use serde_json::{Value, json};

use crate::bucket::{ACCOUNT, Bucket, REGION, Rules, item, options, pack_item};
use crate::harness::database;
use crate::portal::{C, N, OTHER, Reader, selector, texts, walk};

const THIRD: &str = "222233334444";
const EAST: &str = "us-east-1";
const ODD: &str = "BEWILDERING";
const NO_DATA: &str = "INSUFFICIENT_DATA";
const PACK_ID: &str = "conformance-pack-k3yq7n1xz";
const PACK: &str = "OrgConformsPack-NIST-CSF-z6cn9v2w";
const LOGGING: &str = "s3-bucket-logging-enabled";
const PACKED: &str = "s3-bucket-logging-enabled-conformance-pack-k3yq7n1xz";
const KEYS: &str = "access-keys-rotated-conformance-pack-k3yq7n1xz";
const ROOT: &str = "iam-root-access-key-check";
const HOSTILE: [&str; 5] = ["a,b \"c\"", "=cmd|' /C calc'!A0", "<b>bold</b>", "כלל ראשון", "-1"];

/// A resource that is no bucket.
fn instance(account: &str, id: &str, day: u8, rules: Rules<'_>) -> Value {
    let mut item = item(account, id, day, 5, rules);
    item["configuration"]["targetResourceType"] = "AWS::EC2::Instance".into();
    item["resourceId"] = format!("AWS::EC2::Instance/{id}").into();
    item
}

/// Three accounts in two Regions on four days, under names that a page or a spreadsheet could misread. The second is
/// silent on the last day, the third lacks most rules and is not seen in one Region.
async fn collected(name: &str) -> Reader {
    let db = database().await;
    let bucket = Bucket::new(name);
    for day in 1..=4 {
        let failing = if day > 2 { N } else { C };
        let rules: Vec<(&str, &str)> = HOSTILE
            .iter()
            .zip([N, C, failing, NO_DATA, ODD])
            .chain([(&LOGGING, failing), (&ROOT, N)])
            .map(|(rule, status)| (*rule, status))
            .collect();
        let mut items: Vec<Value> = HOSTILE.iter().map(|id| item(ACCOUNT, id, day, 5, &rules)).collect();
        items.push(instance(
            ACCOUNT,
            "i-1",
            day,
            &[(ROOT, if day == 2 { C } else { N }), (HOSTILE[0], "NOT_APPLICABLE")],
        ));
        items.push(item(ACCOUNT, "packed", day, 5, &[(PACKED, C), (KEYS, NO_DATA)]));
        items.push(pack_item(ACCOUNT, PACK_ID, PACK, day, 5, &[(PACKED, C), (KEYS, NO_DATA)]));
        bucket.snapshot_items(ACCOUNT, REGION, day, 5, &items);
        bucket.snapshot_items(
            ACCOUNT,
            EAST,
            day,
            5,
            &[item(ACCOUNT, "east", day, 5, &[(LOGGING, C), (HOSTILE[1], N)])],
        );
        if day < 4 {
            let items = [
                item(OTHER, "quiet", day, 5, &[(LOGGING, N), (PACKED, N), (KEYS, C)]),
                pack_item(OTHER, PACK_ID, PACK, day, 5, &[(PACKED, N), (KEYS, C)]),
            ];
            bucket.snapshot_items(OTHER, REGION, day, 5, &items);
        }
        bucket.snapshot_items(THIRD, REGION, day, 5, &[item(THIRD, "third", day, 5, &[(LOGGING, C)])]);
    }
    let named = [(ACCOUNT, "Shop, \"Ltd\""), (OTHER, "=cmd"), (THIRD, "<b>חנות</b>")];
    let lists = ["2026-10-01", "2026-11-02", "2026-11-03"].iter().enumerate().map(|(at, day)| {
        let accounts: Vec<Value> = named
            .iter()
            .map(|(id, name)| json!({"Id": id, "Name": format!("{name}{}", "!".repeat(2 - at)), "Status": "ACTIVE"}))
            .collect();
        let list = bucket.root.join(format!("accounts-{day}.json"));
        std::fs::write(&list, json!({"Accounts": accounts}).to_string()).unwrap();
        list
    });
    let accounts = lists.collect();
    let options = Options { accounts, regions: vec![REGION.to_owned(), EAST.to_owned()], ..options(&bucket.root) };
    auditfolio::collection::run(&db, &options, &Progress::silent()).await.unwrap();
    Reader::new(&db).await
}

/// A table of a page.
struct Of {
    /// The page with its filters, after which more can follow.
    page: String,
    id: &'static str,
    /// The parameter that sorts it.
    sort: &'static str,
    /// What each row is told by: on the page, and the field of its file.
    keys: fn(&Html) -> Vec<String>,
    field: &'static str,
    /// Heads without an order.
    unsorted: &'static [&'static str],
}

fn and(address: &str, pair: &str) -> String {
    format!("{address}{}{pair}", if address.contains('?') { '&' } else { '?' })
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a CSV cell of some text holds: a formula is none.
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

impl Of {
    async fn json(&self, reader: &Reader, more: &str) -> Vec<Value> {
        reader.json(&and(&and(&self.page, more), &format!("rows={}&format=json", self.id))).await
    }

    /// The page, CSV, JSON and JSON lines hold the same rows in the same order, usual and in each order of each column.
    async fn check(&self, reader: &Reader) -> usize {
        let html = reader.page(&self.page).await;
        let head_of_table = selector(&format!("#{} thead th", self.id));
        let mut orders = vec![String::new()];
        for head in html.select(&head_of_table) {
            let title = head.text().collect::<String>();
            let href = head.select(&selector("a")).next().and_then(|link| link.attr("href"));
            let Some(href) = href else {
                assert!(self.unsorted.iter().any(|unsorted| title.contains(unsorted)), "{}: {title}", self.id);
                continue;
            };
            let mark = format!("{}=", self.sort);
            let at = href.find(&format!("?{mark}")).or_else(|| href.find(&format!("&{mark}"))).unwrap() + 1;
            let word = href[at + mark.len()..].split(['&', '#']).next().unwrap().trim_start_matches('-').to_owned();
            assert!(href.contains(&format!("#{}", self.id)) || self.sort == "sort", "{href}");
            orders.push(format!("{mark}{word}"));
            orders.push(format!("{mark}-{word}"));
        }
        assert!(orders.len() > 2, "{} has no orders", self.id);
        let mut usual: Vec<String> = self.json(reader, "").await.iter().map(Value::to_string).collect();
        usual.sort();
        for order in &orders {
            let rows = self.json(reader, order).await;
            let mut sorted: Vec<String> = rows.iter().map(Value::to_string).collect();
            sorted.sort();
            assert_eq!(sorted, usual, "{} {order}: the same rows", self.id);
            let keys: Vec<String> = rows.iter().map(|row| word(&row[self.field])).collect();
            let (shown, _) = walk(reader, &and(&self.page, order), self.id, self.keys).await;
            assert_eq!(shown, keys, "{} {order}", self.id);
            self.same_files(reader, order, &rows).await;
        }
        for pair in orders[1..].chunks(2) {
            self.turned_round(reader, &pair[0], &pair[1]).await;
        }
        assert_eq!(html.select(&selector("tbody b, tbody i")).count(), 0, "{}: a name is text", self.id);
        usual.len()
    }

    async fn same_files(&self, reader: &Reader, order: &str, rows: &[Value]) {
        let address = |format| and(&and(&self.page, order), &format!("rows={}&format={format}", self.id));
        let (_, text) = reader.ask(&address("csv")).await;
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let column = csv.headers().unwrap().iter().position(|name| name == self.field).unwrap();
        let found: Vec<String> = csv.records().map(|record| record.unwrap()[column].to_owned()).collect();
        let raw = |row: &Value| row[self.field].as_str().map_or_else(|| word(&row[self.field]), safe);
        assert_eq!(found, rows.iter().map(raw).collect::<Vec<_>>(), "{} {order}", self.id);
        let (_, text) = reader.ask(&address("jsonl")).await;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, rows, "{} {order}", self.id);
    }

    /// Rows that hold the same stand together, in the one direction and in the other turned round, nothing at the end.
    async fn turned_round(&self, reader: &Reader, up: &str, down: &str) {
        let field = up.split('=').nth(1).unwrap();
        let values = async |order: &str| -> Vec<Value> {
            let rows = self.json(reader, order).await;
            let mut values: Vec<Value> = rows.iter().map(|row| row[field].clone()).collect();
            values.dedup();
            let nothing = values.iter().position(Value::is_null);
            assert!(nothing.is_none_or(|at| at + 1 == values.len()), "{} {order}: {values:?}", self.id);
            values.retain(|value| !value.is_null());
            values
        };
        let (up_values, mut down_values) = (values(up).await, values(down).await);
        down_values.reverse();
        assert_eq!(up_values, down_values, "{} {up}", self.id);
        if up_values.iter().all(Value::is_number) {
            let numbers: Vec<i64> = up_values.iter().filter_map(Value::as_i64).collect();
            assert!(numbers.is_sorted(), "{} {up}: {numbers:?}", self.id);
        }
    }
}

#[actix_web::test]
async fn every_table_of_an_account_is_sorted_and_handed_out() {
    let reader = collected("tables-account").await;
    let page = format!("/accounts/{ACCOUNT}");
    let of = |id, sort, field, keys: fn(&Html) -> Vec<String>| Of {
        page: page.clone(),
        id,
        sort,
        keys,
        field,
        unsorted: &[],
    };
    let rows = of("regions", "sort", "region", |html| texts(html, "#regions tbody th")).check(&reader).await;
    assert_eq!(rows, 2);
    let delivery = of("delivery", "delivery-sort", "region", |html| texts(html, "#delivery tbody th"));
    assert_eq!(Of { unsorted: &["Days"], ..delivery }.check(&reader).await, 2);
    let rows =
        of("failures", "failures-sort", "severity", |html| texts(html, "#failures tbody th")).check(&reader).await;
    assert_eq!(rows, 3, "CRITICAL, MEDIUM and rules of our own");
    let rows = of("unknown", "unknown-sort", "why", |html| texts(html, "#unknown tbody th")).check(&reader).await;
    assert_eq!(rows, 3);
    let rows = of("packs", "packs-sort", "name", |html| texts(html, "#packs tbody th")).check(&reader).await;
    assert_eq!(rows, 1);
    let rows =
        of("files", "files-sort", "key", |html| texts(html, "#files tbody th summary + .id")).check(&reader).await;
    assert_eq!(rows, 2);
    let rows = of("history", "history-sort", "name", |html| texts(html, "#history tbody td:nth-child(3)"))
        .check(&reader)
        .await;
    assert_eq!(rows, 3, "its name was given three times");
    let third = Of {
        page: format!("/accounts/{THIRD}"),
        ..of("absent", "absent-sort", "rule", |html| texts(html, "#absent tbody th"))
    };
    assert_eq!(third.check(&reader).await, 7, "five names of ours, the key of root and the rotation of keys");
}

#[actix_web::test]
async fn an_account_is_narrowed_with_its_counts_and_its_files() {
    let reader = collected("tables-account-filters").await;
    for filter in [
        "",
        "&severity=critical",
        "&rule=a,b",
        "&type=AWS::EC2::Instance",
        "&region=us-east-1",
        "&severity=critical&type=AWS::S3::Bucket",
        "&rule=s3-bucket&status=compliant",
        "&status=unknown",
        "&status=non-compliant&region=eu-central-1",
        "&type=AWS::None::Such",
    ] {
        for account in [ACCOUNT, OTHER] {
            let (page, bare) =
                (format!("/accounts/{account}?as_of=2026-11-04{filter}"), filter.replace("&status", "&was"));
            let status = filter.split("status=").nth(1).map_or("", |rest| rest.split('&').next().unwrap());
            let filters = bare.split('&').filter(|pair| !pair.starts_with("was=")).collect::<Vec<_>>().join("&");
            let evaluations = async |status: &str| -> usize {
                let of = format!("/evaluations?as_of=2026-11-04&account={account}{filters}&format=json");
                reader.json(&and(&of, &format!("status={status}"))).await.len()
            };
            let rows = async |id: &str| reader.json(&format!("{page}&rows={id}&format=json")).await;
            let sum = |rows: &[Value], field: &str| -> usize {
                rows.iter().map(|row| usize::try_from(row[field].as_u64().unwrap()).unwrap()).sum()
            };
            let failing = if matches!(status, "" | "non-compliant") { evaluations("non-compliant").await } else { 0 };
            let failures = rows("failures").await;
            assert_eq!(sum(&failures, "failing"), failing, "{page}");
            let unknown = if matches!(status, "" | "unknown") { evaluations("unknown").await } else { 0 };
            assert_eq!(sum(&rows("unknown").await, "evaluations"), unknown, "{page}");
            let html = reader.page(&page).await;
            let lead = texts(&html, "main").concat();
            assert!(lead.contains(&format!("{failing} failing evaluation")), "{page}");
            let regions = rows("regions").await;
            if status.is_empty() {
                assert_eq!(sum(&regions, "not_complying"), failing, "{page}");
                assert_eq!(sum(&regions, "complying"), evaluations("compliant").await, "{page}");
                assert_eq!(sum(&regions, "unknown"), unknown, "{page}");
            } else {
                assert_eq!(regions.is_empty(), evaluations(status).await == 0, "{page}");
                assert!(lead.contains(&format!("{} evaluation", evaluations(status).await)), "{page}");
            }
            assert_eq!(texts(&html, "#regions tbody tr").len(), regions.len(), "{page}");
            assert_eq!(lead.contains("narrowed by the Region alone"), !filter.is_empty(), "{page}");
        }
    }
    let packs =
        async |filter: &str| reader.json(&format!("/accounts/{ACCOUNT}?rows=packs&format=json{filter}")).await.len();
    assert_eq!(
        [
            packs("&rule=access-keys").await,
            packs("&rule=iam").await,
            packs("&status=compliant").await,
            packs("&status=non-compliant").await
        ],
        [1, 0, 1, 0]
    );
    let absent = |filter: &str| format!("/accounts/{THIRD}?rows=absent&format=json{filter}");
    assert_eq!(reader.json(&absent("&severity=critical")).await.len(), 1);
    assert_eq!(reader.json(&absent("&status=compliant")).await.len(), 0, "what is absent has no status");
}

#[actix_web::test]
async fn the_tables_of_a_resource_are_sorted_narrowed_and_handed_out() {
    let reader = collected("tables-resource").await;
    let page = format!("/resources?account={ACCOUNT}&region={REGION}&type=AWS::S3::Bucket&id=%3Db%3E");
    let page = page.replace("%3Db%3E", "%3Cb%3Ebold%3C%2Fb%3E");
    let dates = Of {
        page: page.clone(),
        id: "dates",
        sort: "sort",
        keys: |html| texts(html, "#dates tbody th"),
        field: "rule",
        unsorted: &[],
    };
    let bands = Of {
        page: page.clone(),
        id: "bands",
        sort: "bands-sort",
        keys: |html| texts(html, "#bands tbody th"),
        field: "rule",
        unsorted: &["Days"],
    };
    assert_eq!((bands.check(&reader).await, dates.check(&reader).await), (7, 9), "two rules changed once");
    for (filter, rules, stretches) in [
        ("&severity=critical", 1, 1),
        ("&rule=bold", 1, 2),
        ("&status=compliant", 3, 3),
        ("&status=unknown", 2, 2),
        ("&rule=nothing", 0, 0),
    ] {
        let narrowed = |of: &Of| Of { page: format!("{page}{filter}"), ..*of };
        let found = (narrowed(&bands).json(&reader, "").await.len(), narrowed(&dates).json(&reader, "").await.len());
        assert_eq!(found, (rules, stretches), "{filter}");
        let html = reader.page(&format!("{page}{filter}")).await;
        assert_eq!((texts(&html, "#bands tbody tr").len(), texts(&html, "#dates tbody tr").len()), found, "{filter}");
        assert!(texts(&html, "main .hint").concat().contains("Only"), "{filter}");
        // What is left out leads nowhere; what is not, to its dates.
        let leads = html.select(&selector("#bands .strip a")).count();
        assert_eq!(leads, stretches, "{filter}");
        for href in html.select(&selector("#bands .strip a")).filter_map(|link| link.attr("href")) {
            let (address, row) = href.split_once('#').unwrap();
            assert_eq!(texts(&reader.page(address).await, &format!("#{row}")).len(), 1, "{href}");
        }
    }
    let lead = &texts(&reader.page(&format!("{page}&severity=critical")).await, ".lead")[0];
    assert!(lead.starts_with("Of 1 rule that the filters leave and that speaks of it"), "{lead}");
}

#[actix_web::test]
async fn the_tables_of_a_rule_are_sorted_narrowed_and_handed_out() {
    let reader = collected("tables-rule").await;
    let of = |id, sort, field, keys: fn(&Html) -> Vec<String>| Of {
        page: format!("/rules/{LOGGING}?as_of=2026-11-03"),
        id,
        sort,
        keys,
        field,
        unsorted: &[],
    };
    let ways = of("variants", "variants-sort", "origin", |html| texts(html, "#variants tbody th"));
    assert_eq!(ways.check(&reader).await, 2, "by itself and by a pack");
    let oldest = of("oldest", "oldest-sort", "resource_id", |html| texts(html, "#oldest tbody th .id"));
    assert_eq!(oldest.check(&reader).await, 7, "five buckets, and the quiet one under two names");
    let daily = of("daily", "daily-sort", "failing", |html| texts(html, "#daily tbody td:nth-child(2)"));
    assert_eq!(daily.check(&reader).await, 3);
    let controls = of("controls", "controls-sort", "control", |html| texts(html, "#controls tbody td:nth-child(2)"));
    assert!(controls.check(&reader).await > 0);
    let absent = Of {
        page: "/rules/iam-root-access-key-check?as_of=2026-11-03".to_owned(),
        ..of("absent", "absent-sort", "account_id", |html| texts(html, "#absent tbody td"))
    };
    assert_eq!(absent.check(&reader).await, 2);

    for filter in
        ["", "&type=AWS::EC2::Instance", "&type=AWS::S3::Bucket", "&region=us-east-1", "&type=AWS::None::Such"]
    {
        let page = format!("/rules/{ROOT}?as_of=2026-11-04{filter}");
        let html = reader.page(&page).await;
        let figures: usize = texts(&html, ".figures dd").iter().map(|figure| figure.parse::<usize>().unwrap()).sum();
        let rows = format!("/evaluations?as_of=2026-11-04&rule={ROOT}{filter}&format=json");
        assert_eq!(figures, reader.json(&rows).await.len(), "{page}");
        let failing = reader.json(&format!("{rows}&status=non-compliant")).await.len();
        assert_eq!(reader.json(&format!("{page}&rows=oldest&format=json")).await.len(), failing, "{page}");
        assert_eq!(texts(&html, "#oldest tbody tr").len(), failing, "{page}");
        let compliant = reader.page(&format!("{page}&status=compliant")).await;
        assert_eq!(texts(&compliant, ".figures dt"), ["COMPLIANT"], "{page}");
        assert_eq!(texts(&compliant, "#oldest tbody tr").len(), 0, "{page}");
    }
    let names = async |filter: &str| {
        reader.json(&format!("/rules/{LOGGING}/names?as_of=2026-11-03&format=json{filter}")).await.len()
    };
    assert_eq!([names("").await, names("&status=insufficient-data").await], [2, 0]);
    let of_status = reader.json(&format!("/rules/{LOGGING}?as_of=2026-11-03&status=compliant&format=json")).await;
    let accounts: BTreeSet<&str> = of_status.iter().map(|row| row["account_id"].as_str().unwrap()).collect();
    assert_eq!(accounts, [ACCOUNT, THIRD].into());
}

#[actix_web::test]
async fn conformance_packs_are_sorted_narrowed_and_handed_out() {
    let reader = collected("tables-packs").await;
    let of = |page: &str, id, sort, field, keys: fn(&Html) -> Vec<String>| Of {
        page: page.to_owned(),
        id,
        sort,
        keys,
        field,
        unsorted: &[],
    };
    let (list, one) = ("/conformance-packs?as_of=2026-11-03", "/conformance-packs/NIST-CSF?as_of=2026-11-03");
    let packs = of(list, "packs", "sort", "conformance_pack", |html| texts(html, "#packs tbody th"));
    assert_eq!(packs.check(&reader).await, 1);
    let places = of(one, "places", "sort", "region", |html| texts(html, "#places tbody td:nth-child(2)"));
    assert_eq!(places.check(&reader).await, 2);
    let rules = of(one, "rules", "rules-sort", "rule", |html| texts(html, "#rules tbody th"));
    assert_eq!(rules.check(&reader).await, 2);

    for (filter, deployed, failing) in [
        ("&account=012345678901".to_owned(), 1, 0),
        (format!("&account={OTHER}"), 1, 1),
        ("&region=us-east-1".to_owned(), 0, 0),
        ("&verdict=hollow".to_owned(), 1, 0),
        ("&verdict=non-compliant".to_owned(), 1, 1),
    ] {
        let rows = reader.json(&format!("{list}{filter}&format=json")).await;
        assert_eq!(rows.len(), deployed, "one pack or none: {filter}");
        assert!(rows.iter().all(|row| row["account_regions"] == 1), "{filter}");
        let html = reader.page(&format!("{one}{filter}")).await;
        let lead = &texts(&html, ".lead")[0];
        assert!(lead.starts_with(&format!("Deployed in {deployed} account-Region")), "{filter}: {lead}");
        assert!(lead.contains(&format!("NON_COMPLIANT of {failing}")), "{filter}: {lead}");
        let rules = reader.json(&format!("{one}{filter}&rows=rules&format=json")).await;
        let sum = |field: &str| rules.iter().map(|row| row[field].as_i64().unwrap()).sum::<i64>();
        assert_eq!(
            (sum("account_regions"), sum("failing")),
            (i64::try_from(deployed).unwrap() * 2, failing),
            "{filter}"
        );
        assert_eq!(texts(&html, "#rules tbody tr").len(), rules.len(), "{filter}");
    }
    assert_eq!(reader.json(&format!("{one}&rule=access&rows=rules&format=json")).await.len(), 1);
    assert_eq!(reader.json(&format!("{one}&severity=critical&rows=rules&format=json")).await.len(), 0);
}

#[actix_web::test]
async fn accounts_rules_names_and_evaluations_are_sorted_on_every_column() {
    let reader = collected("tables-lists").await;
    let names = format!("/rules/{LOGGING}/names");
    let evaluations: fn(&Html) -> Vec<String> = |html| texts(html, "#evaluations tbody td .id");
    let lists: [(&str, &str, fn(&Html) -> Vec<String>); 4] = [
        ("/accounts", "accounts", |html| texts(html, "#accounts tbody th .id")),
        ("/rules", "rules", |html| texts(html, "#rules tbody th a")),
        (&names, "names", |html| texts(html, "#names tbody th")),
        ("/evaluations", "evaluations", evaluations),
    ];
    for (page, table, keys) in lists {
        let html = reader.page(page).await;
        let unsorted: Vec<String> = html
            .select(&selector(&format!("#{table} thead th")))
            .filter(|head| head.select(&selector("a")).next().is_none())
            .map(|head| head.text().collect())
            .collect();
        assert_eq!(unsorted, [""; 0], "{page}");
        let mut usual = keys(&html);
        usual.sort();
        assert_eq!(usual.len(), reader.json(&format!("{page}?format=json")).await.len(), "{page}");
        for head in html.select(&selector(&format!("#{table} thead a"))) {
            let word = head.attr("href").unwrap().split("sort=").nth(1).unwrap().trim_start_matches('-').to_owned();
            for direction in ["", "-"] {
                let html = reader.page(&format!("{page}?sort={direction}{word}")).await;
                let mut rows = keys(&html);
                rows.sort();
                assert_eq!(rows, usual, "{page} {direction}{word}");
                let sorted = if direction.is_empty() { "ascending" } else { "descending" };
                let marked = html.select(&selector(&format!("#{table} th[aria-sort={sorted}]"))).count();
                assert_eq!(marked, 1, "{page} {direction}{word}");
            }
        }
    }
    let column = async |page: &str, column: usize| -> Vec<String> {
        texts(&reader.page(page).await, &format!("#evaluations tbody td:nth-child({column})"))
    };
    for (sort, at) in [("region", 2), ("rule", 3), ("type", 5), ("resource", 6)] {
        let up = column(&format!("/evaluations?sort={sort}"), at).await;
        let mut down = column(&format!("/evaluations?sort=-{sort}"), at).await;
        assert!(up.is_sorted() && up.first() != up.last(), "{sort}: {up:?}");
        down.reverse();
        assert_eq!(up, down, "{sort}");
    }
}

#[actix_web::test]
async fn what_a_page_does_not_have_is_refused() {
    let reader = collected("tables-refused").await;
    let resource = format!("/resources?account={ACCOUNT}&region={REGION}&type=AWS::S3::Bucket&id=packed");
    for address in [
        format!("/accounts/{ACCOUNT}?account={OTHER}"),
        format!("/accounts/{ACCOUNT}?age=7"),
        format!("/accounts/{ACCOUNT}?severity=grave"),
        format!("/accounts/{ACCOUNT}?rows=secrets&format=csv"),
        format!("/rules/{LOGGING}?severity=high"),
        format!("/rules/{LOGGING}?rows=secrets&format=csv"),
        format!("{resource}&age=7"),
        format!("{resource}&rows=secrets&format=csv"),
        "/conformance-packs?severity=high".to_owned(),
        "/conformance-packs?verdict=green".to_owned(),
        "/conformance-packs/NIST-CSF?status=compliant".to_owned(),
    ] {
        assert_eq!(reader.ask(&address).await.0.as_u16(), 400, "{address}");
    }
    assert_eq!(reader.ask(&resource).await.0.as_u16(), 200);
}
