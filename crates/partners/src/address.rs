//! Which addresses lie on the open internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// What is not globally reachable, by IANA's IPv4 Special-Purpose Address Registry
/// (iana.org/assignments/iana-ipv4-special-registry), what is multicast (RFC 5771)
/// and what clouds answer their tenants at.
const CLOSED_V4: &[Ipv4Net] = &[
    // "This network" (RFC 791).
    v4(0, 0, 0, 0, 8),
    // Private use (RFC 1918).
    v4(10, 0, 0, 0, 8),
    v4(172, 16, 0, 0, 12),
    v4(192, 168, 0, 0, 16),
    // Carrier-grade NAT (RFC 6598); Alibaba's metadata, 100.100.100.200, too.
    v4(100, 64, 0, 0, 10),
    // Loopback (RFC 1122).
    v4(127, 0, 0, 0, 8),
    // Link-local (RFC 3927): 169.254.169.254 is most clouds' metadata.
    v4(169, 254, 0, 0, 16),
    // IETF protocol assignments (RFC 6890); Oracle's metadata, 192.0.0.192, too.
    v4(192, 0, 0, 0, 24),
    // Documentation (RFC 5737).
    v4(192, 0, 2, 0, 24),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    // The relays of 6to4 (RFC 7526, deprecated).
    v4(192, 88, 99, 0, 24),
    // Benchmarks (RFC 2544).
    v4(198, 18, 0, 0, 15),
    // Azure's platform, which every virtual machine reaches (learn.microsoft.com,
    // "What is IP address 168.63.129.16?").
    v4(168, 63, 129, 16, 32),
    // Multicast (RFC 5771), reserved (RFC 1112) and broadcast (RFC 8190).
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// Global unicast, the only part of IPv6 that IANA has given out
/// (iana.org/assignments/ipv6-address-space). Loopback, link-local, unique local
/// (`fd00:ec2::254` is Amazon's metadata), multicast, IPv4-mapped addresses and the
/// prefixes of NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`) lie outside.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// What within it leads elsewhere (iana.org/assignments/iana-ipv6-special-registry).
const CLOSED_V6: &[Ipv6Net] = &[
    // IETF protocol assignments, with Teredo (RFC 4380), benchmarks and ORCHID.
    v6(0x2001, 0, 23),
    // Documentation (RFC 3849, RFC 9637).
    v6(0x2001, 0xdb8, 32),
    v6(0x3fff, 0, 20),
    // 6to4 (RFC 3056): an IPv4 address, whichever, is in it.
    v6(0x2002, 0, 16),
];

/// Whether it lies on the open internet: not private, loopback, link-local, shared,
/// reserved, multicast or a way round to one of these.
pub fn is_open(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !CLOSED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_open_internet_is_open() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.215.14",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "168.63.129.15",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001:82a::200e",
            "2001:4860:4860::8888",
        ] {
            assert!(is_open(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_only_we_can_reach_is_closed() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_open(address.parse().unwrap()), "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_the_standard_library_calls_special_is_closed(bits in any::<u32>()) {
            let address = Ipv4Addr::from(bits);
            if address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_multicast() || address.is_broadcast()
                || address.is_documentation() || address.is_unspecified() {
                prop_assert!(!is_open(address.into()));
            }
        }

        /// Whatever stands for an IPv4 address inside IPv6 is a way round to it.
        #[test]
        fn no_ipv4_address_is_reached_by_way_of_ipv6(bits in any::<u32>(), low in any::<u64>()) {
            let address = Ipv4Addr::from(bits);
            let [a, b, c, d] = address.octets();
            let high = u16::from_be_bytes([a, b]);
            let rest = u16::from_be_bytes([c, d]);
            let tail = u16::try_from(low & 0xffff).unwrap();
            for around in [
                address.to_ipv6_mapped(),
                address.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, rest),
                Ipv6Addr::new(0x64, 0xff9b, 1, tail, 0, 0, high, rest),
                Ipv6Addr::new(0x2002, high, rest, tail, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 1, 2, 3, 4, !high, !rest),
            ] {
                prop_assert!(!is_open(around.into()), "{around}");
            }
        }

        #[test]
        fn only_global_unicast_is_open(bits in any::<u128>()) {
            let address = Ipv6Addr::from(bits);
            if is_open(address.into()) {
                prop_assert_eq!(address.segments()[0] >> 13, 1);
                prop_assert!(address.to_ipv4().is_none());
            }
        }

        #[test]
        fn nothing_inside_a_closed_network_is_open(at in 0..CLOSED_V4.len(), bits in any::<u32>()) {
            let net = CLOSED_V4[at];
            let host = bits & u32::from(net.hostmask());
            let address = Ipv4Addr::from(u32::from(net.network()) | host);
            prop_assert!(!is_open(address.into()), "{address}");
        }
    }
}
