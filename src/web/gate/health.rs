//! Whether the program lives, whether it is ready for requests, and its metrics.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};

use super::db::{self, Count};
use super::metrics::Text;
use crate::State;
use crate::database::schema::{self, Schema};
use crate::error::Error;
use crate::web::download;
use crate::web::guard::AsItIs;
use crate::web::routes::{Access, Endpoint};
use crate::web::stored;

pub(in crate::web) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/healthz", Access::Everybody, || web::get().to(alive)),
        Endpoint::get("/readyz", Access::Everybody, || web::get().to(ready)),
        Endpoint::get("/metrics", Access::Everybody, || web::get().to(metrics_for_token)),
    ]
}

/// What answers on a port of its own.
pub(in crate::web) fn configure(config: &mut web::ServiceConfig) {
    config.route("/healthz", web::get().to(alive));
    config.route("/readyz", web::get().to(ready));
    config.route("/metrics", web::get().to(metrics));
}

/// Whether a path is one of those that watch the program: they are not limited, or a probe would think it dead.
pub(super) fn is_asked(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// The database is waited for no longer by who asks whether it is there.
const PATIENCE: Duration = Duration::from_secs(3);

fn plain(status: StatusCode, text: String) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text);
    response.extensions_mut().insert(AsItIs);
    response
}

/// Says that the program runs: asks nothing of anything else.
async fn alive() -> HttpResponse {
    plain(StatusCode::OK, "alive\n".to_owned())
}

/// What requests need, each with whether it is there.
async fn ready(state: web::Data<State>) -> HttpResponse {
    let stopping = state.gate.stopping.is_cancelled();
    let schema = look(&state).await;
    let database = if schema.is_some() { "answers" } else { "does not answer" };
    let migrations = match &schema {
        None => "not known",
        Some(Schema::Current) => "in force",
        Some(Schema::Due { .. }) => "due",
        Some(Schema::Newer { .. }) => "of a newer program",
        Some(Schema::Foreign { .. }) => "not this program’s",
    };
    let is_ready = !stopping && schema == Some(Schema::Current);
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let program = if stopping { "stops" } else { "serves" };
    plain(status, format!("program: {program}\ndatabase: {database}\nmigrations: {migrations}\n"))
}

/// What was seen stands for so long, however many ask.
const FRESH: Duration = Duration::from_secs(1);

/// How the schema stands; `None` where the database does not say.
async fn look(state: &State) -> Option<Schema> {
    let mut seen = state.gate.seen.lock().await;
    if let Some((_, schema)) = seen.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
        return schema.clone();
    }
    let look = async {
        let mut connection = state.db.acquire().await.ok()?;
        schema::look(&mut connection).await.ok()
    };
    let schema = tokio::time::timeout(PATIENCE, look).await.unwrap_or(None);
    *seen = Some((Instant::now(), schema.clone()));
    schema
}

/// For who has the token that the settings name. Without one there is nothing at this address.
async fn metrics_for_token(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Error> {
    let Some(token) = &state.gate.metrics_token else { return Err(Error::NotFound) };
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if given.is_some_and(|given| token.is(given)) {
        return Ok(metrics(state).await);
    }
    let mut refused = plain(StatusCode::UNAUTHORIZED, "metrics need their token\n".to_owned());
    refused.headers_mut().insert(WWW_AUTHENTICATE, actix_web::http::header::HeaderValue::from_static("Bearer"));
    Ok(refused)
}

async fn metrics(state: web::Data<State>) -> HttpResponse {
    let mut text = Text::default();
    state.gate.metrics.write(&mut text);
    text.gauge("auditfolio_exports_active", "Tables being handed out.", download::under_way());
    text.gauge("auditfolio_files_active", "Stored files being handed out.", stored::UNDER_WAY.load(Ordering::Relaxed));
    text.head("auditfolio_database_connections", "gauge", "Connections of the pool, by what they do.");
    let (size, idle) = (u64::from(state.db.size()), u64::try_from(state.db.num_idle()).unwrap_or(u64::MAX));
    text.sample("auditfolio_database_connections", &[("state", "idle")], idle);
    text.sample("auditfolio_database_connections", &[("state", "used")], size.saturating_sub(idle));
    let most = state.db.options().get_max_connections();
    text.gauge("auditfolio_database_connections_max", "Connections that the pool may have.", most);
    let stored = tokio::time::timeout(PATIENCE, from_store(&state)).await;
    let stored = stored.unwrap_or_else(|_elapsed| Err(sqlx::Error::PoolTimedOut));
    text.gauge("auditfolio_database_up", "Whether the database answers.", u8::from(stored.is_ok()));
    if let Ok(lines) = stored {
        lines.write(&mut text);
    }
    plain(StatusCode::OK, text.end())
}

struct Stored {
    jobs: Vec<Count>,
    collections: Vec<Count>,
    collected_at: Option<time::OffsetDateTime>,
    sessions: i64,
}

async fn from_store(state: &State) -> sqlx::Result<Stored> {
    let mut connection = state.db.acquire().await?;
    let jobs = db::jobs(&mut connection).await?;
    let (collections, collected_at) = db::collections(&mut connection).await?;
    let sessions = db::sessions(&mut connection, state.clock.now()).await?;
    Ok(Stored { jobs, collections, collected_at, sessions })
}

impl Stored {
    fn write(&self, text: &mut Text) {
        text.head("auditfolio_jobs", "gauge", "Jobs on record, by kind and state.");
        for count in &self.jobs {
            text.sample("auditfolio_jobs", &[("kind", &count.kind), ("state", &count.state)], count.number);
        }
        text.head("auditfolio_collections", "gauge", "Collections on record, by state.");
        for count in &self.collections {
            text.sample("auditfolio_collections", &[("state", &count.state)], count.number);
        }
        if let Some(at) = self.collected_at {
            let help = "When the newest collection that finished ended.";
            text.gauge("auditfolio_collection_finished_timestamp_seconds", help, at.unix_timestamp());
        }
        text.gauge("auditfolio_sessions", "Sessions that have not ended.", self.sessions);
    }
}
