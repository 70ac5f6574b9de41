//! A client for a program on the person's machine, and an access token that is shown once.

use askama::Template;
use falconer_auth::Secret;

use crate::views::{Bundle, Group, Layout, Lifetime, PersonLine};

#[derive(Template)]
#[template(path = "tool_client.html")]
pub(crate) struct ToolClientPage {
    pub layout: Layout,
    pub csrf: String,
    /// When this page was made: its button counts a moment later.
    pub form_time: String,
    pub shown: String,
    /// The query of the program's request.
    pub request: String,
    pub asked_at_ms: i64,
    pub asked_at: String,
    /// Scheme, host and port of where the answer goes.
    pub callback: Option<String>,
    pub error: Option<String>,
    pub person: PersonLine,
    pub name: String,
    pub description: String,
    pub bundles: Vec<Bundle>,
    pub groups: Vec<Group>,
    pub lifetimes: Vec<Lifetime>,
    /// The path of this page with its query.
    pub here: String,
}

impl ToolClientPage {
    fn has_broad(&self) -> bool {
        self.bundles.iter().any(|bundle| bundle.broad) || self.groups.iter().any(Group::has_broad)
    }
}

#[derive(Template)]
#[template(path = "token.html")]
pub(crate) struct TokenPage {
    pub layout: Layout,
    /// "The client was created"
    pub title: String,
    pub client_id: String,
    pub access_token: Secret,
    pub ends: Option<String>,
    /// Until when the one before works.
    pub old_ends: Option<String>,
}
