//! A sign-in by code that is under way: all of it lies in a cookie of the browser that asked, as with other providers (docs/adr/0131), and the address with it.
//!
//! The store notes the hash of cookie and code together. So nobody who reads the store can find a code of eight digits by trying. A code opens nothing in
//! another browser, and a cookie that somebody made up has no code at all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::MINUTE_MS;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::fingerprint::{fingerprint, hash_of_token};
use crate::mail::MailAddress;
use crate::providers::flow::Intent;
use crate::providers::way::Begun;

/// So long a code holds.
pub(crate) const CODE_MS: i64 = 10 * MINUTE_MS;
/// Digits of a code.
const DIGITS: usize = 8;
/// The longest request that goes on after sign-in, in bytes: with the longest address the cookie stays below 4096.
pub(super) const LONGEST_NEXT: usize = 2400;

/// One sign-in under way.
pub(crate) struct CodeFlow {
    /// 43 characters.
    secret: Zeroizing<String>,
    /// Milliseconds since 1970.
    pub(crate) made_ms: i64,
    /// The provider's name.
    pub(super) provider: String,
    /// What it is for.
    pub(super) intent: Intent,
    /// Where to go on: a path of ours with its query.
    pub(super) next: String,
    /// Where the code went.
    pub(super) address: MailAddress,
}

impl CodeFlow {
    pub(super) fn new(secret: String, made_ms: i64, provider: &str, intent: Intent, next: &str, address: MailAddress) -> CodeFlow {
        CodeFlow { secret: Zeroizing::new(secret), made_ms, provider: provider.to_owned(), intent, next: next.to_owned(), address }
    }

    /// `<secret>.<milliseconds>.<provider, and what it is for>.<where to go on, in base64url>.<address, in base64url>`
    pub(super) fn cookie_value(&self) -> Zeroizing<String> {
        let (next, address) = (URL_SAFE_NO_PAD.encode(&self.next), URL_SAFE_NO_PAD.encode(self.address.as_str()));
        Zeroizing::new(format!("{}.{}.{}.{next}.{address}", self.secret.as_str(), self.made_ms, self.intent.write(&self.provider)))
    }

    /// What a browser has kept; `None`: nothing that was made here.
    pub(crate) fn read(cookie_value: &str) -> Option<CodeFlow> {
        let mut parts = cookie_value.split('.');
        let (secret, made_ms, provider) = (parts.next()?, parts.next()?, parts.next()?);
        let mut text = || String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok();
        let (next, address) = (text()?, text()?);
        if secret.len() != 43 || parts.next().is_some() || next.len() > LONGEST_NEXT {
            return None;
        }
        let (provider, intent) = Intent::read(provider)?;
        let in_one_form = MailAddress::parse(&address).ok().filter(|read| read.as_str() == address)?;
        Some(CodeFlow::new(secret.to_owned(), made_ms.parse().ok()?, &provider, intent, &next, in_one_form))
    }

    pub(super) fn begun(self) -> Begun {
        Begun { aim: self.intent.aim(), next: self.next }
    }

    /// What pages call it, 43 characters: nothing can be done with it without the cookie.
    pub(super) fn name(&self) -> String {
        fingerprint(["email code flow", self.secret.as_str()])
    }

    /// Under which the store notes that this code was sent for this flow.
    pub(super) fn code_key(&self, code: &str) -> String {
        let made_ms = self.made_ms.to_string();
        let provider = self.intent.write(&self.provider);
        let parts: [&str; 6] = [self.secret.as_str(), made_ms.as_str(), provider.as_str(), self.next.as_str(), self.address.as_str(), code];
        let all = fingerprint(parts);
        format!("email-code/sent/{}", hash_of_token("email code", &all))
    }

    /// Under which tries are counted. Of the secret alone: another time or place to go on gives no further tries.
    pub(super) fn tries_key(&self) -> String {
        format!("email-code/tries/{}", hash_of_token("email code tries", &self.secret))
    }

    /// Under which the store notes that somebody has signed in.
    pub(super) fn use_key(&self) -> String {
        format!("email-code/used/{}", hash_of_token("email code used", &self.secret))
    }

    pub(super) fn is_over(&self, now_ms: i64) -> bool {
        let age_ms = now_ms.saturating_sub(self.made_ms);
        !(-MINUTE_MS..CODE_MS).contains(&age_ms)
    }
}

/// Eight digits of eight random bytes.
pub(super) fn code(random: [u8; 8]) -> Zeroizing<String> {
    let most = 10_u64.pow(DIGITS as u32);
    Zeroizing::new(format!("{:0width$}", u64::from_le_bytes(random) % most, width = DIGITS))
}

/// As the mail has it: in two halves, which are easier to read over.
pub(super) fn spaced(code: &str) -> String {
    let (first, second) = code.split_at_checked(DIGITS / 2).unwrap_or((code, ""));
    format!("{first} {second}")
}

/// What somebody typed or pasted, as digits; `None`: it is no code.
pub(super) fn typed_code(typed: &str) -> Option<Zeroizing<String>> {
    if typed.len() > 200 {
        return None;
    }
    let digits: String = typed.nfkc().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{200b}')).collect();
    let digits = Zeroizing::new(digits);
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> MailAddress {
        MailAddress::parse(text).unwrap()
    }

    fn flow() -> CodeFlow {
        CodeFlow::new("s".repeat(43), 1000, "mail", Intent::SignIn, "/?target=https%3A%2F%2Fa.example", address("ann@example.com"))
    }

    #[test]
    fn a_cookie_is_read_back() {
        let cookie = flow().cookie_value();
        let read = CodeFlow::read(&cookie).unwrap();
        assert_eq!((read.made_ms, read.provider.as_str(), read.next.as_str()), (1000, "mail", flow().next.as_str()));
        assert_eq!((read.address.as_str(), read.cookie_value()), ("ann@example.com", cookie.clone()));
        let (front, _) = cookie.rsplit_once('.').unwrap();
        let with = |address: &str| format!("{front}.{}", URL_SAFE_NO_PAD.encode(address));
        for wrong in
            ["", "a.b.c.d.e", front, &format!("{}.x", cookie.as_str()), &with("Ann@example.com"), &with("a,b@example.com"), &with("")]
        {
            assert!(CodeFlow::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_longest_cookie_is_one_that_browsers_keep() {
        let longest = address(&format!("{}@{}com", "a".repeat(64), "aaaaaaaa.".repeat(20)));
        let flow =
            CodeFlow::new("s".repeat(43), i64::MAX, &"p".repeat(32), Intent::Link("x".repeat(43)), &"n".repeat(LONGEST_NEXT), longest);
        // With its name, and the attributes that count.
        assert!(flow.cookie_value().len() + 100 < 4096, "{}", flow.cookie_value().len());
    }

    #[test]
    fn a_code_fits_one_flow_only() {
        let key = flow().code_key("12345678");
        let others = [
            CodeFlow::new("t".repeat(43), 1000, "mail", Intent::SignIn, &flow().next, address("ann@example.com")),
            CodeFlow::new("s".repeat(43), 1001, "mail", Intent::SignIn, &flow().next, address("ann@example.com")),
            CodeFlow::new("s".repeat(43), 1000, "other", Intent::SignIn, &flow().next, address("ann@example.com")),
            CodeFlow::new("s".repeat(43), 1000, "mail", Intent::SignIn, "/", address("ann@example.com")),
            CodeFlow::new("s".repeat(43), 1000, "mail", Intent::Link("x".repeat(43)), &flow().next, address("ann@example.com")),
            CodeFlow::new("s".repeat(43), 1000, "mail", Intent::SignIn, &flow().next, address("bob@example.com")),
        ];
        assert!(others.iter().all(|other| other.code_key("12345678") != key));
        assert!(flow().code_key("12345679") != key);
        // However a cookie is changed, it is the same code that is tried.
        assert!(others.iter().skip(1).all(|other| other.tries_key() == flow().tries_key() && other.use_key() == flow().use_key()));
        assert!(!flow().is_over(1000) && flow().is_over(1000 + CODE_MS) && flow().is_over(-MINUTE_MS));
    }

    #[test]
    fn codes() {
        assert_eq!(code([0; 8]).as_str(), "00000000");
        assert_eq!(code(u64::MAX.to_le_bytes()).as_str(), "09551615");
        assert_eq!(spaced("12345678"), "1234 5678");
        for same in ["12345678", " 1234 5678 ", "1234-5678", "１２３４５６７８", "1234\u{a0}5678\r\n"] {
            assert_eq!(typed_code(same).unwrap().as_str(), "12345678", "{same}");
        }
        for wrong in ["", "1234567", "123456789", "1234567a", "+12345678", "12345678;", "٠١٢٣٤٥٦٧", &"1".repeat(1000)] {
            assert!(typed_code(wrong).is_none(), "{wrong}");
        }
    }
}
