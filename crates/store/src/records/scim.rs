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

    /// The kind of record in the history: of a user it is the identity by which they sign in.
    pub fn entity_type(self) -> &'static str {
        match self {
            ScimKind::User => "identity",
            ScimKind::Group => "group",
        }
    }
}

/// Who pushes what, for the row of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimPush {
    /// Who is said to have done it.
    pub actor: String,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// Whose history it is: the identity of a user, also of one who has never signed in; `<directory>/<id>` of a group.
    pub entity_id: String,
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
}

/// A group after its members were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScimGroupNow {
    /// [`ScimRecord::version`]
    pub version: i64,
    /// How many users are in it.
    pub members: u32,
}

/// How much a directory may push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScimBounds {
    /// So many users.
    pub users: u32,
    /// So many groups.
    pub groups: u32,
    /// So many users in one group.
    pub group_members: u32,
    /// So many users in all of its groups together: somebody who is in two groups counts twice.
    pub members: u32,
}

impl Default for ScimBounds {
    /// An organisation of 100,000 people, each in ten groups, of which one may hold them all.
    fn default() -> ScimBounds {
        ScimBounds { users: 100_000, groups: 10_000, group_members: 100_000, members: 1_000_000 }
    }
}

impl ScimBounds {
    /// So many of a kind.
    pub fn of(self, kind: ScimKind) -> u32 {
        match kind {
            ScimKind::User => self.users,
            ScimKind::Group => self.groups,
        }
    }

    /// Why so many users can't come into a group that has `in_group`, in a directory that has `in_all`, while so many leave it. What is beyond a bound
    /// that was lowered later may shrink.
    pub fn refuse_members(self, (in_group, in_all): (i64, i64), came: usize, left: usize) -> Option<ScimWritten> {
        let more = i64::try_from(came).unwrap_or(i64::MAX).saturating_sub(i64::try_from(left).unwrap_or_default());
        let beyond = |there: i64, most: u32| more > 0 && there.saturating_add(more) > i64::from(most);
        if beyond(in_group, self.group_members) {
            return Some(ScimWritten::FullGroup);
        }
        beyond(in_all, self.members).then_some(ScimWritten::FullOfMembers)
    }
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
    /// The group would have more members than it may.
    FullGroup,
    /// The groups of the directory would have more members than they may, all together.
    FullOfMembers,
    /// The directory has no user of this id.
    NoSuchMember(String),
}
