//! What scopes come to, whether they satisfy an expression and by which roles, and who has a scope.
//!
//! All of it is in the address, so that the answer to "why may they" can be sent to somebody.

use axum::response::Response;
use falconer_auth::{ApiError, Authentication, By, EvaluatedScope, PageQuery, PeopleFilter, ScopeEvaluation, Start};
use falconer_scopes::{Expression, is_valid_scope};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{SCOPES, encode, lists, person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::visit::Visit;
use crate::views::people::person_href;
use crate::views::{EvaluatedScopeRow, Family, HolderRow, Holders, Kind, ScopeEvaluationView, ScopesPage, html};

/// What is typed may be this long, in characters, and a list may have so many scopes.
const LONGEST: usize = 8000;
const MOST_SCOPES: usize = 500;
/// So many holders of a kind are shown, and so many records are looked at for them: an expansion each.
const SHOWN: usize = 20;
const SEARCHED: usize = 2000;
const PART: u64 = 200;
/// The address of a link may be this long.
const LONGEST_LINK: usize = 1500;

/// `GET /auth/scopes?given=&required=&scope=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, SCOPES.0)) };
    let (who, auth) = (person(session), &visit.web.auth);
    let typed = |name: &str| -> String {
        let text = visit.parameter(name).unwrap_or_default().replace("\r\n", "\n");
        text.trim().chars().take(LONGEST).collect()
    };
    // Whoever may not ask gets no form either.
    auth.expand_scopes(&who, &[""; 0]).map_err(problem)?;
    let acts = auth.console_acts(&who).map_err(problem)?;
    let mut page = ScopesPage {
        layout: visit.layout(),
        others: lists(acts, SCOPES.0),
        given: typed("given"),
        required: typed("required"),
        scope: typed("scope"),
        expanded: None,
        evaluation: None,
        holders: Vec::new(),
        error: None,
    };
    match fill(&visit, &who, &mut page) {
        Ok(()) => Ok(html(StatusCode::OK, Row::Page, &page)),
        Err(refusal) => {
            let refusal = refusal?;
            Ok(html(refusal.status, Row::Page, &ScopesPage { error: Some(refusal.text), ..page }))
        }
    }
}

fn fill(visit: &Visit, who: &Authentication, page: &mut ScopesPage) -> Result<(), Result<Refusal, Problem>> {
    let auth = &visit.web.auth;
    let given = read_scopes(&page.given).map_err(Ok)?;
    if !given.is_empty() {
        let expanded = auth.expand_scopes(who, &given).map_err(Refusal::of)?;
        page.expanded = Some(Family::sort(expanded.iter(), ""));
    }
    if !page.required.is_empty() {
        let required = read_expression(&page.required).map_err(Ok)?;
        page.evaluation = Some(evaluation(auth.evaluate_scopes(who, &given, &required).map_err(Refusal::of)?));
    }
    if !page.scope.is_empty() {
        let [scope] = &read_scopes(&page.scope).map_err(Ok)?[..] else { return Err(Ok(Refusal::invalid("Ask for one scope."))) };
        page.holders = vec![clients(visit, who, scope), roles(visit, who, scope), people(visit, who, scope)];
    }
    Ok(())
}

/// One a line.
fn read_scopes(text: &str) -> Result<Vec<String>, Refusal> {
    let scopes: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if scopes.len() > MOST_SCOPES {
        return Err(Refusal::invalid(format!("At most {MOST_SCOPES} scopes can be asked about here.")));
    }
    match scopes.iter().find(|scope| !is_valid_scope(scope)) {
        Some(wrong) => Err(Refusal::invalid(format!("`{wrong}` is not a scope: it may hold printable ASCII only."))),
        None => Ok(scopes),
    }
}

/// Scopes, one a line, all of which are required; or an expression as the protocol writes it.
fn read_expression(text: &str) -> Result<Expression, Refusal> {
    if !text.starts_with(['{', '"', '[']) {
        return read_scopes(text).map(Expression::all_of);
    }
    let example = "`{\"AnyOf\": [\"notes:read:a\", {\"AllOf\": [\"notes:read:b\", \"notes:read:c\"]}]}`";
    serde_json::from_str(text)
        .map_err(|error| Refusal::invalid(format!("That is no expression ({error}). One looks like this: {example}.")))
}

fn evaluation(evaluation: ScopeEvaluation) -> ScopeEvaluationView {
    ScopeEvaluationView {
        is_satisfied: evaluation.is_satisfied,
        missing: evaluation.missing.map(|missing| missing.to_string()),
        rows: evaluation.scopes.into_iter().map(evaluated_scope_row).collect(),
    }
}

fn evaluated_scope_row(scope: EvaluatedScope) -> EvaluatedScopeRow {
    let (given, roles) = match scope.chain {
        Some(chain) => (Some(chain.given), chain.roles),
        None => (None, Vec::new()),
    };
    EvaluatedScopeRow {
        scope: scope.scope,
        is_held: scope.is_held,
        given,
        roles: roles.into_iter().map(|link| (Kind::Role.href(&link.role_id), link.role_id, link.gives)).collect(),
    }
}

/// Why these scopes give that one, on this page; nothing where the address would be too long.
fn why(given: &[String], scope: &str) -> Option<String> {
    let link = format!("{}?given={}&required={}", SCOPES.0, encode(&given.join("\n")), encode(scope));
    (link.len() <= LONGEST_LINK).then_some(link)
}

/// What a list use case gives, a part at a time, until enough were found or looked at.
fn search(
    title: &'static str,
    more: Option<String>,
    mut part: impl FnMut(Start) -> Result<(usize, Vec<HolderRow>, Option<Start>), ApiError>,
) -> Holders {
    let mut holders = Holders { title, rows: Vec::new(), needs: None, more, stopped: false, failed: false };
    let (mut start, mut looked) = (Start::Offset(0), 0);
    loop {
        match part(start) {
            Ok((count, rows, next)) => {
                looked += count;
                holders.rows.extend(rows);
                holders.stopped = next.is_some() || holders.rows.len() > SHOWN;
                match next.filter(|_| holders.rows.len() < SHOWN && looked < SEARCHED && count > 0) {
                    Some(next) => start = next,
                    None => break,
                }
            }
            Err(ApiError::InsufficientScopes { missing, .. }) => {
                holders.needs = Some(missing.to_string());
                break;
            }
            Err(error) => {
                tracing::warn!(%error, "a list could not be searched");
                holders.failed = true;
                break;
            }
        }
    }
    holders.rows.truncate(SHOWN);
    holders
}

fn clients(visit: &Visit, who: &Authentication, scope: &str) -> Holders {
    let more = format!("/auth/clients?scope={}", encode(scope));
    search("Clients", Some(more), |start| {
        let page = visit.web.auth.list_clients(who, "", PageQuery { start, limit: PART })?;
        let count = page.items.len();
        let has_it = page.items.into_iter().filter(|client| client.expanded_scopes.satisfies(scope));
        let rows = has_it.map(|client| HolderRow {
            href: Kind::Client.href(&client.client_id),
            note: if client.disabled { "disabled" } else { "" },
            why: why(&client.scopes, scope),
            id: client.client_id,
        });
        Ok((count, rows.collect(), page.next))
    })
}

fn roles(visit: &Visit, who: &Authentication, scope: &str) -> Holders {
    let more = format!("/auth/roles?scope={}", encode(scope));
    search("Roles", Some(more), |start| {
        let page = visit.web.auth.list_roles2(who, Some(PageQuery { start, limit: PART }))?;
        let count = page.items.len();
        let has_it = page.items.into_iter().filter(|role| role.expanded_scopes.satisfies(scope));
        let rows = has_it.map(|role| HolderRow {
            href: Kind::Role.href(&role.role_id),
            note: "",
            why: why(&[format!("assume:{}", role.role_id)], scope),
            id: role.role_id,
        });
        Ok((count, rows.collect(), page.next))
    })
}

/// What a person has, by all of their identities, is told of those only whom whoever looks may see, not of all who are listed. That there are others is said.
fn people(visit: &Visit, who: &Authentication, scope: &str) -> Holders {
    let auth = &visit.web.auth;
    let mut hides = false;
    let mut holders = search("People", None, |start| {
        let page = auth.list_people(who, &PeopleFilter::default(), &PageQuery { start, limit: PART })?;
        let count = page.items.len();
        let may_see = |identity: &str| auth.check_scope_for_person(By::Caller { who, verb: "get" }, identity).is_ok();
        let (seen, hidden): (Vec<_>, Vec<_>) = page.items.into_iter().partition(|person| may_see(&person.identity));
        hides |= !hidden.is_empty();
        let has_it = seen.into_iter().filter(|person| auth.person_scopes(&person.identity).is_some_and(|held| held.satisfies(scope)));
        let rows = has_it.map(|person| HolderRow {
            href: person_href(&person.identity),
            note: if person.disabled { "disabled" } else { "" },
            why: None,
            id: person.identity,
        });
        Ok((count, rows.collect(), page.next))
    });
    if hides {
        holders.needs = Some("auth:get-person:*".to_owned());
    }
    holders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_lines_or_json() {
        assert!(read_expression("a\n b ").is_ok_and(|read| read == Expression::all_of(["a".to_owned(), "b".to_owned()])));
        assert!(read_expression("{\"AnyOf\": [\"a\"]}").is_ok_and(|read| matches!(read, Expression::AnyOf(_))));
        for wrong in ["{", "{\"AnyOf\": 7}", "[1]", "é", &"[".repeat(8000)] {
            assert!(read_expression(wrong).is_err(), "{wrong}");
        }
    }
}
