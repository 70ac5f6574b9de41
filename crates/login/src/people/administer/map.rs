//! What somebody would get: a provider's claims, as they would be taken. Nobody is asked, and nothing is written.

use falconer_auth::{ApiError, Authentication};
use falconer_scopes::ScopeSet;
use serde_json::{Map, Value};

use crate::login::Login;
use crate::providers::mapping::Mapped;
use crate::providers::provider::Attributes;

/// What somebody would get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldGet {
    /// As the provider's claims say.
    pub attributes: Attributes,
    /// What they give.
    pub mapped: Mapped,
    /// What the scopes come to.
    pub expanded: ScopeSet,
}

impl Login {
    /// Name and label of the configured providers that this caller may ask about. It takes `auth:list-people` to ask at all.
    pub fn mapped_providers(&self, who: &Authentication) -> Result<Vec<(String, String)>, ApiError> {
        let caller = self.auth.caller(who)?;
        caller.require_scope("auth:list-people".to_owned())?;
        let known = self.settings.providers.iter().filter(|known| caller.scopes.satisfies(&needed(&known.name)));
        Ok(known.map(|known| (known.name.clone(), known.label.clone())).collect())
    }

    /// What a person with these claims would get. It takes `auth:map-person:<provider>`. 404: no such provider; 400: nobody would be signed in.
    pub fn map_person(&self, who: &Authentication, provider: &str, claims: &Map<String, Value>) -> Result<WouldGet, ApiError> {
        self.auth.caller(who)?.require_scope(needed(provider))?;
        let known = self.settings.providers.iter().find(|known| known.name == provider);
        let known = known.ok_or_else(|| ApiError::ResourceNotFound(format!("There is no provider {provider}")))?;
        let attributes =
            known.kind.attributes(claims).map_err(|error| ApiError::InputError(format!("Nobody would be signed in: {error}")))?;
        let mapped = known.mapping.map(&known.name, &attributes);
        let scopes: Vec<&str> = mapped.scopes.iter().map(String::as_str).collect();
        Ok(WouldGet { expanded: self.auth.expand(&scopes), attributes, mapped })
    }
}

fn needed(provider: &str) -> String {
    format!("auth:map-person:{provider}")
}
