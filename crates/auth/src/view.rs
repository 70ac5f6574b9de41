//! What use cases answer with. The web layer turns these into the protocol's JSON.

use std::borrow::Cow;

use falconer_scopes::ScopeSet;
use falconer_store::Secret;

/// A client as the API shows it. Times are milliseconds since the epoch.
#[derive(Clone)]
pub struct ClientView {
    /// The id.
    pub client_id: String,
    /// As given.
    pub description: String,
    /// The end; microseconds of the stored instant are cut.
    pub expires_ms: i64,
    /// When it was made.
    pub created_ms: i64,
    /// The last update, reset, enable or disable.
    pub last_modified_ms: i64,
    /// Refreshed at most every 6 hours.
    pub last_date_used_ms: i64,
    /// When the access token was made.
    pub last_rotated_ms: i64,
    /// Whether a clean-up may delete it after its end.
    pub delete_on_expiration: bool,
    /// Sorted, not normalized.
    pub scopes: Vec<String>,
    /// What it may do, without anonymous: for a client that carries a grant or belongs to a person, what is left of it at present.
    pub expanded_scopes: ScopeSet,
    /// Whether it was disabled.
    pub disabled: bool,
    /// Only in the answers of createClient and resetAccessToken.
    pub access_token: Option<Secret>,
    /// The id of the grant that this client ends with. Not part of the protocol's shape.
    pub grant: Option<String>,
    /// Until when the access token before the present one counts. Not part of the protocol's shape.
    pub old_token_ends_ms: Option<i64>,
    /// Temporary credentials that start before it count no more. Not part of the protocol's shape.
    pub certificates_from_ms: Option<i64>,
    /// The seeds of single certificates that count no more, each with when it is forgotten. Not part of the protocol's shape.
    pub revoked_seeds: Vec<(String, i64)>,
}

/// A role as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleView {
    /// The id.
    pub role_id: String,
    /// In stored order.
    pub scopes: Vec<String>,
    /// The expansion of `assume:<roleId>`.
    pub expanded_scopes: ScopeSet,
    /// As given.
    pub description: String,
    /// Milliseconds since the epoch.
    pub last_modified_ms: i64,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
}

/// One row of the audit answers.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEntry {
    /// Who did it: a clientId, or a person's identity for what was done on the console.
    pub client_id: String,
    /// `created`, `updated`, `deleted`, `client enabled`, `client disabled`, `access token reset`, `expired`, ...
    pub action_type: String,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// What it was done to.
    pub entity_id: String,
    /// `client`, `role`, ...
    pub entity_type: String,
    /// The grant that it was done with, if any. Not part of the protocol's shape.
    pub grant: Option<String>,
    /// What changed, and why, where that is kept. Not part of the protocol's shape.
    pub detail: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// At most as many as were asked for.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when there is no more.
    pub next: Option<Start>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Behind so many entries. Entries that come or go before it move what is behind.
    Offset(u64),
    /// Behind an id, whether it is still there or not: whatever comes and goes, each entry that stays is seen exactly once.
    After(String),
}

impl Start {
    /// The id behind which it is.
    pub(crate) fn last_id(&self) -> &str {
        match self {
            Start::Offset(_) => "",
            Start::After(id) => id,
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Where it begins.
    pub start: Start,
    /// How many at most; the caller has cut it to the method's maximum.
    pub limit: u64,
}

impl PageQuery {
    /// A part that begins behind so many entries.
    pub const fn from_offset(offset: u64, limit: u64) -> PageQuery {
        PageQuery { start: Start::Offset(offset), limit }
    }
}

impl<T> Page<T> {
    /// Cuts a page out of everything, which is in the order of the ids.
    pub(crate) fn cut<I: Iterator>(
        all: I,
        query: &PageQuery,
        id: impl Fn(&I::Item) -> Cow<'_, str>,
        mut view: impl FnMut(I::Item) -> T,
    ) -> Page<T> {
        let skip = match &query.start {
            Start::Offset(offset) => usize::try_from(*offset).unwrap_or(usize::MAX),
            Start::After(_) => 0,
        };
        let is_before = |item: &I::Item| matches!(&query.start, Start::After(last) if *id(item) <= **last);
        let take = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut rest = all.skip(skip).skip_while(is_before).peekable();
        let mut items = Vec::new();
        let mut last = None;
        for item in rest.by_ref().take(take) {
            last = Some(id(&item).into_owned());
            items.push(view(item));
        }
        Page { next: last.filter(|_| rest.peek().is_some()).map(Start::After), items }
    }
}

/// What createClient and updateClient take, schema defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientInput {
    /// Microseconds since the epoch: an idempotent createClient compares them.
    pub expires_us: i64,
    /// At most 10240 code points.
    pub description: String,
    /// `None`: none on create, keep on update.
    pub scopes: Option<Vec<String>>,
    /// False when the caller did not say.
    pub delete_on_expiration: bool,
}

/// What createRole and updateRole take.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleInput {
    /// As given.
    pub scopes: Vec<String>,
    /// At most 10240 code points.
    pub description: String,
}

/// The answer of testAuthenticate.
#[derive(Clone, Debug, PartialEq)]
pub struct TestView {
    /// Whose credentials these are, `auth-failed:no-auth` without any.
    pub client_id: String,
    /// In the reference's own order.
    pub scopes: Vec<String>,
    /// The payload hash that the header carries.
    pub hash: Option<String>,
}
