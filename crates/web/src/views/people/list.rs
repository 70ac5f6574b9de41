//! The list of people.

use askama::Template;

use crate::views::Layout;

#[derive(Template)]
#[template(path = "people/list.html")]
pub(crate) struct PeopleListPage {
    pub layout: Layout,
    /// The other lists that this person may see: where, and the title.
    pub others: Vec<(&'static str, &'static str)>,
    /// Whether this person may invite somebody.
    pub may_invite: bool,
    /// Whether this person may ask what somebody would get.
    pub may_map: bool,
    /// What was searched for.
    pub query: String,
    pub group: String,
    pub disabled: bool,
    pub rows: Vec<PersonListRow>,
    /// Where it goes on.
    pub next: Option<String>,
    /// What has just been done.
    pub notice: Option<&'static str>,
}

impl PeopleListPage {
    fn is_search(&self) -> bool {
        !self.query.is_empty() || !self.group.is_empty() || self.disabled
    }
}

/// An identity in the list.
#[derive(Clone, Debug)]
pub(crate) struct PersonListRow {
    pub identity: String,
    pub href: String,
    pub display_name: String,
    pub email: Option<String>,
    /// "hr, staff"
    pub groups: String,
    /// The identity that names the person, where it is another one.
    pub linked_with: Option<String>,
    pub disabled: bool,
}
