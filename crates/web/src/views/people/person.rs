//! One person with all that is known of them.

use askama::Template;
use falconer_grants::{place, place_of_named};

use crate::views::words;
use crate::views::{Family, HistoryRow, Layout};

#[derive(Template)]
#[template(path = "people/person.html")]
pub(crate) struct PersonPage {
    pub layout: Layout,
    /// The identity that was asked for.
    pub id: String,
    /// The lists that whoever looks may see: where, and the title.
    pub lists: Vec<(&'static str, &'static str)>,
    pub display_name: String,
    pub state: Vec<&'static str>,
    /// What is known, in order: its name and its value.
    pub facts: Vec<(&'static str, String)>,
    /// What can be done: where, what it says, and whether it is felt at once.
    pub actions: Vec<(String, &'static str, bool)>,
    pub identities: Vec<IdentityCard>,
    /// What they may do.
    pub expanded: Vec<Family>,
    pub grants: Vec<PersonGrantRow>,
    /// The browser, and the rest.
    pub sessions: Vec<(String, String)>,
    /// Where they are signed out, for whoever may do it.
    pub sign_out: Option<String>,
    pub clients: Vec<String>,
    pub more_clients: bool,
    /// What happened, oldest first.
    pub history: Vec<HistoryRow>,
    pub history_next: Option<String>,
    pub history_is_hidden: bool,
    /// What has just been done.
    pub notice: Option<&'static str>,
}

impl PersonPage {
    fn expanded_count(&self) -> String {
        words::count(self.expanded.iter().map(|family| family.scopes.len()).sum(), "scope")
    }
}

/// One of the person's identities.
#[derive(Clone, Debug)]
pub(crate) struct IdentityCard {
    pub identity: String,
    /// Its page, where another one was asked for.
    pub href: Option<String>,
    pub facts: Vec<(&'static str, String)>,
    pub groups: Vec<String>,
    /// What it gives, as it is written.
    pub scopes: Vec<String>,
    /// What can be done with it: where, what it says, and whether it is felt at once.
    pub actions: Vec<(String, &'static str, bool)>,
}

/// What the person lets somebody do.
#[derive(Clone, Debug)]
pub(crate) struct PersonGrantRow {
    pub id: String,
    /// The application by its name, or by the `client_id` of one that nobody has registered.
    pub name: Option<String>,
    pub site: String,
    /// "ends in 3 days · never used · granted 2 days ago"
    pub about: String,
    pub count: String,
    pub scopes: Vec<String>,
    /// Where it is revoked, for whoever may do it.
    pub href: Option<String>,
}

impl PersonGrantRow {
    /// Behind the name.
    fn place(&self) -> String {
        place_of_named(&self.site, self.name.as_deref())
    }

    /// Alone.
    fn whole_place(&self) -> String {
        place(&self.site, self.name.as_deref())
    }
}
