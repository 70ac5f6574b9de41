//! Why a request was not accepted, as a value. `Display` of each is the protocol's exact text, which goes out as the `message` of an `auth-failed`
//! result. None of them holds a secret.

use thiserror::Error;

/// Why a request was refused, by what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The header or the bewit does not have the form that it should.
    #[error(transparent)]
    Form(#[from] FormFault),
    /// All that anybody without the key learns: the MAC is wrong, or there is no such client.
    #[error("Unauthorized: Bad mac")]
    BadMac,
    /// The client has the right key, and can't be used.
    #[error("{}", client_text(client_id, *state))]
    Client {
        /// Its id.
        client_id: String,
        /// Why not.
        state: ClientState,
    },
    /// Something in `ext.certificate`.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// `ext` itself, or `ext.authorizedScopes`.
    #[error(transparent)]
    Ext(#[from] ExtFault),
    /// The time of a header is more than 15 minutes off.
    #[error("Unauthorized: Stale timestamp")]
    StaleTimestamp,
    /// The time of a bewit is over.
    #[error("Unauthorized: Access expired")]
    BewitOver,
}

/// What is wrong with a client whose key was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// It is an issuer of Falconer's own, or the tester's counterpart: no client. Not for a client that nobody has: that would tell who exists.
    NotFound,
    /// It may not sign.
    Disabled,
    /// It has ended.
    Expired,
}

/// What is wrong with the form of a header or a bewit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormFault {
    /// More than the longest header.
    #[error("Bad Request: Header length too long")]
    HeaderTooLong,
    /// No scheme, or something that is no list.
    #[error("Bad Request: Invalid header syntax")]
    HeaderSyntax,
    /// A header of another scheme, or a query without a bewit.
    #[error("Unauthorized: Unauthorized")]
    OtherScheme,
    /// An attribute that Hawk does not have.
    #[error("Bad Request: Unknown attribute: {0}")]
    UnknownAttribute(String),
    /// Nothing, or characters that are not printable.
    #[error("Bad Request: Bad attribute value: {0}")]
    AttributeValue(String),
    /// The same attribute twice.
    #[error("Bad Request: Duplicate attribute: {0}")]
    DuplicateAttribute(String),
    /// Something between the attributes.
    #[error("Bad Request: Bad header format")]
    HeaderFormat,
    /// One of `id`, `ts`, `nonce`, `mac`.
    #[error("Bad Request: Missing attributes")]
    MissingAttributes,
    /// The resource is longer than a bewit may be in.
    #[error("Bad Request: Resource path exceeds max length")]
    ResourceTooLong,
    /// `bewit=` and nothing.
    #[error("Unauthorized: Empty bewit")]
    EmptyBewit,
    /// A bewit is for GET and HEAD.
    #[error("Unauthorized: Invalid method")]
    BewitMethod,
    /// Not base64url.
    #[error("Bad Request: Invalid bewit encoding")]
    BewitEncoding,
    /// Not four parts.
    #[error("Bad Request: Invalid bewit structure")]
    BewitStructure,
    /// One of the parts is empty.
    #[error("Bad Request: Missing bewit attributes")]
    BewitAttributes,
}

impl FormFault {
    /// The same with the beginning of what the sender wrote only: for what is kept.
    #[must_use]
    pub fn without_long_names(self) -> FormFault {
        let short = |name: String| name.chars().take(64).collect();
        match self {
            FormFault::UnknownAttribute(name) => FormFault::UnknownAttribute(short(name)),
            FormFault::AttributeValue(name) => FormFault::AttributeValue(short(name)),
            FormFault::DuplicateAttribute(name) => FormFault::DuplicateAttribute(short(name)),
            other => other,
        }
    }
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateFault {
    /// `issuer` is no text.
    #[error("ext.certificate.issuer must be a string")]
    Issuer,
    /// A client issued it to itself.
    #[error("ext.certificate.issuer must differ from the supplied clientId")]
    IssuerIsClient,
    /// It is no object.
    #[error("ext.certificate must be a JSON object")]
    Object,
    /// `version`.
    #[error("ext.certificate.version must be 1")]
    Version,
    /// `seed` is no text.
    #[error("ext.certificate.seed must be a string")]
    Seed,
    /// `seed` has another length.
    #[error("ext.certificate.seed must be 44 characters")]
    SeedLength,
    /// `start` is no integer.
    #[error("ext.certificate.start must be a number")]
    Start,
    /// `expiry` is no integer.
    #[error("ext.certificate.expiry must be a number")]
    Expiry,
    /// `scopes` is no list.
    #[error("ext.certificate.scopes must be an array")]
    Scopes,
    /// Something in `scopes` is no scope.
    #[error("ext.certificate.scopes must be an array of valid scopes")]
    InvalidScopes,
    /// It begins more than five minutes from now.
    #[error("ext.certificate.start > now")]
    NotYet,
    /// It ended more than five minutes ago.
    #[error("ext.certificate.expiry < now")]
    Over,
    /// It spans more than 31 days.
    #[error("ext.certificate cannot last longer than 31 days!")]
    TooLong,
    /// A name without an issuer.
    #[error("ext.certificate.clientId must only be used with ext.certificate.issuer")]
    NameWithoutIssuer,
    /// The name is none that a client can have. Services that know the pattern of clientIds trust that no other arrives.
    #[error("the name of temporary credentials must be a clientId, which holds letters, digits and !@/:.+|_- only")]
    Name,
    /// The issuer may not make clients of this name.
    #[error("ext.certificate issuer `{issuer}` doesn't have `{needed}` for supplied clientId.")]
    IssuerMayNotName {
        /// Who issued it.
        issuer: String,
        /// The scope that it takes.
        needed: String,
    },
    /// The issuer lacks something that it gives.
    #[error(
        "ext.certificate issuer `{issuer}` doesn't satisfy all certificate scopes {scopes}.  The temporary credentials were not generated correctly."
    )]
    IssuerLacksScopes {
        /// Who issued it.
        issuer: String,
        /// The scopes of the certificate, with commas in between.
        scopes: String,
    },
    /// The signature of an unnamed certificate.
    #[error("ext.certificate.signature is not valid")]
    Signature,
    /// The signature of a named certificate, which covers the name.
    #[error("ext.certificate.signature is not valid, or wrong clientId provided")]
    NamedSignature,
    /// It was revoked: a text of Falconer's own.
    #[error("{}", revoked_text(issuer, *before_ms))]
    Revoked {
        /// Who issued it.
        issuer: String,
        /// It starts before this, where that is why; milliseconds since the epoch. `None`: it was revoked by its seed.
        before_ms: Option<i64>,
    },
}

/// What is wrong with `ext`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExtFault {
    /// It is no base64 of JSON.
    #[error("Failed to parse ext")]
    Unreadable,
    /// `authorizedScopes` is no list.
    #[error("ext.authorizedScopes must be an array")]
    AuthorizedScopes,
    /// Something in `authorizedScopes` is no scope.
    #[error("ext.authorizedScopes must be an array of valid scopes")]
    InvalidAuthorizedScopes,
    /// The credentials do not come to what they were restricted to.
    #[error(
        "Supplied credentials do not satisfy authorizedScopes; credentials have scopes:\n\n```\n{}\n```\n\nauthorizedScopes are:\n\n```\n{}\n```",
        held.join("\n"),
        authorized.join("\n")
    )]
    NotSatisfied {
        /// What the credentials have.
        held: Vec<String>,
        /// What they were restricted to.
        authorized: Vec<String>,
    },
}

fn revoked_text(issuer: &str, before_ms: Option<i64>) -> String {
    match before_ms {
        Some(_) => format!(
            "These temporary credentials have been revoked, as all that `{issuer}` had issued until then. Make new ones, which start at the present time."
        ),
        None => format!("These temporary credentials, which `{issuer}` had issued, have been revoked. Make new ones."),
    }
}

fn client_text(client_id: &str, state: ClientState) -> String {
    match state {
        ClientState::NotFound => format!("Client with clientId '{client_id}' not found"),
        ClientState::Disabled => format!("Client with clientId '{client_id}' is disabled"),
        // The colon is the reference's.
        ClientState::Expired => format!("Client with clientId: '{client_id}' has expired"),
    }
}

impl Failure {
    /// `Client with clientId '<id>' not found`. Not for `authenticateHawk` (that would tell who exists); `testAuthenticate` owes it.
    pub fn client_not_found(client_id: &str) -> Failure {
        Failure::client(client_id, ClientState::NotFound)
    }

    pub(crate) fn client(client_id: &str, state: ClientState) -> Failure {
        Failure::Client { client_id: client_id.to_owned(), state }
    }
}
