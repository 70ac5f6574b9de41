//! LDAP (RFC 4510 and those that it lists): a person is found by the name that they type, and proved by a bind with the password that they type (RFC 4513).
//! `provider.rs` is the kind, `people.rs` finds, proves and looks again, `person.rs` reads an entry, `groups.rs` finds groups, also inside of groups,
//! `probe.rs` says what there is; `protocol/` are the bytes, `connection/` the way there.
//!
//! Why no library speaks the protocol is in docs/adr/0150.

mod connection;
mod error;
mod groups;
mod people;
mod person;
mod probe;
pub mod protocol;
mod provider;
mod settings;

pub(crate) use connection::Place;
pub use error::LdapError;
pub use protocol::FilterError;
pub use provider::LdapProvider;
pub use settings::{GroupSettings, LdapSettings, LdapSettingsError, ServiceAccount, UserAttributes};
