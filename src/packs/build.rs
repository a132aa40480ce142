//! Makes a pack: reads one state of the store, sets, signs and stores it. All of it or nothing.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use time::OffsetDateTime;

use super::artifact::{self, ArtifactPart};
pub use super::asked::{
    CLASSIFICATION, DEFAULT_CLASSIFICATION, RECIPIENT, Request, Said, TITLE, classification, recipient_of,
};
use super::bundle::bundle;
use super::content::{Tables, document};
use super::csv::Finished;
use super::db::{self, Key, load};
use super::facts::cover_json;
use super::finalise::{self, Draft};
use super::gather::{About, Gathered, gather};
use super::model::{Cover, ForEngagement, Pack, Program, Stage};
use super::pdf::{Information, Rendered, render};
use super::{content, pseudonym_db, scope_set, sign};
use crate::State;
use crate::audit_log::{self, Checkpoint};
use crate::compliance::evidence::{KnownAt, Scope};
use crate::database::read_only;
use crate::jobs::{self, Claim, Job, Progress};
use crate::organization::scope::{Known, Resolved};
use crate::retention::{self, Floor};

/// Why there is no pack.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The request cannot be met; the message says what to do.
    #[error("{0}")]
    Refused(String),
    /// Two counts of the same thing differ.
    #[error("the count ladder does not close, so no pack was issued: {0}")]
    LadderOpen(String),
    #[error("another worker has taken the job up")]
    LeaseLost,
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<sqlx::Error> for BuildError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Carries out a job of kind pack; see [`jobs`].
pub async fn carry_out(state: State, job: Job, progress: Progress) -> anyhow::Result<()> {
    let request: Request = serde_json::from_value(job.payload).context("reading what pack was asked for")?;
    build(&state, &request, Some(job.claim), &progress).await?;
    Ok(())
}

/// Makes and stores a pack and gives its id. With a `claim` the job is finished in the transaction that stores the
/// pack, so that a kill at any moment leaves either both or neither.
pub async fn build(
    state: &State,
    request: &Request,
    claim: Option<Claim>,
    progress: &Progress,
) -> Result<String, BuildError> {
    if let Some(claim) = claim
        && let Some(pack_id) = db::of_job(&state.db, claim.job_id).await?
    {
        return finish_job(state, claim, pack_id).await;
    }
    let key = db::signing_key(&state.db).await?;
    let made = make(state, request, &key, progress).await?;
    store(state, (request, &made), &key, claim).await
}

async fn finish_job(state: &State, claim: Claim, pack_id: String) -> Result<String, BuildError> {
    let mut tx = state.db.begin().await?;
    if !jobs::finish(&mut tx, claim, &pack_id).await? {
        return Err(BuildError::LeaseLost);
    }
    tx.commit().await?;
    Ok(pack_id)
}

/// A pack before it is stored.
#[derive(Debug)]
struct Made {
    organization_id: i16,
    pack: Pack,
    rendered: Rendered,
    zip: Vec<u8>,
    signature: Vec<u8>,
    /// Keyed hashes of names, and what stands for them from now on.
    pseudonyms: Vec<(Vec<u8>, String)>,
}

async fn make(state: &State, request: &Request, key: &Key, progress: &Progress) -> Result<Made, BuildError> {
    let pseudonyms =
        if request.said.pseudonyms { Some(Arc::new(Mutex::new(pseudonym_db::load(&state.db).await?))) } else { None };
    let mut tx = read_only(&state.db).await?;
    let draft = match &request.final_of {
        Some(of) => Some(of.draft(&mut tx).await?),
        None => None,
    };
    let about = About { pseudonyms, ..about(&mut tx, request).await? };
    let engagement = finalise::engagement(&mut tx, about.scope.organization_id, &request.said).await?;
    let received = load::finished_at(&mut tx, about.known_at).await?;
    let mut gathered = gather(&mut tx, &about, |done, total| progress.set(done, total, "parts read")).await?;
    let generated = request.at.unwrap_or_else(|| state.clock.now());
    let generated = generated.replace_nanosecond(0).unwrap_or(generated);
    let read_at = finalise::read_at(draft.as_ref(), generated);
    let artifact = artifact::gather(&mut tx, &about, read_at, state.letter_months).await?;
    // As of the printed time, not of now: the log grows by the asking for this pack already.
    let checkpoint = audit_log::checkpoint(&mut *tx, generated).await?;
    tx.commit().await?;

    let artifact = artifact.map(|(part, files)| {
        gathered.files.extend(files);
        part
    });
    let closed = about.as_of.next_day().unwrap_or(about.as_of).midnight().assume_utc() + state.grace;
    let (pack, files) = model(
        &about,
        (request, draft.as_ref(), engagement),
        key,
        (gathered, artifact),
        When { generated, received, closed, read_at },
        checkpoint,
    );
    let open: Vec<String> = pack.disagreements().into_iter().map(ToString::to_string).collect();
    if !open.is_empty() {
        return Err(BuildError::LadderOpen(open.join("; ")));
    }
    if let Some(draft) = &draft {
        let found = finalise::differences(&draft.stored.cover, &cover_json(&pack));
        if !found.is_empty() {
            return Err(BuildError::Refused(format!(
                "the evidence is not that of the draft any more, so no final pack was issued. Make a new draft. Different: {}",
                found.join("; ")
            )));
        }
    }
    let (progress, key) = (progress.clone(), key.clone());
    let organization_id = about.scope.organization_id;
    let made = tokio::task::spawn_blocking(move || print(organization_id, pack, &files, &key, &progress))
        .await
        .context("the pack's printing ended early")??;
    Ok(Made { pseudonyms: about.into_new_pseudonyms(), ..made })
}

/// What the request means in this store.
async fn about(tx: &mut sqlx::PgConnection, request: &Request) -> Result<About, BuildError> {
    let refused = |why: String| Err(BuildError::Refused(why));
    let title = request.title.trim();
    if title.is_empty() || title.chars().count() > TITLE {
        return refused(format!("a title of 1 to {TITLE} characters is needed"));
    }
    let (classification, recipient) = (request.said.classification.trim(), request.said.recipient.trim());
    if classification.is_empty() || classification.chars().count() > CLASSIFICATION {
        return refused(format!("a classification of 1 to {CLASSIFICATION} characters is needed"));
    }
    if recipient.chars().count() > RECIPIENT {
        return refused(format!("a recipient has up to {RECIPIENT} characters"));
    }
    let from = request.from.unwrap_or(request.as_of);
    if from > request.as_of {
        return refused(format!("the period ends on {}, before it begins on {from}", request.as_of));
    }
    let Some(organization_id) = load::organization(tx, &request.organization).await? else {
        return refused(format!("there is no organisation {:?}: collect something first", request.organization));
    };
    let known_at = match request.known_at {
        Some(collection) => KnownAt::asked(tx, organization_id, collection)
            .await
            .map_err(|unsettled| BuildError::Refused(unsettled.to_string()))?,
        None => match KnownAt::latest(tx, organization_id).await? {
            Some(latest) => latest,
            None => return refused("no collection has finished yet".to_owned()),
        },
    };
    let floor = retention::floor(&mut *tx, organization_id).await?;
    if let Err(removed) = Floor::require(floor.as_ref(), from) {
        return refused(removed.to_string());
    }
    match load::collected_days(tx, organization_id, known_at).await? {
        Some((first, last)) if from <= last && request.as_of >= first && request.as_of <= last => {}
        Some((first, last)) => {
            return refused(format!("the as-of day must be a collected one: those are {first} to {last}"));
        }
        None => {
            let removed = floor.map(|floor| format!(" of the days that are kept. {}", floor.sentence()));
            return refused(format!("nothing has been delivered yet{}", removed.unwrap_or_default()));
        }
    }
    let named = match &request.scope {
        None => None,
        Some(_) if request.accounts.is_some() => return refused("choose a scope or accounts, not both".to_owned()),
        Some(name) => {
            let known = Known { collection: known_at.0, record: request.scopes_at.unwrap_or(i64::MAX) };
            Some(scope_set::resolved(tx, organization_id, name, request.as_of, known).await?)
        }
    };
    let accounts =
        named.as_ref().map(Resolved::account_ids).or_else(|| request.accounts.clone()).map(|mut accounts| {
            accounts.sort();
            accounts.dedup();
            accounts
        });
    if accounts.as_ref().is_some_and(Vec::is_empty) {
        return refused("a pack needs at least one account".to_owned());
    }
    let whole = crate::compliance::evidence::accounts(tx, &Scope::whole(organization_id), known_at).await?;
    // A list of a scope may name an account that is not known yet: the pack says so.
    for account in accounts.iter().flatten().filter(|_| named.is_none()) {
        if !whole.iter().any(|known| known.account_id == *account) {
            return refused(format!("account {account} neither delivered anything nor is on an account list"));
        }
    }
    let scope = Scope { organization_id, accounts };
    Ok(About { scope, named, from, as_of: request.as_of, known_at, pseudonyms: None })
}

/// The times of a pack.
struct When {
    /// The printed clock.
    generated: OffsetDateTime,
    /// When the collection ended that is the knowledge point.
    received: OffsetDateTime,
    /// Until when the as-of day can receive deliveries.
    closed: OffsetDateTime,
    /// As of when that is told which no collection brings.
    read_at: OffsetDateTime,
}

fn model(
    about: &About,
    (request, draft, engagement): (&Request, Option<&Draft>, Option<ForEngagement>),
    key: &Key,
    (gathered, artifact): (Gathered, Option<ArtifactPart>),
    When { generated, received, closed, read_at }: When,
    checkpoint: Checkpoint,
) -> (Pack, Vec<Finished>) {
    let attachments: Vec<_> = gathered.files.iter().map(|file| file.fact.clone()).collect();
    let mut cover = Cover {
        pack_id: String::new(),
        title: request.title.trim().to_owned(),
        organization: request.organization.clone(),
        from: about.from,
        as_of: about.as_of,
        accounts: about.scope.accounts.clone(),
        scope: about.named.as_ref().map(scope_set::named),
        captured_to: gathered.captured_to,
        received,
        generated,
        clock_set: request.at.is_some(),
        created_by: draft.map_or_else(|| request.created_by.clone(), |draft| draft.finality.preparer.identity.clone()),
        demo: request.demo || draft.is_some_and(|draft| draft.stored.demo),
        stage: draft.map_or(Stage::Draft, |draft| Stage::Final(Box::new(draft.finality.clone()))),
        classification: request.said.classification.trim().to_owned(),
        recipient: request.said.recipient.trim().to_owned(),
        engagement,
        pseudonyms: about.names_met(),
        known_at: about.known_at.0,
        day_open: read_at < closed,
        completeness_established: gathered.completeness_established,
        checkpoint,
        program: Program { version: env!("CARGO_PKG_VERSION"), commit: env!("AUDITFOLIO_COMMIT") },
    };
    let hashes: Vec<&str> = attachments.iter().map(|file| file.sha256.as_str()).collect();
    let printed = (&gathered.scope, &gathered.results, &gathered.checks, &gathered.provenance, &gathered.delivery);
    let printed = (printed, &gathered.definitions, &cover.scope, artifact.as_ref().map(|part| &part.said));
    let said = (&cover.stage, &cover.classification, &cover.recipient, &cover.engagement, &cover.pseudonyms);
    let printed = sign::sha256_hex(format!("{printed:?}{said:?}").as_bytes());
    cover.pack_id = pack_id(&cover, &key.key_id, &hashes, &printed);
    let pack = Pack {
        cover,
        scope: gathered.scope,
        checks: gathered.checks,
        delivery: gathered.delivery,
        results: gathered.results,
        deviations: gathered.deviations,
        register: gathered.register,
        definitions: gathered.definitions,
        artifact,
        provenance: gathered.provenance,
        attachments,
        key_fingerprint: key.key_id.clone(),
    };
    (pack, gathered.files)
}

/// A pack's id: of everything that decides its bytes, so that the same pack has the same id and another one has not.
/// `attachments` and `printed` are hashes of the evidence and of what is printed beside it.
fn pack_id(cover: &Cover, key_id: &str, attachments: &[&str], printed: &str) -> String {
    let of = serde_json::json!([
        cover.program.version,
        cover.program.commit,
        key_id,
        cover.organization,
        cover.title,
        content::day(cover.from),
        content::day(cover.as_of),
        cover.accounts,
        cover.known_at,
        cover.generated.unix_timestamp(),
        cover.clock_set,
        cover.created_by,
        cover.demo,
        cover.day_open,
        cover.checkpoint.entries,
        cover.checkpoint.head,
        attachments,
        printed,
    ]);
    let hash = sign::sha256_hex(of.to_string().as_bytes()).to_uppercase();
    let digits = hash.get(..20).unwrap_or_default();
    let groups: Vec<&str> = (0..4).filter_map(|at| digits.get(at * 5..at * 5 + 5)).collect();
    format!("AF-{}", groups.join("-"))
}

fn print(organization_id: i16, pack: Pack, files: &[Finished], key: &Key, progress: &Progress) -> anyhow::Result<Made> {
    let cover = &pack.cover;
    let information = Information {
        title: cover.title.clone(),
        subject: format!(
            "{}AWS Config evaluation evidence of {}, {}",
            if cover.stage == Stage::Draft { "DRAFT. " } else { "" },
            cover.organization,
            cover.days()
        ),
        author: cover.created_by.clone(),
        producer: format!("Auditfolio {} ({})", cover.program.version, cover.program.commit),
        at: cover.generated,
        id: cover.pack_id.clone(),
    };
    let tables = Tables::of(&pack);
    let attachments = files.iter().map(Finished::attachment).collect();
    let rendered = render(&document(&pack, &tables), &information, attachments, |done, total| {
        progress.set(done, total, "rows printed");
    })?;
    let signature = sign::sign(&key.private, &rendered.bytes)?;
    let zip = bundle(&pack, files, key, &rendered, &signature)?;
    Ok(Made { organization_id, pack, rendered, zip, signature, pseudonyms: Vec::new() })
}

async fn store(
    state: &State,
    (request, made): (&Request, &Made),
    key: &Key,
    claim: Option<Claim>,
) -> Result<String, BuildError> {
    let (pack, cover) = (&made.pack, &made.pack.cover);
    let mut tx = state.db.begin().await?;
    let known = db::find(&mut *tx, &cover.pack_id).await?;
    match &known {
        // The same pack again, to the byte: it is there.
        Some(known) if known.pdf_sha256 == sign::sha256(&made.rendered.bytes) => {}
        Some(_) => {
            let why = anyhow::anyhow!("pack {} exists with other bytes: it is kept as it is", cover.pack_id);
            return Err(BuildError::Other(why));
        }
        None => {
            let new = db::New {
                organization_id: made.organization_id,
                cover,
                cover_json: cover_json(pack),
                delivery: &pack.delivery,
                evaluations: pack.results.all().delivered(),
                not_complying: pack.register.rows,
                pages: made.rendered.pages,
                job_id: claim.map(|claim| claim.job_id),
                pdf: &made.rendered.bytes,
                zip: &made.zip,
                key_id: &key.key_id,
                signature: &made.signature,
            };
            db::store(&mut tx, &new).await?;
            pseudonym_db::keep(&mut tx, &made.pseudonyms).await?;
            finalise::begin_course(&mut tx, request, cover).await?;
        }
    }
    let entry = if cover.demo {
        audit_log::Entry::by_demo(&cover.created_by, "make pack", &cover.pack_id)
    } else {
        audit_log::Entry::by_operator("make pack", &cover.pack_id)
    };
    let detail = serde_json::json!({
        "title": cover.title, "days": cover.days(), "known_at_collection": cover.known_at, "by": cover.created_by,
        "scope": cover.scope.as_ref().map(|scope| (&scope.name, scope.record)),
        "state": cover.stage.word(), "final_of": request.final_of.as_ref().map(|of| &of.draft),
        "classification": cover.classification, "recipient": cover.recipient, "engagement": request.said.engagement,
        "pseudonyms": request.said.pseudonyms,
        "sha256": sign::sha256_hex(&made.rendered.bytes), "already_there": known.is_some(),
    });
    audit_log::record(&mut tx, &entry.detail(detail)).await?;
    if let Some(claim) = claim
        && !jobs::finish(&mut tx, claim, &cover.pack_id).await?
    {
        return Err(BuildError::LeaseLost);
    }
    tx.commit().await?;
    Ok(cover.pack_id.clone())
}
