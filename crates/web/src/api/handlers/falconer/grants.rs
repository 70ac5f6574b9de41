//! Grants, for whoever has one (`docs/agents.md`).

use falconer_auth::{Issued, NewDerivedGrant};
use falconer_grants::{Collected, Grants, WantedMore};
use falconer_wire::{
    CollectGrantRequest, CollectedGrant, DeriveGrantRequest, DerivedGrant, EndedTokens, GrantCredentials, RequestGrantRequest,
    RequestedGrant, date_time,
};
use zeroize::Zeroize as _;

use crate::PublicOrigin;
use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time};

pub(crate) async fn derive(grants: &Grants, request: &Request<'_>) -> Answer {
    let given: DeriveGrantRequest = request.input()?;
    let expires_ms = expires_ms(given.expires.as_deref())?;
    let new = NewDerivedGrant { scopes: given.scopes, expires_ms, purpose: given.purpose };
    let issued = grants.derive_grant(request.who, &new).await?;
    let credentials = credentials_of(&issued);
    let (grant, revision) = (issued.grant, issued.revision);
    let mut shown = DerivedGrant {
        parent: grant.parent.unwrap_or_default(),
        grant: grant.id,
        scopes: grant.scopes,
        expires: time(grant.expires_ms),
        credentials,
    };
    let reply = Reply::json_secret(&shown).at_revision(revision.0);
    shown.credentials.access_token.zeroize();
    Ok(reply)
}

pub(crate) async fn request(grants: &Grants, origin: &PublicOrigin, request: &Request<'_>) -> Answer {
    let given: RequestGrantRequest = request.input()?;
    let now_ms = grants.now_ms();
    let life_ms = expires_ms(given.expires.as_deref())?.map(|end_ms| end_ms.saturating_sub(now_ms));
    let wanted = WantedMore { scopes: given.scopes, life_ms, reason: given.reason };
    let waiting = grants.request_more(request.who, &wanted, origin.server()).await?;
    let mut shown = RequestedGrant {
        page: waiting.page,
        request: waiting.id,
        code: waiting.code,
        expires: time(waiting.expires_ms),
        interval: waiting.interval_seconds,
    };
    let reply = Reply::json_secret(&shown);
    shown.code.zeroize();
    Ok(reply)
}

pub(crate) async fn collect(grants: &Grants, request: &Request<'_>) -> Answer {
    let mut given: CollectGrantRequest = request.input()?;
    let collected = grants.collect_more(request.who, &given.code).await;
    given.code.zeroize();
    let state = |state: &str| Ok(Reply::json(&CollectedGrant { state: state.to_owned(), ..CollectedGrant::default() }));
    let issued = match collected? {
        Collected::Pending => return state("pending"),
        Collected::SlowDown => return state("slow-down"),
        Collected::Refused => return state("refused"),
        Collected::Expired => return state("expired"),
        Collected::Granted(issued) => issued,
    };
    let mut shown = CollectedGrant {
        state: "granted".to_owned(),
        credentials: Some(credentials_of(&issued)),
        expires: Some(time(issued.grant.expires_ms)),
        grant: Some(issued.grant.id),
        scopes: Some(issued.grant.scopes),
    };
    let reply = Reply::json_secret(&shown).at_revision(issued.revision.0);
    if let Some(credentials) = &mut shown.credentials {
        credentials.access_token.zeroize();
    }
    Ok(reply)
}

pub(crate) async fn ended_tokens(grants: &Grants, request: &Request<'_>) -> Answer {
    let resource = request.query.get("resource").ok_or_else(|| Failure::input("`resource` is needed: the URL of the service"))?;
    let ended = grants.ended_tokens(request.who, resource).await?;
    Ok(Reply::json(&EndedTokens { ended: ended.names, complete: ended.is_complete, at: time(ended.at_ms) }))
}

fn expires_ms(given: Option<&str>) -> Result<Option<i64>, Failure> {
    match given {
        None => Ok(None),
        Some(text) => Ok(Some(date_time::parse_ms(text).ok_or_else(|| Failure::input("`expires` is no date and time"))?)),
    }
}

fn credentials_of(issued: &Issued) -> GrantCredentials {
    GrantCredentials {
        client_id: issued.credentials.client_id.clone(),
        access_token: issued.credentials.access_token.expose().to_owned(),
        certificate: issued.credentials.certificate.clone(),
    }
}
