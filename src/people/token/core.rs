//! What a token is and whether it lets a program in. Pure.

use time::{Duration, OffsetDateTime};

use super::reads::Scope;
use crate::people::Role;

/// What every token begins with, so that scanners find one that was left lying about.
const PREFIX: &str = "auditfolio";
/// Hexadecimal digits of the part that is no secret, and of the secret: 256 bits.
const PUBLIC: usize = 8;
const SECRET: usize = 64;

/// A token of somebody who has not signed in for this long sleeps: a role is only as new as the last sign-in.
pub(super) const SLEEPS_AFTER: Duration = Duration::days(90);

/// Writes a token: `auditfolio_`, 8 digits that name it, 64 that are its secret.
pub(super) fn write(public_id: &str, secret: &str) -> String {
    format!("{PREFIX}_{public_id}_{secret}")
}

/// Whether a text can be a token of this program.
pub(super) fn is_token(text: &str) -> bool {
    let is_hex = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.split('_').collect::<Vec<_>>()[..] {
        [prefix, public_id, secret] => prefix == PREFIX && is_hex(public_id, PUBLIC) && is_hex(secret, SECRET),
        _ => false,
    }
}

/// The first digits of a random text, which are stored in plain and are no part of the secret.
pub(super) fn public_part(random: &str) -> String {
    random.chars().take(PUBLIC).collect()
}

/// A token as it stands, with whom it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub expires_at: OffsetDateTime,
    pub ended: bool,
    pub scopes: Vec<String>,
    pub engagement_id: Option<i64>,
    pub owner: Owner,
}

/// Whom a token is of, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Demo {
        role: String,
        /// Whether demo identities may be used at all.
        on: bool,
    },
    Person {
        /// `None` where the provider's last answer gave none.
        role: Option<String>,
        disabled: bool,
        /// Whether their provider is still in the settings.
        known: bool,
        signed_in_at: OffsetDateTime,
    },
}

/// Why a token lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dead {
    Unknown,
    Expired,
    Ended,
    Disabled,
    NoRole,
    OtherRole,
    DemoOff,
    ProviderGone,
    Asleep,
}

impl Dead {
    pub const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Expired,
        Self::Ended,
        Self::Disabled,
        Self::NoRole,
        Self::OtherRole,
        Self::DemoOff,
        Self::ProviderGone,
        Self::Asleep,
    ];

    /// The word in the log and the audit log. It never changes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "token-unknown",
            Self::Expired => "token-expired",
            Self::Ended => "token-ended",
            Self::Disabled => "token-person-disabled",
            Self::NoRole => "token-no-role",
            Self::OtherRole => "token-other-role",
            Self::DemoOff => "token-demo-off",
            Self::ProviderGone => "token-provider-gone",
            Self::Asleep => "token-asleep",
        }
    }

    /// What happened, for who sent the token.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unknown => "This is no token of this installation.",
            Self::Expired => "The token’s time is over.",
            Self::Ended => "The token was ended.",
            Self::Disabled => "Whoever the token is of was disabled.",
            Self::NoRole => "Whoever the token is of has no role.",
            Self::OtherRole => "Whoever the token is of has another role now: make a new token.",
            Self::DemoOff => "The token is of a demo identity, and the demo sign-in is not switched on here.",
            Self::ProviderGone => "The identity provider of whoever the token is of is not in the settings any more.",
            Self::Asleep => {
                "Whoever the token is of has not signed in for 90 days. It works again from their next sign-in on."
            }
        }
    }
}

/// The role and the scopes that a token has now.
///
/// # Errors
///
/// Why it lets nobody in. What ended for good is said first.
pub(super) fn judge(token: &Standing, now: OffsetDateTime) -> Result<(Role, Vec<Scope>), Dead> {
    if token.ended {
        return Err(Dead::Ended);
    }
    if token.expires_at <= now {
        return Err(Dead::Expired);
    }
    let role = match &token.owner {
        Owner::Demo { on: false, .. } => return Err(Dead::DemoOff),
        Owner::Demo { role, .. } => Some(role),
        Owner::Person { disabled: true, .. } => return Err(Dead::Disabled),
        Owner::Person { known: false, .. } => return Err(Dead::ProviderGone),
        Owner::Person { signed_in_at, .. } if now - *signed_in_at > SLEEPS_AFTER => return Err(Dead::Asleep),
        Owner::Person { role, .. } => role.as_ref(),
    };
    let role = role.and_then(|role| Role::parse(role)).ok_or(Dead::NoRole)?;
    // What was made for a room is of that room alone, and an auditor reads nothing but rooms.
    if (role == Role::Auditor) != token.engagement_id.is_some() {
        return Err(Dead::OtherRole);
    }
    Ok((role, token.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect()))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-12-01 08:00 UTC);

    fn person(role: Option<&str>) -> Standing {
        Standing {
            expires_at: NOW + Duration::SECOND,
            ended: false,
            scopes: vec!["evidence".to_owned(), "of a later version".to_owned()],
            engagement_id: None,
            owner: Owner::Person {
                role: role.map(str::to_owned),
                disabled: false,
                known: true,
                signed_in_at: NOW - SLEEPS_AFTER,
            },
        }
    }

    fn of(change: impl Fn(&mut Standing)) -> Result<(Role, Vec<Scope>), Dead> {
        let mut token = person(Some("viewer"));
        change(&mut token);
        judge(&token, NOW)
    }

    #[test]
    fn a_token_has_the_role_of_now_until_it_ends() {
        assert_eq!(of(|_| ()), Ok((Role::Viewer, vec![Scope::Evidence])));
        assert_eq!(judge(&person(None), NOW), Err(Dead::NoRole));
        assert_eq!(judge(&person(Some("king")), NOW), Err(Dead::NoRole));
        assert_eq!(of(|token| token.expires_at = NOW), Err(Dead::Expired));
        assert_eq!(of(|token| token.ended = true), Err(Dead::Ended));
        let owner = |disabled, known, signed_in_at| {
            of(|token| token.owner = Owner::Person { role: Some("viewer".to_owned()), disabled, known, signed_in_at })
        };
        assert_eq!(owner(true, true, NOW), Err(Dead::Disabled));
        assert_eq!(owner(false, false, NOW), Err(Dead::ProviderGone));
        assert_eq!(owner(false, true, NOW - SLEEPS_AFTER - Duration::SECOND), Err(Dead::Asleep));
        let demo = |on| of(|token| token.owner = Owner::Demo { role: "administrator".to_owned(), on });
        assert_eq!(demo(false), Err(Dead::DemoOff));
        assert_eq!(demo(true), Ok((Role::Administrator, vec![Scope::Evidence])));
    }

    #[test]
    fn a_token_of_a_room_is_an_auditors_and_an_auditors_is_of_a_room() {
        assert_eq!(of(|token| token.engagement_id = Some(1)), Err(Dead::OtherRole));
        assert_eq!(judge(&person(Some("auditor")), NOW), Err(Dead::OtherRole));
        let room = Standing { engagement_id: Some(1), ..person(Some("auditor")) };
        assert_eq!(judge(&room, NOW), Ok((Role::Auditor, vec![Scope::Evidence])));
    }

    #[test]
    fn a_token_is_told_from_other_texts() {
        let secret = "0123456789abcdef".repeat(4);
        let token = write(&public_part(&secret), &secret);
        assert!(is_token(&token) && token.starts_with("auditfolio_01234567_"), "{token}");
        for other in ["", "auditfolio", &token[1..], &format!("{token}0"), &token.replace('_', "-"), "a_b_c"] {
            assert!(!is_token(other), "{other}");
        }
    }

    #[test]
    fn each_reason_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<&str> = Dead::ALL.iter().map(|dead| dead.word()).collect();
        assert_eq!(words.len(), Dead::ALL.len());
    }
}
