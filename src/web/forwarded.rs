//! Who asks: behind a proxy, whom the proxy names, and only where the settings know the proxy.

use std::net::IpAddr;
use std::str::FromStr;

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, web};

use crate::State;
use crate::people::PublicUrl;

/// An address, or all that share its first bits: `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("{text:?} is not an address like 10.1.2.3 or a network like 10.0.0.0/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address = address.parse::<IpAddr>().map_err(|_invalid| wanted())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wanted)?,
        };
        Ok(Self { address, bits })
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        let differ = match (self.address, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differ >= self.bits
    }
}

/// Who asks, and how they reach the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caller {
    pub address: Option<IpAddr>,
    /// Whether they speak HTTPS to the proxy.
    pub https: bool,
}

impl Caller {
    /// Of a request.
    pub fn of(request: &HttpRequest) -> Self {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let state = request.app_data::<web::Data<State>>();
        caller(peer, request.headers(), state.map_or(&[], |state| &state.sign_in.trusted_proxies))
    }
}

/// Whether the browser speaks HTTPS, so that cookies can be of HTTPS alone: the proxy says so, or the portal's own address.
pub fn is_secure(request: &HttpRequest) -> bool {
    let public = request.app_data::<web::Data<State>>().and_then(|state| state.sign_in.public_url.as_ref());
    public.is_some_and(PublicUrl::is_https) || Caller::of(request).https
}

/// What is said by a peer that is none of the proxies is not heeded. A proxy adds itself at the right: the client is the
/// first from there that is no proxy. `X-Forwarded-For` and `-Proto` come before `Forwarded` (RFC 7239).
fn caller(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[Network]) -> Caller {
    let is_proxy = |address: IpAddr| proxies.iter().any(|proxy| proxy.holds(address));
    let Some(peer) = peer.filter(|peer| is_proxy(*peer)) else { return Caller { address: peer, https: false } };
    let mut hops = listed(headers, "x-forwarded-for");
    let mut schemes = listed(headers, "x-forwarded-proto");
    if hops.is_empty() && schemes.is_empty() {
        for element in listed(headers, "forwarded") {
            let part = |name: &str| {
                let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
                let value = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?.1;
                Some(value.trim().trim_matches('"').to_owned())
            };
            hops.push(part("for").unwrap_or_default());
            schemes.extend(part("proto"));
        }
    }
    let mut address = peer;
    for hop in hops.iter().rev() {
        // What is no address hides who comes before it.
        let Some(hop) = address_of(hop) else { break };
        address = hop;
        if !is_proxy(hop) {
            break;
        }
    }
    Caller { address: Some(address), https: schemes.last().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) }
}

/// The elements of a header that is a list, over all its lines.
fn listed(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|element| element.trim().to_owned()).collect()
}

/// `10.1.2.3`, `10.1.2.3:80`, `::1` or `[::1]:80`.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if text.matches(':').count() == 1 => text.split(':').next()?,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(peer: &str, headers: &[(&'static str, &'static str)]) -> (String, bool) {
        let proxies = ["10.0.0.0/8", "192.0.2.1", "fd00::/8"].map(|text| text.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let caller = caller(Some(peer.parse::<IpAddr>().unwrap()), &map, &proxies);
        (caller.address.unwrap().to_string(), caller.https)
    }

    #[test]
    fn only_known_proxies_say_who_asks() {
        let said = [
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=203.0.113.8;proto=https"),
        ];
        assert_eq!(of("198.51.100.1", &said), ("198.51.100.1".to_owned(), false));
        assert_eq!(of("192.0.2.2", &said), ("192.0.2.2".to_owned(), false));
        assert_eq!(of("192.0.2.1", &said), ("203.0.113.7".to_owned(), true));
        assert_eq!(of("fd00::1", &said), ("203.0.113.7".to_owned(), true));
        assert_eq!(of("10.1.1.1", &[]), ("10.1.1.1".to_owned(), false));
    }

    #[test]
    fn the_client_is_the_first_from_the_right_that_is_no_proxy() {
        for (header, client) in [
            ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
            // What the client itself wrote before it stands further to the left.
            ("1.2.3.4, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("10.9.9.9, 10.0.0.2", "10.9.9.9"),
            ("203.0.113.7, unknown", "10.1.1.1"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("", "10.1.1.1"),
        ] {
            assert_eq!(of("10.1.1.1", &[("x-forwarded-for", header)]).0, client, "{header}");
        }
        let lines = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(of("10.1.1.1", &lines).0, "203.0.113.7");
        let forwarded = [("forwarded", "for=1.2.3.4;proto=http, For=\"[2001:db8::1]:47\";Proto=https;by=10.1.1.1")];
        assert_eq!(of("10.1.1.1", &forwarded), ("2001:db8::1".to_owned(), true));
        assert_eq!(of("10.1.1.1", &[("x-forwarded-proto", "https, http")]), ("10.1.1.1".to_owned(), false));
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "host", "fd00::/129", "10.0.0.1/-1", "10.0.0.1/"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().holds("8.8.8.8".parse().unwrap()));
        assert!("10.1.2.3".parse::<Network>().unwrap().holds("::ffff:10.1.2.3".parse().unwrap()));
    }
}
