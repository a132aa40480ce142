//! Every act that is recorded, by what it is to somebody who reads the log.

/// What sort of thing an act is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    SignIn,
    Refusal,
    View,
    Download,
    Export,
    Acceptance,
    Change,
    Job,
    Setting,
    /// Of an earlier or later version of the program.
    Other,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::SignIn,
        Self::Refusal,
        Self::View,
        Self::Download,
        Self::Export,
        Self::Acceptance,
        Self::Change,
        Self::Job,
        Self::Setting,
        Self::Other,
    ];

    /// The word in an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Refusal => "refusal",
            Self::View => "view",
            Self::Download => "download",
            Self::Export => "export",
            Self::Acceptance => "acceptance",
            Self::Change => "change",
            Self::Job => "job",
            Self::Setting => "setting",
            Self::Other => "other",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The words on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::SignIn => "Sign-in and sign-out",
            Self::Refusal => "Refusal",
            Self::View => "View of evidence",
            Self::Download => "Download",
            Self::Export => "Export",
            Self::Acceptance => "Acceptance",
            Self::Change => "Change",
            Self::Job => "Job or collection",
            Self::Setting => "Setting",
            Self::Other => "Other",
        }
    }

    /// What an act is.
    pub fn of(act: &str) -> Self {
        ACTS.iter().find(|(word, _)| *word == act).map_or(Self::Other, |(_, kind)| *kind)
    }

    /// Its acts; those that are none of the others' for [`Kind::Other`].
    pub fn acts(self) -> Vec<String> {
        let of_it = ACTS.iter().filter(|(_, kind)| (*kind == self) != (self == Self::Other));
        of_it.map(|(act, _)| (*act).to_owned()).collect()
    }
}

/// The acts, in order.
pub const ACTS: &[(&str, Kind)] = &[
    ("accept answer", Kind::Acceptance),
    ("accept terms of report", Kind::Acceptance),
    ("acknowledge notice", Kind::Acceptance),
    ("answer request", Kind::Change),
    ("approve pack", Kind::Acceptance),
    ("ask for collection", Kind::Job),
    ("ask for evidence", Kind::Change),
    ("ask for notes", Kind::Job),
    ("ask for pack", Kind::Job),
    ("ask for sample", Kind::View),
    ("ask for sync from Artifact", Kind::Job),
    ("ask for terms of report", Kind::Job),
    ("ask for test of permissions", Kind::Job),
    ("backup", Kind::Export),
    ("begin removal", Kind::Change),
    ("cancel job", Kind::Job),
    ("change due day of request", Kind::Change),
    ("change engagement", Kind::Change),
    ("close engagement", Kind::Change),
    ("decide notices", Kind::Change),
    ("decline request", Kind::Change),
    ("disable person", Kind::Change),
    ("download agreement", Kind::Download),
    ("download answer", Kind::Download),
    ("download AWS report", Kind::Download),
    ("download pack", Kind::Download),
    ("download rows", Kind::Download),
    ("draw sample", Kind::View),
    ("enable person", Kind::Change),
    ("end cancelled job", Kind::Job),
    ("end invitation", Kind::Change),
    ("end scope definition", Kind::Change),
    ("end session", Kind::SignIn),
    ("end sessions", Kind::SignIn),
    ("end token", Kind::SignIn),
    ("enter room", Kind::View),
    ("export", Kind::Export),
    ("export audit log", Kind::Export),
    ("fail collection", Kind::Job),
    ("fail job", Kind::Job),
    ("fetch report", Kind::Change),
    ("fetch terms of report", Kind::Change),
    ("finish collection", Kind::Job),
    ("finish job", Kind::Job),
    ("finish removal", Kind::Change),
    ("freeze view", Kind::Job),
    ("import acceptance of terms", Kind::Acceptance),
    ("import from Artifact", Kind::Change),
    ("import release of report", Kind::Change),
    ("import review of report", Kind::Acceptance),
    ("interrupt collection", Kind::Job),
    ("invite auditor", Kind::Change),
    ("make admin link", Kind::Change),
    ("make engagement", Kind::Change),
    ("make pack", Kind::Change),
    ("make pseudonym key", Kind::Change),
    ("make scope definition", Kind::Change),
    ("make signing key", Kind::Change),
    ("make token", Kind::SignIn),
    ("open terms of report", Kind::View),
    ("propose pack", Kind::Change),
    ("publish samples and views", Kind::Change),
    ("put pack into room", Kind::Change),
    ("record agreement", Kind::Acceptance),
    ("record review of report", Kind::Acceptance),
    ("refuse", Kind::Refusal),
    ("release report to auditors", Kind::Change),
    ("restore", Kind::Change),
    ("retry job", Kind::Job),
    ("return answer", Kind::Change),
    ("return pack", Kind::Change),
    ("say kind of report", Kind::Change),
    ("schedule collection", Kind::Job),
    ("schedule removal", Kind::Job),
    ("schedule sync from Artifact", Kind::Job),
    ("sign in", Kind::SignIn),
    ("sign in by admin link", Kind::SignIn),
    ("sign out", Kind::SignIn),
    ("sign-in refused", Kind::Refusal),
    ("sign-out refused", Kind::Refusal),
    ("start collection", Kind::Job),
    ("start job", Kind::Job),
    ("start server", Kind::Setting),
    ("stop server", Kind::Setting),
    ("supersede pack", Kind::Change),
    ("sync from Artifact", Kind::Job),
    ("take pack out of room", Kind::Change),
    ("test provider", Kind::Job),
    ("test refused", Kind::Refusal),
    ("token refused", Kind::Refusal),
    ("view", Kind::View),
    ("withdraw agreement", Kind::Change),
    ("withdraw file", Kind::Change),
    ("withdraw pack", Kind::Change),
    ("withdraw report from auditors", Kind::Change),
    ("withdraw request", Kind::Change),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_once_in_the_list_and_of_one_kind() {
        assert!(ACTS.is_sorted_by(|one, other| one.0.to_lowercase() < other.0.to_lowercase()), "{ACTS:?}");
        let all: usize = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Other).map(|kind| kind.acts().len()).sum();
        assert_eq!(all, ACTS.len());
        assert_eq!(Kind::Other.acts().len(), ACTS.len());
        assert_eq!((Kind::of("sign in"), Kind::of("collect")), (Kind::SignIn, Kind::Other));
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.word()), Some(kind));
        }
    }
}
