//! What AWS's reports are, each with the terms in which it speaks of time.

/// A kind of report. What no rule names is [`Kind::Other`]: never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Soc1Type1,
    Soc1Type2,
    Soc2Type1,
    Soc2Type2,
    Soc3,
    PciAoc,
    PciResponsibility,
    Iso27001,
    Iso27017,
    Iso27018,
    ContinuedOperations,
    Other,
}

/// How a kind speaks of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// The auditor examined a period: SOC Type 2 and SOC 3.
    Period,
    /// The auditor examined one day: SOC Type 1.
    AsAt,
    /// Assessed on a day, and the customer reviews its status within 12 months of it: PCI DSS requirement 12.8.4.
    Assessed,
    /// Valid from a day to a day: certificates.
    Valid,
    /// AWS's management states it of days after a period; nobody audited it.
    Statement,
    /// Speaks of no days.
    None,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Soc1Type1,
        Self::Soc1Type2,
        Self::Soc2Type1,
        Self::Soc2Type2,
        Self::Soc3,
        Self::PciAoc,
        Self::PciResponsibility,
        Self::Iso27001,
        Self::Iso27017,
        Self::Iso27018,
        Self::ContinuedOperations,
        Self::Other,
    ];

    /// As the store and addresses write it.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Soc1Type1 => "soc-1-type-1",
            Self::Soc1Type2 => "soc-1-type-2",
            Self::Soc2Type1 => "soc-2-type-1",
            Self::Soc2Type2 => "soc-2-type-2",
            Self::Soc3 => "soc-3",
            Self::PciAoc => "pci-dss-aoc",
            Self::PciResponsibility => "pci-dss-responsibility-summary",
            Self::Iso27001 => "iso-27001",
            Self::Iso27017 => "iso-27017",
            Self::Iso27018 => "iso-27018",
            Self::ContinuedOperations => "continued-operations-letter",
            Self::Other => "other",
        }
    }

    pub(super) fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// As people write it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Soc1Type1 => "SOC 1 Type 1",
            Self::Soc1Type2 => "SOC 1 Type 2",
            Self::Soc2Type1 => "SOC 2 Type 1",
            Self::Soc2Type2 => "SOC 2 Type 2",
            Self::Soc3 => "SOC 3",
            Self::PciAoc => "PCI DSS AOC",
            Self::PciResponsibility => "PCI DSS responsibility summary",
            Self::Iso27001 => "ISO/IEC 27001",
            Self::Iso27017 => "ISO/IEC 27017",
            Self::Iso27018 => "ISO/IEC 27018",
            Self::ContinuedOperations => "Continued operations letter",
            Self::Other => "Other",
        }
    }

    pub(super) fn terms(self) -> Terms {
        match self {
            Self::Soc1Type1 | Self::Soc2Type1 => Terms::AsAt,
            Self::Soc1Type2 | Self::Soc2Type2 | Self::Soc3 => Terms::Period,
            Self::PciAoc => Terms::Assessed,
            Self::Iso27001 | Self::Iso27017 | Self::Iso27018 => Terms::Valid,
            Self::ContinuedOperations => Terms::Statement,
            Self::PciResponsibility | Self::Other => Terms::None,
        }
    }

    /// Whether a continued-operations letter speaks of the days after this kind's periods.
    pub(super) fn is_addressed_by_letters(self) -> bool {
        matches!(self, Self::Soc1Type2 | Self::Soc2Type2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_from_its_word() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_slug(kind.slug()), Some(kind));
        }
        assert_eq!(Kind::of_slug("soc"), None);
    }
}
