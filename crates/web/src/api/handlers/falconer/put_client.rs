//! A client whole, with its access token (`PUT /api/falconer/v1/clients/<clientId>`).

use falconer_auth::{BatchClient, Secret};
use falconer_wire::PutClientRequest;

use crate::api::answer::reply::Reply;
use crate::api::handlers::clients::shape;
use crate::api::handlers::falconer::import::expires_us;
use crate::api::handlers::{Answer, Request};

pub(crate) async fn put(request: &Request<'_>) -> Answer {
    let given: PutClientRequest = request.input()?;
    let client = BatchClient {
        client_id: request.param("clientId").to_owned(),
        expires_us: expires_us(&given.expires)?,
        description: given.description,
        scopes: given.scopes,
        delete_on_expiration: given.delete_on_expiration,
        disabled: given.disabled,
        access_token: Some(Secret::new(given.access_token)),
    };
    let (view, _, revision) = request.auth.put_client(request.who, &client).await?;
    Ok(Reply::json(&shape(view)).at_revision(revision.0))
}
