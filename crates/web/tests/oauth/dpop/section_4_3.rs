//! Each check of RFC 9449 section 4.3, by its number, as a table: at the token endpoint and at a service. None is accepted, and none uses anything up.

use super::{BOOK, Holder, TOKEN, base64url, bound, code, post, token, word_of};
use crate::site::applications::exchange;
use crate::site::site;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::Ordering;

/// Changes claims; it is told the server's time, in seconds, too.
type OfClaims = dyn Fn(&mut Value, i64);

/// What is changed of a proof that would count.
enum Change {
    Header(Box<dyn Fn(&mut Value)>),
    Claims(Box<OfClaims>),
    /// The whole of it, signature and all.
    Text(fn(&str) -> String),
}

/// One case: the number in section 4.3 (0: of another section), what is tried, the reason at a service, and the change.
struct Case(&'static str, String, &'static str, Change);

const MALFORMED: &str = "proof-malformed";
const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn header(number: &'static str, what: &str, change: impl Fn(&mut Value) + 'static) -> Case {
    Case(number, what.to_owned(), MALFORMED, Change::Header(Box::new(change)))
}

fn of_key(what: &str, jwk: Value, alg: &'static str) -> Case {
    header("7", what, move |header| {
        header["jwk"] = jwk.clone();
        header["alg"] = alg.into();
    })
}

fn claim(number: &'static str, what: &str, reason: &'static str, name: &'static str, value: impl Into<Value>) -> Case {
    let value = value.into();
    Case(number, what.to_owned(), reason, Change::Claims(Box::new(move |claims, _| claims[name] = value.clone())))
}

fn time(number: &'static str, what: &str, name: &'static str, offset_seconds: i64) -> Case {
    Case(number, what.to_owned(), "proof-stale", Change::Claims(Box::new(move |claims, now| claims[name] = (now + offset_seconds).into())))
}

fn text(number: &'static str, what: &str, change: fn(&str) -> String) -> Case {
    Case(number, what.to_owned(), MALFORMED, Change::Text(change))
}

fn without(json: &mut Value, name: &str) {
    json.as_object_mut().unwrap().remove(name);
}

fn parts(proof: &str) -> [&str; 3] {
    proof.split('.').collect::<Vec<_>>().try_into().unwrap()
}

/// The same header and claims, of which the first is written anew; the signature stays.
fn with_header(proof: &str, header: &str) -> String {
    let [_, claims, signature] = parts(proof);
    format!("{}.{claims}.{signature}", base64url(header.as_bytes()))
}

fn decoded(part: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Shapes of the header as a whole, and what is wrong with its members.
fn of_form() -> Vec<Case> {
    let mut cases = vec![
        text("2", "no JWT", |_| "x".to_owned()),
        text("2", "nothing", |_| String::new()),
        text("2", "two parts", |right| parts(right)[..2].join(".")),
        text("2", "four parts", |right| format!("{right}.x")),
        text("2", "two proofs in one header", |right| format!("{right}, {right}")),
        text("2", "a scheme in front", |right| format!("DPoP {right}")),
        text("2", "its header is no object", |right| with_header(right, "[]")),
        text("2", "`typ` is there twice", |right| with_header(right, &decoded(parts(right)[0]).replacen('{', "{\"typ\":\"JWT\",", 1))),
        text("2", "`jwk` is there twice", |right| {
            with_header(right, &decoded(parts(right)[0]).replacen('{', "{\"jwk\":{\"kty\":\"oct\"},", 1))
        }),
        Case(
            "2",
            "longer than 4 KiB".to_owned(),
            MALFORMED,
            Change::Claims(Box::new(|claims, _| claims["more"] = "m".repeat(4096).into())),
        ),
        header("4", "`typ` is `JWT`", |header| header["typ"] = "JWT".into()),
        header("4", "`typ` is `at+jwt`", |header| header["typ"] = "at+jwt".into()),
        header("4", "`typ` is `application/dpop+jwt`", |header| header["typ"] = "application/dpop+jwt".into()),
        header("5", "an empty `alg`", |header| header["alg"] = "".into()),
        header("5", "`alg` is another curve's", |header| header["alg"] = "ES384".into()),
        header("5", "`alg` is one that is not there", |header| header["alg"] = "ES512".into()),
        header("7", "`kid` in place of `jwk`", |header| {
            without(header, "jwk");
            header["kid"] = "1".into();
        }),
        Case(
            "7",
            "a point that is on no curve".to_owned(),
            "proof-other-key",
            Change::Header(Box::new(|header| header["jwk"]["x"] = SECRET.into())),
        ),
        header("7", "a short point", |header| header["jwk"]["x"] = "AA".into()),
        header("7", "the `jwk` is of another `alg`", |header| header["jwk"]["alg"] = "ES384".into()),
        of_key("a shared key", json!({"kty": "oct", "k": SECRET}), "HS256"),
        of_key("a curve that does not count", json!({"kty": "EC", "crv": "secp256k1", "x": SECRET, "y": SECRET}), "ES256"),
        of_key("RSA of 1024 bits", json!({"kty": "RSA", "n": base64url(&[255; 128]), "e": "AQAB"}), "RS256"),
        of_key("RSA of 8192 bits", json!({"kty": "RSA", "n": base64url(&[255; 1024]), "e": "AQAB"}), "RS256"),
        header("0", "`crit`", |header| header["crit"] = json!(["b64"])),
    ];
    for name in ["typ", "alg", "jwk"] {
        cases.push(header("3", &format!("no `{name}`"), move |header| without(header, name)));
    }
    for alg in ["none", "None", "HS256", "HS512", "EdDSA", "RS256"] {
        cases.push(header("5", &format!("`alg` is `{alg}`"), move |header| header["alg"] = alg.into()));
    }
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        cases.push(header("7", &format!("a secret member of the `jwk`: `{name}`"), move |header| header["jwk"][name] = SECRET.into()));
        cases.push(header("7", &format!("the same, null: `{name}`"), move |header| header["jwk"][name] = Value::Null));
    }
    cases
}

/// Claims, and the signature over them. What is no text or no number is not read.
fn of_claims() -> Vec<Case> {
    let url = "proof-url";
    let mut cases = vec![
        claim("3", "`jti` is no text", MALFORMED, "jti", 1),
        claim("3", "`jti` is empty", MALFORMED, "jti", ""),
        claim("3", "`jti` is longer than 256 bytes", MALFORMED, "jti", "j".repeat(257)),
        claim("3", "`iat` is a text", MALFORMED, "iat", "1767225600"),
        claim("3", "`htu` is a list", MALFORMED, "htu", json!([TOKEN])),
        Case("6", "no signature".to_owned(), "proof-signature", Change::Text(|right| format!("{}.", parts(right)[..2].join(".")))),
        Case("6", "a signature of zeros".to_owned(), "proof-signature", Change::Text(|right| signed_with(right, &[0; 64]))),
        Case("6", "any signature".to_owned(), "proof-signature", Change::Text(|right| signed_with(right, &[1; 64]))),
        Case(
            "6",
            "its claims changed after it was signed".to_owned(),
            "proof-signature",
            Change::Text(|right| {
                let [header, claims, signature] = parts(right);
                let claims = decoded(claims).replacen("\"jti\":\"x\"", "\"jti\":\"y\"", 1);
                format!("{header}.{}.{signature}", base64url(claims.as_bytes()))
            }),
        ),
        text("6", "a signature with padding", |right| format!("{right}=")),
        claim("8", "another method", "proof-method", "htm", "PATCH"),
        claim("8", "an empty method", "proof-method", "htm", ""),
        claim("9", "by `http`", url, "htu", "http://auth.example.com/login/oauth/token"),
        claim("9", "another path", url, "htu", "https://auth.example.com/login/oauth/par"),
        claim("9", "another host", url, "htu", "https://other.example/login/oauth/token"),
        claim("9", "a longer host", url, "htu", "https://auth.example.com.other.example/login/oauth/token"),
        claim("9", "another port", url, "htu", "https://auth.example.com:444/login/oauth/token"),
        claim("9", "with a user", url, "htu", "https://a@auth.example.com/login/oauth/token"),
        claim("9", "a path with a dot", url, "htu", "https://auth.example.com/login/./oauth/token"),
        claim("9", "a path below", url, "htu", "https://auth.example.com/login/oauth/token/"),
        claim("9", "a path alone", url, "htu", "/login/oauth/token"),
        claim("9", "an empty address", url, "htu", ""),
        time("11", "61 seconds old", "iat", -61),
        time("11", "61 seconds ahead", "iat", 61),
        claim("11", "of the year 1970", "proof-stale", "iat", 0),
        claim("11", "beyond all times", "proof-stale", "iat", 1e300),
        time("11", "its `exp` is over", "exp", -1),
        time("11", "its `nbf` is in an hour", "nbf", 3600),
    ];
    for name in ["jti", "htm", "htu", "iat"] {
        let change = Change::Claims(Box::new(move |claims, _| without(claims, name)));
        cases.push(Case("3", format!("no `{name}`"), MALFORMED, change));
    }
    cases
}

fn signed_with(right: &str, signature: &[u8]) -> String {
    format!("{}.{}", parts(right)[..2].join("."), base64url(signature))
}

fn cases() -> Vec<Case> {
    of_form().into_iter().chain(of_claims()).collect()
}

/// Beside a token alone (number 12).
const OF_TOKEN: [(&str, &str, Option<&str>); 3] = [
    ("12 a", "the `ath` of another token", Some(SECRET)),
    ("12 a", "the token itself as `ath`", Some("falconer_at_")),
    ("12 a", "no `ath`", None),
];

/// What is refused: the section, what is tried, and what comes of it.
pub fn refused_rows() -> Vec<(String, String, String)> {
    let both = cases().into_iter().map(|Case(number, what, reason, _)| {
        let section = if number == "0" { "RFC 7515 4.1.11".to_owned() } else { format!("RFC 9449 4.3, {number}") };
        (section, what, format!("400 `invalid_dpop_proof`; at a service `{reason}`"))
    });
    let of_token = OF_TOKEN
        .iter()
        .map(|(number, what, _)| (format!("RFC 9449 4.3, {number}"), format!("at a service: {what}"), "`proof-other-token`".to_owned()));
    both.chain(of_token).collect()
}

/// The same of what is taken.
pub fn taken_rows() -> impl Iterator<Item = (String, String, String)> {
    TAKEN
        .iter()
        .map(|(section, what, _)| (format!("RFC 9449 {section}"), format!("at a service: {what}"), "the request is let through".to_owned()))
}

#[tokio::test]
async fn each_check_of_section_4_3() {
    let site = site().await;
    let (holder, other) = (Holder::new(), Holder::new());
    let (access, _) = bound(&site, &holder).await;
    let code = code(&site, &[]).await;
    let now = site.clock.0.load(Ordering::SeqCst) / 1000;
    let claims =
        |method: &str, htu: &str| json!({"jti": "x", "htm": method, "htu": htu, "iat": now, "ath": base64url(&Sha256::digest(&access))});
    let proof = |change: &Change, method: &str, htu: &str| {
        let (mut header, mut claims) = (holder.header(), claims(method, htu));
        match change {
            Change::Header(change) => change(&mut header),
            Change::Claims(change) => change(&mut claims, now),
            Change::Text(change) => return change(&holder.signed(&header, &claims)),
        }
        holder.signed(&header, &claims)
    };
    let refused = |reason: &str| ("failed".to_owned(), reason.to_owned());
    for Case(number, what, reason, change) in cases() {
        assert_eq!(word_of(&site, &access, &proof(&change, "GET", BOOK)).await, refused(reason), "{number} {what}");
        let answer = token(&site, &exchange(&code), &proof(&change, "POST", TOKEN)).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_dpop_proof".to_owned()), "{number} {what}: {}", answer.text);
    }
    for (number, what, ath) in OF_TOKEN {
        let mut claims = claims("GET", BOOK);
        match ath {
            Some("falconer_at_") => claims["ath"] = access.clone().into(),
            Some(ath) => claims["ath"] = ath.into(),
            None => without(&mut claims, "ath"),
        }
        assert_eq!(
            word_of(&site, &access, &holder.signed(&holder.header(), &claims)).await,
            refused("proof-other-token"),
            "{number} {what}"
        );
    }
    // 6: with the key of somebody else beside the holder's signature, which is another key than the token's, too.
    let mut header = holder.header();
    header["jwk"] = other.jwk();
    assert_eq!(word_of(&site, &access, &holder.signed(&header, &claims("GET", BOOK))).await, refused("proof-other-key"));
    let swapped = token(&site, &exchange(&code), &holder.signed(&header, &claims("POST", TOKEN))).await;
    assert_eq!(swapped.oauth_error(), (400, "invalid_dpop_proof".to_owned()));
    // 1: not more than one header.
    let right = holder.signed(&holder.header(), &claims("POST", TOKEN));
    let several = post(&site, "/login/oauth/token", &exchange(&code), &[&right, &right]).await;
    assert_eq!(several.oauth_error(), (400, "invalid_dpop_proof".to_owned()));
    // The code is as it was, and so is the proof.
    let answer = token(&site, &exchange(&code), &right).await;
    assert_eq!((answer.status, &answer.json()["token_type"]), (StatusCode::OK, &json!("DPoP")));
}

/// The section of RFC 9449, what is otherwise, and how.
type Otherwise = (&'static str, &'static str, fn(&mut Value, i64));

/// What means the same, however it is written.
const TAKEN: [Otherwise; 12] = [
    ("4.3, 11", "60 seconds old", |claims, now| claims["iat"] = (now - 60).into()),
    ("4.3, 11", "60 seconds ahead", |claims, now| claims["iat"] = (now + 60).into()),
    ("4.2", "`iat` with half a second", |claims, now| claims["iat"] = (now as f64 + 0.5).into()),
    ("4.2", "`exp` that is not over", |claims, now| claims["exp"] = (now + 1).into()),
    ("4.2", "a claim that nobody knows", |claims, _| claims["more"] = json!({"a": [1]})),
    ("9", "a `nonce`, although none is given out", |claims, _| claims["nonce"] = "n".into()),
    ("4.3, 9", "the port of `https`", |claims, _| claims["htu"] = "https://notes.example:443/books/red".into()),
    ("4.3, 9", "scheme and host in capitals", |claims, _| claims["htu"] = "HTTPS://NOTES.example/books/red".into()),
    ("4.3, 9", "a letter that is escaped", |claims, _| claims["htu"] = "https://notes.example/books/%72ed".into()),
    ("4.3, 9", "another query", |claims, _| claims["htu"] = "https://notes.example/books/red?page=3".into()),
    ("4.3, 9", "a fragment", |claims, _| claims["htu"] = "https://notes.example/books/red#x".into()),
    ("4.2", "`jti` of 256 bytes", |claims, _| claims["jti"] = "j".repeat(256).into()),
];

#[tokio::test]
async fn what_is_right_is_taken_however_it_is_written() {
    let site = site().await;
    let holder = Holder::new();
    let (access, _) = bound(&site, &holder).await;
    let now = site.clock.0.load(Ordering::SeqCst) / 1000;
    for (section, what, change) in TAKEN {
        let mut claims = json!({"jti": what, "htm": "GET", "htu": BOOK, "iat": now, "ath": base64url(&Sha256::digest(&access))});
        change(&mut claims, now);
        assert_eq!(word_of(&site, &access, &holder.signed(&holder.header(), &claims)).await.0, "allowed", "{section} {what}");
    }
}
