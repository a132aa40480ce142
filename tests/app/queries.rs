//! How many statements a page runs where nothing is remembered: at most eight, however much the store holds.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};

use sqlx::{Executor as _, PgPool};
use tracing::field::Field;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::site::{collected, get, kinds, sign_in, site};

/// A page's budget.
pub(crate) const MOST: usize = 8;
/// What begins and ends a transaction asks the store nothing.
const BOUNDS: [&str; 3] = ["begin", "commit", "rollback"];

/// What sqlx says that it runs, in this thread.
#[derive(Debug, Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        event.record(&mut |field: &Field, value: &dyn Debug| {
            let text = format!("{value:?}").trim_matches('"').to_lowercase();
            if field.name() == "summary" && !BOUNDS.iter().any(|bound| text.starts_with(bound)) {
                self.0.lock().unwrap().push(text);
            }
        });
    }
}

/// With two dispatchers tracing asks each whether it listens; with one alone it asks whichever thread comes first to a
/// callsite, and a test beside this one listens to nothing.
static SECOND: OnceLock<Dispatch> = OnceLock::new();

/// What a server that remembers nothing runs for a page, and the page.
pub(crate) async fn first_visit(db: &PgPool, address: &str) -> (Vec<String>, String) {
    let app = site(db).await;
    let cookie = sign_in(&app, "administrator").await;
    SECOND.get_or_init(|| Dispatch::new(Registry::default().with(Statements::default())));
    let statements = Statements::default();
    let guard = tracing::subscriber::set_default(Registry::default().with(statements.clone()));
    let answer = get(&app, &cookie, address).await;
    drop(guard);
    assert_eq!(answer.status, 200, "{address}");
    let run = std::mem::take(&mut *statements.0.lock().unwrap());
    assert!(!run.is_empty(), "{address}: a page asks who is signed in at least");
    (run, answer.text)
}

#[actix_web::test]
async fn a_page_of_every_kind_takes_at_most_eight_statements() {
    let db = collected().await;
    // Rules whose definitions were read take a statement more.
    db.execute("insert into rule_reading (place_id, collection_id, day, outcome, rules) select place_id, 1, '2026-11-01', 'read', 0 from place")
        .await
        .unwrap();
    let mut to_visit: BTreeMap<String, String> = [
        ("/ 0", "/"),
        ("/ narrowed", "/?severity=medium&type=AWS::S3::Bucket"),
        ("/changes sorted", "/changes?sort=resource"),
    ]
    .map(|(kind, address)| (kind.to_owned(), address.to_owned()))
    .into();
    let mut visited = BTreeMap::new();
    let mut too_many = Vec::new();
    while let Some((kind, address)) = to_visit.pop_first() {
        let (statements, html) = first_visit(&db, &address).await;
        if statements.len() > MOST {
            too_many.push(format!("{address}: {}\n{}", statements.len(), statements.join("\n")));
        }
        println!("{:2} {address}", statements.len());
        visited.insert(kind, address);
        let more = kinds(&html).into_iter().filter(|(kind, _)| !visited.contains_key(kind));
        to_visit.extend(more);
    }
    assert!(too_many.is_empty(), "{}", too_many.join("\n\n"));
    for kind in ["/rules 1", "/accounts 1", "/collections 1", "/evaluations 0", "/notices 0", "/jobs 0"] {
        assert!(visited.contains_key(kind), "no page of the kind {kind} among {:?}", visited.keys());
    }
}

#[actix_web::test]
async fn a_collection_by_athena_takes_no_more_statements_either() {
    let db = collected().await;
    db.execute(
        "update collection set engine = 'athena';
         insert into athena_query (collection_id, question, question_key, day, attempt, token, sql, parameters, workgroup,
             database_name, marks, objects, expected_bytes, execution_id, state)
         values (1, 'changes of a day', 'k', '2026-11-03', 1, 't', 'select 1', '{}', 'audit', 'evidence', '{}', 1, 7, 'e',
             'SUCCEEDED');
         update object_outcome set athena_query_id = 1 where outcome = 'collected'",
    )
    .await
    .unwrap();
    for address in ["/collections/1", "/collections/1?query=e&outcome=collected", "/objects?as_of=2026-11-03"] {
        let (statements, _) = first_visit(&db, address).await;
        assert!(statements.len() <= MOST, "{address}: {}\n{}", statements.len(), statements.join("\n"));
    }
}
