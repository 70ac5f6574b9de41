//! The pages for looking into things: the whole history, refusals, and what scopes come to.

use askama::Template;

use crate::views::words;
use crate::views::{Family, Layout};

/// The whole history.
#[derive(Template)]
#[template(path = "console/audit.html")]
pub(crate) struct AuditPage {
    pub layout: Layout,
    pub others: Vec<(&'static str, &'static str)>,
    /// The filters, as they were typed.
    pub actor: String,
    pub kind: String,
    pub id: String,
    pub action: String,
    pub from: String,
    pub until: String,
    /// The kinds of records that whoever looks may see; `None`: all.
    pub kinds: Option<Vec<String>>,
    pub rows: Vec<AuditRow>,
    pub next: Option<String>,
    /// Whether the search stopped before it found a page full.
    pub stopped: bool,
    pub error: Option<String>,
}

impl AuditPage {
    /// What can be chosen.
    fn choices(&self) -> Vec<&str> {
        match &self.kinds {
            Some(kinds) => kinds.iter().map(String::as_str).collect(),
            None => falconer_auth::HISTORY_TYPES.to_vec(),
        }
    }

    fn is_filtered(&self) -> bool {
        [&self.actor, &self.kind, &self.id, &self.action, &self.from, &self.until].iter().any(|text| !text.is_empty())
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct AuditRow {
    pub at: String,
    pub at_machine: String,
    pub revision: i64,
    pub who: String,
    /// The grant that they acted with.
    pub grant: Option<String>,
    /// "updated"
    pub what: String,
    /// "role"
    pub kind: String,
    pub id: String,
    /// The page of the record.
    pub href: Option<String>,
    /// Scopes.
    pub added: Vec<String>,
    pub removed: Vec<String>,
    /// So many of them are not shown.
    pub more: u64,
    /// What else: its name, how it was, how it is.
    pub changed: Vec<(String, Option<String>, String)>,
}

impl AuditRow {
    fn has_detail(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty() || !self.changed.is_empty()
    }
}

/// Recent refusals, and one of them explained.
#[derive(Template)]
#[template(path = "console/explain.html")]
pub(crate) struct RefusalsPage {
    pub layout: Layout,
    pub others: Vec<(&'static str, &'static str)>,
    /// The id that was asked for.
    pub id: String,
    pub explained: Option<ExplainedView>,
    pub rows: Vec<RefusalRow>,
    pub error: Option<String>,
}

/// One that is remembered.
#[derive(Clone, Debug)]
pub(crate) struct RefusalRow {
    pub href: String,
    /// "bad-mac"
    pub reason: &'static str,
    /// The client, and whether its credentials held.
    pub who: Option<String>,
    pub is_proved: bool,
    /// "GET /api/books"
    pub request: String,
    /// "notes.example.com:443"
    pub site: String,
    pub by: &'static str,
    pub at: String,
    pub at_machine: String,
}

/// What was found out.
#[derive(Clone, Debug)]
pub(crate) struct ExplainedView {
    pub id: String,
    pub verdict: String,
    pub reason: String,
    pub facts: Vec<(&'static str, String)>,
    pub hints: Vec<String>,
    /// Where the role is shown, its id, its scope, and what that gives.
    pub roles: Vec<(Option<String>, String, String, String)>,
}

/// What scopes come to.
#[derive(Template)]
#[template(path = "console/scopes.html")]
pub(crate) struct ScopesPage {
    pub layout: Layout,
    pub others: Vec<(&'static str, &'static str)>,
    /// As typed.
    pub given: String,
    pub required: String,
    pub scope: String,
    pub expanded: Option<Vec<Family>>,
    pub evaluation: Option<ScopeEvaluationView>,
    pub holders: Vec<Holders>,
    pub error: Option<String>,
}

impl ScopesPage {
    fn count(families: &[Family]) -> String {
        words::count(families.iter().map(|family| family.scopes.len()).sum(), "scope")
    }
}

/// Whether scopes satisfy an expression.
#[derive(Clone, Debug)]
pub(crate) struct ScopeEvaluationView {
    pub is_satisfied: bool,
    pub missing: Option<String>,
    pub rows: Vec<EvaluatedScopeRow>,
}

/// One scope of it.
#[derive(Clone, Debug)]
pub(crate) struct EvaluatedScopeRow {
    pub scope: String,
    pub is_held: bool,
    /// The scope from which it comes; `None` where that is not known.
    pub given: Option<String>,
    /// Through which roles: where each is shown, its id, and its scope that leads on.
    pub roles: Vec<(String, String, String)>,
}

/// Who has a scope, of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Holders {
    pub title: &'static str,
    pub rows: Vec<HolderRow>,
    /// What whoever looks would need to see them.
    pub needs: Option<String>,
    /// A list that can be searched on.
    pub more: Option<String>,
    /// Whether there may be more than those.
    pub stopped: bool,
    pub failed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct HolderRow {
    pub href: String,
    pub id: String,
    pub note: &'static str,
    /// Where the chain of roles is shown.
    pub why: Option<String>,
}
