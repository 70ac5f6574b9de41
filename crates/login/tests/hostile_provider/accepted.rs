//! The same sign-in where it is as it should be: so that the hostile cases fail for their reason and not for another.

use falconer_login::LoginError;
use falconer_login::ProviderSignInError;
use serde_json::{Value, json};

use crate::provider::{ACCESS_TOKEN, CLIENT_ID, Case, Company, ISSUER, NOW};
use crate::signing::{Signer, text};

/// What is changed, under its name.
type Accepted = (&'static str, fn(&mut Case));

const ACCEPTED: &[Accepted] = &[
    ("as it is", |_| ()),
    ("PS256", |c| signed(c, "PS256", "rsa", Signer::Ps256)),
    ("ES256", |c| signed(c, "ES256", "p256", Signer::Es256)),
    ("ES384", |c| signed(c, "ES384", "p384", Signer::Es384)),
    ("EdDSA", |c| signed(c, "EdDSA", "ed", Signer::EdDsa)),
    ("no kind of token", |c| c.header = json!({"alg": "RS256", "kid": "rsa"})),
    ("no key named, and one that fits", |c| c.header = json!({"alg": "RS256"})),
    ("keys that are for other things beside it", |c| {
        let others =
            [json!({"kty": "oct", "kid": "rsa", "k": "YQ"}), json!({"kty": "RSA", "use": "enc", "kid": "rsa", "n": "YQ", "e": "AQAB"})];
        c.keys["keys"].as_array_mut().unwrap().extend(others);
    }),
    ("a provider that says nothing of algorithms", |c| c.discovery["id_token_signing_alg_values_supported"] = Value::Null),
    ("a list of one audience", |c| c.claim("aud", json!([CLIENT_ID]))),
    ("several audiences, and this client asked", |c| {
        c.claim("aud", json!(["api", CLIENT_ID]));
        c.claim("azp", json!(CLIENT_ID));
    }),
    ("an end 59 seconds ago", |c| c.claim("exp", json!(NOW - 59))),
    ("issued in 60 seconds", |c| c.claim("iat", json!(NOW + 60))),
    ("times that are no whole seconds", |c| c.claim("exp", json!(300.5 + 1_767_225_600.0))),
    ("the access token that it was issued with", |c| {
        let hash = ring::digest::digest(&ring::digest::SHA256, ACCESS_TOKEN.as_bytes());
        c.claim("at_hash", json!(text(&hash.as_ref()[..16])));
    }),
    ("a callback that does not name the issuer", |c| c.callback.issuer = None),
    ("14 minutes later", |c| {
        c.later_ms = 14 * 60_000;
        c.claim("exp", json!(NOW + 3600));
    }),
    // The address was lost where it came from there alone, because its first half was taken for one of the ID token.
    ("everything but the subject from the userinfo endpoint", |c| {
        c.userinfo = c.claims.clone();
        for name in ["name", "email", "email_verified", "https://example.com/claims"] {
            c.claim(name, Value::Null);
        }
    }),
    ("a cookie of another sign-in beside it", |c| c.cookies.insert(0, c.of_somebody_else.0.clone())),
];

fn signed(case: &mut Case, algorithm: &str, key: &str, signer: Signer) {
    case.header = json!({"alg": algorithm, "kid": key});
    case.signer = signer;
}

#[tokio::test]
async fn what_is_right_is_accepted() {
    for (name, change) in ACCEPTED {
        let company = Company::new().await;
        let inbound = company.sign_in(*change).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(inbound.next, "/?a=b", "{name}");
        assert_eq!(inbound.signed_in.session.person.identity, "company/you", "{name}");
        let record = company.world.auth.directory().identity("company/you").unwrap().record.clone();
        let scopes = [
            "assume:login-identity:company/you",
            "assume:everybody",
            "assume:mozilla-user:you@example.com",
            "assume:mozilla-group:hr",
            "assume:mozilla-group:web",
        ];
        assert_eq!(record.scopes, scopes, "{name}");
        assert!(record.email_verified && record.display_name == "You", "{name}");
    }
}

/// Addresses that are not proved, or are another one than the one that was.
const UNPROVED: &[Accepted] = &[
    ("from the userinfo endpoint, which proves nothing of it", |c| {
        c.claim("email", Value::Null);
        c.userinfo = json!({"sub": "you", "email": "you@example.com"});
    }),
    ("not verified", |c| c.claim("email_verified", json!(false))),
    ("nobody says whether it was", |c| c.claim("email_verified", Value::Null)),
    ("with a star at its end", |c| c.claim("email", json!("you@example.com*"))),
    ("two halves of a statement", |c| {
        c.claim("email_verified", Value::Null);
        c.userinfo = json!({"sub": "you", "email": "mine@example.com", "email_verified": true});
    }),
    ("not verified at the userinfo endpoint", |c| {
        c.claim("email", Value::Null);
        c.claim("email_verified", Value::Null);
        c.userinfo = json!({"sub": "you", "email": "you@example.com", "email_verified": false});
    }),
    ("verified, and none", |c| c.claim("email", Value::Null)),
    ("verified, and empty", |c| c.claim("email", json!(""))),
    ("two of them in one", |c| c.claim("email", json!("other@example.com,you@example.com"))),
    ("with a line behind it", |c| c.claim("email", json!("you@example.com\nother"))),
    ("with a zero behind it", |c| c.claim("email", json!("you@example.com\0"))),
    ("with a parameter in it", |c| c.claim("email", json!("<..>@example.com"))),
    ("with a letter that looks like another", |c| c.claim("email", json!("yоu@example.com"))),
];

/// Each of them is somebody, but not the owner of the address.
#[tokio::test]
async fn an_address_that_is_not_proved_gives_nothing() {
    for (name, change) in UNPROVED {
        let company = Company::new().await;
        company.sign_in(*change).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let record = company.world.auth.directory().identity("company/you").unwrap().record.clone();
        assert!(!record.scopes.iter().any(|scope| scope.contains("mozilla-user")), "{name}: {:?}", record.scopes);
        assert!(record.scopes.contains(&"assume:mozilla-group:hr".to_owned()), "{name}");
    }
    assert!(UNPROVED.len() >= 13);
}

/// What was true at the last sign-in counts no more.
#[tokio::test]
async fn a_group_and_an_address_that_are_lost_go_with_the_next_sign_in() {
    let company = Company::new().await;
    company.sign_in(|_| ()).await.unwrap();
    let changed = |c: &mut Case| {
        c.claim("email", json!("other@example.com"));
        c.claim("https://example.com/claims", json!({"groups": ["web"]}));
    };
    company.sign_in(changed).await.unwrap();
    let scopes = company.world.auth.directory().identity("company/you").unwrap().record.scopes.clone();
    assert_eq!(scopes[2..], ["assume:mozilla-user:other@example.com", "assume:mozilla-group:web"]);
}

/// Keys are read anew for a token that names a new one, once a minute at most.
#[tokio::test]
async fn keys_rotate() {
    let company = Company::new().await;
    company.sign_in(|_| ()).await.unwrap();
    let rotated = |c: &mut Case| {
        c.header["kid"] = json!("new");
        c.key("kid", json!("new"));
        c.later_ms = 60_000;
        c.claim("exp", json!(NOW + 3600));
    };
    company.sign_in(rotated).await.unwrap();
    let readings = || company.answers.requests.lock().unwrap().iter().filter(|path| *path == "/keys").count();
    assert_eq!(readings(), 2);
    let unknown = |c: &mut Case| {
        c.header["kid"] = json!("nobody's");
        c.claim("exp", json!(NOW + 3600));
    };
    for _ in 0..5 {
        company.sign_in(unknown).await.err().unwrap();
    }
    assert_eq!(readings(), 2);
}

/// A provider that does not answer is asked once, and then left alone for some seconds; nobody gains anything, and it works again afterwards.
#[tokio::test]
async fn a_provider_that_is_away() {
    let company = Company::new().await;
    let away = |c: &mut Case| c.answer("openid-configuration", Err(falconer_login::http::HttpError::TooSlow));
    for _ in 0..5 {
        company.sign_in(away).await.err().unwrap();
    }
    assert_eq!(company.answers.requests.lock().unwrap().len(), 1);
    company.world.clock.advance(5000);
    company.sign_in(|_| ()).await.unwrap();
    assert_eq!(company.answers.requests.lock().unwrap()[1], "/.well-known/openid-configuration");
    assert!(ISSUER.starts_with("https"));
}

/// Each sign-in that comes to nothing costs the provider a question: one network does not ask without end.
#[tokio::test]
async fn sign_ins_that_come_to_nothing_are_counted() {
    let company = Company::new().await;
    let mut answers = Vec::new();
    for _ in 0..102 {
        answers.push(company.sign_in(|c| c.callback.code = Some("made-up".into())).await.err().unwrap());
    }
    assert!(matches!(answers[99], ProviderSignInError::Provider(_)), "{:?}", answers[99]);
    assert!(matches!(answers[101], ProviderSignInError::Login(LoginError::Throttled { .. })), "{:?}", answers[101]);
}

/// What a provider said counts for `identity.max_age`, and what was granted with it too.
#[tokio::test]
async fn what_a_provider_said_ends() {
    let company = Company::new().await;
    company.sign_in(|_| ()).await.unwrap();
    let may = |scope: &str| company.world.auth.person_scopes("company/you").is_some_and(|scopes| scopes.iter().any(|held| held == scope));
    assert!(may("assume:mozilla-group:hr"));
    company.world.clock.advance(7 * 86_400_000);
    assert!(may("assume:mozilla-group:hr"));
    company.world.clock.advance(1);
    assert!(!may("assume:mozilla-group:hr") && !may("assume:everybody"));
    let later = |c: &mut Case| {
        c.claim("iat", json!(NOW + 7 * 86_400));
        c.claim("exp", json!(NOW + 7 * 86_400 + 300));
    };
    company.sign_in(later).await.unwrap();
    assert!(may("assume:mozilla-group:hr"));
}

/// A sign-in is as fresh as the last time at which the provider asked for a password, in the ID token: what the userinfo endpoint adds is not signed.
#[tokio::test]
async fn when_somebody_proved_to_be_there() {
    const NOW_MS: i64 = NOW * 1000;
    let cases: [(Accepted, i64); 5] = [
        (("not said", |_| ()), 0),
        (("said by the userinfo endpoint", |c| c.userinfo["auth_time"] = json!(NOW)), 0),
        (("just now", |c| c.claim("auth_time", json!(NOW))), NOW_MS),
        (("a clock that is ahead", |c| c.claim("auth_time", json!(NOW + 60))), NOW_MS),
        (("this morning", |c| c.claim("auth_time", json!(NOW - 4 * 3600))), NOW_MS - 4 * 3_600_000),
    ];
    for ((name, change), proved_ms) in cases {
        let company = Company::new().await;
        let session = company.sign_in(change).await.unwrap().signed_in.session;
        assert_eq!(session.proved_ms, proved_ms, "{name}");
        assert_eq!(company.world.login.is_fresh(&session), proved_ms == NOW_MS, "{name}");
    }
}
