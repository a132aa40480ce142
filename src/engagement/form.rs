//! The forms of an engagement: from what was typed to what is meant. Pure.

use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::core::Terms;
use super::db::DEMO_AUDITOR;
use crate::web::form::{Problems, text, value};
use crate::web::parse_day;

/// The longest title and reason that are taken, in characters.
const TITLE: usize = 100;
const REASON: usize = 1_000;
/// Most rules, and most addresses at once.
const RULES: usize = 500;
const ADDRESSES: usize = 100;
/// RFC 5321, section 4.5.3.1.3: a path has 256 octets with its brackets.
const ADDRESS: usize = 254;

/// The form as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TermsForm {
    pub title: String,
    /// A scope's name; empty is the whole organisation.
    pub scope: String,
    /// Core names, one a line or with commas between; empty is all rules.
    pub rules: String,
    pub first_day: String,
    pub last_day: String,
    /// `YYYY-MM-DDTHH:MM`, UTC.
    pub opens_at: String,
    pub closes_at: String,
    pub reason: String,
    /// E-mail addresses, one a line or with commas between. Of a new engagement alone.
    pub auditors: String,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub title: String,
    pub scope_name: Option<String>,
    pub core_names: Option<Vec<String>>,
    pub first_day: Date,
    pub last_day: Date,
    pub opens_at: OffsetDateTime,
    pub closes_at: OffsetDateTime,
    pub reason: String,
    pub auditors: Vec<String>,
}

/// What the form is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// Names of scopes.
    pub scopes: &'a [(String, String)],
    /// Core names of rules that were ever delivered, in order.
    pub rules: &'a [String],
    pub now: OffsetDateTime,
    /// Whether the demo's auditor can be invited.
    pub demo: bool,
}

/// A reason as typed.
pub(super) fn reason(typed: &str) -> Result<String, Problems> {
    text("reason", "reason", typed, REASON)
}

/// A moment as a browser's field gives it, in UTC.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let moment = PrimitiveDateTime::parse(text, minutes).ok()?;
    parse_day(&moment.date().to_string()).map(|_| moment.assume_utc())
}

/// A moment as a browser's field takes it.
pub(super) fn moment_text(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!("{}T{:02}:{:02}", at.date(), at.hour(), at.minute())
}

fn words(text: &str) -> Vec<&str> {
    text.split([',', '\n', '\r', ';']).map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// E-mail addresses in small letters, each once.
pub(super) fn addresses(typed: &str, demo: bool) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    for word in words(typed) {
        let address = word.to_lowercase();
        let is_demo = demo && address == DEMO_AUDITOR;
        let parts = address.split_once('@');
        let is_address = parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && address.len() <= ADDRESS
        }) && !address.chars().any(|character| character.is_whitespace() || character.is_control());
        if !is_demo && !is_address {
            let shown: String = word.chars().take(60).collect();
            return Err(format!("“{shown}” is no e-mail address, such as name@example.com."));
        }
        if !found.contains(&address) {
            found.push(address);
        }
    }
    if found.len() > ADDRESSES { Err(format!("Invite at most {ADDRESSES} at once.")) } else { Ok(found) }
}

/// The form of an invitation as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Invited {
    /// E-mail addresses, one a line or with commas between.
    pub email: String,
    /// The name of an identity provider; empty is any of them.
    pub provider: String,
}

impl Invited {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        Self { email: value(fields, "email"), provider: value(fields, "provider") }
    }

    /// The addresses, and the one of `providers` that alone may prove them.
    pub(super) fn check(&self, providers: &[String], demo: bool) -> Result<(Vec<String>, Option<String>), Problems> {
        let mut problems = Problems::default();
        let found = addresses(&self.email, demo).unwrap_or_else(|problem| {
            problems.add("email", problem);
            Vec::new()
        });
        if found.is_empty() && problems.is_empty() {
            problems.add("email", "Enter the e-mail address that the auditor signs in with.");
        }
        let provider = Some(self.provider.clone()).filter(|name| !name.is_empty());
        if provider.as_ref().is_some_and(|name| !providers.contains(name)) {
            problems.add("provider", "Choose one of the identity providers, or any of them.");
        }
        if problems.is_empty() { Ok((found, provider)) } else { Err(problems) }
    }
}

impl TermsForm {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        let value = |name| value(fields, name);
        Self {
            title: value("title"),
            scope: value("scope"),
            rules: value("rules"),
            first_day: value("first_day"),
            last_day: value("last_day"),
            opens_at: value("opens_at"),
            closes_at: value("closes_at"),
            reason: value("reason"),
            auditors: value("auditors"),
        }
    }

    /// The form filled in as terms stand.
    pub(super) fn standing(terms: &Terms) -> Self {
        Self {
            title: terms.title.clone(),
            scope: terms.scope_name.clone().unwrap_or_default(),
            rules: terms.core_names.as_ref().map(|names| names.join("\n")).unwrap_or_default(),
            first_day: terms.first_day.to_string(),
            last_day: terms.last_day.to_string(),
            opens_at: moment_text(terms.opens_at),
            closes_at: moment_text(terms.closes_at),
            reason: String::new(),
            auditors: String::new(),
        }
    }

    /// Checks it.
    pub(super) fn parse(&self, known: Known<'_>) -> Result<Asked, Problems> {
        let mut problems = Problems::default();
        problems.text("title", "title", &self.title, TITLE);
        let scope_name = (!self.scope.is_empty()).then(|| self.scope.clone());
        if scope_name.as_ref().is_some_and(|name| !known.scopes.iter().any(|(scope, _)| scope == name)) {
            problems.add("scope", "Choose one of the scopes, or the whole organisation.");
        }
        let core_names = self.rules(known.rules, &mut problems);
        let (first_day, last_day) = (parse_day(&self.first_day), parse_day(&self.last_day));
        if first_day.is_none() {
            problems.add("first_day", "Enter the first day of the period as YYYY-MM-DD.");
        }
        if last_day.is_none() {
            problems.add("last_day", "Enter the last day of the period as YYYY-MM-DD.");
        }
        if let (Some(first), Some(last)) = (first_day, last_day)
            && first > last
        {
            problems.add("last_day", "The period ends before it begins.");
        }
        let (opens_at, closes_at) = (moment(&self.opens_at), moment(&self.closes_at));
        if opens_at.is_none() {
            problems.add("opens_at", "Enter when the room opens, as YYYY-MM-DDTHH:MM in UTC.");
        }
        match closes_at {
            None => problems.add("closes_at", "Enter when the room closes, as YYYY-MM-DDTHH:MM in UTC."),
            Some(closes) if opens_at.is_some_and(|opens| closes <= opens) => {
                problems.add("closes_at", "The room closes before it opens.");
            }
            Some(closes) if closes <= known.now => {
                problems.add("closes_at", "That moment is past: to close the room now, use the form for it.");
            }
            Some(_) => {}
        }
        problems.text("reason", "reason", &self.reason, REASON);
        let auditors = addresses(&self.auditors, known.demo).unwrap_or_else(|problem| {
            problems.add("auditors", problem);
            Vec::new()
        });
        match (first_day, last_day, opens_at, closes_at) {
            (Some(first_day), Some(last_day), Some(opens_at), Some(closes_at)) if problems.is_empty() => Ok(Asked {
                title: self.title.clone(),
                scope_name,
                core_names,
                first_day,
                last_day,
                opens_at,
                closes_at,
                reason: self.reason.clone(),
                auditors,
            }),
            _ => Err(problems),
        }
    }

    fn rules(&self, known: &[String], problems: &mut Problems) -> Option<Vec<String>> {
        let mut names: Vec<String> = words(&self.rules).into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        let unknown: Vec<&str> =
            names.iter().filter(|name| known.binary_search(name).is_err()).map(String::as_str).collect();
        if let Some(first) = unknown.first() {
            let shown: String = first.chars().take(60).collect();
            problems.add(
                "rules",
                format!("No rule “{shown}” was ever delivered: enter rules by the names that the list of rules has."),
            );
        } else if names.len() > RULES {
            problems.add("rules", format!("Name at most {RULES} rules, or none for all of them."));
        }
        (!names.is_empty()).then_some(names)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    fn form() -> TermsForm {
        TermsForm {
            title: "SOC 2 2026".to_owned(),
            scope: "prod".to_owned(),
            rules: "b, a\na".to_owned(),
            first_day: "2026-01-01".to_owned(),
            last_day: "2026-06-30".to_owned(),
            opens_at: "2026-07-01T08:00".to_owned(),
            closes_at: "2026-08-01T08:00".to_owned(),
            reason: "agreed".to_owned(),
            auditors: "Ann@Example.com; bob@example.com\nann@example.com".to_owned(),
        }
    }

    fn parse(form: &TermsForm) -> Result<Asked, Vec<&'static str>> {
        let scopes = [("prod".to_owned(), "Production".to_owned())];
        let rules = ["a".to_owned(), "b".to_owned()];
        let known = Known { scopes: &scopes, rules: &rules, now: datetime!(2026-07-02 08:00 UTC), demo: false };
        form.parse(known).map_err(|problems| problems.found.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn a_whole_form_is_understood_and_shown_again_as_it_stands() {
        let asked = parse(&form()).unwrap();
        assert_eq!(asked.core_names.as_deref(), Some(["a".to_owned(), "b".to_owned()].as_slice()));
        assert_eq!((asked.first_day, asked.last_day), (date!(2026 - 01 - 01), date!(2026 - 06 - 30)));
        assert_eq!(asked.closes_at, datetime!(2026-08-01 08:00 UTC));
        assert_eq!(asked.auditors, ["ann@example.com", "bob@example.com"]);
        assert_eq!(moment_text(asked.opens_at), form().opens_at);
        let whole = TermsForm { scope: String::new(), rules: String::new(), ..form() };
        let asked = parse(&whole).unwrap();
        assert_eq!((asked.scope_name, asked.core_names), (None, None));
    }

    #[test]
    fn each_mistake_is_named_at_its_field() {
        let wrong = |change: fn(&mut TermsForm)| {
            let mut form = form();
            change(&mut form);
            parse(&form).unwrap_err()
        };
        assert_eq!(wrong(|form| form.title.clear()), ["title"]);
        assert_eq!(wrong(|form| form.title = "x".repeat(101)), ["title"]);
        assert_eq!(wrong(|form| form.scope = "dev".to_owned()), ["scope"]);
        assert_eq!(wrong(|form| form.rules = "a, c".to_owned()), ["rules"]);
        assert_eq!(wrong(|form| form.first_day = "2026-02-30".to_owned()), ["first_day"]);
        assert_eq!(wrong(|form| form.last_day = "2025-12-31".to_owned()), ["last_day"]);
        assert_eq!(wrong(|form| form.opens_at = "2026-07-01".to_owned()), ["opens_at"]);
        assert_eq!(wrong(|form| form.closes_at = form.opens_at.clone()), ["closes_at"]);
        assert_eq!(wrong(|form| form.opens_at = "9999-07-01T00:00".to_owned()), ["opens_at"]);
        assert_eq!(wrong(|form| form.reason.clear()), ["reason"]);
        for address in ["ann", "ann@", "@example.com", "a b@example.com", "a@b@c", "demo auditor"] {
            let form = TermsForm { auditors: address.to_owned(), ..form() };
            assert_eq!(parse(&form).unwrap_err(), ["auditors"], "{address}");
        }
    }

    #[test]
    fn an_invitation_is_kept_to_a_provider_of_the_settings_or_to_none() {
        let providers = ["company".to_owned(), "auditors".to_owned()];
        let check = |email: &str, provider: &str| {
            let invited = Invited { email: email.to_owned(), provider: provider.to_owned() };
            invited
                .check(&providers, false)
                .map_err(|problems| problems.found.into_iter().map(|(field, _)| field).collect::<Vec<_>>())
        };
        let ann = vec!["ann@example.com".to_owned()];
        assert_eq!(check("Ann@example.com", ""), Ok((ann.clone(), None)));
        assert_eq!(check("Ann@example.com", "auditors"), Ok((ann, Some("auditors".to_owned()))));
        assert_eq!(check("", "others"), Err(vec!["email", "provider"]));
        assert_eq!(check("Ann", "company"), Err(vec!["email"]));
    }
}
