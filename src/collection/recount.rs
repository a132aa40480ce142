//! Counts again, in the store, what collections wrote, before one may finish.

use sqlx::{PgConnection, PgPool};
use time::Date;

use super::ladder::Ladder;

/// Days that disagree and are named; more are counted only.
const NAMED: usize = 20;

/// Counts again what this collection wrote, every day that no finished collection vouches for, and the latest day.
///
/// A day that does not add up keeps this collection from finishing, and every later one too until it does.
pub(super) async fn recount(
    db: &PgPool,
    organization_id: i16,
    collection_id: i64,
    ladder: &mut Ladder,
) -> sqlx::Result<()> {
    let mut tx = crate::database::read_only(db).await?;
    ladder.evaluations_in_store = count(written(&mut tx, collection_id).await?);
    ladder.packs_in_store = count(packs_written(&mut tx, collection_id).await?);
    let (evaluations, packs) = history_kept(&mut tx, collection_id).await?;
    ladder.history_in_store = count(evaluations);
    ladder.history_packs_in_store = count(packs);
    let days = due(&mut tx, organization_id).await?;
    for day in days.iter().filter(|day| day.latest) {
        ladder.latest_in_runs += count(day.in_runs.iter().sum());
        ladder.latest_in_rollup += count(day.in_rollup.iter().sum());
    }
    for day in days.iter().filter(|day| day.due) {
        ladder.days_due += 1;
        if day.agrees() {
            ladder.days_agreeing += 1;
        } else if ladder.disagreeing.len() < NAMED {
            ladder.disagreeing.push(day.words());
        }
    }
    tx.commit().await
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Evaluations of the days whose objects this collection read, by the roll-up.
async fn written(db: &mut PgConnection, collection_id: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select coalesce(sum(r.complying + r.not_complying + r.insufficient_data + r.not_applicable + r.unrecognised),
                         0)::bigint
         from delivery d
         join object_outcome o on o.object_id = d.object_id and o.collection_id = $1 and o.outcome = 'collected'
         join rollup r on r.place_id = d.place_id and r.first_day <= d.day and r.end_day > d.day
         where d.since_collection = $1 and d.until_collection is null and d.known",
    )
    .bind(collection_id)
    .fetch_one(db)
    .await
}

/// AWS's verdicts on packs on the days whose objects this collection read.
async fn packs_written(db: &mut PgConnection, collection_id: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from delivery d
         join object_outcome o on o.object_id = d.object_id and o.collection_id = $1 and o.outcome = 'collected'
         join conformance_pack p on p.place_id = d.place_id
         join conformance_pack_run r using (conformance_pack_id)
         where d.since_collection = $1 and d.until_collection is null and d.known
           and r.first_day <= d.day and r.end_day > d.day",
    )
    .bind(collection_id)
    .fetch_one(db)
    .await
}

/// Evaluations and pack items kept of the history objects that this collection read.
async fn history_kept(db: &mut PgConnection, collection_id: i64) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "with read as (
             select o.place_id, o.object_id from object_outcome x join object o using (object_id)
             where x.collection_id = $1 and x.outcome = 'collected' and o.kind = 'history'
         )
         select (select coalesce(sum(cardinality(h.rule_ids)), 0)::bigint
                 from read join history_item h using (place_id, object_id)),
                (select count(*) from read join history_pack_item h using (place_id, object_id))",
    )
    .bind(collection_id)
    .fetch_one(db)
    .await
}

/// A known day of a place, counted in four ways. Counts are by status: complying, not complying, insufficient data, not
/// applicable, unrecognised.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct CountedDay {
    account_id: String,
    region: String,
    day: Date,
    /// No finished collection vouches for it.
    due: bool,
    /// Of the latest day of all.
    latest: bool,
    delivered: Vec<i64>,
    in_runs: Vec<i64>,
    in_rollup: Vec<i64>,
    /// What the object's reader counted, less what was left out; `None` where no object speaks.
    read: Option<i64>,
}

impl CountedDay {
    fn agrees(&self) -> bool {
        self.delivered == self.in_runs
            && self.delivered == self.in_rollup
            && self.read.is_none_or(|read| read == self.delivered.iter().sum::<i64>())
    }

    fn words(&self) -> (String, String) {
        let sum = |counts: &[i64]| -> i64 { counts.iter().sum() };
        let read = self.read.map_or_else(String::new, |read| format!("its object says {read} evaluations, "));
        (
            format!("account {}, Region {}, {}", self.account_id, self.region, self.day),
            format!(
                "{read}its delivery says {}, the runs {}, the roll-up {}",
                sum(&self.delivered),
                sum(&self.in_runs),
                sum(&self.in_rollup)
            ),
        )
    }
}

/// The days to count again. Runs are summed up by the days on which they begin and end, so that a long run costs no more
/// than a short one.
async fn due(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<CountedDay>> {
    sqlx::query_as(
        "with latest as (
             select max(day) as day from delivery join place using (place_id)
             where organization_id = $1 and until_collection is null
         ), wanted as materialized (
             select d.place_id, p.account_id, p.region, d.day, d.object_id, c.state <> 'finished' as due,
                    d.day = latest.day as latest,
                    array[d.complying, d.not_complying, d.insufficient_data, d.not_applicable, d.unrecognised] as counts
             from delivery d join place p using (place_id) join collection c on c.collection_id = d.since_collection
             cross join latest
             where p.organization_id = $1 and d.until_collection is null and d.known
               and (c.state <> 'finished' or d.day = latest.day)
         ), edge as (
             select r.place_id, e.day, least(r.status_id, 5) as class, sum(e.by) as n
             from run r cross join lateral (values (r.first_day, 1), (r.end_day, -1)) e (day, by)
             where r.place_id in (select place_id from wanted) and e.day < 'infinity'
             group by 1, 2, 3
         ), in_runs as (
             select w.place_id, w.day, array[
                 coalesce(sum(n) filter (where class = 1), 0), coalesce(sum(n) filter (where class = 2), 0),
                 coalesce(sum(n) filter (where class = 3), 0), coalesce(sum(n) filter (where class = 4), 0),
                 coalesce(sum(n) filter (where class = 5), 0)]::bigint[] as counts
             from wanted w left join edge e on e.place_id = w.place_id and e.day <= w.day
             group by w.place_id, w.day
         ), rollup_edge as (
             select r.place_id, e.day, sum(e.by * r.complying) as c, sum(e.by * r.not_complying) as n,
                    sum(e.by * r.insufficient_data) as i, sum(e.by * r.not_applicable) as a,
                    sum(e.by * r.unrecognised) as u
             from rollup r cross join lateral (values (r.first_day, 1), (r.end_day, -1)) e (day, by)
             where r.place_id in (select place_id from wanted) and e.day < 'infinity'
             group by 1, 2
         ), in_rollup as (
             select w.place_id, w.day, array[coalesce(sum(c), 0), coalesce(sum(n), 0), coalesce(sum(i), 0),
                                             coalesce(sum(a), 0), coalesce(sum(u), 0)]::bigint[] as counts
             from wanted w left join rollup_edge e on e.place_id = w.place_id and e.day <= w.day
             group by w.place_id, w.day
         )
         select w.account_id, w.region, w.day, w.due, w.latest, w.counts as delivered, in_runs.counts as in_runs,
                in_rollup.counts as in_rollup, o.evaluations - o.left_out as read
         from wanted w join in_runs using (place_id, day) join in_rollup using (place_id, day)
         left join lateral (
             select x.evaluations,
                    (select coalesce(sum(value::bigint), 0) from jsonb_each_text(x.left_out))::bigint as left_out
             from object_outcome x where x.object_id = w.object_id and x.outcome = 'collected'
             order by x.collection_id desc limit 1) o on true
         order by w.day, w.account_id, w.region",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_day_agrees_when_all_four_counts_do() {
        let day = CountedDay {
            account_id: "012345678901".to_owned(),
            region: "eu-central-1".to_owned(),
            day: date!(2026 - 11 - 22),
            due: true,
            latest: false,
            delivered: vec![3, 1, 0, 0, 0],
            in_runs: vec![3, 1, 0, 0, 0],
            in_rollup: vec![3, 1, 0, 0, 0],
            read: Some(4),
        };
        assert!(day.agrees());
        assert!(CountedDay { read: None, ..day.clone() }.agrees());
        assert!(!CountedDay { read: Some(5), ..day.clone() }.agrees());
        assert!(!CountedDay { in_rollup: vec![3, 1, 0, 0, 1], ..day.clone() }.agrees());
        let turned = CountedDay { in_runs: vec![4, 0, 0, 0, 0], ..day };
        assert!(!turned.agrees());
        assert_eq!(
            turned.words(),
            (
                "account 012345678901, Region eu-central-1, 2026-11-22".to_owned(),
                "its object says 4 evaluations, its delivery says 4, the runs 4, the roll-up 4".to_owned()
            )
        );
    }
}
