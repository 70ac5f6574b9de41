//! The records: what is kept about clients, roles, issuers and grants, and about people.

mod access;
mod people;

pub use access::{ClientRecord, GrantRecord, IssuerRecord, RoleRecord};
pub use people::{AccountRecord, IdentityRecord, PendingLink, PersonRecord, SessionRecord, SignInMethod};
