//! The evaluations of a day: counted by place and rule from the roll-ups, read by primary key.
//!
//! A statement is led by the places or by the rules, whichever are fewer: `place_id + 0` keeps Postgres from asking an
//! index for every pair of two long lists.

mod failing;

use sqlx::{FromRow, PgConnection};
use time::Date;

pub(crate) use self::failing::{
    Failing, FailingRow, Observed, failing_between, failing_by_age, failing_by_day, failing_rows, failing_since,
    oldest_failing,
};
use crate::compliance::core::Counts;

/// Evaluations of a place, or of a part of them.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Counted {
    pub(crate) place_id: i32,
    /// By what they are counted within the place: the id of a rule or of a resource type, a severity, or 0 where all are
    /// summed.
    pub(crate) part: i32,
    #[sqlx(flatten)]
    pub(crate) counts: RowCounts,
}

/// Counts as a row has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub(crate) struct RowCounts {
    pub(crate) complying: i64,
    pub(crate) not_complying: i64,
    pub(crate) insufficient_data: i64,
    pub(crate) not_applicable: i64,
    pub(crate) unrecognised: i64,
}

impl From<RowCounts> for Counts {
    fn from(row: RowCounts) -> Self {
        Self {
            complying: row.complying,
            not_complying: row.not_complying,
            insufficient_data: row.insufficient_data,
            not_applicable: row.not_applicable,
            unrecognised: row.unrecognised,
        }
    }
}

impl Counted {
    pub(crate) fn counts(&self) -> Counts {
        self.counts.into()
    }
}

/// What of a day is asked for, by the store's ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) day: Date,
    pub(crate) place_ids: &'a [i32],
    pub(crate) rule_ids: Option<&'a [i32]>,
    pub(crate) resource_type_ids: Option<&'a [i16]>,
}

impl Asked<'_> {
    /// Whether a few rules of many places are asked for: then the rules lead.
    fn by_rules(&self) -> bool {
        self.rule_ids.is_some_and(|rules| self.place_ids.len() > 8 && rules.len() < 2_000)
    }
}

/// By what evaluations of a place are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Rule,
    Severity,
    ResourceType,
}

macro_rules! counted {
    ($where:literal) => {
        concat!(
            "select u.place_id,
                 case $5 when 0 then 0 when 1 then u.rule_id when 2 then r.severity else u.resource_type_id end as part,
                 sum(u.complying)::bigint as complying, sum(u.not_complying)::bigint as not_complying,
                 sum(u.insufficient_data)::bigint as insufficient_data, sum(u.not_applicable)::bigint as not_applicable,
                 sum(u.unrecognised)::bigint as unrecognised
             from rollup u join rule r using (rule_id)
             where u.first_day <= $2 and u.end_day > $2 and ($4::smallint[] is null or u.resource_type_id = any($4)) and ",
            $where,
            " group by 1, 2"
        )
    };
}

/// Counts of some places, from the roll-ups.
pub(crate) async fn counted(db: &mut PgConnection, asked: &Asked<'_>, part: Part) -> sqlx::Result<Vec<Counted>> {
    let sql = if asked.by_rules() {
        counted!("u.rule_id = any($3) and u.place_id + 0 = any($1)")
    } else {
        counted!("u.place_id = any($1) and ($3::integer[] is null or u.rule_id + 0 = any($3))")
    };
    sqlx::query_as(sql)
        .bind(asked.place_ids)
        .bind(asked.day)
        .bind(asked.rule_ids)
        .bind(asked.resource_type_ids)
        .bind(part_number(part))
        .fetch_all(db)
        .await
}

fn part_number(part: Part) -> i32 {
    match part {
        Part::Whole => 0,
        Part::Rule => 1,
        Part::Severity => 2,
        Part::ResourceType => 3,
    }
}

/// Rules in places: what the rows of a page are read by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    /// Whether the place's day is known.
    pub(crate) known: bool,
}

/// Which rows of some pairs are wanted, and how many.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) day: Date,
    pub(crate) resource_type_ids: Option<Vec<i16>>,
    /// Of `status::CLASSES`: of places that are known, and of those that are not.
    pub(crate) statuses: (Vec<i16>, Vec<i16>),
    /// Resource type and id of the row beside which the first pair begins.
    pub(crate) edge: Option<(String, String)>,
    /// Whether the rows before are wanted, the nearest first.
    pub(crate) backwards: bool,
    pub(crate) limit: i64,
}

/// One evaluation.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Row {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    pub(crate) resource_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) id: String,
    pub(crate) status_id: i16,
    pub(crate) first_day: Date,
}

macro_rules! rows {
    ($beyond:literal, $order:literal) => {
        concat!(
            "select u.place_id, u.rule_id, u.resource_id, s.resource_type_id, s.id, u.status_id, u.first_day
             from unnest($1::integer[], $2::integer[], $3::boolean[]) with ordinality w (place_id, rule_id, known, n)
             join run u on u.place_id = w.place_id and u.rule_id = w.rule_id
             join resource s on s.resource_id = u.resource_id
             join resource_type y on y.resource_type_id = s.resource_type_id
             where u.first_day <= $4 and u.end_day > $4 and ($5::smallint[] is null or s.resource_type_id = any($5))
                 and case when w.known then least(u.status_id, 100) = any($6) else least(u.status_id, 100) = any($7) end
                 and (w.n > 1 or $8::text is null or ",
            $beyond,
            ") order by ",
            $order,
            " limit $10"
        )
    };
}

/// The evaluations of some rules in some places, in the order of the pairs and in it by resource type and id.
pub(crate) async fn rows(db: &mut PgConnection, pairs: &[Pair], wanted: &Wanted) -> sqlx::Result<Vec<Row>> {
    let sql = if wanted.backwards {
        rows!("(y.name, s.id) < ($8, $9)", "w.n, y.name desc, s.id desc")
    } else {
        rows!("(y.name, s.id) > ($8, $9)", "w.n, y.name, s.id")
    };
    let place_ids: Vec<i32> = pairs.iter().map(|pair| pair.place_id).collect();
    let rule_ids: Vec<i32> = pairs.iter().map(|pair| pair.rule_id).collect();
    let known: Vec<bool> = pairs.iter().map(|pair| pair.known).collect();
    let (edge_type, edge_id) = wanted.edge.clone().unzip();
    sqlx::query_as(sql)
        .bind(place_ids)
        .bind(rule_ids)
        .bind(known)
        .bind(wanted.day)
        .bind(&wanted.resource_type_ids)
        .bind(&wanted.statuses.0)
        .bind(&wanted.statuses.1)
        .bind(edge_type)
        .bind(edge_id)
        .bind(wanted.limit)
        .fetch_all(db)
        .await
}
