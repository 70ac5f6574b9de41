//! Applications: one with all that is known of it, the form, and the page that shows a secret.

use askama::Template;
use falconer_auth::{Secret, SigningAlgorithm};

use crate::views::words;
use crate::views::{Layout, RecordHistory};

/// One application.
#[derive(Template)]
#[template(path = "applications/application.html")]
pub(crate) struct ApplicationPage {
    pub layout: Layout,
    /// The lists that this person may see: where, and the title.
    pub lists: Vec<(&'static str, &'static str)>,
    /// What has just been done.
    pub notice: Option<&'static str>,
    pub id: String,
    /// What the grant page calls it.
    pub name: String,
    pub description: String,
    /// What is known, in order: its name and its value.
    pub facts: Vec<(&'static str, String)>,
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// What can be done: where, what it says, and whether it is felt at once.
    pub actions: Vec<(String, &'static str, bool)>,
    pub history: RecordHistory,
}

impl ApplicationPage {
    fn count(&self) -> String {
        words::count(self.scopes.len(), "scope")
    }
}

/// As it stands in the form, right or wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApplicationDraft {
    pub id: String,
    pub name: String,
    pub description: String,
    /// `<provider>/<subject>`; empty: nobody.
    pub owner: String,
    /// One a line.
    pub redirect_uris: String,
    /// One a line.
    pub scopes: String,
    /// A time expression.
    pub max_life: String,
    /// Whether it is a server with a secret.
    pub confidential: bool,
    /// A time expression; empty: people are asked each time.
    pub remember_consent: String,
    /// Nobody is asked for what is not broad.
    pub skip_consent: bool,
    /// Its requests have to be pushed.
    pub pushed_only: bool,
    /// What its ID tokens are signed with.
    pub id_token_alg: String,
    /// Its access tokens are bound to keys, and it gets none without a proof (RFC 9449).
    pub dpop_bound_access_tokens: bool,
    /// Its public keys as a set (RFC 7517); empty: it has none.
    pub jwks: String,
    /// Whether it acts of its own accord.
    pub agent: bool,
    /// Where it is told that a session has ended.
    pub backchannel_logout_uri: String,
    /// When what is changed was last changed as its writer has seen it, in milliseconds since 1970; `None`: it is new.
    pub seen_ms: Option<i64>,
}

impl ApplicationDraft {
    /// The algorithms to choose from, and whether each is chosen.
    fn algorithms(&self) -> impl Iterator<Item = (&'static str, bool)> + '_ {
        SigningAlgorithm::ALL.into_iter().map(|known| (known.as_str(), known.as_str() == self.id_token_alg))
    }

    fn seen(&self) -> String {
        self.seen_ms.map(|ms| ms.to_string()).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "applications/form.html")]
pub(crate) struct ApplicationFormPage {
    pub layout: Layout,
    pub csrf: String,
    pub draft: ApplicationDraft,
    /// Where Cancel leads.
    pub back: String,
    pub error: Option<String>,
    /// The field that the error is about.
    pub wrong_field: Option<&'static str>,
}

impl ApplicationFormPage {
    fn title(&self) -> &'static str {
        if self.draft.seen_ms.is_some() { "Edit application" } else { "Create an application" }
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.wrong_field == Some(field)
    }
}

/// The secret of an application, shown once.
#[derive(Template)]
#[template(path = "applications/secret.html")]
pub(crate) struct ApplicationSecretPage {
    pub layout: Layout,
    pub id: String,
    /// The page of the application.
    pub href: String,
    pub secret: Secret,
    /// Until when the one before works.
    pub old_ends: Option<String>,
}
