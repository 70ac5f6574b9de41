//! The stable word for each reason of a refusal: what programs decide by, and what people search the documentation for. Texts may change, these may not.

use falconer_auth::{CertificateFault, ClientState, ExtFault, Failure, GrantState, ProofFault, Reason, TokenFault};

/// A request that nobody signed lacks scopes.
pub(crate) const NO_CREDENTIALS: &str = "no-credentials";
/// The credentials hold, and lack scopes.
pub(crate) const SCOPES_MISSING: &str = "scopes-missing";

/// The word of a reason why credentials do not hold.
pub(crate) fn of(reason: &Reason) -> &'static str {
    match reason {
        Reason::Credentials(failure) => of_failure(failure),
        Reason::OtherHost => "other-host",
        Reason::TwoSchemes => "two-schemes",
        Reason::SeveralAuthorizations => "malformed",
        Reason::PayloadHash { .. } => "payload-differs",
        Reason::PayloadNotSigned => "payload-not-signed",
        Reason::Token(fault) => match fault {
            TokenFault::Malformed => "token-malformed",
            TokenFault::Unknown => "token-unknown",
            TokenFault::Ended => "token-expired",
            TokenFault::OtherService => "token-other-service",
            TokenFault::Bound => "token-bound",
            TokenFault::NotBound => "token-not-bound",
        },
        Reason::Proof(fault) => match fault {
            ProofFault::Missing => "proof-missing",
            ProofFault::Malformed(_) => "proof-malformed",
            ProofFault::OtherKey => "proof-other-key",
            ProofFault::Method { .. } => "proof-method",
            ProofFault::Url { .. } => "proof-url",
            ProofFault::Time { .. } | ProofFault::NotNow => "proof-stale",
            ProofFault::OtherToken => "proof-other-token",
            ProofFault::Signature => "proof-signature",
            ProofFault::Replayed => "proof-replayed",
            ProofFault::FollowUp => "follow-up",
            ProofFault::TooMany => "proof-too-many",
        },
        Reason::Replayed => "replayed",
        Reason::ReservedName { .. } => "reserved-name",
        Reason::Grant { state, .. } => match state {
            GrantState::Unknown => "grant-unknown",
            GrantState::Revoked => "grant-revoked",
            GrantState::Ended => "grant-ended",
            GrantState::AccountUnknown | GrantState::AccountInactive => "account-inactive",
        },
        Reason::OwnerInactive { .. } | Reason::PersonInactive { .. } => "account-inactive",
        Reason::TooManySteps { .. } => "too-many-roles",
    }
}

fn of_failure(failure: &Failure) -> &'static str {
    match failure {
        Failure::Form(_) => "malformed",
        Failure::BadMac => "bad-mac",
        Failure::Client { state, .. } => match state {
            ClientState::NotFound => "client-not-found",
            ClientState::Disabled => "client-disabled",
            ClientState::Expired => "client-expired",
        },
        Failure::Certificate(fault) => match fault {
            CertificateFault::NotYet => "certificate-not-yet-valid",
            CertificateFault::Over => "certificate-expired",
            CertificateFault::Revoked { .. } => "certificate-revoked",
            CertificateFault::IssuerMayNotName { .. } | CertificateFault::IssuerLacksScopes { .. } => "certificate-scopes",
            CertificateFault::Issuer
            | CertificateFault::IssuerIsClient
            | CertificateFault::Object
            | CertificateFault::Version
            | CertificateFault::Seed
            | CertificateFault::SeedLength
            | CertificateFault::Start
            | CertificateFault::Expiry
            | CertificateFault::Scopes
            | CertificateFault::InvalidScopes
            | CertificateFault::TooLong
            | CertificateFault::NameWithoutIssuer
            | CertificateFault::Name
            | CertificateFault::Signature
            | CertificateFault::NamedSignature => "certificate-invalid",
        },
        Failure::Ext(fault) => match fault {
            ExtFault::Unreadable | ExtFault::AuthorizedScopes | ExtFault::InvalidAuthorizedScopes => "ext-invalid",
            ExtFault::NotSatisfied { .. } => "authorized-scopes",
        },
        Failure::StaleTimestamp => "stale-timestamp",
        Failure::BewitOver => "bewit-expired",
    }
}
