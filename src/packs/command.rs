//! `auditfolio pack` and `auditfolio verify`.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::TryStreamExt as _;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use super::build::{Request, Said, classification, recipient_of};
use super::db::{self, Part, load};
use super::names::Names;
use super::{sign, state as states, verify};
use crate::compliance::evidence::KnownAt;
use crate::compliance::evidence::export::parse_day;
use crate::database::read_only;
use crate::engagement;
use crate::jobs::{self, Kind, Standing};
use crate::{State, audit_log};

/// Makes a pack, stores it and writes it to a file.
#[derive(Debug, Clone, Args)]
pub struct PackArgs {
    /// The day that register and results are of, as YYYY-MM-DD; the period's last day where there is a period.
    /// Of an engagement, its last day that was collected.
    #[arg(long, value_name = "DAY", value_parser = parse_day, required_unless_present = "engagement")]
    pub as_of: Option<Date>,
    /// The period's first day; without it the pack is about one day.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub from: Option<Date>,
    /// Only this account; can be given more than once.
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Only the accounts that this scope holds on the as-of day; its definitions and reasons stand in the pack.
    #[arg(long, value_name = "NAME", conflicts_with = "accounts")]
    pub scope: Option<String>,
    /// Know scope definitions and their ends only up to this number, which a pack of a scope says, instead of all.
    #[arg(long, value_name = "NUMBER", requires = "scope")]
    pub scopes_at: Option<i64>,
    /// What stands on the cover.
    #[arg(long)]
    pub title: String,
    /// Where the PDF goes. The ZIP beside it, the signature and the public key get the same name with their endings.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Know only what this collection and all before it brought in, instead of the latest.
    #[arg(long, value_name = "COLLECTION")]
    pub known_at: Option<i64>,
    /// How confidential it is, on the cover and at the foot of each page [default: that of --pack-classification].
    #[arg(long, value_name = "WORDS", value_parser = classification)]
    pub classification: Option<String>,
    /// Whom it is for, on the cover, up to 200 characters.
    #[arg(long, value_name = "WORDS")]
    pub recipient: Option<String>,
    /// The number of the engagement that it is for: its title and the changes of its terms stand on the cover, and its scope,
    /// period and auditors are the pack's where nothing else is given.
    #[arg(long, value_name = "NUMBER")]
    pub engagement: Option<i64>,
    /// Put pseudonyms for names of persons in ids of resources: the same name is the same pseudonym in every pack.
    #[arg(long)]
    pub pseudonyms: bool,
    /// Set the printed clock, as in 2026-11-22T10:00:00Z; the cover then says "clock set by operator".
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub at: Option<OffsetDateTime>,
}

/// Says whether a file is a pack of this installation, unchanged.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The PDF, or the ZIP beside it.
    pub file: PathBuf,
    /// The detached signature [default: the file with the ending .sig, if there is one].
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|error| format!("a time is written as 2026-11-22T10:00:00Z ({error})"))
}

/// Carries out `auditfolio pack`.
pub async fn pack(args: &PackArgs, organization: &str, state: &State) -> anyhow::Result<ExitCode> {
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    ensure!(folder.is_none_or(Path::is_dir), "there is no folder {}", folder.unwrap_or(Path::new("")).display());
    let asked = of_engagement(args, organization, state).await?;
    let request = Request {
        organization: organization.to_owned(),
        title: args.title.clone(),
        from: asked.from,
        as_of: asked.as_of,
        accounts: (!args.accounts.is_empty()).then(|| args.accounts.clone()),
        scope: asked.scope,
        scopes_at: asked.scopes_at,
        known_at: args.known_at,
        at: args.at,
        created_by: audit_log::operator(),
        demo: state.demo,
        said: Said {
            classification: args.classification.clone().unwrap_or_else(|| state.classification.to_string()),
            recipient: asked.recipient,
            engagement: args.engagement,
            pseudonyms: args.pseudonyms,
        },
        final_of: None,
    };
    let mut tx = state.db.begin().await?;
    let payload = serde_json::to_value(&request)?;
    let job_id = jobs::enqueue(&mut tx, Kind::Pack, &payload, &request.created_by).await?;
    let detail = serde_json::json!({
        "title": args.title, "from": request.from.map(|day| day.to_string()), "as_of": request.as_of.to_string(),
        "accounts": args.accounts, "scope": request.scope, "classification": request.said.classification,
        "recipient": request.said.recipient, "engagement": args.engagement, "pseudonyms": args.pseudonyms, "known_at_collection": args.known_at,
    });
    let entry = audit_log::Entry::by_operator("ask for pack", format!("job {job_id}")).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    let mut report = Report::default();
    let pack_id = jobs::run_to_end(state, job_id, |standing| report.say(standing)).await?;
    report.end();
    let stored = db::find(&state.db, &pack_id).await?.context("the pack is not in the database")?;
    let key = db::public_key(&state.db, &stored.key_id).await?.context("the pack's key is not in the database")?;

    write_part(state, &pack_id, Part::Pdf, &args.out).await?;
    write_part(state, &pack_id, Part::Zip, &args.out.with_extension("zip")).await?;
    let signature = args.out.with_extension("sig");
    std::fs::write(&signature, &stored.signature).with_context(|| format!("writing {}", signature.display()))?;
    let pem = args.out.with_extension("pem");
    std::fs::write(&pem, sign::pem(&key)).with_context(|| format!("writing {}", pem.display()))?;
    println!(
        "pack {pack_id}, a draft: {} pages, {} evaluations, {} NON_COMPLIANT, {} gap-days\n{}  SHA-256 {}",
        stored.pages,
        stored.evaluations,
        stored.not_complying,
        stored.gap_days,
        args.out.display(),
        sign::hex(&stored.pdf_sha256),
    );
    println!(
        "check it with: openssl pkeyutl -verify -pubin -inkey {} -rawin -in {} -sigfile {}\n\
         (the pack itself prints this line with the names that downloads have, {} and so on)",
        shell_word(&pem),
        shell_word(&args.out),
        shell_word(&signature),
        Names::of(&pack_id).pdf
    );
    Ok(ExitCode::SUCCESS)
}

/// What a pack is about, and whom it is for.
#[derive(Debug)]
struct Asked {
    from: Option<Date>,
    as_of: Date,
    scope: Option<String>,
    scopes_at: Option<i64>,
    recipient: String,
}

/// What was given; what was not is the engagement's, where one is named.
async fn of_engagement(args: &PackArgs, organization: &str, state: &State) -> anyhow::Result<Asked> {
    let given = |as_of| Asked {
        from: args.from,
        as_of,
        scope: args.scope.clone(),
        scopes_at: args.scopes_at,
        recipient: args.recipient.clone().unwrap_or_default(),
    };
    let Some(number) = args.engagement else { return Ok(given(args.as_of.context("an as-of day is needed")?)) };
    let mut read = read_only(&state.db).await?;
    let organization_id = load::organization(&mut read, organization)
        .await?
        .with_context(|| format!("there is no organisation {organization:?}: collect something first"))?;
    let (terms, _) = engagement::agreed(&mut read, organization_id, number)
        .await?
        .with_context(|| format!("there is no engagement {number} of {organization:?}"))?;
    let known_at = KnownAt::latest(&mut read, organization_id).await?.context("no collection has finished yet")?;
    let days = load::collected_days(&mut read, organization_id, known_at).await?;
    let (first, latest) = days.context("nothing has been delivered yet")?;
    let mut asked = given(args.as_of.unwrap_or_else(|| terms.last_day.min(latest)));
    if args.as_of.is_none() {
        asked.from = asked.from.or_else(|| Some(terms.first_day.max(first)));
    }
    if args.accounts.is_empty() && asked.scope.is_none() {
        asked.scope.clone_from(&terms.scope_name);
    }
    if asked.scope.is_some() && asked.scope == terms.scope_name {
        asked.scopes_at = asked.scopes_at.or(Some(terms.scope_record));
    }
    if args.recipient.is_none() {
        asked.recipient = recipient_of(&terms);
    }
    Ok(asked)
}

/// A path as one word of a POSIX shell.
fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,=@%".contains(&byte);
    if !path.is_empty() && !path.starts_with('-') && path.bytes().all(plain) {
        return path;
    }
    // A leading hyphen would be read as an option.
    let path = if path.starts_with('-') { format!("./{path}") } else { path };
    format!("'{}'", path.replace('\'', r"'\''"))
}

/// Writes beside the target first, so that a file of that name is always whole.
async fn write_part(state: &State, pack_id: &str, part: Part, to: &Path) -> anyhow::Result<()> {
    let mut half = to.as_os_str().to_owned();
    half.push(".part");
    let half = PathBuf::from(half);
    let mut file = std::fs::File::create(&half).with_context(|| format!("writing {}", half.display()))?;
    let mut chunks = std::pin::pin!(db::stream(state.db.clone(), pack_id.to_owned(), part));
    while let Some(chunk) = chunks.try_next().await? {
        file.write_all(&chunk)?;
    }
    file.sync_all()?;
    std::fs::rename(&half, to).with_context(|| format!("writing {}", to.display()))
}

/// Progress: one line that changes on a terminal, a line for each unit elsewhere.
#[derive(Debug, Default)]
struct Report {
    last: Option<(String, i64)>,
}

impl Report {
    fn say(&mut self, standing: &Standing) {
        let now = (standing.progress_unit.clone(), standing.progress_done);
        if standing.progress_total == 0 || self.last.as_ref() == Some(&now) {
            return;
        }
        let line = format!("{} of {} {}", standing.progress_done, standing.progress_total, standing.progress_unit);
        if std::io::stderr().is_terminal() {
            eprint!("\r\u{1b}[K{line}");
        } else if self.last.as_ref().is_none_or(|(unit, _)| *unit != now.0) {
            eprintln!("{line}");
        }
        self.last = Some(now);
    }

    fn end(&self) {
        if self.last.is_some() && std::io::stderr().is_terminal() {
            eprintln!();
        }
    }
}

/// Carries out `auditfolio verify`: success for a pack of this installation, failure for anything else.
pub async fn verify(args: &VerifyArgs, state: &State) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let beside = args.file.with_extension("sig");
    let signature = match &args.signature {
        Some(file) => Some(std::fs::read(file).with_context(|| format!("reading {}", file.display()))?),
        None if beside.is_file() => {
            Some(std::fs::read(&beside).with_context(|| format!("reading {}", beside.display()))?)
        }
        None => None,
    };
    let verdict = verify::verify(&state.db, &bytes, signature.as_deref()).await?;
    println!("{verdict}");
    if let Some(pack_id) = verdict.pack_id() {
        println!("{}", said_of(&states::db::course(&state.db, pack_id).await?));
    }
    Ok(if verdict.genuine() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How a pack stands now, which its bytes do not say.
fn said_of(course: &states::Course) -> String {
    let standing = course.standing();
    let Some(end) = course.end() else { return format!("on record now: {}. {}", standing.words(), standing.says()) };
    let other = end.other.as_deref().map(|other| format!(" by {other}")).unwrap_or_default();
    format!(
        "on record now: {}{other}, on {} by {}: {}",
        standing.words(),
        super::content::moment(end.at),
        end.by,
        end.note.as_deref().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_for_a_shell() {
        let word = |path: &str| shell_word(Path::new(path));
        assert_eq!(word("out/october-2026.pdf"), "out/october-2026.pdf");
        assert_eq!(word("my pack.pdf"), "'my pack.pdf'");
        assert_eq!(word("it's $HOME.pdf"), r"'it'\''s $HOME.pdf'");
        assert_eq!(word("-in.pdf"), "'./-in.pdf'");
    }
}
