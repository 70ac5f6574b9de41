//! Everything after the MAC, in the protocol's order: `ext`, the certificate, the time.

use crate::certificate::claims::{Claims, Revoked};
use crate::certificate::ext::Ext;
use crate::certificate::field::NotScopes;
use crate::failure::{CertificateFault, ClientState, ExtFault};
use crate::hawk::authentic::Authentic;
use crate::{AccessToken, Failure};
use falconer_scopes::ScopeSet;

const ANONYMOUS: &str = "assume:anonymous";

/// The client whose key a request was signed with, or that issued its temporary credentials.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// Its clientId; must be [`Authentic::key_owner`].
    pub client_id: &'a str,
    /// Its present access token; must be the one that the MAC was checked with.
    pub token: &'a AccessToken,
    /// When it expires, in milliseconds since the epoch. It is still valid at this very millisecond.
    pub expires_ms: i64,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Its scopes, expanded by roles, without what the role `anonymous` gives.
    pub scopes: &'a ScopeSet,
    /// What it has revoked of the certificates that it issued.
    pub revoked: Revoked,
}

/// A request that may proceed. Only [`evaluate()`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The `id` of the request: the client, or the name of named temporary credentials.
    pub client_id: String,
    /// What it may do: expanded, with what the role `anonymous` gives.
    pub scopes: ScopeSet,
    /// When the credentials end, in milliseconds since the epoch: the earlier of the client's expiry and the certificate's. A certificate's may
    /// lie up to five minutes in the past.
    pub expires_ms: i64,
    /// The payload hash as sent, for the API layer to compare. Never for a bewit.
    pub hash: Option<String>,
}

/// What a certificate of one of Falconer's own issuers says. The rules of grants decide what it allows. Only [`evaluate_internal`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InternalClaim {
    /// The `id` of the request.
    pub client_id: String,
    /// The scopes of the certificate, as given, neither sorted nor expanded.
    pub scopes: Vec<String>,
    /// Whether it is a named certificate, so that its signature covers `client_id`.
    pub named: bool,
    /// The certificate's expiry in milliseconds since the epoch, at most five minutes in the past.
    pub expires_ms: i64,
    /// The authorized scopes as given, valid scopes all; not compared with anything yet.
    pub authorized_scopes: Option<Vec<String>>,
    /// The payload hash as sent. Never for a bewit.
    pub hash: Option<String>,
}

/// Judges a request of an ordinary client: `ext` and the claimed issuer, the client's state, the certificate, authorized scopes, and last the
/// timestamp, or the expiry of a bewit. `expand` is expansion by roles.
///
/// Fails with the exact message of the protocol. Where `client` is not the one whose key made the MAC, that is `Unauthorized: Bad mac`.
pub fn evaluate(a: &Authentic<'_>, client: &Issuer<'_>, now_ms: i64, expand: &dyn Fn(&[&str]) -> ScopeSet) -> Result<Verified, Failure> {
    a.check_key(client.client_id, client.token)?;
    check_ext(a)?;
    if client.disabled {
        return Err(Failure::client(client.client_id, ClientState::Disabled));
    }
    if client.expires_ms < now_ms {
        return Err(Failure::client(client.client_id, ClientState::Expired));
    }
    let (mut scopes, expires_ms) = if a.ext().has_certificate() {
        let claims = Claims::read(a.ext(), a.id(), now_ms)?;
        claims.check_issuer_scopes(client.client_id, client.scopes)?;
        claims.check_signature(client.token)?;
        claims.check_not_revoked(client.client_id, client.revoked)?;
        (expand_with_anonymous(claims.scopes, expand), client.expires_ms.min(claims.expiry_ms))
    } else {
        // Expansion of a union is the union of the expansions, and the client's scopes are expanded already.
        (client.scopes.union(&expand(&[ANONYMOUS])), client.expires_ms)
    };
    if let Some(authorized) = authorized_scopes(a)? {
        if !scopes.satisfies_all(authorized.iter().copied()) {
            return Err(authorized_scopes_failure_of(&scopes, &authorized));
        }
        scopes = expand_with_anonymous(authorized, expand);
    }
    a.check_time(now_ms)?;
    Ok(Verified { client_id: a.id().to_owned(), scopes, expires_ms, hash: a.hash().map(str::to_owned) })
}

/// Judges a request that was signed with the key of an internal issuer, as [`evaluate()`] does. An internal issuer has no state and no scopes, so these are not
/// checked. The caller decides whether the claim is one that grants allow, and whether the grant stands.
///
/// An internal issuer is no client. Without a certificate it fails as an unknown client would.
pub fn evaluate_internal(a: &Authentic<'_>, issuer_id: &str, token: &AccessToken, now_ms: i64) -> Result<InternalClaim, Failure> {
    a.check_key(issuer_id, token)?;
    check_ext(a)?;
    if !a.ext().has_certificate() {
        return Err(Failure::client_not_found(issuer_id));
    }
    let claims = Claims::read(a.ext(), a.id(), now_ms)?;
    claims.check_no_client_id()?;
    claims.check_signature(token)?;
    let authorized = authorized_scopes(a)?;
    a.check_time(now_ms)?;
    let own = |scopes: Vec<&str>| scopes.into_iter().map(str::to_owned).collect();
    Ok(InternalClaim {
        client_id: a.id().to_owned(),
        named: claims.is_named(),
        expires_ms: claims.expiry_ms,
        scopes: own(claims.scopes),
        authorized_scopes: authorized.map(own),
        hash: a.hash().map(str::to_owned),
    })
}

/// The failure of credentials that do not satisfy their authorized scopes: `held` with what the role `anonymous` gives, `authorized` as given.
pub fn authorized_scopes_failure(held: &ScopeSet, authorized: &[String]) -> Failure {
    authorized_scopes_failure_of(held, authorized)
}

fn authorized_scopes_failure_of<S: AsRef<str>>(held: &ScopeSet, authorized: &[S]) -> Failure {
    ExtFault::NotSatisfied {
        held: held.iter().map(str::to_owned).collect(),
        authorized: authorized.iter().map(|scope| scope.as_ref().to_owned()).collect(),
    }
    .into()
}

/// `ext` can be read, and an issuer is the text of another client.
fn check_ext(a: &Authentic<'_>) -> Result<(), Failure> {
    if matches!(a.ext(), Ext::Unreadable) {
        return Err(Ext::unreadable());
    }
    match a.ext().issuer() {
        None => Ok(()),
        Some(None) => Err(CertificateFault::Issuer.into()),
        Some(Some(issuer)) if issuer == a.id() => Err(CertificateFault::IssuerIsClient.into()),
        Some(Some(_)) => Ok(()),
    }
}

fn authorized_scopes<'e>(a: &'e Authentic<'_>) -> Result<Option<Vec<&'e str>>, Failure> {
    match a.ext().authorized_scopes() {
        None => Ok(None),
        Some(Ok(scopes)) => Ok(Some(scopes)),
        Some(Err(NotScopes::NoArray)) => Err(ExtFault::AuthorizedScopes.into()),
        Some(Err(NotScopes::NotAll)) => Err(ExtFault::InvalidAuthorizedScopes.into()),
    }
}

fn expand_with_anonymous(mut scopes: Vec<&str>, expand: &dyn Fn(&[&str]) -> ScopeSet) -> ScopeSet {
    scopes.push(ANONYMOUS);
    expand(&scopes)
}
