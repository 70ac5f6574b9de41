//! A verdict instead of a list: whether the signer of a request may do what an operation needs.

use std::borrow::Cow;

use falconer_credentials::{RequestParts, is_signed_twice, payload};
use falconer_scopes::{Expression, ScopeSet, list};

use crate::node::Auth;
use crate::verify::caller::{DisclosedIdentity, Verdict};
use crate::verify::reason::{Reason, Unable};

/// An answer names at most this many of the caller's scopes.
const MOST_REVEALED: usize = 1000;

/// What a service asks about a request that it received.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// What was signed.
    pub parts: RequestParts<'q>,
    /// What the operation needs.
    pub required: &'q Expression,
    /// The payload hash of the body that arrived.
    pub payload_hash: Option<&'q str>,
    /// More expressions about the same request; `None`: the service asks about none.
    pub each: Option<&'q [Expression]>,
    /// Below which prefixes the service wants to see the caller's scopes; `None`: nowhere.
    pub reveal: Option<&'q [Cow<'q, str>]>,
    /// Whether the service wants to know who the person is.
    pub identity: bool,
}

/// What the service is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The credentials hold, or there are none, and what is required is satisfied.
    Allowed(Allowed),
    /// The same, and it is not.
    Denied {
        /// Who asks.
        holder: Holder,
        /// What of it the caller lacks.
        missing: Expression,
    },
    /// The credentials do not hold, or the body is not the one that was signed.
    Failed(Reason),
}

/// Whose credentials hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// `None`: there were no credentials.
    pub client_id: Option<String>,
    /// Milliseconds since the epoch.
    pub expires_ms: i64,
    /// The payload hash that was signed.
    pub hash: Option<String>,
}

/// A caller who may do what is required.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowed {
    /// Who asks.
    pub holder: Holder,
    /// Who the person is, where the service asked and may know.
    pub identity: Option<DisclosedIdentity>,
    /// The caller's scopes below the prefixes.
    pub revealed: Option<Revealed>,
    /// What is missing of each of the other expressions; `None`: nothing.
    pub each: Option<Vec<Option<Expression>>>,
}

/// Some of a caller's scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revealed {
    /// Sorted and normalized.
    pub scopes: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

impl Auth {
    /// Checks the credentials of a request to any service as [`Auth::verify`] does, and then what they are asked for: the body, and the scopes. Errors: this node
    /// can't say.
    pub async fn check(&self, question: &Question<'_>) -> Result<Decision, Unable> {
        // authenticateHawk looks at the header alone, as the protocol has it; a service can't tell then which of both its caller meant.
        if is_signed_twice(question.parts.resource, question.parts.authorization) {
            return Ok(Decision::Failed(Reason::TwoSchemes));
        }
        Ok(match self.verify(&question.parts).await {
            Verdict::Unable(unable) => return Err(unable),
            Verdict::Failed(reason) => Decision::Failed(reason),
            Verdict::NoAuth { expires_ms, scopes } => {
                // Nobody signed anything, so there is nothing to compare a body with.
                question.decide(Holder { client_id: None, expires_ms, hash: None }, &scopes, None)
            }
            Verdict::Success(success) => match question.wrong_payload(success.hash.as_deref()) {
                Some(reason) => Decision::Failed(reason),
                None => {
                    let holder = Holder { client_id: Some(success.client_id), expires_ms: success.expires_ms, hash: success.hash };
                    question.decide(holder, &success.scopes, success.identity)
                }
            },
        })
    }
}

impl Question<'_> {
    fn wrong_payload(&self, signed: Option<&str>) -> Option<Reason> {
        match (self.payload_hash?, signed) {
            (arrived, Some(signed)) if arrived == signed => None,
            (arrived, Some(signed)) => Some(Reason::PayloadHash { signed: signed.to_owned(), computed: arrived.to_owned() }),
            // A signature need not cover a body of which there is nothing.
            (arrived, None) if payload::is_of_nothing(arrived) => None,
            (_, None) => Some(Reason::PayloadNotSigned),
        }
    }

    fn decide(&self, holder: Holder, scopes: &ScopeSet, identity: Option<DisclosedIdentity>) -> Decision {
        if let Some(missing) = missing(self.required, scopes) {
            return Decision::Denied { holder, missing };
        }
        Decision::Allowed(Allowed {
            holder,
            identity: identity.filter(|_| self.identity),
            revealed: self.reveal.map(|prefixes| reveal(scopes, prefixes)),
            each: self.each.map(|each| each.iter().map(|required| missing(required, scopes)).collect()),
        })
    }
}

/// The same as [`Expression::missing`], without making anything where nothing is missing.
fn missing(required: &Expression, scopes: &ScopeSet) -> Option<Expression> {
    if required.satisfied_by(scopes) { None } else { required.missing(scopes) }
}

fn reveal(scopes: &ScopeSet, prefixes: &[Cow<'_, str>]) -> Revealed {
    let mut found: Vec<Cow<'_, str>> = Vec::new();
    for prefix in prefixes {
        found.extend(scopes.below(prefix).take(MOST_REVEALED + 1));
    }
    list::sort(&mut found);
    let mut found = list::normalize(found);
    let more = found.len() > MOST_REVEALED;
    found.truncate(MOST_REVEALED);
    Revealed { scopes: found.into_iter().map(Cow::into_owned).collect(), more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_prefixes_is_revealed() {
        let scopes = ScopeSet::new(["notes:*", "assume:user:ann", "assume:user:bob*", "secret:x"]);
        let shown = |prefixes: &[&str]| {
            let prefixes: Vec<Cow<'_, str>> = prefixes.iter().map(|prefix| Cow::Borrowed(*prefix)).collect();
            reveal(&scopes, &prefixes).scopes
        };
        assert_eq!(shown(&["notes:read:"]), ["notes:read:*"]);
        assert_eq!(shown(&["notes:read:", "notes:"]), ["notes:*"]);
        assert_eq!(shown(&["assume:user:", "other:"]), ["assume:user:ann", "assume:user:bob*"]);
        assert_eq!(shown(&["assume:user:bobby"]), ["assume:user:bobby*"]);
        assert_eq!(shown(&[]), [""; 0]);
        let everything = ScopeSet::new(["*"]);
        assert_eq!(reveal(&everything, &[Cow::Borrowed("assume:user:")]).scopes, ["assume:user:*"], "a star stays a star");
    }

    #[test]
    fn what_is_revealed_is_bounded() {
        let scopes = ScopeSet::new((0..5000).map(|n| format!("a:{n:04}")));
        let revealed = reveal(&scopes, &[Cow::Borrowed("a:0"), Cow::Borrowed("a:")]);
        assert_eq!((revealed.scopes.len(), revealed.more), (MOST_REVEALED, true));
        assert_eq!(revealed.scopes.last().map(String::as_str), Some("a:0999"));
        assert!(!reveal(&scopes, &[Cow::Borrowed("a:1")]).more);
    }
}
