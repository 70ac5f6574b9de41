//! The first administrator's account, behind the set-up link.

use askama::Template;

use crate::views::Layout;

#[derive(Template)]
#[template(path = "setup.html")]
pub(crate) struct SetupPage {
    pub layout: Layout,
    /// Goes with the cookie of forms before there is a session.
    pub form: String,
    pub token: String,
    pub error: Option<String>,
    pub name: String,
    pub display_name: String,
    pub email: String,
}
