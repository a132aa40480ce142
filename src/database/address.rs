//! A database's address without its password: what may be shown to others, e.g. as an argument of a program.

use anyhow::{Context as _, bail};
use secrecy::SecretString;

/// An address such as `postgres://user@host/database`, and its password apart.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) without_password: String,
    pub(super) password: Option<SecretString>,
}

/// Takes the password out of an address. The error never quotes it.
pub(super) fn take_apart(address: &str) -> anyhow::Result<Address> {
    let (scheme, rest) = address.split_once("://").context("DATABASE_URL has no ://")?;
    if rest.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair.starts_with("password="))) {
        bail!("DATABASE_URL has its password in the query: write postgres://user:password@host/database");
    }
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return Ok(Address { without_password: address.to_owned(), password: None });
    };
    let (user, password) = match user.split_once(':') {
        Some((user, password)) => (user, Some(SecretString::from(percent_decoded(password)?))),
        None => (user, None),
    };
    Ok(Address { without_password: format!("{scheme}://{user}@{host}{tail}"), password })
}

fn percent_decoded(text: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
                bail!("DATABASE_URL's password has a % without two hexadecimal digits");
            };
            bytes.push(u8::try_from(high * 16 + low)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().context("DATABASE_URL's password is not UTF-8")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use secrecy::ExposeSecret as _;

    use super::*;

    fn apart(address: &str) -> (String, Option<String>) {
        let found = take_apart(address).unwrap();
        (found.without_password, found.password.map(|password| password.expose_secret().to_owned()))
    }

    #[test]
    fn the_password_is_taken_out_and_decoded() {
        assert_eq!(
            apart("postgres://user:p%40ss%3Aword@host:5433/name?sslmode=verify-full"),
            ("postgres://user@host:5433/name?sslmode=verify-full".into(), Some("p@ss:word".into()))
        );
        assert_eq!(apart("postgres://user@host/name"), ("postgres://user@host/name".into(), None));
        assert_eq!(apart("postgres:///name?host=/run/pg"), ("postgres:///name?host=/run/pg".into(), None));
    }

    #[test]
    fn an_address_that_would_show_its_password_is_refused_without_quoting_it() {
        for address in ["postgres://host/name?password=geheim", "postgres://user:geheim%zz@host/name", "geheim"] {
            let message = take_apart(address).unwrap_err().to_string();
            assert!(!message.contains("geheim"), "{message}");
        }
    }
}
