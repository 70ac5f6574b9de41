//! Protection of the forms of people who have no session yet (sign-in, set-up) against other sites: a double submit that is signed.
//!
//! The cookie holds a random value, the form a MAC of it. Another site can neither read the one nor make the other; and somebody who can
//! plant a cookie (a neighbouring host, say) can't make its field, because the key never leaves this process.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::login::{Login, is_token};

/// What a form without a session needs.
#[derive(Clone)]
pub struct FormToken {
    /// The value of a cookie: HttpOnly, SameSite=Lax, for this browser session.
    pub cookie: String,
    /// The value of a hidden field.
    pub field: String,
}

impl Login {
    /// A new cookie and the field that goes with it.
    pub fn login_form_token(&self) -> FormToken {
        let cookie = self.new_token().to_string();
        let field = URL_SAFE_NO_PAD.encode(self.form_mac(&cookie).finalize().into_bytes());
        FormToken { cookie, field }
    }

    /// The field for a cookie that the browser has already, so that several tabs work; `None` when it is not one of ours: make a new one.
    pub fn login_form_field(&self, cookie: &str) -> Option<String> {
        is_token(cookie).then(|| URL_SAFE_NO_PAD.encode(self.form_mac(cookie).finalize().into_bytes()))
    }

    /// Whether the field belongs to the cookie, in constant time. After a restart of this process no older form does: show it again.
    pub fn check_login_form_token(&self, cookie: &str, field: &str) -> bool {
        let Ok(field) = URL_SAFE_NO_PAD.decode(field) else { return false };
        is_token(cookie) && self.form_mac(cookie).verify_slice(&field).is_ok()
    }

    fn form_mac(&self, cookie: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&(*self.form_key).into());
        mac.update(b"form without a session\0");
        mac.update(cookie.as_bytes());
        mac
    }
}
