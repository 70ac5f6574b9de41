//! Signatures: what nobody signed is refused, what was signed is read as it was meant, and no `ext` is worth more than its client.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use falconer_credentials::{AccessToken, Authentic, Failure, Issuer, RequestParts, evaluate, payload, read, sign};
use falconer_scopes::ScopeSet;

use super::{Outcome, magnitude, text};
use crate::site::NOW_MS;

const HOST: &str = "notes.example.com";
const RESOURCE: &str = "/api/books/demo?x=1&y=%2F";
/// A token that stands in no corpus.
const TOKEN: &str = "a-token-that-no-input-was-signed-with-0000000";

fn parts<'a>(resource: &'a str, authorization: Option<&'a str>) -> RequestParts<'a> {
    RequestParts { method: "GET", resource, host: HOST, port: 443, authorization }
}

/// A failure says something, and never much more than what was sent.
fn failure(failure: &Failure, sent: usize) -> Outcome {
    let message = failure.to_string();
    assert!(!message.is_empty() && message.len() <= 8 * sent + 2_048, "{} bytes of message for {sent} sent", message.len());
    format!(
        "{:?} {}",
        std::mem::discriminant(failure),
        message.split(' ').take(4).filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic())).collect::<String>()
    )
}

/// What was read, and signed by nobody.
fn unsigned(checked: Result<Authentic<'_>, Failure>, sent: usize) -> Outcome {
    match checked {
        Ok(_) => panic!("nobody signed this"),
        Err(error) => format!("read, then {}", failure(&error, sent)),
    }
}

/// An `Authorization` header.
pub(super) fn header(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let parts = parts(RESOURCE, Some(&text));
    match read(&parts) {
        Ok(None) => "not signed".to_owned(),
        Ok(Some(signed)) => {
            assert!(text.contains(signed.id()), "the id was sent");
            let refused = signed.check_mac(Some(&AccessToken::new(TOKEN.to_owned())));
            unsigned(refused, text.len())
        }
        Err(error) => failure(&error, text.len()),
    }
}

/// A bewit, as it stands in a query.
pub(super) fn bewit(bytes: &[u8]) -> Outcome {
    // As text, or as what the text would be once decoded: the other way would hardly ever be base64.
    let value = match bytes.strip_prefix(b"raw:") {
        Some(raw) => URL_SAFE_NO_PAD.encode(raw),
        None => text(bytes).into_owned(),
    };
    let resource = format!("/api/books/demo?bewit={value}");
    match read(&parts(&resource, None)) {
        Ok(None) => "not signed".to_owned(),
        Ok(Some(signed)) => {
            let refused = signed.check_mac(Some(&AccessToken::new(TOKEN.to_owned())));
            unsigned(refused, resource.len())
        }
        Err(error) => failure(&error, resource.len()),
    }
}

/// Values of a request, one a line: id, nonce, `ext`, `app`, `dlg`, resource. Signed and read, they are what they were.
pub(super) fn signed(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (id, nonce, ext, app, dlg, resource) = (next(), next(), next(), next(), next(), next());
    let optional = |text| Some(text).filter(|text: &&str| !text.is_empty());
    // What a header can hold; `sign` leaves the rest to its caller.
    let fits = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte));
    if id.is_empty() || nonce.is_empty() || ![id, nonce, ext, app, dlg].into_iter().all(fits) {
        return "no header holds this".to_owned();
    }
    let resource = if resource.starts_with('/') { resource } else { RESOURCE };
    let token = AccessToken::new(TOKEN.to_owned());
    let request = sign::Request {
        method: "GET",
        resource,
        host: HOST,
        port: 443,
        ts_seconds: NOW_MS / 1000,
        nonce,
        hash: None,
        ext: optional(ext),
        app: optional(app),
        dlg: optional(app).and(optional(dlg)),
    };
    let header = sign::header(id, &token, &request);
    match read(&parts(resource, Some(&header))) {
        Ok(Some(signed)) => {
            assert_eq!(signed.id(), id);
            match signed.check_mac(Some(&token)) {
                Ok(authentic) => format!("authentic, ext {}", magnitude(authentic.authorized_scopes().unwrap_or_default().len())),
                Err(error) => panic!("signed and refused: {error} {header}"),
            }
        }
        Ok(None) => panic!("signed and not seen: {header}"),
        Err(error) => failure(&error, header.len()),
    }
}

/// The document in `ext`, signed by a client that may do a little: whatever it says, it is worth no more than that.
pub(super) fn ext(bytes: &[u8]) -> Outcome {
    let (id, token) = ("project/robot", AccessToken::new(TOKEN.to_owned()));
    let ext = match bytes.strip_prefix(b"raw:") {
        Some(raw) => text(raw).replace(['"', '\\'], "").chars().filter(|c| (' '..='~').contains(c)).collect(),
        None => STANDARD.encode(bytes),
    };
    let request = sign::Request {
        method: "GET",
        resource: RESOURCE,
        host: HOST,
        port: 443,
        ts_seconds: NOW_MS / 1000,
        nonce: "nonce",
        ext: Some(&ext).filter(|ext| !ext.is_empty()).map(String::as_str),
        ..sign::Request::default()
    };
    let header = sign::header(id, &token, &request);
    let signed = match read(&parts(RESOURCE, Some(&header))) {
        Ok(Some(signed)) => signed,
        Ok(None) => panic!("signed and not seen"),
        Err(error) => return failure(&error, header.len()),
    };
    let authentic = match signed.check_mac(Some(&token)) {
        Ok(authentic) => authentic,
        // The issuer of a certificate is another client, or none: then this key is not the one.
        Err(error) => return format!("mac: {}", failure(&error, header.len())),
    };
    let held_scopes = ScopeSet::new(["notes:read:*", "assume:project-role"]);
    let client = Issuer {
        client_id: authentic.key_owner(),
        token: &token,
        scopes: &held_scopes,
        expires_ms: NOW_MS + 60_000,
        disabled: false,
        revoked: falconer_credentials::Revoked::default(),
    };
    match evaluate(&authentic, &client, NOW_MS, &|scopes: &[&str]| ScopeSet::new(scopes)) {
        Ok(verified) => {
            let more: Vec<&str> =
                verified.scopes.iter().filter(|scope| *scope != "assume:anonymous" && !held_scopes.satisfies(scope)).collect();
            assert!(more.is_empty(), "worth more than its client: {more:?}");
            assert!(verified.expires_ms <= NOW_MS + 60_000, "lasts longer than its client");
            format!("verified with {} scopes", magnitude(verified.scopes.len()))
        }
        Err(error) => failure(&error, header.len()),
    }
}

/// The content type under which a payload is hashed: its first part, whatever its letter case and parameters.
pub(super) fn payload_content_type(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let hash = payload::hash(&text, b"body");
    assert_eq!(hash.len(), 44);
    assert_eq!(hash, payload::hash(&format!("{text};charset=utf-8"), b"body"), "parameters do not count");
    assert_eq!(hash, payload::hash(&text.to_lowercase(), b"body"), "letter case does not count");
    assert_ne!(hash, payload::hash(&text, b"another body"));
    let kind = text.split(';').next().unwrap_or_default();
    format!("{} {}", text.contains(';'), magnitude(kind.len()))
}
