//! The command `export`: a whole population to standard output.

use std::io::{self, BufWriter, Write};

use anyhow::{Context as _, bail, ensure};
use sqlx::PgPool;
use time::{Date, OffsetDateTime};

use super::{DayPopulation, DayRow, Deviation, KnownAt, PeriodPopulation, PeriodRow, Scope, db, deliveries_db};
use crate::audit_log;
use crate::collection::day::Day;
use crate::database::read_only;
use crate::organization::scope;
use crate::retention::{self, Floor};
use crate::web::download::{Cell, Format, Writer};

/// What to export.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "days", required = true, multiple = true)]
pub struct ExportArgs {
    /// Export the evaluations of this day, as YYYY-MM-DD: a row for each one of places delivered that day.
    #[arg(long, value_name = "DAY", value_parser = parse_day, conflicts_with_all = ["from", "until"])]
    pub as_of: Option<Date>,
    /// Export a period from this day on: a row for each account, Region, rule and resource of any day, with its deviations.
    #[arg(long, value_name = "DAY", value_parser = parse_day, requires = "until")]
    pub from: Option<Date>,
    /// The period's last day.
    #[arg(long, value_name = "DAY", value_parser = parse_day, requires = "from")]
    pub until: Option<Date>,
    /// Export what was known when this collection had finished, instead of the latest.
    #[arg(long, value_name = "COLLECTION")]
    pub known_at: Option<i64>,
    /// Export only this account; can be given more than once.
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Export only the accounts that this scope holds on the day, or on the period's last day.
    #[arg(long, value_name = "NAME", conflicts_with = "accounts")]
    pub scope: Option<String>,
    /// csv is safe for spreadsheets: text that one would take for a formula has a ' before it. jsonl and json are exact.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: ExportFormat,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    Csv,
    /// One array.
    Json,
    /// One object a line.
    Jsonl,
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Json => Self::Json,
            ExportFormat::Jsonl => Self::JsonLines,
        }
    }
}

/// A UTC day as YYYY-MM-DD.
pub fn parse_day(text: &str) -> Result<Date, String> {
    Date::parse(text, time::macros::format_description!("[year]-[month]-[day]"))
        .map_err(|error| format!("a day is written as YYYY-MM-DD ({error})"))
}

/// What an export speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    One(Date),
    Period(Date, Date),
}

impl ExportArgs {
    fn days(&self) -> anyhow::Result<Days> {
        match (self.as_of, self.from, self.until) {
            (Some(day), None, None) => Ok(Days::One(day)),
            (None, Some(from), Some(until)) => {
                ensure!(from <= until, "the period ends on {until}, before it begins on {from}");
                Ok(Days::Period(from, until))
            }
            _ => bail!("give either --as-of, or --from and --until"),
        }
    }
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    pub rows: u64,
    pub known_at: KnownAt,
    /// False where whoever read the output had enough before the end.
    pub whole: bool,
}

/// Writes a population to standard output, and a line about it to standard error.
pub async fn to_standard_output(args: &ExportArgs, organization: &str, db: &PgPool) -> anyhow::Result<()> {
    let exported = run(args, organization, db, io::stdout().lock()).await?;
    if exported.whole {
        eprintln!("{} rows, as known at collection {}", exported.rows, exported.known_at.0);
    }
    Ok(())
}

/// Writes a population to `out`, from one state of the store; the audit log has the export before its first byte.
pub async fn run(args: &ExportArgs, organization: &str, db: &PgPool, out: impl Write) -> anyhow::Result<Exported> {
    let days = args.days()?;
    let mut read = read_only(db).await?;
    let organization_id = db::organization(&mut read, organization)
        .await?
        .with_context(|| format!("there is no organisation {organization:?}: collect something first"))?;
    let known_at = match args.known_at {
        Some(collection_id) => KnownAt::asked(&mut read, organization_id, collection_id).await?,
        None => KnownAt::latest(&mut read, organization_id).await?.context("no collection has finished yet")?,
    };
    let accounts = match &args.scope {
        None => (!args.accounts.is_empty()).then(|| args.accounts.clone()),
        Some(name) => {
            let (Days::One(day) | Days::Period(_, day)) = days;
            let known = scope::Known { collection: known_at.0, ..scope::Known::ALL };
            let resolved = scope::resolve(&mut read, organization_id, name, day, known).await?;
            Some(resolved.decided()?.account_ids())
        }
    };
    let scope = Scope { organization_id, accounts };
    // A list of a scope may name an account that is not known yet.
    for account in scope.accounts.iter().flatten().filter(|_| args.scope.is_none()) {
        let known = db::is_account(&mut read, organization_id, account, known_at).await?;
        ensure!(known, "account {account} neither delivered anything nor is on an account list");
    }
    let (Days::One(first) | Days::Period(first, _)) = days;
    let floor = retention::floor(&mut *read, organization_id).await?;
    Floor::require(floor.as_ref(), first)?;
    let range = deliveries_db::collected_days(&mut read, organization_id, known_at).await?;
    require_overlap(days, range, floor.as_ref())?;
    record(args, organization, days, known_at, db).await?;

    let mut out = Output::new(args.format.into(), days, out);
    let written = match days {
        Days::One(day) => write_day(&mut read, &scope, day, known_at, &mut out).await,
        Days::Period(from, until) => write_period(&mut read, &scope, (from, until), known_at, &mut out).await,
    };
    let whole = match written.and_then(|()| Ok(out.end()?)) {
        Ok(()) => true,
        Err(error) if is_broken_pipe(&error) => false,
        Err(error) => return Err(error),
    };
    Ok(Exported { rows: out.writer.rows(), known_at, whole })
}

/// Days of which nothing was ever collected are a mistake; an empty file would hide it.
fn require_overlap(days: Days, range: Option<(Day, Day)>, floor: Option<&Floor>) -> anyhow::Result<()> {
    let (first, last) = range.with_context(|| match floor {
        None => "nothing has been delivered yet".to_owned(),
        Some(floor) => {
            format!("nothing was collected by then of the collected days that are kept. {}", floor.sentence())
        }
    })?;
    let (from, until) = match days {
        Days::One(day) => (Day::from(day), Day::from(day)),
        Days::Period(from, until) => (Day::from(from), Day::from(until)),
    };
    ensure!(
        from <= last && first <= until,
        "nothing of these days was collected: the collected days are {first} to {last}"
    );
    // Days that were not collected yet are no gaps: counted as such they would read as unknown.
    ensure!(
        until <= last,
        "the period ends after the last collected day, {last}: give --until {last} or an earlier day"
    );
    Ok(())
}

async fn record(
    args: &ExportArgs,
    organization: &str,
    days: Days,
    known_at: KnownAt,
    db: &PgPool,
) -> anyhow::Result<()> {
    let object = match days {
        Days::One(day) => format!("population of {day}"),
        Days::Period(from, until) => format!("population of {from} to {until}"),
    };
    let format = Format::from(args.format).ending();
    let detail = serde_json::json!({
        "organization": organization, "known_at_collection": known_at.0, "accounts": args.accounts, "scope": args.scope,
        "format": format,
    });
    let mut write = db.begin().await?;
    audit_log::record(&mut write, &audit_log::Entry::by_operator("export", object).detail(detail)).await?;
    Ok(write.commit().await?)
}

async fn write_day(
    read: &mut sqlx::PgConnection,
    scope: &Scope,
    day: Date,
    known_at: KnownAt,
    out: &mut Output<impl Write>,
) -> anyhow::Result<()> {
    let mut population = DayPopulation::open(read, scope, day, known_at).await?;
    while let Some(batch) = population.next(read).await? {
        for row in batch.rows() {
            out.row(day_cells(&row))?;
        }
    }
    Ok(())
}

async fn write_period(
    read: &mut sqlx::PgConnection,
    scope: &Scope,
    (from, until): (Date, Date),
    known_at: KnownAt,
    out: &mut Output<impl Write>,
) -> anyhow::Result<()> {
    let mut population = PeriodPopulation::open(read, scope, from, until, known_at).await?;
    while let Some(batch) = population.next(read).await? {
        for row in batch.rows() {
            out.row(period_cells(&row))?;
        }
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Text goes out in pieces of about this size.
const PIECE_ROWS: u64 = 512;

struct Output<W: Write> {
    writer: Writer,
    out: BufWriter<W>,
}

impl<W: Write> Output<W> {
    fn new(format: Format, days: Days, out: W) -> Self {
        let columns: &'static [&'static str] = match days {
            Days::One(_) => &DAY_COLUMNS,
            Days::Period(..) => &PERIOD_COLUMNS,
        };
        Self { writer: Writer::new(format, columns), out: BufWriter::with_capacity(256 * 1024, out) }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> io::Result<()> {
        self.writer.row(cells);
        if self.writer.rows().is_multiple_of(PIECE_ROWS) { self.out.write_all(&self.writer.take()) } else { Ok(()) }
    }

    fn end(&mut self) -> io::Result<()> {
        self.writer.end();
        self.out.write_all(&self.writer.take())?;
        self.out.flush()
    }
}

/// The columns of a day's population.
pub const DAY_COLUMNS: [&str; 11] = [
    "day",
    "account_id",
    "region",
    "rule_name",
    "rule_identifier",
    "resource_type",
    "resource_id",
    "status",
    "since",
    "snapshot_at",
    "delivery",
];

/// A row under [`DAY_COLUMNS`].
pub fn day_cells(row: &DayRow<'_>) -> [Cell; 11] {
    [
        row.day.into(),
        row.place.account_id.as_str().into(),
        row.place.region.as_str().into(),
        row.rule.name.as_str().into(),
        row.rule.identifier.as_deref().into(),
        row.resource_type.into(),
        row.resource_id.into(),
        row.status.word().into(),
        row.since.map(moment).into(),
        row.snapshot_at.map(moment).into(),
        row.delivery.word().into(),
    ]
}

/// The columns of a period's population.
pub const PERIOD_COLUMNS: [&str; 12] = [
    "account_id",
    "region",
    "rule_name",
    "rule_identifier",
    "resource_type",
    "resource_id",
    "days_expected",
    "days_observed",
    "days_complying",
    "days_not_complying",
    "days_unknown",
    "deviations",
];

/// A row under [`PERIOD_COLUMNS`]. Deviations are a JSON array: in CSV as text, in JSON as it is.
pub fn period_cells(row: &PeriodRow<'_>) -> [Cell; 12] {
    let days = |count: u32| Cell::Number(i64::from(count));
    [
        row.place.account_id.as_str().into(),
        row.place.region.as_str().into(),
        row.rule.name.as_str().into(),
        row.rule.identifier.as_deref().into(),
        row.resource_type.into(),
        row.resource_id.into(),
        days(row.counts.expected),
        days(row.counts.observed),
        days(row.counts.complying),
        days(row.counts.not_complying),
        days(row.counts.unknown),
        Cell::Json(deviations_json(row.deviations)),
    ]
}

/// Deviations as a JSON array.
pub fn deviations_json(deviations: &[Deviation]) -> String {
    let day = |day: Option<Date>| day.map_or_else(|| "null".to_owned(), |day| format!("\"{day}\""));
    let objects = deviations.iter().map(|deviation| {
        format!(
            "{{\"last_day_known_good\":{},\"first_day_bad\":\"{}\",\"last_day_bad\":\"{}\",\"first_day_good_again\":{},\
             \"gap_days\":{},\"ended\":\"{}\",\"first_day_otherwise\":{}{}}}",
            day(deviation.last_day_known_good),
            deviation.first_day_bad,
            deviation.last_day_bad,
            day(deviation.first_day_good_again),
            deviation.gap_days,
            deviation.ended.word(),
            day(deviation.first_day_otherwise),
            // Where nothing was removed, there is nothing to say.
            if deviation.before_removed { ",\"before_removed\":true" } else { "" },
        )
    });
    format!("[{}]", objects.collect::<Vec<_>>().join(","))
}

/// A time in UTC as AWS writes it, `2026-11-21T05:00:41.007Z`, with microseconds only where there are some.
pub fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (hour, minute, second, micro) = at.time().as_hms_micro();
    let (date, millisecond) = (at.date(), micro / 1000);
    if micro % 1000 == 0 {
        format!("{date}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    } else {
        format!("{date}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z")
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn times_are_written_as_aws_writes_them() {
        assert_eq!(moment(datetime!(2026-11-21 05:00:41.007 UTC)), "2026-11-21T05:00:41.007Z");
        assert_eq!(moment(datetime!(2026-11-21 05:00:41 UTC)), "2026-11-21T05:00:41.000Z");
        assert_eq!(moment(datetime!(2026-11-21 06:00:41.000001 +1)), "2026-11-21T05:00:41.000001Z");
    }

    #[test]
    fn deviations_are_written_as_json() {
        let deviation = Deviation {
            last_day_known_good: None,
            before_removed: false,
            first_day_bad: date!(2026 - 11 - 02),
            last_day_bad: date!(2026 - 11 - 05),
            first_day_good_again: None,
            first_day_otherwise: Some(date!(2026 - 11 - 06)),
            gap_days: 2,
            ended: super::super::Ended::GoneWithRule,
        };
        let json: serde_json::Value = serde_json::from_str(&deviations_json(&[deviation, deviation])).expect("JSON");
        assert_eq!(json.as_array().map(Vec::len), Some(2));
        assert_eq!(json[0]["ended"], "gone with rule");
        assert_eq!(json[0]["last_day_known_good"], serde_json::Value::Null);
        assert_eq!(json[0].get("before_removed"), None);
        let cut = deviations_json(&[Deviation { before_removed: true, ..deviation }]);
        let cut: serde_json::Value = serde_json::from_str(&cut).expect("JSON");
        assert_eq!(cut[0]["before_removed"], true);
        assert_eq!(deviations_json(&[]), "[]");
    }

    #[test]
    fn a_day_that_is_none_is_refused() {
        for text in ["2026-13-01", "2026-1-1", "yesterday", ""] {
            assert!(parse_day(text).is_err(), "{text}");
        }
        assert_eq!(parse_day("2026-11-02"), Ok(date!(2026 - 11 - 02)));
    }
}
