//! Pseudonyms for names of persons in ids of resources: which part of a text is a name, and what stands for it. Pure.
//!
//! A pseudonym is the beginning of a keyed hash of the name. Two names whose hashes begin alike do not share one: the later gets
//! more digits. What was given once stays given, see [`super::pseudonym_db`].

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use ring::hmac;

/// Digits of a pseudonym that no other name has.
const DIGITS: usize = 10;

/// What stands for which name. The names themselves are not in it.
#[derive(Debug)]
pub(super) struct Pseudonyms {
    key: hmac::Key,
    /// Pseudonyms by the keyed hash of the name.
    given: HashMap<Vec<u8>, String>,
    taken: HashSet<String>,
    /// Those that are not stored yet, in the order in which they were given.
    new: Vec<(Vec<u8>, String)>,
    /// Hashes of the names that stood in what was replaced.
    met: HashSet<Vec<u8>>,
}

impl Pseudonyms {
    /// With the installation's key and what was given so far: keyed hashes and pseudonyms.
    pub(super) fn new(key: &[u8], given: impl IntoIterator<Item = (Vec<u8>, String)>) -> Self {
        let given: HashMap<Vec<u8>, String> = given.into_iter().collect();
        let taken = given.values().cloned().collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self { key, given, taken, new: Vec::new(), met: HashSet::new() }
    }

    /// Names that were met.
    pub(super) fn met(&self) -> u64 {
        u64::try_from(self.met.len()).unwrap_or(u64::MAX)
    }

    /// What is to be stored, in the transaction that stores what it stands in.
    pub(super) fn take_new(&mut self) -> Vec<(Vec<u8>, String)> {
        std::mem::take(&mut self.new)
    }

    /// What stands for a name.
    fn of(&mut self, name: &str) -> String {
        let digest = hmac::sign(&self.key, name.as_bytes()).as_ref().to_vec();
        self.met.insert(digest.clone());
        if let Some(given) = self.given.get(&digest) {
            return given.clone();
        }
        let hex = digest.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes any text");
            hex
        });
        let shown = (DIGITS..=hex.len())
            .map(|digits| format!("person-{}", hex.get(..digits).unwrap_or_default()))
            .find(|shown| !self.taken.contains(shown))
            .expect("two names have not the same whole hash");
        self.taken.insert(shown.clone());
        self.given.insert(digest.clone(), shown.clone());
        self.new.push((digest, shown.clone()));
        shown
    }

    /// The id of a resource of a type, without names of persons.
    pub(super) fn resource<'a>(&mut self, resource_type: &str, id: &'a str) -> Cow<'a, str> {
        if resource_type == "AWS::IAM::User" && !id.starts_with("arn:") && !is_unique_id(id) {
            return Cow::Owned(self.of(id));
        }
        // Sessions and users without an ARN around them, as some resources are called.
        if !id.contains(':')
            && let Some(("assumed-role" | "user", rest)) = id.split_once('/')
            && let Some(name) = rest.rsplit('/').next().filter(|name| !name.is_empty())
            && (id.starts_with("user/") || name.len() < rest.len())
        {
            let before = id.get(..id.len() - name.len()).unwrap_or_default();
            return Cow::Owned(format!("{before}{}", self.of(name)));
        }
        self.text(id)
    }

    /// A text without names of persons: of IAM users and of sessions of assumed roles in ARNs, and e-mail addresses.
    pub(super) fn text<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        let names = names(text);
        if names.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut at) = (String::with_capacity(text.len() + 16), 0);
        for (start, end) in names {
            out.push_str(text.get(at..start).unwrap_or_default());
            out.push_str(&self.of(text.get(start..end).unwrap_or_default()));
            at = end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(out)
    }
}

/// Whether an id of an IAM user is the one that AWS made up (`AIDA…`), which names nobody.
fn is_unique_id(id: &str) -> bool {
    id.len() >= 16 && id.starts_with("AIDA") && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// What an ARN of a person has before path and name.
const KINDS: [&str; 4] = [":user/", ":assumed-role/", ":federated-user/", ":mfa/"];

/// Where names of persons stand in a text: byte ranges in order, none within another.
fn names(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("arn:") {
        let end = at + text.get(at..).unwrap_or_default().find(ends_arn).unwrap_or(text.len() - at);
        // What ends a sentence is no part of a name.
        let arn = text.get(at..end).unwrap_or_default().trim_end_matches([',', '.', ':']);
        let end = at + arn.len();
        let mut parts = arn.splitn(6, ':');
        let service = parts.nth(2).unwrap_or_default();
        if !matches!(service, "iam" | "sts") {
            continue;
        }
        for kind in KINDS {
            let Some(after) = arn.find(kind).map(|before| before + kind.len()) else { continue };
            let rest = arn.get(after..).unwrap_or_default();
            // The name is the last part; of a session, what follows the role.
            let name = rest.rfind('/').map_or(0, |slash| slash + 1);
            if kind == ":assumed-role/" && name == 0 {
                continue;
            }
            if after + name < arn.len() {
                found.push((at + after + name, end));
            }
            break;
        }
    }
    for address in addresses(text) {
        if !found.iter().any(|(start, end)| address.0 < *end && *start < address.1) {
            found.push(address);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What cannot be in an ARN of a person, nor in a name.
fn ends_arn(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ';' | '|' | '\\')
}

/// Where e-mail addresses stand.
fn addresses(text: &str) -> Vec<(usize, usize)> {
    let local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '\u{27}');
    let domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let before = text.get(..at).unwrap_or_default();
        let start = before.char_indices().rev().take_while(|(_, c)| local(*c)).last().map_or(at, |(start, _)| start);
        let after = text.get(at + 1..).unwrap_or_default();
        let length = after.find(|c| !domain(c)).unwrap_or(after.len());
        let host = after.get(..length).unwrap_or_default().trim_end_matches(['.', '-']);
        let has_dot = host.split_once('.').is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty());
        if start < at && has_dot && found.last().is_none_or(|(_, end)| *end <= start) {
            found.push((start, at + 1 + host.len()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&[7; 32], [])
    }

    /// The text with every pseudonym as `P`.
    fn shape(text: &str) -> String {
        let mut out = String::new();
        let replaced = pseudonyms().text(text).into_owned();
        let mut rest = replaced.as_str();
        while let Some(at) = rest.find("person-") {
            out.push_str(&rest[..at]);
            out.push('P');
            let after = &rest[at + 7..];
            rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        }
        out + rest
    }

    #[test]
    fn names_of_persons_go_and_everything_else_stays() {
        for (text, expected) in [
            ("arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:user/P"),
            ("arn:aws-cn:iam::111122223333:user/ann", "arn:aws-cn:iam::111122223333:user/P"),
            ("arn:aws:iam::111122223333:user/division/team/ann.lee", "arn:aws:iam::111122223333:user/division/team/P"),
            ("arn:aws:iam::111122223333:user/ann@example.com", "arn:aws:iam::111122223333:user/P"),
            ("arn:aws:sts::111122223333:assumed-role/Admin/ann", "arn:aws:sts::111122223333:assumed-role/Admin/P"),
            (
                "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann@example.com",
                "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/P",
            ),
            ("arn:aws:sts::111122223333:federated-user/ann", "arn:aws:sts::111122223333:federated-user/P"),
            ("arn:aws:iam::111122223333:mfa/ann", "arn:aws:iam::111122223333:mfa/P"),
            ("by arn:aws:iam::1:user/ann, told to bob@example.org.", "by arn:aws:iam::1:user/P, told to P."),
            ("bucket-of-ann.lee+x@mail.example.co.uk-logs", "P"),
            ("{\"p\":\"arn:aws:iam::1:user/ann\"}", "{\"p\":\"arn:aws:iam::1:user/P\"}"),
            // Roles, groups, buckets and the root name nobody.
            ("arn:aws:iam::111122223333:role/Admin", "arn:aws:iam::111122223333:role/Admin"),
            ("arn:aws:sts::111122223333:assumed-role/Admin", "arn:aws:sts::111122223333:assumed-role/Admin"),
            ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
            ("arn:aws:s3:::bucket/user/ann", "arn:aws:s3:::bucket/user/ann"),
            ("user@host, @, a@b", "user@host, @, a@b"),
            ("i-0123456789abcdef0", "i-0123456789abcdef0"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }

    #[test]
    fn an_iam_user_is_a_person_by_its_type() {
        let mut pseudonyms = pseudonyms();
        let by_name = pseudonyms.resource("AWS::IAM::User", "ann").into_owned();
        assert!(by_name.starts_with("person-") && by_name.len() == 17, "{by_name}");
        let in_arn = pseudonyms.text("arn:aws:iam::111122223333:user/ann").into_owned();
        assert!(in_arn.ends_with(&by_name), "the same name is the same pseudonym: {in_arn}");
        assert_eq!(pseudonyms.resource("AWS::IAM::User", "AIDAJQABLZS4A3QDU576Q"), "AIDAJQABLZS4A3QDU576Q");
        assert_eq!(pseudonyms.resource("AWS::IAM::Group", "ann"), "ann");
        let kind = "AWS::IAM::Role";
        assert_eq!(pseudonyms.resource(kind, "assumed-role/Admin/ann"), format!("assumed-role/Admin/{by_name}"));
        assert_eq!(pseudonyms.resource(kind, "user/team/ann"), format!("user/team/{by_name}"));
        assert_eq!(pseudonyms.resource(kind, "assumed-role/Admin"), "assumed-role/Admin");
        assert_eq!(pseudonyms.met(), 1);
    }

    #[test]
    fn another_installation_has_other_pseudonyms_and_a_later_pack_the_same() {
        let mut first = pseudonyms();
        let ann = first.resource("AWS::IAM::User", "ann").into_owned();
        let stored = first.take_new();
        let mut later = Pseudonyms::new(&[7; 32], stored);
        assert_eq!(later.resource("AWS::IAM::User", "ann"), ann.as_str());
        assert!(later.take_new().is_empty());
        assert_ne!(Pseudonyms::new(&[8; 32], []).resource("AWS::IAM::User", "ann"), ann.as_str());
    }

    #[test]
    fn a_pseudonym_that_is_taken_gets_more_digits() {
        let ann = pseudonyms().resource("AWS::IAM::User", "ann").into_owned();
        let mut crowded = Pseudonyms::new(&[7; 32], [(vec![0], ann.clone())]);
        let other = crowded.resource("AWS::IAM::User", "ann").into_owned();
        assert!(other.starts_with(&ann) && other.len() == ann.len() + 1, "{other}");
    }

    proptest! {
        #[test]
        fn distinct_names_stay_distinct_and_no_name_is_left(names in proptest::collection::btree_set("[a-z]{3,9}\\.[a-z]{3,9}", 1..30)) {
            let mut pseudonyms = pseudonyms();
            let shown: HashSet<String> =
                names.iter().map(|name| pseudonyms.text(&format!("arn:aws:iam::1:user/x/{name}")).into_owned()).collect();
            prop_assert_eq!(shown.len(), names.len());
            for name in &names {
                prop_assert!(!shown.iter().any(|text| text.contains(name.as_str())));
            }
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            let _shown = pseudonyms().text(&text).into_owned();
            let _shown = pseudonyms().text(&format!("arn:{text}@é.de")).into_owned();
        }
    }
}
