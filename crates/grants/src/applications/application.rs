//! An application, and what it may do: registered in the configuration or in the store, or known by a document of its own.

use std::fmt;
use std::sync::Arc;

use falconer_auth::{ApplicationRecord, RegisteredKey, SigningAlgorithm};
use falconer_login::has_sha256;
use falconer_scopes::ScopeSet;

use crate::targets::target::Target;

/// `[[application]]` of the configuration, before it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationSettings {
    /// The `client_id` of OAuth 2: letters, digits, `.`, `_` and `-`.
    pub id: String,
    /// What the grant page calls it.
    pub name: String,
    /// Whom to ask about it. Only for administrators; may be empty.
    pub owner: String,
    /// Where its answers go.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// The longest life of a grant to it, in milliseconds.
    pub max_life_ms: i64,
    /// How it proves who it is.
    pub kind: ApplicationKind,
    /// SHA-256 of its secret in hexadecimal digits. Of a confidential one only.
    pub secret_sha256: Option<String>,
    /// Whether it is a program that acts of its own accord: its grants are short unless the person says otherwise.
    pub agent: bool,
    /// Whether it may ask on devices, by a short code.
    pub device: bool,
    /// For how long people may have their consent remembered, in milliseconds; 0: they are asked each time.
    pub remember_ms: i64,
    /// Nobody is asked for what is not broad.
    pub skip_consent: bool,
    /// Its access tokens are bound to keys, and it gets none without a proof (RFC 9449).
    pub dpop_bound_access_tokens: bool,
    /// Whether its requests have to be pushed (RFC 9126).
    pub pushed_only: bool,
    /// The public keys that it proves with who it is, each a JWK as JSON, in place of a secret. Of a confidential one only.
    pub keys: Vec<String>,
    /// What its ID tokens are signed with.
    pub id_token_alg: SigningAlgorithm,
    /// Where it is told that a session has ended; empty: nowhere.
    pub backchannel_logout_uri: String,
}

/// How an application proves who it is, and what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationKind {
    /// It keeps no secret: a page, a program on somebody's machine. PKCE is required.
    Public,
    /// A server with a secret, or with keys. PKCE is required of it too (RFC 9700 section 2.1.1).
    Confidential,
    /// A third party of the protocol's reference: a code without PKCE and without a secret.
    ReferenceCode,
    /// A third party of the protocol's reference: an access token in the fragment.
    ReferenceToken,
}

impl ApplicationKind {
    /// All kinds.
    pub const ALL: [ApplicationKind; 4] =
        [ApplicationKind::Public, ApplicationKind::Confidential, ApplicationKind::ReferenceCode, ApplicationKind::ReferenceToken];

    /// As the configuration writes it: `public`, `confidential`, `reference-code`, `reference-token`.
    pub fn as_str(self) -> &'static str {
        match self {
            ApplicationKind::Public => "public",
            ApplicationKind::Confidential => "confidential",
            ApplicationKind::ReferenceCode => "reference-code",
            ApplicationKind::ReferenceToken => "reference-token",
        }
    }

    /// Whether it was written for the protocol's reference, which knows neither PKCE nor secrets.
    pub(crate) fn is_of_reference(self) -> bool {
        match self {
            ApplicationKind::Public | ApplicationKind::Confidential => false,
            ApplicationKind::ReferenceCode | ApplicationKind::ReferenceToken => true,
        }
    }
}

/// What is known of an application that nobody has registered.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Documented {
    /// The address of its document: its host is what is verified of it.
    pub(crate) site: Target,
    /// What it calls itself. To be shown beside the host, never instead of it.
    pub(crate) name: Option<String>,
    /// Its document was read, so that its redirect URIs are known.
    pub(crate) is_read: bool,
}

/// An application. Made by [`crate::Grants`] only, which has checked it.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    pub(crate) settings: ApplicationSettings,
    /// Each with the text that it was registered as.
    pub(crate) redirects: Vec<(String, Target)>,
    pub(crate) scopes: ScopeSet,
    /// What it signs assertions with; empty: it proves itself in another way.
    pub(crate) keys: Vec<RegisteredKey>,
    /// Where it is one of the store.
    pub(crate) record: Option<Arc<ApplicationRecord>>,
    /// Where nobody has registered it, not even itself.
    pub(crate) document: Option<Documented>,
    /// Falconer's own command, which nobody has to register.
    pub(crate) is_command_line: bool,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("id", &self.settings.id).finish_non_exhaustive()
    }
}

impl Application {
    /// The `client_id`.
    pub fn id(&self) -> &str {
        &self.settings.id
    }

    /// What the grant page calls it.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it calls itself, where no administrator has registered it and it does so.
    pub fn own_name(&self) -> Option<&str> {
        match &self.document {
            Some(document) => document.name.as_deref(),
            None => self.registered_itself_ms().map(|_| self.name()),
        }
    }

    /// When it has registered itself, milliseconds since 1970. `None`: it has not.
    pub fn registered_itself_ms(&self) -> Option<i64> {
        self.record.as_ref().filter(|record| record.registration.is_some()).map(|record| record.created_ms)
    }

    /// Whether it is known by its name: an administrator has registered it, or it is Falconer's own.
    pub fn is_registered(&self) -> bool {
        self.document.is_none() && self.registered_itself_ms().is_none()
    }

    /// Whether it is Falconer's own command, which nobody has registered.
    pub fn is_command_line(&self) -> bool {
        self.is_command_line
    }

    /// Whether it may ask for no particular scopes, which stands for whatever the person can give.
    pub(crate) fn may_name_nothing(&self) -> bool {
        !self.is_registered() || self.is_command_line
    }

    /// How it proves who it is.
    pub fn kind(&self) -> ApplicationKind {
        self.settings.kind
    }

    /// Where a redirect URI leads that is registered: letter by letter, but for the port of `http` on this machine, which a program takes as it finds one free
    /// (RFC 8252 section 7.3). Third parties of the reference have no such exception there.
    pub(crate) fn redirect(&self, uri: &str) -> Option<Target> {
        if let Some((_, target)) = self.redirects.iter().find(|(known, _)| known == uri) {
            return Some(target.clone());
        }
        let target = Target::parse(uri).ok().filter(|target| !self.kind().is_of_reference() && target.is_plain_loopback())?;
        let same = |known: &Target| known.is_plain_loopback() && known.host() == target.host() && known.path_on() == target.path_on();
        self.redirects.iter().any(|(_, known)| same(known)).then_some(target)
    }

    /// The hosts of the person's own machine that are its own on every port.
    pub(crate) fn hosts_on_any_port(&self) -> impl Iterator<Item = &str> {
        let targets = self.redirects.iter().map(|(_, target)| target);
        targets.filter(|target| !self.kind().is_of_reference() && target.is_plain_loopback()).map(Target::host)
    }

    /// Whether this is its secret, or the one before while that counts. One that has keys proves itself by them alone, whatever a server before them has noted of a secret.
    pub(crate) fn has_secret(&self, secret: &str, now_ms: i64) -> bool {
        if !self.keys.is_empty() {
            return false;
        }
        let record = self.record.as_deref();
        let old = record.filter(|record| record.old_secret_ends_ms.is_some_and(|end_ms| now_ms < end_ms));
        let hashes = [
            self.settings.secret_sha256.as_ref(),
            record.and_then(|record| record.secret_hash.as_ref()),
            old.and_then(|record| record.old_secret_hash.as_ref()),
        ];
        hashes.into_iter().flatten().any(|known| has_sha256(secret, known))
    }
}
