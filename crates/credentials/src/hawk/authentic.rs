//! A request before and after its MAC was found right.

use crate::certificate::ext::Ext;
use crate::hawk::authority;
use crate::hawk::normalized::Normalized;
use crate::hawk::timestamp;
use crate::key::mac::{Key, LENGTH, Mac};
use crate::{AccessToken, Failure};
use std::borrow::Cow;
use std::sync::OnceLock;

/// A request whose credentials have the right form. Nothing in it is proved: use it to find the key, and then [`Signed::check_mac`].
///
/// Borrows from the request; so does [`Authentic`], until [`Authentic::into_owned`].
pub struct Signed<'a> {
    claim: Claim<'a>,
    covered: Covered<'a>,
    /// `None`: not the text of a MAC, so it can't be right.
    mac: Option<[u8; LENGTH]>,
}

/// A request whose MAC is right: its sender has the key of [`Authentic::key_owner`], or temporary credentials that were derived from it. What
/// it claims in `ext` is still to be judged, by [`crate::evaluate()`]. Only [`Signed::check_mac`] makes one.
#[derive(Clone)]
pub struct Authentic<'a> {
    claim: Claim<'a>,
    token: AccessToken,
    mac: [u8; LENGTH],
}

/// What a request says.
#[derive(Clone)]
pub(crate) struct Claim<'a> {
    pub id: Cow<'a, str>,
    pub ext: Ext,
    pub moment: Moment<'a>,
    pub hash: Option<Cow<'a, str>>,
    /// In lower case.
    pub host: Cow<'a, str>,
    pub port: u16,
}

/// What the MAC covers besides the claim; see [`Normalized`].
pub(crate) struct Covered<'a> {
    pub nonce: &'a str,
    pub method: &'a str,
    pub resource: (Cow<'a, str>, &'a str),
    /// As sent.
    pub ext: Option<Cow<'a, str>>,
    pub app: Option<&'a str>,
    pub dlg: Option<&'a str>,
}

/// The time in the credentials, as sent, in seconds.
#[derive(Clone)]
pub(crate) enum Moment<'a> {
    /// `ts` of a header.
    Timestamp(Cow<'a, str>),
    /// `exp` of a bewit.
    Expiry(Cow<'a, str>),
    /// A header whose timestamp was fresh when it arrived.
    Arrived,
}

// No client has it; what it makes is compared all the same, so that an unknown client costs what a known one does.
fn dummy_token() -> &'static AccessToken {
    static TOKEN: OnceLock<AccessToken> = OnceLock::new();
    TOKEN.get_or_init(|| AccessToken::new("dummy-token-dummy-token-dummy-token-dummy-to".to_owned()))
}

impl<'a> Signed<'a> {
    pub(crate) fn new(claim: Claim<'a>, covered: Covered<'a>, mac: &[u8]) -> Signed<'a> {
        Signed { claim, covered, mac: Mac::decode(mac) }
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

    /// What it says, what else is covered, and the MAC, for what is kept of it where it was wrong.
    pub(crate) fn pieces(&self) -> (&Claim<'a>, &Covered<'a>, Option<&[u8; LENGTH]>) {
        (&self.claim, &self.covered, self.mac.as_ref())
    }

    /// Compares the MAC in constant time under the token of [`Signed::key_owner`], or the temporary key derived from it. `None` means that
    /// there is no such client: the same work is done with a dummy key.
    ///
    /// The only failure is `Unauthorized: Bad mac`, whatever the reason.
    pub fn check_mac(self, key_owner_token: Option<&AccessToken>) -> Result<Authentic<'a>, Failure> {
        self.check_mac_or_older(key_owner_token, || None)
    }

    /// The same of an owner who may have had another token until a while ago, which still counts. It is asked for only where the present one does not fit: a wrong MAC
    /// for such an owner takes twice the work, and one for anybody else what it takes in [`Signed::check_mac`].
    pub fn check_mac_or_older(
        self,
        key_owner_token: Option<&AccessToken>,
        older: impl FnOnce() -> Option<AccessToken>,
    ) -> Result<Authentic<'a>, Failure> {
        let is_right = self.is_signed_with(key_owner_token.unwrap_or_else(|| dummy_token()));
        let token = match key_owner_token {
            Some(token) if is_right => Some(token.clone()),
            Some(_) => older().filter(|token| self.is_signed_with(token)),
            None => None,
        };
        match (token, self.mac) {
            (Some(token), Some(mac)) => Ok(Authentic { token, claim: self.claim, mac }),
            _ => Err(Failure::BadMac),
        }
    }

    fn is_signed_with(&self, token: &AccessToken) -> bool {
        self.is_signed_for(&self.claim.host, token.key())
            // What a service calls `::1` may have been signed as `[::1]`, and the other way round.
            || authority::other_spelling(&self.claim.host).is_some_and(|host| self.is_signed_for(&host, token.key()))
    }

    fn is_signed_for(&self, host: &str, key: &Key) -> bool {
        let normalized = self.normalized(host);
        let expected = match self.claim.ext.seed() {
            Some(seed) => Key::new(&*key.temporary(seed)).mac(|text| normalized.write(text)),
            None => key.mac(|text| normalized.write(text)),
        };
        expected.equals(&self.mac.unwrap_or([0; LENGTH])) && self.mac.is_some()
    }

    fn normalized<'s>(&'s self, host: &'s str) -> Normalized<'s> {
        let (kind, time): (_, &str) = match &self.claim.moment {
            Moment::Timestamp(ts) => ("header", ts),
            Moment::Expiry(exp) => ("bewit", exp),
            // INVARIANT: only what has been evaluated has arrived. The text would be no request's.
            Moment::Arrived => ("header", ""),
        };
        Normalized {
            kind,
            time,
            nonce: self.covered.nonce,
            method: self.covered.method,
            resource: (&self.covered.resource.0, self.covered.resource.1),
            host,
            port: self.claim.port,
            hash: self.claim.hash.as_deref(),
            ext: self.covered.ext.as_deref(),
            app: self.covered.app,
            dlg: self.covered.dlg,
        }
    }
}

impl Authentic<'_> {
    /// The same without the request that it came from, for what is judged again later.
    pub fn into_owned(self) -> Authentic<'static> {
        let Claim { id, ext, moment, hash, host, port } = self.claim;
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let moment = match moment {
            Moment::Timestamp(ts) => Moment::Timestamp(own(ts)),
            Moment::Expiry(exp) => Moment::Expiry(own(exp)),
            Moment::Arrived => Moment::Arrived,
        };
        Authentic {
            claim: Claim { id: own(id), ext, moment, hash: hash.map(own), host: own(host), port },
            token: self.token,
            mac: self.mac,
        }
    }

    /// The bytes of the MAC. It covers the time, the nonce and the request, so that they are those of one signature only, in whatever order and with whatever
    /// spaces its header was written.
    pub fn mac(&self) -> &[u8; 32] {
        &self.mac
    }

    /// The `id` of the header or bewit: the client, or the name of named temporary credentials.
    pub fn id(&self) -> &str {
        &self.claim.id
    }

    /// The certificate's issuer as claimed, if it is a non-empty text. Not judged yet.
    pub fn issuer(&self) -> Option<&str> {
        self.claim.ext.issuer()?
    }

    /// The certificate's seed as claimed, if it is a text: what the temporary key was derived from. Not judged yet.
    pub fn seed(&self) -> Option<&str> {
        self.claim.ext.seed()
    }

    /// Whose key it was; see [`Signed::key_owner`].
    pub fn key_owner(&self) -> &str {
        self.claim.key_owner()
    }

    /// Whether the MAC was made with this token, or with a temporary key that was derived from it.
    pub fn is_of_token(&self, token: &AccessToken) -> bool {
        self.token.same_as(token)
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

    /// For a request that has been evaluated once and whose answer goes on. Later evaluations don't look at a header's timestamp, which says when the request was
    /// sent and not how long it may be answered. The `exp` of a bewit is an end, and still counts.
    pub fn arrived(mut self) -> Self {
        if !self.is_bewit() {
            self.claim.moment = Moment::Arrived;
        }
        self
    }

    /// Whether a certificate is claimed.
    pub fn has_certificate(&self) -> bool {
        self.claim.ext.has_certificate()
    }

    /// The scopes that the certificate claims, as given. `None`: there is no certificate, or they are not an array of valid scopes. They allow nothing before
    /// [`crate::evaluate()`].
    pub fn certificate_scopes(&self) -> Option<Vec<&str>> {
        self.claim.ext.certificate_scopes().ok()
    }

    /// Whether authorized scopes are claimed (an empty list is one).
    pub fn has_authorized_scopes(&self) -> bool {
        self.claim.ext.has_authorized_scopes()
    }

    /// The authorized scopes as given; `None` if there are none, or if they are not an array of valid scopes.
    pub fn authorized_scopes(&self) -> Option<Vec<&str>> {
        self.claim.ext.authorized_scopes()?.ok()
    }

    /// Checks the time: a header's `ts` within 15 minutes of the clock, a bewit's `exp` after it. [`crate::evaluate()`] does this last.
    pub(crate) fn check_time(&self, now_ms: i64) -> Result<(), Failure> {
        match &self.claim.moment {
            Moment::Timestamp(ts) if !timestamp::is_fresh(ts, now_ms) => Err(Failure::StaleTimestamp),
            Moment::Expiry(exp) if !timestamp::is_before(now_ms, exp) => Err(Failure::BewitOver),
            Moment::Timestamp(_) | Moment::Expiry(_) | Moment::Arrived => Ok(()),
        }
    }

    /// Whether the MAC was made with this owner's present token. The token may have been reset before the evaluation, or the caller may have given another client
    /// by mistake.
    pub(crate) fn check_key(&self, owner: &str, token: &AccessToken) -> Result<(), Failure> {
        if self.key_owner() == owner && self.token.same_as(token) { Ok(()) } else { Err(Failure::BadMac) }
    }

    pub(crate) fn ext(&self) -> &Ext {
        &self.claim.ext
    }
}

impl Claim<'_> {
    fn key_owner(&self) -> &str {
        match (self.ext.issuer(), self.ext.seed()) {
            (Some(Some(issuer)), Some(_)) => issuer,
            _ => &self.id,
        }
    }

    fn is_bewit(&self) -> bool {
        matches!(self.moment, Moment::Expiry(_))
    }
}
