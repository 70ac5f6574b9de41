//! What an organisation's directory has pushed: users, groups and who is in them.

/// Which kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl ScimKind {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimKind::User => "user",
            ScimKind::Group => "group",
        }
    }
}

/// A user or a group of one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimRecord {
    /// The name of the provider whose directory pushed it.
    pub directory: String,
    /// Which kind.
    pub kind: ScimKind,
    /// Falconer's own id of it.
    pub id: String,
    /// The directory's own id of it.
    pub external_id: Option<String>,
    /// `userName` of a user, `displayName` of a group. One name is one resource of the kind, whatever the case.
    pub name: String,
    /// `displayName` of a user; empty where there is none, and with a group.
    pub display_name: String,
    /// Whether a user may sign in; a group always is.
    pub active: bool,
    /// The rest of a user, as JSON.
    pub profile: String,
    /// Ids of the users in a group, ascending.
    pub members: Vec<String>,
    /// 1, and one more with each change.
    pub version: i64,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
}

impl ScimRecord {
    /// What names are compared by.
    pub fn name_key(name: &str) -> String {
        name.to_lowercase()
    }
}

/// Which resources are listed: those that have all of what is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScimFilter {
    /// [`ScimRecord::id`], exactly.
    pub id: Option<String>,
    /// [`ScimRecord::external_id`], exactly.
    pub external_id: Option<String>,
    /// [`ScimRecord::name`], whatever the case.
    pub name: Option<String>,
    /// [`ScimRecord::display_name`], whatever the case.
    pub display_name: Option<String>,
}

/// By what a user is found whom a provider names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimSubject<'a> {
    /// [`ScimRecord::external_id`], exactly.
    ExternalId(&'a str),
    /// [`ScimRecord::name`], exactly.
    Name(&'a str),
}

/// A user with what a directory says of them at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimStanding {
    /// The user.
    pub user: ScimRecord,
    /// Whether the directory has deleted them, and nobody has ended the person yet.
    pub deleted: bool,
    /// Names of the groups that they are in, ascending.
    pub groups: Vec<String>,
    /// How often anything of this has changed.
    pub changes: i64,
}

/// Users who come into a group and leave it, and nothing else of it. An id is in one of the lists, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimMembers {
    /// The name of the provider whose directory says so.
    pub directory: String,
    /// Falconer's id of the group.
    pub group: String,
    /// Only where the group has one of these versions.
    pub versions: Option<Vec<i64>>,
    /// Ids of users. Those who are in it already change nothing.
    pub came: Vec<String>,
    /// Ids of users. Those who are not in it change nothing.
    pub left: Vec<String>,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// A group after its members were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScimGroupNow {
    /// [`ScimRecord::version`]
    pub version: i64,
    /// How many users are in it.
    pub members: u32,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScimWritten {
    /// It is there.
    Done,
    /// There is none of this id, or it has another version by now.
    Changed,
    /// Another resource of the kind has its name or external id.
    Taken,
    /// The directory has as many of the kind as it may.
    Full,
    /// The directory has no user of this id.
    NoSuchMember(String),
}
