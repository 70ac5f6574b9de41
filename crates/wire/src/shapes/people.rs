//! People, as administrators see and change them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A page of listPeople.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeoplePage {
    /// An identity each.
    pub people: Vec<PersonSummary>,
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}

/// An identity in the list of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonSummary {
    /// `<provider>/<subject>`
    pub identity: String,
    /// The id of the person: the same for identities that are linked.
    pub person: String,
    /// The identity that names what is new of the person.
    pub name: String,
    /// For people to read.
    pub display_name: String,
    /// As the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether an authoritative provider says that the address is the person's.
    pub email_verified: bool,
    /// As the provider says.
    pub groups: Vec<String>,
    /// Whether nobody may act by it.
    pub disabled: bool,
}

/// A person with all that is known of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonInFull {
    /// The person's id.
    pub person: String,
    /// The identity that names what is new.
    pub name: String,
    /// The person may not act, by any identity.
    pub disabled: bool,
    /// When the person was first known.
    pub created: String,
    /// When name or state was changed last.
    pub last_modified: String,
    /// All identities, in their order.
    pub identities: Vec<PersonIdentity>,
    /// What the person may do at present, expanded.
    pub expanded_scopes: Vec<String>,
    /// What the person lets others do, newest first.
    pub grants: Vec<PersonGrant>,
    /// Where the person is signed in, newest first.
    pub sessions: Vec<PersonSession>,
    /// The clients that are named by the person's identities; the first thousand.
    pub clients: Vec<String>,
    /// Whether there are more clients.
    pub more_clients: bool,
    /// Where to read what happened to the person.
    pub history: String,
}

/// One of a person's identities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonIdentity {
    /// `<provider>/<subject>`
    pub identity: String,
    /// The provider's configured name.
    pub provider: String,
    /// For people to read.
    pub display_name: String,
    /// As the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether an authoritative provider says that the address is the person's.
    pub email_verified: bool,
    /// As the provider says.
    pub groups: Vec<String>,
    /// What it gives, not expanded.
    pub scopes: Vec<String>,
    /// Nobody signs in by it, and it gives nothing.
    pub disabled: bool,
    /// When the provider was asked last.
    pub refreshed: String,
    /// The local account, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<PersonAccount>,
}

/// What a local account has besides its identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonAccount {
    /// Scopes of its own.
    pub scopes: Vec<String>,
    /// Whether it can sign in with a password.
    pub has_password: bool,
    /// How many passkeys it has.
    pub passkeys: usize,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// It is gone; the name stays taken.
    pub deleted: bool,
    /// When it was changed last.
    pub last_modified: String,
    /// The link with which it gets a password, while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PersonAccountLink>,
}

/// A link that somebody has made, without what makes it work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonAccountLink {
    /// `invitation` or `reset`.
    pub kind: String,
    /// Who made it.
    pub by: String,
    /// When it was made.
    pub created: String,
    /// Until when it can be used.
    pub expires: String,
    /// What became of the mail with it, as far as the server that answers knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailState>,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailState {
    /// The mail server has taken it.
    Sent,
    /// It was not sent.
    NotSent,
    /// It still waits, the mail server broke off while it took it, or the server that answers has not sent it since it was started.
    Unknown,
}

/// What became of the mail with a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMail {
    /// The address.
    pub to: String,
    /// What is known.
    pub state: MailState,
    /// The same in a sentence.
    pub text: String,
}

/// What a person lets somebody do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonGrant {
    /// Its id.
    pub id: String,
    /// The identity that names it.
    pub identity: String,
    /// Scheme, host and port of who got it.
    pub target: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created: String,
    /// When it ends.
    pub expires: String,
    /// When it was used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

/// Where a person is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonSession {
    /// The identity by which somebody signed in.
    pub identity: String,
    /// How: `password`, `setup_link`, `provider`.
    pub method: String,
    /// What the browser called itself.
    pub user_agent: String,
    /// When somebody signed in.
    pub created: String,
    /// When it was used last, to within a minute.
    pub last_seen: String,
    /// When it ends, if nobody uses it.
    pub expires: String,
}

/// What invitePerson takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvitePersonRequest {
    /// For people to read.
    pub display_name: String,
    /// An address; nobody checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Each gives `assume:local-group:<group>`.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Scopes of the account's own.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// What updatePerson takes: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdatePersonRequest {
    /// For people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// An address, or that there is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<String>>,
    /// All groups from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// All scopes of its own from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// A member that is there, and may be null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// The answer of invitePerson and makeResetLink: the only place where the link is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonLink {
    /// Whose password it sets.
    pub identity: String,
    /// The link.
    pub url: String,
    /// Until when it can be used.
    pub expires: String,
    /// Where it was to be mailed: what became of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<LinkMail>,
}

impl fmt::Debug for PersonLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonLink").field("identity", &self.identity).field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What linkPerson takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkPersonRequest {
    /// An identity of the person that the other one is to belong to.
    pub with: String,
}

/// The answer of refreshPerson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshedPerson {
    /// What came of it.
    pub state: RefreshState,
    /// The same in a sentence.
    pub text: String,
    /// Clients that had more than the person has now, and were disabled.
    pub disabled_clients: Vec<String>,
    /// How far the node is.
    pub revision: i64,
}

/// What came of asking a provider about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshState {
    /// What it says counts now.
    Still,
    /// It knows nobody like that any more.
    Gone,
    /// It says nothing more until the person signs in again.
    Refused,
    /// It can't be asked without the person.
    AdditionsOnly,
    /// It gave no answer; nothing was changed.
    Unanswered,
    /// Its answer was not accepted; nothing was changed.
    NotAccepted,
}

/// A page of personHistory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonHistory {
    /// What happened, oldest first.
    pub history: Vec<PersonHistoryEntry>,
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}

/// Something that happened to a person, one of their identities or a local account of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonHistoryEntry {
    /// Who did it.
    pub by: String,
    /// What was done.
    pub action: String,
    /// `person`, `identity` or `account`.
    pub entity_type: String,
    /// Which one.
    pub entity_id: String,
    /// When.
    pub created: String,
    /// What changed, and why, where that is kept: `{"before": ..., "after": ...}` by name, and `{"added": [...], "removed": [...]}` of scopes and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Map<String, Value>>,
}

/// What mapPerson takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapPersonRequest {
    /// The claims of an ID token.
    pub claims: Map<String, Value>,
}

/// What somebody would get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MappedPerson {
    /// Who the person would be.
    pub identity: String,
    /// For people to read.
    pub display_name: String,
    /// What the person calls themself there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The address, when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Groups that count.
    pub groups: Vec<String>,
    /// Groups that do not.
    pub other_groups: Vec<String>,
    /// Not expanded.
    pub scopes: Vec<String>,
    /// What they come to.
    pub expanded_scopes: Vec<String>,
    /// What gives nothing because no scope can hold it.
    pub refused: Vec<RefusedClaim>,
    /// It only authorizes: this is added to whoever signs in elsewhere.
    #[serde(default)]
    pub only_authorizes: bool,
}

/// A value that gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedClaim {
    /// The template that it would have filled.
    pub template: String,
    /// Which of the person's attributes.
    pub attribute: String,
    /// As the provider gave it.
    pub value: String,
    /// Why.
    pub why: String,
}
