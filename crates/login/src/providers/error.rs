//! Why a provider signed nobody in: one value from where it is found to the page, the log and the metrics.

use thiserror::Error;

use super::github::GithubError;
use super::http::HttpError;
use super::http_directory::HttpDirectoryError;
use super::ldap::LdapError;
use crate::mail::MailError;
use crate::tls::TlsFault;

/// Who has to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The browser came back with something else than it left with; signing in once more helps.
    Browser,
    /// The person, or the provider in its own words, said no; or what the browser brought back says so.
    Person,
    /// The provider answered what it must not answer; the operator has to look.
    Provider,
    /// The provider did not answer; waiting helps.
    Away,
    /// Too many sign-ins at this moment.
    Busy,
}

/// Why a provider signed nobody in. Texts are for the log and for operators: they hold nothing secret, and what came from the provider is quoted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProviderError {
    // --- the browser ---
    /// There is no such provider.
    #[error("there is no provider of this name")]
    UnknownProvider,
    /// No sign-in is under way in this browser, or not with this state.
    #[error("this browser has not begun this sign-in")]
    NotBegunHere,
    /// It was begun with another provider than it came back to.
    #[error("the sign-in was begun with another provider")]
    OtherProvider,
    /// It was begun in another session, or in one that has ended.
    #[error("this sign-in was begun in a session that is not here")]
    OtherSession,
    /// It came back before.
    #[error("this sign-in was finished before")]
    Used,
    /// It took too long.
    #[error("this sign-in took too long")]
    Over,
    /// Where the person wants to go on does not fit into what a browser keeps.
    #[error("the request that should go on after sign-in is too long")]
    NextTooLong,
    /// RFC 9207: another issuer answered.
    #[error("the callback came from the issuer {0:?}")]
    ForeignCallback(String),
    /// RFC 9207: the provider says that it always names itself, and did not.
    #[error("the callback does not name its issuer")]
    AnonymousCallback,
    /// A parameter of the callback came twice.
    #[error("the parameter `{0}` came more than once")]
    Repeated(&'static str),
    /// Neither a code nor an error came back.
    #[error("the callback has no code")]
    NoCode,
    /// The code of a mail was typed too often.
    #[error("the code was typed wrong too often")]
    TooManyTries,

    // --- the person, or the provider on purpose ---
    /// The provider said no, in one of OAuth's words.
    #[error("the provider said {0:?}")]
    Said(String),
    /// The browser brought back that the provider refuses this server, or can't answer, in one of OAuth's words. Nothing proves that the provider has said it.
    #[error("the callback said {said:?}")]
    CallbackSaid {
        /// OAuth's.
        said: String,
        /// Who would have to do something about it, if it is true.
        of: Fault,
    },
    /// Not the code of the mail.
    #[error("that was not the code")]
    WrongCode,
    /// Nobody signs in with such an address.
    #[error("addresses of this domain do not sign in here")]
    AddressNotAllowed,

    /// Somebody signed in again as somebody else.
    #[error("another identity came back than the one that was to sign in again")]
    OtherIdentity,
    /// The provider let somebody through whom it knew, and did not ask them again.
    #[error("the provider did not ask again who it is: its `auth_time` is missing or too old")]
    NotAskedAgain,
    /// The identity is somebody's already, or may not act.
    #[error("{0}")]
    NotToBeLinked(String),
    /// It gave no answer in the time that a sign-in has, or gave none just now.
    #[error("there was no answer in the time that a sign-in has, or none just now")]
    Silent,
    /// The store did not keep what the provider gave for asking again.
    #[error("what the provider gave for asking again could not be kept: {0}")]
    NotKept(String),
    /// What it gave for asking again does not open here.
    #[error("what the provider gave for asking again does not open with the keys of this server: it is kept for one that has the key")]
    HandleNotOpened,
    /// The directory behind the provider says that they may not.
    #[error("the directory has deactivated this person")]
    Deactivated,
    /// The directory behind the provider has not named them, and only those whom it names sign in.
    #[error("the directory has not pushed this person")]
    NotPushed,

    // --- the provider: discovery ---
    /// Not JSON, or not of the shape that its specification has.
    #[error("the {what} can't be read: {why}")]
    Malformed {
        /// Which answer.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// The document is somebody else's.
    #[error("the discovery document is of the issuer {0:?}")]
    ForeignDiscovery(String),
    /// An address that nobody should be sent to.
    #[error("the {what} {url:?} of the discovery document can't be used: {why}")]
    Endpoint {
        /// Its name in the document.
        what: &'static str,
        /// As given.
        url: String,
        /// Why not.
        why: &'static str,
    },
    /// The provider offers nothing that is used here.
    #[error("the provider offers no {0}")]
    Unsupported(&'static str),

    // --- the provider: the token endpoint ---
    /// An answer with an unexpected status.
    #[error("the {what} answered with status {status}")]
    Status {
        /// Which.
        what: &'static str,
        /// HTTP's.
        status: u16,
    },
    /// The provider refuses this server and not the person, in one of OAuth's words: a secret that is over, an address or a scope that it does not have.
    #[error("the {what} refuses this client: {said:?}")]
    ClientRefused {
        /// Which.
        what: &'static str,
        /// OAuth's.
        said: String,
    },
    /// No ID token in the answer.
    #[error("the token endpoint gave no ID token")]
    NoIdToken,
    /// Not `Bearer`.
    #[error("the token endpoint gave a token of the type {0:?}")]
    TokenType(String),

    // --- the provider: keys ---
    /// No key of this id, also after the keys were read again.
    #[error("the provider has no key {0:?}")]
    UnknownKey(String),
    /// The token names no key, and there is more than one that it could be.
    #[error("the ID token names no key, and more than one would do")]
    KeyNotNamed,
    /// Several keys under one id.
    #[error("the provider has several keys {0:?}")]
    AmbiguousKey(String),
    /// A key that is made for something else.
    #[error("the key {0:?} is not made for this signature")]
    WrongKey(String),

    // --- the provider: the ID token ---
    /// Not three parts of base64url, not JSON, or too long.
    #[error("the ID token can't be read: {0}")]
    Token(&'static str),
    /// Not on the list; `none` and HMAC are not.
    #[error("the ID token is signed with {0:?}, which is not accepted")]
    Algorithm(String),
    /// The token asks for an extension that is not known here.
    #[error("the ID token has critical headers")]
    CriticalHeader,
    /// Another kind of token.
    #[error("the token is of the type {0:?}")]
    OtherKind(String),
    /// The signature does not hold.
    #[error("the signature of the ID token does not hold")]
    Signature,
    /// Another issuer.
    #[error("the ID token was issued by {0:?}")]
    Issuer(String),
    /// Made for somebody else.
    #[error("the ID token is not for this client")]
    Audience,
    /// Asked for by another client.
    #[error("the ID token was asked for by another client")]
    AuthorizedParty,
    /// A claim that has to be there.
    #[error("the ID token has no usable `{0}`")]
    Claim(&'static str),
    /// It has ended.
    #[error("the ID token has ended")]
    Ended,
    /// It begins later.
    #[error("the ID token does not count yet")]
    NotYet,
    /// It was issued before this sign-in, or after now.
    #[error("the ID token was not issued just now")]
    NotFresh,
    /// Made for another sign-in.
    #[error("the ID token belongs to another sign-in")]
    Nonce,
    /// The access token beside it is not the one that it was issued with.
    #[error("the ID token belongs to another access token")]
    AccessTokenHash,

    // --- the provider: what is said of the person ---
    /// The userinfo endpoint speaks of somebody else.
    #[error("the userinfo endpoint speaks of another person")]
    OtherPerson,
    /// No id that a name can be made of.
    #[error("the subject can't be used: {0}")]
    Subject(&'static str),
    /// The claim that is configured as the subject is missing in the ID token, or is no text.
    #[error("the ID token has no text `{0}`, which `subject_claim` names")]
    SubjectClaim(String),
    /// The provider's people are known by something else than is configured now.
    #[error(
        "the people of this provider are known by `{kept}`, and it is configured with `{configured}`; `falconer config check` says more"
    )]
    KnownByOther {
        /// As it was when the first of them signed in.
        kept: String,
        /// As it is now.
        configured: String,
    },
    /// A claim of a wrong type.
    #[error("the claim {claim:?} is not {expected}")]
    ClaimType {
        /// Its name, or its path with ` > ` in between.
        claim: String,
        /// What it should be.
        expected: &'static str,
    },
    /// More groups than are kept.
    #[error("the person has more than {0} groups that count")]
    TooManyGroups(usize),

    /// What is GitHub's own.
    #[error(transparent)]
    Github(#[from] GithubError),
    /// What is an HTTP directory's own.
    #[error(transparent)]
    HttpDirectory(#[from] HttpDirectoryError),
    /// What is a directory's own.
    #[error(transparent)]
    Ldap(#[from] LdapError),
    /// The mail server, when it is tried.
    #[error(transparent)]
    Mail(#[from] MailError),

    // --- away, busy ---
    /// No answer, or one that is not taken.
    #[error("{what}: {error}")]
    Http {
        /// What was asked.
        what: &'static str,
        /// Why nothing came of it.
        error: HttpError,
    },
    /// It says itself that it can't answer just now.
    #[error("the {what} said {said:?}")]
    SaidAway {
        /// Which.
        what: &'static str,
        /// OAuth's.
        said: String,
    },
    /// Too many people are being signed in by this provider.
    #[error("too many sign-ins with this provider at the moment")]
    Busy,
}

impl ProviderError {
    /// Who has to do something about it.
    pub fn fault(&self) -> Fault {
        use ProviderError as E;
        match self {
            E::UnknownProvider
            | E::NotBegunHere
            | E::OtherProvider
            | E::OtherSession
            | E::Used
            | E::Over
            | E::NextTooLong
            | E::ForeignCallback(_)
            | E::AnonymousCallback
            | E::Repeated(_)
            | E::NoCode => Fault::Browser,
            E::TooManyTries => Fault::Browser,
            E::Said(_)
            | E::CallbackSaid { .. }
            | E::WrongCode
            | E::OtherIdentity
            | E::NotAskedAgain
            | E::NotToBeLinked(_)
            | E::AddressNotAllowed
            | E::Deactivated
            | E::NotPushed => Fault::Person,
            E::NotKept(_) | E::Silent | E::SaidAway { .. } | E::Mail(_) => Fault::Away,
            E::Status { status, .. } if *status >= 500 || *status == 429 => Fault::Away,
            E::Malformed { .. }
            | E::ForeignDiscovery(_)
            | E::Endpoint { .. }
            | E::Unsupported(_)
            | E::Status { .. }
            | E::ClientRefused { .. }
            | E::NoIdToken
            | E::TokenType(_)
            | E::UnknownKey(_)
            | E::KeyNotNamed
            | E::AmbiguousKey(_)
            | E::WrongKey(_)
            | E::Token(_)
            | E::Algorithm(_)
            | E::CriticalHeader
            | E::OtherKind(_)
            | E::Signature
            | E::Issuer(_)
            | E::Audience
            | E::AuthorizedParty
            | E::Claim(_)
            | E::Ended
            | E::NotYet
            | E::NotFresh
            | E::Nonce
            | E::AccessTokenHash
            | E::OtherPerson
            | E::Subject(_)
            | E::SubjectClaim(_)
            | E::KnownByOther { .. }
            | E::ClaimType { .. }
            | E::TooManyGroups(_)
            | E::HandleNotOpened => Fault::Provider,
            E::Http { error, .. } => match error {
                HttpError::TooSlow | HttpError::Unreachable(_) | HttpError::Tls(_) => Fault::Away,
                HttpError::Redirected | HttpError::TooLarge | HttpError::Inside(_) => Fault::Provider,
            },
            E::Github(error) => error.fault(),
            E::HttpDirectory(error) => error.fault(),
            E::Ldap(error) => error.fault(),
            E::Busy => Fault::Busy,
        }
    }

    /// Whether it says by itself that somebody may have made up what they brought: such sign-ins count against the network that they come from.
    pub(crate) fn may_be_made_up(&self) -> bool {
        use ProviderError as E;
        match self {
            // A code that is none is an invalid request to some.
            E::ClientRefused { said, .. } => said == "invalid_request",
            _ => matches!(self.fault(), Fault::Browser | Fault::Person),
        }
    }

    /// Whether the provider was asked, or could have been, and answered in whatever words. What it does not answer counts against nobody.
    pub(crate) fn has_cost(&self) -> bool {
        use ProviderError as E;
        match self {
            E::Busy | E::Silent | E::NotKept(_) | E::Mail(_) => false,
            E::Http { error, .. } => !matches!(error, HttpError::TooSlow | HttpError::Unreachable(_) | HttpError::Tls(_)),
            E::Ldap(error) => !matches!(error.fault(), Fault::Away | Fault::Busy),
            _ => true,
        }
    }

    /// What is wrong with TLS, if that is why.
    pub fn tls_fault(&self) -> Option<TlsFault> {
        use ProviderError as E;
        match self {
            E::Http { error: HttpError::Tls(problem), .. } | E::Ldap(LdapError::Tls(problem)) | E::Mail(MailError::Tls(problem)) => {
                Some(problem.fault)
            }
            _ => None,
        }
    }
}

/// What a provider says goes into logs: not all of it, however much it was.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

/// An answer that can't be read. The reader's own words quote what was read.
pub(crate) fn malformed(what: &'static str, why: &impl ToString) -> ProviderError {
    ProviderError::Malformed { what, why: short(&why.to_string()) }
}
