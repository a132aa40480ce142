//! What came of each permission. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::permissions::{Holder, Permission};
use crate::aws::{Failure, Kind};

/// What came of one permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Works,
    /// A policy does not allow it.
    Missing,
    /// It failed for another reason.
    Failed,
    /// What goes before it failed, or there was nothing to try it on.
    NotTried,
    NotNeeded,
}

impl Outcome {
    /// The words for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::NotTried => "not tried",
            Self::NotNeeded => "not needed",
        }
    }
}

/// The action that is missing, as AWS names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub action: String,
    pub resource: String,
    /// Whose policy lacks it: the user or the role's session; empty where AWS does not say.
    pub who: String,
    /// Why, in AWS's words, e.g. "no identity-based policy allows the s3:GetObject action"; empty where it does not say.
    pub why: String,
}

/// One action and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// As IAM names it.
    pub action: String,
    /// What it is wanted on.
    pub resource: String,
    /// Whose credentials it is wanted for.
    pub holder: String,
    /// What Auditfolio does with it.
    pub why: String,
    pub outcome: Outcome,
    /// The result in a sentence.
    pub words: String,
    pub missing: Option<Missing>,
}

/// Whether everything that is needed works. What was not tried does not count as working.
pub fn works(rows: &[Row]) -> bool {
    !rows.is_empty() && rows.iter().all(|row| matches!(row.outcome, Outcome::Works | Outcome::NotNeeded))
}

/// "9 of 11 needed permissions work; 1 is missing, 1 was not tried."
pub fn summary(rows: &[Row]) -> String {
    let count = |outcome: Outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let needed = rows.len() - count(Outcome::NotNeeded);
    let working = count(Outcome::Works);
    if working == needed {
        return format!("All {needed} that these settings need work.");
    }
    let is = |number: usize| if number == 1 { "is" } else { "are" };
    let was = |number: usize| if number == 1 { "was" } else { "were" };
    let (missing, failed, untried) = (count(Outcome::Missing), count(Outcome::Failed), count(Outcome::NotTried));
    let parts = [
        (missing, format!("{missing} {} missing", is(missing))),
        (failed, format!("{failed} failed")),
        (untried, format!("{untried} {} not tried", was(untried))),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect();
    format!("{working} of {needed} that these settings need work; {}.", parts.join(", "))
}

/// Results as they come in.
#[derive(Debug)]
pub(super) struct Report {
    permissions: Vec<Permission>,
    /// What is no permission, e.g. whose credentials there are.
    first: Vec<Row>,
    found: BTreeMap<(&'static str, &'static str), (Outcome, String, Option<Missing>)>,
    /// Why nothing more is tried of some credentials, or of some permissions.
    blocked: BTreeMap<&'static str, String>,
}

impl Report {
    pub(super) fn new(permissions: Vec<Permission>) -> Self {
        Self { permissions, first: Vec::new(), found: BTreeMap::new(), blocked: BTreeMap::new() }
    }

    /// Whether these settings need a permission.
    pub(super) fn needs(&self, sid: &str) -> bool {
        self.permissions.iter().any(|permission| permission.sid == sid && permission.needed.is_ok())
    }

    /// Says what is no permission.
    pub(super) fn say(&mut self, holder: Holder, action: &str, result: Result<String, &Failure>) {
        let (outcome, words, missing) = match result {
            Ok(words) => (Outcome::Works, words, None),
            Err(failure) => of_failure(failure),
        };
        self.first.push(first_row(holder, action, outcome, words, missing));
    }

    /// There is nothing to make calls with.
    pub(super) fn no_clients(&mut self, action: &str, why: &str) {
        self.first.push(first_row(Holder::Portal, action, Outcome::Failed, format!("{}.", capital(why)), None));
    }

    /// An action did what it should. A failure that was noted before stands.
    pub(super) fn works(&mut self, sid: &'static str, action: &'static str, words: impl Into<String>) {
        self.found.entry((sid, action)).or_insert((Outcome::Works, words.into(), None));
    }

    /// An action failed. Where AWS names another of the permissions as the missing one, that one is missing too.
    pub(super) fn failed(&mut self, sid: &'static str, action: &'static str, failure: &Failure) {
        let (outcome, words, missing) = of_failure(failure);
        if let Some(missing) = &missing
            && missing.action != action
        {
            self.lacks(missing.clone());
        }
        self.found.insert((sid, action), (outcome, words, missing));
    }

    /// Notes what AWS names as missing, if it is one of the permissions that are needed.
    pub(super) fn lacks(&mut self, missing: Missing) {
        let wanted = self.permissions.iter().find_map(|permission| {
            let action = permission.actions.iter().find(|action| **action == missing.action)?;
            permission.needed.is_ok().then_some((permission.sid, *action))
        });
        if let Some(key) = wanted {
            self.found.insert(key, (Outcome::Missing, words_of(&missing), Some(missing)));
        }
    }

    /// An action failed for a reason that is none of AWS's policies.
    pub(super) fn broken(&mut self, sid: &'static str, action: &'static str, words: String) {
        self.found.insert((sid, action), (Outcome::Failed, words, None));
    }

    /// Nothing more of some credentials is tried.
    pub(super) fn block_holder(&mut self, holder: Holder, why: &str) {
        let sids: Vec<&'static str> =
            self.permissions.iter().filter(|it| it.holder == holder).map(|permission| permission.sid).collect();
        self.block_all(&sids, why);
    }

    /// Nothing more of a permission is tried. The first reason stands.
    pub(super) fn block(&mut self, sid: &'static str, why: &str) {
        self.blocked.entry(sid).or_insert_with(|| why.to_owned());
    }

    /// [`Self::block`] for several.
    pub(super) fn block_all(&mut self, sids: &[&'static str], why: &str) {
        for sid in sids {
            self.block(sid, why);
        }
    }

    /// Nothing more of anybody's credentials is tried.
    pub(super) fn block_everybody(&mut self, why: &str) {
        for holder in Holder::ALL {
            self.block_holder(holder, why);
        }
    }

    /// Whether nothing more of a permission is tried.
    pub(super) fn is_blocked(&self, sid: &str) -> bool {
        self.blocked.contains_key(sid)
    }

    /// One row an action: what is no permission first, then what is needed, then what is not.
    pub(super) fn rows(self) -> Vec<Row> {
        let Self { permissions, first, mut found, blocked } = self;
        let (needed, other): (Vec<Permission>, Vec<Permission>) =
            permissions.into_iter().partition(|permission| permission.needed.is_ok());
        let rows = needed.iter().chain(&other).flat_map(|permission| {
            permission.actions.iter().map(move |action| (permission, *action)).collect::<Vec<_>>()
        });
        let rows = rows.map(|(permission, action)| {
            let (outcome, words, missing) = match permission.needed {
                Err(why) => (Outcome::NotNeeded, format!("{}.", capital(why)), None),
                Ok(()) => found.remove(&(permission.sid, action)).unwrap_or_else(|| {
                    let why = blocked.get(permission.sid).map_or("there was nothing to try it on", String::as_str);
                    (Outcome::NotTried, format!("Not tried: {why}."), None)
                }),
            };
            Row {
                action: action.to_owned(),
                resource: permission.resources.join(", "),
                holder: permission.holder.title().to_owned(),
                why: permission.why.to_owned(),
                outcome,
                words,
                missing,
            }
        });
        first.into_iter().chain(rows).collect()
    }
}

fn first_row(holder: Holder, action: &str, outcome: Outcome, words: String, missing: Option<Missing>) -> Row {
    Row {
        action: action.to_owned(),
        resource: "–".to_owned(),
        holder: holder.title().to_owned(),
        why: "says whose credentials these are; nobody needs a permission for it".to_owned(),
        outcome,
        words,
        missing,
    }
}

/// As the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn of_failure(failure: &Failure) -> (Outcome, String, Option<Missing>) {
    if failure.kind == Kind::Denied {
        let missing = Missing::of(failure);
        (Outcome::Missing, words_of(&missing), Some(missing))
    } else {
        (Outcome::Failed, format!("{}.", capital(&failure.explained())), None)
    }
}

fn words_of(missing: &Missing) -> String {
    let Missing { action, resource, who, why } = missing;
    let who = if who.is_empty() { String::new() } else { format!(", for {who}") };
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    format!("Missing: {action} on {resource}{who}{why}.")
}

impl Missing {
    /// What AWS says is missing: "User: ARN is not authorized to perform: ACTION on resource: ARN because WHY", with the
    /// resource in quotation marks from S3. Where it says less, what was asked.
    fn of(failure: &Failure) -> Self {
        Self::in_message(failure.message.as_deref().unwrap_or_default()).unwrap_or_else(|| Self {
            action: failure.action.to_string(),
            resource: failure.subject.clone(),
            who: failure.role.as_deref().unwrap_or_default().to_owned(),
            why: String::new(),
        })
    }

    /// The same from a text that has it somewhere, such as the reason of a failed query.
    pub(super) fn in_message(message: &str) -> Option<Self> {
        let (before, after) = message.split_once("not authorized to perform: ")?;
        let (action, rest) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        let action = action.trim_end_matches(['.', ',']);
        let (_, who) = before.rsplit_once("User: ").unwrap_or_default();
        let resource = rest.split_once("on resource: ").map(|(_, resource)| resource).unwrap_or_default();
        let (resource, why) = resource.split_once(" because ").unwrap_or_else(|| {
            // Without a reason the resource ends at the next space; quoted ones may have spaces in them.
            match resource.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                Some((quoted, _)) => (quoted, ""),
                None => (resource.split_whitespace().next().unwrap_or_default(), ""),
            }
        });
        let resource = resource.trim_matches('"').trim_end_matches(['.', ',']);
        action.contains(':').then(|| Self {
            action: action.to_owned(),
            resource: if resource.is_empty() { "*".to_owned() } else { resource.to_owned() },
            who: who.split_whitespace().next().unwrap_or_default().to_owned(),
            why: why.trim_end_matches('.').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    fn permission(sid: &'static str, actions: &'static [&'static str], needed: Result<(), &'static str>) -> Permission {
        Permission {
            sid,
            holder: Holder::Portal,
            actions,
            resources: vec!["arn:aws:s3:::b".to_owned()],
            condition: None,
            why: "reads",
            needed,
        }
    }

    fn denied(action: &'static str, message: &str) -> Failure {
        Failure {
            kind: Kind::Denied,
            action: action.into(),
            subject: "s3://b/k".to_owned(),
            role: None,
            code: None,
            message: (!message.is_empty()).then(|| message.to_owned()),
            region: None,
        }
    }

    #[test]
    fn the_missing_action_is_named_as_aws_names_it() {
        let missing = |action: &str, resource: &str, who: &str, why: &str| {
            Some(Missing {
                action: action.to_owned(),
                resource: resource.to_owned(),
                who: who.to_owned(),
                why: why.to_owned(),
            })
        };
        let user = "arn:aws:sts::111122223333:assumed-role/Portal/auditfolio";
        for (text, found) in [
            (
                format!(
                    "User: {user} is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/a b\" because \
                     no identity-based policy allows the s3:GetObject action"
                ),
                missing(
                    "s3:GetObject",
                    "arn:aws:s3:::b/a b",
                    user,
                    "no identity-based policy allows the s3:GetObject action",
                ),
            ),
            (
                format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/R"),
                missing("sts:AssumeRole", "arn:aws:iam::1:role/R", user, ""),
            ),
            (
                format!(
                    "FAILED: AccessDenied: User: {user} is not authorized to perform: glue:GetTable on resource: \
                     arn:aws:glue:r:1:catalog (Service: AWSGlue; Status Code: 400)"
                ),
                missing("glue:GetTable", "arn:aws:glue:r:1:catalog", user, ""),
            ),
            ("Access Denied".to_owned(), None),
        ] {
            assert_eq!(Missing::in_message(&text), found, "{text}");
        }
    }

    #[test]
    fn every_action_has_a_row_and_what_was_not_tried_does_not_work() {
        let mut report = Report::new(vec![
            permission("Not", &["a:Not"], Err("nobody asks")),
            permission("List", &["a:List"], Ok(())),
            permission("Read", &["a:Read", "a:Head"], Ok(())),
            permission("Rest", &["a:Rest"], Ok(())),
        ]);
        report.works("List", "a:List", "2 found");
        report.failed("Read", "a:Read", &denied("a:Read", ""));
        report.block("Read", "a:Read failed");
        let rows = report.rows();
        let shown: Vec<(&str, Outcome, &str)> =
            rows.iter().map(|row| (row.action.as_str(), row.outcome, row.words.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("a:List", Outcome::Works, "2 found"),
                ("a:Read", Outcome::Missing, "Missing: a:Read on s3://b/k."),
                ("a:Head", Outcome::NotTried, "Not tried: a:Read failed."),
                ("a:Rest", Outcome::NotTried, "Not tried: there was nothing to try it on."),
                ("a:Not", Outcome::NotNeeded, "Nobody asks."),
            ]
        );
        assert!(!works(&rows) && !works(&[]));
        assert_eq!(summary(&rows), "1 of 4 that these settings need work; 1 is missing, 2 were not tried.");
        let fine: Vec<Row> = rows.into_iter().filter(|row| row.action == "a:List" || row.action == "a:Not").collect();
        assert!(works(&fine));
    }

    #[test]
    fn a_failure_for_lack_of_another_permission_names_that_one() {
        let mut report = Report::new(vec![
            permission("Read", &["s3:GetObject"], Ok(())),
            permission("Decrypt", &["kms:Decrypt"], Ok(())),
        ]);
        let text =
            "User: arn:x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:r:1:key/k because no";
        report.failed("Read", "s3:GetObject", &denied("kms:Decrypt", text));
        report.works("Decrypt", "kms:Decrypt", "never");
        let rows = report.rows();
        assert!(rows.iter().all(|row| row.missing.as_ref().unwrap().action == "kms:Decrypt"), "{rows:?}");
    }
}
