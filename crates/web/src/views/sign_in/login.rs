//! Sign in.

use askama::Template;

use super::PasskeyForm;
use crate::views::Layout;

#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage {
    pub layout: Layout,
    /// Where else people sign in, in the configured order.
    pub providers: Vec<ProviderButton>,
    /// Where there are passkeys.
    pub passkey: Option<PasskeyForm>,
    /// Goes with the cookie of forms before there is a session.
    pub form: String,
    /// The host that the person will be asked about afterwards.
    pub continue_to: Option<String>,
    /// Where to go afterwards: a path of ours with its query.
    pub next: String,
    /// What was typed before, after a failure.
    pub name: String,
    /// Whether links for another password are mailed.
    pub forgotten: bool,
    pub error: Option<String>,
    pub notice: Option<String>,
}

/// A way to sign in that leads elsewhere: a link, because a form may lead back to Falconer only.
pub(crate) struct ProviderButton {
    pub label: String,
    pub href: String,
}
