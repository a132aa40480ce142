//! The one place that turns the SDK's errors into ours.
//!
//! The decision is pure: [`Facts`] are taken from an error, [`Kind::of`] says what they mean.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};

use super::role::RoleArn;

/// The service's message is kept up to this length, in characters.
const MESSAGE_CHARACTERS: usize = 500;

/// What a failed call means for who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A policy does not allow it.
    Denied,
    /// Too many calls, after all attempts.
    Throttled,
    /// The Region is not enabled for the account, or the service not subscribed to.
    RegionDisabled,
    /// The credentials were good and are no longer.
    CredentialsExpired,
    /// There are no credentials, or they cannot be had.
    NoCredentials,
    /// AWS does not accept the credentials. A Region that the account has not enabled says the same of credentials that are
    /// good elsewhere: who asks several Regions can tell.
    CredentialsRefused,
    /// This machine's clock differs too much from AWS's.
    ClockSkew,
    NotFound,
    /// The account is in no organisation of AWS Organizations.
    NoOrganization,
    /// It is in another Region than the one that was asked.
    WrongRegion,
    /// It is no longer what the caller said it should be (`If-Match`).
    Changed,
    /// It is in an archive and must be restored before it can be read.
    Archived,
    /// A fault inside AWS, after all attempts.
    ServerError,
    /// No answer or a broken one, after all attempts.
    Transient,
    Other,
}

impl Kind {
    /// The words for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Denied => "access was denied",
            Self::Throttled => "AWS throttled the calls",
            Self::RegionDisabled => "the Region is not enabled",
            Self::CredentialsExpired => "the AWS credentials have expired",
            Self::NoCredentials => "there are no AWS credentials",
            Self::CredentialsRefused => "AWS does not accept the credentials",
            Self::ClockSkew => "this machine's clock and AWS's differ too much",
            Self::NotFound => "it was not found",
            Self::NoOrganization => "the account is in no organisation of AWS Organizations",
            Self::WrongRegion => "it is in another Region",
            Self::Changed => "it was changed meanwhile",
            Self::Archived => "it is archived",
            Self::ServerError => "not reachable: server error",
            Self::Transient => "not reachable: no proper answer",
            Self::Other => "AWS refused the call",
        }
    }

    /// What the facts mean.
    ///
    /// Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> and
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>.
    pub fn of(facts: &Facts) -> Self {
        let by_code = facts.code.as_deref().and_then(Self::of_code);
        let stale = facts.message.as_deref().is_some_and(|message| {
            message.contains("Signature expired") || message.contains("Signature not yet current")
        });
        match (by_code, facts.way) {
            (Some(Self::CredentialsRefused), _) if stale => Self::ClockSkew,
            (Some(kind), _) => kind,
            (None, Way::NoCredentials) => Self::NoCredentials,
            (None, Way::NoAnswer) => Self::Transient,
            (None, Way::NotSent) => Self::Other,
            (None, Way::Answered) => Self::of_status(facts.status),
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "AllAccessDisabled"
            | "AuthorizationError"
            | "AuthorizationErrorException"
            | "NotAuthorized"
            | "Forbidden" => Self::Denied,
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "ProvisionedThroughputExceededException"
            | "PriorRequestNotComplete" => Self::Throttled,
            "RegionDisabledException" | "RegionDisabled" | "OptInRequired" | "SubscriptionRequiredException" => {
                Self::RegionDisabled
            }
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Self::CredentialsExpired,
            "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "InvalidToken"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "NotSignedUp" => Self::CredentialsRefused,
            "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Self::ClockSkew,
            "NoSuchKey"
            | "NoSuchBucket"
            | "NoSuchVersion"
            | "NotFound"
            | "NoSuchEntity"
            | "ResourceNotFoundException"
            | "AccountNotFoundException"
            | "ChildNotFoundException"
            | "ParentNotFoundException"
            | "TargetNotFoundException"
            | "NoSuchConfigurationAggregatorException"
            | "NoSuchConfigRuleException" => Self::NotFound,
            "AWSOrganizationsNotInUseException" => Self::NoOrganization,
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IncorrectEndpoint"
            | "IllegalLocationConstraintException" => Self::WrongRegion,
            "PreconditionFailed" => Self::Changed,
            "InvalidObjectState" => Self::Archived,
            "InternalError"
            | "InternalFailure"
            | "InternalServerException"
            | "ServiceException"
            | "ServiceUnavailable" => Self::ServerError,
            "RequestTimeout" | "RequestTimeoutException" => Self::Transient,
            _ => return None,
        })
    }

    fn of_status(status: Option<u16>) -> Self {
        match status {
            Some(301 | 307) => Self::WrongRegion,
            Some(401 | 403) => Self::Denied,
            Some(404) => Self::NotFound,
            Some(412) => Self::Changed,
            Some(429) => Self::Throttled,
            Some(500..) => Self::ServerError,
            // A success that cannot be read was cut off.
            Some(200..=299) => Self::Transient,
            _ => Self::Other,
        }
    }

    /// Whether the next call would fail alike, whatever it asks for.
    pub fn ends_all(self) -> bool {
        matches!(
            self,
            Self::CredentialsExpired
                | Self::NoCredentials
                | Self::CredentialsRefused
                | Self::ClockSkew
                | Self::WrongRegion
        )
    }
}

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Answered,
    NoAnswer,
    /// The request could not be made up.
    NotSent,
    /// There was nothing to sign it with.
    NoCredentials,
}

/// What an error of the SDK holds, without its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub way: Way,
    pub status: Option<u16>,
    pub code: Option<String>,
    pub message: Option<String>,
    /// Where S3 says that the bucket is.
    pub region: Option<String>,
    /// True: it failed while a role was being assumed.
    pub assuming: bool,
}

/// What was asked, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The action as IAM names it, e.g. `s3:GetObject`.
    pub action: &'static str,
    /// What it was asked of, e.g. `s3://bucket/key`.
    pub subject: &'a str,
    pub role: Option<&'a RoleArn>,
}

/// A call that failed, in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: Kind,
    /// The action as IAM names it; the one that was missing, where the service names another.
    pub action: Box<str>,
    pub subject: String,
    /// The role whose credentials were used; `None` for the program's own.
    pub role: Option<Box<str>>,
    /// The service's code.
    pub code: Option<Box<str>>,
    /// The service's message, or the cause on this side, on one line and cut to a length that can be shown.
    pub message: Option<String>,
    /// Where S3 says that the bucket is.
    pub region: Option<Box<str>>,
}

impl Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}", self.kind.words(), self.action, self.subject)?;
        if let Some(role) = &self.role {
            write!(f, " as {role}")?;
        }
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, " ({code}: {message})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, Some(message)) => write!(f, " ({message})"),
            (None, None) => Ok(()),
        }
    }
}

impl Failure {
    /// What an error of the SDK means.
    pub(super) fn of_sdk<E>(error: &SdkError<E, HttpResponse>, asked: Asked<'_>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        Self::of(&Facts::of(error), asked)
    }

    /// What the facts mean.
    pub fn of(facts: &Facts, asked: Asked<'_>) -> Self {
        let message = facts.message.as_deref().map(one_line);
        let missing = facts.message.as_deref().and_then(missing_action);
        let action = if facts.assuming { "sts:AssumeRole" } else { asked.action };
        Self {
            kind: Kind::of(facts),
            action: missing.unwrap_or(action).into(),
            subject: asked.subject.to_owned(),
            role: asked.role.map(|role| role.to_string().into()),
            code: facts.code.as_deref().map(Into::into),
            message,
            region: facts.region.as_deref().map(Into::into),
        }
    }

    /// The failure with what a person can do about it: for one that ends everything.
    pub fn explained(&self) -> String {
        let next = match self.kind {
            Kind::NoCredentials => {
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
            }
            Kind::CredentialsExpired => "get new ones and try again: what was done stays",
            // Of good credentials a Region says so that their account has not enabled.
            Kind::CredentialsRefused => {
                "check the access key, its secret and the session token, and that their account has enabled the Region"
            }
            Kind::ClockSkew => "set this machine's clock",
            Kind::Denied => {
                "allow it in the policy of these credentials, and in the bucket's and the key's if they are another account's"
            }
            Kind::WrongRegion => match &self.region {
                Some(region) => return format!("{self}; set --aws-region {region}"),
                None => "set --aws-region to its Region",
            },
            Kind::NotFound => "check the name",
            Kind::Throttled | Kind::ServerError => "try again later",
            Kind::Transient => "check the network and the endpoint, or try again later",
            Kind::RegionDisabled | Kind::NoOrganization | Kind::Changed | Kind::Archived | Kind::Other => {
                return self.to_string();
            }
        };
        format!("{self}; {next}")
    }

    /// A failure without an answer of the service, e.g. a body that broke off.
    pub(crate) fn transient(asked: Asked<'_>, message: &str) -> Self {
        let facts = Facts {
            way: Way::NoAnswer,
            status: None,
            code: None,
            message: Some(message.to_owned()),
            region: None,
            assuming: false,
        };
        Self::of(&facts, asked)
    }
}

impl Facts {
    fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let Some(credentials) = in_chain::<CredentialsError>(error) {
            return Self::of_credentials(credentials);
        }
        let way = match error {
            SdkError::ConstructionFailure(_) => Way::NotSent,
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => Way::NoAnswer,
            _ => Way::Answered,
        };
        let code = error.code().map(str::to_owned);
        let region = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
        Self {
            way,
            region: region.map(str::to_owned),
            status: error.raw_response().map(|response| response.status().as_u16()),
            message: error.message().map(str::to_owned).or_else(|| code.is_none().then(|| last_cause(error))),
            code,
            assuming: false,
        }
    }

    /// STS's own answer is inside where a role was being assumed.
    fn of_credentials(error: &CredentialsError) -> Self {
        let text = last_cause(error);
        let metadata = in_chain::<ErrorMetadata>(error);
        let (code, message) = match metadata.and_then(|metadata| Some((metadata.code()?, metadata.message()))) {
            Some((code, message)) => (Some(code.to_owned()), message.map(str::to_owned)),
            None => match text.split_once(": ") {
                // A modelled error of STS shows itself as its code and its message.
                Some((code, message)) if code.ends_with("Exception") && !code.contains(' ') => {
                    (Some(code.to_owned()), Some(message.to_owned()))
                }
                _ => (None, Some(text.clone())),
            },
        };
        let assuming = code.is_some();
        let message = if let CredentialsError::CredentialsNotLoaded(_) = error {
            Some(
                "neither the environment nor AWS's config files, a web identity, a container or an instance has any"
                    .to_owned(),
            )
        } else {
            message
        };
        Self { way: Way::NoCredentials, status: None, code, message, region: None, assuming }
    }
}

/// The first error of a type among an error and its causes.
fn in_chain<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(<dyn Error>::downcast_ref)
}

fn last_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error, and what caused it, and so on.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| <dyn Error>::source(*error))
}

/// "User: … is not authorized to perform: kms:Decrypt on resource: …" names the action that is missing.
fn missing_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
    action.contains(':').then_some(action)
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_CHARACTERS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
