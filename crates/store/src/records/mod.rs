//! The records: what is kept about clients, roles, issuers and grants, and about people; and what makes the static clients equal to a list.

mod access;
mod people;
mod static_clients;

pub use access::{ClientRecord, GrantRecord, IssuerRecord, RoleRecord};
pub use people::{AccountRecord, IdentityRecord, SessionRecord};
pub use static_clients::{StaticChange, static_changes};
