//! Who sent a request, and what a service may ask about it.

use std::sync::Arc;

use falconer_scopes::{Expression, ScopeSet, is_valid_scope};
use falconer_wire::Identity;

use crate::Refusal;
pub(crate) use asker::Asker;

mod asker;

/// Who sent a request, as Falconer verified it. Only a [`Verifier`](crate::Verifier) makes one. With the feature `axum` it is an extractor.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) client_id: Option<String>,
    pub(crate) scopes: ScopeSet,
    /// Below which prefixes a caller shows scopes beside those of the service; `None`: the list is whole.
    pub(crate) revealed: Option<Arc<[String]>>,
    pub(crate) expires: String,
    pub(crate) identity: Option<Identity>,
    pub(crate) asker: Asker,
}

impl Caller {
    /// For display and logs only: anybody may choose a clientId. `None` for a request without credentials.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// What the request may do, expanded, with what everybody may do: as far as the service is told ([`Verifier::check`](crate::Verifier::check)):
    /// those that begin as what the route requires, and those of [`Verifier::with_revealed`](crate::Verifier::with_revealed).
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Whether the scopes satisfy an expression, for decisions that a route cannot state beforehand. Of scopes that the service is not told, the answer is no.
    #[must_use]
    pub fn satisfies(&self, required: &Expression) -> bool {
        required.satisfied_by(&self.scopes)
    }

    /// Whether the caller of this request satisfies an expression, by one more question to Falconer: for what a route cannot state beforehand.
    /// Errors: [`Refusal`], for an outage, and for credentials that were taken away meanwhile.
    pub async fn has(&self, required: &Expression) -> Result<bool, Refusal> {
        match self.asker.ask(required, &[]).await {
            Ok(_) => Ok(true),
            Err(Refusal::InsufficientScopes { .. }) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// The same for many expressions, such as a page of a list, in one question for up to 128 of them.
    pub async fn has_each(&self, required: &[Expression]) -> Result<Vec<bool>, Refusal> {
        let mut found = Vec::with_capacity(required.len());
        let mut left = required;
        while !left.is_empty() {
            let (now, later) = left.split_at(asker::fits(left));
            found.extend(self.asker.ask(&Expression::AllOf(Vec::new()), now).await?);
            left = later;
        }
        Ok(found)
    }

    /// What to restrict a call by that this service makes for the caller with its own credentials
    /// ([`Client::with_authorized_scopes`](falconer_client::Client::with_authorized_scopes)): these scopes. Errors: [`Refusal::InsufficientScopes`], where the caller
    /// lacks one of them; [`Refusal::Parameter`], for a text that no scope can be: a caller wrote it into a path.
    pub async fn authorized_scopes<'s>(&self, scopes: &[&'s str]) -> Result<Vec<&'s str>, Refusal> {
        if let Some(wrong) = scopes.iter().find(|scope| !is_valid_scope(scope)) {
            return Err(match wrong.is_empty() {
                true => Refusal::Misconfigured("authorized_scopes was asked for an empty scope".to_owned()),
                false => Refusal::Parameter { message: "a scope that it asks for has a character outside of printable ASCII".to_owned() },
            });
        }
        let all = scopes.iter().map(|scope| Expression::Scope((*scope).to_owned())).collect();
        self.asker.ask(&Expression::AllOf(all), &[]).await?;
        Ok(scopes.to_vec())
    }

    /// Whether the caller **is** the person of this role, such as `mozilla-user:ann@example.com`: whether `assume:` and the role is one of the caller's scopes, as it
    /// is written. The one question for which a star counts nothing: whoever may act as everybody is not everybody, so neither `assume:mozilla-user:*` nor `*` proves
    /// that somebody is Ann. Use [`Caller::satisfies`] for what a caller may do, and this for who a caller is. Errors: [`Refusal::Misconfigured`], where the service is
    /// shown no such scope of anybody: [`Verifier::with_revealed`](crate::Verifier::with_revealed) has to name `assume:mozilla-user:`.
    pub fn is_person(&self, role: &str) -> Result<bool, Refusal> {
        if !names_somebody(role) {
            return Ok(false);
        }
        self.needs_revealed(role)?;
        Ok(self.scopes.iter().any(|scope| scope.strip_prefix("assume:") == Some(role)))
    }

    /// Who the caller is to a kind of role, such as `mozilla-user:`: what follows it in each scope that names one person. More than one where the person has several
    /// such identities. Errors: as of [`Caller::is_person`].
    pub fn people<'c>(&'c self, kind: &'c str) -> Result<impl Iterator<Item = &'c str> + 'c, Refusal> {
        self.needs_revealed(kind)?;
        let roles = self.scopes.iter().filter_map(|scope| scope.strip_prefix("assume:")).filter(|role| names_somebody(role));
        Ok(roles.filter_map(move |role| role.strip_prefix(kind)).filter(|who| !who.is_empty()))
    }

    /// Without the prefix everybody would look like nobody.
    fn needs_revealed(&self, role: &str) -> Result<(), Refusal> {
        let scope = format!("assume:{role}");
        if self.revealed.as_ref().is_none_or(|prefixes| prefixes.iter().any(|prefix| scope.starts_with(prefix.as_str()))) {
            return Ok(());
        }
        let kind = role.split(':').next().unwrap_or_default();
        let wanted = format!("to know whether a caller is {role}, make the guard or verifier `with_revealed([\"assume:{kind}:\"])`");
        Err(Refusal::Misconfigured(wanted))
    }

    /// Until when the credentials are good, RFC 3339.
    #[must_use]
    pub fn expires(&self) -> &str {
        &self.expires
    }

    /// Who the person is, if a person granted access and let this service know. Key your records by `id`.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}

/// A role of one person: a kind, and who it is, without a star.
fn names_somebody(role: &str) -> bool {
    role.split_once(':').is_some_and(|(kind, who)| !kind.is_empty() && !who.is_empty()) && !role.ends_with('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(scopes: &[String]) -> Caller {
        let asker = Asker::for_tests();
        Caller { client_id: None, scopes: ScopeSet::new(scopes), revealed: None, expires: String::new(), identity: None, asker }
    }

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        input: Input,
        expected: bool,
    }

    #[derive(serde::Deserialize)]
    struct Input {
        scopes: Vec<String>,
        role: String,
    }

    #[test]
    fn a_star_proves_nobody() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../../../vectors/ours/identity-proof.json")).unwrap();
        assert!(cases.len() >= 18);
        for Case { name, input, expected } in cases {
            assert_eq!(caller(&input.scopes).is_person(&input.role).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn people_of_a_kind() {
        let scopes =
            ["assume:mozilla-user:ann@a", "assume:mozilla-user:ann@b", "assume:mozilla-users:x", "assume:mozilla-group:*", "assume:team:*"];
        let ann = caller(&scopes.map(str::to_owned));
        assert_eq!(ann.people("mozilla-user:").unwrap().collect::<Vec<_>>(), ["ann@a", "ann@b"]);
        assert_eq!(ann.people("team:").unwrap().count(), 0);
        assert_eq!(caller(&["assume:mozilla-user:*".to_owned()]).people("mozilla-user:").unwrap().count(), 0);
    }

    /// The answer was a plain no, about everybody.
    #[test]
    fn who_is_shown_to_no_service_is_not_said_to_be_nobody() {
        let revealed = Some(Arc::from(["assume:mozilla-user:".to_owned()]));
        let ann = Caller { revealed, ..caller(&["assume:mozilla-user:ann@a".to_owned()]) };
        assert!(ann.is_person("mozilla-user:ann@a").unwrap() && !ann.is_person("mozilla-user:bob@a").unwrap());
        assert_eq!(ann.people("mozilla-user:").unwrap().count(), 1);
        for (role, kind) in [("team:ann", "team:"), ("mozilla-users:ann", "mozilla-users:")] {
            let said = ann.is_person(role).unwrap_err();
            assert!(matches!(&said, Refusal::Misconfigured(why) if why.contains(&format!("with_revealed([\"assume:{kind}\"])"))), "{said}");
            assert!(matches!(ann.people(kind).map(Iterator::count), Err(Refusal::Misconfigured(_))));
        }
        for nobody in ["team", "team:", "team:*", ":ann"] {
            assert!(!ann.is_person(nobody).unwrap(), "{nobody}");
        }
    }
}
