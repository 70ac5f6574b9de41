//! Use cases of the auth API: clients, roles, verification, audit; and the Directory, what a node answers from.
//!
//! A node answers from an immutable [`Snapshot`] at one revision. Reading never touches the store. A change waits for its turn, evaluates the
//! caller again on the present snapshot, decides, commits one atomic step, applies it to the snapshot and then answers. Where something that it
//! depends on has changed in the store, it decides again (`change`).
//!
//! | room | what is in it |
//! |---|---|
//! | `directory` | what a node answers from, and what it remembers of expansions |
//! | `verify` | MAC first, then what the client, the grant and the person may do |
//! | `refusals` | why not: the recent refusals, and what can be said of one |
//! | `change` | deciding, committing in groups, applying |
//! | `administer` | clients, roles, imports, what a change would do, the first installation, what login writes |
//! | `signing` | keys that sign for others, and what they have signed |
//! | `audit` | history, and the feed that others follow |
//! | beside them | tokens for other systems (`websocktunnel`), what is reserved, settings, time, characters that nobody sees, what is answered with (`view`) |
//!
//! What is deliberately not here: HTTP, SQL, JSON schemas and patterns of parameters (`web` has checked them), arithmetic of scopes
//! (`scopes`), Hawk (`credentials`), a clock and a source of randomness.
//!
//! To add a mutation, write a variant of the store's `Write`, its effect on the directory in `change`, a use case beside its kind, and a test by
//! kind of caller in `tests/`.

mod administer;
mod audit;
mod auth;
mod change;
mod directory;
mod error;
mod node;
mod refusals;
mod reserved;
mod settings;
mod signing;
mod time;
mod unseen;
mod verify;
mod view;
mod websocktunnel;

pub use administer::applications::initial_tokens::InitialTokenActs;
pub use administer::applications::registered::NewRegistration;
pub use administer::applications::{ANYTHING, ApplicationInput, ChangedApplication};
pub use administer::clients::certificates::RevokeCertificates;
pub use administer::following::{Followed, Occasion};
pub use administer::grants::derived::{LONGEST_PURPOSE, MOST_DERIVED, NewDerivedGrant, wrong_text};
pub use administer::grants::{Issued, NewGrant};
pub use administer::import::batch::{Batch, BatchClient, BatchError, BatchRecord, BatchReport, BatchRole, Outcome};
pub use administer::offered::{ApplicationActs, ClientActs, ConsoleActs, PersonActs, RoleActs};
pub use administer::people::by::By;
pub use administer::people::granted::{ListedGrant, MOST_NAMED_CLIENTS};
pub use administer::people::list::{PeopleFilter, PersonRow};
pub use administer::plan::{Affected, Difference, Plan};
pub use administer::scope_registries::MOST_SCOPE_REGISTRIES;
pub use administer::upkeep::clock::AcceptedTime;
pub use administer::upkeep::install::RootCredentials;
pub use administer::upkeep::signing::SigningSecret;
pub use administer::upkeep::statics::STATIC_CLIENT_NOTE;
pub use audit::event::{Entity, Event, NotAPosition, Position};
pub use audit::feed::{FeedItem, Follower};
pub use audit::history::{HISTORY_TYPES, WholeHistory};
pub use auth::CommitFigures;
pub use directory::clients::client::Client;
pub use directory::clients::entry::ClientEntry;
pub use directory::entries::{Grant, Identity, InternalIssuer, Person};
pub use directory::expansions::cache::ExpansionFigures;
pub use directory::expansions::striped::thread_number;
pub use directory::following::at_least::{AtLeast, NotARevision, WaitOutcome};
pub use directory::following::figures::FollowingFigures;
pub use directory::records::{Applications, Records, ScopeRegistries};
pub use directory::snapshot::Snapshot;
pub use error::{ApiError, AuthError};
pub use falconer_credentials::{
    ASSERTION_ALGORITHMS, ASSERTION_LIFETIME_MS, AccessToken, AssertionFault, BearerKind, BoundServices, CLIENT_ASSERTION_TYPE,
    CertificateFault, ClientAssertion, ClientState, CompactJws, DpopProof, ExtFault, Failure, JwkMembers, JwsAlgorithm, KeyFault,
    KeyThumbprint, PROOF_ALGORITHMS, PROOF_LIFETIME_MS, ProofFault, ProofFor, PublicKey, RegisteredKey, RequestParts, UrlScheme, authority,
    is_signed_twice, payload, temporary::Temporary,
};
pub use falconer_store::{
    ApplicationRecord, AuditEntry, ChangeKind, Creator, Epoch, History, HistoryFilter, InitialTokenRecord, RegistrationRecord, Revision,
    Risk, ScopeRegistryRecord, ScopeSentence, Secret, SigningAlgorithm,
};
pub use node::Auth;
pub use refusals::explain::{Explained, RoleWith, WouldMatch};
pub use refusals::record::{NewRefusal, Refusal, RefusedBy, RefusedFor};
pub use reserved::ROOT_CLIENT;
pub use settings::{AuthSettings, DEEPEST_DERIVED, OnFatal, Origin, StaticClient};
pub use signing::jws::SentJws;
pub use signing::key::SigningKey;
pub use time::{Clock, DAY_MS, HOUR_MS, MILLENNIUM_MS, MINUTE_MS, Random, SECOND_MS};
pub use unseen::is_unseen;
pub use verify::caller::{Authentication, Caller, DisclosedIdentity, Success, Verdict};
pub use verify::check::{Allowed, Decision, Examined, Holder, ProofParts, Question, Revealed};
pub use verify::reason::{GrantState, Reason, TokenFault, Unable};
pub use verify::scopes::{EvaluatedScope, ScopeEvaluation};
pub use verify::tokens::bearer::TokenBounds;
pub use verify::tokens::shown::{ShownToken, TokenScheme};
pub use verify::tokens::signed::{SIGNED_TOKEN, SignedToken};
pub use verify::tokens::token::TokenOfGrant;
pub use view::{ClientInput, ClientView, HistoryEntry, Page, PageQuery, RoleInput, RoleView, Start, TestView};
pub use websocktunnel::WebsocktunnelToken;
