//! What a collection's page says of its objects and its ladder, and the objects as a download.

use actix_web::HttpResponse;

use super::super::Ladder;
use super::objects_db::{self, ObjectRow, Which};
use crate::web::download::{Format, download};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::{Visit, format};

impl ObjectRow {
    pub(super) fn name(&self) -> String {
        format::object_name(&self.key)
    }

    pub(super) fn sha256_words(&self) -> String {
        self.sha256.as_deref().map_or_else(|| "not read by us".to_owned(), format::hex)
    }

    pub(super) fn reason_words(&self) -> String {
        let reason = self.reason.clone().unwrap_or_default();
        match self.position_bytes {
            Some(position) => format!("{reason}, at byte {}", format::count(position)),
            None => reason,
        }
    }
}

/// What else the ladder counted, as names and counts.
pub(super) fn ladder_lines(ladder: &Ladder) -> Vec<(String, u64)> {
    let mut lines = vec![
        ("Objects seen before".to_owned(), ladder.objects_seen_before),
        ("Objects collected".to_owned(), ladder.objects_collected),
        ("Objects superseded".to_owned(), ladder.objects_superseded),
        ("Objects unreadable".to_owned(), ladder.objects_unreadable),
        ("Objects unreadable before and still there".to_owned(), ladder.objects_still_unreadable),
        ("Objects not reached".to_owned(), ladder.objects_unreached),
        ("Objects of days before the first day kept, not read".to_owned(), ladder.objects_before_kept),
        ("Objects of days that were not asked for".to_owned(), ladder.objects_outside_days),
    ];
    let reasons = [
        ("Evaluations left out", &ladder.left_out),
        ("Evaluations of history items left out", &ladder.history_left_out),
        ("Conformance-pack items left out", &ladder.packs_left_out),
        ("Files ignored", &ladder.ignored),
    ];
    for (what, counts) in reasons {
        lines.extend(counts.iter().map(|(reason, count)| (format!("{what}: {reason}"), *count)));
    }
    lines.extend([
        ("Evaluations in history items".to_owned(), ladder.history_evaluations),
        ("Days written".to_owned(), ladder.days_written),
        ("Days inferred from history".to_owned(), ladder.days_inferred),
        ("Objects read again".to_owned(), ladder.rechecked),
    ]);
    if let Some(read) = &ladder.definitions {
        lines.push(("Account-Regions whose rules were read".to_owned(), read.read));
        lines.extend(read.failed.iter().map(|(cause, places)| (format!("Rules not read: {cause}"), *places)));
        lines.push(("Rule definitions new or changed".to_owned(), read.opened));
        lines.push(("Rule definitions changed or gone".to_owned(), read.closed));
    }
    if let Some(read) = ladder.aggregator.as_ref().filter(|read| read.failure.is_none()) {
        lines.push(("Sources of the aggregator".to_owned(), read.sources));
        lines.push(("Sources that AWS is behind with".to_owned(), read.sources_behind));
        lines.push(("Results that the aggregator told".to_owned(), read.rules));
        lines.push(("Conformance packs’ verdicts that it told".to_owned(), read.packs));
    }
    lines
}

/// Names that the ladder keeps beside its counts, each with what is wrong.
pub(super) fn oddities(ladder: &Ladder) -> Vec<(&'static str, &str, &str)> {
    let lists = [
        ("could not be read before and is still there", &ladder.still_unreadable),
        ("name not understood", &ladder.malformed),
        ("could not be looked at", &ladder.unlisted),
        ("not reached; the next collection tries again", &ladder.unreached),
        ("changed after it was collected", &ladder.changed),
        ("does not add up", &ladder.disagreeing),
    ];
    let rules = ladder.definitions.iter().map(|read| ("rules not read", &read.failures));
    let named = lists
        .into_iter()
        .chain(rules)
        .flat_map(|(what, names)| names.iter().map(move |(name, why)| (what, name.as_str(), why.as_str())));
    let accounts = ladder.accounts_unread.iter();
    let aggregator = ladder.aggregator.iter().filter_map(|read| {
        let what = "aggregator not read; nothing was compared";
        Some((what, read.aggregator.as_str(), read.failure.as_deref()?))
    });
    accounts
        .map(|why| ("not read; the last account list stands", "AWS Organizations", why.as_str()))
        .chain(aggregator)
        .chain(named)
        .collect()
}

const COLUMNS: [&str; 18] = [
    "object_id",
    "key",
    "outcome",
    "reason",
    "position_bytes",
    "account_id",
    "region",
    "day",
    "kind",
    "size_bytes",
    "etag",
    "version_id",
    "sha256",
    "items",
    "compliance_items",
    "evaluations",
    "taken_at",
    "athena_execution_id",
];

/// Every object of the collection that the filters leave, from the first page on in its order.
pub(super) fn download_of(format: Format, mut visit: Visit, which: Which, first: Keyset) -> HttpResponse {
    let stem = format!("collection-{}-objects", which.collection_id);
    download(format, &stem, &COLUMNS, |mut rows| async move {
        let mut page = first;
        loop {
            let objects = objects_db::objects(&mut visit.read, &which, &page, 1000, false).await?;
            let Some(last) = objects.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.object_id.to_string());
            for Keyed { row: object, .. } in objects {
                let sha256 = object.sha256.as_deref().map(format::hex);
                rows.push([
                    object.object_id.into(),
                    object.key.into(),
                    object.outcome.into(),
                    object.reason.into(),
                    object.position_bytes.into(),
                    object.account_id.into(),
                    object.region.into(),
                    object.day.into(),
                    object.kind.into(),
                    object.size_bytes.into(),
                    object.etag.into(),
                    object.version_id.into(),
                    sha256.into(),
                    object.items.into(),
                    object.compliance_items.into(),
                    object.evaluations.into(),
                    object.taken_at.into(),
                    object.execution_id.into(),
                ])
                .await?;
            }
        }
        Ok(rows)
    })
}
