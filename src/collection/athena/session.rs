//! What all questions of one collection share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use sqlx::PgPool;
use tokio::task::JoinSet;

use super::cost::Guard;
use super::db::{self, Spent};
use super::end::End;
use super::life::Poll;
use super::settings::AthenaSettings;
use crate::aws::athena::{Athena, Execution, State};
use crate::aws::{AwsSettings, Clients};
use crate::collection::ladder::Tally;
use crate::collection::location::Location;
use crate::collection::progress::Progress;
use crate::collection::run_db;

/// Objects that Athena says nothing of before the collection ends, if it says something of none.
const MOST_SILENT: u64 = 16;
/// How long a collection that ends waits for AWS to stop its queries.
const STOPPING: Duration = Duration::from_secs(30);

/// A collection's way to Athena.
#[derive(Debug)]
pub(in crate::collection) struct Session {
    pub(super) db: PgPool,
    pub(super) organization_id: i16,
    pub(super) collection_id: i64,
    /// Microseconds since 1970.
    pub(super) begun_us: i64,
    pub(super) settings: AthenaSettings,
    pub(super) clients: Clients,
    pub(super) athena: Athena,
    /// The delivery bucket's name.
    pub(super) bucket: String,
    pub(super) guard: Guard,
    pub(super) end: End,
    _end_tasks: JoinSet<()>,
    answered: AtomicU64,
    silent: AtomicU64,
    /// Objects judged.
    done: AtomicU64,
}

impl Session {
    /// # Errors
    ///
    /// The source is no bucket, or AWS is not set up.
    pub(in crate::collection) async fn open(
        db: &PgPool,
        (organization_id, collection_id): (i16, i64),
        from: &Location,
        aws: &AwsSettings,
        settings: &AthenaSettings,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let Location::Bucket { name, .. } = from else {
            anyhow::bail!("Athena reads a bucket in S3, not the folder {from}: give --from s3://BUCKET/PREFIX");
        };
        let clients = Clients::load(aws).await.map_err(anyhow::Error::msg)?.archive().await;
        let (end, end_tasks) = End::of(progress)?;
        Ok(Self {
            db: db.clone(),
            organization_id,
            collection_id,
            begun_us: db::begun_us(db, collection_id).await?,
            settings: settings.clone(),
            athena: clients.athena(),
            clients,
            bucket: name.clone(),
            guard: Guard::new(settings.limit_bytes),
            end,
            _end_tasks: end_tasks,
            answered: AtomicU64::new(0),
            silent: AtomicU64::new(0),
            done: AtomicU64::new(0),
        })
    }

    pub(super) fn poll(&self) -> Poll {
        Poll::new(Duration::from_secs(u64::from(self.settings.minutes) * 60))
    }

    /// What a query costs that has ended; failed ones are not billed.
    pub(super) fn price(&self, execution: &Execution) -> u64 {
        if execution.state == State::Failed { 0 } else { self.settings.price_per_tb.of(execution.bytes_scanned) }
    }

    /// Counts an object that Athena told of.
    pub(super) fn told(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an object that Athena could not tell of.
    ///
    /// # Errors
    ///
    /// It could not tell of any so far, which is the table's fault and not the objects'.
    pub(super) fn silent(&self, reason: &str) -> anyhow::Result<()> {
        let silent = self.silent.fetch_add(1, Ordering::Relaxed) + 1;
        anyhow::ensure!(
            silent < MOST_SILENT || self.answered.load(Ordering::Relaxed) > 0,
            "Athena could tell nothing of the first {silent} objects: is the table {}.{} as `auditfolio aws ddl` prints it? \
             The last of them: {reason}",
            self.settings.database,
            self.settings.table
        );
        Ok(())
    }

    /// Notes how far the collection is.
    pub(super) async fn progressed(&self, tally: &Tally) -> sqlx::Result<()> {
        let more = tally.collected + tally.superseded + tally.new_unreadable + tally.read_again;
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        run_db::set_done(&self.db, self.collection_id, done).await
    }

    /// Stops the collection's queries that still run, as far as Athena lets it.
    pub(super) async fn stop_all(&self) -> anyhow::Result<()> {
        tokio::time::timeout(STOPPING, self.stop_each()).await.context("AWS does not answer")?
    }

    async fn stop_each(&self) -> anyhow::Result<()> {
        for (query_id, execution_id) in db::running(&self.db, self.collection_id).await? {
            self.athena.stop(&execution_id).await.with_context(|| format!("query {execution_id} runs on"))?;
            let execution = self.athena.look(&execution_id).await?;
            let price = execution.state.ended().then(|| self.price(&execution));
            db::seen(&self.db, query_id, &execution, price).await?;
        }
        Ok(())
    }

    /// Stops queries of collections that ended before theirs did, and that no question needed any more.
    pub(super) async fn clear_away(&self) -> anyhow::Result<()> {
        for left in db::left_behind(&self.db, self.organization_id, self.collection_id, None, &[]).await? {
            if let Some(execution_id) = &left.execution_id {
                self.end.unless(self.athena.stop(execution_id)).await?.ok();
            }
            let reason = "its collection ended, and a later one had no use for it";
            db::given_up(&self.db, left.athena_query_id, self.collection_id, reason).await?;
        }
        Ok(())
    }

    /// Waits for what goes before or follows, and may be cut off where the program ends.
    ///
    /// # Errors
    ///
    /// The program was told to end; or what `work` fails with.
    pub(in crate::collection) async fn unless_program_ends<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.end.unless_program_ends(work).await?
    }

    /// What the queries came to.
    pub(in crate::collection) async fn spent(&self) -> sqlx::Result<Spent> {
        let mut connection = self.db.acquire().await?;
        db::spent(&mut connection, self.organization_id, self.collection_id).await
    }
}
