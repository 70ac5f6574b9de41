//! Signed access tokens (RFC 9068), where they come back to Falconer.
//!
//! Services verify their signatures by themselves. Here the `jti` is looked at first: it is a text under a MAC, as an opaque token is, so that no stranger has a signature
//! verified, and what the token is bound to is read from it (`docs/adr/0311`).

use falconer_credentials::{BearerKind, PresentedToken};
use serde_json::Value;

use crate::directory::snapshot::Snapshot;
use crate::node::Auth;
use crate::settings::Origin;
use crate::signing::jws::SentJws;
use crate::verify::reason::{Reason, TokenFault};
use crate::verify::tokens::token::{TokenOfGrant, authentic};

/// The `typ` of signed access tokens.
pub const SIGNED_TOKEN: &str = "at+jwt";
/// Each JWS that has a header of JSON begins with it, and no opaque token does.
const BEGIN: &str = "eyJ";
/// No signed token is longer, in bytes.
const LONGEST: usize = 8192;

/// A signed token that Falconer has made, whatever has become of its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedToken {
    /// What its `jti` says.
    pub token: TokenOfGrant,
    /// `client_id`
    pub application: String,
    /// `aud`
    pub resource: String,
}

impl Auth {
    /// What a signed token says, if Falconer has signed it. It may have ended, and so may its grant.
    pub fn read_signed_token(&self, text: &str) -> Option<SignedToken> {
        let (token, claims) = signed(&self.node.directory.load(), text, &self.node.settings.public_origin, self.now_ms()).ok()?;
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(SignedToken { token, application: claim("client_id")?, resource: claim("aud")? })
    }
}

/// An access token of either form, by its MAC and, where it is signed, its signature; nothing of the grant.
pub(super) fn authentic_access(snapshot: &Snapshot, text: &str, issuer: &Origin, now_ms: i64) -> Result<TokenOfGrant, Reason> {
    if text.starts_with(BEGIN) {
        return signed(snapshot, text, issuer, now_ms).map(|(token, _)| token);
    }
    authentic(snapshot, PresentedToken::read(BearerKind::Access, text))
}

/// What an access token of either form has under its MAC. Nothing proves it yet.
pub(super) fn presented(text: &str) -> Option<PresentedToken> {
    if text.starts_with(BEGIN) { name_of(&read(text)?) } else { PresentedToken::read(BearerKind::Access, text) }
}

fn signed(snapshot: &Snapshot, text: &str, issuer: &Origin, now_ms: i64) -> Result<(TokenOfGrant, Value), Reason> {
    let sent = read(text).ok_or(Reason::Token(TokenFault::Malformed))?;
    let token = authentic(snapshot, name_of(&sent))?;
    let claims = sent.claims_by(&snapshot.published_keys(now_ms)).ok_or(Reason::Token(TokenFault::Unknown))?;
    // Falconer had another address when it signed it: services refuse it too.
    if claims.get("iss").and_then(Value::as_str) != Some(issuer.to_string().as_str()) {
        return Err(Reason::Token(TokenFault::Unknown));
    }
    Ok((token, claims))
}

/// INVARIANT: what else is signed has another type, and is no access token.
fn read(text: &str) -> Option<SentJws<'_>> {
    let sent = if text.len() <= LONGEST { SentJws::read(text)? } else { return None };
    sent.is_of_type(SIGNED_TOKEN).then_some(sent)
}

fn name_of(sent: &SentJws<'_>) -> Option<PresentedToken> {
    PresentedToken::read(BearerKind::Signed, sent.unproved("jti")?)
}
