//! An account Region by Region: what arrived, and what its evaluations come to.

use time::{Date, Duration, OffsetDateTime};

use crate::compliance::DeliveryState;
use crate::compliance::core::{AtLeast, Evidence, Figures, PlaceDay, Share};
use crate::compliance::db::resource::PlaceOn;
use crate::compliance::filter::Which;
use crate::compliance::shown::link;
use crate::web::View;
use crate::web::chart::{Fill, Segment, Strip, segments};
use crate::web::download::Cell;
use crate::web::format::day;
use crate::web::list::{Field, List};

/// What arrived of a Region.
#[derive(Debug)]
pub(super) struct DeliveryLine {
    day: Date,
    account_id: String,
    pub(super) region: String,
    pub(super) state: DeliveryState,
    pub(super) strip: Strip,
    pub(super) known: i64,
    pub(super) gaps: i64,
    /// The last known day, where the day itself is not known.
    pub(super) last_known: Option<Date>,
}

/// What the evaluations of a Region come to.
#[derive(Debug)]
pub(super) struct RegionLine {
    day: Date,
    account_id: String,
    pub(super) region: String,
    expected: bool,
    state: DeliveryState,
    last_known: Option<Date>,
    snapshot_at: Option<OffsetDateTime>,
    pub(super) figures: Figures,
    pub(super) failing_href: String,
    pub(super) complying_href: String,
    pub(super) unknown_href: String,
}

fn last_known(place: &PlaceDay) -> Option<Date> {
    if place.known() { None } else { place.last_known.map(|(day, _)| day) }
}

impl DeliveryLine {
    pub(super) fn new(view: &View, place: &PlaceDay, days: &[PlaceOn], first: Date) -> Self {
        let of: Vec<&PlaceOn> = days.iter().filter(|on| on.place_id == place.place_id).collect();
        let stretches: Vec<Segment> = segments(of.iter().map(|on| (on.day, on.state)))
            .into_iter()
            .map(|(first, end, state)| Segment {
                first,
                end,
                fill: Fill::Delivery(state),
                words: state.word().to_owned(),
                href: None,
            })
            .collect();
        let label = format!("Delivery of {} from {} to {}", place.region, day(first), day(view.as_of));
        let days_that = |are: fn(DeliveryState) -> bool| {
            i64::try_from(of.iter().filter(|on| are(on.state)).count()).unwrap_or(i64::MAX)
        };
        Self {
            day: view.as_of,
            account_id: place.account_id.clone(),
            region: place.region.clone(),
            state: place.state,
            strip: Strip::new(label, first, view.as_of + Duration::DAY, &stretches),
            known: days_that(DeliveryState::known),
            gaps: days_that(|state| !state.known() && state != DeliveryState::NotExpected),
            last_known: last_known(place),
        }
    }
}

/// What arrived, Region by Region. The heads of its table stand in the template, around those of the strips.
pub(super) fn deliveries() -> List<DeliveryLine> {
    let fields = vec![
        Field::unseen("day", |line: &DeliveryLine| line.day.into()),
        Field::unseen("account_id", |line| line.account_id.as_str().into()),
        Field::text("Region", "region", |line| line.region.as_str().into()),
        Field::text("On the day", "delivery", |line| line.state.word().into()),
        Field::unseen("last_known", |line| line.last_known.into()),
        Field::number("Known", "known_days", |line| line.known.into()),
        Field::number("Gaps", "gap_days", |line| line.gaps.into()),
    ];
    List::new("delivery", "delivery-sort", usize::MAX, fields)
}

impl RegionLine {
    /// `pairs` are the filters that its links keep, beside account and Region.
    pub(super) fn new(view: &View, place: &PlaceDay, pairs: &[(&str, &str)]) -> Self {
        let of = [("account", place.account_id.as_str()), ("region", place.region.as_str())];
        let rows = |status| link(view, "/evaluations", &[&of[..], &[("status", status)], pairs].concat());
        Self {
            day: view.as_of,
            account_id: place.account_id.clone(),
            region: place.region.clone(),
            expected: place.expected,
            state: place.state,
            last_known: last_known(place),
            snapshot_at: place.snapshot_at,
            figures: Evidence::of(view.as_of, [place]).figures(),
            failing_href: rows("non-compliant"),
            complying_href: rows("compliant"),
            unknown_href: rows("unknown"),
        }
    }

    /// The Regions that have evaluations of the status asked for.
    pub(super) fn all(view: &View, places: &[PlaceDay], which: Which, pairs: &[(&str, &str)]) -> Vec<Self> {
        let meant = |place: &&PlaceDay| which == Which::All || which.of_place(place) > 0;
        places.iter().filter(meant).map(|place| Self::new(view, place, pairs)).collect()
    }
}

fn share(share: Option<Share>) -> Cell {
    share.map(|share| share.to_string()).into()
}

fn at_least(figures: &Figures) -> Option<Share> {
    match figures.at_least() {
        AtLeast::Share(share) => Some(share),
        _ => None,
    }
}

/// What the evaluations come to, Region by Region.
pub(super) fn regions() -> List<RegionLine> {
    let fields = vec![
        Field::unseen("day", |line: &RegionLine| line.day.into()),
        Field::unseen("account_id", |line| line.account_id.as_str().into()),
        Field::text("Region", "region", |line| line.region.as_str().into()),
        Field::unseen("expected", |line| line.expected.into()),
        Field::unseen("delivery", |line| line.state.word().into()),
        Field::unseen("last_known", |line| line.last_known.into()),
        Field::number("Unknown", "unknown", |line| line.figures.unknown().into()),
        Field::number("Failing", "not_complying", |line| line.figures.counts.not_complying.into()),
        Field::number("Complying", "complying", |line| line.figures.counts.complying.into()),
        Field::number("Complying of known", "complying_of_known", |line: &RegionLine| {
            share(line.figures.complying_of_known())
        })
        .ordered(|line| line.figures.complying_of_known().map(Share::tenths).into()),
        Field::number("At least", "at_least", |line: &RegionLine| share(at_least(&line.figures)))
            .ordered(|line| at_least(&line.figures).map(Share::tenths).into()),
        Field::unseen("insufficient_data", |line| line.figures.counts.insufficient_data.into()),
        Field::unseen("unrecognised", |line| line.figures.counts.unrecognised.into()),
        Field::unseen("not_applicable", |line| line.figures.counts.not_applicable.into()),
        Field::unseen("unknown_without_evidence", |line| line.figures.carried.into()),
        Field::unseen("snapshot_at", |line| line.snapshot_at.into()),
    ];
    List::new("regions", "sort", usize::MAX, fields)
}
