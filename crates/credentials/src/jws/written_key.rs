//! A key as others write it, and whether they wrote more of it than they should have.

use serde::Deserialize;

use crate::jws::compact::is_there;
use crate::jws::public_key::JwkMembers;

/// A public key with what must not be beside it: members of private and of shared keys (RFC 7518 section 6).
#[derive(Deserialize)]
pub(crate) struct WrittenKey {
    #[serde(flatten)]
    pub(crate) public: JwkMembers,
    pub(crate) alg: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    d: bool,
    #[serde(default, deserialize_with = "is_there")]
    p: bool,
    #[serde(default, deserialize_with = "is_there")]
    q: bool,
    #[serde(default, deserialize_with = "is_there")]
    dp: bool,
    #[serde(default, deserialize_with = "is_there")]
    dq: bool,
    #[serde(default, deserialize_with = "is_there")]
    qi: bool,
    #[serde(default, deserialize_with = "is_there")]
    oth: bool,
    #[serde(default, deserialize_with = "is_there")]
    k: bool,
}

impl WrittenKey {
    pub(crate) fn is_secret(&self) -> bool {
        [self.d, self.p, self.q, self.dp, self.dq, self.qi, self.oth, self.k].contains(&true)
    }
}
