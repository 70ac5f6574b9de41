//! Why a directory signed nobody in, or said nothing.

use thiserror::Error;

use crate::providers::error::Fault;
use crate::tls::TlsProblem;

/// Why a directory signed nobody in, or said nothing. What the server said is quoted, 200 characters of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LdapError {
    // --- the person ---
    /// Nobody is called so, or the password is wrong, or the directory lets this person in no more; nobody is told which.
    #[error("the name or the password is wrong")]
    Wrong,

    // --- away, busy ---
    /// No connection.
    #[error("the directory can't be reached: {0}")]
    Unreachable(String),
    /// The connection ended in the middle.
    #[error("the directory closed the connection")]
    Closed,
    /// Not within the time.
    #[error("the directory gave no whole answer in time")]
    TooSlow,
    /// The server says that it can't at the moment.
    #[error("the directory is busy or unavailable: {what}: code {code}, {said:?}")]
    Unavailable {
        /// What was asked.
        what: &'static str,
        /// LDAP's result code.
        code: i32,
        /// In the server's words.
        said: String,
    },
    /// Too many questions to this directory.
    #[error("too many questions to this directory at the moment")]
    Busy,

    // --- the operator has to look ---
    /// Its certificate does not hold, or it speaks another TLS.
    #[error("TLS to the directory fails: {0}")]
    Tls(TlsProblem),
    /// The server refused STARTTLS.
    #[error("the directory does not begin TLS: code {code}, {said:?}")]
    NoTls {
        /// LDAP's result code.
        code: i32,
        /// In the server's words.
        said: String,
    },
    /// Something was sent before TLS that would be read as if it came after it.
    #[error("the directory sent something between its answer and TLS")]
    BeforeTls,
    /// The name and password of the configuration.
    #[error("the directory refuses bind_dn or its password: code {code}, {said:?}")]
    ServiceBind {
        /// LDAP's result code.
        code: i32,
        /// In the server's words.
        said: String,
    },
    /// A question was refused.
    #[error("the directory refuses {what}: code {code}, {said:?}")]
    Refused {
        /// Which question.
        what: &'static str,
        /// LDAP's result code.
        code: i32,
        /// In the server's words.
        said: String,
    },
    /// Another server should be asked; nobody goes there.
    #[error("the directory refers {0} to another server, which is not followed")]
    Referred(&'static str),
    /// Not what LDAP has.
    #[error("an answer of the directory can't be read: {0}")]
    Malformed(&'static str),
    /// More bytes than are read.
    #[error("the answer of the directory is too long")]
    TooLarge,
    /// More entries than are read.
    #[error("the directory gives more than {most} entries for {what}")]
    TooManyEntries {
        /// Which question.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// The server did not want to give all of it.
    #[error("the directory gives a part of {0} only: its limits are too low for this question, or it has no pages (RFC 2696)")]
    Incomplete(&'static str),
    /// A name that stands for more than one person.
    #[error("{0} finds more than one person")]
    Ambiguous(&'static str),
    /// Nothing that could be a person: rights were lost, or the base is another one. Nobody is gone for that.
    #[error("the directory shows no people at all below the base; bind_dn may have lost the right to see them")]
    NothingVisible,
    /// No id that a name can be made of.
    #[error("the attribute {attribute:?} of {dn:?} is no id of a person: {why}")]
    Subject {
        /// Its name.
        attribute: String,
        /// Of which entry.
        dn: String,
        /// Why not.
        why: &'static str,
    },
    /// A value that is no text.
    #[error("the attribute {attribute:?} of {dn:?} is no text")]
    NoText {
        /// Its name.
        attribute: String,
        /// Of which entry.
        dn: String,
    },
    /// An entry without a name, or with one that can't be read.
    #[error("an entry of the directory has the name {0:?}, which can't be used")]
    Dn(String),
    /// More groups than are read.
    #[error("the person is in more than {0} groups")]
    TooManyGroups(usize),
}

impl LdapError {
    /// Whether another server of the same directory may do better.
    pub(crate) fn is_of_this_server(&self) -> bool {
        use LdapError as E;
        matches!(self, E::Unreachable(_) | E::Closed | E::TooSlow | E::Unavailable { .. } | E::Tls(_) | E::NoTls { .. } | E::BeforeTls)
    }

    /// Who has to do something about it.
    pub fn fault(&self) -> Fault {
        use LdapError as E;
        match self {
            E::Wrong => Fault::Person,
            E::Unreachable(_) | E::Closed | E::TooSlow | E::Unavailable { .. } => Fault::Away,
            E::Busy => Fault::Busy,
            E::Tls(_)
            | E::NoTls { .. }
            | E::BeforeTls
            | E::ServiceBind { .. }
            | E::Refused { .. }
            | E::Referred(_)
            | E::Malformed(_)
            | E::TooLarge
            | E::TooManyEntries { .. }
            | E::Incomplete(_)
            | E::Ambiguous(_)
            | E::NothingVisible
            | E::Subject { .. }
            | E::NoText { .. }
            | E::Dn(_)
            | E::TooManyGroups(_) => Fault::Provider,
        }
    }
}
