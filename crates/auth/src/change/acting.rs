//! Who changes something, at the revision of the decision.

use falconer_store::{Details, Key, Step};

use crate::change::decide::Now;
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::{Authentication, Caller};

/// A caller at the revision of a decision, and the rows that the caller's scopes depend on.
pub(crate) struct Acting {
    pub(crate) caller: Caller,
    pub(crate) depends_on: Vec<Key>,
}

impl Acting {
    /// The step of this caller: it holds only while the roles, the caller's own rows and the `touched` row stay as they are.
    pub(crate) fn step(&self, now: &Now, action: &str, touched: Key) -> Step {
        let mut depends_on = self.depends_on.clone();
        depends_on.push(touched);
        let actor = self.caller.actor();
        Step {
            decided_at: now.snapshot.revision(),
            depends_on,
            at_ms: now.now_ms,
            actor,
            grant: self.caller.grant.clone(),
            action: action.to_owned(),
            detail: None,
            details: Details::default(),
        }
    }
}

/// A step of Falconer itself, or of somebody whom another crate has checked.
pub(crate) fn step_by(now: &Now, actor: &str, action: &str, depends_on: Vec<Key>) -> Step {
    Step {
        decided_at: now.snapshot.revision(),
        depends_on,
        at_ms: now.now_ms,
        actor: actor.to_owned(),
        grant: None,
        action: action.to_owned(),
        detail: None,
        details: Details::default(),
    }
}

impl Auth {
    /// Who asks, at the revision of a decision: credentials are evaluated again, a person is looked up.
    pub(crate) fn acting(&self, now: &Now, authentication: &Authentication) -> Result<Acting, ApiError> {
        self.node.caller_at(&now.snapshot, authentication, now.now_ms).map(|(caller, depends_on)| Acting { caller, depends_on })
    }
}
