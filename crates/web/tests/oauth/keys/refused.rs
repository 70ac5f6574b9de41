//! What is no proof, as a table of requests that are wrong in one way each. None is taken, and none uses anything up.

use super::{CALLBACK, INTROSPECT, ISSUER, TYPE, World, by, header, row};
use crate::dpop::{Holder, base64url};
use crate::site::applications::{Fields, SECRET, fields};
use crate::site::with;
use falconer_credentials::AssertionFault;
use http::StatusCode;
use ring::hmac;
use serde_json::{Value, json};

const CLIENT: (u16, &str) = (401, "invalid_client");
const REQUEST: (u16, &str) = (400, "invalid_request");

/// What is wrong.
enum Wrong {
    Header(fn(&mut Value)),
    /// It is told the server's time in seconds, too.
    Claims(fn(&mut Value, i64)),
    /// The assertion, signature and all.
    Text(fn(&World, &str) -> String),
    /// Parameters: as [`with`] takes them, and further ones.
    Sent(&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]),
    /// In the header `Authorization: Basic`.
    Basic(&'static str),
}

use Wrong::{Basic, Claims, Header, Sent, Text};

/// The section, what is tried, what is wrong, status and error.
const CASES: [(&str, &str, Wrong, (u16, &str)); 51] = [
    ("RFC 7521 4.2", "no `client_assertion_type`", Sent(&[("client_assertion_type", "")], &[]), REQUEST),
    ("RFC 7521 4.2", "no `client_assertion`", Sent(&[("client_assertion", "")], &[]), REQUEST),
    (
        "RFC 7521 4.2",
        "`client_assertion_type` of SAML",
        Sent(&[("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")], &[]),
        CLIENT,
    ),
    ("RFC 6749 3.2", "`client_assertion_type` twice", Sent(&[], &[("client_assertion_type", TYPE)]), REQUEST),
    ("RFC 6749 3.2", "`client_assertion` twice", Sent(&[], &[("client_assertion", "x.y.z")]), REQUEST),
    ("RFC 6749 2.3", "a secret beside the assertion", Sent(&[], &[("client_id", "keyed"), ("client_secret", "x")]), REQUEST),
    ("RFC 6749 2.3", "the header of a secret beside the assertion", Basic("keyed:x"), REQUEST),
    ("RFC 6749 2.3", "the header of a public application beside the assertion", Basic("keyed:"), REQUEST),
    ("RFC 7521 4.2", "`client_id` of another application beside the assertion", Sent(&[], &[("client_id", "server")]), REQUEST),
    (
        "OpenID Core 9",
        "neither an assertion nor a secret",
        Sent(&[("client_assertion", ""), ("client_assertion_type", "")], &[("client_id", "keyed")]),
        CLIENT,
    ),
    (
        "OpenID Core 9",
        "a secret in place of the assertion",
        Sent(&[("client_assertion", ""), ("client_assertion_type", "")], &[("client_id", "keyed"), ("client_secret", SECRET)]),
        CLIENT,
    ),
    (
        "RFC 7523 3",
        "`alg`: `none`, without a signature",
        Text(|world, _| unsigned(&json!({"alg": "none", "kid": "a"}), &world.claims())),
        CLIENT,
    ),
    ("RFC 7523 3", "`alg`: `none`, with the signature", Header(|header| header["alg"] = "none".into()), CLIENT),
    ("RFC 7523 3", "`alg`: `HS256` by the public key", Text(|world, _| by_hmac(world, &world.keys[0].jwk().to_string())), CLIENT),
    ("RFC 7523 3", "`alg`: `HS256` by the `client_id`", Text(|world, _| by_hmac(world, "keyed")), CLIENT),
    ("RFC 7523 3", "`alg` is not that of the key", Header(|header| header["alg"] = "ES384".into()), CLIENT),
    ("RFC 7523 3", "`alg` is in small letters", Header(|header| header["alg"] = "es256".into()), CLIENT),
    ("RFC 7523 3", "`alg` is missing", Header(|header| without(header, "alg")), CLIENT),
    ("RFC 7515 4.1.11", "`crit`", Header(|header| header["crit"] = json!(["exp"])), CLIENT),
    ("RFC 8725 3.11", "`typ` of a DPoP proof", Header(|header| header["typ"] = "dpop+jwt".into()), CLIENT),
    ("RFC 7515 4.1.4", "`kid` of no key", Header(|header| header["kid"] = "c".into()), CLIENT),
    ("RFC 7515 4.1.4", "`kid` of the other key", Header(|header| header["kid"] = "b".into()), CLIENT),
    ("RFC 7515 4.1.4", "no `kid`, where two keys fit", Header(|header| without(header, "kid")), CLIENT),
    ("RFC 7515 4.1.3", "`jwk` of another key, which has signed", Text(|world, _| by_its_own_key(world)), CLIENT),
    ("RFC 7523 3", "the key of somebody else", Text(|world, _| Holder::new().signed(&header(), &world.claims())), CLIENT),
    (
        "RFC 7523 3",
        "the signature of another assertion",
        Text(|world, sent| format!("{}.{}", message(sent), signature(&world.assertion()))),
        CLIENT,
    ),
    (
        "RFC 7523 3",
        "other claims under the signature",
        Text(|world, sent| format!("{}.{}", message(&world.assertion()), signature(sent))),
        CLIENT,
    ),
    ("RFC 7523 3", "no signature", Text(|_, sent| format!("{}.", message(sent))), CLIENT),
    ("RFC 7523 3", "two parts", Text(|_, sent| message(sent).to_owned()), CLIENT),
    ("RFC 7523 3", "four parts", Text(|_, sent| format!("{sent}.x")), CLIENT),
    ("RFC 7523 3", "base64 with padding", Text(|_, sent| format!("{sent}==")), CLIENT),
    ("RFC 7523 3", "no JWT", Text(|_, _| "secret".to_owned()), CLIENT),
    ("RFC 7523 3", "longer than 4 KiB", Claims(|claims, _| claims["more"] = "x".repeat(3072).into()), CLIENT),
    ("RFC 7523 3", "`iss` is missing", Claims(|claims, _| without(claims, "iss")), CLIENT),
    ("RFC 7523 3", "`sub` is missing", Claims(|claims, _| without(claims, "sub")), CLIENT),
    ("RFC 7523 3", "`iss` is another than `sub`", Claims(|claims, _| claims["iss"] = "server".into()), CLIENT),
    ("RFC 7523 3", "`sub` is another than `iss`", Claims(|claims, _| claims["sub"] = "server".into()), CLIENT),
    (
        "RFC 7523 3",
        "both are another application",
        Claims(|claims, _| (claims["iss"], claims["sub"]) = ("other-keyed".into(), "other-keyed".into())),
        CLIENT,
    ),
    (
        "RFC 7523 3",
        "both are a public application",
        Claims(|claims, _| (claims["iss"], claims["sub"]) = ("page".into(), "page".into())),
        CLIENT,
    ),
    ("RFC 7523 3", "both are nobody", Claims(|claims, _| (claims["iss"], claims["sub"]) = ("nobody".into(), "nobody".into())), CLIENT),
    ("RFC 7523 3", "`aud` is missing", Claims(|claims, _| without(claims, "aud")), CLIENT),
    ("RFC 7523 3", "`aud` is another server", Claims(|claims, _| claims["aud"] = "https://other.example.com".into()), CLIENT),
    ("RFC 7523 3", "`aud` is another endpoint", Claims(|claims, _| claims["aud"] = format!("{ISSUER}/login/oauth/par").into()), CLIENT),
    ("RFC 7523 3", "`aud` is spelled otherwise", Claims(|claims, _| claims["aud"] = format!("{ISSUER}/").into()), CLIENT),
    (
        "RFC 7523 3",
        "`aud` is this server among others",
        Claims(|claims, _| claims["aud"] = json!([ISSUER, "https://other.example.com"])),
        CLIENT,
    ),
    ("RFC 7523 3", "`aud` is an empty list", Claims(|claims, _| claims["aud"] = json!([])), CLIENT),
    ("RFC 7523 3", "`exp` is missing, or no number", Claims(|claims, _| claims["exp"] = "tomorrow".into()), CLIENT),
    ("RFC 7523 3", "`exp` is now", Claims(|claims, now| claims["exp"] = now.into()), CLIENT),
    (
        "RFC 7523 3",
        "`exp` is more than 5 minutes and the difference of clocks ahead, without `iat`",
        Claims(|claims, now| {
            without(claims, "iat");
            claims["exp"] = (now + 361).into();
        }),
        CLIENT,
    ),
    (
        "RFC 7523 3",
        "`iat` is 5 minutes ago, with `exp` ahead",
        Claims(|claims, now| (claims["iat"], claims["exp"]) = ((now - 300).into(), (now + 3600).into())),
        CLIENT,
    ),
    ("RFC 7523 3", "`jti` is missing", Claims(|claims, _| without(claims, "jti")), CLIENT),
];

/// The value of a claim, given the server's time in seconds.
type OfTime = fn(i64) -> Value;

/// The same of single claims.
const VALUES: [(&str, &str, &str, OfTime); 5] = [
    ("RFC 7523 3", "`jti` is empty", "jti", |_| "".into()),
    ("RFC 7523 3", "`jti` has more than 256 bytes", "jti", |_| "x".repeat(257).into()),
    ("RFC 7523 3", "`nbf` is ahead", "nbf", |now| (now + 61).into()),
    ("RFC 7523 3", "`iat` is ahead", "iat", |now| (now + 61).into()),
    ("RFC 7523 3", "`exp` was before 1970", "exp", |_| json!(-1e300)),
];

pub fn rows() -> Vec<(String, String, String)> {
    let written =
        |section: &str, what: &str, (status, error): (u16, &str)| (section.to_owned(), what.to_owned(), format!("{status} `{error}`"));
    let cases = CASES.iter().map(|(section, what, _, expected)| written(section, what, *expected));
    cases.chain(VALUES.iter().map(|(section, what, _, _)| written(section, what, CLIENT))).collect()
}

fn without(json: &mut Value, name: &str) {
    json.as_object_mut().unwrap().remove(name);
}

fn message(assertion: &str) -> &str {
    assertion.rsplit_once('.').unwrap().0
}

fn signature(assertion: &str) -> &str {
    assertion.rsplit_once('.').unwrap().1
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}.", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()))
}

fn by_hmac(world: &World, key: &str) -> String {
    let text = unsigned(&json!({"alg": "HS256", "kid": "a"}), &world.claims());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message(&text).as_bytes());
    format!("{text}{}", base64url(tag.as_ref()))
}

fn by_its_own_key(world: &World) -> String {
    let own = Holder::new();
    own.signed(&json!({"alg": "ES256", "jwk": own.jwk()}), &world.claims())
}

fn sent_with(world: &World, wrong: &Wrong) -> (Fields, Option<&'static str>) {
    let (mut header, mut claims) = (header(), world.claims());
    match wrong {
        Header(change) => change(&mut header),
        Claims(change) => change(&mut claims, world.now_seconds()),
        Text(_) | Sent(..) | Basic(_) => {}
    }
    let assertion = world.keys[0].signed(&header, &claims);
    let good = by(&assertion, &[("token", "x")]);
    match wrong {
        Header(_) | Claims(_) => (good, None),
        Text(change) => (by(&change(world, &assertion), &[("token", "x")]), None),
        Sent(changes, more) => {
            let mut sent = with(good, changes);
            sent.extend(fields(more));
            (sent, None)
        }
        Basic(text) => (good, Some(text)),
    }
}

#[tokio::test]
async fn what_is_no_proof_is_none() {
    let world = World::new().await;
    world.put("other-keyed", &[Holder::new().jwk()]).await;
    for (_, what, wrong, (status, error)) in &CASES {
        let (sent, basic) = sent_with(&world, wrong);
        let basic = basic.map(|text| {
            use base64::Engine as _;
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
        });
        let answer = world.site.application(INTROSPECT, &sent, basic.as_deref()).await;
        assert_eq!(answer.oauth_error(), (*status, (*error).to_owned()), "{what}: {}", answer.text);
    }
    for (_, what, name, value) in VALUES {
        let mut claims = world.claims();
        claims[name] = value(world.now_seconds());
        let answer = world.introspects(&world.signed(&claims)).await;
        assert_eq!(answer.oauth_error(), (CLIENT.0, CLIENT.1.to_owned()), "{what}: {}", answer.text);
    }
    let answer = world.introspects(&world.assertion()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let world = World::new().await;
    let replayed = async |assertion: &str, what: &str| {
        let answer = world.introspects(assertion).await;
        let expected = json!({"error": "invalid_client", "error_description": AssertionFault::Replayed.to_string()});
        assert_eq!((answer.status, answer.json()), (StatusCode::UNAUTHORIZED, expected), "{what}");
    };
    let assertion = world.assertion();
    assert_eq!(world.introspects(&assertion).await.status, StatusCode::OK);
    replayed(&assertion, row("`jti`: one assertion twice at one endpoint")).await;
    let revoked = world.assertion();
    assert_eq!(world.site.application("/login/oauth/revoke", &by(&revoked, &[("token", "x")]), None).await.status, StatusCode::OK);
    replayed(&revoked, row("`jti`: one assertion at two endpoints")).await;
    let mut claims = world.claims();
    claims["jti"] = "chosen".into();
    assert_eq!(world.introspects(&world.signed(&claims)).await.status, StatusCode::OK);
    claims["exp"] = (world.now_seconds() + 90).into();
    replayed(&world.signed(&claims), row("`jti`: the same with other claims")).await;
    let other = Holder::new();
    world.put("other-keyed", &[other.jwk()]).await;
    (claims["iss"], claims["sub"]) = ("other-keyed".into(), "other-keyed".into());
    let answer = world.introspects(&other.signed(&json!({"alg": "ES256"}), &claims)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", row("`jti`: the same of another application"));
}

#[tokio::test]
async fn of_64_requests_with_one_assertion_one_is_known() {
    let world = World::new().await;
    let assertion = world.assertion();
    let answers = futures_util::future::join_all((0..64).map(|_| world.introspects(&assertion))).await;
    let known = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(known, 1, "{}", row("`jti`: 64 times at once"));
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK || answer.status == StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn each_application_has_one_way_to_prove_itself() {
    let world = World::new().await;
    // It had a secret before it had keys.
    let without = super::keyed(&[]);
    let before = world.site.web.grants.put_application(&super::admin(), "later", &without, None).await.unwrap();
    let secret = before.secret.unwrap();
    let by_secret = fields(&[("client_id", "later"), ("client_secret", secret.expose()), ("token", "x")]);
    assert_eq!(world.site.application(INTROSPECT, &by_secret, None).await.status, StatusCode::OK);
    let put = world.site.web.grants.put_application(&super::admin(), "later", &super::keyed(&[world.keys[0].jwk()]), None).await.unwrap();
    assert!(put.secret.is_none() && put.record.secret_hash.is_none());
    let answer = world.site.application(INTROSPECT, &by_secret, None).await;
    assert_eq!(answer.oauth_error(), (401, "invalid_client".to_owned()), "{}", row("the secret of an application that has keys"));
    let mut claims = world.claims();
    (claims["iss"], claims["sub"]) = ("server".into(), "server".into());
    let answer = world.introspects(&world.signed(&claims)).await;
    assert_eq!(answer.oauth_error(), (401, "invalid_client".to_owned()), "{}", row("an assertion of an application that has a secret"));
    assert_eq!(put.record.redirect_uris, [CALLBACK]);
}
