//! Limits on how often addresses and people may ask for what.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::Method;

use super::buckets::{Buckets, Limit};
use crate::error::Error;

/// How often what may be asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct LimitArgs {
    /// How many sign-ins may be tried from one address, e.g. 30/1m, or never to limit none.
    #[arg(long, env = "AUDITFOLIO_LIMIT_SIGN_IN", value_name = "COUNT/TIME", default_value = "30/1m")]
    pub limit_sign_in: Limit,
    /// How many requests of any kind may come from one address. Behind a proxy that is not trusted everybody shares one.
    #[arg(long, env = "AUDITFOLIO_LIMIT_ADDRESS", value_name = "COUNT/TIME", default_value = "6000/1m")]
    pub limit_address: Limit,
    /// How many pages one person may ask for.
    #[arg(long, env = "AUDITFOLIO_LIMIT_PERSON", value_name = "COUNT/TIME", default_value = "1200/1m")]
    pub limit_person: Limit,
    /// How many downloads one person may begin: tables, packs, documents.
    #[arg(long, env = "AUDITFOLIO_LIMIT_DOWNLOADS", value_name = "COUNT/TIME", default_value = "120/1m")]
    pub limit_downloads: Limit,
    /// How many things one person may set going or change: packs, collections, records.
    #[arg(long, env = "AUDITFOLIO_LIMIT_CHANGES", value_name = "COUNT/TIME", default_value = "60/1m")]
    pub limit_changes: Limit,
}

/// What a request is, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SignIn,
    Page,
    Download,
    Change,
}

impl Kind {
    fn of(method: &Method, path: &str, query: &str) -> Self {
        let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        // Of a provider the way there and the way back are addresses to look at, and each is a try; what its own server
        // says, at one address for all, is none.
        let is_way = |ending: &str| path.starts_with("/sign-in/") && path.ends_with(ending);
        if changes && ["/sign-in", "/sign-in/link"].contains(&path) || is_way("/start") || is_way("/callback") {
            return Self::SignIn;
        }
        if changes {
            return Self::Change;
        }
        let is_format = |pair: &str| pair.strip_prefix("format=").is_some_and(|format| format != "html");
        let is_file = [".pdf", ".zip", ".sig", ".pem"].iter().any(|ending| path.ends_with(ending));
        if is_file || query.split('&').any(is_format) { Self::Download } else { Self::Page }
    }
}

/// So many addresses, and as many people, are told apart.
const MOST: usize = 20_000;

/// Who asked for how much lately.
#[derive(Debug)]
pub(crate) struct Limits {
    since: Instant,
    sign_ins: Option<Mutex<Buckets<IpAddr>>>,
    addresses: Option<Mutex<Buckets<IpAddr>>>,
    people: Option<Mutex<Buckets<String>>>,
    downloads: Option<Mutex<Buckets<String>>>,
    changes: Option<Mutex<Buckets<String>>>,
}

impl Default for Limits {
    /// None.
    fn default() -> Self {
        let since = Instant::now();
        Self { since, sign_ins: None, addresses: None, people: None, downloads: None, changes: None }
    }
}

fn buckets<K: std::hash::Hash + Eq>(limit: Limit) -> Option<Mutex<Buckets<K>>> {
    limit.0.map(|rate| Mutex::new(Buckets::new(rate, MOST)))
}

impl Limits {
    pub(crate) fn new(args: &LimitArgs) -> Self {
        Self {
            since: Instant::now(),
            sign_ins: buckets(args.limit_sign_in),
            addresses: buckets(args.limit_address),
            people: buckets(args.limit_person),
            downloads: buckets(args.limit_downloads),
            changes: buckets(args.limit_changes),
        }
    }

    /// Counts a request against the address that it comes from; before anything is done for it.
    ///
    /// # Errors
    ///
    /// [`Error::TooMany`].
    pub(crate) fn address(&self, from: Option<IpAddr>, method: &Method, path: &str) -> Result<(), Error> {
        let Some(from) = from.map(household) else { return Ok(()) };
        self.take(self.addresses.as_ref(), from)?;
        match Kind::of(method, path, "") {
            Kind::SignIn => self.take(self.sign_ins.as_ref(), from),
            _ => Ok(()),
        }
    }

    /// Counts a request against the person who makes it; before its handler begins.
    ///
    /// # Errors
    ///
    /// [`Error::TooMany`].
    pub(crate) fn person(&self, identity: &str, method: &Method, path: &str, query: &str) -> Result<(), Error> {
        let buckets = match Kind::of(method, path, query) {
            Kind::SignIn => return Ok(()),
            Kind::Page => &self.people,
            Kind::Download => &self.downloads,
            Kind::Change => &self.changes,
        };
        self.take(buckets.as_ref(), identity.to_owned())
    }

    /// Counts a request that a program makes with a token: what it gets are downloads.
    ///
    /// # Errors
    ///
    /// [`Error::TooMany`].
    pub(crate) fn token(&self, token_id: i64) -> Result<(), Error> {
        self.take(self.downloads.as_ref(), format!("token {token_id}"))
    }

    /// Counts a token that lets nobody in against the address that it comes from, as a sign-in that was tried.
    ///
    /// # Errors
    ///
    /// [`Error::TooMany`].
    pub(crate) fn refused_token(&self, from: Option<IpAddr>) -> Result<(), Error> {
        from.map_or(Ok(()), |from| self.take(self.sign_ins.as_ref(), household(from)))
    }

    fn take<K: std::hash::Hash + Eq>(&self, buckets: Option<&Mutex<Buckets<K>>>, key: K) -> Result<(), Error> {
        let Some(buckets) = buckets else { return Ok(()) };
        let taken = buckets.lock().unwrap_or_else(PoisonError::into_inner).take(key, self.since.elapsed());
        taken.map_err(|wait| Error::TooMany { seconds: whole_seconds(wait) })
    }
}

/// Up to the next whole second, which is what Retry-After can say.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Who counts as one: an IPv6 network of /64 is one line's, RFC 6177.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn args(limit: &str) -> LimitArgs {
        let limit: Limit = limit.parse().unwrap();
        let never = Limit(None);
        LimitArgs {
            limit_sign_in: limit,
            limit_address: never,
            limit_person: never,
            limit_downloads: limit,
            limit_changes: never,
        }
    }

    #[test]
    fn a_request_is_told_by_what_it_asks_for() {
        for (method, path, query, kind) in [
            (Method::GET, "/rules", "", Kind::Page),
            (Method::GET, "/rules", "format=html&sort=name", Kind::Page),
            (Method::GET, "/rules", "sort=name&format=csv", Kind::Download),
            (Method::HEAD, "/packs/AF-1/pack.pdf", "", Kind::Download),
            (Method::GET, "/artifact/files/1/report-a-1.zip", "", Kind::Download),
            (Method::POST, "/packs", "format=csv", Kind::Change),
            (Method::POST, "/sign-in", "", Kind::SignIn),
            (Method::POST, "/sign-in/link", "", Kind::SignIn),
            (Method::GET, "/sign-in/link", "token=0", Kind::Page),
            (Method::GET, "/sign-in/company/start", "next=/", Kind::SignIn),
            (Method::GET, "/sign-in/company/callback", "code=0", Kind::SignIn),
            (Method::POST, "/sign-in/company/back-channel", "", Kind::Change),
        ] {
            assert_eq!(Kind::of(&method, path, query), kind, "{method} {path}?{query}");
        }
    }

    #[test]
    fn sign_ins_count_by_address_and_downloads_by_person() {
        let limits = Limits::new(&args("2/1h"));
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let same: IpAddr = "2001:db8::ffff:1".parse().unwrap();
        let other: IpAddr = "192.0.2.7".parse().unwrap();
        let sign_in = |from| limits.address(Some(from), &Method::POST, "/sign-in").is_ok();
        assert!(sign_in(one) && sign_in(same));
        assert!(!sign_in(one) && sign_in(other), "a household shares its own");
        assert!(limits.address(Some(one), &Method::GET, "/sign-in").is_ok(), "looking is no trying");
        let download = |who| limits.person(who, &Method::GET, "/rules", "format=csv");
        assert!(download("a").is_ok() && download("a").is_ok() && download("b").is_ok());
        assert!(matches!(download("a"), Err(Error::TooMany { seconds: 1700..=1800 })));
        assert!(limits.person("a", &Method::GET, "/rules", "").is_ok());
        assert!(Limits::default().person("a", &Method::GET, "/rules", "format=csv").is_ok());
    }

    #[test]
    fn a_wait_is_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::from_millis(2_001)), 3);
    }
}
