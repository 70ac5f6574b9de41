//! Where something is inside of JSON.

use serde::Deserialize;

/// A member, or a path of members inside of members.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum MemberPath {
    /// It is not there.
    #[default]
    None,
    /// `"groups"`
    Member(String),
    /// `["realm_access", "roles"]`
    Path(Vec<String>),
}

impl MemberPath {
    /// The names, from outside to inside.
    pub fn names(&self) -> Vec<String> {
        match self {
            MemberPath::None => Vec::new(),
            MemberPath::Member(member) => vec![member.clone()],
            MemberPath::Path(path) => path.clone(),
        }
    }
}
