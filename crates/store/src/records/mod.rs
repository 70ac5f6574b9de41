//! The records: what is kept about clients, roles, issuers and grants, about applications, about scopes, about people, what they sign in with, and what directories have pushed; and what a change makes of a record, for the history.

mod access;
mod applications;
mod credentials;
mod device_requests;
mod difference;
mod grant_identities;
mod grant_secrets;
mod people;
mod revoked;
mod scim;
mod scope_registries;

pub use access::{ClientRecord, GrantRecord, IssuerRecord, MOST_DERIVED_GRANTS, OldToken, RoleRecord};
pub use applications::{ApplicationRecord, ConsentRecord, Creator, InitialTokenRecord, RegistrationRecord, SigningAlgorithm};
pub use credentials::{CredentialsChange, CredentialsCount, CredentialsRecord, PasskeyRecord, RecoveryCodeRecord};
pub use device_requests::{DEVICE_AFTERLIFE_MS, DEVICE_SLOW_DOWN_MS, DeviceRequestRecord, LONGEST_DEVICE_INTERVAL_MS};
pub use difference::Difference;
pub use grant_identities::{GrantIdentityRecord, LogoutRecord, SessionApplication};
pub use grant_secrets::{GrantSecretKind, GrantSecretRecord};
pub use people::{
    AccountLink, AccountLinkKind, AccountRecord, Addition, IdentityRecord, PendingLink, PersonRecord, ProviderPeople, RefreshRecord,
    SessionRecord, SignInMethod,
};
pub use revoked::{RevokedCertificates, RevokedSeed};
pub use scim::{ScimBounds, ScimFilter, ScimGroupNow, ScimKind, ScimMembers, ScimPush, ScimRecord, ScimStanding, ScimSubject, ScimWritten};
pub use scope_registries::{Risk, ScopeRegistryRecord, ScopeSentence};
