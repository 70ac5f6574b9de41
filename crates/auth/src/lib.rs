//! Use cases of the auth API: clients, roles, verification, audit; and the Directory, what a node answers from.
//!
//! A node answers from an immutable [`Snapshot`] at one revision. Reading never touches the store. A mutation takes its turn, judges the
//! caller again on the present snapshot, decides, commits one atomic step, applies it to the snapshot and then answers; when something it
//! depends on has changed in the store, it decides again (`decide.rs`).
//!
//! | concept | where |
//! |---|---|
//! | what a node answers from | `directory`, `entries`, `packed` |
//! | what is remembered of expansions | `remembered` |
//! | MAC first, then everything else | `verify`, `judge` |
//! | what a grant, a person, a client made with a grant is worth | `worth` |
//! | who asks | `caller` |
//! | clients, roles, scopes, audit | `clients`, `client_view`, `expiry`, `roles`, `expand`, `history`, `testers` |
//! | many roles and clients at once, a client with a given token | `import`, `import_records` |
//! | what login writes | `grants` |
//! | what a change would do | `plan` |
//! | start: static clients, root, first roles, internal issuers | `statics`, `install` |
//! | changes for those who follow | `follow` |
//! | changes committed together | `turn` |
//! | last uses | `uses` |
//! | tokens for other systems | `websocktunnel` |
//!
//! What is deliberately not here: HTTP, SQL, JSON schemas and patterns of parameters (`web` has checked them), arithmetic of scopes
//! (`scopes`), Hawk (`credentials`), a clock and a source of randomness.
//!
//! To add a mutation: a variant of the store's `Write`, its effect on the directory in `decide.rs`, a use case beside its kind, and a test by
//! kind of caller in `tests/`.

mod auth;
mod caller;
mod client_view;
mod clients;
mod decide;
mod directory;
mod entries;
mod error;
mod expand;
mod expiry;
mod follow;
mod grants;
mod history;
mod import;
mod import_records;
mod install;
mod judge;
mod packed;
mod plan;
mod remembered;
mod reserved;
mod roles;
mod settings;
mod statics;
mod testers;
mod time;
mod turn;
mod uses;
mod verify;
mod view;
mod websocktunnel;
mod worth;

pub use auth::{Auth, CommitFigures};
pub use caller::{Authentication, Caller, DisclosedIdentity, Success, Verdict};
pub use directory::Snapshot;
pub use entries::{Client, Grant, InternalIssuer, Person};
pub use error::{ApiError, AuthError};
pub use falconer_credentials::{AccessToken, RequestParts, payload, temporary::Temporary};
pub use falconer_store::{ChangeKind, Revision, Secret};
pub use follow::{Entity, Event, Follower, Heard, NotAPosition, Position};
pub use grants::{Issued, NewGrant};
pub use import::{Batch, BatchClient, BatchError, BatchRecord, BatchReport, BatchRole, Outcome};
pub use install::RootCredentials;
pub use plan::{Affected, Difference, Plan};
pub use remembered::ExpansionFigures;
pub use reserved::ROOT_CLIENT;
pub use settings::{AuthSettings, OnFatal, Origin, StaticClient};
pub use time::{Clock, DAY_MS, HOUR_MS, MILLENNIUM_MS, MINUTE_MS, Random, SECOND_MS};
pub use view::{ClientInput, ClientView, HistoryEntry, Page, PageQuery, RoleInput, RoleView, TestView};
pub use websocktunnel::WebsocktunnelToken;
