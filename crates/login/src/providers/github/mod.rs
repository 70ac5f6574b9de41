//! GitHub, and Enterprise servers of one's own: the web flow of OAuth with PKCE and state, then the API in the person's name. `provider.rs` is the
//! flow, `token.rs` what the code and a refresh token are exchanged for, `api.rs` how the API is asked, `person.rs` what its answers say,
//! `settings.rs` what an operator configures, `following.rs` how GitHub is asked again later.
//!
//! A person is their number. Login names, and names of organisations, change hands (docs/adr/0155).

mod api;
mod error;
mod following;
mod person;
mod provider;
mod settings;
mod token;

pub use error::GithubError;
pub use provider::GithubProvider;
pub use settings::{GithubSettings, GithubSettingsError};
