//! From where a request comes, as far as that can be believed.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;

/// Who appends whom they were called by.
const FORWARDED: &str = "x-forwarded-for";

/// The address that the outermost of `proxies` proxies of ours was called from.
/// What stands before its entry in `X-Forwarded-For` came from the client, and
/// says whatever the client likes.
pub(crate) fn client_address(request: &HttpRequest, proxies: usize) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    if proxies == 0 {
        return peer;
    }
    forwarded(request.headers(), proxies).or(peer)
}

fn forwarded(headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let mut entries = Vec::new();
    for value in headers.get_all(FORWARDED) {
        entries.extend(value.to_str().ok()?.split(',').map(str::trim));
    }
    let entry = entries.get(entries.len().checked_sub(proxies)?)?;
    entry.trim_matches(['[', ']']).parse().ok()
}

/// What tries are counted by: the address, or of IPv6 the network of 64 bits,
/// within which one customer may choose freely (RFC 6177, section 2).
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn seen(forwarded: &[&str], proxies: usize) -> String {
        let mut request = TestRequest::default().peer_addr("10.0.0.1:1".parse().unwrap());
        for value in forwarded {
            request = request.append_header((FORWARDED, *value));
        }
        let address = client_address(&request.to_http_request(), proxies);
        address.unwrap().to_string()
    }

    #[test]
    fn only_what_our_own_proxies_wrote_is_believed() {
        assert_eq!(seen(&["1.1.1.1"], 0), "10.0.0.1");
        assert_eq!(seen(&["6.6.6.6, 1.1.1.1"], 1), "1.1.1.1");
        assert_eq!(seen(&["6.6.6.6", "1.1.1.1, 2.2.2.2"], 2), "1.1.1.1");
        assert_eq!(seen(&["2001:db8::1"], 1), "2001:db8::1");
        assert_eq!(seen(&[], 1), "10.0.0.1");
        assert_eq!(seen(&["1.1.1.1"], 2), "10.0.0.1");
        assert_eq!(seen(&["unknown"], 1), "10.0.0.1");
    }

    #[test]
    fn one_customers_ipv6_addresses_count_as_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:1.2.3.4"), "1.2.3.4");
    }
}
