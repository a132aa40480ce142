//! Which of an organisation's accounts have a Business Associate Addendum (BAA) listed by Artifact, as known on a day.

use time::Date;

use super::classify::says;
use super::facts::Facts;

/// What Artifact lists for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Baa {
    /// The account's own agreement.
    Own,
    /// One that its organisation made for all its accounts.
    Organization,
    Both,
    /// It was asked, and none was listed: one that was made offline does not show.
    NoneListed,
    /// It could not be asked, and why.
    NotRead(String),
    /// Nobody had asked up to that day.
    NotKnown,
}

impl Baa {
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Own => "own agreement",
            Self::Organization => "organisation’s",
            Self::Both => "own and organisation’s",
            Self::NoneListed => "none listed",
            Self::NotRead(_) => "not read",
            Self::NotKnown => "not known",
        }
    }

    /// In downloads and addresses.
    pub(super) fn slug(&self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Organization => "organization",
            Self::Both => "both",
            Self::NoneListed => "none-listed",
            Self::NotRead(_) => "not-read",
            Self::NotKnown => "not-known",
        }
    }

    /// All of [`Self::slug`].
    pub(super) const SLUGS: [&'static str; 6] = ["own", "organization", "both", "none-listed", "not-read", "not-known"];

    /// Those an auditor asks about first: nothing listed, or nothing known.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::NoneListed | Self::NotRead(_) | Self::NotKnown)
    }
}

/// The newest try to read an account's agreements, up to the day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) failure: Option<String>,
    /// What is held of it: of the last try that succeeded.
    pub(super) agreements: Vec<Facts>,
}

/// An account with what Artifact lists for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountBaa {
    pub(super) baa: Baa,
    /// From when on: the later of the agreement's effective start and the day the account joined.
    pub(super) since: Option<Date>,
    /// Where it is known to end.
    pub(super) until: Option<Date>,
}

impl AccountBaa {
    /// What leaving the organisation would mean.
    pub(super) fn would_end(&self) -> bool {
        self.baa == Baa::Organization
    }
}

/// Whether an agreement is a BAA: AWS's model has no field for that.
pub(super) fn is_baa(facts: &Facts) -> bool {
    [facts.text("name"), facts.text("description")].into_iter().any(|text| {
        says(
            text,
            &["business associate addendum", "business associate agreement", "business associates addendum", "baa"],
        )
    })
}

/// Whether an agreement is of the organisation.
pub(super) fn is_organizations(facts: &Facts) -> bool {
    !facts.text("organizationArn").is_empty()
}

/// Whether an agreement is in force at the end of a day. What AWS does not say is not taken for granted.
pub(super) fn is_in_force(facts: &Facts, day: Date) -> bool {
    facts.text("state") == "ACTIVE"
        && facts.day("effectiveStart").is_some_and(|start| start <= day)
        && (!facts.0.contains_key("effectiveEnd") || facts.day("effectiveEnd").is_some_and(|end| end > day))
}

/// What holds for an account on a day. `organizations` are the organisation's agreements that any account was told of.
pub(super) fn baa_of(read: Option<&Read>, organizations: &[&Facts], joined_on: Option<Date>, day: Date) -> AccountBaa {
    let holds = |facts: &&Facts| is_baa(facts) && is_in_force(facts, day);
    let own: Vec<&Facts> = read.iter().flat_map(|read| &read.agreements).filter(|one| !is_organizations(one)).collect();
    let own: Vec<&Facts> = own.into_iter().filter(holds).collect();
    let of_organization: Vec<&Facts> = organizations.iter().copied().filter(holds).collect();
    let is_read = read.is_some_and(|read| read.failure.is_none());
    let baa = match (own.is_empty() || !is_read, of_organization.is_empty()) {
        (false, false) => Baa::Both,
        (false, true) => Baa::Own,
        (true, false) => Baa::Organization,
        (true, true) => match read {
            None => Baa::NotKnown,
            Some(Read { failure: Some(why), .. }) => Baa::NotRead(why.clone()),
            Some(_) => Baa::NoneListed,
        },
    };
    let start = |facts: &&Facts| facts.day("effectiveStart");
    // Since when is not known of an account of which nobody knows when it joined.
    let joined = |day: Date| joined_on.map(|joined| joined.max(day));
    let since_own = own.iter().filter_map(start).min().filter(|_| matches!(baa, Baa::Own | Baa::Both));
    let since_organizations = of_organization.iter().filter_map(start).min().and_then(joined);
    let speaking = if matches!(baa, Baa::Own | Baa::Both) { own } else { Vec::new() };
    let speaking: Vec<&Facts> = speaking.into_iter().chain(of_organization).collect();
    // One without an end goes on.
    let until = if speaking.iter().any(|one| one.day("effectiveEnd").is_none()) {
        None
    } else {
        speaking.iter().filter_map(|one| one.day("effectiveEnd")).max()
    };
    AccountBaa { baa, since: since_own.into_iter().chain(since_organizations).min(), until }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::date;

    use super::super::facts::tests::facts;
    use super::*;

    const DAY: Date = date!(2026 - 11 - 24);

    fn baa(more: Value) -> Facts {
        let mut all = json!({"name": "AWS Business Associate Addendum", "state": "ACTIVE",
                             "effectiveStart": "2025-02-03T10:11:12Z"});
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
        facts(all)
    }

    fn read(agreements: Vec<Facts>) -> Read {
        Read { failure: None, agreements }
    }

    #[test]
    fn what_could_not_be_read_is_never_none() {
        let denied = Read { failure: Some("artifact:ListCustomerAgreements".to_owned()), agreements: vec![] };
        assert_eq!(
            baa_of(Some(&denied), &[], None, DAY).baa,
            Baa::NotRead("artifact:ListCustomerAgreements".to_owned())
        );
        assert_eq!(baa_of(None, &[], None, DAY).baa, Baa::NotKnown);
        assert_eq!(baa_of(Some(&read(vec![])), &[], None, DAY).baa, Baa::NoneListed);
        let stale = Read { agreements: vec![baa(json!({}))], ..denied };
        assert!(matches!(baa_of(Some(&stale), &[], None, DAY).baa, Baa::NotRead(_)), "what it said before is not now");
    }

    #[test]
    fn an_organisations_agreement_holds_from_the_day_of_joining() {
        let organizations = baa(json!({"organizationArn": "arn:aws:organizations::1:organization/o-1"}));
        let found = baa_of(Some(&read(vec![])), &[&organizations], Some(date!(2026 - 01 - 15)), DAY);
        assert_eq!(
            (found.baa.clone(), found.since, found.would_end()),
            (Baa::Organization, Some(date!(2026 - 01 - 15)), true)
        );
        let own = read(vec![baa(json!({})), organizations.clone()]);
        let found = baa_of(Some(&own), &[&organizations], Some(date!(2026 - 01 - 15)), DAY);
        assert_eq!((found.baa, found.since), (Baa::Both, Some(date!(2025 - 02 - 03))));
    }

    #[test]
    fn what_ended_or_was_terminated_or_is_another_agreement_does_not_count() {
        for agreement in [
            baa(json!({"state": "CUSTOMER_TERMINATED"})),
            baa(json!({"effectiveEnd": "2026-11-23T00:00:00Z"})),
            baa(json!({"effectiveStart": "2026-11-25T00:00:00Z"})),
            baa(json!({"effectiveStart": null})),
            baa(json!({"name": "AWS Nondisclosure Agreement"})),
        ] {
            assert_eq!(
                baa_of(Some(&read(vec![agreement.clone()])), &[], None, DAY).baa,
                Baa::NoneListed,
                "{agreement:?}"
            );
        }
        let unknown = baa_of(Some(&read(vec![])), &[&baa(json!({"organizationArn": "arn:o"}))], None, DAY);
        assert_eq!((unknown.baa, unknown.since), (Baa::Organization, None), "nobody knows when it joined");
        let ending = baa_of(Some(&read(vec![baa(json!({"effectiveEnd": "2026-12-31T00:00:00Z"}))])), &[], None, DAY);
        assert_eq!((ending.baa, ending.until), (Baa::Own, Some(date!(2026 - 12 - 31))));
    }
}
