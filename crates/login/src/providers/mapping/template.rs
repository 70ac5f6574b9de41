//! A scope with attributes in it, such as `assume:mozilla-user:{email}`.

use falconer_scopes::{covers, is_valid_scope};
use thiserror::Error;

use super::attribute::Attribute;

/// Scopes that only Falconer itself gives: no template may come to one of them.
const RESERVED: [&str; 5] = ["assume:grant:", "assume:login-identity:", "assume:local-user:", "assume:local-group:", "assume:everybody"];

/// A template that was read and found harmless: whatever a provider says, it gives scopes that begin as the operator wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    /// What stands in front of the first attribute.
    start: String,
    /// Each attribute with what stands behind it.
    rest: Vec<(Attribute, String)>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// No scope at all.
    #[error("{0:?} is no scope: it is empty, too long, or holds what no scope can hold")]
    NoScope(String),
    /// Braces that do not match.
    #[error("{0:?} has a brace without its other half")]
    Brace(String),
    /// An attribute that there is none of.
    #[error("{template:?} names {{{name}}}; there are {{email}}, {{group}}, {{username}}, {{sub}}, {{org}} and {{team}}")]
    Unknown {
        /// The whole of it.
        template: String,
        /// Between the braces.
        name: String,
    },
    /// Two attributes that nobody could tell apart afterwards.
    #[error("{0:?} has two attributes with nothing in between: nobody could tell where one ends")]
    Adjacent(String),
    /// A provider could choose what kind of scope it is.
    #[error("{0:?} begins so that a provider could choose any role: write a prefix such as `assume:company-group:` in front")]
    Open(String),
    /// Falconer's own.
    #[error("{0:?} is, or could become, one of the scopes that only Falconer gives")]
    Reserved(String),
    /// A star at the end.
    #[error("{0:?} ends in a star behind an attribute: it would give more than the provider said")]
    Star(String),
}

impl Template {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let own = || text.to_owned();
        if text.is_empty() || text.len() > 512 || !is_valid_scope(text) {
            return Err(TemplateError::NoScope(own()));
        }
        let mut pieces = text.split('{');
        let start = pieces.next().unwrap_or_default().to_owned();
        let mut rest = Vec::new();
        for piece in pieces {
            let (name, behind) = piece.split_once('}').ok_or_else(|| TemplateError::Brace(own()))?;
            let unknown = || TemplateError::Unknown { template: own(), name: name.to_owned() };
            rest.push((Attribute::named(name).ok_or_else(unknown)?, behind.to_owned()));
        }
        if start.contains('}') || rest.iter().any(|(_, behind)| behind.contains('}')) {
            return Err(TemplateError::Brace(own()));
        }
        let template = Template { text: own(), start, rest };
        template.check()?;
        Ok(template)
    }

    fn check(&self) -> Result<(), TemplateError> {
        let own = || self.text.clone();
        let Some((_, behind_last)) = self.rest.last() else {
            // The same for everybody who signs in there.
            let reserved = RESERVED.iter().any(|reserved| covers(&self.text, reserved) || self.text.starts_with(reserved));
            return match () {
                () if covers(&self.text, "assume:") => Err(TemplateError::Open(own())),
                () if reserved => Err(TemplateError::Reserved(own())),
                () if self.text.ends_with("**") => Err(TemplateError::Star(own())),
                () => Ok(()),
            };
        };
        if "assume:".starts_with(&self.start) {
            return Err(TemplateError::Open(own()));
        }
        if RESERVED.iter().any(|reserved| reserved.starts_with(&self.start) || self.start.starts_with(reserved)) {
            return Err(TemplateError::Reserved(own()));
        }
        if behind_last.ends_with('*') {
            return Err(TemplateError::Star(own()));
        }
        let separators = self.rest.iter().rev().skip(1);
        if separators.map(|(_, behind)| behind).any(String::is_empty) {
            return Err(TemplateError::Adjacent(own()));
        }
        Ok(())
    }

    /// As the operator wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names this attribute.
    pub fn names(&self, attribute: Attribute) -> bool {
        self.rest.iter().any(|(named, _)| *named == attribute)
    }

    /// The scope, with these values. `Ok(None)`: a value that it names is not there.
    ///
    /// # Errors
    /// The value that can't be used, and why.
    pub(crate) fn fill<'v>(
        &self,
        value_of: impl Fn(Attribute) -> Option<&'v str>,
    ) -> Result<Option<String>, (Attribute, &'v str, &'static str)> {
        let mut scope = self.start.clone();
        let last = self.rest.len().saturating_sub(1);
        for (at, (attribute, behind)) in self.rest.iter().enumerate() {
            let Some(value) = value_of(*attribute) else { return Ok(None) };
            if let Some(why) = attribute.fault_of(value) {
                return Err((*attribute, value, why));
            }
            if at < last && value.contains(behind.as_str()) {
                return Err((*attribute, value, "it holds what stands behind it in the scope: nobody could tell where it ends"));
            }
            scope.push_str(value);
            scope.push_str(behind);
        }
        Ok(Some(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(attribute: Attribute) -> Option<&'static str> {
        match attribute {
            Attribute::Email => Some("you@example.com"),
            Attribute::Group => Some("a/b"),
            Attribute::Username => Some("you"),
            Attribute::Subject => None,
            Attribute::Org => Some("mozilla"),
            Attribute::Team => Some("releng"),
        }
    }

    #[test]
    fn templates_are_filled() {
        for (template, expected) in [
            ("assume:mozilla-user:{email}", Some("assume:mozilla-user:you@example.com")),
            ("assume:team-{group}", Some("assume:team-a/b")),
            ("notes:{username}:{group}/x", Some("notes:you:a/b/x")),
            ("assume:x:{sub}", None),
            ("assume:team:{org}/{team}", Some("assume:team:mozilla/releng")),
            ("queue:read:*", Some("queue:read:*")),
        ] {
            let scope = Template::parse(template).unwrap().fill(values).unwrap();
            assert_eq!(scope.as_deref(), expected, "{template}");
        }
        let ambiguous = Template::parse("x:{group}/{username}").unwrap();
        assert!(ambiguous.fill(values).is_err());
    }

    /// Each of these could give a person something that the operator has not written.
    #[test]
    fn templates_that_give_too_much() {
        use TemplateError as E;
        let check = |text: &str| Template::parse(text).unwrap_err();
        for open in ["{group}", "a{group}", "assume:{group}", "assume:*", "*", "a*"] {
            assert!(matches!(check(open), E::Open(_)), "{open}");
        }
        for reserved in [
            "assume:g{group}",
            "assume:grant:x",
            "assume:login-identity:{sub}",
            "assume:login-identity:*",
            "assume:local-user:{username}",
            "assume:l{group}",
            "assume:every{group}",
            "assume:local-g*",
        ] {
            assert!(matches!(check(reserved), E::Reserved(_)), "{reserved}");
        }
        for star in ["assume:x:{group}*", "x:{group}:*", "queue:**"] {
            assert!(matches!(check(star), E::Star(_)), "{star}");
        }
        for brace in ["x:{group", "x:group}", "x:{group}}"] {
            assert!(matches!(check(brace), E::Brace(_)), "{brace}");
        }
        assert!(matches!(check("x:{groups}"), E::Unknown { .. }));
        assert!(matches!(check("x:{}"), E::Unknown { .. }));
        assert!(matches!(check("x:{group}{sub}"), E::Adjacent(_)));
        assert!(matches!(check(""), E::NoScope(_)));
        assert!(matches!(check("x:é"), E::NoScope(_)));
    }
}
