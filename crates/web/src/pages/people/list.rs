//! The list of people, which can be searched.

use axum::response::Response;
use falconer_auth::{PageQuery, PeopleFilter, PersonRow, Start};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{encode, lists, person, problem, sign_in};
use crate::pages::people::person as one;
use crate::pages::visit::Visit;
use crate::views::html;
use crate::views::people::{PeopleListPage, PersonListRow, person_href};

/// So many rows a page.
const ROWS: u64 = 50;

/// `GET /auth/people`, and with `?id=<identity>` one of them.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/people")) };
    if let Some(identity) = visit.parameter("id") {
        return one::page(&visit, session, &identity).await;
    }
    let (query, group) = (visit.searched("q"), visit.searched("group"));
    let disabled = visit.parameter("disabled").as_deref() == Some("true");
    let filter = PeopleFilter {
        text: query.clone(),
        group: Some(group.clone()).filter(|group| !group.is_empty()),
        disabled: disabled.then_some(true),
    };
    let start = visit.parameter("from").map_or(Start::Offset(0), Start::After);
    let page = visit.web.auth.list_people(&person(session), &filter, &PageQuery { start, limit: ROWS }).map_err(problem)?;
    let next = page.next.and_then(|start| match start {
        Start::After(identity) => Some(identity),
        Start::Offset(_) => None,
    });
    let next = next.map(|from| {
        let only = if disabled { "&disabled=true" } else { "" };
        format!("/auth/people?q={}&group={}{only}&from={}", encode(&query), encode(&group), encode(&from))
    });
    let acts = visit.web.auth.console_acts(&person(session)).map_err(problem)?;
    let maps = visit.web.login.mapped_providers(&person(session)).map_err(problem)?;
    let page = PeopleListPage {
        layout: visit.layout(),
        others: lists(acts, "/auth/people"),
        may_invite: acts.invite,
        may_map: !maps.is_empty(),
        rows: page.items.into_iter().map(row).collect(),
        notice: (visit.parameter("done").as_deref() == Some("deleted")).then_some("Deleted."),
        query,
        group,
        disabled,
        next,
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

fn row(row: PersonRow) -> PersonListRow {
    PersonListRow {
        href: person_href(&row.identity),
        linked_with: Some(row.name).filter(|name| *name != row.identity),
        identity: row.identity,
        display_name: row.display_name,
        email: row.email,
        groups: row.groups.join(", "),
        disabled: row.disabled,
    }
}
