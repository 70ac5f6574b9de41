//! Who changes something about people, and what that takes (ADR 165).

use falconer_scopes::{Expression, ScopeSet};
use falconer_store::{IdentityRecord, Key, Step};

use crate::change::acting::{Acting, step_by};
use crate::change::decide::Now;
use crate::directory::entries::{Identity, Person};
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::{Authentication, Caller};

/// Who changes something about people.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// Somebody whom the caller of this crate has checked: whoever stands on the server's machine, or the person themselves.
    Checked(&'a str),
    /// Whoever calls: what they may do is looked at when the change is decided.
    Caller {
        /// Who.
        who: &'a Authentication,
        /// What they need is `auth:<verb>-person:<identity>`.
        verb: &'a str,
    },
}

impl By<'_> {
    /// Who the audit names.
    pub fn name(&self) -> String {
        match self {
            By::Checked(name) => (*name).to_owned(),
            By::Caller { who, .. } => who.caller().map_or_else(|_| "auth-failed".to_owned(), Caller::actor),
        }
    }
}

impl<'a> From<&'a str> for By<'a> {
    fn from(name: &'a str) -> By<'a> {
        By::Checked(name)
    }
}

impl<'a> From<&'a String> for By<'a> {
    fn from(name: &'a String) -> By<'a> {
        By::Checked(name)
    }
}

/// The scope that gives everything.
const EVERYTHING: &str = "*";

/// The same at the revision of a decision.
pub(crate) enum Deciding<'a> {
    Checked(&'a str),
    Caller(Box<Acting>, &'a str),
}

impl Auth {
    /// 401 and 403 for a caller who lacks the scope for this identity.
    pub(crate) fn deciding<'a>(&self, now: &Now, by: By<'a>, identity: &str) -> Result<Deciding<'a>, ApiError> {
        self.deciding_as(now, by, |verb| needed(verb, identity))
    }

    /// The same for what only somebody does who may do everything, and not with credentials of a grant.
    pub(crate) fn deciding_with_everything<'a>(&self, now: &Now, by: By<'a>) -> Result<Deciding<'a>, ApiError> {
        let deciding = self.deciding_as(now, by, |_| EVERYTHING.to_owned())?;
        deciding.refuse_outliving()?;
        Ok(deciding)
    }

    fn deciding_as<'a>(&self, now: &Now, by: By<'a>, needed: impl Fn(&str) -> String) -> Result<Deciding<'a>, ApiError> {
        match by {
            By::Checked(name) => Ok(Deciding::Checked(name)),
            By::Caller { who, verb } => {
                let acting = self.acting(now, who)?;
                acting.caller.require_scope(needed(verb))?;
                Ok(Deciding::Caller(Box::new(acting), verb))
            }
        }
    }

    /// The same before anything is looked up, so that whoever lacks the scope learns nothing. The change looks again.
    pub fn check_person_scope(&self, by: By<'_>, identity: &str) -> Result<(), ApiError> {
        match by {
            By::Checked(_) => Ok(()),
            By::Caller { who, verb } => self.caller(who)?.require_scope(needed(verb, identity)),
        }
    }
}

impl Auth {
    /// The same for something that is about the whole person: it takes the scope for each of their identities. 404 when nobody has this one.
    pub fn check_scope_for_person(&self, by: By<'_>, identity: &str) -> Result<(), ApiError> {
        self.check_person_scope(by, identity)?;
        let snapshot = self.directory();
        let person = snapshot.person_of(identity).ok_or_else(|| nobody_has(identity))?;
        let By::Caller { who, verb } = by else { return Ok(()) };
        let linked = snapshot.linked(&person.record.id);
        self.caller(who)?.require(&Expression::all_of(linked.map(|linked| needed(verb, &linked.record.identity))))
    }
}

/// 404
pub(crate) fn nobody_has(identity: &str) -> ApiError {
    ApiError::ResourceNotFound(format!("Nobody has the identity {identity}"))
}

fn needed(verb: &str, identity: &str) -> String {
    format!("auth:{verb}-person:{identity}")
}

impl Deciding<'_> {
    /// Who the audit names.
    pub(crate) fn actor(&self) -> String {
        match self {
            Deciding::Checked(name) => (*name).to_owned(),
            Deciding::Caller(acting, _) => acting.caller.actor(),
        }
    }

    /// The step: it holds only while these, and what makes the caller who they are, stay as they are.
    pub(crate) fn step(&self, now: &Now, action: &str, mut depends_on: Vec<Key>) -> Step {
        match self {
            Deciding::Checked(name) => step_by(now, name, action, depends_on),
            Deciding::Caller(acting, _) => {
                depends_on.extend(acting.depends_on.iter().cloned());
                Step { grant: acting.caller.grant.clone(), ..step_by(now, &acting.caller.actor(), action, depends_on) }
            }
        }
    }

    fn caller(&self) -> Option<&Caller> {
        match self {
            Deciding::Checked(_) => None,
            Deciding::Caller(acting, _) => Some(&acting.caller),
        }
    }

    /// A change that reaches the whole person takes the scope for each of their identities.
    pub(crate) fn require_for_all(&self, snapshot: &Snapshot, person: &Person) -> Result<(), ApiError> {
        let Deciding::Caller(_, verb) = self else { return Ok(()) };
        self.require_for_all_as(verb, snapshot, person)
    }

    /// The same for something that takes another word than the change as a whole.
    pub(crate) fn require_for_all_as(&self, verb: &str, snapshot: &Snapshot, person: &Person) -> Result<(), ApiError> {
        let Deciding::Caller(acting, _) = self else { return Ok(()) };
        let linked = snapshot.linked(&person.record.id);
        acting.caller.require(&Expression::all_of(linked.map(|linked| needed(verb, &linked.record.identity))))
    }

    /// Nobody gives what they don't have. Whoever lacks the first scope is told of all, so that nobody learns by guessing what is there.
    pub(crate) fn require_given<'s>(&self, given: impl Iterator<Item = &'s str>) -> Result<(), ApiError> {
        let Some(caller) = self.caller() else { return Ok(()) };
        let given: Vec<String> = given.map(str::to_owned).collect();
        if given.is_empty() {
            return Ok(());
        }
        self.refuse_outliving()?;
        caller.require(&Expression::all_of(given))
    }

    /// What somebody gives with a grant would go on when the grant has ended.
    pub(crate) fn refuse_outliving(&self) -> Result<(), ApiError> {
        match self.caller().and_then(|caller| caller.grant.as_ref()) {
            None => Ok(()),
            Some(grant) => Err(ApiError::OutlivesGrant { grant: grant.clone() }),
        }
    }

    /// Whoever has the link can be the person, so it takes everything that the person may do, but for what names them.
    pub(crate) fn require_to_be(&self, scopes: &ScopeSet, identities: &[&IdentityRecord]) -> Result<(), ApiError> {
        let Some(caller) = self.caller() else { return Ok(()) };
        self.refuse_outliving()?;
        let beyond = beyond(scopes, &caller.scopes, identities);
        if beyond.is_empty() { Ok(()) } else { caller.require(&Expression::all_of(beyond)) }
    }

    /// What the caller could do at that time; `None` for somebody who stands on the machine.
    pub(crate) fn within(&self) -> Option<Vec<String>> {
        self.caller().map(|caller| caller.scopes.to_vec())
    }

    /// Refuses what somebody would do to themselves, in these words.
    pub(crate) fn refuse_own(&self, snapshot: &Snapshot, person: &Person, text: &str) -> Result<(), ApiError> {
        match self.caller() {
            Some(caller) if is_own(caller, snapshot, person) => Err(ApiError::RequestConflict(text.to_owned())),
            _ => Ok(()),
        }
    }
}

/// Whether this is the caller's own person: they are signed in as one of the identities, or their client is named by one.
pub(crate) fn is_own(caller: &Caller, snapshot: &Snapshot, person: &Person) -> bool {
    let is_theirs = |identity: &Identity| identity.record.person == person.record.id;
    let own = caller.identity.as_deref().and_then(|identity| snapshot.identity(identity)).is_some_and(|identity| is_theirs(identity));
    own || caller.client_id.as_deref().is_some_and(|id| snapshot.owners(id).any(|identity| is_theirs(identity)))
}

/// The scopes that `had` does not satisfy, but for those that say no more than who these are: `assume:login-identity:<identity>`, `assume:local-user:<name>`,
/// `assume:everybody`, and power over clients that are named by them, which are never worth more than the person.
pub(crate) fn beyond(scopes: &ScopeSet, had: &ScopeSet, identities: &[&IdentityRecord]) -> Vec<String> {
    let names = |scope: &str| {
        scope == "assume:everybody"
            || identities.iter().any(|identity| {
                scope.strip_prefix("assume:login-identity:") == Some(identity.identity.as_str())
                    || (identity.provider == "local" && scope.strip_prefix("assume:local-user:") == Some(identity.subject.as_str()))
                    || is_own_client(scope, &identity.identity)
            })
    };
    scopes.iter().filter(|scope| !had.satisfies(scope) && !names(scope)).map(str::to_owned).collect()
}

/// What can be done to a client.
const OF_CLIENTS: [&str; 8] = [
    "create-client",
    "update-client",
    "delete-client",
    "enable-client",
    "disable-client",
    "get-client",
    "reset-access-token",
    "set-access-token",
];

/// `auth:<what>:<identity>/...`
fn is_own_client(scope: &str, identity: &str) -> bool {
    let Some((what, client_id)) = scope.strip_prefix("auth:").and_then(|rest| rest.split_once(':')) else { return false };
    OF_CLIENTS.contains(&what) && client_id.strip_prefix(identity).is_some_and(|rest| rest.starts_with('/'))
}
