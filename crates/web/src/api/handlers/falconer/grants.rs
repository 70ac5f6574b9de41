//! Grants, for whoever has one (`docs/agents.md`).

use falconer_auth::NewDerivedGrant;
use falconer_grants::Grants;
use falconer_wire::{DeriveGrantRequest, DerivedGrant, GrantCredentials, date_time};
use zeroize::Zeroize as _;

use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time};

pub(crate) async fn derive(grants: &Grants, request: &Request<'_>) -> Answer {
    let given: DeriveGrantRequest = request.input()?;
    let expires_ms = match given.expires.as_deref() {
        None => None,
        Some(text) => Some(date_time::parse_ms(text).ok_or_else(|| Failure::input("`expires` is no date and time"))?),
    };
    let new = NewDerivedGrant { scopes: given.scopes, expires_ms, purpose: given.purpose };
    let issued = grants.derive_grant(request.who, &new).await?;
    let (grant, credentials) = (issued.grant, issued.credentials);
    let mut shown = DerivedGrant {
        parent: grant.parent.unwrap_or_default(),
        grant: grant.id,
        scopes: grant.scopes,
        expires: time(grant.expires_ms),
        credentials: GrantCredentials {
            client_id: credentials.client_id,
            access_token: credentials.access_token.expose().to_owned(),
            certificate: credentials.certificate,
        },
    };
    let reply = Reply::json_secret(&shown).at_revision(issued.revision.0);
    shown.credentials.access_token.zeroize();
    Ok(reply)
}
