//! What is kept about applications: the record of one, and what a person has let one do without being asked once more.

/// What an ID token is signed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA over P-256 with SHA-256.
    #[default]
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with PKCS #1 1.5 and SHA-256, where the operator has brought a key.
    Rs256,
}

impl SigningAlgorithm {
    /// All of them.
    pub const ALL: [SigningAlgorithm; 3] = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256];

    /// `ES256`, `EdDSA` or `RS256`: as it is kept, and as everybody writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            SigningAlgorithm::Es256 => "ES256",
            SigningAlgorithm::EdDsa => "EdDSA",
            SigningAlgorithm::Rs256 => "RS256",
        }
    }

    /// The one of this name.
    pub fn of_word(word: &str) -> Option<SigningAlgorithm> {
        SigningAlgorithm::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// An application that asks people for grants by OAuth 2.
#[derive(Clone, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// The `client_id` of OAuth 2.
    pub id: String,
    /// What the grant page calls it.
    pub name: String,
    /// Markdown, for administrators.
    pub description: String,
    /// `<provider>/<subject>` of whoever may change it; empty: nobody but administrators.
    pub owner: String,
    /// Where its answers go.
    pub redirect_uris: Vec<String>,
    /// What it may ask for, in stored order, not expanded. Of one that needed no token to register: beside `*`, which is anything, what it asks for where its request names
    /// nothing.
    pub scopes: Vec<String>,
    /// The longest life of a grant to it, in milliseconds.
    pub max_life_ms: i64,
    /// Whether it is a server with a secret. Else it keeps none.
    pub confidential: bool,
    /// SHA-256 of its secret in hexadecimal digits. The secret itself is stored nowhere.
    pub secret_hash: Option<String>,
    /// When the secret was made, milliseconds since 1970.
    pub secret_made_ms: Option<i64>,
    /// The hash of the secret before, which counts until `old_secret_ends_ms`.
    pub old_secret_hash: Option<String>,
    /// Milliseconds since 1970.
    pub old_secret_ends_ms: Option<i64>,
    /// For how long a person's consent is remembered at most, in milliseconds; 0: they are asked each time.
    pub remember_ms: i64,
    /// Nobody is asked for what is not broad.
    pub skip_consent: bool,
    /// Its requests have to be pushed (RFC 9126).
    pub pushed_only: bool,
    /// What its ID tokens are signed with.
    pub id_token_alg: SigningAlgorithm,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout 1.0); empty: nowhere.
    pub backchannel_logout_uri: String,
    /// Where it has registered itself. `None`: an administrator has.
    pub registration: Option<RegistrationRecord>,
    /// Its access tokens are bound to keys, and it gets none without a proof (RFC 9449).
    pub dpop_bound_access_tokens: bool,
    /// The public keys that it proves with who it is (RFC 7523), each a JWK as JSON, in place of a secret; empty: it has none.
    pub keys: Vec<String>,
    /// Whether it is a program that acts of its own accord: its grants are short unless the person says otherwise.
    pub agent: bool,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
}

impl ApplicationRecord {
    /// Whether it has registered itself without anything that an administrator gave out.
    pub fn needed_no_token(&self) -> bool {
        self.registration.as_ref().is_some_and(|registration| registration.initial_token.is_none())
    }
}

/// Without the hashes.
impl std::fmt::Debug for ApplicationRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplicationRecord").field("id", &self.id).field("last_modified_ms", &self.last_modified_ms).finish_non_exhaustive()
    }
}

/// How an application has registered itself (RFC 7591).
#[derive(Clone, PartialEq, Eq)]
pub struct RegistrationRecord {
    /// Of the token with which it is read, changed and deleted (RFC 7592). The token itself is stored nowhere.
    pub access_hash: String,
    /// [`InitialTokenRecord::id`] of what it was registered with; `None`: nothing was needed.
    pub initial_token: Option<String>,
    /// When somebody granted it something last, to the day; milliseconds since 1970.
    pub granted_ms: Option<i64>,
    /// The network that it was registered from, while it waits for the first grant and nothing was needed for it.
    pub registered_from: Option<String>,
}

/// What the name of whoever made something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creator {
    /// A clientId.
    Client,
    /// An identity, `<provider>/<subject>`.
    Person,
    /// One of both: an earlier version has kept it.
    Either,
}

impl Creator {
    /// As it is kept: `client`, `person`, or nothing.
    pub fn as_str(self) -> &'static str {
        match self {
            Creator::Client => "client",
            Creator::Person => "person",
            Creator::Either => "",
        }
    }

    /// The one of this word. A word of a later version is read as [`Creator::Either`].
    pub fn of_word(word: &str) -> Creator {
        [Creator::Client, Creator::Person].into_iter().find(|known| known.as_str() == word).unwrap_or(Creator::Either)
    }
}

/// What applications register themselves with, so often and so long (RFC 7591 section 1.2).
#[derive(Clone, PartialEq, Eq)]
pub struct InitialTokenRecord {
    /// Its name.
    pub id: String,
    /// Of the token. The token itself is stored nowhere.
    pub hash: String,
    /// Markdown, for administrators.
    pub description: String,
    /// Who made it.
    pub created_by: String,
    /// What that names: a client and a person may have the same name.
    pub creator: Creator,
    /// [`ApplicationRecord::owner`] of what is registered.
    pub owner: String,
    /// The most that what is registered may ask for, in stored order, not expanded.
    pub scopes: Vec<String>,
    /// [`ApplicationRecord::max_life_ms`] of what is registered.
    pub max_life_ms: i64,
    /// So often it can be used.
    pub max_uses: i64,
    /// So often it was.
    pub uses: i64,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// From then on it counts no more, milliseconds since 1970.
    pub expires_ms: i64,
}

/// Without the hash.
impl std::fmt::Debug for InitialTokenRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InitialTokenRecord").field("id", &self.id).field("uses", &self.uses).finish_non_exhaustive()
    }
}

/// That a person need not be asked once more for these scopes of an application. One for each of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    /// `<provider>/<subject>` of the person.
    pub identity: String,
    /// [`ApplicationRecord::id`]
    pub application: String,
    /// The id of the person, so that somebody else who is named so later is asked.
    pub person: String,
    /// Where the answer of the request went, as it was written.
    pub redirect_uri: String,
    /// The origin of that. A grant to it that is revoked ends the consent.
    pub target_origin: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What was told of the person, by the scopes of OpenID Connect; empty: nothing.
    pub identity_scopes: Vec<String>,
    /// Stands for what the application was, and what the page said of what is broad: where that has changed the person is asked.
    pub basis: String,
    /// For how long at most, in milliseconds.
    pub life_ms: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// From then on it counts no more, milliseconds since 1970.
    pub expires_ms: i64,
}
