//! From the groups that a provider names to a role: equal to the letter, and the least rights where in doubt.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::people::Role;

/// Which groups have a role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants(pub BTreeMap<String, Role>);

/// Of whom nothing better is known.
pub(super) const LEAST: Role = Role::Auditor;

/// A role with why, in words for the history of roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::people) struct Granted {
    pub role: Role,
    pub why: String,
}

impl Granted {
    pub(super) fn least(why: &str) -> Self {
        Self { role: LEAST, why: why.to_owned() }
    }
}

/// The highest role that one of the groups has. `name` is the claim, or with a slash before it a path into the claims.
///
/// Names are compared as they are, byte by byte: another case, a space, a letter that looks alike is another group. What is
/// neither a text nor a list of texts is no group; a provider that leaves the claim out, as some do for people with very
/// many groups, gives the least rights.
pub(super) fn granted(claims: &Map<String, Value>, name: &str, grants: &Grants) -> Granted {
    let said = match name.strip_prefix('/') {
        None => claims.get(name),
        Some(path) => {
            let mut parts = path.split('/');
            let first = parts.next().and_then(|part| claims.get(part));
            parts.fold(first, |found, part| found.and_then(|found| found.get(part)))
        }
    };
    let groups: Vec<&str> = match said {
        None | Some(Value::Null) => return Granted::least("the provider names no groups"),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Granted::least("the provider’s groups are neither a text nor a list"),
    };
    let with_role = groups.iter().filter_map(|group| Some((*grants.0.get(*group)?, *group)));
    // Of two groups with the same role the first by name, whatever their order: the history is not to change with it.
    match with_role.max_by(|(one, a), (other, b)| one.cmp(other).then(b.cmp(a))) {
        Some((role, group)) => Granted { role, why: format!("group {group}") },
        None => Granted::least("none of the groups has a role"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_very_name_of_a_group_gives_its_role() {
        let grants = Grants(BTreeMap::from([
            ("portal-admins".to_owned(), Role::Administrator),
            ("admins-2".to_owned(), Role::Administrator),
            ("grc".to_owned(), Role::ComplianceManager),
            ("guests".to_owned(), Role::Auditor),
        ]));
        let of = |claims: &Value| granted(claims.as_object().unwrap(), "groups", &grants);
        let mut many: Vec<String> = (0..5_000).map(|n| format!("group-{n}")).collect();
        assert_eq!(of(&json!({ "groups": many })).role, LEAST);
        many.push("grc".to_owned());
        for (claims, role, why) in [
            (json!({ "groups": ["portal-admins"] }), Role::Administrator, "group portal-admins"),
            (json!({ "groups": "grc" }), Role::ComplianceManager, "group grc"),
            (json!({ "groups": ["grc", "portal-admins", "guests"] }), Role::Administrator, "group portal-admins"),
            (json!({ "groups": ["portal-admins", "admins-2"] }), Role::Administrator, "group admins-2"),
            (json!({ "groups": [7, null, ["portal-admins"], "grc"] }), Role::ComplianceManager, "group grc"),
            (json!({ "groups": many }), Role::ComplianceManager, "group grc"),
            (json!({}), LEAST, "the provider names no groups"),
            (json!({ "groups": null }), LEAST, "the provider names no groups"),
            (json!({ "groups": [] }), LEAST, "none of the groups has a role"),
            (json!({ "groups": 1 }), LEAST, "the provider’s groups are neither a text nor a list"),
            (
                json!({ "groups": { "portal-admins": true } }),
                LEAST,
                "the provider’s groups are neither a text nor a list",
            ),
            // Too many to be named: only where to ask for them is said.
            (json!({ "_claim_names": { "groups": "src1" }, "hasgroups": true }), LEAST, "the provider names no groups"),
        ] {
            let found = of(&claims);
            assert_eq!((found.role, found.why.as_str()), (role, why));
        }
        for alike in [
            "Portal-Admins",
            "portal-admins ",
            " portal-admins",
            "portal-admins,grc",
            "portal-admins grc",
            "portal-adminѕ",
            "portal-\u{430}dmins",
            "portal\u{2010}admins",
            "portal-admins\u{200b}",
            "portal-admins\0",
            "/portal-admins",
            "",
        ] {
            assert_eq!(of(&json!({ "groups": [alike] })).role, LEAST, "{alike:?}");
            assert_eq!(of(&json!({ "groups": alike })).role, LEAST, "{alike:?}");
        }
    }

    #[test]
    fn a_path_leads_into_the_claims() {
        let grants = Grants(BTreeMap::from([("grc".to_owned(), Role::ComplianceManager)]));
        let claims = json!({ "realm_access": { "roles": ["grc"] }, "/realm_access/roles": ["other"] });
        let of = |name: &str| granted(claims.as_object().unwrap(), name, &grants).role;
        assert_eq!(of("/realm_access/roles"), Role::ComplianceManager);
        for wrong in ["realm_access", "/realm_access", "/realm_access/other", "/", "/other/roles", "realm_access/roles"]
        {
            assert_eq!(of(wrong), LEAST, "{wrong}");
        }
    }
}
