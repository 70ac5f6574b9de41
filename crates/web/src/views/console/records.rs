//! Clients and roles: the lists, and one of them with all that is known of it.

use askama::Template;

use crate::views::words;
use crate::views::{Family, Layout};

/// A list of clients or of roles.
#[derive(Template)]
#[template(path = "records.html")]
pub(crate) struct RecordsPage {
    pub layout: Layout,
    /// `Clients`
    pub title: &'static str,
    /// `/auth/clients`
    pub path: &'static str,
    /// The other lists that this person may see: where, and the title.
    pub others: Vec<(&'static str, &'static str)>,
    /// Whether this person may make one.
    pub may_create: bool,
    /// What was searched for in ids.
    pub query: String,
    /// What was searched for in scopes.
    pub scope: String,
    pub rows: Vec<RecordRow>,
    /// Where the next page is.
    pub next: Option<String>,
    /// Whether the search stopped before the end of the list, and after how many records.
    pub stopped: bool,
    pub searched: usize,
    /// What has just been done.
    pub notice: Option<&'static str>,
}

impl RecordsPage {
    /// `client`
    fn word(&self) -> String {
        self.title.to_lowercase().trim_end_matches('s').to_owned()
    }

    /// What makes a new one.
    fn create(&self) -> String {
        let word = self.word();
        let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("Create {article} {word}")
    }

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
    /// Where the page itself is.
    pub path: &'static str,
    /// The lists that this person may see: where, and the title.
    pub lists: Vec<(&'static str, &'static str)>,
    pub id: String,
    pub description: String,
    pub state: Vec<&'static str>,
    /// What is known, in order: its name and its value.
    pub facts: Vec<(&'static str, String)>,
    /// As they are written.
    pub scopes: Vec<String>,
    /// What they come to.
    pub expanded: Vec<Family>,
    /// What can be done: where, what it says, and whether it is felt at once.
    pub actions: Vec<(String, &'static str, bool)>,
    /// Why nothing can be done.
    pub fixed: Option<&'static str>,
    pub history: RecordHistory,
    /// What has just been done.
    pub notice: Option<&'static str>,
}

/// What happened to a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordHistory {
    /// Oldest first.
    pub rows: Vec<HistoryRow>,
    /// Where it goes on.
    pub next: Option<String>,
    /// The scope that whoever looks lacks to see it.
    pub needs: Option<String>,
}

/// Something that happened to a record.
#[derive(Clone, Debug)]
pub(crate) struct HistoryRow {
    /// "access token reset"
    pub what: String,
    /// A clientId, or a person's identity.
    pub who: String,
    pub at: String,
    pub at_machine: String,
}

/// More scopes than this are folded.
const FOLDED: usize = 20;

impl RecordPage {
    fn is_long(&self) -> bool {
        self.scopes.len() > FOLDED
    }

    fn given_count(&self) -> String {
        words::count(self.scopes.len(), "scope")
    }

    fn expanded_count(&self) -> String {
        words::count(self.expanded.iter().map(|family| family.scopes.len()).sum(), "scope")
    }
}
