//! A verdict instead of a list: whether the signer of a request may do what an operation needs.

use std::borrow::Cow;

use falconer_credentials::{RequestParts, UrlScheme, is_signed_twice, payload};
use falconer_scopes::{Expression, ScopeSet, list};

use crate::directory::snapshot::HeldScopes;
use crate::node::Auth;
use crate::reserved::is_reserved_scope;
use crate::verify::caller::DisclosedIdentity;
use crate::verify::evaluate::ScopesAs;
use crate::verify::reason::{Reason, Unable};
use crate::verify::request::{Found, NotVerified};
use crate::verify::tokens::proof::UnusedProof;
use crate::verify::tokens::shown::{ShownToken, TokenScheme};

/// An answer names at most this many of the caller's scopes.
const MOST_REVEALED: usize = 1000;

/// What a service asks about a request that it received.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// What was signed.
    pub parts: RequestParts<'q>,
    /// What goes with an access token that is bound to a key.
    pub proof: ProofParts<'q>,
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
    /// Whether the service takes access tokens, which anybody who sees one that is bound to no key can use elsewhere.
    pub bearer: bool,
}

/// What a service received beside an access token that is bound to a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProofParts<'q> {
    /// The header `DPoP`; `None`: there was none.
    pub dpop: Option<&'q str>,
    /// In place of it, where the service has asked about this request before: what [`Allowed::follow_up`] was.
    pub follow_up: Option<&'q str>,
    /// By what the service is reached from outside. No signature covers it; a proof does.
    pub url_scheme: UrlScheme,
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

/// What came of a question, before the proof beside its token has counted.
#[must_use]
pub struct Examined {
    decision: Decision,
    proof: Option<UnusedProof>,
}

impl Examined {
    fn of(decision: Decision) -> Examined {
        Examined { decision, proof: None }
    }
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
    /// Where a proof has counted: what the service brings in place of it where it asks once more about the same request.
    pub follow_up: Option<String>,
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
        self.examine(question).await.map(|examined| self.conclude(examined))
    }

    /// The same, but that no proof has counted yet: whoever asks several questions at once asks all of them once more where one can't be answered.
    pub async fn examine(&self, question: &Question<'_>) -> Result<Examined, Unable> {
        // authenticateHawk looks at the header alone, as the protocol has it; a service can't tell then which of both its caller meant.
        if is_signed_twice(question.parts.resource, question.parts.authorization) {
            return Ok(Examined::of(Decision::Failed(Reason::TwoSchemes)));
        }
        let shown = question.shown_token();
        let found = match &shown {
            Some(shown) => self.check_token(shown).await.map(Some),
            None => self.check_request(&question.parts, question.scopes_as()).await.map(|checked| checked.map(|(_, found)| (found, None))),
        };
        let (Found { caller, disclosed, held_scopes }, proof) = match found {
            Ok(Some(found)) => found,
            Ok(None) => {
                // Nobody signed anything, so there is nothing to compare a body with.
                let nobody = self.nobody_at_present();
                let holder = Holder { client_id: None, expires_ms: nobody.expires_ms, hash: None };
                return Ok(Examined::of(question.decide(holder, &Scopes::Set(&nobody.scopes), None)));
            }
            Err(NotVerified::Failed(reason)) => return Ok(Examined::of(Decision::Failed(reason))),
            Err(NotVerified::Unable(unable)) => return Err(unable),
        };
        if let Some(reason) = question.wrong_payload(caller.hash.as_deref()) {
            return Ok(Examined { decision: Decision::Failed(reason), proof });
        }
        let scopes = held_scopes.as_ref().map_or(Scopes::Set(&caller.scopes), Scopes::Held);
        let holder = Holder { client_id: Some(caller.client_id.unwrap_or_default()), expires_ms: caller.expires_ms, hash: caller.hash };
        let mut decision = question.decide(holder, &scopes, disclosed);
        if let (Some(shown), Decision::Allowed(allowed)) = (shown.filter(|shown| shown.scheme == TokenScheme::Dpop), &mut decision) {
            allowed.follow_up = self.node.follow_up(&shown);
        }
        Ok(Examined { decision, proof })
    }

    /// What the service is told. A proof counts with it, and with one answer only.
    pub fn conclude(&self, examined: Examined) -> Decision {
        match examined.proof.map(|proof| self.node.use_proof(&proof)) {
            Some(Err(fault)) => Decision::Failed(fault.into()),
            Some(Ok(())) | None => examined.decision,
        }
    }
}

/// What somebody has.
enum Scopes<'s> {
    Set(&'s ScopeSet),
    /// INVARIANT: only of a question that does not want a set.
    Held(&'s HeldScopes),
}

impl Scopes<'_> {
    fn satisfy(&self, scope: &str) -> bool {
        match self {
            Scopes::Set(set) => set.satisfies(scope),
            Scopes::Held(held_scopes) => held_scopes.satisfies(scope),
        }
    }

    /// The same as [`Expression::missing`], without making anything where nothing is missing.
    fn missing(&self, required: &Expression) -> Option<Expression> {
        let holds = |scope: &str| self.satisfy(scope);
        if required.satisfied_where(&holds) { None } else { required.missing_where(&holds) }
    }
}

impl<'q> Question<'q> {
    /// The token that the request shows, where the service takes any.
    fn shown_token(&self) -> Option<ShownToken<'q>> {
        let RequestParts { method, resource, host, port, authorization } = self.parts;
        let ProofParts { dpop: proof, follow_up, url_scheme } = self.proof;
        let (scheme, token) = if self.bearer { TokenScheme::token_of(authorization)? } else { return None };
        Some(ShownToken { scheme, token, proof, follow_up, method, url_scheme, host, port, resource })
    }

    /// A verdict needs no set, unless the service wants to see scopes of it, or asks for one that is reserved.
    fn scopes_as(&self) -> ScopesAs {
        let mut expressions = std::iter::once(self.required).chain(self.each.into_iter().flatten());
        let mut count = 0;
        let is_free = self.reveal.is_none() && expressions.all(|one| counts_unreserved(one, &mut count));
        if is_free { ScopesAs::Any { count } } else { ScopesAs::Set }
    }

    fn wrong_payload(&self, signed: Option<&str>) -> Option<Reason> {
        match (self.payload_hash?, signed) {
            (arrived, Some(signed)) if arrived == signed => None,
            (arrived, Some(signed)) => Some(Reason::PayloadHash { signed: signed.to_owned(), computed: arrived.to_owned() }),
            // A signature need not cover a body of which there is nothing.
            (arrived, None) if payload::is_of_nothing(arrived) => None,
            (_, None) => Some(Reason::PayloadNotSigned),
        }
    }

    fn decide(&self, holder: Holder, scopes: &Scopes<'_>, identity: Option<Box<DisclosedIdentity>>) -> Decision {
        if let Some(missing) = scopes.missing(self.required) {
            return Decision::Denied { holder, missing };
        }
        let revealed = match scopes {
            Scopes::Set(set) => self.reveal.map(|prefixes| reveal(set, prefixes)),
            Scopes::Held(_) => None,
        };
        Decision::Allowed(Allowed {
            holder,
            identity: identity.filter(|_| self.identity).map(|who| *who),
            revealed,
            follow_up: None,
            each: self.each.map(|each| each.iter().map(|required| scopes.missing(required)).collect()),
        })
    }
}

/// Counts the scopes of an expression; false where one of them is reserved.
fn counts_unreserved(expression: &Expression, count: &mut usize) -> bool {
    match expression {
        Expression::Scope(scope) => {
            *count += 1;
            !is_reserved_scope(scope)
        }
        Expression::AllOf(members) | Expression::AnyOf(members) => members.iter().all(|member| counts_unreserved(member, count)),
    }
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
