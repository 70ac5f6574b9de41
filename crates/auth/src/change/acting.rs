//! Who changes something, at the revision of the decision.

use falconer_store::{Key, Step};
use serde_json::{Map, Value, json};

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
        }
    }
}

/// Of scopes that were added or removed so many are kept with a row of the history, and of a text so many characters.
const MOST_KEPT: usize = 100;
const LONGEST_KEPT: usize = 500;

/// What an update changed, before and after, to stand in the history; `None`: nothing.
#[derive(Default)]
pub(crate) struct Difference(Map<String, Value>);

impl Difference {
    /// Scopes: `{"added": [...], "removed": [...]}`, and `"more"` where not all of them are kept.
    pub(crate) fn scopes(mut self, before: &[String], after: &[String]) -> Difference {
        let (added, removed) = (lacking(after, before), lacking(before, after));
        if !added.is_empty() || !removed.is_empty() {
            let more = added.len().saturating_sub(MOST_KEPT) + removed.len().saturating_sub(MOST_KEPT);
            let kept = |scopes: Vec<&String>| scopes.into_iter().take(MOST_KEPT).cloned().map(Value::String).collect();
            let mut scopes = Map::with_capacity(3);
            scopes.insert("added".to_owned(), Value::Array(kept(added)));
            scopes.insert("removed".to_owned(), Value::Array(kept(removed)));
            if more > 0 {
                scopes.insert("more".to_owned(), more.into());
            }
            self.0.insert("scopes".to_owned(), Value::Object(scopes));
        }
        self
    }

    /// A text: `{"before": "...", "after": "..."}`, each cut where it is long.
    pub(crate) fn text(mut self, name: &str, before: &str, after: &str) -> Difference {
        if before != after {
            let cut = |text: &str| text.chars().take(LONGEST_KEPT).collect::<String>();
            self.0.insert(name.to_owned(), json!({ "before": cut(before), "after": cut(after) }));
        }
        self
    }

    /// A number or whether something is so.
    pub(crate) fn value(mut self, name: &str, before: impl Into<Value>, after: impl Into<Value>) -> Difference {
        let (before, after) = (before.into(), after.into());
        if before != after {
            self.0.insert(name.to_owned(), json!({ "before": before, "after": after }));
        }
        self
    }

    pub(crate) fn kept(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }
}

/// What of all is not among these; in the order of all.
fn lacking<'s>(all: &'s [String], from: &[String]) -> Vec<&'s String> {
    let mut from: Vec<&str> = from.iter().map(String::as_str).collect();
    from.sort_unstable();
    all.iter().filter(|scope| from.binary_search(&scope.as_str()).is_err()).collect()
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
    }
}

impl Auth {
    /// Who asks, at the revision of a decision: credentials are evaluated again, a person is looked up.
    pub(crate) fn acting(&self, now: &Now, authentication: &Authentication) -> Result<Acting, ApiError> {
        self.node.caller_at(&now.snapshot, authentication, now.now_ms).map(|(caller, depends_on)| Acting { caller, depends_on })
    }
}
