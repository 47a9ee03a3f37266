use super::*;
use crate::linux::netlink::attributes::Writer;

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = (u32::try_from(HEAD + body.len()).unwrap()).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(7_u32.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}

#[test]
fn a_refusal_keeps_the_kernels_words() {
    let mut body = Writer::new(&[(-17_i32).to_ne_bytes().as_slice(), &[0; 16]].concat());
    body.text(1, "ipv4: Address already assigned");
    let bytes = message(NLMSG_ERROR, NLM_F_CAPPED | 0x200, body.bytes());
    let (head, body, rest) = split(&bytes).unwrap();
    let refused = acknowledged(&head, body).unwrap_err();
    assert_eq!(refused, Refused { errno: 17, text: Some("ipv4: Address already assigned".into()) });
    assert!(rest.is_empty());
}

#[test]
fn a_dump_that_failed_or_was_disturbed_is_no_dump() {
    assert_eq!(done(&(-2_i32).to_ne_bytes(), false).unwrap_err().errno, 2);
    assert_eq!(done(&0_i32.to_ne_bytes(), true).unwrap_err().errno, libc::EINTR);
    assert_eq!(done(&0_i32.to_ne_bytes(), false), Ok(()));
}

#[test]
fn every_truncation_is_survived() {
    let mut body = Writer::new(&[(-1_i32).to_ne_bytes().as_slice(), &[0; 16]].concat());
    body.text(1, "no");
    let bytes = message(NLMSG_ERROR, NLM_F_CAPPED, body.bytes());
    for cut in 0..bytes.len() {
        assert!(split(&bytes[..cut]).is_none());
    }
    for cut in 0..body.bytes().len() {
        let head = Head { kind: NLMSG_ERROR, flags: 0, sequence: 7 };
        assert!(acknowledged(&head, &body.bytes()[..cut]).is_err());
        let _ = done(&body.bytes()[..cut], false);
    }
}

#[test]
fn a_length_that_lies_ends_the_reading() {
    for length in [0_u32, 15, 17, u32::MAX] {
        let mut bytes = message(NLMSG_DONE, 0, &[]);
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        assert!(split(&bytes).is_none());
    }
}
