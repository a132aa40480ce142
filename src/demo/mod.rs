//! The `demo` command: a private Postgres, a sample organisation, its collection, a pack, and the portal with the demo sign-in.
//!
//! Each step is skipped where an earlier start has done it and taken up where one was killed.

mod db;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use time::{Date, Duration};

use crate::clock::Clock;
use crate::collection::{self, CollectArgs};
use crate::compliance::memo::Memo;
use crate::database::{self, private};
use crate::jobs::{self, Kind};
use crate::notices::{self, NoticeArgs};
use crate::packs::{Request, Said};
use crate::schedule::Collecting;
use crate::settings::StoreSettings;
use crate::{Duties, State, artifact, engagement, sample, server};

/// What the sample's organisation is called on pages and packs.
const ORGANIZATION: &str = "Sample organisation";
/// Who asks for the first pack.
const IDENTITY: &str = "Demo compliance manager";
/// The first pack covers so many days.
const PERIOD_DAYS: i64 = 30;

/// Settings of `demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Address and port to listen on; loopback only.
    #[arg(long, env = "AUDITFOLIO_BIND", default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
    /// Accounts of the sample organisation.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub accounts: u32,
    /// Days of the sample organisation.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub days: u32,
}

/// Makes what is missing and serves until stopped.
pub async fn run(settings: &StoreSettings, args: &DemoArgs) -> anyhow::Result<()> {
    if !args.bind.ip().is_loopback() {
        bail!(
            "the demo signs anybody in, so it is refused on {}: use a loopback address such as 127.0.0.1:8080",
            args.bind
        );
    }
    // First, so that a port in use is said at once. Who opens the address early is served as soon as all is ready.
    let listener = server::listen(args.bind)?;
    let settings = demo_settings(settings)?;
    let folder = settings.data.clone().context("the demo has a data folder")?;
    let mut steps = Steps { number: 0, started: Instant::now() };

    steps.begin(&format!("Private Postgres in {}", folder.display()))?;
    let store = database::connect(&settings).await?;
    steps.end("runs")?;
    let (db, memo, clock) = (store.db.clone(), Memo::default(), Clock::Real);
    let (grace, letter_months) = (settings.grace(), settings.artifact_letter_months);
    let classification = settings.pack_classification.as_str().into();
    let (duties, gate, sign_in) = (Arc::default(), Arc::default(), Arc::default());
    let state = State { db, memo, clock, demo: true, grace, letter_months, classification, duties, gate, sign_in };
    let prepared = prepare(&state, &folder, args, &mut steps).await;
    let served = match prepared {
        Ok(duties) => {
            println!("\nThe portal is at http://{}/ (demo sign-in; stop it with Ctrl-C)", listener.local_addr()?);
            std::io::stdout().flush()?;
            server::serve(listener, State { duties: Arc::new(duties), ..state }).await
        }
        Err(error) => Err(error),
    };
    let closed = store.close().await;
    served.and(closed)
}

/// The demo has a data folder of its own and never writes to a database that somebody named for other work.
fn demo_settings(settings: &StoreSettings) -> anyhow::Result<StoreSettings> {
    if settings.database_url.is_some() {
        println!("DATABASE_URL is left alone: the demo uses a private Postgres of its own.");
    }
    let folder = match &settings.data {
        Some(folder) => folder.clone(),
        None => private::default_folder("auditfolio-demo", settings.postgres_user.as_deref())?,
    };
    Ok(StoreSettings {
        database_url: None,
        database_password: None,
        data: Some(folder),
        organization: ORGANIZATION.to_owned(),
        ..settings.clone()
    })
}

/// Sample, collection and pack, as far as they are not there.
/// Gives what the portal may do from then on: collect the sample again.
async fn prepare(
    state: &State,
    folder: &std::path::Path,
    args: &DemoArgs,
    steps: &mut Steps,
) -> anyhow::Result<Duties> {
    steps.begin("Sample organisation")?;
    let options =
        sample::Options { accounts: args.accounts, days: args.days, ..sample::Options::new(folder.join("sample")) };
    let made = tokio::task::spawn_blocking(move || {
        let bar = bar("accounts x Regions");
        let made = sample::generate(&options, |reached| advance(&bar, reached.places, reached.places_total));
        bar.finish_and_clear();
        made
    })
    .await??;
    steps.end(&format!("{} accounts, {} to {}", made.accounts, made.first_day, made.last_day))?;

    let source = source(folder.join("sample"), &made);
    steps.begin("Collection")?;
    if db::collected(&state.db, ORGANIZATION).await? {
        steps.end("done earlier")?;
    } else {
        let outcome = collect(state, &source).await?;
        steps.end(&outcome)?;
    }

    steps.begin("AWS’s reports")?;
    let mut reports = String::from("done earlier");
    for answers in &made.artifact {
        let name = answers.file_name().unwrap_or(answers.as_os_str()).to_string_lossy();
        // A start that was killed may have kept one of them.
        if !artifact::is_read(&state.db, ORGANIZATION, &name).await? {
            reports = artifact::command::import_folder(state, ORGANIZATION, answers, None).await?.0;
        }
    }
    steps.end(&reports)?;

    steps.begin("Health data")?;
    let first = db::first_day(&state.db, ORGANIZATION).await?.unwrap_or(made.first_day);
    steps.end(&artifact::mark_sample(state, ORGANIZATION, (first, made.last_day), IDENTITY).await?)?;

    steps.begin("Audit pack")?;
    let pack_id = match db::first_pack(&state.db, ORGANIZATION).await? {
        Some(pack_id) => pack_id,
        None => make_pack(state, made.last_day).await?,
    };
    steps.end(&pack_id)?;

    steps.begin("Engagement")?;
    steps.end(&engagement::sample(state, ORGANIZATION, (first, made.last_day), IDENTITY).await?)?;
    let collecting = Collecting { organization: ORGANIZATION.to_owned(), source, every: None };
    Ok(Duties { collecting: Some(collecting), ..Duties::default() })
}

/// Where the sample is and what it should hold.
fn source(from: PathBuf, made: &sample::Summary) -> CollectArgs {
    CollectArgs {
        accounts: made.account_lists.clone(),
        regions: made.regions.clone(),
        // The sample ends yesterday: an evening's demo must not tell that every account fell silent.
        notices: NoticeArgs { silent_after: std::time::Duration::from_hours(72) },
        ..CollectArgs::of(from.into())
    }
}

async fn collect(state: &State, source: &CollectArgs) -> anyhow::Result<String> {
    let options = source.options(ORGANIZATION, crate::audit_log::operator());
    let progress = collection::Progress::shown();
    let outcome = collection::run(&state.db, &options, &progress).await;
    progress.end();
    notices::after_collection(state, &source.notices, ORGANIZATION, &outcome, &progress).await;
    let ladder = outcome?.ladder;
    Ok(format!("{} objects, {} evaluations stored", ladder.objects_listed, ladder.evaluations_stored))
}

/// Makes the first pack, or goes on with the job of an earlier start.
async fn make_pack(state: &State, as_of: Date) -> anyhow::Result<String> {
    let job_id = match db::unfinished_pack_job(&state.db).await? {
        Some(job_id) => job_id,
        None => enqueue_pack(state, as_of).await?,
    };
    let bar = bar("");
    let made = jobs::run_to_end(state, job_id, |job| {
        bar.set_message(job.progress_unit.clone());
        advance(&bar, job.progress_done, job.progress_total);
    });
    let made = made.await.context("making the first pack");
    bar.finish_and_clear();
    made
}

/// A bar on a terminal; nothing elsewhere.
fn bar(unit: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("    {bar:32} {pos} of {len} {msg}, {eta} left");
    let bar = ProgressBar::new(0).with_message(unit);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn advance<T: TryInto<u64>>(bar: &ProgressBar, done: T, total: T) {
    bar.set_length(total.try_into().unwrap_or_default());
    bar.set_position(done.try_into().unwrap_or_default());
}

async fn enqueue_pack(state: &State, as_of: Date) -> anyhow::Result<i64> {
    let first = db::first_day(&state.db, ORGANIZATION).await?.unwrap_or(as_of);
    let request = Request {
        organization: ORGANIZATION.to_owned(),
        title: "Sample audit pack".to_owned(),
        from: Some((as_of - Duration::days(PERIOD_DAYS - 1)).max(first)),
        as_of,
        accounts: None,
        scope: None,
        scopes_at: None,
        known_at: None,
        at: None,
        created_by: IDENTITY.to_owned(),
        demo: true,
        said: Said { classification: state.classification.to_string(), ..Said::default() },
        final_of: None,
    };
    let mut tx = state.db.begin().await?;
    let job_id = jobs::enqueue(&mut tx, Kind::Pack, &serde_json::to_value(&request)?, IDENTITY).await?;
    tx.commit().await?;
    Ok(job_id)
}

/// Says on standard output what is done and how long it took.
struct Steps {
    number: usize,
    started: Instant,
}

impl Steps {
    const ALL: usize = 6;

    fn begin(&mut self, what: &str) -> std::io::Result<()> {
        self.number += 1;
        self.started = Instant::now();
        println!("{}/{} {what} ...", self.number, Self::ALL);
        std::io::stdout().flush()
    }

    fn end(&self, outcome: &str) -> std::io::Result<()> {
        println!("    {outcome} ({:.1} s)", self.started.elapsed().as_secs_f64());
        std::io::stdout().flush()
    }
}
