//! Whatever is signed verifies, whatever is changed does not, and nothing that can be sent makes anything panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use falconer_credentials::{AccessToken, Issuer, RequestParts, Revoked, Verified, evaluate, read, sign, temporary};
use falconer_scopes::{RoleSet, ScopeSet};
use proptest::collection::vec;
use proptest::prelude::*;
use support::forge::{self, HOST, RESOURCE};

const NOW: i64 = 1_767_225_600_000;

/// The one client of these tests: it may do anything and does not expire.
fn verify(parts: &RequestParts<'_>, owner: &str, token: &AccessToken, now_ms: i64) -> Option<Verified> {
    let signed = read(parts).ok()??;
    let known = signed.key_owner() == owner;
    let authentic = signed.check_mac(known.then_some(token)).ok()?;
    let scopes = ScopeSet::new(["*"]);
    let roles = RoleSet::default();
    let client = Issuer { client_id: owner, token, expires_ms: i64::MAX, disabled: false, scopes: &scopes, revoked: Revoked::default() };
    evaluate(&authentic, &client, now_ms, &|scopes| roles.expand(scopes.iter().copied())).ok()
}

#[derive(Debug, Clone)]
struct Given {
    id: String,
    token: String,
    method: String,
    resource: String,
    host: String,
    port: u16,
    nonce: String,
    hash: Option<String>,
    app: Option<(String, Option<String>)>,
    authorized: Option<Vec<String>>,
    temporary: Option<Option<String>>,
}

const VALUE: &str = "[ !#-\\[\\]-~]{1,12}";

fn given() -> impl Strategy<Value = Given> {
    (
        ("[a-z0-9/|@.:+_-]{1,12}", "[A-Za-z0-9_-]{22,66}", "[A-Za-z]{1,7}", "/[ -%'-~é☃]{0,30}", "[a-zA-Z0-9.-]{1,12}", any::<u16>()),
        (
            VALUE,
            proptest::option::of(VALUE),
            proptest::option::of((VALUE, proptest::option::of(VALUE))),
            proptest::option::of(vec("[ -~]{0,8}", 0..4)),
            proptest::option::of(proptest::option::of("name/[a-z]{1,5}")),
        ),
    )
        .prop_map(|((id, token, method, resource, host, port), (nonce, hash, app, authorized, temporary))| Given {
            id,
            token,
            method,
            resource,
            host,
            port,
            nonce,
            hash,
            app,
            authorized,
            temporary,
        })
}

/// Who signs, with what key, and the ext that goes with it.
fn signer(given: &Given) -> (String, AccessToken, Option<String>) {
    let token = AccessToken::new(given.token.clone());
    let Some(name) = &given.temporary else {
        return (given.id.clone(), token, sign::ext(None, given.authorized.as_deref()));
    };
    let scopes = ["a".to_owned(), "b*".to_owned(), "*".to_owned()];
    let issued = temporary::create(&given.id, &token, name.as_deref(), &scopes, NOW, NOW + 1000, &"é".repeat(44)).unwrap();
    (issued.client_id, issued.access_token, sign::ext(Some(&issued.certificate), given.authorized.as_deref()))
}

fn header(given: &Given) -> (String, String) {
    let (id, key, ext) = signer(given);
    let request = sign::Request {
        method: &given.method,
        resource: &given.resource,
        host: &given.host,
        port: given.port,
        ts_seconds: NOW / 1000,
        nonce: &given.nonce,
        hash: given.hash.as_deref(),
        ext: ext.as_deref(),
        app: given.app.as_ref().map(|(app, _)| app.as_str()),
        dlg: given.app.as_ref().and_then(|(_, dlg)| dlg.as_deref()),
    };
    let header = sign::header(&id, &key, &request);
    (id, header)
}

/// The resource with a bewit behind it. It has no query that could look like one.
fn with_bewit(given: &Given) -> (String, String) {
    let (id, key, ext) = signer(given);
    let resource = given.resource.replace(['?', '&'], "_");
    let bewit = sign::bewit(&id, &key, &resource, &given.host, given.port, NOW / 1000 + 1, ext.as_deref());
    (id, format!("{resource}?bewit={bewit}"))
}

fn parts<'a>(given: &'a Given, resource: &'a str, authorization: Option<&'a str>) -> RequestParts<'a> {
    RequestParts { method: &given.method, resource, host: &given.host, port: given.port, authorization }
}

/// The text with one bit changed, unless that is no text any more.
fn flip(text: &str, bit: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let length = bytes.len();
    bytes[(bit / 8) % length] ^= 1 << (bit % 8);
    String::from_utf8(bytes).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_signed_header_verifies(given in given()) {
        let (id, header) = header(&given);
        prop_assume!(header.len() <= 4096);
        let token = AccessToken::new(given.token.clone());
        let verified = verify(&parts(&given, &given.resource, Some(&header)), &given.id, &token, NOW).expect("verifies");
        prop_assert_eq!(&verified.client_id, &id);
        prop_assert_eq!(&verified.hash, &given.hash);
        prop_assert_eq!(verified.expires_ms, if given.temporary.is_some() { NOW + 1000 } else { i64::MAX });
        let mut wanted = given.authorized.clone().unwrap_or_else(|| vec!["*".to_owned()]);
        wanted.push("assume:anonymous".to_owned());
        prop_assert_eq!(verified.scopes, ScopeSet::new(wanted));
    }

    #[test]
    fn a_bewit_verifies(given in given(), head: bool) {
        let (id, resource) = with_bewit(&given);
        prop_assume!(resource.encode_utf16().count() <= 4096);
        let token = AccessToken::new(given.token.clone());
        let mut request_parts = parts(&given, &resource, None);
        request_parts.method = if head { "HEAD" } else { "get" };
        let verified = verify(&request_parts, &given.id, &token, NOW).expect("verifies");
        prop_assert_eq!(verified.client_id, id);
        prop_assert_eq!(verified.hash, None);
        prop_assert!(verify(&request_parts, &given.id, &token, NOW + 1000).is_none());
        request_parts.method = "POST";
        prop_assert!(verify(&request_parts, &given.id, &token, NOW).is_none());
    }

    /// One flipped bit anywhere. What the protocol itself does not tell apart (letter case of scheme, method and host) is left out.
    #[test]
    fn a_changed_request_is_refused(given in given(), bit: usize, port_bit in 0..16) {
        let (_, header) = header(&given);
        prop_assume!(header.len() <= 4096);
        let token = AccessToken::new(given.token.clone());
        let accepted = |parts: RequestParts<'_>| verify(&parts, &given.id, &token, NOW).is_some();
        let right = parts(&given, &given.resource, Some(&header));
        prop_assert!(accepted(right));
        if let Some(changed) = flip(&header, bit).filter(|changed| !changed.eq_ignore_ascii_case(&header) || changed[4..] != header[4..]) {
            prop_assert!(!accepted(RequestParts { authorization: Some(&changed), ..right }), "{changed}");
        }
        if let Some(changed) = flip(&given.resource, bit) {
            // Without its leading slash a resource is read as a URL, and might come out as what was signed.
            prop_assert!(!changed.starts_with('/') || !accepted(RequestParts { resource: &changed, ..right }), "{changed}");
        }
        if let Some(changed) = flip(&given.method, bit).filter(|changed| changed.to_uppercase() != given.method.to_uppercase()) {
            prop_assert!(!accepted(RequestParts { method: &changed, ..right }), "{changed}");
        }
        if let Some(changed) = flip(&given.host, bit).filter(|changed| changed.to_lowercase() != given.host.to_lowercase()) {
            prop_assert!(!accepted(RequestParts { host: &changed, ..right }), "{changed}");
        }
        let port = given.port ^ (1_u16 << port_bit);
        prop_assert!(!accepted(RequestParts { port, ..right }), "{port}");
        let other = AccessToken::new(flip(&given.token, bit).unwrap_or_default());
        prop_assert!(verify(&right, &given.id, &other, NOW).is_none());
    }

    /// The same for bewits. The bits that base64 leaves unused at the end belong to no byte.
    #[test]
    fn a_changed_bewit_is_refused(given in given(), bit: usize) {
        let (_, resource) = with_bewit(&given);
        prop_assume!(resource.encode_utf16().count() <= 4096);
        let token = AccessToken::new(given.token.clone());
        let mut request_parts = parts(&given, &resource, None);
        request_parts.method = "GET";
        prop_assert!(verify(&request_parts, &given.id, &token, NOW).is_some());
        let last = resource.len() - 1;
        if let Some(changed) = flip(&resource, bit).filter(|changed| changed.get(..last) != resource.get(..last)) {
            request_parts.resource = &changed;
            prop_assert!(verify(&request_parts, &given.id, &token, NOW).is_none(), "{changed}");
        }
    }

    #[test]
    fn nothing_that_is_sent_panics(
        method in ".{0,5}", resource in "(/|)(.|[?&]bewit=|[A-Za-z0-9_-]{4}){0,40}", host in ".{0,10}", port: u16,
        authorization in prop_oneof![any::<String>(), "(?i)hawk\\s+((id|ts|nonce|mac|ext|hash|app|dlg|x)=\"[ -~]{0,6}\"(,|, |;|)|.){0,8}"],
    ) {
        for authorization in [None, Some(authorization.as_str())] {
            let parts = RequestParts { method: &method, resource: &resource, host: &host, port, authorization };
            prop_assert!(verify(&parts, "alice", &AccessToken::new("k".repeat(44)), NOW).is_none());
        }
    }

    #[test]
    fn no_bytes_in_a_bewit_panic(bytes in vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'\\')], 0..80)) {
        let resource = format!("/a?bewit={}", URL_SAFE_NO_PAD.encode(bytes));
        let parts = RequestParts { method: "GET", resource: &resource, host: HOST, port: 1, authorization: None };
        prop_assert!(verify(&parts, "alice", &AccessToken::new("k".repeat(44)), NOW).is_none());
    }

    /// Any JSON, and any bytes, as ext under a right MAC: judged without a panic, and a certificate that is no certificate is never accepted.
    #[test]
    fn no_ext_panics(bytes in any::<Vec<u8>>(), json in json()) {
        let token = "k".repeat(44);
        for ext in [bytes, json.to_string().into_bytes()] {
            let text = format!("hawk.1.header\n{}\nn\nGET\n{RESOURCE}\n{HOST}\n443\n\n{}\n", NOW / 1000, STANDARD.encode(&ext));
            let seed = json["certificate"]["seed"].as_str().filter(|_| ext == json.to_string().as_bytes());
            let key = seed.map_or(token.clone(), |seed| forge::temporary_key(&token, seed));
            let mac = STANDARD.encode(support::oracle::hmac(key.as_bytes(), &text));
            let attribute = if ext.is_empty() { String::new() } else { format!(", ext=\"{}\"", STANDARD.encode(&ext)) };
            let header = format!("Hawk id=\"alice\", ts=\"{}\", nonce=\"n\", mac=\"{mac}\"{attribute}", NOW / 1000);
            let parts = RequestParts { method: "GET", resource: RESOURCE, host: HOST, port: 443, authorization: Some(&header) };
            let verified = verify(&parts, "alice", &AccessToken::new(token.clone()), NOW);
            if ext == json.to_string().as_bytes() && json["certificate"].is_object() {
                prop_assert!(verified.is_none(), "{json}");
            }
        }
    }
}

/// JSON that looks like what ext holds.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|v| json!(v)),
        any::<i64>().prop_map(|v| json!(v)),
        any::<f64>().prop_map(|v| json!(v)),
        Just(json!(1)),
        "[ -~é]{0,6}".prop_map(|v| json!(v)),
        Just(json!("s".repeat(44))),
        Just(json!(NOW)),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key = prop_oneof![
            4 => prop_oneof![
                Just("certificate"), Just("authorizedScopes"), Just("version"), Just("seed"), Just("start"), Just("expiry"), Just("scopes"),
                Just("signature"), Just("issuer"), Just("clientId"),
            ].prop_map(str::to_owned),
            1 => "[a-z]{1,3}",
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|v| json!(v)),
            vec((key, inner), 0..10).prop_map(|v| serde_json::Value::Object(v.into_iter().collect())),
        ]
    })
}
