//! What the authenticator says (Web Authentication, section 6.1), and the attestation object around it at registration (section 6.5.4).
//!
//! ```text
//! SHA-256 of the relying party's id (32) | flags (1) | counter (4)
//!   | at registration: model (16) | length of the id (2) | id | COSE_Key | with flag ED: a CBOR map of extensions
//! ```

use ciborium::Value;
use sha2::{Digest as _, Sha256};

use super::error::{PasskeyError, malformed};
use super::key::PublicKey;
use super::relying_party::RelyingParty;

/// Longest attestation object in bytes: with a chain of certificates, which is not looked at.
pub(super) const LONGEST_ATTESTATION: usize = 16 * 1024;
/// Longest authenticator data of a sign-in in bytes.
pub(super) const LONGEST: usize = 2048;
/// Longest id of a credential in bytes (section 4, "credential ID").
pub(super) const LONGEST_ID: usize = 1023;
/// As deep as any of these may be.
const DEEPEST: usize = 8;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKUP_STATE: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// Authenticator data that belongs to this relying party, of a user who was there and was verified.
#[derive(Debug)]
pub(super) struct AuthenticatorData {
    pub(super) counter: u32,
    pub(super) attested: Option<Attested>,
}

/// A new key.
#[derive(Debug)]
pub(super) struct Attested {
    /// 32 hexadecimal digits.
    pub(super) aaguid: String,
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
}

impl AuthenticatorData {
    /// Reads and checks all of it; not a byte may be left.
    pub(super) fn read(bytes: &[u8], party: &RelyingParty) -> Result<AuthenticatorData, PasskeyError> {
        let short = || malformed("authenticator data", "it is too short");
        let (hash, rest) = bytes.split_first_chunk::<32>().ok_or_else(short)?;
        let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or_else(short)?;
        let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        if hash.as_slice() != Sha256::digest(party.id.as_bytes()).as_slice() {
            return Err(PasskeyError::WrongRelyingParty);
        }
        if flags & USER_PRESENT == 0 {
            return Err(PasskeyError::NotPresent);
        }
        if flags & USER_VERIFIED == 0 {
            return Err(PasskeyError::NotVerified);
        }
        if flags & BACKUP_STATE != 0 && flags & BACKUP_ELIGIBLE == 0 {
            return Err(PasskeyError::WrongBackup);
        }
        let attested = if flags & ATTESTED == 0 { None } else { Some(Attested::read(&mut rest)?) };
        if flags & EXTENSIONS != 0 {
            match cbor("extensions", &mut rest)? {
                Value::Map(_) => {}
                _ => return Err(malformed("extensions", "they are no map")),
            }
        }
        if !rest.is_empty() {
            return Err(malformed("authenticator data", "something follows it"));
        }
        Ok(AuthenticatorData { counter: u32::from_be_bytes(*counter), attested })
    }
}

impl Attested {
    fn read(bytes: &mut &[u8]) -> Result<Attested, PasskeyError> {
        let short = || malformed("authenticator data", "it ends within the new key");
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or_else(short)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > LONGEST_ID {
            return Err(PasskeyError::TooLarge("id"));
        }
        let (id, rest) = rest.split_at_checked(length).filter(|(id, _)| !id.is_empty()).ok_or_else(short)?;
        *bytes = rest;
        let key = cbor("key", bytes)?;
        let written = rest.get(..rest.len().saturating_sub(bytes.len())).unwrap_or_default();
        let aaguid = format!("{:032x}", u128::from_be_bytes(*aaguid));
        Ok(Attested { aaguid, id: id.to_vec(), key: PublicKey::of_cbor(&key, written)? })
    }
}

/// The authenticator data of an attestation object. What it says for its own model (`attStmt`) is not looked at: nobody's word is taken for it, whatever `fmt`
/// says, so `none` and any other say the same.
pub(super) fn of_attestation(bytes: &[u8]) -> Result<Vec<u8>, PasskeyError> {
    const WHAT: &str = "attestation object";
    let mut rest = bytes;
    let Value::Map(members) = cbor(WHAT, &mut rest)? else { return Err(malformed(WHAT, "it is no map")) };
    if !rest.is_empty() {
        return Err(malformed(WHAT, "something follows it"));
    }
    let (mut data, mut format, mut statement) = (None, None, None);
    for (name, value) in members {
        let place = match name.as_text() {
            Some("authData") => &mut data,
            Some("fmt") => &mut format,
            Some("attStmt") => &mut statement,
            _ => return Err(malformed(WHAT, "it has a member that is not known")),
        };
        if place.replace(value).is_some() {
            return Err(malformed(WHAT, "a member is there twice"));
        }
    }
    match (data, format, statement) {
        (Some(Value::Bytes(data)), Some(Value::Text(_)), Some(Value::Map(_))) => Ok(data),
        _ => Err(malformed(WHAT, "a member is missing, or of another kind")),
    }
}

/// One item of CBOR (RFC 8949); `bytes` goes on behind it.
pub(super) fn cbor(what: &'static str, bytes: &mut &[u8]) -> Result<Value, PasskeyError> {
    ciborium::de::from_reader_with_recursion_limit(bytes, DEEPEST).map_err(|error| malformed(what, error))
}
