//! The tables of the overview: the days of the figures, the accounts, the newest packs.

use crate::compliance::accounts::AccountLine;
use crate::compliance::core::{AtLeast, Share};
use crate::compliance::db::totals::{DayTotal, Pack};
use crate::web::chart::TrendDay;
use crate::web::list::{Field, List};

/// Accounts of a page.
const ACCOUNTS: usize = 10;

/// A day of the figures.
pub(super) struct DayLine {
    pub(super) total: DayTotal,
    pub(super) drawn: TrendDay,
}

impl From<&DayTotal> for DayLine {
    fn from(total: &DayTotal) -> Self {
        let figures = total.figures;
        let drawn = TrendDay {
            day: total.day,
            complying: figures.counts.complying,
            not_complying: figures.counts.not_complying,
            unknown: figures.unknown(),
            computable: !figures.never_seen.any(),
        };
        Self { total: total.clone(), drawn }
    }
}

/// The days. They come in order.
pub(super) fn days(most: usize) -> List<DayLine> {
    let fields = vec![
        Field::text("Day (UTC)", "day", |line: &DayLine| line.total.day.into()).most_first(),
        Field::number("At least", "at_least", |line: &DayLine| line.drawn.at_least_words().into())
            .ordered(|line| line.drawn.at_least().into()),
        Field::number("Complying of known", "complying_of_known", |line: &DayLine| line.drawn.of_known_words().into())
            .ordered(|line| line.drawn.of_known().into()),
        Field::number("Unknown", "unknown", |line| line.drawn.unknown.into()),
        Field::unseen("complying", |line| line.total.figures.counts.complying.into()),
        Field::unseen("not_complying", |line| line.total.figures.counts.not_complying.into()),
        Field::unseen("insufficient_data", |line| line.total.figures.counts.insufficient_data.into()),
        Field::unseen("unrecognised", |line| line.total.figures.counts.unrecognised.into()),
        Field::unseen("not_applicable", |line| line.total.figures.counts.not_applicable.into()),
        Field::unseen("unknown_without_evidence", |line| line.total.figures.carried.into()),
        Field::unseen("never_seen_accounts", |line| line.total.figures.never_seen.accounts.into()),
        Field::unseen("never_seen_account_regions", |line| line.total.figures.never_seen.places.into()),
        Field::unseen("at_least_computable", |line| line.drawn.computable.into()),
    ];
    List::new("days", "days-sort", most, fields)
}

/// The accounts. They come with the most urgent first.
pub(super) fn accounts() -> List<AccountLine> {
    let fields = vec![
        Field::text("Account", "account_id", |line: &AccountLine| line.id.as_str().into())
            .ordered(|line| format!("{}\0{}", line.name.to_lowercase(), line.id).into()),
        Field::unseen("account_name", |line| line.name.as_str().into()),
        Field::text("Delivered", "delivered_regions", |line| (line.delivered + line.unexpected).into()),
        Field::unseen("expected_regions", |line| line.expected.into()),
        Field::number("Unknown", "unknown", |line| line.figures.unknown().into()),
        Field::number("Failing", "not_complying", |line| line.figures.counts.not_complying.into()),
        Field::number("Complying", "complying", |line| line.figures.counts.complying.into()),
        Field::number("Complying of known", "complying_of_known", |line: &AccountLine| {
            line.figures.complying_of_known().map(|share| share.to_string()).into()
        })
        .ordered(|line| line.figures.complying_of_known().map(Share::tenths).into()),
        Field::number("At least", "at_least", |line: &AccountLine| line.figures.at_least().to_string().into())
            .ordered(|line| at_least(line).map(Share::tenths).into()),
        Field::unseen("insufficient_data", |line| line.figures.counts.insufficient_data.into()),
        Field::unseen("unrecognised", |line| line.figures.counts.unrecognised.into()),
        Field::unseen("not_applicable", |line| line.figures.counts.not_applicable.into()),
        Field::unseen("unknown_without_evidence", |line| line.figures.carried.into()),
        Field::unseen("never_seen_account_regions", |line| line.figures.never_seen.places.into()),
    ];
    List::new("accounts", "accounts-sort", ACCOUNTS, fields)
}

fn at_least(line: &AccountLine) -> Option<Share> {
    match line.figures.at_least() {
        AtLeast::Share(share) => Some(share),
        AtLeast::NotComputable(_) | AtLeast::Nothing => None,
    }
}

/// The newest packs, each with its page. They come with the newest first.
pub(super) fn packs(most: usize) -> List<(String, Pack)> {
    let fields = vec![
        Field::text("Title", "title", |(_, pack): &(String, Pack)| pack.title.as_str().into()),
        Field::unseen("pack_id", |(_, pack)| pack.pack_id.as_str().into()),
        Field::unseen("from", |(_, pack)| pack.from_day.into()),
        Field::text("Covers", "as_of", |(_, pack): &(String, Pack)| pack.as_of_day.into()).most_first(),
        Field::text("Issued", "created_at", |(_, pack): &(String, Pack)| pack.created_at.into()).most_first(),
        Field::text("By", "created_by", |(_, pack)| pack.created_by.as_str().into()),
        Field::number("Gap-days", "gap_days", |(_, pack)| pack.gap_days.into()),
    ];
    List::new("packs", "packs-sort", most, fields)
}
