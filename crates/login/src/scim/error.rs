//! Why a directory was not given what it asked for.

use thiserror::Error;

use crate::error::LoginError;

/// What is wrong with a request, in the words of RFC 7644 section 3.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimFault {
    /// `invalidFilter`
    Filter,
    /// `invalidSyntax`
    Syntax,
    /// `invalidPath`
    Path,
    /// `noTarget`
    NoTarget,
    /// `invalidValue`
    Value,
    /// `mutability`
    Mutability,
}

impl ScimFault {
    /// The `scimType`.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimFault::Filter => "invalidFilter",
            ScimFault::Syntax => "invalidSyntax",
            ScimFault::Path => "invalidPath",
            ScimFault::NoTarget => "noTarget",
            ScimFault::Value => "invalidValue",
            ScimFault::Mutability => "mutability",
        }
    }
}

/// Why a directory was not given what it asked for. Texts but the last go out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScimError {
    /// 400
    #[error("{1}")]
    Wrong(ScimFault, String),
    /// 404: this directory has no such resource.
    #[error("this directory has pushed nothing of this id")]
    NotFound,
    /// 409
    #[error("{0}")]
    Taken(&'static str),
    /// 412
    #[error("the resource has another version by now; read it again")]
    Changed,
    /// 409: there is room for no more.
    #[error("there would be more {what} than {most}")]
    Full {
        /// Of what there would be too many.
        what: &'static str,
        /// So many there may be.
        most: u32,
    },
    /// 400: a group is asked for with more members than one answer has.
    #[error("the group has {members} members, and one answer has at most {most}: ask with excludedAttributes=members")]
    LargeGroup {
        /// So many it has.
        members: usize,
        /// So many are answered.
        most: usize,
    },
    /// This server.
    #[error("{0}")]
    Login(#[from] LoginError),
}

/// A 400.
pub(crate) fn wrong<T>(fault: ScimFault, text: impl Into<String>) -> Result<T, ScimError> {
    Err(ScimError::Wrong(fault, text.into()))
}

/// What somebody sent, as an error may repeat it.
pub(crate) fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(80).collect::<String>())
}
