//! Why a request was not accepted.

use std::borrow::Cow;
use std::fmt;

/// Why a request was refused. `Display` is the exact message of hawk.md 12, which goes out as the `message` of an `auth-failed` result.
/// It never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    message: Cow<'static, str>,
}

/// A coarse reason, for metrics (hawk.md 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The header or the bewit does not have the form that it should.
    Malformed,
    /// The MAC is wrong, or the client is unknown.
    InvalidSignature,
    /// The client exists and has the right key, but is disabled, has expired, or can't be used.
    ClientState,
    /// Something in `ext.certificate`.
    Certificate,
    /// `ext` itself, or `ext.authorizedScopes`.
    Ext,
    /// A stale timestamp, or a bewit that is over.
    Timestamp,
}

impl FailureKind {
    /// The value of the metrics label `reason`.
    pub fn label(self) -> &'static str {
        match self {
            FailureKind::Malformed => "other",
            FailureKind::InvalidSignature => "invalid_signature",
            FailureKind::ClientState => "client_not_found",
            FailureKind::Certificate => "certificate_error",
            FailureKind::Ext => "ext_validation_error",
            FailureKind::Timestamp => "timestamp_error",
        }
    }
}

impl Failure {
    /// A reason with a message of the caller's own, for the rules that other crates add (grants, origins). The message goes out.
    pub fn new(kind: FailureKind, message: impl Into<Cow<'static, str>>) -> Failure {
        Failure { kind, message: message.into() }
    }

    /// The coarse reason.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The message, as `Display` prints it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `Unauthorized: Bad mac`: all that anybody without the key learns.
    pub fn bad_mac() -> Failure {
        Failure::new(FailureKind::InvalidSignature, "Unauthorized: Bad mac")
    }

    /// `Client with clientId '<id>' not found`. Not for `authenticateHawk` (that would tell who exists); `testAuthenticate` owes it.
    pub fn client_not_found(client_id: &str) -> Failure {
        Failure::new(FailureKind::ClientState, format!("Client with clientId '{client_id}' not found"))
    }

    pub(crate) fn client_disabled(client_id: &str) -> Failure {
        Failure::new(FailureKind::ClientState, format!("Client with clientId '{client_id}' is disabled"))
    }

    // The colon is the reference's.
    pub(crate) fn client_expired(client_id: &str) -> Failure {
        Failure::new(FailureKind::ClientState, format!("Client with clientId: '{client_id}' has expired"))
    }

    pub(crate) fn malformed(message: impl Into<Cow<'static, str>>) -> Failure {
        Failure::new(FailureKind::Malformed, message)
    }

    pub(crate) fn ext(message: impl Into<Cow<'static, str>>) -> Failure {
        Failure::new(FailureKind::Ext, message)
    }

    pub(crate) fn certificate(message: impl Into<Cow<'static, str>>) -> Failure {
        Failure::new(FailureKind::Certificate, message)
    }

    pub(crate) fn timestamp(message: &'static str) -> Failure {
        Failure::new(FailureKind::Timestamp, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
