//! One refusal, as it is kept.

use falconer_credentials::{RefusalSecret, RequestParts, SignedFor, Unmatched};
use falconer_scopes::Expression;

use crate::error::ApiError;
use crate::verify::reason::Reason;

/// Of a resource so many bytes are kept, of an expression so many.
const LONGEST_RESOURCE: usize = 1024;
const LONGEST_EXPRESSION: usize = 2048;
/// And of a host, or an id; of a method.
const LONGEST_NAME: usize = 256;
const LONGEST_METHOD: usize = 32;

/// Who refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// check told a service so.
    Check,
    /// authenticateHawk did.
    AuthenticateHawk,
    /// Falconer's own API.
    Api,
}

/// Why, as far as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum RefusedFor {
    /// The credentials do not hold, or the body is another.
    Credentials(Reason),
    /// They hold, or there are none, and scopes are missing. `None`: the expression was too long to be kept.
    Scopes {
        /// Whose credentials held; `None`: there were none.
        client_id: Option<String>,
        /// What the caller lacks.
        missing: Option<Expression>,
        /// What was needed.
        required: Option<Expression>,
    },
}

/// A refusal on its way to be kept.
pub struct NewRefusal<'r> {
    /// Who refused.
    pub by: RefusedBy,
    /// What was seen of the request.
    pub parts: Option<RequestParts<'r>>,
    /// Why.
    pub why: RefusedFor,
    /// The payload hash of what arrived, where a service told it.
    pub payload_hash: Option<&'r str>,
}

/// A refusal that is kept.
pub struct Refusal {
    /// 22 letters, digits, `-` and `_`.
    pub id: String,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// Who refused.
    pub by: RefusedBy,
    /// Why.
    pub why: RefusedFor,
    /// The payload hash of what arrived.
    pub payload_hash: Option<String>,
    seen: Seen,
}

/// What was seen of a request.
enum Seen {
    /// What was signed, without the MAC.
    Signed(Unmatched),
    /// What could not be read as a signature.
    Unsigned(Box<Unsigned>),
    Nothing,
}

struct Unsigned {
    method: String,
    resource: String,
    host: String,
    port: u16,
}

impl Refusal {
    pub(crate) fn new(id: String, at_ms: i64, new: NewRefusal<'_>, secret: &RefusalSecret) -> Refusal {
        let seen = match new.parts {
            None => Seen::Nothing,
            Some(parts) => Unmatched::of(&parts, secret).map_or_else(|| Seen::Unsigned(Box::new(Unsigned::of(&parts))), Seen::Signed),
        };
        let payload_hash = new.payload_hash.map(|hash| cut(hash, 64).to_owned());
        Refusal { id, at_ms, by: new.by, why: new.why.within_bounds(), payload_hash, seen }
    }

    /// What was signed, without the MAC.
    pub(crate) fn signed(&self) -> Option<&Unmatched> {
        match &self.seen {
            Seen::Signed(signed) => Some(signed),
            Seen::Unsigned(_) | Seen::Nothing => None,
        }
    }

    /// What was seen of the request: method and host as they came, path and query without a bewit, cut where they are long. Empty where nothing is known.
    pub fn request(&self) -> SignedFor<'_> {
        match &self.seen {
            Seen::Signed(signed) => {
                let seen = signed.as_seen();
                let (method, host) = (cut(seen.method, LONGEST_METHOD), cut(seen.host, LONGEST_NAME));
                SignedFor { method, resource: cut(seen.resource, LONGEST_RESOURCE), host, port: seen.port }
            }
            Seen::Unsigned(unsigned) => {
                let Unsigned { method, resource, host, port } = &**unsigned;
                SignedFor { method, resource, host, port: *port }
            }
            Seen::Nothing => SignedFor { method: "", resource: "", host: "", port: 0 },
        }
    }

    /// The id in the credentials. Nothing proves it where the MAC was wrong.
    pub fn claimed_id(&self) -> Option<&str> {
        self.signed().map(Unmatched::id)
    }

    /// The payload hash in the credentials.
    pub fn signed_hash(&self) -> Option<&str> {
        self.signed().and_then(Unmatched::hash)
    }

    /// How far the caller's clock was ahead of this node's, in seconds.
    pub fn clock_offset_seconds(&self) -> Option<i64> {
        let ts = self.signed().and_then(Unmatched::ts_seconds)?;
        Some(ts.saturating_sub(self.at_ms.div_euclid(1000)))
    }
}

impl Unsigned {
    fn of(parts: &RequestParts<'_>) -> Unsigned {
        Unsigned {
            method: cut(parts.method, LONGEST_METHOD).to_owned(),
            // Where nothing could be read as a signature, a query may still hold one.
            resource: cut(parts.resource.split('?').next().unwrap_or_default(), LONGEST_RESOURCE).to_owned(),
            host: cut(parts.host, LONGEST_NAME).to_owned(),
            port: parts.port,
        }
    }
}

impl RefusedFor {
    /// What an error says of scopes or credentials; `None` for every other.
    pub fn of(error: &ApiError) -> Option<RefusedFor> {
        match error {
            ApiError::AuthenticationFailed(reason) => Some(RefusedFor::Credentials(reason.clone())),
            ApiError::InsufficientScopes { client_id, missing, required } => {
                Some(RefusedFor::Scopes { client_id: client_id.clone(), missing: Some(missing.clone()), required: Some(required.clone()) })
            }
            _ => None,
        }
    }

    fn within_bounds(self) -> RefusedFor {
        let fits = |expression: &Expression| expression.text_bytes() <= LONGEST_EXPRESSION;
        match self {
            RefusedFor::Credentials(reason) => RefusedFor::Credentials(reason.without_lists()),
            RefusedFor::Scopes { client_id, missing, required } => RefusedFor::Scopes {
                client_id: client_id.map(|id| cut(&id, LONGEST_NAME).to_owned()),
                missing: missing.filter(fits),
                required: required.filter(fits),
            },
        }
    }
}

/// The beginning of a text.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> RefusalSecret {
        RefusalSecret::new(&[1; 32])
    }

    fn new<'r>(resource: &'r str, authorization: Option<&'r str>) -> NewRefusal<'r> {
        NewRefusal {
            by: RefusedBy::Check,
            parts: Some(RequestParts { method: "get", resource, host: "h", port: 1, authorization }),
            why: RefusedFor::Scopes { client_id: None, missing: None, required: Some(Expression::Scope("x".repeat(LONGEST_EXPRESSION))) },
            payload_hash: None,
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = format!("/{}", "\u{e9}".repeat(5000));
        let kept = Refusal::new("id".to_owned(), 0, new(&long, None), &secret());
        assert!(kept.request().resource.len() <= LONGEST_RESOURCE && kept.request().resource.len() > LONGEST_RESOURCE - 4);
        assert_eq!(kept.why, RefusedFor::Scopes { client_id: None, missing: None, required: None });
    }

    #[test]
    fn a_query_that_may_hold_a_signature_is_not_kept() {
        assert_eq!(Refusal::new("id".to_owned(), 0, new("/a?bewit=c2VjcmV0", None), &secret()).request().resource, "/a");
        assert_eq!(Refusal::new("id".to_owned(), 0, new("/a?b=c", Some("Bearer c2VjcmV0")), &secret()).request().resource, "/a");
        let header = "Hawk id=\"a\", ts=\"7\", nonce=\"n\", mac=\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"";
        let kept = Refusal::new("id".to_owned(), 5_000, new("/a?b=c", Some(header)), &secret());
        assert_eq!((kept.request().resource, kept.claimed_id(), kept.clock_offset_seconds()), ("/a?b=c", Some("a"), Some(2)));
    }
}
