//! The attributes that templates can name, and which of their values a scope can hold.

use falconer_scopes::is_valid_scope;

/// The longest value that goes into a scope, in bytes.
const LONGEST_VALUE: usize = 255;

/// What `{...}` in a template stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A verified address of an authoritative provider.
    Email,
    /// Each group that counts.
    Group,
    /// What the person calls themself at the provider.
    Username,
    /// The provider's immutable id.
    Subject,
    /// Each organisation that counts: a group without a slash. With `{team}`, the first part of a group of two parts.
    Org,
    /// Each team that counts: the second part of a group of two parts, `<organisation>/<team>`.
    Team,
}

impl Attribute {
    /// All of them.
    pub const ALL: [Attribute; 6] =
        [Attribute::Email, Attribute::Group, Attribute::Username, Attribute::Subject, Attribute::Org, Attribute::Team];

    /// As it is written between the braces.
    pub fn name(self) -> &'static str {
        match self {
            Attribute::Email => "email",
            Attribute::Group => "group",
            Attribute::Username => "username",
            Attribute::Subject => "sub",
            Attribute::Org => "org",
            Attribute::Team => "team",
        }
    }

    /// The attribute of this name.
    pub fn named(name: &str) -> Option<Attribute> {
        Self::ALL.into_iter().find(|attribute| attribute.name() == name)
    }

    /// What is wrong with a value, if anything.
    pub(crate) fn fault_of(self, value: &str) -> Option<&'static str> {
        if value.is_empty() {
            return Some("it is empty");
        }
        if value.len() > LONGEST_VALUE {
            return Some("it is longer than 255 bytes");
        }
        if !is_valid_scope(value) {
            return Some("it holds what no scope can hold: only printable ASCII can");
        }
        if value.ends_with('*') {
            return Some("it ends in a star, which would mean more than itself");
        }
        if self == Attribute::Email && !is_address(value) {
            return Some("it is no e-mail address");
        }
        None
    }
}

fn is_address(value: &str) -> bool {
    let parts = value.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    parts.is_some() && !value.contains([' ', '"', '<', '>', ',', ';', '\\'])
}

#[cfg(test)]
mod tests {
    use super::Attribute;

    #[test]
    fn what_a_scope_can_hold() {
        for fine in ["hr", "a/b", "Team A", "a*b", "<..>", "CN=a,DC=b"] {
            assert_eq!(Attribute::Group.fault_of(fine), None, "{fine}");
        }
        for wrong in ["", "*", "a*", "é", "a\nb", "a\u{7f}", &"a".repeat(256)] {
            assert!(Attribute::Group.fault_of(wrong).is_some(), "{wrong}");
        }
        assert_eq!(Attribute::Email.fault_of("you@example.com"), None);
        for wrong in ["you", "@example.com", "you@", "you@evil.example@example.com", "you @example.com", "<you@example.com>", "a@b,c@d"] {
            assert!(Attribute::Email.fault_of(wrong).is_some(), "{wrong}");
        }
    }
}
