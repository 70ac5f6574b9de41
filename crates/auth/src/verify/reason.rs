//! Why nobody was verified, as a value: texts, statuses, labels and log fields are made of it where an answer leaves the process.

use falconer_credentials::{CertificateFault, ExtFault, Failure, ProofFault};
use falconer_store::StoreError;

use crate::time::in_words;

/// Why credentials do not hold: the caller's fault. `Display` is the exact text of the protocol, or Falconer's own for its grants; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The header, the bewit, the certificate, `ext`, or the state of the client.
    #[error("{0}")]
    Credentials(#[from] Failure),
    /// A call to Falconer's own API that was signed for a host that is not one of its own. The caller is told what a wrong MAC is told.
    #[error("Unauthorized: Bad mac")]
    OtherHost,
    /// A header and a bewit at once.
    #[error("Cannot use two authentication schemes at once this request has both bewit in querystring and 'authorization' header")]
    TwoSchemes,
    /// Several Authorization headers: two readers could disagree about which of them counts.
    #[error("There are several Authorization headers: send one")]
    SeveralAuthorizations,
    /// The signed payload hash is not that of the payload. The protocol's text has more words (`falconer_wire::error::payload_hash`).
    #[error("Invalid payload hash; the hash of the payload is {computed}")]
    PayloadHash {
        /// What was signed.
        signed: String,
        /// The hash of what was sent.
        computed: String,
    },
    /// A body arrived at a service, and the signature names no payload hash.
    #[error("This service accepts a body only if its hash is signed")]
    PayloadNotSigned,
    /// The access token itself; what is wrong with its grant is [`Reason::Grant`].
    #[error("{}", token_text(*.0))]
    Token(TokenFault),
    /// The proof that goes with an access token.
    #[error("{0}")]
    Proof(ProofFault),
    /// A signature that has changed something before, where each may do that once only.
    #[error("Unauthorized: This signature was used before. Sign the request anew.")]
    Replayed,
    /// A certificate names a clientId that belongs to Falconer, or to a grant.
    #[error("The clientId {client_id} is reserved")]
    ReservedName {
        /// The name.
        client_id: String,
    },
    /// The grant behind the credentials, or behind their client.
    #[error("{}", grant_text(id, *state))]
    Grant {
        /// The grant's id.
        id: String,
        /// What is wrong with it.
        state: GrantState,
    },
    /// The person to whom the client belongs is gone or disabled.
    #[error("The account behind client `{client_id}` is not active")]
    OwnerInactive {
        /// The client.
        client_id: String,
    },
    /// The scopes of the credentials lead through roles that multiply: what they come to can't be said within what one request may cost.
    #[error("The scopes of `{client_id}` lead to too many roles: expanding them takes more than one request may cost")]
    TooManySteps {
        /// The client, or the name of temporary credentials.
        client_id: String,
    },
    /// The person who is signed in is gone or disabled.
    #[error("The account {identity} is not active")]
    PersonInactive {
        /// The person.
        identity: String,
    },
}

/// What is wrong with an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// It was not copied as it was, or it never was one: its checksum is wrong.
    Malformed,
    /// Falconer has not made it.
    Unknown,
    /// Its time is over.
    Ended,
    /// It is bound to others than the service that it was shown to.
    OtherService,
    /// It is bound to a key, and was shown as if it were not.
    Bound,
    /// It is bound to no key, and was shown as if it were.
    NotBound,
}

/// What is wrong with a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// This node knows none of this id.
    Unknown,
    /// Somebody ended it.
    Revoked,
    /// Its time is over.
    Ended,
    /// This node does not know the person.
    AccountUnknown,
    /// The person is disabled.
    AccountInactive,
}

/// Why this node can't say whether credentials hold: never the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    /// The node's clock is behind what was stored: it can't tell what has ended, and verifies nobody.
    #[error("{}", clock_behind_text(*behind_ms))]
    ClockBehind {
        /// How far, in milliseconds.
        behind_ms: i64,
    },
    /// The node has not seen what other nodes write for longer than it may: it verifies nobody.
    #[error("{}", cut_off_text(*for_ms))]
    CutOff {
        /// For how long, in milliseconds.
        for_ms: i64,
    },
    /// What this node does not know may be in the store, which does not answer.
    #[error("{0}")]
    Store(StoreError),
}

impl Reason {
    /// The grant that was unknown here, itself or its person, and that another node may have stored since.
    pub(crate) fn unknown_grant(&self) -> Option<&str> {
        match self {
            Reason::Grant { id, state: GrantState::Unknown | GrantState::AccountUnknown } => Some(id),
            _ => None,
        }
    }

    /// The same without lists of scopes, which may be long: for what is kept.
    pub(crate) fn without_lists(self) -> Reason {
        match self {
            Reason::Credentials(Failure::Ext(ExtFault::NotSatisfied { .. })) => {
                Reason::Credentials(Failure::Ext(ExtFault::NotSatisfied { held: Vec::new(), authorized: Vec::new() }))
            }
            Reason::Credentials(Failure::Certificate(CertificateFault::IssuerLacksScopes { issuer, .. })) => {
                Reason::Credentials(Failure::Certificate(CertificateFault::IssuerLacksScopes { issuer, scopes: String::new() }))
            }
            Reason::Credentials(Failure::Form(fault)) => Reason::Credentials(Failure::Form(fault.without_long_names())),
            other => other,
        }
    }

    /// The client of this id is not there, as the protocol says it.
    pub(crate) fn client_not_found(client_id: &str) -> Reason {
        Reason::Credentials(Failure::client_not_found(client_id))
    }
}

fn token_text(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::Malformed => "This is no access token of Falconer: it is mistyped, cut off, or somebody else's",
        TokenFault::Unknown => "The access token is not known",
        TokenFault::Ended => "The access token has expired",
        TokenFault::OtherService => "The access token was made for another service",
        TokenFault::Bound => "The access token is bound to a key: send it as Authorization: DPoP, with a proof in the header DPoP",
        TokenFault::NotBound => "The access token is bound to no key: send it as Authorization: Bearer",
    }
}

fn grant_text(id: &str, state: GrantState) -> String {
    match state {
        GrantState::Unknown => format!("The grant {id} does not exist"),
        GrantState::Revoked => format!("The grant {id} has been revoked"),
        GrantState::Ended => format!("The grant {id} has ended"),
        GrantState::AccountUnknown | GrantState::AccountInactive => format!("The account behind grant {id} is not active"),
    }
}

/// The sentence about a clock that is behind, for callers and for the log.
pub(crate) fn clock_behind_text(behind_ms: i64) -> String {
    format!(
        "The clock of this server is {} behind the time of its last change; it authenticates nobody until that is corrected",
        in_words(behind_ms)
    )
}

/// The sentence about a node that is cut off, for callers and for the log.
pub(crate) fn cut_off_text(for_ms: i64) -> String {
    format!(
        "This server has not reached its database for {}, so that it may have missed what was revoked; it authenticates nobody until it reaches it again",
        in_words(for_ms)
    )
}
