//! Sign-in and access grants: who somebody is, what a site asks for, what a person gives it, and for how long.
//!
//! | concept | where |
//! |---|---|
//! | where credentials may go, and the URL that carries them | [`target`], [`delivery`] |
//! | what a site asks for | [`request`] |
//! | names of people inside of clientIds | [`identity`] |
//! | what the grant page shows, and what ticks come to | `offer`, `broad`, `selection`, `lifetime`, `describe` |
//! | granting, and taking back | `grant`, `granted` |
//! | a client for a program on the person's own machine | `tool_client` |
//! | local accounts: rules, use cases, passwords, the first administrator | [`account`], `accounts`, `password`, `setup` |
//! | signing in, sessions, forms | `sign_in`, `session`, `forms` |
//!
//! What is deliberately not here: HTTP and HTML (`web`), SQL, what a grant is worth when it is used (`auth`), arithmetic of scopes
//! (`scopes`), a clock and a source of randomness.
//!
//! To add an identity provider: a file for the flow that ends in an `IdentityRecord`, written with `Auth::put_identity`, and then
//! `begin_session`; nothing else knows where people come from.

pub mod account;
mod accounts;
mod broad;
pub mod delivery;
mod describe;
mod error;
mod fingerprint;
mod forms;
mod grant;
mod granted;
pub mod identity;
mod lifetime;
mod login;
mod offer;
mod password;
mod registered;
pub mod request;
mod selection;
mod session;
mod settings;
mod setup;
mod sign_in;
pub mod target;
mod tool_client;

pub use accounts::{AccountView, NewAccount};
pub use delivery::{Credentials, ResponseMode, encode_component};
pub use describe::{Description, LabelPart, describe};
pub use error::{GrantError, LoginError, SignInError};
pub use forms::AnonymousForm;
pub use grant::{Choices, Granted};
pub use granted::{GrantState, GrantView, ScopeGroup, ScopeInWords, in_words};
pub use lifetime::Lifetime;
pub use login::Login;
pub use offer::{Bundle, IdentityLine, Line, Offer};
pub use request::{GrantRequest, RequestError};
pub use session::{Person, Session, SessionView, SignedIn};
pub use settings::{LoginSettings, PasswordCost, RegisteredTarget};
pub use setup::SetupLink;
pub use target::{Target, TargetError};
pub use tool_client::{Callback, ToolChoices, ToolClient, ToolError, ToolRequest, ToolRequestError};
