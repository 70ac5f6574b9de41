//! What is kept about clients, roles, issuers and grants.

use crate::Secret;
use crate::records::RevokedCertificates;

/// A client: not a person, but a name with a secret, scopes and an expiry. Source: `createClient` of the auth API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// The unique name, at most 1280 characters of printable ASCII.
    pub client_id: String,
    /// Markdown, for people.
    pub description: String,
    /// The key that signs. Sealed at rest.
    pub access_token: Secret,
    /// The one before it, where it still counts. Sealed at rest.
    pub old_token: Option<OldToken>,
    /// When the client ends, microseconds since 1970: finer than the rest, because `createClient` compares what it was given.
    pub expires_us: i64,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
    /// Milliseconds since 1970. Only ever moves forward, by [`crate::Store::note_uses`] or a record with a later value.
    pub last_date_used_ms: i64,
    /// When the access token was made, milliseconds since 1970.
    pub last_rotated_ms: i64,
    /// The owner's wish that the record go when it has expired.
    pub delete_on_expiration: bool,
    /// As the caller gave them, in stored order, not expanded.
    pub scopes: Vec<String>,
    /// Switched off: exists, but may not sign.
    pub disabled: bool,
    /// The id of the grant that the client was made with, and whose worth bounds the client's.
    pub grant: Option<String>,
    /// What counts no more of the certificates that it has issued.
    pub revoked: RevokedCertificates,
}

impl ClientRecord {
    /// What a write of this record makes of `stored`: a token that stands for one that did not open is no other token, and what is stored stays.
    pub fn written_over(&self, stored: &ClientRecord) -> ClientRecord {
        let mut written = self.clone();
        written.last_date_used_ms = self.last_date_used_ms.max(stored.last_date_used_ms);
        if self.access_token.is_of_nobody() {
            written.access_token.clone_from(&stored.access_token);
        }
        if let (Some(old), Some(stored)) = (written.old_token.as_mut().filter(|old| old.token.is_of_nobody()), &stored.old_token) {
            old.token.clone_from(&stored.token);
        }
        written
    }
}

/// An access token that was replaced and goes on for a while, beside the one that replaced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldToken {
    /// The key that signed until then.
    pub token: Secret,
    /// From then on it counts no more, milliseconds since 1970.
    pub ends_ms: i64,
}

/// A role: whoever has `assume:<role_id>` has its scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRecord {
    /// The unique name; may end in `*`.
    pub role_id: String,
    /// In stored order, not expanded; may hold `<..>`.
    pub scopes: Vec<String>,
    /// Markdown, for people.
    pub description: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// Falconer's own signer of grant certificates. Not a client: in no listing, and nobody signs a request as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRecord {
    /// `static/falconer/grants-<n>`.
    pub name: String,
    /// The key that signs. Sealed at rest.
    pub token: Secret,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// When it stopped signing, milliseconds since 1970; it still verifies what it signed.
    pub retired_ms: Option<i64>,
}

/// So many grants that count at the time of a step may be derived from one that a person gave, directly or one from the other.
pub const MOST_DERIVED_GRANTS: u32 = 100;

/// What a person let a target do for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRecord {
    /// 128 random bits as slugid text.
    pub id: String,
    /// `<provider>/<subject>` of the person.
    pub identity: String,
    /// The exact target as given; for a registered application its id.
    pub target: String,
    /// Scheme, host and port of the target, such as `https://notes.example.com`.
    pub target_origin: String,
    /// The clientId that the certificate names: `<identity>/<host>/<id>`.
    pub client_id: String,
    /// What was granted: closed under the expansion of its time, normalized.
    pub scopes: Vec<String>,
    /// A label only: the person took all that was on offer.
    pub everything: bool,
    /// Origins that may learn who the person is.
    pub identity_for: Vec<String>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// First instant of the certificate, milliseconds since 1970.
    pub start_ms: i64,
    /// The end, milliseconds since 1970, without tolerance.
    pub expires_ms: i64,
    /// The name of the issuer that signed.
    pub issuer: String,
    /// The certificate's seed, from which the same credential can be derived again.
    pub seed: String,
    /// The one-time nonce of the form. At most one grant of a person that is not revoked has a given nonce; empty where there was no form.
    pub nonce: String,
    /// A hash of the choices made in the form.
    pub choices: String,
    /// What it goes to is called this: the name that the administrator registered, or the host.
    pub label: String,
    /// What the person calls it.
    pub name: Option<String>,
    /// The id of the grant that it was derived from, which it is never worth more than.
    pub parent: Option<String>,
    /// What it is for, in the words of who asked for it.
    pub purpose: Option<String>,
    /// The id of the application that it was made for, or whose grant it was derived from. `None`: a site, or it was made before this was noted.
    pub application: Option<String>,
    /// The id of the grant whose holder asked for more and got this one. It is revoked with that one, and does not end with it.
    pub widens: Option<String>,
    /// Milliseconds since 1970, at most a minute behind.
    pub last_used_ms: Option<i64>,
    /// How often it was used.
    pub use_count: i64,
    /// Milliseconds since 1970. Set once.
    pub revoked_ms: Option<i64>,
    /// Who revoked it: a clientId or an identity.
    pub revoked_by: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
}
