//! A client's record in a page: what is asked of all clients comes first, and its times and scopes are written as what they are more than those of its neighbours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_store::{ClientRecord, OldToken, RevokedCertificates, Secret};
use zeroize::Zeroizing;

use super::numbers::{self, Reader, put_number, put_signed, put_text};
use super::words::Words;

const DISABLED: u8 = 1;
const DELETE_ON_EXPIRATION: u8 = 2;
const HAS_GRANT: u8 = 4;
const HAS_REVOKED: u8 = 8;
/// The access token is two slugids, as Falconer makes them, and is kept as their bytes.
const TWO_SLUGIDS: u8 = 16;
const HAS_OLD_TOKEN: u8 = 32;

/// Characters of a slugid, and the bytes that they are.
const SLUGID: usize = 22;
const SLUGID_BYTES: usize = 16;

/// The times that those of a page are counted from.
#[derive(Clone, Copy)]
pub(super) struct Since {
    pub(super) expires_us: i64,
    pub(super) created_ms: i64,
}

/// A record without the beginning of its clientId, which the page has.
pub(super) fn write(record: &ClientRecord, id_rest: &[u8], since: Since, words: &mut Words) -> Zeroizing<Vec<u8>> {
    let revoked = record.revoked.to_text();
    let slugids = slugid_bytes(record.access_token.expose());
    let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
    let flags = flag(DISABLED, record.disabled)
        | flag(DELETE_ON_EXPIRATION, record.delete_on_expiration)
        | flag(HAS_GRANT, record.grant.is_some())
        | flag(HAS_REVOKED, revoked.is_some())
        | flag(TWO_SLUGIDS, slugids.is_some())
        | flag(HAS_OLD_TOKEN, record.old_token.is_some());
    let old = record.old_token.as_ref();
    let (grant, revoked) = (record.grant.as_deref(), revoked.as_deref());
    let texts = [grant, revoked, Some(&record.description), Some(record.access_token.expose())].into_iter().flatten();
    let texts = texts.chain(old.map(|old| old.token.expose())).chain(record.scopes.iter().map(String::as_str));
    let length: usize = texts.map(|text| text.len() + 3 * numbers::LONGEST).sum();
    // INVARIANT: it never grows, so that no token is left behind.
    let mut to = Zeroizing::new(Vec::with_capacity(length + id_rest.len() + 8 * numbers::LONGEST));
    put_text(&mut to, id_rest);
    to.push(flags);
    put_signed(&mut to, record.expires_us.wrapping_sub(since.expires_us));
    if let Some(grant) = grant {
        put_text(&mut to, grant.as_bytes());
    }
    match &slugids {
        Some(bytes) => to.extend_from_slice(bytes.as_slice()),
        None => put_text(&mut to, record.access_token.expose().as_bytes()),
    }
    put_signed(&mut to, record.created_ms.wrapping_sub(since.created_ms));
    for at_ms in [record.last_modified_ms, record.last_date_used_ms, record.last_rotated_ms] {
        put_signed(&mut to, at_ms.wrapping_sub(record.created_ms));
    }
    put_number(&mut to, record.scopes.len() as u64);
    for scope in &record.scopes {
        words.put(&mut to, scope.as_bytes());
    }
    if let Some(revoked) = revoked {
        put_text(&mut to, revoked.as_bytes());
    }
    if let Some(old) = old {
        put_text(&mut to, old.token.expose().as_bytes());
        put_signed(&mut to, old.ends_ms.wrapping_sub(record.created_ms));
    }
    put_text(&mut to, record.description.as_bytes());
    to
}

/// What is read before a client is made of it.
pub(super) struct Head<'r> {
    flags: u8,
    pub(super) expires_us: i64,
    pub(super) grant: Option<&'r str>,
    rest: Reader<'r>,
}

impl<'r> Head<'r> {
    /// Of what stands behind the clientId.
    pub(super) fn read(mut from: Reader<'r>, since: Since) -> Head<'r> {
        let flags = from.bytes(1).first().copied().unwrap_or_default();
        let expires_us = from.signed().wrapping_add(since.expires_us);
        let grant = (flags & HAS_GRANT != 0).then(|| text(from.text()));
        Head { flags, expires_us, grant, rest: from }
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.flags & DISABLED != 0
    }

    pub(super) fn delete_on_expiration(&self) -> bool {
        self.flags & DELETE_ON_EXPIRATION != 0
    }

    pub(super) fn has_old_token(&self) -> bool {
        self.flags & HAS_OLD_TOKEN != 0
    }

    /// All of it, with the clientId.
    pub(super) fn record(&self, client_id: String, since: Since, words: &'r Words) -> ClientRecord {
        let mut rest = self.rest;
        let access_token =
            if self.flags & TWO_SLUGIDS == 0 { Secret::new(text(rest.text())) } else { token_of(rest.bytes(2 * SLUGID_BYTES)) };
        let created_ms = rest.signed().wrapping_add(since.created_ms);
        let [last_modified_ms, last_date_used_ms, last_rotated_ms] = std::array::from_fn(|_| rest.signed().wrapping_add(created_ms));
        let count = rest.size();
        let mut scopes = Vec::with_capacity(count);
        for _ in 0..count {
            // Together they are a text; the beginning alone may end within a character.
            scopes.push(String::from_utf8(words.read(&mut rest).concat()).unwrap_or_default());
        }
        // INVARIANT: it is what `to_text` wrote.
        let revoked = (self.flags & HAS_REVOKED != 0).then(|| RevokedCertificates::from_text(text(rest.text())).unwrap_or_default());
        let old_token = self
            .has_old_token()
            .then(|| OldToken { token: Secret::new(text(rest.text())), ends_ms: rest.signed().wrapping_add(created_ms) });
        ClientRecord {
            client_id,
            description: text(rest.text()).to_owned(),
            access_token,
            old_token,
            expires_us: self.expires_us,
            created_ms,
            last_modified_ms,
            last_date_used_ms,
            last_rotated_ms,
            delete_on_expiration: self.delete_on_expiration(),
            scopes,
            disabled: self.is_disabled(),
            grant: self.grant.map(str::to_owned),
            revoked: revoked.unwrap_or_default(),
        }
    }
}

/// INVARIANT: it was a text.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The bytes of a token that is two slugids; `None` where it is anything else, or not what these bytes would be written as.
fn slugid_bytes(token: &str) -> Option<Zeroizing<[u8; 2 * SLUGID_BYTES]>> {
    if token.len() != 2 * SLUGID {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 2 * SLUGID_BYTES]);
    // As much room as decoding asks for.
    let mut half = Zeroizing::new([0; SLUGID_BYTES + 2]);
    for (slugid, to) in token.as_bytes().chunks_exact(SLUGID).zip(bytes.chunks_exact_mut(SLUGID_BYTES)) {
        // What it would not write itself, it refuses.
        let length = URL_SAFE_NO_PAD.decode_slice(slugid, half.as_mut_slice()).ok()?;
        to.copy_from_slice(half.get(..length).filter(|bytes| bytes.len() == SLUGID_BYTES)?);
    }
    Some(bytes)
}

fn token_of(bytes: &[u8]) -> Secret {
    let mut token = Zeroizing::new(String::with_capacity(2 * SLUGID));
    for half in bytes.chunks_exact(SLUGID_BYTES) {
        token.push_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(half)));
    }
    Secret::new(std::mem::take(&mut *token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_takes_its_bytes_where_it_is_two_slugids_and_stays_as_it_is_where_not() {
        let token = falconer_credentials::new_access_token([0xa7; 32]);
        let bytes = slugid_bytes(token.expose()).unwrap();
        assert_eq!(token_of(bytes.as_slice()).expose(), token.expose());
        // The last characters of both halves hold bits that no slugid has.
        for other in ["", "t", &"t".repeat(44), &"A".repeat(43), &"A".repeat(45), &"\u{e9}".repeat(22)] {
            assert!(slugid_bytes(other).is_none(), "{other}");
        }
    }
}
