//! What arrived of what was expected: the states of a place's day, one list for code, pages and packs.

/// The state of one account x Region on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    Delivered,
    DeliveredLaterUnreadable,
    InferredFromHistory,
    NoComplianceItems,
    Unreadable,
    Missing,
    Denied,
    Throttled,
    NotReachable,
    RegionOff,
    NotExpected,
}

impl DeliveryState {
    pub const ALL: [Self; 11] = [
        Self::Delivered,
        Self::DeliveredLaterUnreadable,
        Self::InferredFromHistory,
        Self::NoComplianceItems,
        Self::Unreadable,
        Self::Missing,
        Self::Denied,
        Self::Throttled,
        Self::NotReachable,
        Self::RegionOff,
        Self::NotExpected,
    ];

    /// The word on pages, in packs and in column `delivery.state`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::DeliveredLaterUnreadable => "delivered, later object unreadable",
            Self::InferredFromHistory => "inferred from history",
            Self::NoComplianceItems => "no compliance items",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::NotReachable => "not reachable",
            Self::RegionOff => "region off",
            Self::NotExpected => "not expected",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The class used in pages.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::DeliveredLaterUnreadable => "later-unreadable",
            Self::InferredFromHistory => "inferred",
            Self::NoComplianceItems => "no-items",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::NotReachable => "not-reachable",
            Self::RegionOff => "region-off",
            Self::NotExpected => "not-expected",
        }
    }

    /// The shape in calendars and packs, one each.
    pub fn shape(self) -> char {
        match self {
            Self::Delivered => '●',
            Self::DeliveredLaterUnreadable => '◕',
            Self::InferredFromHistory => '◔',
            Self::NoComplianceItems => '○',
            Self::Unreadable => '✕',
            Self::Missing => '□',
            Self::Denied => '⊘',
            Self::Throttled => '≈',
            Self::NotReachable => '◇',
            Self::RegionOff => '–',
            Self::NotExpected => '·',
        }
    }

    /// Whether the store speaks for the day.
    pub fn known(self) -> bool {
        matches!(self, Self::Delivered | Self::DeliveredLaterUnreadable | Self::InferredFromHistory)
    }

    /// Whether evidence may be there that could not be reached: a later collection finds out.
    pub fn unreached(self) -> bool {
        matches!(self, Self::Denied | Self::Throttled | Self::NotReachable | Self::RegionOff)
    }

    /// Why the day is a gap, in words; empty where it is none.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Delivered | Self::NotExpected => "",
            Self::DeliveredLaterUnreadable => "a later object of the day could not be read",
            Self::InferredFromHistory => "no snapshot yet; put together from history items",
            Self::NoComplianceItems => {
                "delivered without AWS::Config::ResourceCompliance items: the recorder does not record them"
            }
            Self::Unreadable => "no object of the day could be read",
            Self::Missing => "nothing was delivered",
            Self::Denied => "access was denied",
            Self::Throttled => "AWS throttled the reading",
            Self::NotReachable => "AWS answered with a server error, or not at all",
            Self::RegionOff => "the Region is not enabled",
        }
    }
}
