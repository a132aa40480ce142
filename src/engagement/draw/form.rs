//! The form that asks for a sample: from what was typed to what is meant. Pure.

use time::Date;

use super::core::{MOST, Strata};
use crate::web::form::{Problems, value};
use crate::web::parse_day;

/// The longest purpose, in characters.
const PURPOSE: usize = 300;
/// The statuses that a population can be narrowed to.
pub(in crate::engagement) const STATUSES: [&str; 4] =
    ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NOT_APPLICABLE"];

/// The form as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DrawForm {
    pub as_of: String,
    /// A core name; empty is every rule.
    pub rule: String,
    /// Empty is every status.
    pub status: String,
    pub size: String,
    pub seed: String,
    pub strata: String,
    pub purpose: String,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub as_of: Date,
    pub core_name: Option<String>,
    pub status: Option<String>,
    pub size: i32,
    pub seed: String,
    pub strata: Strata,
    pub purpose: String,
}

/// Which evaluations are meant: of a day, of a rule and a status or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engagement) struct Slice {
    pub as_of: Date,
    pub core_name: Option<String>,
    pub status: Option<String>,
}

/// Checks a day, a rule and a status as typed. `days` are the first and last that the room shows, `rules` the core names
/// that it shows, in order.
pub(in crate::engagement) fn slice(
    (as_of, rule, status): (&str, &str, &str),
    (first, last): (Date, Date),
    rules: &[String],
    problems: &mut Problems,
) -> Option<Slice> {
    let as_of = parse_day(as_of).filter(|day| (first..=last).contains(day));
    if as_of.is_none() {
        problems.add("as_of", format!("Enter a day of the period that was collected: {first} to {last}."));
    }
    let core_name = (!rule.is_empty()).then(|| rule.to_owned());
    if core_name.as_ref().is_some_and(|name| rules.binary_search(name).is_err()) {
        problems.add("rule", "Enter a rule by the name that the room’s list of rules has, or none for all of them.");
    }
    let status = (!status.is_empty()).then(|| status.to_owned());
    if status.as_ref().is_some_and(|status| !STATUSES.contains(&status.as_str())) {
        problems.add("status", "Choose one of the statuses, or all of them.");
    }
    as_of.map(|as_of| Slice { as_of, core_name, status })
}

impl DrawForm {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        let value = |name| value(fields, name);
        Self {
            as_of: value("as_of"),
            rule: value("rule"),
            status: value("status"),
            size: value("size"),
            seed: value("seed"),
            strata: value("strata"),
            purpose: value("purpose"),
        }
    }

    /// Checks it. `days` are the first and last that the room shows, `rules` the core names that it shows, in order.
    pub(super) fn parse(&self, days: (Date, Date), rules: &[String]) -> Result<Asked, Problems> {
        let mut problems = Problems::default();
        let slice = slice((&self.as_of, &self.rule, &self.status), days, rules, &mut problems);
        let most = i32::try_from(MOST).unwrap_or(i32::MAX);
        let size = self.size.parse::<i32>().ok().filter(|size| (1..=most).contains(size));
        if size.is_none() {
            problems.add("size", format!("Enter how many rows, from 1 to {most}."));
        }
        let printable = |byte: u8| (b' '..=b'~').contains(&byte);
        if self.seed.is_empty() || self.seed.len() > 64 || !self.seed.bytes().all(printable) {
            problems.add("seed", "Enter a seed of 1 to 64 plain characters, such as a date and your initials.");
        }
        let strata = Strata::of(&self.strata);
        if strata.is_none() {
            problems.add("strata", "Choose of what so many rows are drawn.");
        }
        if self.purpose.is_empty() || self.purpose.chars().count() > PURPOSE || self.purpose.contains('\0') {
            problems.add("purpose", format!("Say what the sample is for, in up to {PURPOSE} characters."));
        }
        match (slice, size, strata) {
            (Some(Slice { as_of, core_name, status }), Some(size), Some(strata)) if problems.is_empty() => Ok(Asked {
                as_of,
                core_name,
                status,
                size,
                seed: self.seed.clone(),
                strata,
                purpose: self.purpose.clone(),
            }),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn each_mistake_is_named_at_its_field() {
        let form = DrawForm {
            as_of: "2026-11-02".to_owned(),
            rule: "a".to_owned(),
            status: "NON_COMPLIANT".to_owned(),
            size: "25".to_owned(),
            seed: "2026-11-30 AB".to_owned(),
            strata: "account".to_owned(),
            purpose: "test of details".to_owned(),
        };
        let days = (date!(2026 - 11 - 01), date!(2026 - 11 - 03));
        let parse = |form: &DrawForm| form.parse(days, &["a".to_owned()]);
        assert_eq!(parse(&form).unwrap().size, 25);
        let wrong = |change: fn(&mut DrawForm)| {
            let mut form = form.clone();
            change(&mut form);
            parse(&form).unwrap_err().found.into_iter().map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert_eq!(wrong(|form| form.as_of = "2026-11-04".to_owned()), ["as_of"]);
        assert_eq!(wrong(|form| form.rule = "b".to_owned()), ["rule"]);
        assert_eq!(wrong(|form| form.status = "GREEN".to_owned()), ["status"]);
        for size in ["0", "-1", "10001", "x", ""] {
            let form = DrawForm { size: size.to_owned(), ..form.clone() };
            assert_eq!(parse(&form).unwrap_err().found.len(), 1, "{size}");
        }
        assert_eq!(wrong(|form| form.seed = "é".to_owned()), ["seed"]);
        assert_eq!(wrong(|form| form.seed.clear()), ["seed"]);
        assert_eq!(wrong(|form| form.strata = "x".to_owned()), ["strata"]);
        assert_eq!(wrong(|form| form.purpose = "x".repeat(301)), ["purpose"]);
    }
}
