//! The pages about a person's identities: linking another account, confirming it, and unlinking.

use askama::Template;

use super::{Layout, ProviderButton};
use crate::views::me::Family;
use crate::views::words;

/// What is linked, and what could be.
#[derive(Template)]
#[template(path = "identities.html")]
pub(crate) struct IdentitiesPage {
    pub layout: Layout,
    pub csrf: String,
    pub form_time: String,
    pub identities: Vec<IdentityRow>,
    /// Where each could be linked.
    pub providers: Vec<ProviderButton>,
    /// Something is proved already, and waits to be confirmed.
    pub is_pending: bool,
}

/// Both accounts prove who they are.
#[derive(Template)]
#[template(path = "link.html")]
pub(crate) struct LinkPage {
    pub layout: Layout,
    pub csrf: String,
    /// The account by which this session began, whose password is asked for; `None`: it began with a provider.
    pub own: Option<String>,
    /// The name of the other account, as typed.
    pub name: String,
    pub error: Option<String>,
}

/// What linking would give to whom.
#[derive(Template)]
#[template(path = "link_confirm.html")]
pub(crate) struct LinkConfirmPage {
    pub layout: Layout,
    pub csrf: String,
    pub form_time: String,
    /// All identities of the person.
    pub own: Vec<String>,
    /// The identity to be linked.
    pub other: String,
    pub other_name: String,
    /// What the person gains.
    pub gained: Vec<Family>,
    /// What whoever signs in by the other identity gains.
    pub given: Vec<Family>,
    pub error: Option<String>,
}

/// Before an identity is unlinked.
#[derive(Template)]
#[template(path = "unlink.html")]
pub(crate) struct UnlinkPage {
    pub layout: Layout,
    pub csrf: String,
    pub form_time: String,
    pub identity: String,
    /// The other identities.
    pub others: Vec<String>,
    /// This session began with it, so that it ends.
    pub signs_out: bool,
    pub error: Option<String>,
}

impl LinkConfirmPage {
    fn count(families: &[Family]) -> String {
        words::count(families.iter().map(|family| family.scopes.len()).sum(), "scope")
    }
}

/// One of a person's identities, on their own page.
#[derive(Clone, Debug)]
pub(crate) struct IdentityRow {
    pub identity: String,
    pub display_name: String,
    /// It names what is new.
    pub names: bool,
    /// This session began with it.
    pub this_one: bool,
    /// It may act.
    pub active: bool,
}
