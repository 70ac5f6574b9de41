//! Why a proof does not count.

use thiserror::Error;

/// Why a proof does not count. `Display` holds nothing of it that is secret: what it claims was written by whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProofFault {
    /// There is none.
    #[error("The access token is bound to a key: a proof has to come with it, in the header DPoP")]
    Missing,
    /// It is no proof.
    #[error("The DPoP proof can't be used: {0}")]
    Malformed(&'static str),
    /// It is of another key than it has to be.
    #[error("The DPoP proof is of another key than the one that this is bound to")]
    OtherKey,
    /// It was made for another method.
    #[error("The DPoP proof was made for the method {claimed}")]
    Method {
        /// `htm`, at most 200 characters.
        claimed: String,
    },
    /// It was made for another address.
    #[error("The DPoP proof was made for {claimed}")]
    Url {
        /// `htu` without query, at most 200 characters.
        claimed: String,
    },
    /// It was made too long ago, or in the time to come.
    #[error("The DPoP proof was made {offset_seconds} seconds after this server's time (negative: before): 60 are the most")]
    Time {
        /// `iat` less the present time.
        offset_seconds: i64,
    },
    /// It says itself that it has ended, or that it does not count yet.
    #[error("The DPoP proof says itself that it does not count at this time")]
    NotNow,
    /// It was made for another access token, or for none.
    #[error("The DPoP proof was made for another access token, or for none: its ath is not the hash of this one")]
    OtherToken,
    /// Its key has not made it.
    #[error("The signature of the DPoP proof is not right")]
    Signature,
    /// It has counted before.
    #[error("The DPoP proof was used before: make one for each request")]
    Replayed,
    /// A service asked once more about a request, and what it brings in place of the proof is not what it was given.
    #[error("The followUp is not the one that was given for this request")]
    FollowUp,
    /// There is no room to remember it.
    #[error("Too many DPoP proofs came in too short a time: try again later")]
    TooMany,
}
