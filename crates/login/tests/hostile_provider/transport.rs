//! What a provider answers beside the ID token.

use falconer_login::ProviderError as E;
use falconer_login::http::HttpError as H;
use serde_json::{Value, json};

use crate::provider::{Case, ISSUER, ISSUER_OF_OTHER, bytes_answer, json_answer};
use crate::signing::{public_keys, text};
use crate::{Row, row};

const DOCUMENT: &str = "openid-configuration";

pub const KEYS: &[Row] = &[
    row!("no key", |c| c.keys = json!({"keys": []}), E::UnknownKey(_)),
    row!("no key of this id", |c| c.header["kid"] = json!("another"), E::UnknownKey(_)),
    row!("an id in capitals", |c| c.header["kid"] = json!("RSA"), E::UnknownKey(_)),
    row!("an empty id", |c| c.header["kid"] = json!(""), E::UnknownKey(_)),
    row!("an id of a megabyte's kind", |c| c.header["kid"] = json!("x".repeat(10_000)), E::UnknownKey(_)),
    row!("an id that is a number", |c| c.header["kid"] = json!(1), E::Token(_)),
    row!("two keys of one id", |c| c.keys["keys"][1]["kid"] = json!("rsa"), E::AmbiguousKey(_)),
    row!(
        "the same key twice",
        |c| {
            let key = c.keys["keys"][0].clone();
            c.keys["keys"].as_array_mut().unwrap().push(key);
        },
        E::AmbiguousKey(_)
    ),
    row!(
        "no id, and two keys that it could be",
        |c| {
            c.header.as_object_mut().unwrap().remove("kid");
            let mut key = public_keys()["keys"][0].clone();
            key["kid"] = json!("second");
            c.keys["keys"].as_array_mut().unwrap().push(key);
        },
        E::KeyNotNamed
    ),
    row!(
        "no id, and no key that it could be",
        |c| {
            c.header.as_object_mut().unwrap().remove("kid");
            c.keys["keys"].as_array_mut().unwrap().remove(0);
        },
        E::UnknownKey(_)
    ),
    row!("a key for encryption", |c| c.key("use", json!("enc")), E::UnknownKey(_)),
    row!("a key that only signs", |c| c.key("key_ops", json!(["sign"])), E::UnknownKey(_)),
    row!("a key of PS256", |c| c.key("alg", json!("PS256")), E::WrongKey(_)),
    row!("a key of HS256", |c| c.key("alg", json!("HS256")), E::WrongKey(_)),
    row!("a key of a shared secret", |c| c.keys["keys"][0] = json!({"kty": "oct", "kid": "rsa", "k": "YWFhYQ"}), E::UnknownKey(_)),
    row!("a key without a kind", |c| c.key("kty", Value::Null), E::UnknownKey(_)),
    row!("a modulus of 1024 bits", |c| c.key("n", json!(text(&[0xff; 128]))), E::UnknownKey(_)),
    row!("a modulus of 16,384 bits", |c| c.key("n", json!(text(&[0xff; 2048]))), E::UnknownKey(_)),
    row!("a modulus of nothing", |c| c.key("n", json!("")), E::UnknownKey(_)),
    row!("a modulus of zeros", |c| c.key("n", json!(text(&[0; 256]))), E::UnknownKey(_)),
    row!("an even modulus", |c| c.key("n", json!(text(&[0xfe; 256]))), E::Signature),
    row!("an exponent of one", |c| c.key("e", json!("AQ")), E::Signature),
    row!("an exponent of zero", |c| c.key("e", json!("AA")), E::UnknownKey(_)),
    row!("a huge exponent", |c| c.key("e", json!(text(&[0xff; 256]))), E::UnknownKey(_)),
    row!("a modulus that is no base64", |c| c.key("n", json!("!!!")), E::UnknownKey(_)),
    row!(
        "a point beside the curve",
        |c| {
            c.header = json!({"alg": "ES256", "kid": "p256"});
            c.signer = crate::signing::Signer::Es256;
            c.keys["keys"][1]["y"] = json!(text(&[1; 32]));
        },
        E::Signature
    ),
    row!(
        "half a point",
        |c| {
            c.header = json!({"alg": "ES256", "kid": "p256"});
            c.keys["keys"][1]["y"] = json!("AQ");
        },
        E::UnknownKey(_)
    ),
    row!(
        "a curve of other things",
        |c| {
            c.header = json!({"alg": "EdDSA", "kid": "ed"});
            c.keys["keys"][3]["crv"] = json!("X25519");
        },
        E::UnknownKey(_)
    ),
    row!("101 keys", |c| c.keys["keys"] = (0..101).map(|_| public_keys()["keys"][0].clone()).collect(), E::Malformed { .. }),
    row!("keys that are an object", |c| c.keys = json!({"keys": {"rsa": {}}}), E::Malformed { .. }),
    row!("no set of keys", |c| c.keys = json!({}), E::Malformed { .. }),
    row!("keys that are no JSON", |c| c.answer("keys", bytes_answer(200, b"<html>")), E::Malformed { .. }),
    row!("keys that are gone", |c| c.answer("keys", json_answer(404, &public_keys())), E::Status { status: 404, .. }),
    row!("keys that can't be read now", |c| c.answer("keys", json_answer(503, &public_keys())), E::Status { status: 503, .. }),
    row!("keys elsewhere", |c| c.answer("keys", Err(H::Redirected)), E::Http { error: H::Redirected, .. }),
    row!("too many bytes of keys", |c| c.answer("keys", Err(H::TooLarge)), E::Http { error: H::TooLarge, .. }),
    row!("keys that take too long", |c| c.answer("keys", Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("keys inside", |c| c.answer("keys", Err(H::Inside("10.0.0.1".into()))), E::Http { error: H::Inside(_), .. }),
];

fn discovered(case: &mut Case, name: &str, value: Value) {
    case.discovery[name] = value;
}

pub const DISCOVERY: &[Row] = &[
    row!("the document of another", |c| discovered(c, "issuer", json!(ISSUER_OF_OTHER)), E::ForeignDiscovery(_)),
    row!("an issuer with a slash more", |c| discovered(c, "issuer", json!(format!("{ISSUER}/"))), E::ForeignDiscovery(_)),
    row!("an issuer in capitals", |c| discovered(c, "issuer", json!(ISSUER.to_uppercase())), E::ForeignDiscovery(_)),
    row!("no issuer", |c| discovered(c, "issuer", Value::Null), E::Malformed { .. }),
    row!(
        "an issuer for each tenant",
        |c| discovered(c, "issuer", json!("https://login.example.com/{tenantid}/v2.0")),
        E::ForeignDiscovery(_)
    ),
    row!("no token endpoint", |c| discovered(c, "token_endpoint", Value::Null), E::Malformed { .. }),
    row!("no keys", |c| discovered(c, "jwks_uri", Value::Null), E::Malformed { .. }),
    row!("no authorization endpoint", |c| discovered(c, "authorization_endpoint", Value::Null), E::Malformed { .. }),
    row!(
        "a token endpoint without TLS",
        |c| discovered(c, "token_endpoint", json!("http://login.example.com/token")),
        E::Endpoint { what: "token_endpoint", .. }
    ),
    row!("a token endpoint of this machine", |c| discovered(c, "token_endpoint", json!("http://127.0.0.1/token")), E::Endpoint { .. }),
    row!("a file of keys", |c| discovered(c, "jwks_uri", json!("file:///etc/passwd")), E::Endpoint { what: "jwks_uri", .. }),
    row!("keys without TLS", |c| discovered(c, "jwks_uri", json!("http://login.example.com/keys")), E::Endpoint { .. }),
    row!("keys in the address", |c| discovered(c, "jwks_uri", json!("data:application/json,{}")), E::Endpoint { .. }),
    row!("a script to go to", |c| discovered(c, "authorization_endpoint", json!("javascript:alert(1)")), E::Endpoint { .. }),
    row!(
        "a page without TLS to go to",
        |c| discovered(c, "authorization_endpoint", json!("http://login.example.com/")),
        E::Endpoint { .. }
    ),
    row!("a password in an address", |c| discovered(c, "token_endpoint", json!("https://a:b@login.example.com/token")), E::Endpoint { .. }),
    row!(
        "a fragment in an address",
        |c| discovered(c, "authorization_endpoint", json!("https://login.example.com/#x")),
        E::Endpoint { .. }
    ),
    row!("a relative address", |c| discovered(c, "token_endpoint", json!("/token")), E::Endpoint { .. }),
    row!("userinfo without TLS", |c| discovered(c, "userinfo_endpoint", json!("http://10.0.0.1/")), E::Endpoint { .. }),
    row!("no code flow", |c| discovered(c, "response_types_supported", json!(["id_token", "token"])), E::Unsupported(_)),
    row!("a list", |c| c.discovery = json!([]), E::Malformed { .. }),
    row!("no JSON", |c| c.answer(DOCUMENT, bytes_answer(200, b"<html>")), E::Malformed { .. }),
    row!("nothing", |c| c.answer(DOCUMENT, bytes_answer(200, b"")), E::Malformed { .. }),
    row!("not found", |c| c.answer(DOCUMENT, bytes_answer(404, b"{}")), E::Status { status: 404, .. }),
    row!("an error", |c| c.answer(DOCUMENT, bytes_answer(500, b"{}")), E::Status { status: 500, .. }),
    row!("another success", |c| c.answer(DOCUMENT, bytes_answer(204, b"")), E::Status { status: 204, .. }),
    row!("a redirect", |c| c.answer(DOCUMENT, Err(H::Redirected)), E::Http { error: H::Redirected, .. }),
    row!("too many bytes", |c| c.answer(DOCUMENT, Err(H::TooLarge)), E::Http { error: H::TooLarge, .. }),
    row!("too slow", |c| c.answer(DOCUMENT, Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("away", |c| c.answer(DOCUMENT, Err(H::Unreachable("refused".into()))), E::Http { error: H::Unreachable(_), .. }),
    row!("inside", |c| c.answer(DOCUMENT, Err(H::Inside("169.254.169.254".into()))), E::Http { error: H::Inside(_), .. }),
];

pub const TOKENS: &[Row] = &[
    row!("a code that counts no more", |c| c.answer("token", json_answer(400, &json!({"error": "invalid_grant"}))), E::Said(_)),
    row!(
        "a client that counts no more",
        |c| c.answer("token", json_answer(401, &json!({"error": "invalid_client"}))),
        E::ClientRefused { .. }
    ),
    row!("an error without words", |c| c.answer("token", bytes_answer(400, b"no")), E::Status { status: 400, .. }),
    row!("an error of its own", |c| c.answer("token", json_answer(500, &json!({"error": "server_error"}))), E::Status { status: 500, .. }),
    row!("created", |c| c.answer("token", json_answer(201, &json!({}))), E::Status { status: 201, .. }),
    row!("a redirect", |c| c.answer("token", Err(H::Redirected)), E::Http { error: H::Redirected, .. }),
    row!("too many bytes", |c| c.answer("token", Err(H::TooLarge)), E::Http { error: H::TooLarge, .. }),
    row!("too slow", |c| c.answer("token", Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("away", |c| c.answer("token", Err(H::Unreachable("refused".into()))), E::Http { .. }),
    row!("inside", |c| c.answer("token", Err(H::Inside("10.0.0.1".into()))), E::Http { error: H::Inside(_), .. }),
    row!("a page", |c| c.answer("token", bytes_answer(200, b"<html>")), E::Malformed { .. }),
    row!("an empty list", |c| c.answer("token", bytes_answer(200, b"[]")), E::Malformed { .. } | E::NoIdToken),
    row!("an error that says 200", |c| c.answer("token", bytes_answer(200, br#"{"error": "invalid_grant"}"#)), E::NoIdToken),
    row!("another kind of token", |c| c.token_answer = json!({"token_type": "mac"}), E::TokenType(_)),
    row!("an access token that is a number", |c| c.token_answer = json!({"access_token": 1}), E::Malformed { .. }),
    row!("no access token", |c| c.token_answer = json!({"access_token": null}), E::Unsupported("access token")),
];

pub const USERINFO: &[Row] = &[
    row!("of another person", |c| c.userinfo = json!({"sub": "somebody"}), E::OtherPerson),
    row!("of nobody", |c| c.userinfo = json!({"email": "you@example.com"}), E::OtherPerson),
    row!("of a number", |c| c.userinfo = json!({"sub": 1}), E::OtherPerson),
    row!("of a list", |c| c.userinfo = json!(["you"]), E::Malformed { .. }),
    row!("a token", |c| c.answer("userinfo", bytes_answer(200, b"YQ.YQ.YQ")), E::Malformed { .. }),
    row!("refused", |c| c.answer("userinfo", bytes_answer(401, b"{}")), E::Status { status: 401, .. }),
    row!("elsewhere", |c| c.answer("userinfo", Err(H::Redirected)), E::Http { error: H::Redirected, .. }),
    row!("too slow", |c| c.answer("userinfo", Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("nowhere", |c| discovered(c, "userinfo_endpoint", Value::Null), E::Unsupported("userinfo endpoint")),
    row!(
        "groups of a wrong type",
        |c| {
            c.claim("https://example.com/claims", Value::Null);
            c.userinfo = json!({"sub": "you", "https://example.com/claims": {"groups": "hr"}});
        },
        E::ClaimType { .. }
    ),
];
