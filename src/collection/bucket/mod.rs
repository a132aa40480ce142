//! A delivery bucket in S3: [`plan`] says what to list, [`list`] lists it, [`body`] brings an object's bytes.

mod body;
mod list;
mod plan;

use tokio::runtime::Handle;

pub(super) use self::body::Remote;
use super::settled::Settled;
use super::source::{Days, Listing, Object, Unreached};
use crate::aws::{self, AwsSettings, Clients, Failure, Kind};
use crate::compliance::DeliveryState;

/// An opened bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    aws: aws::s3::Bucket,
    prefix: String,
    /// Prefixes listed at a time.
    lists: usize,
    /// Places read at a time.
    pub(super) reads: usize,
    runtime: Handle,
}

impl Bucket {
    /// Must be called inside a runtime, which the reading threads then use.
    pub(super) async fn open(name: &str, prefix: &str, settings: &AwsSettings) -> anyhow::Result<Self> {
        let clients = Clients::load(settings).await.map_err(anyhow::Error::msg)?;
        Ok(Self {
            aws: clients.archive().await.bucket(name),
            prefix: prefix.to_owned(),
            lists: usize::from(settings.lists.max(1)),
            reads: usize::from(settings.reads.max(1)),
            runtime: Handle::current(),
        })
    }

    pub(super) async fn list(&self, days: Days, settled: &Settled) -> anyhow::Result<Listing> {
        list::list(&self.aws, &self.prefix, days, settled, self.lists).await
    }

    /// The bytes of an object, for a thread that may wait.
    pub(super) fn read<'a>(&'a self, object: &'a Object) -> Remote<'a> {
        Remote::new(&self.aws, &self.runtime, object)
    }
}

/// What a failed call means for the evidence that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The collection goes on; the next one tries again.
    Unreached(Unreached),
    /// This version of the object cannot be read, and trying again as it is would not help.
    Unreadable(String),
    /// Nothing else could be read either.
    Ends(String),
}

/// Decides it for one object.
pub(super) fn meaning(failure: &Failure) -> Meaning {
    let reason = failure.to_string();
    match failure.kind {
        kind if kind.ends_all() => Meaning::Ends(failure.explained()),
        Kind::NotFound if failure.code.as_deref() == Some("NoSuchBucket") => Meaning::Ends(failure.explained()),
        Kind::NotFound => Meaning::Unreadable("it was deleted between listing and reading".to_owned()),
        Kind::Changed => Meaning::Unreadable(
            "it was overwritten between listing and reading: the next collection takes its new version".to_owned(),
        ),
        Kind::Archived => {
            Meaning::Unreadable("it is in an archive storage class: restore it, then collect with --recheck".to_owned())
        }
        _ => match unreached(failure) {
            Some(unreached) => Meaning::Unreached(unreached),
            None => Meaning::Unreadable(reason),
        },
    }
}

/// The state of a day that could not be reached; `None` where the failure is none that passes.
fn unreached(failure: &Failure) -> Option<Unreached> {
    let state = match failure.kind {
        Kind::Denied => DeliveryState::Denied,
        Kind::Throttled => DeliveryState::Throttled,
        Kind::ServerError | Kind::Transient => DeliveryState::NotReachable,
        Kind::RegionDisabled => DeliveryState::RegionOff,
        _ => return None,
    };
    Some(Unreached { state, reason: failure.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: Kind, code: &str) -> Failure {
        Failure {
            kind,
            action: "s3:GetObject".into(),
            subject: "s3://b/k".to_owned(),
            role: None,
            code: Some(code.into()),
            message: None,
            region: None,
        }
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_again_and_is_no_fault_of_the_object() {
        let cases = [
            (Kind::Denied, DeliveryState::Denied),
            (Kind::Throttled, DeliveryState::Throttled),
            (Kind::ServerError, DeliveryState::NotReachable),
            (Kind::Transient, DeliveryState::NotReachable),
            (Kind::RegionDisabled, DeliveryState::RegionOff),
        ];
        for (kind, state) in cases {
            let meaning = meaning(&failed(kind, "X"));
            assert!(matches!(&meaning, Meaning::Unreached(it) if it.state == state), "{kind:?}: {meaning:?}");
        }
    }

    #[test]
    fn what_would_fail_for_every_object_ends_the_collection() {
        for kind in [
            Kind::CredentialsExpired,
            Kind::NoCredentials,
            Kind::CredentialsRefused,
            Kind::ClockSkew,
            Kind::WrongRegion,
        ] {
            assert!(matches!(meaning(&failed(kind, "X")), Meaning::Ends(_)), "{kind:?}");
        }
        assert!(matches!(meaning(&failed(Kind::NotFound, "NoSuchBucket")), Meaning::Ends(_)));
    }

    #[test]
    fn an_object_that_is_gone_changed_or_archived_is_unreadable_with_a_reason() {
        for (kind, word) in [(Kind::NotFound, "deleted"), (Kind::Changed, "overwritten"), (Kind::Archived, "restore")] {
            let meaning = meaning(&failed(kind, "X"));
            assert!(matches!(&meaning, Meaning::Unreadable(why) if why.contains(word)), "{kind:?}: {meaning:?}");
        }
    }
}
