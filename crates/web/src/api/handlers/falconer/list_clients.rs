//! Clients with what the protocol's own shape has no member for: the grant that they end with, until when the access token before counts, and what was revoked of their
//! certificates (`/api/falconer/v1/clients/`).

use falconer_auth::{ClientView, RevokeCertificates};
use falconer_wire::continuation::Scheme;
use falconer_wire::{
    ClientRecordList, ClientWithGrant, ResetAccessToken, ResetAccessTokenRequest, RevokeCertificatesRequest, RevokedSeed, date_time,
};
use zeroize::Zeroize as _;

use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::clients::shape;
use crate::api::handlers::{Answer, Request, time, token};

pub(crate) fn list(request: &Request<'_>) -> Answer {
    let query = request.page()?;
    let page = request.auth.list_clients(request.who, request.query.get("prefix").unwrap_or_default(), query)?;
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    Ok(Reply::json(&ClientRecordList { clients: page.items.into_iter().map(whole).collect(), continuation_token }))
}

pub(crate) fn one(request: &Request<'_>) -> Answer {
    Ok(Reply::json(&whole(request.auth.client(request.who, request.param("clientId"))?)))
}

pub(crate) async fn revoke_certificates(request: &Request<'_>) -> Answer {
    let given: RevokeCertificatesRequest = request.input()?;
    let instant = |text: String| date_time::parse_ms(&text).ok_or_else(|| Failure::input("before is not a date-time"));
    let wish = RevokeCertificates { before_ms: given.before.map(instant).transpose()?, seed: given.seed };
    let (view, revision) = request.auth.revoke_certificates(request.who, request.param("clientId"), &wish).await?;
    Ok(Reply::json(&whole(view)).at_revision(revision.0))
}

pub(crate) async fn reset(request: &Request<'_>) -> Answer {
    let given: ResetAccessTokenRequest = request.input()?;
    let overlap_ms = given.overlap_seconds.saturating_mul(1000);
    let (mut view, revision) = request.auth.reset_access_token_keeping(request.who, request.param("clientId"), overlap_ms).await?;
    let access_token = view.access_token.take().map(|token| token.expose().to_owned()).unwrap_or_default();
    let mut shown = ResetAccessToken { record: whole(view), access_token };
    let reply = Reply::json_secret(&shown).at_revision(revision.0);
    shown.access_token.zeroize();
    Ok(reply)
}

pub(crate) async fn end_old_token(request: &Request<'_>) -> Answer {
    let (view, revision) = request.auth.end_old_access_token(request.who, request.param("clientId")).await?;
    Ok(Reply::json(&whole(view)).at_revision(revision.0))
}

fn whole(mut view: ClientView) -> ClientWithGrant {
    let revoked_seeds = std::mem::take(&mut view.revoked_seeds);
    ClientWithGrant {
        grant: view.grant.take(),
        old_token_ends: view.old_token_ends_ms.map(time),
        certificates_from: view.certificates_from_ms.map(time),
        revoked_seeds: revoked_seeds.into_iter().map(|(seed, until_ms)| RevokedSeed { seed, until: time(until_ms) }).collect(),
        client: shape(view),
    }
}
