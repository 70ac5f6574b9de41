//! Links for a password: shown once to whoever made one, and the page behind it.

use askama::Template;
use falconer_wire::{LinkMail, MailState};
use zeroize::Zeroizing;

use crate::views::Layout;

/// A link that was just made.
#[derive(Template)]
#[template(path = "people/link.html")]
pub(crate) struct PersonLinkPage {
    pub layout: Layout,
    pub title: &'static str,
    pub identity: String,
    pub url: Zeroizing<String>,
    pub ends: String,
    /// Where it was to be mailed: what became of that.
    pub mail: Option<LinkMail>,
    pub back: String,
}

impl PersonLinkPage {
    fn is_mailed(&self) -> bool {
        self.mail.as_ref().is_some_and(|mail| mail.state == MailState::Sent)
    }
}

/// Choosing a password with a link.
#[derive(Template)]
#[template(path = "people/password_link.html")]
pub(crate) struct PasswordLinkPage {
    pub layout: Layout,
    pub form: String,
    pub token: String,
    pub name: String,
    pub display_name: String,
    pub is_invitation: bool,
    pub error: Option<String>,
}
