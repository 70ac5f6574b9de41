//! Hawk request authentication and temporary credentials: read, sign, verify.
//!
//! Pure: no I/O, no clock, no randomness. Time is an argument in milliseconds since 1970. Random bytes are arguments too. Cases in
//! `vectors/` say what is right, and `tests/vectors.rs` runs them. Where Falconer differs, `tests/differences.json` says why.
//!
//! Verification goes in three steps, and the types allow no other order. So nothing is told to somebody who holds no key:
//!
//! 1. [`read`] looks at the form of a request and says whose key is needed ([`Signed::key_owner`]). It knows no clients.
//! 2. [`Signed::check_mac`] compares the MAC in constant time. An unknown client runs against a dummy key. The only answer besides success is
//!    `Unauthorized: Bad mac`. Only this step makes an [`Authentic`].
//! 3. [`evaluate`] looks at everything that was claimed: the client's state, `ext`, the certificate, authorized scopes, and at last the time.
//!    Here the caller is owed the exact messages of the protocol. [`evaluate_internal`] does the same for certificates that Falconer's own grant
//!    issuers signed.
//!
//! The other direction: [`sign`] makes headers, bewits and `ext`; [`temporary`] makes temporary credentials; [`payload`] hashes a body.
//!
//! ```
//! use falconer_credentials::{Issuer, RequestParts, Revoked, evaluate, new_access_token, read, sign};
//! use falconer_scopes::ScopeSet;
//!
//! // A client signs ...
//! let token = new_access_token([7; 32]);
//! let request = sign::Request {
//!     method: "get", resource: "/notes?tag=a", host: "notes.example.com", port: 443, ts_seconds: 1767225600, nonce: "k3J9aQ", ..Default::default()
//! };
//! let header = sign::header("ann/laptop", &token, &request);
//!
//! // ... and a server verifies.
//! let parts = RequestParts {
//!     method: "GET", resource: "/notes?tag=a", host: "notes.example.com", port: 443, authorization: Some(&header),
//! };
//! let signed = read(&parts)?.expect("there is a header");
//! assert_eq!(signed.key_owner(), "ann/laptop");
//! let authentic = signed.check_mac(Some(&token))?;
//! let scopes = ScopeSet::new(["notes:*"]);
//! let revoked = Revoked::default();
//! let client = Issuer { client_id: "ann/laptop", token: &token, expires_ms: 1798761600000, disabled: false, scopes: &scopes, revoked };
//! let verified = evaluate(&authentic, &client, 1767225600000, &|scopes| ScopeSet::new(scopes))?;
//! assert!(verified.scopes.satisfies("notes:read"));
//! # Ok::<(), falconer_credentials::Failure>(())
//! ```
//!
//! The same in two steps for access tokens that are shown and sign nothing: [`PresentedToken::read`] looks at the form, [`PresentedToken::check_mac`] gives what the token says.
//!
//! Such a token may be bound to a key: then a [`DpopProof`] of that key goes with each request that shows it (RFC 9449).
//! An application may say who it is by a [`ClientAssertion`] that a [`RegisteredKey`] of it has signed (RFC 7523).
//!
//! It remembers no nonces: the protocol has no replay protection. It does not compare payload hashes: the API layer has the body. It knows nothing of grants,
//! of HTTP, or of roles: expansion is an argument.
//!
//! To add a check, find its place in the order in [`evaluate()`] and give it a variant in `failure`. Add a case to the tests with the right MAC, which owes the
//! exact message, and one with a wrong MAC, which owes silence.

mod assertion;
mod bearer;
mod certificate;
mod dpop;
mod evaluate;
mod failure;
mod hawk;
mod jws;
mod key;

pub use assertion::client_assertion::{
    ASSERTION_ALGORITHMS, ASSERTION_LIFETIME_MS, AssertionFault, CLIENT_ASSERTION_TYPE, ClientAssertion,
};
pub use bearer::follow_up::ProvedRequest;
pub use bearer::kind::BearerKind;
pub use bearer::services::BoundServices;
pub use bearer::token::{BearerClaims, BearerKey, PresentedToken};
pub use certificate::claims::{Revoked, is_client_id};
pub use certificate::temporary;
pub use dpop::fault::ProofFault;
pub use dpop::proof::{DpopProof, PROOF_ALGORITHMS, PROOF_LIFETIME_MS, ProofFor};
pub use dpop::url::UrlScheme;
pub use evaluate::{InternalClaim, Issuer, Verified, authorized_scopes_failure, evaluate, evaluate_internal};
pub use failure::{CertificateFault, ClientState, ExtFault, Failure, FormFault};
pub use hawk::authentic::{Authentic, Signed};
pub use hawk::bewit::is_signed_twice;
pub use hawk::read::{RequestParts, read};
pub use hawk::unmatched::{RefusalSecret, SignedFor, Unmatched};
pub use hawk::{authority, payload, sign, timestamp};
pub use jws::algorithm::JwsAlgorithm;
pub use jws::compact::CompactJws;
pub use jws::public_key::{JwkMembers, KeyThumbprint, PublicKey};
pub use jws::registered_key::{KeyFault, RegisteredKey};
pub use key::access_token::{AccessToken, new_access_token, nice_slugid, slugid};
