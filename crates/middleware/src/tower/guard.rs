use serde_json::Value;

use crate::tower::Require;
use crate::{Requirement, SettingsError, Verifier};
use falconer_client::Retry;

const DEFAULT_BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// Guards the routes of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    pub(crate) verifier: Verifier,
    pub(crate) body_limit_bytes: usize,
}

impl Guard {
    /// `falconer_root_url` such as `https://auth.example.com`; `public_origin` is the origin that callers use for this service, such as
    /// `https://notes.example.com`: what they signed is compared with it, never with the Host header.
    pub fn new(falconer_root_url: &str, public_origin: &str) -> Result<Guard, SettingsError> {
        Ok(Guard { verifier: Verifier::new(falconer_root_url, public_origin)?, body_limit_bytes: DEFAULT_BODY_LIMIT_BYTES })
    }

    /// Largest body that is read to compare its hash; beyond: 413. Default 1 MiB. Bodies without a signed hash are not read.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Guard {
        self.body_limit_bytes = bytes;
        self
    }

    /// Takes access tokens, too, which sign nothing: see [`Verifier::with_bearer_tokens`].
    #[must_use]
    pub fn with_bearer_tokens(mut self) -> Guard {
        self.verifier = self.verifier.with_bearer_tokens();
        self
    }

    /// Takes access tokens, and tells clients of OAuth 2 where they come from (RFC 9728), such as those of the Model Context Protocol: the resource is `path` of the
    /// public origin, such as `/mcp`, or all of it where that is empty, and `scopes` are those that a client may want. With it go `Guard::metadata`, a route, and
    /// the challenges of refusals. Errors: [`SettingsError::ProtectedResource`].
    pub fn with_protected_resource<'a>(mut self, path: &str, scopes: impl IntoIterator<Item = &'a str>) -> Result<Guard, SettingsError> {
        self.verifier = self.verifier.with_protected_resource(path, scopes)?;
        Ok(self)
    }

    /// Refuses bodies whose hash was not signed, so that nobody between caller and service can change them.
    #[must_use]
    pub fn with_payload_hash_required(mut self) -> Guard {
        self.verifier = self.verifier.with_payload_hash_required();
        self
    }

    /// Below which prefixes, such as `assume:mozilla-user:`, callers show their scopes to handlers, besides those that begin as what a route requires. For
    /// [`Caller::people`](crate::Caller::people) and [`Caller::is_person`](crate::Caller::is_person) the role's kind has to be named here. Errors: as of
    /// [`Verifier::with_revealed`].
    pub fn with_revealed<'a>(mut self, prefixes: impl IntoIterator<Item = &'a str>) -> Result<Guard, SettingsError> {
        self.verifier = self.verifier.with_revealed(prefixes)?;
        Ok(self)
    }

    /// Other tries, waits and timeouts for the question to Falconer. Default: two tries of 5 s at most.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Guard {
        self.verifier = self.verifier.with_retry(retry);
        self
    }

    /// What asks Falconer: for [`Verifier::counts`].
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// A layer for whatever needs the same scopes at each call, such as `notes:admin`, `{"AllOf": [..]}` or `{"AnyOf": [..]}`. Scopes that
    /// depend on the path are for [`Guard::route`] (feature `axum`). Errors: [`SettingsError::Expression`].
    pub fn require(&self, expression: impl Into<Value>) -> Result<Require, SettingsError> {
        Ok(Require::new(self.clone(), Some(Requirement::parse(&expression.into(), [])?)))
    }

    /// A layer for routes that decide by themselves: the handler gets a [`Caller`](crate::Caller), also where there were no credentials, and asks it
    /// ([`Caller::has`](crate::Caller::has)). Bad credentials are refused all the same. Of the scopes it sees those of [`Guard::with_revealed`]; a program that
    /// needs all of them takes [`Verifier::verify`].
    ///
    /// In axum it is `get(handler).layer(guard.identify())`: `route_layer` would leave out what `any(..)` and a fallback answer.
    #[must_use]
    pub fn identify(&self) -> Require {
        Require::new(self.clone(), None)
    }
}
