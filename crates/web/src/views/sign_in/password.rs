//! Change the password of a local account.

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
