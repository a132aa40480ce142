//! AWS Config's status words and the severities of the rule data.

/// What AWS Config said of one resource under one rule (`ComplianceType` of the Config API).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    Compliant,
    NonCompliant,
    InsufficientData,
    NotApplicable,
    /// A word that we do not know; kept as delivered and never counted as complying.
    Unrecognised(String),
}

/// Row ids of the four known words in table `status`; other words get ids from [`FIRST_UNRECOGNISED`] on.
pub const COMPLIANT: i16 = 1;
pub const NON_COMPLIANT: i16 = 2;
pub const INSUFFICIENT_DATA: i16 = 3;
pub const NOT_APPLICABLE: i16 = 4;
pub const FIRST_UNRECOGNISED: i16 = 100;
/// The kinds of status by their ids; the last stands for every unrecognised word.
pub const CLASSES: [i16; 5] = [COMPLIANT, NON_COMPLIANT, INSUFFICIENT_DATA, NOT_APPLICABLE, FIRST_UNRECOGNISED];

impl Status {
    /// Reads AWS's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "COMPLIANT" => Self::Compliant,
            "NON_COMPLIANT" => Self::NonCompliant,
            "INSUFFICIENT_DATA" => Self::InsufficientData,
            "NOT_APPLICABLE" => Self::NotApplicable,
            other => Self::Unrecognised(other.to_owned()),
        }
    }

    /// AWS's word, as delivered.
    pub fn word(&self) -> &str {
        match self {
            Self::Compliant => "COMPLIANT",
            Self::NonCompliant => "NON_COMPLIANT",
            Self::InsufficientData => "INSUFFICIENT_DATA",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::Unrecognised(word) => word,
        }
    }

    /// The shape that stands beside the word, so that status is never colour alone.
    pub fn shape(&self) -> char {
        match self {
            Self::Compliant => '●',
            Self::NonCompliant => '▲',
            Self::InsufficientData => '◐',
            Self::NotApplicable => '–',
            Self::Unrecognised(_) => '?',
        }
    }

    /// The class used in pages and the name used in addresses.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::NonCompliant => "non-compliant",
            Self::InsufficientData => "insufficient-data",
            Self::NotApplicable => "not-applicable",
            Self::Unrecognised(_) => "unrecognised",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Severity of a rule in the rule data: Security Hub's word, or our judgement where it has none.
///
/// Ordered by gravity, which the numbers in the store are not: [`Severity::id`] is for the store alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Severity {
    #[default]
    Unknown,
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All, gravest first.
    pub const ALL: [Self; 6] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Informational, Self::Unknown];

    /// The number stored in `rule.severity`.
    pub fn id(self) -> i16 {
        match self {
            Self::Unknown => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
            Self::Critical => 4,
            Self::Informational => 5,
        }
    }

    /// How grave it is beside the others, for sorting: the higher, the graver.
    pub fn rank(self) -> i64 {
        match self {
            Self::Unknown => 0,
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }

    /// From the number stored in `rule.severity`; anything else is unknown.
    pub fn from_id(id: i16) -> Self {
        match id {
            1 => Self::Low,
            2 => Self::Medium,
            3 => Self::High,
            4 => Self::Critical,
            5 => Self::Informational,
            _ => Self::Unknown,
        }
    }

    /// From the word of the rule data; anything else is unknown.
    pub fn parse(word: &str) -> Self {
        match word {
            "INFORMATIONAL" => Self::Informational,
            "LOW" => Self::Low,
            "MEDIUM" => Self::Medium,
            "HIGH" => Self::High,
            "CRITICAL" => Self::Critical,
            _ => Self::Unknown,
        }
    }

    /// The word on pages and in packs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "not rated",
            Self::Informational => "INFORMATIONAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_severity_comes_back_from_its_number_and_word_and_the_list_is_gravest_first() {
        for severity in Severity::ALL {
            assert_eq!(Severity::from_id(severity.id()), severity);
            assert_eq!(Severity::parse(severity.word()), severity);
        }
        assert!(Severity::ALL.is_sorted_by(|graver, other| graver > other));
        assert!(Severity::ALL.is_sorted_by(|graver, other| graver.rank() > other.rank()));
        assert_eq!(Severity::from_id(99), Severity::Unknown);
    }
}
