//! Roles.

use falconer_auth::{ApiError, RoleInput, RoleView};
use falconer_scopes::list;
use falconer_wire::continuation::Scheme;
use falconer_wire::{Role, RoleIdPage, RolePage, RoleRequest};
use serde_json::Value;

use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time, token};

pub(crate) fn list_all(request: &Request<'_>) -> Answer {
    let roles: Vec<Role> = request.auth.list_roles(request.who)?.into_iter().map(shape).collect();
    Ok(Reply::json(&roles))
}

pub(crate) fn list_page(request: &Request<'_>) -> Answer {
    let page = request.auth.list_roles2(request.who, request.role_page()?)?;
    Ok(Reply::json(&RolePage { continuation_token: token(page.next, Scheme::Roles), roles: page.items.into_iter().map(shape).collect() }))
}

pub(crate) fn list_ids(request: &Request<'_>) -> Answer {
    let page = request.auth.list_role_ids(request.who, request.role_page()?)?;
    Ok(Reply::json(&RoleIdPage { continuation_token: token(page.next, Scheme::Roles), role_ids: page.items }))
}

pub(crate) fn one(request: &Request<'_>) -> Answer {
    Ok(Reply::json(&shape(request.auth.role(request.who, request.param("roleId"))?)))
}

pub(crate) async fn create(request: &mut Request<'_>) -> Answer {
    let input = input(request)?;
    let outcome = request.auth.create_role(request.who, request.param("roleId"), &input).await;
    if matches!(outcome, Err(ApiError::RequestConflict(_) | ApiError::InputError(_))) && !input.scopes.iter().any(|s| s.ends_with("**")) {
        sort_for_errors(request, &input);
    }
    let (view, revision) = outcome?;
    Ok(Reply::json(&shape(view)).at_revision(revision.0))
}

pub(crate) async fn update(request: &Request<'_>) -> Answer {
    let input = input(request)?;
    let (view, revision) = request.auth.update_role(request.who, request.param("roleId"), &input).await?;
    Ok(Reply::json(&shape(view)).at_revision(revision.0))
}

pub(crate) async fn delete(request: &Request<'_>) -> Answer {
    let revision = request.auth.delete_role(request.who, request.param("roleId")).await?;
    Ok(Reply::no_content().at_revision(revision.0))
}

fn input(request: &Request<'_>) -> Result<RoleInput, Failure> {
    let given: RoleRequest = request.input()?;
    Ok(RoleInput { scopes: given.scopes, description: given.description })
}

/// createRole sorts what it was given once the caller is authorized, and the reference's later errors show that.
fn sort_for_errors(request: &mut Request<'_>, input: &RoleInput) {
    let mut sorted = input.scopes.clone();
    list::sort(&mut sorted);
    if let Some(scopes) = request.body.json.get_mut("scopes") {
        *scopes = Value::from(sorted);
    }
}

fn shape(view: RoleView) -> Role {
    Role {
        role_id: view.role_id,
        scopes: view.scopes,
        expanded_scopes: view.expanded_scopes.to_vec(),
        description: view.description,
        last_modified: time(view.last_modified_ms),
        created: time(view.created_ms),
    }
}
