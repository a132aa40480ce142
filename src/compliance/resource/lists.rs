//! The tables of a resource: a line for each rule as of the day, and one for each stretch of days.

use crate::compliance::resource::timeline::{Line, Now, Timeline};
use crate::web::list::{Field, List};

/// Bands, and rows with exact dates, on a page.
const BANDS: usize = 40;
pub(super) const DATES: usize = 100;

/// A line for each rule. The heads of its table stand in the template, beside those of the bands.
pub(super) fn bands() -> List<Timeline> {
    let fields = vec![
        Field::unseen("account_id", |line: &Timeline| line.of.account_id.as_str().into()),
        Field::unseen("region", |line| line.of.region.as_str().into()),
        Field::unseen("resource_type", |line| line.of.resource_type.as_str().into()),
        Field::unseen("resource_id", |line| line.of.id.as_str().into()),
        Field::text("Rule", "rule", |line| line.rule.as_str().into()),
        Field::text("Severity", "severity", |line: &Timeline| line.severity.word().into())
            .ordered(|line| line.severity.rank().into())
            .most_first(),
        Field::text("On the day", "status", |line: &Timeline| match line.now() {
            Now::Says(status) => status.word().into(),
            Now::Absent => "not evaluated".into(),
            Now::Gap(_) => "no evidence".into(),
        })
        .ordered(|line| line.urgency().into()),
        Field::unseen("last_known", |line| match line.now() {
            Now::Gap(status) => status.map(|status| status.word().to_owned()).into(),
            _ => crate::web::download::Cell::Nothing,
        }),
    ];
    List::new("bands", "bands-sort", BANDS, fields)
}

/// A line for each stretch of days on which a rule said the same.
pub(super) fn dates() -> List<Line> {
    let fields = vec![
        Field::unseen("account_id", |line: &Line| line.of.account_id.as_str().into()),
        Field::unseen("region", |line| line.of.region.as_str().into()),
        Field::unseen("resource_type", |line| line.of.resource_type.as_str().into()),
        Field::unseen("resource_id", |line| line.of.id.as_str().into()),
        Field::text("Rule", "rule", |line| line.rule.as_str().into()),
        Field::text("Status", "status", |line: &Line| line.words().into()).ordered(|line| line.urgency().into()),
        Field::text("First day", "first_day", |line| line.first.into()),
        Field::text("Last day", "last_day", |line| line.last.into()),
        Field::number("Days", "days", |line| line.days.into()),
        Field::text("Item captured", "item_captured_at", |line| line.captured_at.into()),
    ];
    List::new("dates", "sort", DATES, fields)
}
