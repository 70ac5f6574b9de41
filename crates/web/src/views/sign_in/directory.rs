//! Sign in with a directory: name and password of somebody else's, typed here.

use askama::Template;

use crate::views::Layout;

#[derive(Template)]
#[template(path = "directory.html")]
pub(crate) struct DirectoryPage {
    pub layout: Layout,
    /// The name of the provider, as in `/login/<name>`.
    pub provider: String,
    /// What people call it.
    pub label: String,
    /// Goes with the cookie of forms before there is a session.
    pub form: String,
    /// What it is for: `again`, `link` or nothing, and then the token of the session's forms.
    pub purpose: String,
    pub csrf: String,
    /// The host that the person will be asked about afterwards.
    pub continue_to: Option<String>,
    /// Where to go afterwards: a path of ours with its query.
    pub next: String,
    /// The page of all ways to sign in.
    pub others: String,
    /// What was typed before, after a failure.
    pub name: String,
    pub error: Option<String>,
}
