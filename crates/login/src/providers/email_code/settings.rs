//! Whose addresses sign in.

use std::collections::HashSet;

use thiserror::Error;

use crate::mail::{MailAddress, domain};

/// What the operator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailCodeSettings {
    /// Domains (`example.com`, without what is below them), addresses, or `*` alone for everybody.
    pub domains: Vec<String>,
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EmailCodeSettingsError {
    /// An empty list.
    #[error("domains: nobody could sign in; write domains or addresses, or [\"*\"] for everybody who has an address")]
    Nobody,
    /// Neither a domain nor an address.
    #[error("domains: {0:?} is neither a domain nor an address; write something like example.com (what is below it does not count)")]
    Entry(String),
    /// The star with others.
    #[error("domains: \"*\" is everybody; the others beside it say nothing")]
    StarWithOthers,
    /// Twice.
    #[error("domains: {0:?} is there twice")]
    Twice(String),
}

/// Settings that were read.
#[derive(Default)]
pub(super) struct Allowed {
    everybody: bool,
    /// Domains and addresses, in their one form.
    entries: HashSet<String>,
}

impl EmailCodeSettings {
    /// What is wrong, if anything.
    pub fn check(&self) -> Result<(), EmailCodeSettingsError> {
        self.read().map(drop)
    }

    pub(super) fn read(&self) -> Result<Allowed, EmailCodeSettingsError> {
        use EmailCodeSettingsError as Wrong;
        if self.domains.is_empty() {
            return Err(Wrong::Nobody);
        }
        if self.domains.iter().any(|entry| entry == "*") {
            return if self.domains.len() == 1 {
                Ok(Allowed { everybody: true, ..Allowed::default() })
            } else {
                Err(Wrong::StarWithOthers)
            };
        }
        let mut allowed = Allowed::default();
        for entry in &self.domains {
            let one_form = match entry.contains('@') {
                true => MailAddress::parse(entry).map(|address| address.as_str().to_owned()),
                false => domain(entry),
            };
            if !allowed.entries.insert(one_form.map_err(|_| Wrong::Entry(entry.clone()))?) {
                return Err(Wrong::Twice(entry.clone()));
            }
        }
        Ok(allowed)
    }
}

impl Allowed {
    pub(super) fn has(&self, address: &MailAddress) -> bool {
        self.everybody || self.entries.contains(address.domain()) || self.entries.contains(address.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(domains: &[&str]) -> EmailCodeSettings {
        EmailCodeSettings { domains: domains.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn who_is_let_in() {
        let allowed = settings(&["Example.com", "bücher.example", "Eve@example.net"]).read().unwrap();
        let has = |typed: &str| allowed.has(&MailAddress::parse(typed).unwrap());
        for fine in ["ann@example.com", "ANN@EXAMPLE.COM", "a@xn--bcher-kva.example", "eve@example.net"] {
            assert!(has(fine), "{fine}");
        }
        for other in
            ["ann@sub.example.com", "ann@notexample.com", "ann@example.com.evil.example", "bob@example.net", "example.com@evil.example"]
        {
            assert!(!has(other), "{other}");
        }
        assert!(settings(&["*"]).read().unwrap().has(&MailAddress::parse("a@b.example").unwrap()));
    }

    #[test]
    fn what_can_not_be() {
        use EmailCodeSettingsError as Wrong;
        assert_eq!(settings(&[]).check(), Err(Wrong::Nobody));
        assert_eq!(settings(&["*", "example.com"]).check(), Err(Wrong::StarWithOthers));
        assert_eq!(settings(&["example.com", "EXAMPLE.com"]).check(), Err(Wrong::Twice("EXAMPLE.com".to_owned())));
        for wrong in ["", "*.example.com", "@example.com", "com", "a b.example", "a@b", "https://example.com", "127.0.0.1"] {
            assert_eq!(settings(&[wrong]).check(), Err(Wrong::Entry(wrong.to_owned())), "{wrong}");
        }
    }
}
