//! A sign-in that is under way: begun in one browser, finished there once.
//!
//! All that it needs lies in a cookie of that browser, so strangers fill nothing here by beginning sign-ins, and any node can finish them; the store
//! only notes that a flow came back (docs/adr/0131). State, nonce and verifier are made of the cookie's secret, and the state of the rest of the
//! cookie too: so what the browser brings back fits only the cookie that it was made with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::MINUTE_MS;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::email_code::CodeFlow;
use super::error::ProviderError;
use super::provider::Attempt;
use super::way::{Aim, Begun, Way};
use crate::fingerprint::{fingerprint, hash_of_token};
use crate::sessions::session::Session;

/// So long a browser may be away.
pub(crate) const FLOW_MS: i64 = 15 * MINUTE_MS;
/// The longest request that goes on after sign-in, in bytes; a cookie holds about 4096.
pub(crate) const LONGEST_NEXT: usize = 2800;

/// What a sign-in that is under way is for. The id is that of the session in which it was begun: in another one it counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Beginning a session.
    SignIn,
    /// Proving once more to be there.
    Reauthenticate(String),
    /// Adding another identity to the person of the session.
    Link(String),
}

impl Intent {
    pub(crate) fn of(way: Way<'_>) -> Intent {
        match way {
            Way::SignIn => Intent::SignIn,
            Way::Reauthenticate(session) => Intent::Reauthenticate(session.id.clone()),
            Way::Link(session) => Intent::Link(session.id.clone()),
        }
    }

    pub(crate) fn aim(&self) -> Aim {
        match self {
            Intent::SignIn => Aim::SignIn,
            Intent::Reauthenticate(_) => Aim::Reauthenticate,
            Intent::Link(_) => Aim::Link,
        }
    }

    /// `<provider>`, `<provider>_a<session>` or `<provider>_l<session>`: no name of a provider has an underscore.
    pub(crate) fn write(&self, provider: &str) -> String {
        match self {
            Intent::SignIn => provider.to_owned(),
            Intent::Reauthenticate(session) => format!("{provider}_a{session}"),
            Intent::Link(session) => format!("{provider}_l{session}"),
        }
    }

    pub(crate) fn read(text: &str) -> Option<(String, Intent)> {
        let Some((provider, intent)) = text.split_once('_') else { return Some((text.to_owned(), Intent::SignIn)) };
        let is_session = |text: &str| text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let reauthenticate =
            intent.strip_prefix('a').filter(|session| is_session(session)).map(|session| Intent::Reauthenticate(session.to_owned()));
        let link = || intent.strip_prefix('l').filter(|session| is_session(session)).map(|session| Intent::Link(session.to_owned()));
        reauthenticate.or_else(link).map(|intent| (provider.to_owned(), intent))
    }

    /// The way that it is in this session; an intent of another one is none.
    pub(crate) fn way<'s>(&self, session: Option<&'s Session>) -> Result<Way<'s>, ProviderError> {
        let begun_in = |id: &str| session.filter(|session| session.id == id).ok_or(ProviderError::OtherSession);
        match self {
            Intent::SignIn => Ok(Way::SignIn),
            Intent::Reauthenticate(id) => begun_in(id).map(Way::Reauthenticate),
            Intent::Link(id) => begun_in(id).map(Way::Link),
        }
    }
}

/// One sign-in under way.
pub(crate) struct Flow {
    /// 43 characters; everything that must be unknown to others is made of it.
    secret: Zeroizing<String>,
    /// Milliseconds since 1970.
    pub(crate) made_ms: i64,
    /// The provider's name.
    pub(crate) provider: String,
    /// What it is for.
    pub(crate) intent: Intent,
    /// Where to go on: a path of ours with its query.
    pub(crate) next: String,
}

impl Flow {
    pub(crate) fn new(secret: String, made_ms: i64, provider: &str, intent: Intent, next: &str) -> Flow {
        Flow { secret: Zeroizing::new(secret), made_ms, provider: provider.to_owned(), intent, next: next.to_owned() }
    }

    /// `<secret>.<milliseconds>.<provider, and what it is for>.<where to go on, in base64url>`
    pub(crate) fn cookie_value(&self) -> Zeroizing<String> {
        let next = URL_SAFE_NO_PAD.encode(&self.next);
        Zeroizing::new(format!("{}.{}.{}.{next}", self.secret.as_str(), self.made_ms, self.intent.write(&self.provider)))
    }

    /// What a browser has kept; `None`: nothing that was made here.
    pub(crate) fn read(cookie_value: &str) -> Option<Flow> {
        let mut parts = cookie_value.split('.');
        let (secret, made_ms, provider, next) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        let (provider, intent) = Intent::read(provider)?;
        let plain = secret.len() == 43 && parts.next().is_none() && next.len() <= LONGEST_NEXT;
        plain.then(|| Some(Flow::new(secret.to_owned(), made_ms.parse().ok()?, &provider, intent, &next)))?
    }

    /// When the flow in a cookie was begun, for whoever has to give one up.
    pub(crate) fn made_ms_of(cookie_value: &str) -> Option<i64> {
        let by_code = || CodeFlow::read(cookie_value).map(|flow| flow.made_ms);
        Flow::read(cookie_value).map(|flow| flow.made_ms).or_else(by_code)
    }

    pub(crate) fn attempt(&self, redirect_uri: &str) -> Attempt {
        let made_ms = self.made_ms.to_string();
        Attempt {
            state: fingerprint(["provider state", &self.secret, &made_ms, &self.intent.write(&self.provider), &self.next]),
            nonce: fingerprint(["provider nonce", &self.secret]),
            verifier: fingerprint(["provider verifier", &self.secret]),
            redirect_uri: redirect_uri.to_owned(),
            reauthenticate: self.intent != Intent::SignIn,
        }
    }

    /// Whether the browser brings back what it left with.
    pub(crate) fn has_state(&self, state: &str) -> bool {
        let expected = self.attempt("").state;
        bool::from(expected.as_bytes().ct_eq(state.as_bytes()))
    }

    pub(crate) fn begun(self) -> Begun {
        Begun { aim: self.intent.aim(), next: self.next }
    }

    /// The name under which the store notes that it came back. Of the secret alone: another time or place to go on makes no other flow of it.
    pub(crate) fn use_key(&self) -> String {
        format!("provider-flow/{}", hash_of_token("provider flow", &self.secret))
    }

    pub(crate) fn is_over(&self, now_ms: i64) -> bool {
        let age_ms = now_ms.saturating_sub(self.made_ms);
        !(-MINUTE_MS..FLOW_MS).contains(&age_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow::new("s".repeat(43), 1000, "company", Intent::SignIn, "/?target=https%3A%2F%2Fa.example")
    }

    #[test]
    fn a_cookie_is_read_back() {
        let read = Flow::read(&flow().cookie_value()).unwrap();
        assert_eq!((read.made_ms, read.provider.as_str(), read.next.as_str()), (1000, "company", flow().next.as_str()));
        assert_eq!(read.cookie_value(), flow().cookie_value());
        for wrong in ["", "a.b.c.d", "....", &format!("{}.x", flow().cookie_value().as_str()), &"s".repeat(43)] {
            assert!(Flow::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_state_fits_one_cookie_only() {
        let state = flow().attempt("").state;
        assert!(flow().has_state(&state));
        let others = [
            Flow::new("t".repeat(43), 1000, "company", Intent::SignIn, &flow().next),
            Flow::new("s".repeat(43), 1001, "company", Intent::SignIn, &flow().next),
            Flow::new("s".repeat(43), 1000, "other", Intent::SignIn, &flow().next),
            Flow::new("s".repeat(43), 1000, "company", Intent::SignIn, "/"),
            Flow::new("s".repeat(43), 1000, "company", Intent::Link("x".repeat(43)), &flow().next),
            Flow::new("s".repeat(43), 1000, "company", Intent::Reauthenticate("x".repeat(43)), &flow().next),
            Flow::new("s".repeat(43), 1000, "company", Intent::Reauthenticate("y".repeat(43)), &flow().next),
        ];
        for other in others {
            assert!(!other.has_state(&state) && !other.has_state(""));
        }
        let (state, nonce, verifier) = (flow().attempt("").state, flow().attempt("").nonce, flow().attempt("").verifier);
        assert!(state != nonce && nonce != verifier && [state, nonce, verifier].iter().all(|text| text.len() == 43));
    }

    #[test]
    fn what_a_flow_is_for_is_read_back() {
        let session = "-_".repeat(21) + "x";
        for intent in [Intent::SignIn, Intent::Reauthenticate(session.clone()), Intent::Link(session.clone())] {
            let written = Flow::new("s".repeat(43), 1000, "a-company", intent.clone(), "/").cookie_value();
            let read = Flow::read(&written).unwrap();
            assert_eq!((read.provider.as_str(), &read.intent, read.cookie_value()), ("a-company", &intent, written));
        }
        for wrong in ["company_", "company_a", "company_x", &format!("company_z{session}"), &format!("company_a{session}x")] {
            assert_eq!(Intent::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_flow_ends() {
        assert!(!flow().is_over(1000) && !flow().is_over(999) && flow().is_over(1000 + FLOW_MS) && flow().is_over(-MINUTE_MS));
    }
}
