//! Sign-in and access grants: who somebody is, what a site asks for, what a person gives it, and for how long.
//!
//! | concept | where |
//! |---|---|
//! | what the use cases share | `login` |
//! | browsers that are signed in | `session` |
//! | forms of people who are not | `form_token` |
//! | sign-in with a local account | `local`, `password`, `throttle` |
//! | local accounts and the first one | `accounts`, `account_rules`, `setup` |
//! | where credentials may go, and the URL that carries them | [`target`], [`delivery`] |
//! | what a site asks for | [`request`] |
//! | names of people inside of clientIds | [`identity`] |
//!
//! What is deliberately not here: HTTP and HTML (`web`), SQL, what a grant is worth when it is used (`auth`), arithmetic of scopes
//! (`scopes`), a clock and a source of randomness.

mod account_rules;
mod accounts;
pub mod delivery;
mod error;
mod form_token;
pub mod identity;
mod local;
mod login;
mod password;
mod person;
pub mod request;
mod session;
mod settings;
mod setup;
pub mod target;
mod throttle;
mod wish;

pub use account_rules::{is_valid_account_name, is_valid_group};
pub use accounts::{Account, NewAccount};
pub use error::{LoginError, OpenError, SignInError};
pub use form_token::FormToken;
pub use login::Login;
pub use password::{LONGEST_PASSWORD, SHORTEST_PASSWORD};
pub use person::Person;
pub use session::{Session, SessionSummary, SignedIn};
pub use settings::{LoginSettings, PasswordCost, RegisteredTarget};
