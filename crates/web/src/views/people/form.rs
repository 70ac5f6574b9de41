//! Inviting somebody, changing a local account, what a change comes to, and one question before an act.

use askama::Template;

use crate::views::people::person_href;
use crate::views::{Change, Layout};

/// As it stands in the form, right or wrong.
#[derive(Template, Clone)]
#[template(path = "people/form.html")]
pub(crate) struct PersonFormPage {
    pub layout: Layout,
    pub csrf: String,
    /// Who is changed; empty: somebody is invited.
    pub identity: String,
    /// The account's name, where somebody is invited.
    pub name: String,
    pub display_name: String,
    pub email: String,
    /// One a line.
    pub groups: String,
    /// One a line.
    pub scopes: String,
    /// When the account was last changed as whoever fills it in has seen it, in milliseconds since 1970.
    pub seen_ms: Option<i64>,
    /// Whether links can be mailed here.
    pub can_mail: bool,
    /// Whether the link is to be mailed.
    pub mail: bool,
    pub error: Option<String>,
}

impl PersonFormPage {
    fn is_edit(&self) -> bool {
        !self.identity.is_empty()
    }

    fn title(&self) -> &'static str {
        if self.is_edit() { "Edit" } else { "Invite somebody" }
    }

    fn action(&self) -> &'static str {
        if self.is_edit() { "/auth/people/edit" } else { "/auth/people/add" }
    }

    fn back(&self) -> String {
        if self.is_edit() { person_href(&self.identity) } else { "/auth/people".to_owned() }
    }

    fn seen(&self) -> String {
        self.seen_ms.map(|ms| ms.to_string()).unwrap_or_default()
    }
}

/// What saving the form would change.
#[derive(Template)]
#[template(path = "people/plan.html")]
pub(crate) struct PersonPlanPage {
    pub layout: Layout,
    pub form: PersonFormPage,
    pub parts: Vec<Change>,
}

/// One question before something is done.
#[derive(Template)]
#[template(path = "people/confirm.html")]
pub(crate) struct PersonConfirmPage {
    pub layout: Layout,
    pub csrf: String,
    pub id: String,
    pub action: &'static str,
    /// Which grant, where one is revoked.
    pub grant: Option<String>,
    pub question: &'static str,
    pub consequence: &'static str,
    pub button: &'static str,
    pub dangerous: bool,
    /// Whether the identity has to be typed.
    pub typed: bool,
    pub back: String,
    pub error: Option<String>,
}
