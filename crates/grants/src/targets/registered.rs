//! Targets that the administrator has registered.

use crate::settings::RegisteredTarget;
use crate::targets::target::Target;
use falconer_login::LoginError;

/// Exact targets and the names that they are shown by.
pub(crate) struct Registered(Vec<(Target, String)>);

impl Registered {
    pub(crate) fn new(configured: &[RegisteredTarget]) -> Result<Registered, LoginError> {
        let mut known = Vec::new();
        for entry in configured {
            for text in &entry.targets {
                let target =
                    Target::parse(text).map_err(|error| LoginError::Invalid(format!("[[target]] {}: {text}: {error}", entry.name)))?;
                known.push((target, entry.name.clone()));
            }
        }
        Ok(Registered(known))
    }

    /// The name of a target that is registered exactly, or but for a `state` at the end of its query, which a site adds to know its own
    /// requests again.
    pub(crate) fn name_of(&self, target: &Target) -> Option<&str> {
        let href = target.href();
        let stateless = without_state(href);
        self.0.iter().find(|(known, _)| known.href() == href || stateless.as_deref() == Some(known.href())).map(|(_, name)| name.as_str())
    }
}

/// The URL without a last query parameter `state=[A-Za-z0-9_-]*`, if it has one.
fn without_state(href: &str) -> Option<String> {
    let (url, fragment) = match href.find('#') {
        Some(at) => href.split_at_checked(at)?,
        None => (href, ""),
    };
    let (rest, value) = url.rsplit_once("state=")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !value.bytes().all(plain) {
        return None;
    }
    let (before, separator) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    match separator {
        "&" if before.contains('?') => (),
        "?" if !before.contains('?') => (),
        _ => return None,
    }
    Some(format!("{before}{fragment}"))
}
