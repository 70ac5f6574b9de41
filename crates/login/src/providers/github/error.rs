//! Why GitHub signed nobody in.

use thiserror::Error;

use crate::providers::error::Fault;

/// What is GitHub's own.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GithubError {
    // --- the token endpoint ---
    /// What it says of this server's own settings: wrong credentials, another callback address.
    #[error("GitHub says {0:?} of this server: look at client_id, client_secret and the callback URL that is registered there")]
    Client(String),

    // --- the API ---
    /// The token does not count, or not any more.
    #[error("GitHub does not take the token of the person")]
    TokenRefused,
    /// Too many questions from here, or with this token.
    #[error("GitHub limits the rate of questions at the moment")]
    RateLimited,
    /// Any other answer that is none.
    #[error("GitHub answers {what} with status {status}: {message:?}")]
    Denied {
        /// What was asked.
        what: &'static str,
        /// HTTP's.
        status: u16,
        /// In its words.
        message: String,
    },
    /// The next page lies elsewhere.
    #[error("the next page of {what} is {url:?}, which is not where the first one was")]
    PageElsewhere {
        /// What was asked.
        what: &'static str,
        /// As given.
        url: String,
    },
    /// More pages than are read.
    #[error("the list of {0} has no end")]
    Endless(&'static str),

    // --- the person ---
    /// A login name that no person can have.
    #[error("{0:?} is no login name")]
    Login(String),
    /// An organisation or a program.
    #[error("the account is of the type {0:?}, which is no person")]
    NoPerson(String),
    /// GitHub has suspended the account.
    #[error("the account is suspended")]
    Suspended,
    /// In none of the organisations of the configuration.
    #[error("the person is in none of the organisations that may sign in{}", if *hidden { "; GitHub hides some until the person has signed in there" } else { "" })]
    NoMember {
        /// Whether GitHub left organisations out because the token has no single sign-on for them.
        hidden: bool,
    },
    /// A list of addresses that says two things.
    #[error("more than one address is the primary one")]
    TwoPrimaries,
}

impl GithubError {
    /// Who has to do something about it.
    pub fn fault(&self) -> Fault {
        use GithubError as E;
        match self {
            E::RateLimited => Fault::Away,
            E::Suspended | E::NoMember { .. } => Fault::Person,
            E::Client(_)
            | E::TokenRefused
            | E::Denied { .. }
            | E::PageElsewhere { .. }
            | E::Endless(_)
            | E::Login(_)
            | E::NoPerson(_)
            | E::TwoPrimaries => Fault::Provider,
        }
    }
}
