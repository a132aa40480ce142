//! The kinds of notices and their words. Pure.

/// What can be noticed. The words are those of column `notice.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// No snapshot came from a place for too long.
    PlaceSilent,
    /// A place that delivered compliance items delivers none now.
    ItemsDropped,
    /// A rule that was in a place is not there any more.
    RuleGone,
    /// A critical rule fails in an account in which it did not fail before.
    CriticalFailing,
    CollectionFailed,
    /// A collection came upon something that it could not read.
    ObjectsUnreadable,
    /// AWS Config's aggregator could not be read.
    AggregatorUnread,
    /// What rules ask for could not be read in a place.
    DefinitionsUnread,
    /// AWS has published a version of a report that nobody has reviewed.
    ReportVersion,
    /// The next review of a report is due.
    ReviewDue,
    /// A certificate of AWS's ends, or an assessment is a year old, and no newer one is known.
    CertificateEnding,
    /// AWS Artifact could not be read.
    ArtifactUnread,
    /// None of AWS's reports of a kind speaks for days of an engagement's period.
    ReportGap,
}

impl Kind {
    pub const ALL: [Self; 13] = [
        Self::CriticalFailing,
        Self::PlaceSilent,
        Self::ItemsDropped,
        Self::RuleGone,
        Self::CollectionFailed,
        Self::ObjectsUnreadable,
        Self::AggregatorUnread,
        Self::DefinitionsUnread,
        Self::ReportGap,
        Self::CertificateEnding,
        Self::ReviewDue,
        Self::ReportVersion,
        Self::ArtifactUnread,
    ];

    /// The word in column `notice.kind` and in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::PlaceSilent => "place-silent",
            Self::ItemsDropped => "items-dropped",
            Self::RuleGone => "rule-gone",
            Self::CriticalFailing => "critical-failing",
            Self::CollectionFailed => "collection-failed",
            Self::ObjectsUnreadable => "objects-unreadable",
            Self::AggregatorUnread => "aggregator-unread",
            Self::DefinitionsUnread => "definitions-unread",
            Self::ReportVersion => "report-version",
            Self::ReviewDue => "review-due",
            Self::CertificateEnding => "certificate-ending",
            Self::ArtifactUnread => "artifact-unread",
            Self::ReportGap => "report-gap",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The words on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::PlaceSilent => "Account-Region silent",
            Self::ItemsDropped => "Compliance items dropped",
            Self::RuleGone => "Rule gone",
            Self::CriticalFailing => "Critical rule newly failing",
            Self::CollectionFailed => "Collection failed",
            Self::ObjectsUnreadable => "Objects unreadable",
            Self::AggregatorUnread => "Aggregator not read",
            Self::DefinitionsUnread => "Rule definitions not read",
            Self::ReportVersion => "New version of an AWS report",
            Self::ReviewDue => "Review of an AWS report due",
            Self::CertificateEnding => "AWS certificate ending",
            Self::ArtifactUnread => "AWS Artifact not read",
            Self::ReportGap => "Gap of AWS’s reports in an engagement",
        }
    }
}
