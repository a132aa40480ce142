//! What somebody found who reviewed a report: the form and what it means. Pure.

use serde::{Deserialize, Serialize};
use time::Date;

use crate::web::form::Problems;
use crate::web::parse_day;

/// The longest texts that are taken, in characters.
const NAME: usize = 200;
const TEXT: usize = 10_000;
/// Most user-entity controls of a review.
pub(in crate::artifact) const CONTROLS: usize = 200;

/// The auditor's opinion, as reports on controls have it: AICPA AT-C 205.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::artifact) enum Opinion {
    Unqualified,
    Qualified,
    Adverse,
    Disclaimer,
    /// The document has none: certificates, summaries.
    None,
}

impl Opinion {
    pub(in crate::artifact) const ALL: [Self; 5] =
        [Self::Unqualified, Self::Qualified, Self::Adverse, Self::Disclaimer, Self::None];

    /// As the store and forms write it.
    pub(in crate::artifact) fn slug(self) -> &'static str {
        match self {
            Self::Unqualified => "unqualified",
            Self::Qualified => "qualified",
            Self::Adverse => "adverse",
            Self::Disclaimer => "disclaimer",
            Self::None => "none",
        }
    }

    pub(in crate::artifact) fn words(self) -> &'static str {
        match self {
            Self::Unqualified => "unqualified opinion",
            Self::Qualified => "qualified opinion",
            Self::Adverse => "adverse opinion",
            Self::Disclaimer => "disclaimer of opinion",
            Self::None => "gives no opinion",
        }
    }

    /// Reads [`Self::slug`].
    pub(in crate::artifact) fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|opinion| opinion.slug() == slug)
    }
}

/// A control that the report expects of its users, and who sees to it here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::artifact) struct UserControl {
    pub(in crate::artifact) control: String,
    /// Empty: nobody yet.
    #[serde(default)]
    pub(in crate::artifact) owner: String,
}

/// The form as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::artifact) struct ReviewForm {
    pub(super) reviewer: String,
    pub(super) reviewed_on: String,
    pub(super) opinion: String,
    pub(super) exceptions: String,
    pub(super) controls: String,
    pub(super) carve_outs: String,
    pub(super) conclusion: String,
    pub(super) next_due: String,
}

/// What the form says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::artifact) struct Review {
    pub(in crate::artifact) reviewer: String,
    pub(in crate::artifact) reviewed_on: Date,
    pub(in crate::artifact) opinion: Opinion,
    pub(in crate::artifact) exceptions: String,
    pub(in crate::artifact) controls: Vec<UserControl>,
    pub(in crate::artifact) carve_outs: String,
    pub(in crate::artifact) conclusion: String,
    pub(in crate::artifact) next_due: Option<Date>,
}

/// A field's text, without what Postgres cannot hold.
pub(in crate::artifact) fn value(fields: &[(String, String)], name: &str) -> String {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.trim().replace('\0', "\u{fffd}")).unwrap_or_default()
}

impl ReviewForm {
    pub(in crate::artifact) fn of(fields: &[(String, String)]) -> Self {
        let value = |name| value(fields, name);
        Self {
            reviewer: value("reviewer"),
            reviewed_on: value("reviewed_on"),
            opinion: value("opinion"),
            exceptions: value("exceptions"),
            controls: value("controls"),
            carve_outs: value("carve_outs"),
            conclusion: value("conclusion"),
            next_due: value("next_due"),
        }
    }

    /// What it says; `None` where something is wrong, which is then among the problems.
    pub(in crate::artifact) fn read(&self, today: Date, problems: &mut Problems) -> Option<Review> {
        let longer = |text: &str, longest: usize| text.chars().count() > longest;
        if self.reviewer.is_empty() || longer(&self.reviewer, NAME) {
            problems.add("reviewer", "Name who reviewed the report, in up to 200 characters.");
        }
        let reviewed_on = parse_day(&self.reviewed_on).filter(|day| *day <= today);
        if reviewed_on.is_none() {
            problems.add("reviewed_on", "Enter the day of the review, which is not in the future.");
        }
        let opinion = Opinion::parse(&self.opinion);
        if opinion.is_none() {
            problems.add("opinion", "Choose the auditor’s opinion, or that the document gives none.");
        }
        for (field, text) in [("exceptions", &self.exceptions), ("carve_outs", &self.carve_outs)] {
            if longer(text, TEXT) {
                problems.add(field, "Shorten it to 10,000 characters.");
            }
        }
        let controls = controls(&self.controls, problems);
        if self.conclusion.is_empty() || longer(&self.conclusion, TEXT) {
            problems.add("conclusion", "Say what follows for this organisation, in up to 10,000 characters.");
        }
        let next_due = if self.next_due.is_empty() { Some(None) } else { parse_day(&self.next_due).map(Some) };
        let next_due = next_due.filter(|due| due.is_none_or(|due| reviewed_on.is_none_or(|on| due > on)));
        if next_due.is_none() {
            problems.add("next_due", "Enter a day after the review, or leave it empty.");
        }
        if !problems.is_empty() {
            return None;
        }
        Some(Review {
            reviewer: self.reviewer.clone(),
            reviewed_on: reviewed_on?,
            opinion: opinion?,
            exceptions: self.exceptions.clone(),
            controls,
            carve_outs: self.carve_outs.clone(),
            conclusion: self.conclusion.clone(),
            next_due: next_due?,
        })
    }
}

/// A control a line, with its owner after the last `|`.
fn controls(text: &str, problems: &mut Problems) -> Vec<UserControl> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > CONTROLS || text.chars().count() > TEXT {
        problems.add("controls", "Enter at most 200 controls and 10,000 characters.");
    }
    let control = |line: &str| {
        let (control, owner) = line.rsplit_once('|').unwrap_or((line, ""));
        UserControl { control: control.trim().to_owned(), owner: owner.trim().to_owned() }
    };
    let controls: Vec<UserControl> = lines.into_iter().map(control).collect();
    if controls.iter().any(|one| one.control.is_empty()) {
        problems.add("controls", "Each line begins with a control: “control | owner”.");
    }
    controls
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 11 - 22);

    fn form() -> ReviewForm {
        ReviewForm {
            reviewer: "R. Weiß".to_owned(),
            reviewed_on: "2026-11-20".to_owned(),
            opinion: "unqualified".to_owned(),
            controls: "Rotate keys | security team\n\nReview access".to_owned(),
            conclusion: "Suffices".to_owned(),
            next_due: "2027-05-20".to_owned(),
            ..ReviewForm::default()
        }
    }

    #[test]
    fn a_whole_form_is_a_review_with_its_controls_and_owners() {
        let mut problems = Problems::default();
        let review = form().read(TODAY, &mut problems).expect("it is whole");
        assert_eq!((review.opinion, review.next_due), (Opinion::Unqualified, Some(date!(2027 - 05 - 20))));
        let owners: Vec<(&str, &str)> =
            review.controls.iter().map(|one| (one.control.as_str(), one.owner.as_str())).collect();
        assert_eq!(owners, [("Rotate keys", "security team"), ("Review access", "")]);
        for opinion in Opinion::ALL {
            assert_eq!(Opinion::parse(opinion.slug()), Some(opinion));
        }
    }

    #[test]
    fn each_thing_that_is_wrong_is_said_at_its_field() {
        let long = "x".repeat(10_001);
        for (field, wrong) in [
            ("reviewer", ReviewForm { reviewer: String::new(), ..form() }),
            ("reviewed_on", ReviewForm { reviewed_on: "2026-11-23".to_owned(), ..form() }),
            ("reviewed_on", ReviewForm { reviewed_on: "yesterday".to_owned(), ..form() }),
            ("opinion", ReviewForm { opinion: "good".to_owned(), ..form() }),
            ("exceptions", ReviewForm { exceptions: long.clone(), ..form() }),
            ("carve_outs", ReviewForm { carve_outs: long.clone(), ..form() }),
            ("controls", ReviewForm { controls: "| nobody".to_owned(), ..form() }),
            ("conclusion", ReviewForm { conclusion: String::new(), ..form() }),
            ("next_due", ReviewForm { next_due: "2026-11-20".to_owned(), ..form() }),
            ("next_due", ReviewForm { next_due: "soon".to_owned(), ..form() }),
        ] {
            let mut problems = Problems::default();
            assert_eq!(wrong.read(TODAY, &mut problems), None, "{field}");
            assert!(problems.of(field).is_some(), "{field}: {problems:?}");
        }
        let mut problems = Problems::default();
        let open = ReviewForm { next_due: String::new(), controls: String::new(), ..form() };
        assert_eq!(open.read(TODAY, &mut problems).and_then(|review| review.next_due), None);
        assert!(problems.is_empty(), "{problems:?}");
    }
}
