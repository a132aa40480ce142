//! What a browser brings back from a provider: read strictly, and held against what was begun here.

use openidconnect::url::form_urlencoded;
use time::OffsetDateTime;

use super::db::Attempt;
use super::refusal::{Reason, Refusal};

/// The provider's answer, as the browser brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub state: String,
    /// Who answers (RFC 9207).
    pub issuer: Option<String>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Code(String),
    /// The provider's word, with what it says of it.
    Error(String, String),
    Neither,
}

/// Parameters of which a second one would give the answer another meaning.
const ONCE: [&str; 5] = ["state", "code", "error", "error_description", "iss"];

/// Reads the query of an answer.
pub(super) fn read(query: &str) -> Result<Answer, Refusal> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for name in ONCE {
        if pairs.iter().filter(|(key, _)| key == name).count() > 1 {
            return Err(Refusal::with(Reason::ParameterTwice, name));
        }
    }
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let state = value("state").filter(|state| !state.is_empty()).ok_or(Reason::StateMissing)?;
    let outcome = match (value("code").filter(|code| !code.is_empty()), value("error")) {
        // Never both: a code beside an error is not to be believed.
        (_, Some(error)) => Outcome::Error(error, value("error_description").unwrap_or_default()),
        (Some(code), None) => Outcome::Code(code),
        (None, None) => Outcome::Neither,
    };
    Ok(Answer { state, issuer: value("iss"), outcome })
}

/// Whether an answer belongs to a way that was begun here, to this provider, by this browser, and is the first to it.
pub(super) fn belongs(
    attempt: Option<&Attempt>,
    provider: &str,
    browser_hash: Option<&[u8]>,
    now: OffsetDateTime,
) -> Result<(), Reason> {
    let attempt = attempt.ok_or(Reason::StateUnknown)?;
    if browser_hash != Some(&attempt.browser_hash) {
        return Err(Reason::OtherBrowser);
    }
    if attempt.used_at.is_some() {
        return Err(Reason::StateUsed);
    }
    if attempt.provider != provider {
        return Err(Reason::StateOtherProvider);
    }
    if attempt.expires_at <= now { Err(Reason::StateExpired) } else { Ok(()) }
}

/// Whether the provider that was asked is the one that answers. `promised`: it says that it names itself.
pub(super) fn check_issuer(said: Option<&str>, wanted: &str, promised: bool) -> Result<(), Refusal> {
    match said {
        Some(said) if said == wanted => Ok(()),
        Some(said) => Err(Refusal::with(Reason::AnswerIssuer, format!("iss is {said:?}, the setting is {wanted:?}"))),
        None if promised => Err(Reason::AnswerIssuerMissing.into()),
        None => Ok(()),
    }
}

/// The code, or why there is none.
pub(super) fn code(outcome: &Outcome) -> Result<&str, Refusal> {
    match outcome {
        Outcome::Code(code) => Ok(code),
        Outcome::Neither => Err(Reason::CodeMissing.into()),
        Outcome::Error(word, said) => {
            let reason = match word.as_str() {
                "access_denied"
                | "login_required"
                | "consent_required"
                | "interaction_required"
                | "account_selection_required" => Reason::Denied,
                "server_error" | "temporarily_unavailable" => Reason::AnswerStatus,
                _ => Reason::ProviderSaid,
            };
            Err(Refusal::with(reason, format!("{word} {said}").trim()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-12-01 08:00 UTC);

    #[test]
    fn an_answer_has_a_state_and_each_parameter_once() {
        let answer = |state: &str, issuer: Option<&str>, outcome| Answer {
            state: state.to_owned(),
            issuer: issuer.map(str::to_owned),
            outcome,
        };
        let code = |code: &str| Outcome::Code(code.to_owned());
        assert_eq!(read("code=a%2Bb&state=s&iss=https%3A%2F%2Fx"), Ok(answer("s", Some("https://x"), code("a+b"))));
        assert_eq!(read("code=a&state=s&session_state=1&session_state=2"), Ok(answer("s", None, code("a"))));
        assert_eq!(read("state=s"), Ok(answer("s", None, Outcome::Neither)));
        let denied = Outcome::Error("access_denied".to_owned(), "no way".to_owned());
        assert_eq!(read("error=access_denied&error_description=no+way&state=s&code=a"), Ok(answer("s", None, denied)));
        for (query, reason) in [
            ("", Reason::StateMissing),
            ("code=a", Reason::StateMissing),
            ("code=a&state=", Reason::StateMissing),
            ("code=a&state=s&code=b", Reason::ParameterTwice),
            ("code=a&state=s&state=s", Reason::ParameterTwice),
            ("code=a&state=s&iss=x&iss=x", Reason::ParameterTwice),
            ("error=a&error=b&state=s", Reason::ParameterTwice),
        ] {
            assert_eq!(read(query).unwrap_err().reason, reason, "{query}");
        }
    }

    #[test]
    fn an_answer_belongs_to_one_browser_one_provider_and_one_time() {
        let attempt = Attempt {
            browser_hash: vec![1],
            provider: "company".to_owned(),
            purpose: "sign-in".to_owned(),
            next: "/".to_owned(),
            expires_at: NOW,
            used_at: None,
        };
        let before = NOW - time::Duration::SECOND;
        assert_eq!(belongs(Some(&attempt), "company", Some(&[1]), before), Ok(()));
        assert_eq!(belongs(None, "company", Some(&[1]), before), Err(Reason::StateUnknown));
        assert_eq!(belongs(Some(&attempt), "company", Some(&[2]), before), Err(Reason::OtherBrowser));
        assert_eq!(belongs(Some(&attempt), "company", None, before), Err(Reason::OtherBrowser));
        assert_eq!(belongs(Some(&attempt), "other", Some(&[1]), before), Err(Reason::StateOtherProvider));
        assert_eq!(belongs(Some(&attempt), "company", Some(&[1]), NOW), Err(Reason::StateExpired));
        let used = Attempt { used_at: Some(before), ..attempt };
        assert_eq!(belongs(Some(&used), "company", Some(&[1]), before), Err(Reason::StateUsed));
    }

    #[test]
    fn who_answers_is_who_was_asked() {
        let of = |said, promised| check_issuer(said, "https://a", promised).map_err(|refusal| refusal.reason);
        assert_eq!(
            (of(Some("https://a"), true), of(Some("https://a"), false), of(None, false)),
            (Ok(()), Ok(()), Ok(()))
        );
        assert_eq!(of(None, true), Err(Reason::AnswerIssuerMissing));
        assert_eq!(of(Some("https://a/"), false), Err(Reason::AnswerIssuer));
    }

    #[test]
    fn an_error_of_the_provider_is_told_by_kind() {
        let of = |word: &str| code(&Outcome::Error(word.to_owned(), String::new())).unwrap_err().reason;
        assert_eq!(of("access_denied"), Reason::Denied);
        assert_eq!(of("temporarily_unavailable"), Reason::AnswerStatus);
        assert_eq!(of("invalid_scope"), Reason::ProviderSaid);
        assert_eq!(code(&Outcome::Neither).unwrap_err().reason, Reason::CodeMissing);
        assert_eq!(code(&Outcome::Code("c".to_owned())).unwrap(), "c");
    }
}
