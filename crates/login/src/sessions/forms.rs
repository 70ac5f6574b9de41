//! Forms that are not forged: tokens for sessions and for people who are not signed in yet.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::login::Login;
use crate::sessions::session::Session;

/// How old a form must be before its button counts: the second half of a double click must not press what has just been loaded under it. From the making of the
/// page to the arrival of the form, so the way there and back is part of it. How long the page was visible, no server knows.
pub const LEAST_FORM_MS: i64 = 1_000;

/// What is told about a button that was pressed too soon.
pub const TOO_SOON: &str =
    "The button was pressed at the very moment when this page appeared, so nothing was done. Look at it, and press once more.";

/// What a browser without a session gets: the cookie and the token of the sign-in form belong together.
#[derive(Clone, PartialEq, Eq)]
pub struct AnonymousForm {
    /// 22 characters of `A-Za-z0-9_-`, for a cookie.
    pub cookie_value: String,
    /// For a hidden field.
    pub token: String,
}

/// The keys of the tokens of people who are not signed in. The first one makes them, and those of any count: a node may have taken another key before this one has, or after.
/// All clones are the same keys.
#[derive(Clone)]
pub struct FormKeys(Arc<RwLock<Vec<Zeroizing<[u8; 32]>>>>);

impl FormKeys {
    /// These, the one that makes first.
    pub fn new(keys: Vec<Zeroizing<[u8; 32]>>) -> FormKeys {
        FormKeys(Arc::new(RwLock::new(keys)))
    }

    /// From now on these, unless the one that makes until now is not among them: those are another installation's.
    pub fn replace(&self, keys: Vec<Zeroizing<[u8; 32]>>) {
        let mut present = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if present.first().is_none_or(|makes| keys.contains(makes)) {
            *present = keys;
        }
    }

    /// What each key makes of these parts, the first one first.
    fn each(&self, make: impl Fn(&mut Hmac<Sha256>)) -> Vec<String> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let made = keys.iter().filter_map(|key| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).ok()?;
            make(&mut mac);
            Some(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
        });
        made.collect()
    }

    fn tokens(&self, cookie_value: &str) -> Vec<String> {
        self.each(|mac| {
            mac.update(b"falconer anonymous form\n");
            mac.update(cookie_value.as_bytes());
        })
    }

    /// 43 characters that only this installation can make of these parts, for this purpose, by each key.
    pub(crate) fn macs(&self, purpose: &str, parts: &[&str]) -> Vec<String> {
        self.each(|mac| {
            mac.update(purpose.as_bytes());
            for part in parts {
                // The length in front keeps ("ab", "c") and ("a", "bc") apart.
                mac.update(b"\n");
                mac.update(&(part.len() as u64).to_le_bytes());
                mac.update(part.as_bytes());
            }
        })
    }
}

impl Login {
    /// 43 characters that only this installation can make of these parts, for this purpose.
    pub fn mac(&self, purpose: &str, parts: &[&str]) -> String {
        self.form_keys.macs(purpose, parts).into_iter().next().unwrap_or_default()
    }

    /// Whether these are those.
    pub fn has_mac(&self, purpose: &str, parts: &[&str], given: &str) -> bool {
        self.form_keys.macs(purpose, parts).iter().any(|expected| equal(expected, given))
    }

    /// The form of somebody who is not signed in. With the cookie that the browser sent, if any, so that two tabs both work.
    pub fn anonymous_form(&self, cookie_value: Option<&str>) -> AnonymousForm {
        let cookie_value = cookie_value.filter(|value| is_cookie_value(value)).map_or_else(|| self.draw::<16>(), str::to_owned);
        let token = self.form_keys.tokens(&cookie_value).into_iter().next().unwrap_or_default();
        AnonymousForm { cookie_value, token }
    }

    /// Whether a form of somebody who is not signed in was made by us for this browser.
    pub fn anonymous_form_is_ours(&self, cookie_value: &str, token: &str) -> bool {
        is_cookie_value(cookie_value) && self.form_keys.tokens(cookie_value).iter().any(|expected| equal(expected, token))
    }
}

impl Login {
    /// For a hidden field of a form that is made now.
    pub fn form_time(&self, session: &Session) -> String {
        session.form_time(self.now_ms())
    }

    /// Whether the form may have been pressed unseen. One that carries no time of ours may, too.
    pub fn is_too_soon(&self, session: &Session, form_time: &str) -> bool {
        session.form_made_ms(form_time).is_none_or(|made_ms| self.now_ms().saturating_sub(made_ms) < LEAST_FORM_MS)
    }
}

impl Session {
    /// When a form was made, for a hidden field: `<milliseconds>.<proof>`. Every node can check it, because the key is the session's own.
    pub fn form_time(&self, made_ms: i64) -> String {
        format!("{made_ms}.{}", self.proof_of_time(made_ms))
    }

    /// When the form was made that carries this; `None` when it was not made for this session.
    pub fn form_made_ms(&self, form_time: &str) -> Option<i64> {
        let (made_ms, proof) = form_time.split_once('.')?;
        let made_ms = made_ms.parse().ok()?;
        equal(&self.proof_of_time(made_ms), proof).then_some(made_ms)
    }

    fn proof_of_time(&self, made_ms: i64) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(self.csrf.as_bytes()).map(|mut mac| {
            mac.update(format!("falconer form made at {made_ms}").as_bytes());
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        });
        mac.unwrap_or_default()
    }

    /// Whether a form was made for this session.
    pub fn owns_form(&self, csrf: &str) -> bool {
        equal(&self.csrf, csrf)
    }
}

fn is_cookie_value(value: &str) -> bool {
    value.len() == 22 && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn equal(expected: &str, given: &str) -> bool {
    !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
}
