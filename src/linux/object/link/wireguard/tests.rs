use super::*;
use ipnet::{Ipv4Net, Ipv6Net};
use proptest::prelude::*;

/// A peer as the kernel would report it: what is written of it, and what only the kernel says.
fn report(peer: &Peer, preshared: Option<[u8; 32]>, body: &mut Writer) {
    let PeerKey::Public(key) = &peer.key else { return };
    body.nest(0, |body| {
        body.put(PEER_PUBLIC_KEY, &key.0).put(PEER_PRESHARED_KEY, &preshared.unwrap_or([0; 32]));
        settings(None, peer, body);
        allowed_ips(&peer.allowed_ips.iter().collect::<Vec<_>>(), body);
    });
}

fn answer(write: impl FnOnce(&mut Writer)) -> Answer {
    let mut body = Writer::new(&[0, VERSION, 0, 0]);
    write(&mut body);
    Answer::new(body.bytes().to_vec())
}

fn prefix() -> impl Strategy<Value = IpNet> {
    let v4 = (any::<[u8; 4]>(), 0..=32_u8)
        .prop_map(|(ip, length)| IpNet::V4(Ipv4Net::new(ip.into(), length).unwrap().trunc()));
    let v6 = (any::<[u8; 16]>(), 0..=128_u8)
        .prop_map(|(ip, length)| IpNet::V6(Ipv6Net::new(ip.into(), length).unwrap().trunc()));
    prop_oneof![v4, v6]
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let v4 = (any::<[u8; 4]>(), 1..=u16::MAX).prop_map(|(ip, port)| SocketAddr::new(IpAddr::from(ip), port));
    let v6 = (any::<[u8; 16]>(), 1..=u16::MAX, any::<u32>())
        .prop_map(|(ip, port, scope)| SocketAddrV6::new(ip.into(), port, 0, scope).into());
    prop_oneof![v4, v6]
}

prop_compose! {
    fn peer()(key in any::<[u8; 32]>(), prefixes in prop::collection::btree_set(prefix(), 0..20), endpoint in prop::option::of(address()), keepalive: u16) -> Peer {
        let link = LinkId::new("A", "wg0");
        Peer { link, key: PeerKey::Public(Key(key)), allowed_ips: prefixes, endpoint: endpoint.into(), roaming: false, heard: false, keepalive, preshared: None, preshared_file: None }
    }
}

proptest! {
    // A public key takes half a millisecond without optimisation.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn peers_come_back_as_they_went(mut peers in prop::collection::vec((peer(), prop::option::of(any::<[u8; 32]>())), 0..5), cut in any::<prop::sample::Index>()) {
        peers.dedup_by_key(|(peer, _)| peer.key.clone());
        for (peer, preshared) in &mut peers {
            peer.preshared = preshared.and_then(|bytes| Secret::of(&bytes)).map(|secret| secret.public());
        }
        let whole = answer(|body| _ = body.u16(LISTEN_PORT, 51820).nest(PEERS, |list| peers.iter().for_each(|(peer, preshared)| report(peer, *preshared, list))));
        let read = parse(std::slice::from_ref(&whole));
        prop_assert_eq!(read.peers(&LinkId::new("A", "wg0")), peers.iter().map(|(peer, _)| peer.clone()).collect::<Vec<_>>());
        // However it is cut, nothing worse than less comes of it.
        let bytes = whole.bytes();
        let _ = parse(&[Answer::new(bytes[..cut.index(bytes.len())].to_vec())]);
    }
}

#[test]
fn a_peer_that_is_spread_over_messages_is_one() {
    let part = |prefixes: &[&str]| Peer {
        link: LinkId::new("A", "wg0"),
        key: PeerKey::Public(Key([5; 32])),
        allowed_ips: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
        endpoint: Setting::Left,
        roaming: false,
        heard: false,
        keepalive: 7,
        preshared: None,
        preshared_file: None,
    };
    let first = answer(|body| {
        body.put(PRIVATE_KEY, &[9; 32]).put(PUBLIC_KEY, &[8; 32]).u16(LISTEN_PORT, 51820).u32(FWMARK, 0x20);
        body.nest(PEERS, |list| report(&part(&["10.0.0.0/8"]), None, list));
    });
    let rest = answer(|body| {
        body.nest(PEERS, |list| {
            _ = list.nest(0, |body| {
                body.put(PEER_PUBLIC_KEY, &[5; 32]);
                allowed_ips(&[&"fd00::/8".parse().unwrap()], body);
            })
        });
    });
    let seen = parse(&[first, rest]);
    assert_eq!(seen.peers(&LinkId::new("A", "wg0")), [part(&["10.0.0.0/8", "fd00::/8"])]);
    let options = seen.options();
    assert_eq!(options.get("listen-port"), Some(&Value::Number(51820)));
    assert_eq!(options.get("fwmark"), Some(&Value::Number(0x20)));
    assert_eq!(public_key(&options), Some(Key([8; 32])));
    // Nothing that is handed on has the private key.
    let keys = Keys::default();
    seen.keep(&keys);
    assert!(!format!("{options:?} {keys:?}").contains("9, 9"));
    assert_eq!(keys.secret(Secret::of(&[9; 32]).unwrap().public(), None).unwrap().bytes(), &[9; 32]);
}

#[test]
fn an_interface_without_a_key_has_none() {
    let seen = parse(&[answer(|body| _ = body.put(PRIVATE_KEY, &[0; 32]).u16(LISTEN_PORT, 0))]);
    assert_eq!(seen.options().get("public-key"), Some(&Value::Unset));
    assert!(parse(&[]).peers(&LinkId::new("A", "wg0")).is_empty());
}
