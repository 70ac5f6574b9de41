//! Who is at fault, grouped as the web layer answers it.

use falconer_scopes::{Expression, RoleError};
use falconer_store::{ClientRecord, StoreError};

use crate::time::in_words;
use crate::verify::reason::{Reason, Unable, clock_behind_text, cut_off_text};

/// Why a use case did not do what was asked. The variants are by who is at fault; texts are what the caller
/// may read, except in [`ApiError::Internal`], [`ApiError::Unavailable`] and [`ApiError::OutcomeUnknown`], which are for the log.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ApiError {
    /// 401: credentials were given and do not hold.
    #[error("{0}")]
    AuthenticationFailed(#[from] Reason),
    /// 403: the caller lacks scopes, or has no credentials at all (`client_id` is `None`). The protocol's text is made where it is sent.
    #[error("{} lacks {missing} of {required}", client_id.as_deref().unwrap_or("nobody"))]
    InsufficientScopes {
        /// Who asked; `None` without credentials.
        client_id: Option<String>,
        /// The part of `required` that the caller does not satisfy.
        missing: Expression,
        /// The whole expression with its parameters filled in.
        required: Expression,
    },
    /// 403: what was asked for would go on when the grant that the caller acts with has ended.
    #[error("What is given to people lasts, and credentials of a grant do not: use credentials of your own")]
    OutlivesGrant {
        /// The id of that grant.
        grant: String,
    },
    /// 400 `InvalidRequestArguments`.
    #[error("{0}")]
    InvalidRequestArguments(String),
    /// 400 `InputError`.
    #[error("{0}")]
    InputError(String),
    /// 404 `ResourceNotFound`.
    #[error("{0}")]
    ResourceNotFound(String),
    /// 409 `RequestConflict`.
    #[error("{0}")]
    RequestConflict(String),
    /// 429 `TooManyRequests`.
    #[error("Too many requests; try again in {retry_after_seconds} seconds")]
    TooManyRequests {
        /// For the `Retry-After` header.
        retry_after_seconds: u64,
    },
    /// 503: this node's clock is behind the time of the last change, so that it can't tell what has ended. Nothing was done.
    #[error("{}", clock_behind_text(*behind_ms))]
    ClockBehind {
        /// How far, in milliseconds.
        behind_ms: i64,
    },
    /// 503: this node has not reached its store for longer than `max_staleness`, so that it can't tell what other nodes have revoked. Nothing was done.
    #[error("{}", cut_off_text(*for_ms))]
    CutOff {
        /// For how long, in milliseconds.
        for_ms: i64,
    },
    /// 503: this node's clock is implausibly far ahead of the time of the last change. A change would shut everybody out for as long once the clock is right
    /// again. Nothing was done.
    #[error("{}", clock_ahead_text(*ahead_ms))]
    ClockAhead {
        /// How far, in milliseconds.
        ahead_ms: i64,
    },
    /// 503: this node can't open the access token of a client, which another one may: it neither shows it nor lets it go on beside another one. Nothing was done.
    #[error(
        "This server can't open the access token of the client {client_id:?}: its key file lacks the key, or the value is damaged. Ask again once it has the key, or reset \
         the token without an overlap"
    )]
    TokenNotOpened {
        /// The client.
        client_id: String,
    },
    /// 503: the store is away or full, or keeps changing under the decision. Nothing was done. The text is for the log.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// 503: nobody knows whether the change was made: the store's answer to the commit was lost. The caller reads what it wanted to change, or asks again for
    /// what may be asked for twice. The text is for the log.
    #[error("nobody knows whether the change was made; look before you repeat it: {0}")]
    OutcomeUnknown(String),
    /// 500: a defect, a damaged store, or one that failed for good. The text is for the log and is never sent.
    #[error("internal: {0}")]
    Internal(String),
}

impl ApiError {
    /// Refuses to go on with a client's access token that did not open here.
    pub(crate) fn if_not_opened(client: &ClientRecord) -> Result<(), ApiError> {
        if client.access_token.is_of_nobody() {
            return Err(ApiError::TokenNotOpened { client_id: client.client_id.clone() });
        }
        Ok(())
    }

    /// The 403 for a caller who does not satisfy `required`.
    pub(crate) fn insufficient(client_id: Option<&str>, missing: Expression, required: Expression) -> ApiError {
        ApiError::InsufficientScopes { client_id: client_id.map(str::to_owned), missing, required }
    }

    /// The same where something was done before it: then nobody may be told that nothing was changed.
    #[must_use]
    pub fn after_a_change(self) -> ApiError {
        match self {
            ApiError::Unavailable(text) => ApiError::OutcomeUnknown(text),
            other => other,
        }
    }

    /// What a store's error means to whoever asked. Whoever met it first ends the process where it is fatal (`Node::store_error`).
    pub(crate) fn of_store(error: StoreError) -> ApiError {
        match error {
            StoreError::Unavailable(text)
            | StoreError::Full(text)
            | StoreError::InTheWay(text)
            | StoreError::InUse(text)
            | StoreError::Denied(text) => ApiError::Unavailable(text),
            StoreError::Unknown(text) => ApiError::OutcomeUnknown(text),
            StoreError::Corrupt(text) => ApiError::Internal(text),
            StoreError::Newer(_) => ApiError::Internal(error.to_string()),
            StoreError::Fatal(text) => ApiError::Internal(format!(
                "the store failed for good, so this process ends: look at its disk or its database, then start it again: {text}"
            )),
            StoreError::Stale | StoreError::Conflict => ApiError::Unavailable("records kept changing under the decision".to_owned()),
        }
    }
}

impl ApiError {
    /// Whether it refuses somebody of whom nothing is known: no credentials, or a signature that does not hold. Such a refusal asks the store nothing.
    pub(crate) fn is_of_nobody_known(&self) -> bool {
        match self {
            // Somebody has a session whom another node may have let in just now.
            ApiError::AuthenticationFailed(reason) => !matches!(reason, Reason::PersonInactive { .. }),
            ApiError::InsufficientScopes { client_id, .. } => client_id.is_none(),
            _ => false,
        }
    }

    /// Whether it may be another one, or none, where the records are others.
    pub(crate) fn rests_on_records(&self) -> bool {
        match self {
            ApiError::AuthenticationFailed(_)
            | ApiError::InsufficientScopes { .. }
            | ApiError::OutlivesGrant { .. }
            | ApiError::InputError(_)
            | ApiError::ResourceNotFound(_)
            | ApiError::RequestConflict(_) => true,
            ApiError::InvalidRequestArguments(_)
            | ApiError::TooManyRequests { .. }
            | ApiError::ClockBehind { .. }
            | ApiError::CutOff { .. }
            | ApiError::ClockAhead { .. }
            | ApiError::TokenNotOpened { .. }
            | ApiError::Unavailable(_)
            | ApiError::OutcomeUnknown(_)
            | ApiError::Internal(_) => false,
        }
    }
}

impl From<Unable> for ApiError {
    fn from(unable: Unable) -> Self {
        match unable {
            Unable::ClockBehind { behind_ms } => ApiError::ClockBehind { behind_ms },
            Unable::CutOff { for_ms } => ApiError::CutOff { for_ms },
            Unable::Store(error) => ApiError::of_store(error),
        }
    }
}

impl From<RoleError> for ApiError {
    fn from(error: RoleError) -> Self {
        ApiError::InputError(error.to_string())
    }
}

/// Why [`crate::Auth`] could not be opened, or could not be set up: the operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The configuration contradicts itself or the rules; the text says what and where.
    #[error("configuration: {0}")]
    Configuration(String),
    /// The store did not answer.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// Something that should exist only once is there already.
    #[error("{0}")]
    AlreadyThere(String),
    /// A step at start-up was refused.
    #[error("{0}")]
    Step(#[from] ApiError),
}

fn clock_ahead_text(ahead_ms: i64) -> String {
    format!(
        "The clock of this server is {} ahead of the time of its last change; it changes nothing until that is corrected, or confirmed on the server's \
         machine with `falconer clock accept`",
        in_words(ahead_ms)
    )
}
