//! Why a passkey was not taken. One value for each reason; texts for people are made at the edge.

use thiserror::Error;

use crate::error::LoginError;

/// Why nobody was signed in, or nothing registered. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PasskeyError {
    /// This server, or the person may not act here.
    #[error("{0}")]
    Login(#[from] LoginError),
    /// Passkeys need a host name, and local accounts.
    #[error("no passkeys here")]
    NotHere,
    /// A part is longer than any that is honest.
    #[error("{0}: too large")]
    TooLarge(&'static str),
    /// A part can't be read.
    #[error("{what}: {why}")]
    Malformed {
        /// The part.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// An answer to another question: a registration where a sign-in was asked for, or the other way round.
    #[error("the client data is of another type")]
    WrongType,
    /// The challenge is none that was made for this browser and for this.
    #[error("the challenge was not made for this browser")]
    NotBegunHere,
    /// The challenge is too old.
    #[error("the challenge is over")]
    Over,
    /// The challenge was answered before.
    #[error("the challenge was answered before")]
    Used,
    /// The browser was on a page of another site.
    #[error("the client data names another origin")]
    WrongOrigin,
    /// The page was inside of one of another site.
    #[error("the page was framed by another site")]
    CrossOrigin,
    /// The authenticator signed for another site.
    #[error("the authenticator data is of another relying party")]
    WrongRelyingParty,
    /// Nobody touched the authenticator.
    #[error("the authenticator did not see anybody")]
    NotPresent,
    /// The authenticator did not make sure who it was.
    #[error("the authenticator did not verify its user")]
    NotVerified,
    /// A key that is kept elsewhere although it can't be.
    #[error("the flags of backup contradict each other")]
    WrongBackup,
    /// A registration without a key, or a sign-in with one.
    #[error("the authenticator data has a key where none belongs, or none where one does")]
    WrongKeyFlag,
    /// The two ids of a new passkey differ.
    #[error("the id is not the one of the authenticator data")]
    WrongId,
    /// An algorithm that is none of ES256, EdDSA and RS256.
    #[error("the algorithm {0} is not offered")]
    UnknownAlgorithm(i64),
    /// A key that does not fit its algorithm.
    #[error("the key does not fit its algorithm: {0}")]
    WrongKey(&'static str),
    /// Nobody has this passkey here, or not any more.
    #[error("nobody has this passkey")]
    Unknown,
    /// The authenticator names another user than the one who has this passkey.
    #[error("the user handle is another one")]
    WrongUser,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    WrongSignature,
    /// The counter did not go on: there may be a copy of the key.
    #[error("the counter did not go on: there may be a copy of the key")]
    Counter,
    /// The person has as many as anybody can have.
    #[error("an account has at most {0} passkeys")]
    TooMany(usize),
}

pub(super) fn malformed(what: &'static str, why: impl ToString) -> PasskeyError {
    let why = why.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    PasskeyError::Malformed { what, why }
}
