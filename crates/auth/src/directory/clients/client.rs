//! A client in the directory.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use falconer_credentials::AccessToken;
use falconer_store::{ClientRecord, OldToken, RevokedCertificates, Secret};

use super::packed::{Packed, Piece};
use crate::directory::entries::Usage;

/// A client that is at hand, because it was used. It holds what is needed of its record in one piece, and makes the rest when it is first needed.
pub struct Client {
    /// clientId, description, access token, the grant's id, what is revoked where something is, the access token before and its end where it still counts, then the scopes.
    texts: Packed,
    expires_us: i64,
    created_ms: i64,
    last_modified_ms: i64,
    /// As stored; the last use may be further on, see [`Client::last_date_used_ms`].
    last_date_used_ms: i64,
    last_rotated_ms: i64,
    delete_on_expiration: bool,
    disabled: bool,
    has_grant: bool,
    /// A text more, which hardly a client has, is in front of the scopes.
    has_revoked: bool,
    /// Two texts more.
    has_old_token: bool,
    token: OnceLock<AccessToken>,
    usage: OnceLock<Arc<Usage>>,
    list_hash: OnceLock<u64>,
}

/// Where each text of a client is.
const ID: usize = 0;
const DESCRIPTION: usize = 1;
const TOKEN: usize = 2;
const GRANT: usize = 3;
/// What is revoked, or what comes next.
const REVOKED: usize = 4;
/// How many texts the access token before takes.
const OLD_TOKEN_TEXTS: usize = 2;

impl Client {
    /// A client outside of a directory, to be looked at.
    pub(crate) fn detached(record: ClientRecord) -> Client {
        Client::new(&record, None)
    }

    pub(crate) fn new(record: &ClientRecord, before: Option<&Client>) -> Client {
        let first = [&record.client_id, &record.description, record.access_token.expose(), record.grant.as_deref().unwrap_or_default()];
        let revoked = record.revoked.to_text();
        let old_end = record.old_token.as_ref().map(|old| old.ends_ms.to_string());
        let old = record.old_token.as_ref().map(|old| old.token.expose()).into_iter().chain(old_end.as_deref());
        let client = Client {
            texts: Packed::new(first.into_iter().chain(revoked.as_deref()).chain(old).chain(record.scopes.iter().map(String::as_str))),
            expires_us: record.expires_us,
            created_ms: record.created_ms,
            last_modified_ms: record.last_modified_ms,
            last_date_used_ms: record.last_date_used_ms,
            last_rotated_ms: record.last_rotated_ms,
            delete_on_expiration: record.delete_on_expiration,
            disabled: record.disabled,
            has_grant: record.grant.is_some(),
            has_revoked: revoked.is_some(),
            has_old_token: record.old_token.is_some(),
            token: OnceLock::new(),
            usage: OnceLock::new(),
            list_hash: OnceLock::new(),
        };
        if let Some(before) = before {
            let usage = before.usage();
            usage.last_ms.fetch_max(record.last_date_used_ms, Ordering::Relaxed);
            let _ = client.usage.set(Arc::clone(usage));
        }
        client
    }

    /// As stored, but for the last use.
    pub fn record(&self) -> ClientRecord {
        ClientRecord {
            client_id: self.id().to_owned(),
            description: self.texts.get(DESCRIPTION).to_owned(),
            access_token: Secret::new(self.texts.get(TOKEN)),
            old_token: self.old_token(),
            expires_us: self.expires_us,
            created_ms: self.created_ms,
            last_modified_ms: self.last_modified_ms,
            last_date_used_ms: self.last_date_used_ms(),
            last_rotated_ms: self.last_rotated_ms,
            delete_on_expiration: self.delete_on_expiration,
            scopes: self.scopes().map(str::to_owned).collect(),
            disabled: self.disabled,
            grant: self.grant().map(str::to_owned),
            revoked: self.revoked().unwrap_or_default(),
        }
    }

    /// The clientId.
    pub fn id(&self) -> &str {
        self.texts.get(ID)
    }

    /// As the caller gave them, in stored order, not expanded.
    pub fn scopes(&self) -> impl Iterator<Item = &str> + Clone {
        self.texts.from(self.first_scope())
    }

    /// The same as bytes, for those who only compare them.
    pub(crate) fn scopes_bytes(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.texts.bytes_from(self.first_scope())
    }

    /// The same as they lie.
    pub(crate) fn scopes_in_one_piece(&self) -> Piece<'_> {
        self.texts.piece_from(self.first_scope())
    }

    /// By what its expansion is looked for, once that was needed. INVARIANT: it is kept by the directory that the client is in.
    pub(crate) fn list_hash(&self) -> &OnceLock<u64> {
        &self.list_hash
    }

    fn first_scope(&self) -> usize {
        self.old_token_at() + if self.has_old_token { OLD_TOKEN_TEXTS } else { 0 }
    }

    fn old_token_at(&self) -> usize {
        REVOKED + usize::from(self.has_revoked)
    }

    /// The access token before the present one, and its end.
    fn old_token(&self) -> Option<OldToken> {
        let at = self.old_token_at();
        // INVARIANT: the second text is a number.
        self.has_old_token
            .then(|| OldToken { token: Secret::new(self.texts.get(at)), ends_ms: self.texts.get(at + 1).parse().unwrap_or(i64::MIN) })
    }

    /// The key before the present one, prepared anew; `None`: there is none that counts.
    pub(crate) fn old_token_at_present(&self, now_ms: i64) -> Option<AccessToken> {
        let old = self.old_token().filter(|old| now_ms < old.ends_ms)?;
        Some(AccessToken::new(old.token.expose().to_owned()))
    }

    /// Whether there is a key before the present one whose time is over.
    pub(crate) fn has_ended_old_token(&self, now_ms: i64) -> bool {
        self.old_token().is_some_and(|old| old.ends_ms <= now_ms)
    }

    /// What of its certificates counts no more; `None`: nothing was revoked.
    pub(crate) fn revoked(&self) -> Option<RevokedCertificates> {
        // INVARIANT: it is what `to_text` wrote.
        self.has_revoked.then(|| RevokedCertificates::from_text(self.texts.get(REVOKED)).unwrap_or_default())
    }

    /// The id of the grant that the client was made with.
    pub fn grant(&self) -> Option<&str> {
        self.has_grant.then(|| self.texts.get(GRANT))
    }

    /// When it ends, in milliseconds since the epoch; microseconds are cut.
    pub fn expires_ms(&self) -> i64 {
        self.expires_us.div_euclid(1000)
    }

    /// Whether it may not sign.
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// The key that signs, prepared.
    pub(crate) fn token(&self) -> &AccessToken {
        self.token.get_or_init(|| AccessToken::new(self.texts.get(TOKEN).to_owned()))
    }

    pub(crate) fn usage(&self) -> &Arc<Usage> {
        self.usage.get_or_init(|| {
            let usage = Usage::default();
            usage.last_ms.store(self.last_date_used_ms, Ordering::Relaxed);
            Arc::new(usage)
        })
    }

    /// Milliseconds since the epoch.
    pub fn last_date_used_ms(&self) -> i64 {
        self.usage.get().map_or(self.last_date_used_ms, |usage| usage.last_ms.load(Ordering::Relaxed))
    }
}
