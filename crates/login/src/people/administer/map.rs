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
    /// The names of the configured providers, with what the button says.
    pub fn provider_names(&self) -> Vec<(String, String)> {
        self.settings.providers.iter().map(|provider| (provider.name.clone(), provider.label.clone())).collect()
    }

    /// What a person with these claims would get. It takes `auth:map-person:<provider>`. 404: no such provider; 400: nobody would be signed in.
    pub fn map_person(&self, who: &Authentication, provider: &str, claims: &Map<String, Value>) -> Result<WouldGet, ApiError> {
        self.auth.caller(who)?.require_scope(format!("auth:map-person:{provider}"))?;
        let known = self.settings.providers.iter().find(|known| known.name == provider);
        let known = known.ok_or_else(|| ApiError::ResourceNotFound(format!("There is no provider {provider}")))?;
        let attributes =
            known.kind.attributes(claims).map_err(|error| ApiError::InputError(format!("Nobody would be signed in: {error}")))?;
        let mapped = known.mapping.map(&known.name, &attributes);
        let scopes: Vec<&str> = mapped.scopes.iter().map(String::as_str).collect();
        Ok(WouldGet { expanded: self.auth.expand(&scopes), attributes, mapped })
    }
}
