//! Identity providers: who somebody is to somebody else, and which scopes that gives here. One folder a kind behind the trait of `provider.rs`;
//! `flow.rs` is the sign-in that is under way in a browser, `sign_in.rs` the use cases, `way.rs` what comes of it, `mapping/` what attributes give, `http/` the only way out,
//! `question.rs` asks a provider and counts against whom, `oauth_error.rs` what refusals in OAuth's words mean.

pub(crate) mod by_password;
pub mod email_code;
pub mod error;
pub(crate) mod flow;
pub mod github;
pub mod http;
pub mod http_directory;
pub mod ldap;
pub mod mapping;
pub(crate) mod oauth_error;
pub mod oidc;
pub(crate) mod provider;
mod question;
mod shown_name;
pub(crate) mod sign_in;
pub(crate) mod way;
