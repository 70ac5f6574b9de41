//! The records: what is kept about clients, roles, issuers and grants, about people, and what they sign in with.

mod access;
mod credentials;
mod people;

pub use access::{ClientRecord, GrantRecord, IssuerRecord, RoleRecord};
pub use credentials::{CredentialsChange, CredentialsCount, CredentialsRecord, PasskeyRecord, RecoveryCodeRecord};
pub use people::{
    AccountLink, AccountLinkKind, AccountRecord, Addition, IdentityRecord, PendingLink, PersonRecord, RefreshRecord, SessionRecord,
    SignInMethod,
};
