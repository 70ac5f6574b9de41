//! Sign in.

use askama::Template;

use crate::views::Layout;

#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage {
    pub layout: Layout,
    /// Goes with the cookie of forms before there is a session.
    pub form: String,
    /// The host that the person will be asked about afterwards.
    pub continue_to: Option<String>,
    /// Where to go afterwards: a path of ours with its query.
    pub next: String,
    /// What was typed before, after a failure.
    pub name: String,
    pub error: Option<String>,
    pub notice: Option<String>,
}
