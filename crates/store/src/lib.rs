//! The store's contract: what is kept, what one atomic step is, and how secrets are sealed.
//!
//! A [`Store`] keeps the records of this crate. Each mutation is one business step: the change, its audit rows, the rows of the change
//! feed and the next [`Revision`] become visible and durable together, before the answer, or not at all. A step says at which revision it
//! was decided and on what it depends ([`Step`]). When any of that has changed since, the store answers [`StoreError::Stale`] and the use
//! case decides again. [`KeyRing`] seals the few columns that hold secrets.
//!
//! What is deliberately not here: SQL, a driver, HTTP, decisions about who may do what, a clock and a source of randomness. A store keeps
//! what it is given. Those who use a record check whether it has expired. [`Store::prune`] only tidies.
//!
//! To add a behaviour, write a method on [`Store`] with its promise in the doc comment, then a function in `conformance` that shows it, and then
//! each backend.

#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
pub mod copying;
mod error;
mod records;
mod sealing;

pub use contract::{
    ATTEMPTS_AHEAD_MS, AppliedMigration, AuditEntry, AuditStart, Change, ChangeKind, Changed, ChangedRecords, Committed, Deciding, Details,
    EachClient, Epoch, History, HistoryFilter, HistoryPart, Key, KeyKind, Loaded, Migration, NEWEST_ROWS, NotAnEpoch, PRUNED_AT_ONCE,
    ResealFrom, Resealed, Revision, StaticChange, Step, Store, UsesLeft, Write, check_none_missing, indexed_while_changed,
    missing_migrations, not_expanding, static_changes,
};
pub use error::{Result, StoreError};
pub use records::{
    AccountLink, AccountLinkKind, AccountRecord, Addition, ApplicationRecord, ClientRecord, ConsentRecord, Creator, CredentialsChange,
    CredentialsCount, CredentialsRecord, DEVICE_AFTERLIFE_MS, DEVICE_SLOW_DOWN_MS, DeviceRequestRecord, Difference, GrantIdentityRecord,
    GrantRecord, GrantSecretKind, GrantSecretRecord, IdentityRecord, InitialTokenRecord, IssuerRecord, LONGEST_DEVICE_INTERVAL_MS,
    LogoutRecord, MOST_DERIVED_GRANTS, OldToken, PasskeyRecord, PendingLink, PersonRecord, ProviderPeople, RecoveryCodeRecord,
    RefreshRecord, RegistrationRecord, RevokedCertificates, RevokedSeed, Risk, RoleRecord, ScimBounds, ScimFilter, ScimGroupNow, ScimKind,
    ScimMembers, ScimPush, ScimRecord, ScimStanding, ScimSubject, ScimWritten, ScopeRegistryRecord, ScopeSentence, SessionApplication,
    SessionRecord, SignInMethod, SigningAlgorithm,
};
pub use sealing::{
    Damaged, KeyFileError, KeyRing, KeySource, OpenError, Place, Randomness, Refreshed, SealedKind, Sealer, Secret, open_with,
    refuse_if_nothing_opens,
};
