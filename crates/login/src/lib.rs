//! Sign-in: who somebody is.
//!
//! | concept | where |
//! |---|---|
//! | people, what is linked, and their names inside of clientIds | `people`, [`identity`] |
//! | local accounts: rules, use cases, passwords, the first administrator | `accounts`, [`account`] |
//! | passkeys of local accounts | `passkeys` |
//! | signing in, sessions, forms | `sessions` |
//! | signing in with an organisation's own directory, and what it gives | `providers`, [`mapping`], [`oidc`] |
//! | mail: addresses, what is sent, and the way out | [`mail`] |
//! | what directories say of people later on, and what ends then | `following` |
//! | what directories push over SCIM | `scim` |
//!
//! What is deliberately not here: HTTP and HTML (`web`), SQL, what a person lets others do (`grants`), arithmetic of scopes (`scopes`), a clock
//! and a source of randomness.
//!
//! To add a kind of identity provider, write a room beside `providers/oidc` that implements [`IdentityProvider`], and its settings in the binary. Nothing
//! else knows where people come from.

mod accounts;
mod error;
mod fingerprint;
mod following;
mod in_a_task;
mod login;
pub mod mail;
mod passkeys;
mod people;
mod providers;
mod scim;
mod sessions;
mod settings;
mod tls;

pub use accounts::account;
pub use accounts::forgotten::{FORGOTTEN_MS, MailedSite};
pub use accounts::manage::{AccountView, NewAccount};
pub use accounts::recovery::RecoveryCodesView;
pub use accounts::setup::SetupLink;
pub use error::{LoginError, SignInError};
pub use falconer_store::{AccountLinkKind, SignInMethod};
pub use falconer_store::{ScimBounds, ScimKind, ScimRecord};
pub use fingerprint::{fingerprint, has_sha256, hash_of_token, pkce_challenge, sha256_hex};
pub use following::figures::{RefreshEnd, RefreshFigures};
pub use following::refresh::{RefreshError, Refreshment};
pub use following::round::Round;
pub use in_a_task::in_a_task;
pub use login::Login;
pub use passkeys::error::PasskeyError;
pub use passkeys::relying_party::RelyingParty;
pub use passkeys::{Assertion, NewPasskey, PasskeyView, RegistrationOffer, SignInOffer};
pub use people::administer::change::{Administrator, PersonChange, PlannedChange};
pub use people::administer::links::{INVITATION_MS, LinkOffered, MailedLink, NewLink, RESET_MS};
pub use people::administer::map::{MappedClaims, NothingMapped, WouldGet, would_get};
pub use people::administer::refresh::{REFRESH_ASKED, RefreshOutcome};
pub use people::administer::view::{AccountDetail, GrantLine, IdentityDetail, LinkLine, PersonDetail};
pub use people::granted_mail::{GrantedMail, RequestMail};
pub use people::identity;
pub use people::link::{LinkError, LinkOffer, OwnProof};
pub use people::manage::PersonView;
pub use people::person::{Linked, Person};
pub use providers::email_code::{CodeSent, PendingCode};
pub use providers::error::{Fault, ProviderError};
pub use providers::provider::{
    Answer, Attempt, Attributes, Callback, ConfiguredDirectory, ConfiguredProvider, Directory, Found, IdentityProvider, Keeper, Known,
    Refreshed, SignInStart, Turn, check_provider_name,
};
pub use providers::sign_in::{Outbound, ProviderSignInError};
pub use providers::way::{Aim, Begun, Inbound, SignInResult, Way};
pub use providers::{email_code, github, http, http_directory, ldap, mapping, oidc};
pub use scim::directory::{SHORTEST_SCIM_TOKEN, ScimSettings, ScimSubjectAttribute};
pub use scim::error::{ScimError, ScimFault};
pub use scim::filter::{Term, read_filter};
pub use scim::group::{GROUP_SCHEMA, MOST_MEMBERS};
pub use scim::members::{MOST_MEMBERS_ANSWERED, Patched, ShowMembers};
pub use scim::resources::MOST_LISTED;
pub use scim::user::{USER_SCHEMA, user_json};
pub use sessions::attempts::{Visitor, network, network_around};
pub use sessions::forms::{AnonymousForm, FormKeys, LEAST_FORM_MS, TOO_SOON};
pub use sessions::reauthentication::{Means, Reauthentication};
pub use sessions::reset::LinkToShow;
pub use sessions::session::{Session, SessionView, SignedIn};
pub use settings::{LoginSettings, PasswordCost};
pub use tls::{TlsFault, TlsProblem};
