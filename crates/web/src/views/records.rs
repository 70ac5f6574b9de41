//! Clients and roles: the lists, and one of them with all that is known of it.

use askama::Template;

use super::{Family, Layout};
use crate::words;

/// A list of clients or of roles.
#[derive(Template)]
#[template(path = "records.html")]
pub(crate) struct RecordsPage {
    pub layout: Layout,
    /// `Clients`
    pub title: &'static str,
    /// `/auth/clients`
    pub path: &'static str,
    /// The other list: where, and its title.
    pub other: (&'static str, &'static str),
    /// What was searched for in ids.
    pub query: String,
    /// What was searched for in scopes.
    pub scope: String,
    pub rows: Vec<RecordRow>,
    /// Where the next page is.
    pub next: Option<String>,
}

impl RecordsPage {
    fn is_search(&self) -> bool {
        !self.query.is_empty() || !self.scope.is_empty()
    }
}

/// A client or a role in its list.
#[derive(Clone, Debug)]
pub(crate) struct RecordRow {
    pub id: String,
    /// The page of this one.
    pub href: String,
    pub description: String,
    pub scopes: usize,
    /// "disabled", "expired", "made with a grant".
    pub state: Vec<&'static str>,
    /// "ends in 3 days", "changed 2 days ago".
    pub time: String,
}

impl RecordRow {
    fn count(&self) -> String {
        words::count(self.scopes, "scope")
    }
}

/// One client or role.
#[derive(Template)]
#[template(path = "record.html")]
pub(crate) struct RecordPage {
    pub layout: Layout,
    /// `Client`
    pub kind: &'static str,
    /// The list: where, and its title.
    pub list: (&'static str, &'static str),
    pub id: String,
    pub description: String,
    pub state: Vec<&'static str>,
    /// What is known, in order: its name and its value.
    pub facts: Vec<(&'static str, String)>,
    /// As they are written.
    pub scopes: Vec<String>,
    /// What they come to.
    pub expanded: Vec<Family>,
}

impl RecordPage {
    fn expanded_count(&self) -> String {
        words::count(self.expanded.iter().map(|family| family.scopes.len()).sum(), "scope")
    }
}
