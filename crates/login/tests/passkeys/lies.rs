//! What browsers and authenticators may say that is not so: nobody is signed in, and nothing is registered.

use super::*;

/// What it is, what is changed, and what comes of it.
type Case<T> = (&'static str, fn(&mut Says), T);

/// What must not sign anybody in: the name of the case, how the answer differs from an honest one, the reason.
fn lies_at_sign_in() -> Vec<Case<PasskeyError>> {
    vec![
        ("a registration's answer", |s| s.kind = "webauthn.create".into(), PasskeyError::WrongType),
        ("a payment", |s| s.kind = "payment.get".into(), PasskeyError::WrongType),
        ("another site", |s| s.origin = "https://evil.example".into(), PasskeyError::WrongOrigin),
        ("another port", |s| s.origin = "https://auth.example.com:8443".into(), PasskeyError::WrongOrigin),
        ("another scheme", |s| s.origin = "http://auth.example.com".into(), PasskeyError::WrongOrigin),
        ("a host below", |s| s.origin = "https://evil.auth.example.com".into(), PasskeyError::WrongOrigin),
        ("a longer host", |s| s.origin = "https://auth.example.com.evil.example".into(), PasskeyError::WrongOrigin),
        ("no origin", |s| s.origin = String::new(), PasskeyError::WrongOrigin),
        ("framed", |s| s.more = r#","crossOrigin":true"#.into(), PasskeyError::CrossOrigin),
        ("framed by somebody", |s| s.more = r#","topOrigin":"https://evil.example""#.into(), PasskeyError::CrossOrigin),
        ("another challenge", |s| s.challenge = Some("c".repeat(43)), PasskeyError::NotBegunHere),
        ("no challenge", |s| s.challenge = Some(String::new()), PasskeyError::NotBegunHere),
        ("no ceremony", |s| s.ceremony = Some(String::new()), PasskeyError::NotBegunHere),
        ("a ceremony without a time", |s| s.ceremony = Some(".x".into()), PasskeyError::NotBegunHere),
        ("a long ceremony", |s| s.ceremony = Some("1.".repeat(500)), PasskeyError::NotBegunHere),
        ("another relying party", |s| s.relying_party = "evil.example".into(), PasskeyError::WrongRelyingParty),
        ("the parent domain", |s| s.relying_party = "example.com".into(), PasskeyError::WrongRelyingParty),
        ("an origin as relying party", |s| s.relying_party = authenticator::ORIGIN.into(), PasskeyError::WrongRelyingParty),
        ("nobody there", |s| s.flags = USER_VERIFIED, PasskeyError::NotPresent),
        ("nobody verified", |s| s.flags = USER_PRESENT, PasskeyError::NotVerified),
        ("no flag", |s| s.flags = 0, PasskeyError::NotPresent),
        ("a backup that can't be", |s| s.flags |= 0x10, PasskeyError::WrongBackup),
        ("with a key", |s| s.flags |= ATTESTED, PasskeyError::WrongKeyFlag),
        ("an unknown credential", |s| s.id = b"nobody's".to_vec(), PasskeyError::Unknown),
        ("no credential", |s| s.id = Vec::new(), PasskeyError::Unknown),
        ("another person's user handle", |s| s.user = Some(user("bob")), PasskeyError::WrongUser),
        ("no user handle", |s| s.user = Some(String::new()), PasskeyError::WrongUser),
        ("another key", |s| s.signer = Kind::EdDsa, PasskeyError::WrongSignature),
        ("an RSA signature", |s| s.signer = Kind::Rs256, PasskeyError::WrongSignature),
        ("no signature", |s| s.signature = |_| Vec::new(), PasskeyError::WrongSignature),
        (
            "a changed signature",
            |s| {
                s.signature = |mut bytes| {
                    bytes[9] ^= 1;
                    bytes
                }
            },
            PasskeyError::WrongSignature,
        ),
        ("a counter that stands still", |s| s.counter = 7, PasskeyError::Counter),
        ("a counter that goes back", |s| s.counter = 6, PasskeyError::Counter),
        ("a counter that stops counting", |s| s.counter = 0, PasskeyError::Counter),
        ("a long signature", |s| s.signature = |_| vec![0; 2000], PasskeyError::TooLarge("signature")),
        ("a long id", |s| s.id = vec![1; 1100], PasskeyError::TooLarge("id")),
        ("much client data", |s| s.more = format!(r#","x":"{}""#, "x".repeat(5000)), PasskeyError::TooLarge("client data")),
        ("much authenticator data", |s| s.trailing = vec![0; 3000], PasskeyError::TooLarge("authenticator data")),
    ]
}

/// The same where a part can't be read; the part is named.
fn nonsense_at_sign_in() -> Vec<Case<&'static str>> {
    vec![
        ("a type twice", |s| s.more = r#","type":"webauthn.get""#.into(), "client data"),
        ("an origin twice", |s| s.more = r#","origin":"https://evil.example""#.into(), "client data"),
        ("no JSON", |s| s.more = "}".into(), "client data"),
        ("crossOrigin as text", |s| s.more = r#","crossOrigin":"false""#.into(), "client data"),
        ("bytes behind", |s| s.trailing = vec![0xa0], "authenticator data"),
        ("extensions that are missing", |s| s.flags |= EXTENSIONS, "extensions"),
        ("extensions that are no map", |s| (s.flags, s.trailing) = (s.flags | EXTENSIONS, vec![0x80]), "extensions"),
        ("extensions that end early", |s| (s.flags, s.trailing) = (s.flags | EXTENSIONS, vec![0xa1, 0x61]), "extensions"),
        (
            "extensions that promise much",
            |s| (s.flags, s.trailing) = (s.flags | EXTENSIONS, vec![0xbb, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
            "extensions",
        ),
        ("deep extensions", |s| (s.flags, s.trailing) = (s.flags | EXTENSIONS, vec![0x81; 1500]), "extensions"),
        ("two maps", |s| (s.flags, s.trailing) = (s.flags | EXTENSIONS, vec![0xa0, 0xa0]), "authenticator data"),
    ]
}

#[tokio::test]
async fn no_lie_signs_anybody_in() {
    let (world, _) = with_passkey().await;
    world.person("bob", &[], &[]).await;
    Says::to_sign_in(Kind::Es256, ID, 7).sign_in(&world, COOKIE).await.unwrap();
    let mut tried = 0;
    for (case, lie, reason) in lies_at_sign_in() {
        let mut says = Says::to_sign_in(Kind::Es256, ID, 8);
        lie(&mut says);
        assert_eq!(says.sign_in(&world, COOKIE).await.err(), Some(reason), "{case}");
        tried += 1;
    }
    for (case, lie, part) in nonsense_at_sign_in() {
        let mut says = Says::to_sign_in(Kind::Es256, ID, 8);
        lie(&mut says);
        let refused = says.sign_in(&world, COOKIE).await.err();
        assert!(matches!(&refused, Some(PasskeyError::Malformed { what, .. }) if *what == part), "{case}: {refused:?}");
        tried += 1;
    }
    assert_eq!(tried, 49);
    // None of it has changed anything: the honest answer still counts, with extensions too.
    let mut honest = Says::to_sign_in(Kind::Es256, ID, 8);
    (honest.flags, honest.trailing) = (honest.flags | EXTENSIONS, vec![0xa0]);
    honest.sign_in(&world, COOKIE).await.unwrap();
}

/// The same at registration.
fn lies_at_registration() -> Vec<Case<PasskeyError>> {
    fn set(says: &mut Says, label: i64, value: Value) {
        let place = says.key.iter_mut().find(|(name, _)| *name == Value::from(label)).unwrap();
        place.1 = value;
    }
    let wrong = PasskeyError::WrongKey;
    vec![
        ("a sign-in's answer", |s| s.kind = "webauthn.get".into(), PasskeyError::WrongType),
        ("another site", |s| s.origin = "https://evil.example".into(), PasskeyError::WrongOrigin),
        ("framed", |s| s.more = r#","crossOrigin":true"#.into(), PasskeyError::CrossOrigin),
        ("another challenge", |s| s.challenge = Some("c".repeat(43)), PasskeyError::NotBegunHere),
        ("another relying party", |s| s.relying_party = "evil.example".into(), PasskeyError::WrongRelyingParty),
        ("nobody there", |s| s.flags &= !USER_PRESENT, PasskeyError::NotPresent),
        ("nobody verified", |s| s.flags &= !USER_VERIFIED, PasskeyError::NotVerified),
        ("no key", |s| s.flags &= !ATTESTED, PasskeyError::WrongKeyFlag),
        ("another id", |s| s.outer_id = Some(b"another".to_vec()), PasskeyError::WrongId),
        ("a long id", |s| s.id = vec![1; 1024], PasskeyError::TooLarge("id")),
        ("a taken id", |s| s.id = ID.to_vec(), PasskeyError::Login(LoginError::Conflict("This passkey is registered already.".into()))),
        ("an oversized attestation", |s| s.attestation = |_| vec![0xa0; 17_000], PasskeyError::TooLarge("attestation object")),
        ("ES384", |s| set(s, 3, (-35).into()), PasskeyError::UnknownAlgorithm(-35)),
        ("no algorithm of signatures", |s| set(s, 3, 5.into()), PasskeyError::UnknownAlgorithm(5)),
        ("RS1", |s| set(s, 3, (-65535).into()), PasskeyError::UnknownAlgorithm(-65535)),
        ("a name as algorithm", |s| set(s, 3, "ES256".into()), wrong("a parameter is no number")),
        ("another type of key", |s| set(s, 1, 3.into()), wrong("it is of another type or curve")),
        ("another curve", |s| set(s, -1, 2.into()), wrong("it is of another type or curve")),
        ("a short coordinate", |s| set(s, -2, vec![1; 31].into()), wrong("a parameter has another length")),
        ("a compressed point", |s| set(s, -3, true.into()), wrong("a parameter has another length")),
        ("a coordinate missing", |s| s.key.truncate(4), wrong("a parameter is missing")),
        ("a parameter twice", |s| s.key.push((3.into(), (-8).into())), wrong("a parameter is there twice")),
        ("an empty key", |s| s.key.clear(), wrong("a parameter is missing")),
        (
            "a key of EdDSA for ES256",
            |s| {
                s.key = Kind::EdDsa.key();
                set(s, 3, (-7).into())
            },
            wrong("it is of another type or curve"),
        ),
        (
            "a short RSA key",
            |s| {
                s.key = Kind::Rs256.key();
                set(s, -1, vec![0xff; 128].into())
            },
            wrong("a parameter has another length"),
        ),
        (
            "a huge RSA key",
            |s| {
                s.key = Kind::Rs256.key();
                set(s, -1, vec![0xff; 2048].into())
            },
            wrong("a parameter has another length"),
        ),
        (
            "no name",
            |s| s.label = " ".into(),
            PasskeyError::Login(LoginError::Invalid("Give the passkey a name, 100 characters at most.".into())),
        ),
    ]
}

fn nonsense_at_registration() -> Vec<Case<&'static str>> {
    vec![
        ("no CBOR", |s| s.attestation = |_| vec![0xff], "attestation object"),
        ("no map", |s| s.attestation = |_| vec![0x80], "attestation object"),
        (
            "cut off",
            |s| {
                s.attestation = |mut bytes| {
                    bytes.pop();
                    bytes
                }
            },
            "attestation object",
        ),
        (
            "something behind",
            |s| {
                s.attestation = |mut bytes| {
                    bytes.push(0);
                    bytes
                }
            },
            "attestation object",
        ),
        ("an empty map", |s| s.attestation = |_| vec![0xa0], "attestation object"),
        ("authenticator data twice", |s| s.attestation = |_| twice(), "attestation object"),
        ("a map that promises much", |s| s.attestation = |_| vec![0xbb, 0x7f, 255, 255, 255, 255, 255, 255, 255], "attestation object"),
        ("bytes that promise much", |s| s.attestation = |_| vec![0x5b, 0, 0, 0, 0, 255, 255, 255, 255], "attestation object"),
        ("deep", |s| s.attestation = |_| vec![0x81; 16_000], "attestation object"),
        ("bytes behind the key", |s| s.trailing = vec![0], "authenticator data"),
        ("an empty id", |s| s.id = Vec::new(), "authenticator data"),
    ]
}

fn twice() -> Vec<u8> {
    let data = || (Value::from("authData"), Value::Bytes(vec![0; 37]));
    bytes_of(&Value::Map(vec![data(), data(), ("fmt".into(), "none".into()), ("attStmt".into(), Value::Map(vec![]))]))
}

#[tokio::test]
async fn no_lie_is_registered() {
    let (world, ann) = with_passkey().await;
    let mut tried = 0;
    for (case, lie, reason) in lies_at_registration() {
        let mut says = Says::to_register(Kind::Es256, b"new");
        lie(&mut says);
        assert_eq!(says.register(&world, &ann).await, Err(reason), "{case}");
        tried += 1;
    }
    for (case, lie, part) in nonsense_at_registration() {
        let mut says = Says::to_register(Kind::Es256, b"new");
        lie(&mut says);
        let refused = says.register(&world, &ann).await;
        assert!(matches!(&refused, Err(PasskeyError::Malformed { what, .. }) if *what == part), "{case}: {refused:?}");
        tried += 1;
    }
    assert_eq!(tried, 38);
    assert_eq!(world.login.passkeys("ann").await.unwrap().len(), 1);
    for n in 1..20 {
        Says::to_register(Kind::Es256, &[n; 16]).register(&world, &ann).await.unwrap();
    }
    let more = Says::to_register(Kind::Es256, b"new").register(&world, &ann).await;
    assert_eq!(more, Err(PasskeyError::TooMany(20)));
}
