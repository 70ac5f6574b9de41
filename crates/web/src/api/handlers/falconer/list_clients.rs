//! Clients with the grants that they end with (`GET /api/falconer/v1/clients/`): what the protocol's own listing has no member for.

use falconer_wire::continuation::Scheme;
use falconer_wire::{ClientRecordList, ClientWithGrant};

use crate::api::answer::reply::Reply;
use crate::api::handlers::clients::shape;
use crate::api::handlers::{Answer, Request, token};

pub(crate) fn list(request: &Request<'_>) -> Answer {
    let query = request.page()?;
    let page = request.auth.list_clients(request.who, request.query.get("prefix").unwrap_or_default(), query)?;
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    let clients = page.items.into_iter().map(|mut view| {
        let grant = view.grant.take();
        ClientWithGrant { client: shape(view), grant }
    });
    Ok(Reply::json(&ClientRecordList { clients: clients.collect(), continuation_token }))
}
