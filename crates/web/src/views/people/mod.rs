//! The pages about people: their list, one of them, the form, what a change comes to, questions before an act, links, and what somebody would get.

mod form;
mod link;
mod list;
mod map;
mod person;

pub(crate) use form::{PersonConfirmPage, PersonFormPage, PersonPlanPage};
pub(crate) use link::{PasswordLinkPage, PersonLinkPage};
pub(crate) use list::{PeopleListPage, PersonListRow};
pub(crate) use map::{MapPage, RefusedRow, WouldGetView};
pub(crate) use person::{IdentityCard, PersonGrantRow, PersonPage};

use crate::views::Kind;

/// The page of a person, by one of their identities.
pub(crate) fn person_href(identity: &str) -> String {
    let identity: String = url::form_urlencoded::byte_serialize(identity.as_bytes()).collect();
    format!("/auth/people?id={identity}")
}

/// The page of a client.
pub(crate) fn client_href(client_id: &str) -> String {
    Kind::Client.href(client_id)
}

/// The page of the role that a scope assumes, where it names one.
pub(crate) fn role_href(scope: &str) -> Option<String> {
    scope.strip_prefix("assume:").filter(|role| !role.is_empty()).map(|role| Kind::Role.href(role))
}
