//! Rule names as AWS delivers them: which core rule a name stands for, and how the rule came to be there. Pure.
//!
//! Whoever deploys a rule renames it. Conformance packs write `RULE-conformance-pack-XXXXXXXXX`, Security Hub
//! `securityhub-RULE-XXXXXXXX`, Control Tower `AWSControlTower_AWS-GR_RULE` (upper case, underscores), organisation rules
//! `OrgConfigRule-RULE-XXXXXXXX`. At every step a name that the rule data know is taken as it is before anything more is taken off,
//! for the last word of a genuine name may look like a random suffix.

use super::rule_data::{self, RuleData};

/// How a rule came to be in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Made in the account, or so named.
    Direct,
    ConformancePack,
    SecurityHub,
    ControlTower,
    /// By another AWS service: an organisation's rule, Firewall Manager.
    ServiceLinked,
}

impl Origin {
    pub const ALL: [Self; 5] =
        [Self::Direct, Self::ConformancePack, Self::SecurityHub, Self::ControlTower, Self::ServiceLinked];

    /// The word in columns `rule.origin` and `timeline.origin`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::ConformancePack => "conformance-pack",
            Self::SecurityHub => "security-hub",
            Self::ControlTower => "control-tower",
            Self::ServiceLinked => "service-linked",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.word() == word)
    }
}

/// A rule's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleName {
    /// The name without what a deployment added. As delivered, except that Control Tower's spelling of a known rule becomes AWS's.
    pub core: String,
    /// The outermost deployment.
    pub origin: Origin,
    /// The outermost deployment's random part, without its hyphen. For a pack's rule the same as in the pack's id.
    pub suffix: Option<String>,
    /// `None` where the rule data do not know the core name.
    pub data: Option<&'static RuleData>,
}

const IN_PACK: &str = "-conformance-pack-";

/// Takes a name as delivered apart. Total: a name of no known form is a direct rule's.
pub fn parse(name: &str) -> RuleName {
    match name.rsplit_once(IN_PACK) {
        // No known name holds these words (a test looks), so nothing genuine is lost.
        Some((inner, suffix)) if !inner.is_empty() && is_random(suffix) => {
            RuleName { origin: Origin::ConformancePack, suffix: Some(suffix.to_owned()), ..outside_packs(inner) }
        }
        _ => outside_packs(name),
    }
}

fn outside_packs(name: &str) -> RuleName {
    let found = |core: &str, origin, suffix: Option<&str>, data| RuleName {
        core: core.to_owned(),
        origin,
        suffix: suffix.map(str::to_owned),
        data,
    };
    if let Some(data) = rule_data::by_name(name).or_else(|| rule_data::by_identifier(name)) {
        return found(name, Origin::Direct, None, Some(data));
    }
    // The longer prefix first.
    if let Some(inner) = inside(name, "AWSControlTower_AWS-GR_").or_else(|| inside(name, "AWSControlTower_")) {
        let data = control_tower(inner);
        let core = data.map_or(inner, |data| &data.rule_name);
        return found(core, Origin::ControlTower, None, data);
    }
    for (prefix, origin) in [("securityhub-", Origin::SecurityHub), ("OrgConfigRule-", Origin::ServiceLinked)] {
        if let Some(inner) = inside(name, prefix) {
            let (core, suffix) = without_suffix(inner);
            return found(core, origin, suffix, rule_data::by_name(core));
        }
    }
    // Firewall Manager's names are whole as they are, e.g. FMManagedShieldConfigRule….
    let origin = if name.starts_with("FMManaged") { Origin::ServiceLinked } else { Origin::Direct };
    found(name, origin, None, None)
}

/// The name of a conformance pack without what a deployment across the organisation added:
/// `OrgConformsPack-NIST-CSF-z6cn9v2w` is `NIST-CSF`. Other names are taken as they are.
pub fn core_pack_name(name: &str) -> &str {
    let Some(inner) = inside(name, "OrgConformsPack-") else {
        return name;
    };
    match inner.rsplit_once('-') {
        Some((core, suffix)) if suffix.len() == 8 && is_random(suffix) && !core.is_empty() => core,
        _ => inner,
    }
}

fn inside<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix).filter(|inner| !inner.is_empty())
}

/// Takes a random last word off: never from a name that the rule data know, of any length where that gives a name that they know,
/// else of AWS's eight characters.
fn without_suffix(name: &str) -> (&str, Option<&str>) {
    if rule_data::by_name(name).is_some() {
        return (name, None);
    }
    match name.rsplit_once('-') {
        Some((core, suffix))
            if is_random(suffix) && !core.is_empty() && (suffix.len() == 8 || rule_data::by_name(core).is_some()) =>
        {
            (core, Some(suffix))
        }
        _ => (name, None),
    }
}

/// Control Tower writes the identifier, or the name in the identifier's spelling.
fn control_tower(name: &str) -> Option<&'static RuleData> {
    rule_data::by_identifier(name)
        .or_else(|| rule_data::by_name(name))
        .or_else(|| rule_data::by_name(&name.to_ascii_lowercase().replace('_', "-")))
}

fn is_random(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    fn parts(name: &str) -> (String, Origin, Option<String>, Option<&'static str>) {
        let parsed = parse(name);
        (parsed.core, parsed.origin, parsed.suffix, parsed.data.map(|data| data.source_identifier.as_str()))
    }

    #[test]
    fn each_name_comes_back_bare_and_with_each_affix() {
        let suffix = |word: &str| Some(word.to_owned());
        for rule in rule_data::rules() {
            let name = &rule.rule_name;
            assert!(!name.contains(IN_PACK));
            let tower = name.to_uppercase().replace('-', "_");
            let cases = [
                (name.clone(), Origin::Direct, None),
                (format!("{name}-conformance-pack-k3yq7n1xz"), Origin::ConformancePack, suffix("k3yq7n1xz")),
                (format!("securityhub-{name}-5a8b4e12"), Origin::SecurityHub, suffix("5a8b4e12")),
                (format!("securityhub-{name}-periodic"), Origin::SecurityHub, suffix("periodic")),
                (format!("securityhub-{name}-1c2d3e"), Origin::SecurityHub, suffix("1c2d3e")),
                (format!("OrgConfigRule-{name}-abcdefgh"), Origin::ServiceLinked, suffix("abcdefgh")),
                (format!("AWSControlTower_AWS-GR_{tower}"), Origin::ControlTower, None),
                (format!("AWSControlTower_AWS-GR_{}", rule.source_identifier), Origin::ControlTower, None),
                (
                    format!("securityhub-{name}-5a8b4e12-conformance-pack-k3yq7n1xz"),
                    Origin::ConformancePack,
                    suffix("k3yq7n1xz"),
                ),
                (
                    format!("AWSControlTower_AWS-GR_{tower}-conformance-pack-k3yq7n1xz"),
                    Origin::ConformancePack,
                    suffix("k3yq7n1xz"),
                ),
            ];
            for (delivered, origin, suffix) in cases {
                // Two rules are named like another one with a last word of eight letters: there the exact match must win.
                if delivered.ends_with("-periodic") && rule_data::by_name(&format!("{name}-periodic")).is_some() {
                    continue;
                }
                assert_eq!(
                    parts(&delivered),
                    (name.clone(), origin, suffix, Some(rule.source_identifier.as_str())),
                    "{delivered}"
                );
            }
        }
    }

    #[test]
    fn a_genuine_last_word_of_eight_characters_survives() {
        for name in ["s3-account-level-public-access-blocks-periodic", "ec2-security-group-attached-to-eni-periodic"] {
            for prefix in ["", "securityhub-", "OrgConfigRule-"] {
                let parsed = parse(&format!("{prefix}{name}"));
                assert_eq!((parsed.core.as_str(), parsed.suffix), (name, None));
                assert_eq!(parsed.data.unwrap().rule_name, name);
            }
        }
        assert_eq!(
            parts("acme-bucket-is-approved"),
            ("acme-bucket-is-approved".to_owned(), Origin::Direct, None, None)
        );
        assert_eq!(
            parts("restricted-ssh-internal"),
            ("restricted-ssh-internal".to_owned(), Origin::Direct, None, None)
        );
    }

    #[test]
    fn a_name_that_begins_like_a_prefix_is_itself() {
        assert_eq!(
            parts("securityhub-enabled"),
            ("securityhub-enabled".to_owned(), Origin::Direct, None, Some("SECURITYHUB_ENABLED"))
        );
        let in_pack = (
            "securityhub-enabled".to_owned(),
            Origin::ConformancePack,
            Some("abcdefghi".to_owned()),
            Some("SECURITYHUB_ENABLED"),
        );
        assert_eq!(parts("securityhub-enabled-conformance-pack-abcdefghi"), in_pack);
        for name in [
            "",
            "securityhub-",
            "AWSControlTower_AWS-GR_",
            "-conformance-pack-abcdefghi",
            "OrgConfigRule-",
            "x-conformance-pack-",
        ] {
            assert_eq!(parts(name).0.is_empty(), name.is_empty(), "{name}");
        }
    }

    #[test]
    fn names_that_security_hub_alone_has_keep_apart_and_lead_to_their_managed_rule() {
        let digits = parse("securityhub-iam-password-policy-number-check-0a1b2c3d");
        let symbols = parse("securityhub-iam-password-policy-symbol-check-0a1b2c3d");
        assert_ne!(digits.core, symbols.core);
        assert_eq!(digits.data, symbols.data);
        assert_eq!(digits.data.unwrap().source_identifier, "IAM_PASSWORD_POLICY");
    }

    #[test]
    fn an_unknown_rule_loses_what_its_deployment_added_and_no_more() {
        let own = |core: &str, origin, suffix: Option<&str>| (core.to_owned(), origin, suffix.map(str::to_owned), None);
        assert_eq!(
            parts("acme-tags-conformance-pack-abc123xyz"),
            own("acme-tags", Origin::ConformancePack, Some("abc123xyz"))
        );
        assert_eq!(parts("securityhub-acme-tags-0a1b2c3d"), own("acme-tags", Origin::SecurityHub, Some("0a1b2c3d")));
        assert_eq!(parts("securityhub-acme-tags"), own("acme-tags", Origin::SecurityHub, None));
        assert_eq!(parts("AWSControlTower_AWS-GR_ACME_TAGS"), own("ACME_TAGS", Origin::ControlTower, None));
        assert_eq!(
            parts("FMManagedShieldConfigRule0a1b2c3d"),
            own("FMManagedShieldConfigRule0a1b2c3d", Origin::ServiceLinked, None)
        );
        assert_eq!(parts("a-conformance-pack-of-my-own"), own("a-conformance-pack-of-my-own", Origin::Direct, None));
    }

    #[test]
    fn an_organisations_pack_has_a_core_name() {
        let cases = [
            ("OrgConformsPack-NIST-CSF-z6cn9v2w", "NIST-CSF"),
            ("OrgConformsPack-NIST-CSF", "NIST-CSF"),
            ("OrgConformsPack-Baseline-z6cn9v2w", "Baseline"),
            ("OrgConformsPack-z6cn9v2w", "z6cn9v2w"),
            ("OrgConformsPack-", "OrgConformsPack-"),
            ("Operational-Best-Practices-internal", "Operational-Best-Practices-internal"),
            ("", ""),
        ];
        for (name, core) in cases {
            assert_eq!(core_pack_name(name), core, "{name}");
        }
    }

    #[test]
    fn an_origin_reads_its_own_word() {
        for origin in Origin::ALL {
            assert_eq!(Origin::parse(origin.word()), Some(origin));
        }
        assert_eq!(Origin::parse("elsewhere"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_name_loses_all_of_itself(name in "(securityhub-|AWSControlTower_AWS-GR_|OrgConfigRule-)?[a-zA-Z_-]{0,20}(-[a-z0-9]{8})?(-conformance-pack-[a-z0-9]{9})?") {
            let parsed = parse(&name);
            proptest::prop_assert!(name.is_empty() || !parsed.core.is_empty());
        }
    }
}
