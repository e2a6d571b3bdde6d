//! On which side of the network a machine is. A page of the internet must not make us ask machines of the network in which we run, nor
//! the one that hands out our credentials (169.254.169.254).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The internet.
    Public,
    /// A private network (RFC 1918, RFC 4193, RFC 6598).
    Private,
    /// This machine.
    Here,
    /// Whatever no page is on: link-local, multicast, reserved, for documentation.
    Nowhere,
}

impl Zone {
    /// Whether what a page here names may lie there: on the internet, or where the page itself is.
    pub fn reaches(self, there: Self) -> bool {
        there != Self::Nowhere && (there == Self::Public || there == self)
    }
}

/// The zone of an address.
pub fn zone(address: IpAddr) -> Zone {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_v4(address: Ipv4Addr) -> Zone {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) => Zone::Here,
        (10, ..) | (192, 168, _) => Zone::Private,
        (172, 16..=31, _) | (100, 64..=127, _) => Zone::Private,
        // "This" network, link-local, of the IETF, for documentation, 6to4 relays, benchmarks, multicast and what is above.
        (0, ..)
        | (169, 254, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113)
        | (224.., ..) => Zone::Nowhere,
        _ => Zone::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Zone {
    let parts = address.segments();
    let within = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 1] => Zone::Here,
        // IPv4 in it: mapped, translated (RFC 6052), and 6to4. What leads to one of ours does so by that, too.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            within(high, low)
        }
        // The one that hands out credentials, by its address of AWS.
        [0xfd00, 0xec2, ..] => Zone::Nowhere,
        [0xfc00..=0xfdff, ..] => Zone::Private,
        // Documentation, Teredo and others of the IETF.
        [0x2001, 0xdb8, ..] | [0x2001, 0..=0x1ff, ..] | [0x3fff, 0..=0xfff, ..] => Zone::Nowhere,
        [0x2000..=0x3fff, ..] => Zone::Public,
        _ => Zone::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_of_ours_is_seen_through() {
        let of = |text: &str| zone(text.parse().unwrap());
        for (there, text) in [
            (Zone::Here, "127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::"),
            (
                Zone::Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fd00::1 fc00::1 ::ffff:10.0.0.1 64:ff9b::a00:1",
            ),
            (
                Zone::Nowhere,
                "0.0.0.0 169.254.169.254 224.0.0.1 255.255.255.255 203.0.113.1 :: fe80::1 ff02::1 2001:db8::1 2001::1 \
                 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe:: fd00:ec2::254",
            ),
            (Zone::Public, "1.1.1.1 172.15.0.1 172.32.0.1 100.128.0.1 93.184.215.14 2606:4700::1 ::ffff:1.1.1.1"),
        ] {
            for text in text.split_whitespace() {
                assert_eq!(of(text), there, "{text}");
            }
        }
    }

    #[test]
    fn a_page_reaches_the_internet_and_its_own_side() {
        let all = [Zone::Public, Zone::Private, Zone::Here, Zone::Nowhere];
        let reached = |from: Zone| all.into_iter().filter(|there| from.reaches(*there)).collect::<Vec<_>>();
        assert_eq!(reached(Zone::Public), [Zone::Public]);
        assert_eq!(reached(Zone::Private), [Zone::Public, Zone::Private]);
        assert_eq!(reached(Zone::Here), [Zone::Public, Zone::Here]);
        assert_eq!(reached(Zone::Nowhere), [Zone::Public]);
    }
}
