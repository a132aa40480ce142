//! Why somebody is not signed in: a stable word for the log and the audit log, words for the person, words for whoever runs
//! the installation.

use std::fmt;

/// Whose turn it is, which is what the page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The sign-in was cut short or is over: the person begins anew.
    Again,
    /// Settings of the provider or of Auditfolio do not fit together.
    Settings,
    /// What the provider sent must not be believed.
    Provider,
    /// The provider does not answer.
    Down,
    /// The provider or an administrator said no.
    Denied,
}

/// Makes [`Reason`] from one table: its word, whose turn it is, and what it means to whoever runs the installation.
macro_rules! reasons {
    ($($name:ident $word:literal $turn:ident $meaning:literal,)*) => {
        /// Why a sign-in, a sign-out or a one-time link is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($name,)* }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in the log and the audit log. It never changes.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            pub fn turn(self) -> Turn {
                match self { $(Self::$name => Turn::$turn,)* }
            }

            /// What it means and what to look at, for whoever runs the installation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

reasons! {
    // The way there and back.
    ParameterTwice "parameter-twice" Provider "The provider's answer names a parameter twice, so that it has two meanings.",
    StateMissing "state-missing" Again "The answer has no state, so that it belongs to no sign-in.",
    StateUnknown "state-unknown" Again "The answer belongs to no sign-in that was begun here: it is forged, or older than ten minutes.",
    StateUsed "state-used" Again "The answer was used already: somebody went back in the browser, or replays it.",
    StateExpired "state-expired" Again "The sign-in took longer than ten minutes.",
    StateOtherProvider "state-other-provider" Provider "The answer came to the address of another provider than the one that was asked.",
    OtherBrowser "other-browser" Again "The sign-in was begun in another browser, or this one keeps no cookies.",
    AnswerIssuerMissing "answer-issuer-missing" Provider "The provider promises to name itself in its answer (iss, RFC 9207) and did not.",
    AnswerIssuer "answer-issuer" Provider "The answer names another issuer than the provider that was asked.",
    CodeMissing "code-missing" Provider "The answer has neither a code nor an error.",
    Denied "denied" Denied "The provider says that the person, or one of its own rules, refused the sign-in.",
    ProviderSaid "provider-said" Settings "The provider answered with an error instead of a code. invalid_request and unauthorized_client speak of how the client is registered, invalid_scope of a scope that it does not have.",
    // The provider's own addresses.
    Unreachable "unreachable" Down "Nothing answers at the provider's address: look at the network, a proxy (HTTPS_PROXY), the name and the certificate.",
    Slow "slow" Down "The provider took too long to answer.",
    AnswerStatus "answer-status" Down "The provider answered with another status than 200. Redirects are not followed.",
    AnswerTooLarge "answer-too-large" Provider "The provider's answer is larger than any that is wanted.",
    Insecure "insecure" Settings "The provider names an address without https: what is sent there can be read on the way.",
    DiscoveryUnreadable "discovery-unreadable" Settings "What is at issuer/.well-known/openid-configuration is not the description of an OpenID provider.",
    DiscoveryIssuer "discovery-issuer" Settings "The provider calls itself otherwise than the setting issuer. They must be equal, to the last slash.",
    KeysUnreadable "keys-unreadable" Provider "What is at the provider's jwks_uri is no set of keys.",
    TokenEndpointMissing "token-endpoint-missing" Settings "The provider names no token_endpoint, so that it does not offer the code flow.",
    // The code.
    CodeRefused "code-refused" Again "The provider does not take the code (invalid_grant): it was used or is too old, or the redirect address differs from the registered one.",
    ClientRefused "client-refused" Settings "The provider does not take client_id with client_secret, or does not allow this client the code flow.",
    TokenRefused "token-refused" Settings "The provider gave no tokens for the code.",
    TokenAnswer "token-answer" Provider "What the token endpoint answered cannot be read.",
    IdTokenMissing "id-token-missing" Settings "The provider gave no ID token: the client has to be allowed the scope openid.",
    // The token.
    TokenTooLarge "token-too-large" Provider "The token is larger than any that is wanted.",
    TokenMalformed "token-malformed" Provider "The token is not made of three parts of base64url with JSON objects in the first two.",
    TokenType "token-type" Provider "The token says that it is of another type.",
    HeaderCritical "header-critical" Provider "The token's header asks for something (crit) that is not known here.",
    AlgNone "alg-none" Provider "The token is not signed (alg none).",
    AlgSymmetric "alg-symmetric" Settings "The token is signed with a shared secret (HS256 and such). Register the client for RS256, PS256, ES256 or EdDSA.",
    AlgUnknown "alg-unknown" Settings "The token is signed by an algorithm that is not known here. RS256, PS256, ES256 and EdDSA are.",
    KeyUnknown "key-unknown" Provider "The token is signed with a key that the provider does not publish.",
    KeyAmbiguous "key-ambiguous" Provider "The token does not say which of the provider's keys signed it.",
    Signature "signature" Provider "The signature is wrong: the token was altered or forged.",
    Issuer "issuer" Provider "The token is of another issuer.",
    SubjectMissing "subject-missing" Provider "The token does not say whom it is about (sub).",
    AudienceMissing "audience-missing" Settings "The token does not say for whom it is (aud).",
    Audience "audience" Settings "The token is for another client: compare client_id with the provider's registration.",
    AuthorizedParty "authorized-party" Settings "The token was given to another client (azp), or is for several and does not say which of them it was given to.",
    ExpiryMissing "expiry-missing" Provider "The token does not say when it ends (exp).",
    Expired "expired" Provider "The token has ended. If it is new, a clock is wrong: compare the time of this machine with the provider's.",
    IssuedMissing "issued-missing" Provider "The token does not say when it was issued (iat).",
    IssuedInFuture "issued-in-future" Provider "The token is of the future: the clock of this machine is more than a minute behind the provider's.",
    NotYetValid "not-yet-valid" Provider "The token is not valid yet (nbf): the clock of this machine is more than a minute behind the provider's.",
    NonceMissing "nonce-missing" Provider "The token does not say for which sign-in it is (nonce).",
    Nonce "nonce" Provider "The token is of another sign-in (nonce): a code or a token was put into this one.",
    AccessTokenHash "access-token-hash" Provider "The access token is not the one that the ID token names (at_hash).",
    // What userinfo adds.
    UserinfoMissing "userinfo-missing" Settings "The settings want groups from userinfo, and the provider has no userinfo_endpoint.",
    UserinfoUnreadable "userinfo-unreadable" Provider "What userinfo answered is no JSON object. Signed answers are not read: register the client for plain ones.",
    UserinfoSubject "userinfo-subject" Provider "What userinfo answered is about somebody else.",
    // The person.
    Disabled "disabled" Denied "An administrator has disabled this person.",
    TestElse "test-else" Again "The administrator who began the test is not signed in any more.",
    // Sign-out by the provider.
    LogoutTokenMissing "logout-token-missing" Provider "The request has no logout_token, or more than one.",
    LogoutEvent "logout-event" Provider "The token is not one of sign-out (events).",
    LogoutNonce "logout-nonce" Provider "The token has a nonce: it may be an ID token that is passed off as one of sign-out.",
    LogoutNobody "logout-nobody" Provider "The token names neither a session nor a person.",
    LogoutIdMissing "logout-id-missing" Provider "The token has no name of its own (jti), so that it could be used again.",
    LogoutUsed "logout-used" Provider "The token was used already.",
    // One-time links.
    LinkUnknown "link-unknown" Denied "There is no such link.",
    LinkUsed "link-used" Denied "The link was used already.",
    LinkExpired "link-expired" Denied "The link has ended.",
}

/// A reason with what was found. Nothing in it is secret, and nothing from outside can break a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// What was found and what was wanted, where that helps; else empty.
    pub found: String,
}

impl Refusal {
    /// `found` is what came from outside: it is quoted and cut.
    pub fn with(reason: Reason, found: impl fmt::Display) -> Self {
        let found = found.to_string();
        let short: String = found.chars().take(300).map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect();
        Self { reason, found: short }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, found: String::new() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.word())?;
        if self.found.is_empty() { Ok(()) } else { write!(f, ": {}", self.found) }
    }
}

impl std::error::Error for Refusal {}

/// Neither a control character nor one that turns the direction of what follows.
pub(in crate::people) fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_word_of_its_own() {
        let mut words: Vec<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        words.sort_unstable();
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        assert!(Reason::ALL.iter().all(|reason| reason.meaning().ends_with('.')));
    }

    #[test]
    fn what_was_found_breaks_no_line_and_is_cut() {
        let refusal = Refusal::with(Reason::Issuer, "a\r\nb\u{202e}c".to_owned() + &"x".repeat(1000));
        assert!(refusal.to_string().starts_with("issuer: a\u{fffd}\u{fffd}b\u{fffd}cx"));
        assert_eq!(refusal.found.chars().count(), 300);
    }
}
