//! What every kind of provider does, and a provider as it is configured here.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use super::error::ProviderError;
use super::ldap::Place;
use super::mapping::Mapping;
use crate::mail::MailAddress;

/// Names that no provider can have: they are taken by local accounts and static clients, or lead to another page below `/login`.
const TAKEN: [&str; 7] = ["local", "static", "oauth", "new", "passkey", "recovery", "forgotten"];

/// A kind of provider that says who somebody is.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// What a person meets first.
    fn sign_in_start(&self) -> SignInStart;

    /// Whether people choose their own names there, and others can have them later. A name does not say to another directory who somebody is then.
    fn names_are_reused(&self) -> bool {
        false
    }

    /// By what people are known here: the kind, and the attribute that is their subject, such as `oidc sub`. With another one all people are others, and one could
    /// be taken for somebody else.
    fn known_by(&self) -> String;

    /// The same of people who were stored before it was kept.
    fn known_by_before(&self) -> String {
        self.known_by()
    }

    /// Where the browser has to go, with [`SignInStart::Away`].
    async fn begin(&self, attempt: &Attempt, now_ms: i64) -> Result<Url, ProviderError>;

    /// Waits until it can be asked, where few can ask at once. Whoever gives up meanwhile has asked nothing.
    async fn turn(&self) -> Result<Turn, ProviderError> {
        Ok(Turn::default())
    }

    /// Who somebody is, by the answer that they brought. It ends by itself in a bounded time: nobody may be waiting for it any more.
    async fn finish(&self, turn: Turn, attempt: &Attempt, answer: &Answer, now_ms: i64) -> Result<Found, ProviderError>;

    /// Asks about somebody who is not there. Where a new handle replaces the old one, the keeper gets it before anything else is asked, so that it is not lost whatever
    /// happens next.
    async fn refresh(&self, known: &Known<'_>, keeper: &dyn Keeper, now_ms: i64) -> Result<Refreshed, ProviderError>;

    /// Asks the provider what it can be asked without a person; lines of `what, found` for an operator.
    async fn probe(&self, now_ms: i64) -> Result<Vec<(&'static str, String)>, ProviderError>;

    /// What these claims say of a person: the same that [`IdentityProvider::finish`] does once they are proved.
    fn attributes(&self, claims: &Map<String, Value>) -> Result<Attributes, ProviderError>;
}

/// A directory that signs nobody in, and adds what it knows of people who signed in elsewhere.
#[async_trait]
pub trait Directory: Send + Sync {
    /// What it knows of somebody; `None`: it knows nobody like that.
    async fn look_up(&self, known: &Known<'_>, now_ms: i64) -> Result<Option<Attributes>, ProviderError>;

    /// What it would say of somebody of whom it answers this; `None`: nothing, because nobody vouches for them. Nobody is asked.
    fn read_answer(&self, answer: &Map<String, Value>) -> Result<Option<Attributes>, ProviderError>;

    /// Asks the directory what it can be asked without a person; lines of `what, found` for an operator.
    async fn probe(&self, now_ms: i64) -> Result<Vec<(&'static str, String)>, ProviderError>;
}

/// What a person meets first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInStart {
    /// The browser goes to the provider and comes back.
    Away,
    /// A page of ours asks for name and password.
    Password,
    /// A page of ours asks for an address, and then for the code that was mailed there.
    Address,
}

/// The right to ask a provider now. Dropping it gives it to the next.
#[derive(Default)]
pub struct Turn(pub(crate) Option<Place>);

/// What somebody brought to be known by.
pub enum Answer {
    /// What the provider gave the browser to carry.
    Callback(Callback),
    /// What somebody typed on a page of ours.
    Password {
        /// As it was typed.
        name: String,
        /// As it was typed.
        password: Zeroizing<String>,
    },
    /// Where they have proved to read mail.
    Address(MailAddress),
}

impl Answer {
    /// The callback, for kinds of [`SignInStart::Away`].
    pub(crate) fn callback(&self) -> Result<&Callback, ProviderError> {
        match self {
            Answer::Callback(callback) => Ok(callback),
            Answer::Password { .. } | Answer::Address(_) => Err(ProviderError::NoCode),
        }
    }
}

/// Somebody whom a provider has proved, and what it wants to see when it is asked about them again.
pub struct Found {
    /// Who it is.
    pub attributes: Attributes,
    /// A refresh token, for instance. `None`: there is nothing of that kind.
    pub handle: Option<Zeroizing<String>>,
    /// When they proved to the provider to be there, in milliseconds since 1970. Where it asked them just now, that is now. `None`: it does not say, and may have
    /// asked nothing.
    pub proved_ms: Option<i64>,
}

/// Somebody whom a provider is asked about without them.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The immutable id, of the provider by which the person signed in.
    pub subject: &'a str,
    /// As that provider said last.
    pub username: Option<&'a str>,
    /// An address that it said to have verified, and that counts.
    pub email: Option<&'a str>,
    /// [`Found::handle`]
    pub handle: Option<&'a str>,
}

/// Keeps what a provider gives for asking about somebody again ([`Found::handle`]).
#[async_trait]
pub trait Keeper: Send + Sync {
    /// From now on this one counts. [`ProviderError::NotKept`]: it may be lost with this process.
    async fn keep(&self, handle: &Zeroizing<String>) -> Result<(), ProviderError>;
}

/// What became of somebody.
pub enum Refreshed {
    /// They are there.
    Still(Found),
    /// There is nobody like that any more.
    Gone,
    /// The provider takes the handle no longer: the person has to sign in again.
    Refused,
    /// It can't be asked without the person: what it said counts for its time.
    CannotBeAsked,
}

/// What ties an answer of the provider to the browser that asked. Each text is 43 characters of `A-Za-z0-9_-`.
pub struct Attempt {
    /// Comes back in the callback.
    pub state: String,
    /// Comes back inside of the ID token.
    pub nonce: String,
    /// The code is worth something only together with it (RFC 7636).
    pub verifier: String,
    /// `https://auth.example.com/login/<name>/callback`
    pub redirect_uri: String,
    /// Whether the provider should ask the person again, although it knows the browser.
    pub reauthenticate: bool,
}

/// What a browser brought back: the parameters of the callback, each at most once.
#[derive(Clone, Default)]
pub struct Callback {
    /// As it was sent.
    pub state: Option<String>,
    /// One-time, short-lived.
    pub code: Option<String>,
    /// The issuer, as RFC 9207 has it.
    pub issuer: Option<String>,
    /// `access_denied` and the like.
    pub error: Option<String>,
}

/// A person as a provider describes them, once all of it is proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The provider's immutable id of the person.
    pub subject: String,
    /// For people to read.
    pub display_name: String,
    /// What the person calls themself there; may change hands.
    pub username: Option<String>,
    /// An address.
    pub email: Option<String>,
    /// Whether the provider says that it has checked the address.
    pub email_verified: bool,
    /// As the provider names them.
    pub groups: Vec<String>,
}

/// A provider with its place on the sign-in page.
#[derive(Clone)]
pub struct ConfiguredProvider {
    /// The first part of identities, and of the path below `/login`. Never reused for another kind or issuer.
    pub name: String,
    /// What the button says.
    pub label: String,
    /// What attributes give.
    pub mapping: Mapping,
    /// How people are asked for.
    pub kind: Arc<dyn IdentityProvider>,
    /// How often it is asked about people without them, in milliseconds; `None`: only when they sign in.
    pub refresh_ms: Option<i64>,
}

/// A directory that only authorizes, as it is configured here.
#[derive(Clone)]
pub struct ConfiguredDirectory {
    /// Under which its answers are kept. Never reused for another kind.
    pub name: String,
    /// What attributes give.
    pub mapping: Mapping,
    /// How people are asked for.
    pub kind: Arc<dyn Directory>,
    /// How often it is asked about people without them, in milliseconds; `None`: only when they sign in.
    pub refresh_ms: Option<i64>,
}

/// What is wrong with the name of a provider, if anything.
pub fn check_provider_name(name: &str) -> Result<(), String> {
    let mut bytes = name.bytes();
    let plain = name.len() <= 32
        && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain {
        return Err(format!(
            "{name:?} is no name of a provider: one begins with a lower-case letter and goes on with lower-case letters, digits or hyphens, 32 \
             characters at most"
        ));
    }
    if TAKEN.contains(&name) {
        return Err(format!("{name:?} can't be the name of a provider: it is taken by something else"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_provider_name;

    #[test]
    fn names() {
        for fine in ["company", "mozilla-auth0", "a", "o2"] {
            assert_eq!(check_provider_name(fine), Ok(()));
        }
        for wrong in ["", "Company", "1a", "a/b", "a_b", "a b", "é", "local", "static", "oauth", &"a".repeat(33)] {
            assert!(check_provider_name(wrong).is_err(), "{wrong}");
        }
    }
}
