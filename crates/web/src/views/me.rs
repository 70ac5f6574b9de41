//! A person's own page: who they are, what they may do, what they granted, where they are signed in.

use askama::Template;

use super::{IdentityRow, Layout, PersonLine};
use crate::views::words;

#[derive(Template)]
#[template(path = "me.html")]
pub(crate) struct MePage {
    pub layout: Layout,
    pub csrf: String,
    pub notice: Option<String>,
    /// Roles that were changed with the grant that has just been revoked.
    pub roles_to_review: Vec<String>,
    pub person: PersonLine,
    /// The lists that this person may see: where, and the title.
    pub lists: Vec<(&'static str, &'static str)>,
    /// Whether clients can be listed.
    pub may_list_clients: bool,
    pub email: Option<String>,
    pub groups: Vec<String>,
    pub can_change_password: bool,
    /// How many passkeys the account by which somebody signed in has.
    pub passkeys: usize,
    /// How somebody stands with their recovery codes, in a sentence.
    pub codes: String,
    /// Whether this session began with one.
    pub by_recovery_code: bool,
    pub form_time: String,
    pub identities: Vec<IdentityRow>,
    /// What was searched for; empty: everything is shown.
    pub query: String,
    /// All scopes of the person, found or not.
    pub total: usize,
    pub families: Vec<Family>,
    /// The newest of them.
    pub grants: Vec<GrantRow>,
    pub grant_total: usize,
    /// How many requests for more wait for an answer.
    pub waiting: usize,
    pub origins: Vec<OriginRow>,
    pub sessions: Vec<SessionRow>,
}

impl MePage {
    fn scope_count(&self) -> String {
        words::count(self.total, "scope")
    }

    fn found(&self) -> String {
        words::count(self.families.iter().map(|family| family.scopes.len()).sum(), "scope")
    }

    fn requests(&self) -> String {
        format!("{} for more {}", words::count(self.waiting, "request"), if self.waiting == 1 { "waits" } else { "wait" })
    }

    fn grant_count(&self) -> String {
        words::count(self.grant_total, "active grant")
    }
}

/// Scopes with the same word before the first colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    pub service: String,
    pub scopes: Vec<String>,
}

impl Family {
    /// In order of service, then as they come; `needle` (any letter case) is what a scope must hold to be shown.
    pub(crate) fn sort<'a>(scopes: impl IntoIterator<Item = &'a str>, needle: &str) -> Vec<Family> {
        let needle = needle.to_ascii_lowercase();
        let mut families = std::collections::BTreeMap::<&str, Vec<String>>::new();
        for scope in scopes {
            if scope.to_ascii_lowercase().contains(&needle) {
                families.entry(service(scope)).or_default().push(scope.to_owned());
            }
        }
        families.into_iter().map(|(service, scopes)| Family { service: service.to_owned(), scopes }).collect()
    }
}

/// What stands before the first colon: the service that a scope is about.
pub(crate) fn service(scope: &str) -> &str {
    match scope.split_once(':') {
        Some(("", _)) | None => "other",
        Some((service, _)) => service,
    }
}

/// One active grant.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrantRow {
    pub id: String,
    /// What the person calls it.
    pub called: Option<String>,
    /// What it is for, in the words of who asked.
    pub purpose: Option<String>,
    /// The name that an administrator registered, or the `client_id` of an application that nobody has.
    pub name: Option<String>,
    /// What such an application says of itself.
    pub calls_itself: Option<String>,
    /// `https://notes.example.com`
    pub site: String,
    /// "may do all that it was offered: 12 scopes", "may use 3 scopes".
    pub may: String,
    pub knows_identity: bool,
    pub scopes: Vec<String>,
    pub ends: String,
    pub ends_exact: String,
    pub ends_machine: String,
    /// "used 2 minutes ago", "never used".
    pub used: String,
    pub created: String,
}

impl GrantRow {
    /// Behind the name.
    fn place(&self) -> String {
        falconer_grants::place_of_named(&self.site, self.name.as_deref())
    }

    /// Alone.
    fn whole_place(&self) -> String {
        falconer_grants::place(&self.site, self.name.as_deref())
    }

    fn count(&self) -> String {
        words::count(self.scopes.len(), "scope")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OriginRow {
    pub origin: String,
    pub since: String,
}

#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    /// What the form sends back; not the cookie's value.
    pub id: String,
    /// "local/ann with a password".
    pub by: String,
    pub browser: String,
    /// From where it signed in, where that is known.
    pub address: String,
    pub created: String,
    pub seen: String,
    pub this_one: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        let scopes = ["auth:x", "notes:read:a", "notes:Write:b", "*", ":x"];
        let all = Family::sort(scopes, "");
        let names: Vec<_> = all.iter().map(|family| (family.service.as_str(), family.scopes.len())).collect();
        assert_eq!(names, [("auth", 1), ("notes", 2), ("other", 2)]);
        assert_eq!(Family::sort(scopes, "WRITE"), [Family { service: "notes".to_owned(), scopes: vec!["notes:Write:b".to_owned()] }]);
        assert!(Family::sort(scopes, "nothing").is_empty());
    }
}
