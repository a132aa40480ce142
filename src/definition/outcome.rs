//! How asking for rules went, and why parameters are not known. Pure.

use crate::aws::{Failure, Kind};

/// Why the rules of a place were not read, or that they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Read,
    Denied,
    Throttled,
    RegionOff,
    Expired,
    /// No role is set by which to ask member accounts.
    NoMemberRole,
    Failed,
}

impl Outcome {
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Denied, Self::Throttled, Self::RegionOff, Self::Expired, Self::NoMemberRole, Self::Failed];

    /// As the store, pages and packs have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::RegionOff => "region off",
            Self::Expired => "expired",
            Self::NoMemberRole => "no member role",
            Self::Failed => "failed",
        }
    }

    /// The cause in words, for what was not read.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Denied => "access was denied",
            Self::Throttled => "AWS throttled the calls, after all attempts",
            Self::RegionOff => "the Region is not enabled for the account",
            Self::Expired => "the AWS credentials had expired or were not accepted",
            Self::NoMemberRole => "no role to ask member accounts with was set",
            Self::Failed => "AWS did not answer properly",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }

    /// What a failed call means. An account that is not opted into a Region is unknown there: its good credentials are
    /// refused as if they were none. <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>
    pub fn of(failure: &Failure) -> Self {
        let unknown_there = matches!(
            failure.code.as_deref(),
            Some("UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidToken")
        );
        match failure.kind {
            Kind::CredentialsRefused if unknown_there && &*failure.action != "sts:AssumeRole" => Self::RegionOff,
            Kind::RegionDisabled => Self::RegionOff,
            Kind::Denied => Self::Denied,
            Kind::Throttled => Self::Throttled,
            Kind::CredentialsExpired | Kind::CredentialsRefused | Kind::NoCredentials | Kind::ClockSkew => {
                Self::Expired
            }
            _ => Self::Failed,
        }
    }
}

/// Why the parameters of a place's rule are not known on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unread {
    /// Nobody asked, up to that day.
    NeverAsked,
    /// Asked, and not read up to that day.
    Refused(Outcome),
    /// The rules were read, and this one was not among them.
    Absent,
}

impl Unread {
    pub fn words(self) -> String {
        match self {
            Self::NeverAsked => "never asked for up to the as-of day".to_owned(),
            Self::Refused(outcome) => outcome.cause().to_owned(),
            Self::Absent => "the rule was not among those that AWS Config described".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_credentials_that_a_region_does_not_know_mean_that_the_region_is_off() {
        let failed = |kind, code: &str, action: &str| Failure {
            kind,
            action: action.into(),
            subject: String::new(),
            role: None,
            code: Some(code.into()),
            message: None,
            region: None,
        };
        let rules = "config:DescribeConfigRules";
        let cases = [
            (failed(Kind::CredentialsRefused, "UnrecognizedClientException", rules), Outcome::RegionOff),
            (failed(Kind::CredentialsRefused, "InvalidClientTokenId", "sts:AssumeRole"), Outcome::Expired),
            (failed(Kind::CredentialsExpired, "ExpiredTokenException", rules), Outcome::Expired),
            (failed(Kind::Denied, "AccessDeniedException", rules), Outcome::Denied),
            (failed(Kind::Throttled, "ThrottlingException", rules), Outcome::Throttled),
            (failed(Kind::ServerError, "InternalFailure", rules), Outcome::Failed),
        ];
        for (failure, outcome) in cases {
            assert_eq!(Outcome::of(&failure), outcome, "{failure}");
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.word()), Some(outcome));
        }
    }
}
