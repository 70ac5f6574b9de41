//! Change the password of a local account, or ask for a mail with which it is changed.

use askama::Template;

use crate::views::Layout;

#[derive(Template)]
#[template(path = "password.html")]
pub(crate) struct PasswordPage {
    pub layout: Layout,
    pub csrf: String,
    /// The name to sign in with, for password managers.
    pub name: String,
    /// Whether the present password has to be typed.
    pub asks_old: bool,
    pub error: Option<String>,
}

/// A forgotten password.
#[derive(Template)]
#[template(path = "forgotten.html")]
pub(crate) struct ForgottenPage {
    pub layout: Layout,
    /// Goes with the cookie of forms before there is a session.
    pub form: String,
    /// Where to go on after sign-in: a path of ours with its query.
    pub next: String,
    /// What was typed.
    pub who: String,
    /// A mail is on its way, or would be.
    pub sent: bool,
    pub error: Option<String>,
}
