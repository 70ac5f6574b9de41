use super::*;

const PLACE: Place<'_> = Place { table: "clients", column: "access_token", row: "a/b" };

fn ring() -> KeyRing {
    KeyRing::from_bytes("k1", [7; 32]).unwrap()
}

#[test]
fn what_is_sealed_opens_in_its_place_only() {
    let ring = ring();
    let sealed = ring.seal(&PLACE, b"token", [1; 24]).unwrap();
    assert_eq!(ring.open(&PLACE, &sealed).unwrap().as_slice(), b"token");
    for other in [
        Place { table: "issuers", ..PLACE },
        Place { column: "description", ..PLACE },
        Place { row: "a/c", ..PLACE },
        // The same bytes with the borders elsewhere.
        Place { table: "clientsa", column: "ccess_token", ..PLACE },
    ] {
        assert_eq!(ring.open(&other, &sealed), Err(OpenError::Tampered), "{other:?}");
    }
}

#[test]
fn every_bit_counts_and_so_does_the_length() {
    let ring = ring();
    let sealed = ring.seal(&PLACE, b"token", [1; 24]).unwrap();
    for byte in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[byte] ^= 1 << bit;
            assert!(ring.open(&PLACE, &changed).is_err(), "byte {byte} bit {bit}");
        }
    }
    for length in 0..sealed.len() {
        assert!(ring.open(&PLACE, &sealed[..length]).is_err(), "cut to {length}");
    }
    assert!(ring.open(&PLACE, &[&sealed[..], b"x"].concat()).is_err());
}

#[test]
fn older_keys_open_and_the_newest_seals() {
    let old = ring();
    let sealed = old.seal(&PLACE, b"token", [1; 24]).unwrap();
    let mut both = old.clone();
    both.push("k2", [8; 32]).unwrap();
    assert_eq!(both.open(&PLACE, &sealed).unwrap().as_slice(), b"token");
    let newer = both.seal(&PLACE, b"token", [2; 24]).unwrap();
    assert_eq!(KeyRing::key_id_of(&newer), Some("k2"));
    assert!(newer.starts_with(&both.current_prefix()));
    assert_eq!(old.open(&PLACE, &newer), Err(OpenError::UnknownKey("k2".into())));
}

#[test]
fn another_key_of_the_same_id_does_not_open() {
    let sealed = ring().seal(&PLACE, b"token", [1; 24]).unwrap();
    let other = KeyRing::from_bytes("k1", [9; 32]).unwrap();
    assert_eq!(other.open(&PLACE, &sealed), Err(OpenError::Tampered));
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?}", KeyRing::from_bytes("k1", *b"0123456789abcdef0123456789abcdef").unwrap());
    assert!(shown.contains("k1") && !shown.contains("48") && !shown.contains("0123"), "{shown}");
}

/// A key of forms that each process drew for itself made no form hold across nodes, or a restart.
#[test]
fn what_is_derived_is_the_same_for_the_same_ring_and_purpose() {
    let forms = ring().derive("forms").unwrap();
    assert_eq!(*forms, *ring().derive("forms").unwrap());
    assert_ne!(*forms, *ring().derive("form").unwrap());
    assert_ne!(*forms, [7; 32]);
    assert_ne!(*forms, *KeyRing::from_bytes("k1", [8; 32]).unwrap().derive("forms").unwrap());
    let mut both = ring();
    both.push("k2", [8; 32]).unwrap();
    assert_ne!(*forms, *both.derive("forms").unwrap());
    assert_eq!(both.derive_each("forms"), [both.derive("forms").unwrap(), forms], "what the one before has made counts");
}
