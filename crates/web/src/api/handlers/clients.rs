//! Clients.

use falconer_auth::{ClientInput, ClientView, Revision};
use falconer_wire::continuation::Scheme;
use falconer_wire::{Client, ClientList, ClientRequest, ClientWithToken, date_time};
use zeroize::Zeroize as _;

use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time, token};

pub(crate) fn list(request: &Request<'_>) -> Answer {
    let query = request.page()?;
    let page = request.auth.list_clients(request.who, request.query.get("prefix").unwrap_or_default(), query)?;
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    Ok(Reply::json(&ClientList { clients: page.items.into_iter().map(shape).collect(), continuation_token }))
}

pub(crate) fn one(request: &Request<'_>) -> Answer {
    Ok(Reply::json(&shape(request.auth.client(request.who, request.param("clientId"))?)))
}

pub(crate) async fn create(request: &Request<'_>) -> Answer {
    let input = input(request)?;
    let (view, revision) = request.auth.create_client(request.who, request.param("clientId"), &input).await?;
    Ok(with_token(view, revision))
}

pub(crate) async fn update(request: &Request<'_>) -> Answer {
    let input = input(request)?;
    let (view, revision) = request.auth.update_client(request.who, request.param("clientId"), &input).await?;
    Ok(Reply::json(&shape(view)).at_revision(revision.0))
}

pub(crate) async fn reset(request: &Request<'_>) -> Answer {
    let (view, revision) = request.auth.reset_access_token(request.who, request.param("clientId")).await?;
    Ok(with_token(view, revision))
}

pub(crate) async fn enable(request: &Request<'_>) -> Answer {
    let (view, revision) = request.auth.enable_client(request.who, request.param("clientId")).await?;
    Ok(Reply::json(&shape(view)).at_revision(revision.0))
}

pub(crate) async fn disable(request: &Request<'_>) -> Answer {
    let (view, revision) = request.auth.disable_client(request.who, request.param("clientId")).await?;
    Ok(Reply::json(&shape(view)).at_revision(revision.0))
}

pub(crate) async fn delete(request: &Request<'_>) -> Answer {
    let revision = request.auth.delete_client(request.who, request.param("clientId")).await?;
    Ok(Reply::no_content().at_revision(revision.0))
}

fn input(request: &Request<'_>) -> Result<ClientInput, Failure> {
    let given: ClientRequest = request.input()?;
    let expires_us = date_time::parse_us(&given.expires).ok_or_else(|| Failure::input("expires is not a date-time"))?;
    Ok(ClientInput { expires_us, description: given.description, scopes: given.scopes, delete_on_expiration: given.delete_on_expiration })
}

fn with_token(mut view: ClientView, revision: Revision) -> Reply {
    let access_token = view.access_token.take().map(|token| token.expose().to_owned()).unwrap_or_default();
    let mut shown = ClientWithToken { client: shape(view), access_token };
    let reply = Reply::json_secret(&shown).at_revision(revision.0);
    shown.access_token.zeroize();
    reply
}

pub(crate) fn shape(view: ClientView) -> Client {
    Client {
        client_id: view.client_id,
        description: view.description,
        expires: time(view.expires_ms),
        created: time(view.created_ms),
        last_modified: time(view.last_modified_ms),
        last_date_used: time(view.last_date_used_ms),
        last_rotated: time(view.last_rotated_ms),
        delete_on_expiration: view.delete_on_expiration,
        scopes: view.scopes,
        expanded_scopes: view.expanded_scopes.to_vec(),
        disabled: view.disabled,
    }
}
