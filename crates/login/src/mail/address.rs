//! What an address is, and which ones are the same (docs/adr/0171).

use thiserror::Error;

/// RFC 5321, 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
/// RFC 5321, 4.5.3.1.3: 256 with the angle brackets.
const LONGEST: usize = 254;

/// An address in its one form: `<dot-atom of ASCII, lower case>@<domain in ASCII, lower case>`. It holds no space, no line end, no comma and no quote, so that it
/// can stand in a header, in a command of SMTP and in a scope.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailAddress {
    text: String,
    at: usize,
}

/// Why something is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("That is no e-mail address that can be used here. Write one like you@example.com.")]
pub struct AddressError;

impl MailAddress {
    /// Reads what somebody typed: spaces around it do not count, nor does case; the domain may be written with any letters.
    ///
    /// ```
    /// use falconer_login::mail::MailAddress;
    /// assert_eq!(MailAddress::parse(" Ann@Bücher.example ").unwrap().as_str(), "ann@xn--bcher-kva.example");
    /// assert!(MailAddress::parse("\"ann\"@example.com").is_err());
    /// ```
    pub fn parse(typed: &str) -> Result<MailAddress, AddressError> {
        let typed = typed.trim_matches([' ', '\t']);
        // Before anything is done with it that takes longer for longer ones. A domain is never longer in its ASCII form than this in any other.
        if typed.len() > 4 * LONGEST {
            return Err(AddressError);
        }
        let (local, typed_domain) = typed.split_once('@').ok_or(AddressError)?;
        if local.len() > LONGEST_LOCAL || !local.split('.').all(is_atom) {
            return Err(AddressError);
        }
        let domain = domain(typed_domain)?;
        let text = format!("{}@{domain}", local.to_ascii_lowercase());
        if text.len() > LONGEST {
            return Err(AddressError);
        }
        Ok(MailAddress { at: local.len(), text })
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// In front of the `@`.
    pub fn local(&self) -> &str {
        self.text.split_at(self.at).0
    }

    /// Behind the `@`.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }
}

/// Addresses are people's: they are in no log by accident.
impl std::fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailAddress(..)")
    }
}

/// RFC 5322, 3.2.3, without what is not ASCII.
fn is_atom(atom: &str) -> bool {
    !atom.is_empty() && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

/// A domain in its ASCII form (UTS 46), of two names at least, the last of which is no number: an address of a machine is none.
pub fn domain(typed: &str) -> Result<String, AddressError> {
    let ascii = idna::domain_to_ascii_strict(typed).map_err(|_| AddressError)?;
    let last = ascii.rsplit('.').next().unwrap_or_default();
    let is_name = ascii.contains('.') && !last.is_empty() && !last.bytes().all(|byte| byte.is_ascii_digit());
    if is_name { Ok(ascii) } else { Err(AddressError) }
}

#[cfg(test)]
mod tests {
    use super::MailAddress;

    fn read(typed: &str) -> Option<String> {
        MailAddress::parse(typed).ok().map(|address| address.as_str().to_owned())
    }

    #[test]
    fn one_address_has_one_form() {
        for same in ["ann@example.com", "Ann@Example.COM", "  ANN@example.com\t", "ann@ｅxample．com", "ann@EXAMPLE。com"] {
            assert_eq!(read(same).as_deref(), Some("ann@example.com"), "{same}");
        }
        for (typed, form) in [
            ("a.n.n@example.com", "a.n.n@example.com"),
            ("ann+notes@example.com", "ann+notes@example.com"),
            ("o'neil@example.com", "o'neil@example.com"),
            ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
            ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
            ("ann@a.b.c.example", "ann@a.b.c.example"),
        ] {
            assert_eq!(read(typed).as_deref(), Some(form), "{typed}");
        }
        let address = MailAddress::parse("Ann@Example.com").unwrap();
        assert_eq!((address.local(), address.domain()), ("ann", "example.com"));
        assert!(!format!("{address:?}").contains("ann"));
    }

    /// A Cyrillic letter that looks like a Latin one is another domain, and says so.
    #[test]
    fn what_looks_alike_is_another_address() {
        assert_eq!(read("ann@ex\u{430}mple.com").as_deref(), Some("ann@xn--exmple-4nf.com"));
        assert_eq!(read("\u{430}nn@example.com"), None);
    }

    #[test]
    fn what_is_no_address() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "a".repeat(64));
        let long = format!("a@{}com", "aaaaaaaaa.".repeat(25));
        let huge = format!("a@{}.com", "ä".repeat(100_000));
        for wrong in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann@localhost",
            "ann@127.0.0.1",
            "ann@[127.0.0.1]",
            "ann@[IPv6:::1]",
            "ann@1.2",
            "ann@example.com.",
            "ann@.example.com",
            "ann@example..com",
            "ann@-example.com",
            "ann@exa_mple.com",
            "ann@exam ple.com",
            "an n@example.com",
            ".ann@example.com",
            "ann.@example.com",
            "a..n@example.com",
            "\"ann\"@example.com",
            "\"a n\"@example.com",
            "\"a@b\"@example.com",
            "ann@example.com@example.net",
            "ann@example.com,eve@example.net",
            "ann@example.com, eve@example.net",
            "ann@example.com;eve@example.net",
            "ann@example.com eve@example.net",
            "Ann <ann@example.com>",
            "<ann@example.com>",
            "ann(x)@example.com",
            "ann@example.com(x)",
            "ann\r\nBcc: eve@example.net",
            "ann@example.com\r\nBcc: eve@example.net",
            "ann@example.com\n",
            "ann@example.com\r",
            "ann@example.com\r\n.\r\nMAIL FROM:<x@y.z>",
            "ann\0@example.com",
            "ann@example.com\0",
            "ann\u{85}@example.com",
            "ann@example.com\u{2028}",
            "änn@example.com",
            "ann\u{200b}@example.com",
            "ann＠example.com",
            "ann\\@example.com",
            "ann@exa\u{202e}mple.com",
            "mailto:ann@example.com",
            &long_local,
            &long_label,
            &long,
            &huge,
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
