//! Applications that ask people for grants by OAuth 2 (`docs/oauth.md`).

use falconer_auth::{ApiError, ApplicationInput, ApplicationRecord, InitialTokenRecord, Secret, SigningAlgorithm};
use falconer_grants::{Grants, InitialTokenInput, PutApplication};
use falconer_wire::continuation::Scheme;
use falconer_wire::{
    Application, ApplicationKind, ApplicationList, CreateInitialTokenRequest, InitialToken, InitialTokenList, KeySet,
    PutApplicationRequest, ResetApplicationSecretRequest,
};
use serde_json::Value;
use zeroize::Zeroize as _;

use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time, token};

pub(crate) fn list(grants: &Grants, request: &Request<'_>) -> Answer {
    let page = grants.list_applications(request.who, &request.page()?)?;
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    Ok(Reply::json(&ApplicationList { applications: page.items.iter().map(|record| shape(record)).collect(), continuation_token }))
}

pub(crate) fn one(grants: &Grants, request: &Request<'_>) -> Answer {
    let record = grants.application(request.who, request.param("applicationId"))?;
    Ok(Reply::json(&shape(&record)))
}

pub(crate) async fn put(grants: &Grants, request: &Request<'_>) -> Answer {
    let given: PutApplicationRequest = request.input()?;
    let input = ApplicationInput {
        name: given.name,
        description: given.description,
        owner: given.owner,
        redirect_uris: given.redirect_uris,
        scopes: given.scopes,
        max_life_ms: given.max_life_seconds.saturating_mul(1000),
        confidential: given.kind == ApplicationKind::Confidential,
        remember_ms: given.remember_consent_seconds.saturating_mul(1000),
        skip_consent: given.skip_consent,
        pushed_only: given.pushed_only,
        id_token_alg: SigningAlgorithm::of_word(&given.id_token_alg).ok_or_else(|| no_algorithm(&given.id_token_alg))?,
        dpop_bound_access_tokens: given.dpop_bound_access_tokens,
        backchannel_logout_uri: given.backchannel_logout_uri,
        keys: given.jwks.keys.into_iter().map(|key| Value::Object(key).to_string()).collect(),
        agent: given.agent,
    };
    Ok(changed(&grants.put_application(request.who, request.param("applicationId"), &input, None).await?))
}

/// The schema lets no other through.
fn no_algorithm(word: &str) -> ApiError {
    ApiError::InputError(format!("idTokenAlg: `{word}` is none of ES256, EdDSA and RS256"))
}

pub(crate) async fn reset_secret(grants: &Grants, request: &Request<'_>) -> Answer {
    let given: ResetApplicationSecretRequest = request.input()?;
    let overlap_ms = given.overlap_seconds.saturating_mul(1000);
    Ok(changed(&grants.reset_application_secret(request.who, request.param("applicationId"), overlap_ms).await?))
}

pub(crate) async fn delete(grants: &Grants, request: &Request<'_>) -> Answer {
    let revision = grants.delete_application(request.who, request.param("applicationId"), None).await?;
    Ok(Reply::no_content().at_revision(revision.0))
}

pub(crate) async fn list_initial_tokens(grants: &Grants, request: &Request<'_>) -> Answer {
    let tokens = grants.list_initial_tokens(request.who).await?;
    Ok(Reply::json(&InitialTokenList { initial_tokens: tokens.iter().map(initial_token).collect() }))
}

pub(crate) async fn create_initial_token(grants: &Grants, request: &Request<'_>) -> Answer {
    let given: CreateInitialTokenRequest = request.input()?;
    let input = InitialTokenInput {
        description: given.description,
        owner: given.owner,
        scopes: given.scopes,
        max_life_ms: given.max_life_seconds.saturating_mul(1000),
        max_uses: given.uses,
        life_ms: given.life_seconds.saturating_mul(1000),
    };
    let new = grants.create_initial_token(request.who, request.param("initialTokenId"), &input).await?;
    let mut shown = InitialToken { token: Some(new.token.expose().to_owned()), ..initial_token(&new.record) };
    let reply = Reply::json_secret(&shown).at_revision(new.revision.0);
    shown.token.zeroize();
    Ok(reply)
}

pub(crate) async fn delete_initial_token(grants: &Grants, request: &Request<'_>) -> Answer {
    let revision = grants.delete_initial_token(request.who, request.param("initialTokenId")).await?;
    Ok(Reply::no_content().at_revision(revision.0))
}

fn initial_token(record: &InitialTokenRecord) -> InitialToken {
    InitialToken {
        id: record.id.clone(),
        description: record.description.clone(),
        created_by: record.created_by.clone(),
        owner: record.owner.clone(),
        scopes: record.scopes.clone(),
        max_life_seconds: record.max_life_ms / 1000,
        max_uses: record.max_uses,
        uses: record.uses,
        created: time(record.created_ms),
        expires: time(record.expires_ms),
        token: None,
    }
}

fn changed(put: &PutApplication) -> Reply {
    let mut shown = Application { secret: put.secret.as_ref().map(Secret::expose).map(str::to_owned), ..shape(&put.record) };
    let reply = Reply::json_secret(&shown).at_revision(put.revision.0);
    shown.secret.zeroize();
    reply
}

fn shape(record: &ApplicationRecord) -> Application {
    Application {
        id: record.id.clone(),
        name: record.name.clone(),
        description: record.description.clone(),
        owner: record.owner.clone(),
        redirect_uris: record.redirect_uris.clone(),
        scopes: record.scopes.clone(),
        max_life_seconds: record.max_life_ms / 1000,
        kind: if record.confidential { ApplicationKind::Confidential } else { ApplicationKind::Public },
        remember_consent_seconds: record.remember_ms / 1000,
        skip_consent: record.skip_consent,
        pushed_only: record.pushed_only,
        id_token_alg: record.id_token_alg.as_str().to_owned(),
        backchannel_logout_uri: record.backchannel_logout_uri.clone(),
        registered_itself: record.registration.is_some(),
        initial_token: record.registration.as_ref().and_then(|registration| registration.initial_token.clone()),
        dpop_bound_access_tokens: record.dpop_bound_access_tokens,
        jwks: KeySet { keys: record.keys.iter().filter_map(|key| serde_json::from_str(key).ok()).collect() },
        agent: record.agent,
        secret_made: record.secret_made_ms.map(time),
        old_secret_ends: record.old_secret_ends_ms.map(time),
        secret: None,
        created: time(record.created_ms),
        last_modified: time(record.last_modified_ms),
    }
}
