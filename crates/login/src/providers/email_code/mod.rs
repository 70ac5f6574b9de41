//! The kind `email_code`: whoever can read mail at an address is the person of that address. `flow.rs` is the sign-in under way, `counts.rs` keeps people from
//! being flooded and codes from being guessed, `sign_in.rs` are the use cases, `provider.rs` says who may.

mod counts;
mod flow;
mod provider;
mod settings;
mod sign_in;

pub(crate) use counts::MailPurpose;
pub(crate) use flow::CodeFlow;
pub use provider::EmailCodeProvider;
pub use settings::{EmailCodeSettings, EmailCodeSettingsError};
pub use sign_in::{CodeSent, PendingCode};
