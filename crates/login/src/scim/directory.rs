//! A directory that pushes, and the token by which it is known.

use std::sync::Arc;

use falconer_store::{ScimBounds, ScimKind, ScimPush, ScimRecord, ScimSubject};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::login::Login;
use crate::people::identity;

/// Shorter tokens are not taken.
pub const SHORTEST_SCIM_TOKEN: usize = 32;

/// Which attribute of a user is the subject of their identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimSubjectAttribute {
    /// `externalId`
    ExternalId,
    /// `userName`
    UserName,
}

impl ScimSubjectAttribute {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimSubjectAttribute::ExternalId => "externalId",
            ScimSubjectAttribute::UserName => "userName",
        }
    }
}

/// What a directory may push, as it is configured.
#[derive(Clone)]
pub struct ScimSettings {
    /// The provider whose people it pushes.
    pub provider: String,
    /// SHA-256 of the token.
    token_hash: [u8; 32],
    /// Which attribute of a user is the subject of their identity.
    pub subject: ScimSubjectAttribute,
    /// Whether the groups of a pushed user are the pushed ones, and no others.
    pub groups: bool,
    /// Whether nobody else signs in than who was pushed.
    pub only_pushed: bool,
    /// How much it may push.
    pub(crate) bounds: ScimBounds,
    /// Whose turn it is to follow what was pushed.
    pub(crate) following: Arc<tokio::sync::Mutex<()>>,
}

impl ScimSettings {
    /// With the token of the directory, of which only a hash is kept.
    pub fn new(provider: &str, token: &str, subject: ScimSubjectAttribute, groups: bool, only_pushed: bool) -> ScimSettings {
        ScimSettings {
            provider: provider.to_owned(),
            token_hash: hash(token),
            subject,
            groups,
            only_pushed,
            bounds: ScimBounds::default(),
            following: Arc::default(),
        }
    }

    /// With other bounds than the default ones.
    #[must_use]
    pub fn with_bounds(self, bounds: ScimBounds) -> ScimSettings {
        ScimSettings { bounds, ..self }
    }

    /// Whether both have the same token.
    pub fn has_token_of(&self, other: &ScimSettings) -> bool {
        self.token_hash == other.token_hash
    }

    /// The subject of a user; `None`: the attribute is missing.
    pub(crate) fn subject_of<'r>(&self, user: &'r ScimRecord) -> Option<&'r str> {
        match self.subject {
            ScimSubjectAttribute::ExternalId => user.external_id.as_deref(),
            ScimSubjectAttribute::UserName => Some(&user.name),
        }
    }

    /// The user of this subject.
    pub(crate) fn user_of<'s>(&self, subject: &'s str) -> ScimSubject<'s> {
        match self.subject {
            ScimSubjectAttribute::ExternalId => ScimSubject::ExternalId(subject),
            ScimSubjectAttribute::UserName => ScimSubject::Name(subject),
        }
    }

    /// The identity of a user.
    pub(crate) fn identity_of(&self, user: &ScimRecord) -> Option<String> {
        self.subject_of(user).map(|subject| format!("{}/{}", self.provider, identity::encode(subject)))
    }

    /// What is pushed of a user or a group, for the history. A user whose subject is missing has the history of the id.
    pub(crate) fn push(&self, record: &ScimRecord, at_ms: i64) -> ScimPush {
        match record.kind {
            ScimKind::User => ScimPush {
                entity_id: self.identity_of(record).unwrap_or_else(|| format!("{}/{}", self.provider, record.id)),
                actor: self.actor(),
                at_ms,
            },
            ScimKind::Group => self.push_of_group(&record.id, at_ms),
        }
    }

    /// The same of a group, by its id.
    pub(crate) fn push_of_group(&self, id: &str, at_ms: i64) -> ScimPush {
        ScimPush { entity_id: format!("{}/{id}", self.provider), actor: self.actor(), at_ms }
    }

    /// Who changes what is pushed, in the audit.
    pub(crate) fn actor(&self) -> String {
        format!("falconer/scim/{}", self.provider)
    }
}

impl Login {
    /// The directory that has this token. All tokens are compared, so that the time tells nothing of any.
    pub fn scim_directory(&self, token: &str) -> Option<&ScimSettings> {
        let sent = hash(token);
        let mut found = u32::MAX;
        for (number, directory) in (0_u32..).zip(&self.settings.scim) {
            let same: Choice = directory.token_hash.ct_eq(&sent);
            found.conditional_assign(&number, same);
        }
        self.settings.scim.get(usize::try_from(found).ok()?)
    }

    /// The names of the providers whose directories push.
    pub fn scim_names(&self) -> impl Iterator<Item = &str> {
        self.settings.scim.iter().map(|directory| directory.provider.as_str())
    }

    /// What a provider's directory may push; `None`: it pushes nothing.
    pub(crate) fn scim_of(&self, provider: &str) -> Option<&ScimSettings> {
        self.settings.scim.iter().find(|scim| scim.provider == provider)
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
