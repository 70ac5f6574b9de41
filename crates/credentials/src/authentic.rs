//! A request before and after its MAC was found right.

use crate::ext::Ext;
use crate::mac::{self, TEXT_LENGTH};
use crate::timestamp;
use crate::{AccessToken, Failure};
use serde_json::Value;

/// A request whose credentials have the right form. Nothing in it is proved: use it to find the key, and then [`Signed::check_mac`].
pub struct Signed {
    claim: Claim,
    normalized: String,
    /// `None`: not of a MAC's length, so it can't be right.
    mac: Option<[u8; TEXT_LENGTH]>,
}

/// A request whose MAC is right: its sender has the key of [`Authentic::key_owner`], or temporary credentials that were derived from it. What
/// it claims in `ext` is still to be judged, by [`crate::evaluate()`]. Only [`Signed::check_mac`] makes one.
#[derive(Clone)]
pub struct Authentic {
    claim: Claim,
    token: AccessToken,
}

/// What a request says.
#[derive(Clone)]
pub(crate) struct Claim {
    pub id: String,
    pub ext: Ext,
    pub moment: Moment,
    pub hash: Option<String>,
    pub host: String,
    pub port: u16,
}

/// The time in the credentials, as sent, in seconds.
#[derive(Clone)]
pub(crate) enum Moment {
    /// `ts` of a header.
    Timestamp(String),
    /// `exp` of a bewit.
    Expiry(String),
    /// A header whose timestamp was fresh when it arrived.
    Arrived,
}

// No client has it; what it makes is compared all the same, so that an unknown client costs what a known one does.
const DUMMY_TOKEN: &str = "dummy-token-dummy-token-dummy-token-dummy-to";

impl Signed {
    pub(crate) fn new(claim: Claim, normalized: String, mac: &[u8]) -> Signed {
        Signed { claim, normalized, mac: mac.try_into().ok() }
    }

    /// Whose client record, or internal issuer, holds the key: the certificate's issuer if `ext` has a certificate with an issuer and a seed
    /// that are both text, else [`Signed::id`].
    pub fn key_owner(&self) -> &str {
        self.claim.key_owner()
    }

    /// The `id` of the header or bewit: the client, or the name of named temporary credentials.
    pub fn id(&self) -> &str {
        &self.claim.id
    }

    /// Whether it came as a bewit.
    pub fn is_bewit(&self) -> bool {
        self.claim.is_bewit()
    }

    /// Compares the MAC in constant time under the token of [`Signed::key_owner`], or the temporary key derived from it. `None` means that
    /// there is no such client: the same work is done with a dummy key.
    ///
    /// The only failure is `Unauthorized: Bad mac`, whatever the reason.
    pub fn check_mac(self, key_owner_token: Option<&AccessToken>) -> Result<Authentic, Failure> {
        let key = key_owner_token.map_or(DUMMY_TOKEN, AccessToken::expose);
        let expected = match self.claim.ext.seed() {
            Some(seed) => mac::standard(mac::temporary_key(key, seed).expose(), self.normalized.as_bytes()),
            None => mac::standard(key, self.normalized.as_bytes()),
        };
        let right = expected.equals(&self.mac.unwrap_or([0; TEXT_LENGTH])) && self.mac.is_some();
        match key_owner_token {
            Some(token) if right => Ok(Authentic { token: token.clone(), claim: self.claim }),
            _ => Err(Failure::bad_mac()),
        }
    }
}

impl Authentic {
    /// The `id` of the header or bewit: the client, or the name of named temporary credentials.
    pub fn id(&self) -> &str {
        &self.claim.id
    }

    /// The certificate's issuer as claimed, if it is a non-empty text. Not judged yet.
    pub fn issuer(&self) -> Option<&str> {
        self.claim.ext.issuer()?.as_str()
    }

    /// Whose key it was; see [`Signed::key_owner`].
    pub fn key_owner(&self) -> &str {
        self.claim.key_owner()
    }

    /// The payload hash as sent (base64), not compared with any payload. Never for a bewit.
    pub fn hash(&self) -> Option<&str> {
        self.claim.hash.as_deref()
    }

    /// The host that was signed, in lower case, without the port.
    pub fn host(&self) -> &str {
        &self.claim.host
    }

    /// The port that was signed.
    pub fn port(&self) -> u16 {
        self.claim.port
    }

    /// Whether it came as a bewit.
    pub fn is_bewit(&self) -> bool {
        self.claim.is_bewit()
    }

    /// For a request that has been evaluated once and whose answer goes on: later evaluations leave a header's timestamp alone, which says
    /// when the request was sent and not how long it may be answered. The `exp` of a bewit is an end, and goes on to count.
    pub fn arrived(mut self) -> Authentic {
        if !self.is_bewit() {
            self.claim.moment = Moment::Arrived;
        }
        self
    }

    /// Whether a certificate is claimed.
    pub fn has_certificate(&self) -> bool {
        self.claim.ext.certificate().is_some()
    }

    /// The scopes that the certificate claims, as given; `None` without a certificate, or if they are not an array of valid scopes. They are
    /// worth nothing before [`crate::evaluate()`].
    pub fn certificate_scopes(&self) -> Option<Vec<&str>> {
        scopes(self.claim.ext.certificate()?.get("scopes")?)
    }

    /// Whether authorized scopes are claimed (an empty list is one).
    pub fn has_authorized_scopes(&self) -> bool {
        self.claim.ext.authorized_scopes().is_some()
    }

    /// The authorized scopes as given; `None` if there are none, or if they are not an array of valid scopes.
    pub fn authorized_scopes(&self) -> Option<Vec<&str>> {
        scopes(self.claim.ext.authorized_scopes()?)
    }

    /// Checks the time: a header's `ts` within 15 minutes of the clock, a bewit's `exp` after it. [`crate::evaluate()`] does this last.
    pub(crate) fn check_time(&self, now_ms: i64) -> Result<(), Failure> {
        match &self.claim.moment {
            Moment::Timestamp(ts) if !timestamp::is_fresh(ts, now_ms) => Err(Failure::timestamp("Unauthorized: Stale timestamp")),
            Moment::Expiry(exp) if !timestamp::is_before(now_ms, exp) => Err(Failure::timestamp("Unauthorized: Access expired")),
            Moment::Timestamp(_) | Moment::Expiry(_) | Moment::Arrived => Ok(()),
        }
    }

    /// Whether the MAC was made with this owner's present token: an evaluation may come after the token was reset, or be handed another
    /// client by mistake.
    pub(crate) fn check_key(&self, owner: &str, token: &AccessToken) -> Result<(), Failure> {
        if self.key_owner() == owner && self.token.same_as(token) { Ok(()) } else { Err(Failure::bad_mac()) }
    }

    pub(crate) fn ext(&self) -> &Ext {
        &self.claim.ext
    }
}

impl Claim {
    fn key_owner(&self) -> &str {
        match (self.ext.issuer(), self.ext.seed()) {
            (Some(Value::String(issuer)), Some(_)) => issuer,
            _ => &self.id,
        }
    }

    fn is_bewit(&self) -> bool {
        matches!(self.moment, Moment::Expiry(_))
    }
}

fn scopes(value: &Value) -> Option<Vec<&str>> {
    crate::ext::valid_scopes(value.as_array()?)
}
