//! What services publish about their scopes (`docs/grants.md`).

use falconer_auth::{ApiError, Risk, ScopeRegistryRecord, ScopeSentence};
use falconer_grants::Grants;
use falconer_wire::continuation::Scheme;
use falconer_wire::{PutScopeRegistryRequest, ScopeRegistry, ScopeRegistryList, ScopeRegistrySummary};

use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time, token};

pub(crate) fn list(grants: &Grants, request: &Request<'_>) -> Answer {
    let page = grants.list_scope_registries(request.who, &request.page()?)?;
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    Ok(Reply::json(&ScopeRegistryList { scope_registries: page.items.iter().map(|record| summary(record)).collect(), continuation_token }))
}

pub(crate) fn one(grants: &Grants, request: &Request<'_>) -> Answer {
    let record = grants.scope_registry(request.who, request.param("namespace"))?;
    Ok(Reply::json(&shape(&record)))
}

pub(crate) async fn put(grants: &Grants, request: &Request<'_>) -> Answer {
    let given: PutScopeRegistryRequest = request.input()?;
    let scopes: Result<Vec<ScopeSentence>, ApiError> = given.scopes.into_iter().map(sentence).collect();
    let (record, revision) = grants.put_scope_registry(request.who, request.param("namespace"), &scopes?).await?;
    Ok(Reply::json(&shape(&record)).at_revision(revision.0))
}

pub(crate) async fn delete(grants: &Grants, request: &Request<'_>) -> Answer {
    let revision = grants.delete_scope_registry(request.who, request.param("namespace"), None).await?;
    Ok(Reply::no_content().at_revision(revision.0))
}

fn sentence(given: falconer_wire::ScopeSentence) -> Result<ScopeSentence, ApiError> {
    // The schema lets no other through.
    let no_risk = || ApiError::InputError(format!("risk: `{}` is neither `ordinary` nor `high`", given.risk));
    let risk = Risk::parse(&given.risk).ok_or_else(no_risk)?;
    Ok(ScopeSentence { template: given.template, sentence: given.sentence, risk })
}

fn shape(record: &ScopeRegistryRecord) -> ScopeRegistry {
    let sentence = |scope: &ScopeSentence| falconer_wire::ScopeSentence {
        template: scope.template.clone(),
        sentence: scope.sentence.clone(),
        risk: scope.risk.as_str().to_owned(),
    };
    ScopeRegistry {
        namespace: record.namespace.clone(),
        scopes: record.scopes.iter().map(sentence).collect(),
        published_by: record.published_by.clone(),
        created: time(record.created_ms),
        last_modified: time(record.last_modified_ms),
    }
}

fn summary(record: &ScopeRegistryRecord) -> ScopeRegistrySummary {
    ScopeRegistrySummary {
        namespace: record.namespace.clone(),
        scopes: record.scopes.len() as u64,
        published_by: record.published_by.clone(),
        created: time(record.created_ms),
        last_modified: time(record.last_modified_ms),
    }
}
