//! The methods about what services say of their scopes. Each gives the errors of [`Client::call`].

use super::auth::found;
use super::falconer::ours;
use crate::{Call, Client, Error, encode_segment};
use falconer_wire::{PutScopeRegistryRequest, ScopeRegistry, ScopeRegistryList, ScopeRegistrySummary};
use http::Method;

impl Client {
    /// A page of registries, without their sentences. Go on with the page's `continuation_token` until it is `None`.
    pub async fn list_scope_registries(&self, limit: Option<u32>, continuation_token: Option<&str>) -> Result<ScopeRegistryList, Error> {
        let mut query = Vec::new();
        query.extend(limit.map(|limit| ("limit", limit.to_string())));
        query.extend(continuation_token.map(|token| ("continuationToken", token.to_owned())));
        self.call_as(&Call { query, ..ours(Method::GET, "/scope-registries".to_owned()) }, None::<&()>).await
    }

    /// All pages of [`Client::list_scope_registries`].
    pub async fn list_all_scope_registries(&self) -> Result<Vec<ScopeRegistrySummary>, Error> {
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = self.list_scope_registries(None, token.as_deref()).await?;
            all.extend(page.scope_registries);
            match page.continuation_token {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// What a service has published about its scopes; `None` if there is nothing.
    pub async fn scope_registry(&self, namespace: &str) -> Result<Option<ScopeRegistry>, Error> {
        found(self.call_as(&ours(Method::GET, of(namespace)?), None::<&()>).await)
    }

    /// Publishes it, in place of what was published before. Repeating it changes nothing.
    pub async fn put_scope_registry(&self, namespace: &str, registry: &PutScopeRegistryRequest) -> Result<ScopeRegistry, Error> {
        self.call_as(&ours(Method::PUT, of(namespace)?), Some(registry)).await
    }

    /// Deletes it; fine when there is none.
    pub async fn delete_scope_registry(&self, namespace: &str) -> Result<(), Error> {
        self.call_as(&ours(Method::DELETE, of(namespace)?), None::<&()>).await
    }
}

fn of(namespace: &str) -> Result<String, Error> {
    Ok(format!("/scope-registries/{}", encode_segment(namespace)?))
}
