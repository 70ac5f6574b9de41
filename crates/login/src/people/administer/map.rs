//! What somebody would get: a provider's claims, as they would be taken. Nobody is asked, and nothing is written.

use falconer_auth::{ApiError, Authentication};
use falconer_scopes::ScopeSet;
use serde_json::{Map, Value};

use crate::login::Login;
use crate::providers::error::ProviderError;
use crate::providers::mapping::Mapped;
use crate::providers::provider::{Attributes, ConfiguredDirectory, ConfiguredProvider};

/// What lists of providers call one.
const ONLY_AUTHORIZES: &str = "only authorizes";

/// What somebody would get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldGet {
    /// As the provider's claims say.
    pub attributes: Attributes,
    /// What they give.
    pub mapped: Mapped,
    /// What the scopes come to.
    pub expanded: ScopeSet,
    /// It only authorizes: this is added to whoever signs in elsewhere, and nobody is signed in by it.
    pub only_authorizes: bool,
}

impl Login {
    /// Name and label of the configured providers that this caller may ask about. It takes `auth:list-people` to ask at all.
    pub fn mapped_providers(&self, who: &Authentication) -> Result<Vec<(String, String)>, ApiError> {
        let caller = self.auth.caller(who)?;
        caller.require_scope("auth:list-people".to_owned())?;
        let providers = self.settings.providers.iter().map(|known| (known.name.clone(), known.label.clone()));
        let directories = self.settings.directories.iter().map(|known| (known.name.clone(), ONLY_AUTHORIZES.to_owned()));
        Ok(providers.chain(directories).filter(|(name, _)| caller.scopes.satisfies(&needed(name))).collect())
    }

    /// What a person with these claims would get; of a directory that only authorizes, what somebody would get in addition of whom it answers this. It takes
    /// `auth:map-person:<provider>`. 404: no such provider; 400: nobody would be signed in, or nothing would be added.
    pub fn map_person(&self, who: &Authentication, provider: &str, claims: &Map<String, Value>) -> Result<WouldGet, ApiError> {
        self.auth.caller(who)?.require_scope(needed(provider))?;
        let found = would_get(&self.settings.providers, &self.settings.directories, provider, claims);
        let found = found.ok_or_else(|| ApiError::ResourceNotFound(format!("There is no provider {provider}")))?;
        let MappedClaims { attributes, mapped, only_authorizes } =
            found.map_err(|why| ApiError::InputError(capitalized(&why.to_string())))?;
        let scopes: Vec<&str> = mapped.scopes.iter().map(String::as_str).collect();
        Ok(WouldGet { expanded: self.auth.expand(&scopes), attributes, mapped, only_authorizes })
    }
}

/// What claims come to, before roles are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedClaims {
    /// As the provider's claims say.
    pub attributes: Attributes,
    /// What they give.
    pub mapped: Mapped,
    /// It only authorizes.
    pub only_authorizes: bool,
}

/// Why claims give nothing at all.
#[derive(Debug, thiserror::Error)]
pub enum NothingMapped {
    /// Of a provider.
    #[error("nobody would be signed in: {0}")]
    NobodySignedIn(ProviderError),
    /// Of a directory that only authorizes.
    #[error("nothing would be added: {0}")]
    NothingAdded(ProviderError),
    /// The same: its answer is no error, and says nothing.
    #[error("nothing would be added: the directory vouches for nobody in this answer")]
    NotVouchedFor,
}

/// What a person with these claims would get of the provider or directory of this name; `None`: there is none. Nobody is asked.
pub fn would_get(
    providers: &[ConfiguredProvider],
    directories: &[ConfiguredDirectory],
    name: &str,
    claims: &Map<String, Value>,
) -> Option<Result<MappedClaims, NothingMapped>> {
    if let Some(known) = providers.iter().find(|known| known.name == name) {
        let attributes = known.kind.attributes(claims).map_err(NothingMapped::NobodySignedIn);
        return Some(attributes.map(|attributes| {
            let mapped = known.mapping.map(&known.name, &attributes);
            MappedClaims { attributes, mapped, only_authorizes: false }
        }));
    }
    let known = directories.iter().find(|known| known.name == name)?;
    Some(match known.kind.read_answer(claims) {
        Err(error) => Err(NothingMapped::NothingAdded(error)),
        Ok(None) => Err(NothingMapped::NotVouchedFor),
        Ok(Some(attributes)) => {
            let mapped = known.mapping.map_addition(&known.name, &attributes);
            Ok(MappedClaims { attributes, mapped, only_authorizes: true })
        }
    })
}

/// As the beginning of a sentence.
fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn needed(provider: &str) -> String {
    format!("auth:map-person:{provider}")
}
