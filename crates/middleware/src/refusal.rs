use falconer_scopes::Expression;
use falconer_wire::error::{self, RequestInfo};
use falconer_wire::{Code, ErrorBody, date_time};

/// The protocol's words for a signature that is too old or too new.
const STALE: &str = "Unauthorized: Stale timestamp";

/// And for a wrong signature.
#[cfg(feature = "tower")]
const BAD_MAC: &str = "Unauthorized: Bad mac";

/// Why a request does not reach its handler, grouped by who is at fault. `Display` is for logs; [`Refusal::message`] is for the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The caller's: Falconer did not accept the credentials, in its own words.
    #[error("{message}")]
    Credentials {
        /// Such as `Unauthorized: Bad mac`.
        message: String,
        /// A stable word, such as `bad-mac`; a server that is older than `check` gives none, and it is taken from the message.
        reason: Option<String>,
        /// What Falconer keeps the refusal under, for `falconer why`.
        id: Option<String>,
    },
    /// The caller's: the signature is more than 15 minutes old or ahead. Nearly always the clock of the caller's computer is wrong.
    #[error("{STALE}")]
    StaleTimestamp {
        /// What Falconer keeps the refusal under.
        id: Option<String>,
    },
    /// The caller's: an Authorization header that is no text.
    #[error("Bad Request: Invalid header syntax")]
    UnreadableAuthorization,
    /// The caller's: more than one Authorization header. Who reads the first and who reads the last would take the request for another one's.
    #[error("There is more than one Authorization header")]
    SeveralAuthorizations,
    /// The caller's: an Authorization header and a bewit at once.
    #[error("Cannot use two authentication schemes at once this request has both bewit in querystring and 'authorization' header")]
    TwoSchemes,
    /// The caller's, or of somebody between: the body is not the one whose hash was signed.
    #[error("the hash of the body is {computed}, and {signed} was signed")]
    BodyChanged {
        /// The hash in the header.
        signed: String,
        /// The hash of what came.
        computed: String,
    },
    /// The caller's: a body whose hash was not signed, where this service wants that.
    #[error("This service accepts a body only if its hash is signed")]
    BodyNotSigned,
    /// The caller's: a body with a signed hash that is larger than this service reads.
    #[error("The body is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The caller's: the body broke off.
    #[error("The body could not be read")]
    BodyUnreadable,
    /// The caller's: a request of a form that Falconer cannot be asked about, such as a method that it does not know.
    #[error("The request cannot be verified: {message}")]
    NotVerifiable {
        /// What Falconer said of it.
        message: String,
    },
    /// The caller's: a request about which Falconer cannot be asked because it is too large.
    #[error("The request cannot be verified: it is too large")]
    RequestTooLarge,
    /// The caller's: a part of the path that may not stand in a scope.
    #[error("The request cannot be verified: {message}")]
    Parameter {
        /// Which, and why.
        message: String,
    },
    /// The caller's: the scopes don't satisfy what is required.
    #[error("{}", error::insufficient_scopes(client_id.as_deref(), missing, required))]
    InsufficientScopes {
        /// Who it was, for the message; `None` without credentials.
        client_id: Option<String>,
        /// The part that is not satisfied.
        missing: Box<Expression>,
        /// All that is required.
        required: Box<Expression>,
        /// What Falconer keeps the refusal under.
        id: Option<String>,
    },
    /// The caller's: no credentials, where scopes are needed and the service says where access tokens come from.
    #[error("{}", error::insufficient_scopes(None, missing, required))]
    NoCredentials {
        /// The part that is not satisfied.
        missing: Box<Expression>,
        /// All that is required.
        required: Box<Expression>,
        /// What Falconer keeps the refusal under.
        id: Option<String>,
    },
    /// Falconer's, or the network's: there is no answer that could be trusted.
    #[error("Falconer cannot verify a request: {0}")]
    Unavailable(#[source] falconer_client::Error),
    /// Falconer's: it did not answer the last questions, so that it was not asked for a moment.
    #[error("Falconer did not answer the last questions")]
    Paused,
    /// The author's of this service: a route that cannot decide. The text says why.
    #[error("{0}")]
    Misconfigured(String),
}

/// By the beginning and the end of its message, what a refusal of a server without `check` is.
const REASONS: [(&str, &str, &str); 8] = [
    ("Unauthorized: Bad mac", "", "bad-mac"),
    ("Unauthorized: Access expired", "", "bewit-expired"),
    ("Client with clientId ", " is disabled", "client-disabled"),
    ("Client with clientId", " has expired", "client-expired"),
    ("ext.certificate.expiry < now", "", "certificate-expired"),
    ("Supplied credentials do not satisfy authorizedScopes", "", "authorized-scopes"),
    ("The grant ", " has been revoked", "grant-revoked"),
    ("Bad Request: ", "", "malformed"),
];

fn reason_of(message: &str) -> &'static str {
    let found = REASONS.iter().find(|(begin, end, _)| message.starts_with(begin) && message.ends_with(end));
    found.map_or("not-accepted", |(_, _, reason)| reason)
}

impl Refusal {
    /// From the message of an `auth-failed`, or of a check that failed.
    pub(crate) fn from_answer(message: String, reason: Option<String>, id: Option<String>) -> Refusal {
        if message == STALE { Refusal::StaleTimestamp { id } } else { Refusal::Credentials { message, reason, id } }
    }

    /// A stable word for why, such as `bad-mac` or `scopes-missing`, where there is one: for programs and logs.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Refusal::Credentials { reason: Some(reason), .. } => Some(reason),
            Refusal::Credentials { message, .. } => Some(reason_of(message)),
            Refusal::StaleTimestamp { .. } => Some("stale-timestamp"),
            Refusal::TwoSchemes => Some("two-schemes"),
            Refusal::BodyChanged { .. } => Some("payload-differs"),
            Refusal::BodyNotSigned => Some("payload-not-signed"),
            Refusal::InsufficientScopes { client_id: None, .. } | Refusal::NoCredentials { .. } => Some("no-credentials"),
            Refusal::InsufficientScopes { .. } => Some("scopes-missing"),
            Refusal::UnreadableAuthorization | Refusal::SeveralAuthorizations => Some("malformed"),
            Refusal::BodyTooLarge { .. } => Some("body-too-large"),
            Refusal::BodyUnreadable => Some("body-unreadable"),
            Refusal::NotVerifiable { .. } | Refusal::RequestTooLarge => Some("not-verifiable"),
            Refusal::Parameter { .. } => Some("parameter"),
            Refusal::Unavailable(_) | Refusal::Paused => Some("unavailable"),
            Refusal::Misconfigured(_) => Some("misconfigured"),
        }
    }

    /// What Falconer keeps the refusal under: `falconer why` says more of it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Refusal::Credentials { id, .. }
            | Refusal::StaleTimestamp { id }
            | Refusal::InsufficientScopes { id, .. }
            | Refusal::NoCredentials { id, .. } => id.as_deref(),
            _ => None,
        }
    }

    /// Whether the signature was wrong, so that the origin may be.
    #[cfg(feature = "tower")]
    pub(crate) fn is_bad_mac(&self) -> bool {
        matches!(self, Refusal::Credentials { message, .. } if message == BAD_MAC)
    }

    /// The protocol's code, which has the HTTP status.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Refusal::Credentials { .. }
            | Refusal::StaleTimestamp { .. }
            | Refusal::UnreadableAuthorization
            | Refusal::SeveralAuthorizations
            | Refusal::TwoSchemes
            | Refusal::NoCredentials { .. }
            | Refusal::BodyChanged { .. }
            | Refusal::BodyNotSigned => Code::AuthenticationFailed,
            Refusal::BodyTooLarge { .. } | Refusal::RequestTooLarge => Code::InputTooLarge,
            Refusal::BodyUnreadable | Refusal::NotVerifiable { .. } | Refusal::Parameter { .. } => Code::InputError,
            Refusal::InsufficientScopes { .. } => Code::InsufficientScopes,
            Refusal::Unavailable(_) | Refusal::Paused => Code::ServiceUnavailable,
            Refusal::Misconfigured(_) => Code::InternalServerError,
        }
    }

    /// What the caller may know. Nothing of how this service or Falconer is set up.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Refusal::Unavailable(_) | Refusal::Paused => {
                "The authorization server cannot be asked at the moment. Try again soon.".to_owned()
            }
            Refusal::Misconfigured(_) => "This service is not set up correctly. Its log says more.".to_owned(),
            Refusal::BodyChanged { signed, computed } => error::payload_hash(signed, computed),
            Refusal::StaleTimestamp { .. } => format!(
                "{STALE}. The request was signed more than 15 minutes ago, or the clock of the computer that signed it is wrong. It is {} here.",
                date_time::format_ms(falconer_client::system::now_ms())
            ),
            other => other.to_string(),
        }
    }

    /// The protocol's body of an error. `path` without the query, which may hold a signature.
    #[must_use]
    pub fn body(&self, method: &str, path: &str) -> ErrorBody {
        let time = date_time::format_ms(falconer_client::system::now_ms());
        let request = RequestInfo { method: format!("{method} {path}"), params: serde_json::Map::default(), payload: None, time };
        ErrorBody::new(self.code(), &self.message(), request)
    }
}
