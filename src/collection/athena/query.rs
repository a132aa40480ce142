//! Asks Athena one question: writes the query down, starts it, waits for it, reads its result.

use std::time::Duration;

use anyhow::Context as _;
use time::Date;

use super::answer::Assembler;
use super::ask::{Ask, Asks};
use super::csv::Reader;
use super::db::{self, NewQuery, OpenQuery};
use super::life::{self, End, MOST_ATTEMPTS, Step};
use super::session::Session;
use super::settle::Settler;
use super::statement::{self, Statement};
use crate::aws::athena::{Execution, Question};
use crate::aws::{Failure, Kind};
use crate::collection::day::Day;

/// The question's name in the store.
const CHANGES: &str = "changes of a day";
/// Attempts at reading a result that breaks off.
const READS: u32 = 3;
/// Calls in a row that broke off or that AWS failed, each with all its attempts, before a question is given up.
const MOST_BROKEN: u32 = 5;

/// A query that succeeded.
#[derive(Debug)]
pub(super) struct Succeeded {
    pub(super) query_id: i64,
    execution_id: String,
    /// `None`: the workgroup keeps results itself.
    location: Option<String>,
}

/// How a question ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Succeeded(Succeeded),
    /// Objects among those asked for cannot be read, or they are too many.
    Smaller(String),
}

/// A question with everything that its attempts share.
struct Asking {
    day: Date,
    statement: Statement,
    question_key: String,
    marks: Vec<String>,
    objects: i32,
    expected_bytes: u64,
}

impl Asking {
    fn of(session: &Session, day: Date, asks: &Asks) -> anyhow::Result<Self> {
        let settings = &session.settings;
        let statement = statement::changes(&settings.database, &settings.table, day, asks);
        let mut parts = vec![statement.sql.as_str(), settings.workgroup.as_ref(), settings.database.as_ref()];
        parts.extend(statement.parameters.iter().map(String::as_str));
        Ok(Self {
            day,
            question_key: life::question_key(&parts),
            marks: asks.iter().map(Ask::mark).collect(),
            objects: i32::try_from(asks.len() + asks.iter().filter(|ask| ask.base.is_some()).count())?,
            expected_bytes: asks.iter().map(Ask::bytes).sum(),
            statement,
        })
    }
}

/// Asks what a day says otherwise than the days before it; an error ends the collection.
pub(super) async fn ask(session: &Session, day: Date, asks: &Asks) -> anyhow::Result<Outcome> {
    let asking = Asking::of(session, day, asks)?;
    let made = db::attempts(&session.db, session.collection_id, &asking.question_key).await?;
    let mut last = String::new();
    for attempt in made + 1..=made + MOST_ATTEMPTS {
        session.end.unless(tokio::time::sleep(life::before_attempt(attempt - made))).await?;
        let (query_id, execution_id, execution) = try_once(session, &asking, attempt).await?;
        let reason = execution.why.reason.clone();
        match life::end(execution.state, &execution.why) {
            End::Succeeded => {
                return Ok(Outcome::Succeeded(Succeeded { query_id, execution_id, location: execution.result }));
            }
            End::Smaller => return Ok(Outcome::Smaller(reason)),
            End::AgainOrSmaller if attempt == made + MOST_ATTEMPTS => return Ok(Outcome::Smaller(reason)),
            End::Again | End::AgainOrSmaller => last = reason,
            end => anyhow::bail!(ended(end, &execution_id, &reason, session.settings.workgroup.as_ref())),
        }
    }
    anyhow::bail!("Athena failed {MOST_ATTEMPTS} times at one question, the last time with: {last}")
}

/// One attempt, from writing it down to its end: its row, its id, how it ended.
async fn try_once(session: &Session, asking: &Asking, attempt: i32) -> anyhow::Result<(i64, String, Execution)> {
    let settings = &session.settings;
    let reserved = session.guard.reserve(asking.expected_bytes).map_err(anyhow::Error::msg)?;
    let token = life::token(session.collection_id, session.begun_us, &asking.question_key, attempt);
    let asked = Question {
        sql: &asking.statement.sql,
        parameters: &asking.statement.parameters,
        token: Some(&token),
        database: settings.database.as_ref(),
        workgroup: settings.workgroup.as_ref(),
        output: settings.output.as_deref(),
    };
    let query = NewQuery {
        collection_id: session.collection_id,
        question: CHANGES,
        question_key: &asking.question_key,
        day: asking.day,
        attempt,
        token: &token,
        asked,
        marks: &asking.marks,
        objects: asking.objects,
        expected_bytes: asking.expected_bytes,
    };
    let query_id = db::add(&session.db, &query).await?;
    let execution_id = start(session, query_id, asked).await?;
    let execution = wait(session, query_id, &execution_id).await?;
    reserved.scanned(execution.bytes_scanned);
    Ok((query_id, execution_id, execution))
}

/// What to say of a query whose end ends the collection.
fn ended(end: End, execution_id: &str, reason: &str, workgroup: &str) -> String {
    match end {
        End::CutOff => format!(
            "the workgroup {workgroup} cut Athena's query {execution_id} off: it would scan more bytes than the \
             workgroup's limit a query. Raise that limit, or ask of fewer accounts at a time with --athena-batch ({reason})"
        ),
        End::Cancelled => format!("Athena's query {execution_id} was cancelled by someone else ({reason})"),
        _ => format!("Athena refused the query {execution_id}: {reason}"),
    }
}

/// Starts a query. What Athena has no room for now is tried again, under the same token.
async fn start(session: &Session, query_id: i64, asked: Question<'_>) -> anyhow::Result<String> {
    let (mut poll, mut broken) = (session.poll(), 0);
    loop {
        let failure = match session.end.unless(session.athena.start(asked)).await? {
            Ok(execution_id) => {
                db::started(&session.db, query_id, &execution_id).await?;
                return Ok(execution_id);
            }
            Err(failure) => failure,
        };
        if let Some(Step::Wait(wait)) = passes(&failure, &mut broken).then(|| poll.pause()) {
            session.end.unless(tokio::time::sleep(wait)).await?;
        } else {
            db::not_started(&session.db, query_id, &failure.to_string()).await?;
            return Err(failure).context("Athena did not start a query");
        }
    }
}

fn may_pass(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Throttled | Kind::ServerError | Kind::Transient)
}

/// Whether it is worth while to wait: being throttled passes, what is broken may be broken for long.
fn passes(failure: &Failure, broken: &mut u32) -> bool {
    *broken += u32::from(failure.kind != Kind::Throttled);
    may_pass(failure) && *broken < MOST_BROKEN
}

/// Waits for a query's end, and notes how it stands on the way.
async fn wait(session: &Session, query_id: i64, execution_id: &str) -> anyhow::Result<Execution> {
    let (mut poll, mut broken) = (session.poll(), 0);
    let mut noted = None;
    loop {
        let step = match session.end.unless(session.athena.look(execution_id)).await? {
            Ok(execution) => {
                broken = 0;
                let ended = execution.state.ended();
                if noted != Some(execution.state) {
                    let price = ended.then(|| session.price(&execution));
                    db::seen(&session.db, query_id, &execution, price).await?;
                    noted = Some(execution.state);
                }
                if ended {
                    return Ok(execution);
                }
                poll.after(execution.state)
            }
            Err(failure) if passes(&failure, &mut broken) => poll.pause(),
            Err(failure) => return Err(failure).context("Athena does not say how a query stands"),
        };
        match step {
            Step::Wait(wait) => session.end.unless(tokio::time::sleep(wait)).await?,
            Step::Ended | Step::Overdue => break,
        }
    }
    session.athena.stop(execution_id).await.ok();
    if let Ok(execution) = session.athena.look(execution_id).await {
        let price = execution.state.ended().then(|| session.price(&execution));
        db::seen(&session.db, query_id, &execution, price).await?;
    }
    anyhow::bail!(
        "Athena's query {execution_id} did not end in {} minutes (--athena-minutes) and was stopped",
        session.settings.minutes
    )
}

/// Takes up a query that another collection left behind: `None` where its result cannot be had.
pub(super) async fn take_up(session: &Session, left: &OpenQuery) -> anyhow::Result<Option<Succeeded>> {
    let query_id = left.athena_query_id;
    let execution_id = if let Some(execution_id) = &left.execution_id {
        execution_id.clone()
    } else {
        // Its program may have ended between asking and hearing the answer: the token gives the same query.
        let asked = Question {
            sql: &left.sql,
            parameters: &left.parameters,
            token: Some(&left.token),
            database: &left.database_name,
            workgroup: &left.workgroup,
            output: left.output.as_deref(),
        };
        match start(session, query_id, asked).await {
            Ok(execution_id) => execution_id,
            // What it was asked with may be no more; what is wrong now as well shows when it is asked anew.
            Err(_) => return session.end.go_on().map(|()| None),
        }
    };
    let execution = match wait(session, query_id, &execution_id).await {
        Ok(execution) => execution,
        Err(error) => {
            session.end.go_on()?;
            db::given_up(&session.db, query_id, session.collection_id, &format!("{error:#}")).await?;
            return Ok(None);
        }
    };
    let succeeded = life::end(execution.state, &execution.why) == End::Succeeded;
    Ok(succeeded.then_some(Succeeded { query_id, execution_id, location: execution.result }))
}

/// Reads a result and hands each place's part to the settler, which may see a place again where reading had to begin anew.
///
/// # Errors
///
/// The result cannot be read, a place cannot be written, or the rows are not those of the question.
pub(super) async fn read(session: &Session, query: &Succeeded, settler: &mut Settler<'_>) -> anyhow::Result<()> {
    settler.look_again().await?;
    let mut attempt = 1;
    let rows = loop {
        let mut assembler = Assembler::new(Day::from(settler.day));
        let outcome = match &query.location {
            Some(location) => read_object(session, location, &mut assembler, settler).await,
            None => read_pages(session, &query.execution_id, &mut assembler, settler).await,
        };
        match outcome {
            Ok(()) => break assembler.rows,
            Err(Stop::Broken(_)) if attempt < READS => {
                session.end.unless(tokio::time::sleep(Duration::from_millis(500) * attempt)).await?;
                attempt += 1;
            }
            Err(Stop::Broken(error) | Stop::Failed(error)) => {
                return Err(error).with_context(|| format!("the result of Athena's query {}", query.execution_id));
            }
        }
    };
    db::read(&session.db, query.query_id, session.collection_id, rows).await?;
    Ok(())
}

/// Why reading stopped.
enum Stop {
    /// It may go better the next time.
    Broken(anyhow::Error),
    Failed(anyhow::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        if may_pass(&failure) { Self::Broken(failure.into()) } else { Self::Failed(failure.into()) }
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

async fn read_object(
    session: &Session,
    location: &str,
    assembler: &mut Assembler,
    settler: &mut Settler<'_>,
) -> Result<(), Stop> {
    let address = location.strip_prefix("s3://").and_then(|address| address.split_once('/'));
    let (bucket, key) =
        address.ok_or_else(|| Stop::Failed(anyhow::anyhow!("{location:?} is no address of a result")))?;
    let bucket = session.clients.bucket(bucket);
    let mut body = session.end.unless(bucket.open(key, None, 0)).await??;
    let mut missing = body.length;
    let mut reader = Reader::new();
    let mut records = Vec::new();
    while let Some(bytes) = session.end.unless(body.next()).await?.map_err(|why| Stop::Broken(anyhow::anyhow!(why)))? {
        let came = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        missing = missing.map(|missing| missing.saturating_sub(came));
        reader.push(&bytes, &mut records).map_err(|error| Stop::Failed(error.into()))?;
        for record in records.drain(..) {
            if let Some(answer) = assembler.take(&record).map_err(|error| Stop::Failed(error.into()))? {
                settler.take(answer).await.map_err(Stop::Failed)?;
            }
        }
    }
    // A text that ends early was cut off on its way.
    if let Some(missing) = missing.filter(|missing| *missing > 0) {
        return Err(Stop::Broken(anyhow::anyhow!("it ends {missing} bytes early")));
    }
    reader.finish().map_err(|error| Stop::Broken(error.into()))?;
    finish(assembler, settler).await
}

async fn read_pages(
    session: &Session,
    execution_id: &str,
    assembler: &mut Assembler,
    settler: &mut Settler<'_>,
) -> Result<(), Stop> {
    let mut token = None;
    loop {
        let page = session.end.unless(session.athena.page(execution_id, token.clone())).await??;
        for row in &page.rows {
            if let Some(answer) = assembler.take(row).map_err(|error| Stop::Failed(error.into()))? {
                settler.take(answer).await.map_err(Stop::Failed)?;
            }
        }
        match page.next {
            // A page may be empty and have a successor all the same.
            Some(next) if Some(&next) != token.as_ref() => token = Some(next),
            Some(_) => return Err(Stop::Broken(anyhow::anyhow!("its pages go round in circles"))),
            None => return finish(assembler, settler).await,
        }
    }
}

async fn finish(assembler: &mut Assembler, settler: &mut Settler<'_>) -> Result<(), Stop> {
    match assembler.finish() {
        Ok(None) => Ok(()),
        Ok(Some(answer)) => settler.take(answer).await.map_err(Stop::Failed),
        Err(error) => Err(Stop::Broken(error.into())),
    }
}
