//! Steps: what every mutation carries, and what it leaves behind.

use crate::records::{Difference, ScimKind, ScimPush};

/// A point in the history of the store. Starts at 0 and grows by one with each step that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub i64);

/// What came of steps that were taken together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// The present revision before the first of them. Where it is not the one that a node answers from, others have written in between.
    pub found: Revision,
    /// The revision that each step would have answered with alone.
    pub revisions: Vec<Revision>,
}

/// Something that a decision can depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Any role: one changed role can change every expansion.
    Role,
    /// The client of this clientId, whether it exists or not.
    Client(String),
    /// The grant of this id.
    Grant(String),
    /// The identity `<provider>/<subject>`.
    Identity(String),
    /// The person of this id: the record, and which identities are linked. What an identity says is the identity's.
    Person(String),
    /// The application of this id, whether it exists or not.
    Application(String),
    /// What services say of their scopes, anything of it: there are so many at most.
    ScopeRegistries,
}

/// The kind of record that a [`Change`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// A role, by roleId.
    Role,
    /// A client, by clientId.
    Client,
    /// A grant, by id.
    Grant,
    /// An identity, by `<provider>/<subject>`.
    Identity,
    /// A person, by id.
    Person,
    /// An issuer, by name.
    Issuer,
    /// An application, by id.
    Application,
    /// What a service says of its scopes, by namespace.
    ScopeRegistry,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [KeyKind; 8] = [
        KeyKind::Role,
        KeyKind::Client,
        KeyKind::Grant,
        KeyKind::Identity,
        KeyKind::Person,
        KeyKind::Issuer,
        KeyKind::Application,
        KeyKind::ScopeRegistry,
    ];

    /// The words that are stored. A newer version may store others in the same database: whoever reads the feed asks for these.
    pub fn words() -> [&'static str; 8] {
        KeyKind::ALL.map(KeyKind::as_str)
    }

    /// The word that is stored, and that [`AuditEntry::entity_type`] uses: `role`, `client`, `grant`, `identity`, `person`, `issuer`, `application`, `scope-registry`.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Role => "role",
            KeyKind::Client => "client",
            KeyKind::Grant => "grant",
            KeyKind::Identity => "identity",
            KeyKind::Person => "person",
            KeyKind::Issuer => "issuer",
            KeyKind::Application => "application",
            KeyKind::ScopeRegistry => "scope-registry",
        }
    }

    /// The kind of a stored word.
    pub fn of_word(word: &str) -> Option<KeyKind> {
        KeyKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What every mutation carries. It says when and on what the change was decided, and who did what, for the audit. The method that is called fills in the entity and
/// the revision of the audit row.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The revision of the records that the decision was made on.
    pub decided_at: Revision,
    /// What must not have changed since.
    pub depends_on: Vec<Key>,
    /// Now, milliseconds since 1970.
    pub at_ms: i64,
    /// A clientId or an identity.
    pub actor: String,
    /// The id of the grant that the actor acted with.
    pub grant: Option<String>,
    /// What was done, in a word such as `created`.
    pub action: String,
    /// More about it. Never a secret: it is stored and shown as it is.
    pub detail: Option<serde_json::Value>,
    /// What stands in the place of `detail` with single records.
    pub details: Details,
}

/// More about single records of a step, for their rows in the audit. Never a secret.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Details(std::collections::BTreeMap<(String, String), Option<serde_json::Value>>);

impl Details {
    /// Says this of a record, by its [`AuditEntry::entity_type`] and [`AuditEntry::entity_id`]; `None`: nothing is said of it.
    pub fn put(&mut self, entity_type: &str, entity_id: &str, detail: Option<serde_json::Value>) {
        self.0.insert((entity_type.to_owned(), entity_id.to_owned()), detail);
    }
}

impl Step {
    /// What a directory has pushed, as the row of its history says it: `created`, `updated` or `deleted` of a group, and the same behind `directory-` of a user, whose
    /// identity has a history besides.
    pub fn of_push(found: Revision, push: &ScimPush, kind: ScimKind, what: ChangeKind, changed: Difference) -> Step {
        let action = match kind {
            ScimKind::User => format!("directory-{}", what.as_str()),
            ScimKind::Group => what.as_str().to_owned(),
        };
        Step {
            decided_at: found,
            depends_on: Vec::new(),
            at_ms: push.at_ms,
            actor: push.actor.clone(),
            grant: None,
            action,
            detail: changed.kept(),
            details: Details::default(),
        }
    }

    /// What stands with the row of this record.
    pub fn detail_of(&self, entity_type: &str, entity_id: &str) -> Option<&serde_json::Value> {
        if self.details.0.is_empty() {
            return self.detail.as_ref();
        }
        match self.details.0.get(&(entity_type.to_owned(), entity_id.to_owned())) {
            Some(detail) => detail.as_ref(),
            None => self.detail.as_ref(),
        }
    }
}

/// Where a part of the audit history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditStart {
    /// Behind so many rows that fit. Rows that are removed move what is behind.
    Offset(u64),
    /// Behind the row of this number, whether it is still there or not.
    After(i64),
}

impl AuditStart {
    /// As the two numbers of a query: the row behind which to look, and how many to pass over there.
    pub fn after_and_offset(self) -> (i64, i64) {
        match self {
            AuditStart::Offset(offset) => (0, i64::try_from(offset).unwrap_or(i64::MAX)),
            AuditStart::After(number) => (number, 0),
        }
    }
}

/// Which rows of the whole history are wanted. What is `None` restricts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Who did it: a clientId or an identity.
    pub actor: Option<String>,
    /// [`AuditEntry::entity_type`]; with it, [`HistoryFilter::entity_id`] counts.
    pub entity_type: Option<String>,
    /// [`AuditEntry::entity_id`].
    pub entity_id: Option<String>,
    /// These types only.
    pub types: Option<Vec<String>>,
    /// [`AuditEntry::action`].
    pub action: Option<String>,
    /// From this instant on; milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Before this instant.
    pub until_ms: Option<i64>,
    /// Below the row of this number.
    pub before: Option<i64>,
}

/// A part of the whole history, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryPart {
    /// The rows that fit.
    pub rows: Vec<AuditEntry>,
    /// There may be more below the row of this number. `None`: there are no more.
    pub next: Option<i64>,
}

/// One row of the audit history.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The number of the row: above 0, higher than that of every row before it, and never given twice.
    pub number: i64,
    /// The revision that the step made, or that it found where it changed nothing.
    pub revision: Revision,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// A clientId or an identity.
    pub actor: String,
    /// The id of the grant that the actor acted with.
    pub grant: Option<String>,
    /// [`Step::action`].
    pub action: String,
    /// `client`, `role`, `grant`, `identity`, `person`, `issuer`, `application`, `scope-registry`, `initial-token`, `account`, `group` or `clock`.
    pub entity_type: String,
    /// The entity's own name.
    pub entity_id: String,
    /// [`Step::detail`].
    pub detail: Option<serde_json::Value>,
}

/// What a [`Change`] did to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It was not there before this revision.
    Created,
    /// It was there, and was written again.
    Updated,
    /// It is gone since this revision.
    Deleted,
}

impl ChangeKind {
    /// The word that is stored: `created`, `updated`, `deleted`.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Deleted => "deleted",
        }
    }

    /// The kind of a stored word.
    pub fn of_word(word: &str) -> Option<ChangeKind> {
        [ChangeKind::Created, ChangeKind::Updated, ChangeKind::Deleted].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One row of the change feed. It says what happened to one record at one revision, compared to the revision before. The record itself says more. One record has at
/// most one row at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, in the store's own counting.
    pub revision: Revision,
    /// What kind of record.
    pub key_kind: KeyKind,
    /// Which one.
    pub key: String,
    /// What happened to it.
    pub what: ChangeKind,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}
