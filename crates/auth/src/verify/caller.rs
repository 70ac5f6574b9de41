//! Who asks, and with which scopes.

use falconer_credentials::Authentic;
use falconer_scopes::{Expression, ScopeSet};
use falconer_store::Creator;

use crate::error::ApiError;
use crate::verify::reason::{Reason, Unable};

/// Somebody whose credentials hold, or nobody: with scopes at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The clientId of the credentials, the identity of a signed-in person, or `None` without credentials.
    pub client_id: Option<String>,
    /// Expanded, sorted, normalized, with what the role `anonymous` gives.
    pub scopes: ScopeSet,
    /// When the credentials end, in milliseconds since the epoch.
    pub expires_ms: i64,
    /// The payload hash that the request carries, unchecked: the web layer has the body.
    pub hash: Option<String>,
    /// The grant behind the credentials: their own, or the one that their client carries.
    pub grant: Option<String>,
    /// The person: of the grant, or signed in.
    pub identity: Option<String>,
}

impl Caller {
    /// The protocol's answer to a caller who lacks something: 403 in the protocol's own words.
    pub fn require(&self, required: &Expression) -> Result<(), ApiError> {
        match required.missing(&self.scopes) {
            None => Ok(()),
            Some(missing) => Err(ApiError::insufficient(self.client_id.as_deref(), missing, required.clone())),
        }
    }

    /// The same for one scope.
    pub fn require_scope(&self, scope: String) -> Result<(), ApiError> {
        if self.scopes.satisfies(&scope) { Ok(()) } else { self.require(&Expression::Scope(scope)) }
    }

    /// Who the audit names.
    pub(crate) fn actor(&self) -> String {
        self.client_id.clone().unwrap_or_else(|| "auth-failed:no-auth".to_owned())
    }
}

/// Who asks for a use case: made by [`crate::Auth::authenticate`] for a signed request, or by [`Authentication::person`] for the console.
///
/// It keeps what was verified, so that a mutation can look again what the caller may do at the very revision on which it decides.
#[derive(Clone)]
pub struct Authentication {
    pub(crate) who: Who,
    /// What was found when it was made; a person is looked up by each use case.
    pub(crate) outcome: Result<Caller, ApiError>,
}

#[derive(Clone)]
pub(crate) enum Who {
    Nobody,
    /// With the proof of the MAC, which is evaluated again at each revision, against the key owner's token of that revision.
    Signed(Box<Authentic<'static>>),
    Person(String),
    Refused,
}

impl Authentication {
    /// A person who is signed in on the pages. No credentials are involved; each use case looks up what the person presently may do.
    pub fn person(identity: &str) -> Authentication {
        let caller = Caller {
            client_id: Some(identity.to_owned()),
            scopes: ScopeSet::default(),
            expires_ms: i64::MAX,
            hash: None,
            grant: None,
            identity: Some(identity.to_owned()),
        };
        Authentication { who: Who::Person(identity.to_owned()), outcome: Ok(caller) }
    }

    /// Somebody whom the web layer refuses before anything is asked of the credentials: two schemes at once, or a payload hash that is not the
    /// payload's. Each use case answers `error` where it would look at the caller.
    pub fn refused(error: ApiError) -> Authentication {
        Authentication { who: Who::Refused, outcome: Err(error) }
    }

    /// What lasts of whoever asks: a person, or the client whose key signs, whatever name its temporary credentials go by.
    pub(crate) fn holder(&self) -> Option<(&str, Creator)> {
        match &self.who {
            Who::Signed(authentic) => Some((authentic.key_owner(), Creator::Client)),
            Who::Person(identity) => Some((identity, Creator::Person)),
            Who::Nobody | Who::Refused => None,
        }
    }

    /// The MAC of the header that was verified: the same for each request with this signature, and for no other. `None`: nobody has signed a header. A bewit is
    /// meant to be used more than once.
    pub fn header_mac(&self) -> Option<&[u8; 32]> {
        match &self.who {
            Who::Signed(authentic) if !authentic.is_bewit() => Some(authentic.mac()),
            Who::Signed(_) | Who::Nobody | Who::Person(_) | Who::Refused => None,
        }
    }

    /// Whether the request itself says that it is worth only some of the scopes of its credentials.
    pub(crate) fn is_restricted(&self) -> bool {
        matches!(&self.who, Who::Signed(authentic) if authentic.has_authorized_scopes())
    }

    /// The same for an answer that goes on: that a header's timestamp grows old counts no more. A bewit ends when it ends.
    pub(crate) fn for_streaming(self) -> Authentication {
        let who = match self.who {
            Who::Signed(authentic) => Who::Signed(Box::new(authentic.arrived())),
            who @ (Who::Nobody | Who::Person(_) | Who::Refused) => who,
        };
        Authentication { who, ..self }
    }

    /// Who it is, or the 401 (503 while this node's clock is behind). For a person the scopes are those of nobody: ask [`crate::Auth::caller`].
    pub fn caller(&self) -> Result<&Caller, ApiError> {
        self.outcome.as_ref().map_err(Clone::clone)
    }

    /// The 401, or the 403 when the scopes do not suffice.
    pub fn require(&self, required: &Expression) -> Result<(), ApiError> {
        self.caller()?.require(required)
    }
}

/// What a service may learn about the person behind a grant, without getting any power.
#[derive(Clone, Debug, PartialEq)]
pub struct DisclosedIdentity {
    /// `<provider>/<subject>`.
    pub id: String,
    /// The configured name of the provider.
    pub provider: String,
    /// The provider's immutable subject.
    pub subject: String,
    /// For display only.
    pub display_name: String,
    /// If the provider gave one.
    pub email: Option<String>,
    /// Whether the provider says so and is trusted to.
    pub email_verified: bool,
    /// The origin that the grant was made for.
    pub target: String,
}

/// The answer of authenticateHawk.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The credentials hold.
    Success(Success),
    /// There were none.
    NoAuth {
        /// 15 minutes from now.
        expires_ms: i64,
        /// What the role `anonymous` gives.
        scopes: ScopeSet,
    },
    /// There were some, and they do not hold.
    Failed(Reason),
    /// This node can't say whether there were any that hold.
    Unable(Unable),
}

/// Credentials that hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// Whose.
    pub client_id: String,
    /// Expanded, sorted, normalized, with what the role `anonymous` gives.
    pub scopes: ScopeSet,
    /// Milliseconds since the epoch.
    pub expires_ms: i64,
    /// The header's payload hash; never for a bewit.
    pub hash: Option<String>,
    /// Who the person is, where the grant lets this origin know.
    pub identity: Option<DisclosedIdentity>,
    /// The grant behind the credentials.
    pub grant: Option<String>,
}
