//! What applications register themselves with: the list with its form, and the page that shows a token.

use askama::Template;
use falconer_auth::Secret;

use crate::views::Layout;

/// Those that have not ended.
#[derive(Template)]
#[template(path = "applications/initial_tokens.html")]
pub(crate) struct InitialTokensPage {
    pub layout: Layout,
    pub csrf: String,
    /// The lists that this person may see: where, and the title.
    pub lists: Vec<(&'static str, &'static str)>,
    /// What has just been done.
    pub notice: Option<&'static str>,
    /// Whether the server lets applications register themselves.
    pub is_on: bool,
    pub tokens: Vec<InitialTokenRow>,
    pub may_create: bool,
    pub may_revoke: bool,
    pub draft: InitialTokenDraft,
    pub error: Option<String>,
    /// The field that the error is about.
    pub wrong_field: Option<&'static str>,
}

impl InitialTokensPage {
    fn is_wrong(&self, field: &str) -> bool {
        self.wrong_field == Some(field)
    }
}

/// One in the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct InitialTokenRow {
    pub id: String,
    pub description: String,
    pub scopes: Vec<String>,
    /// `3 of 20`
    pub used: String,
    pub expires: String,
    /// Of a grant to what is registered with it.
    pub max_life: String,
    pub created_by: String,
    /// Empty: nobody.
    pub owner: String,
}

/// As it stands in the form, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct InitialTokenDraft {
    pub id: String,
    pub description: String,
    /// `<provider>/<subject>`; empty: nobody.
    pub owner: String,
    /// One a line.
    pub scopes: String,
    pub uses: String,
    /// A time expression.
    pub life: String,
    /// A time expression.
    pub max_life: String,
}

impl Default for InitialTokenDraft {
    fn default() -> Self {
        let (empty, usual) = (String::new, || "7 days".to_owned());
        InitialTokenDraft {
            id: empty(),
            description: empty(),
            owner: empty(),
            scopes: empty(),
            uses: "1".to_owned(),
            life: usual(),
            max_life: usual(),
        }
    }
}

/// One that was made, shown once.
#[derive(Template)]
#[template(path = "applications/initial_token.html")]
pub(crate) struct InitialTokenPage {
    pub layout: Layout,
    /// The page of all.
    pub href: &'static str,
    /// Where applications register themselves.
    pub endpoint: String,
    pub id: String,
    pub token: Secret,
    pub expires: String,
}
