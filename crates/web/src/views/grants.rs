//! Grants that can be used: of one person, or of everybody.

use askama::Template;
use falconer_grants::{ScopeGroup, place, place_of_named};

use crate::views::Layout;
use crate::views::words;

#[derive(Template)]
#[template(path = "grants.html")]
pub(crate) struct GrantsPage {
    pub layout: Layout,
    pub csrf: String,
    /// The list of everybody's, for an administrator.
    pub everybody: bool,
    /// The lists that whoever looks may see: where, and the title.
    pub lists: Vec<(&'static str, &'static str)>,
    /// What was searched for; empty: nothing.
    pub query: String,
    /// How many grants the person has; of everybody's nothing is counted.
    pub total: usize,
    /// Roles that were changed with the grant that has just been revoked.
    pub roles_to_review: Vec<String>,
    pub sites: Vec<SiteRows>,
    /// Requests for more that nobody has answered; none on the list of everybody's.
    pub waiting: Vec<WaitingRow>,
    /// Applications that ask the person no more, for a while; none on the list of everybody's.
    pub unasked: Vec<UnaskedRow>,
    pub next: Option<String>,
    pub notice: Option<&'static str>,
}

impl GrantsPage {
    fn path(&self) -> &'static str {
        if self.everybody { "/auth/grants" } else { "/me/grants" }
    }

    fn count(&self) -> String {
        words::count(self.total, "active grant")
    }
}

/// Somebody who has a grant asks for more.
#[derive(Clone, Debug)]
pub(crate) struct WaitingRow {
    /// Where it is answered.
    pub href: String,
    pub site: String,
    /// The name that the administrator registered.
    pub name: Option<String>,
    /// In the words of who asks.
    pub reason: String,
    /// "2 more scopes", "more time".
    pub wants: String,
    pub since: String,
}

impl WaitingRow {
    /// Behind the name.
    fn place(&self) -> String {
        place_of_named(&self.site, self.name.as_deref())
    }

    /// Alone.
    fn whole_place(&self) -> String {
        place(&self.site, self.name.as_deref())
    }
}

/// An application that gets a grant without the page.
#[derive(Clone, Debug)]
pub(crate) struct UnaskedRow {
    /// The `client_id`.
    pub application: String,
    pub name: String,
    /// Where its answers go.
    pub site: String,
    pub gives: Vec<ScopeGroup>,
    pub knows_identity: bool,
    /// With the names of the person's groups.
    pub tells_groups: bool,
    pub ends: String,
    pub ends_machine: String,
}

/// What one site or application was granted.
#[derive(Clone, Debug, Default)]
pub(crate) struct SiteRows {
    /// As forms name it: `https://notes.example.com`, `device://tv`.
    pub site: String,
    /// The name that an administrator registered, or the `client_id` of an application that nobody has.
    pub name: Option<String>,
    /// What such an application says of itself.
    pub calls_itself: Option<String>,
    /// All of the person's, on this page or another.
    pub count: usize,
    pub rows: Vec<GrantsRow>,
}

impl SiteRows {
    /// Behind the name.
    fn place(&self) -> String {
        place_of_named(&self.site, self.name.as_deref())
    }

    /// Alone.
    fn whole_place(&self) -> String {
        place(&self.site, self.name.as_deref())
    }
}

/// One grant.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrantsRow {
    pub id: String,
    /// What the person calls it.
    pub called: Option<String>,
    /// Who granted it, and their page; only in the list of everybody's.
    pub person: Option<(String, String)>,
    /// The person took all that was on offer.
    pub everything: bool,
    /// What was granted, in words, or the beginning of it.
    pub gives: Vec<ScopeGroup>,
    pub count: usize,
    /// So many scopes are not shown.
    pub more: usize,
    pub knows_identity: bool,
    /// With the names of the person's groups.
    pub tells_groups: bool,
    pub ends: String,
    pub ends_exact: String,
    pub ends_machine: String,
    /// "used 2 minutes ago", "never used".
    pub used: String,
    pub created: String,
    /// Clients that were made with it, and their pages for whoever may see the list of them.
    pub clients: Vec<(String, Option<String>)>,
    /// Where it is revoked after one more question; `None`: by a form in the page, or not at all.
    pub revoke_href: Option<String>,
    /// What it is for, in the words of who asked.
    pub purpose: Option<String>,
    /// The grant that it was derived from, by its id; only in the list of everybody's.
    pub parent: Option<String>,
    /// The grant whose holder asked for more and got this one.
    pub widens: Option<String>,
    /// What was derived from it; only in the person's own list.
    pub derived: Vec<DerivedRow>,
}

/// A derived grant below what it was derived from.
#[derive(Clone, Debug, Default)]
pub(crate) struct DerivedRow {
    pub depth: usize,
    pub row: GrantsRow,
}

impl GrantsRow {
    fn scopes(&self) -> String {
        words::count(self.count, "scope")
    }
}
