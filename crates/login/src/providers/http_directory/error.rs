//! Why an HTTP directory adds nothing.

use thiserror::Error;

use crate::providers::error::Fault;

/// What is an HTTP directory's own.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpDirectoryError {
    /// Nobody could say which of them it is.
    #[error("the directory has {0} profiles for one address")]
    Several(usize),
    /// The answer has no list where one should be.
    #[error("the answer has no list of profiles at {0:?}")]
    NoProfiles(String),
    /// The second document lies elsewhere: the key goes nowhere else.
    #[error("the profile lies at {0:?}, which is not where the directory is")]
    Elsewhere(String),
}

impl HttpDirectoryError {
    /// Who has to do something about it.
    pub fn fault(&self) -> Fault {
        match self {
            HttpDirectoryError::Several(_) | HttpDirectoryError::NoProfiles(_) | HttpDirectoryError::Elsewhere(_) => Fault::Provider,
        }
    }
}
