//! What GitHub says of a person, in the answers of four questions.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::GithubError;
use super::settings::{Organization, is_login};
use crate::providers::error::{ProviderError, malformed, short};
use crate::providers::mapping::MOST_GROUPS;
use crate::providers::provider::Attributes;
use crate::providers::shown_name::shown_name;

/// What was answered. As an object, `{"user": {...}, "emails": [...], "orgs": [...], "teams": [...]}`, it is what `falconer provider map` reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    pub(super) user: User,
    #[serde(default)]
    pub(super) emails: Vec<Email>,
    #[serde(default)]
    pub(super) orgs: Vec<Org>,
    #[serde(default)]
    pub(super) teams: Vec<Team>,
    /// Whether GitHub left some of them out.
    #[serde(default)]
    pub(super) hidden: bool,
}

/// `GET /user`
#[derive(Deserialize)]
pub(super) struct User {
    /// A number above zero. Never given to somebody else.
    pub(super) id: u64,
    login: String,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only an Enterprise server says it.
    suspended_at: Option<String>,
}

/// One of `GET /user/emails`
#[derive(Deserialize)]
pub(super) struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

/// One of `GET /user/orgs`
#[derive(Deserialize)]
pub(super) struct Org {
    id: u64,
    login: String,
}

/// One of `GET /user/teams`
#[derive(Deserialize)]
pub(super) struct Team {
    slug: String,
    organization: Org,
}

impl Answers {
    pub(super) fn read(claims: &Map<String, Value>) -> Result<Answers, ProviderError> {
        serde_json::from_value(Value::Object(claims.clone())).map_err(|error| malformed("answers of GitHub", &error))
    }

    /// Who the person is. `organizations`: whose members may sign in, and whose teams count; `None`: all.
    pub(super) fn attributes(&self, organizations: Option<&[Organization]>) -> Result<Attributes, ProviderError> {
        let user = &self.user;
        let subject = user.subject()?;
        if !is_login(&user.login) {
            return Err(GithubError::Login(short(&user.login)).into());
        }
        if let Some(kind) = user.other_kind() {
            return Err(GithubError::NoPerson(short(kind)).into());
        }
        if user.suspended_at.is_some() {
            return Err(GithubError::Suspended.into());
        }
        let email = self.primary()?;
        let groups = self.groups(organizations)?;
        let name = user.name.as_deref().map(shown_name).filter(|name| !name.is_empty());
        Ok(Attributes {
            subject,
            display_name: name.unwrap_or_else(|| user.login.clone()),
            username: Some(user.login.clone()),
            email_verified: email.is_some_and(|email| email.verified),
            email: email.map(|email| email.email.clone()),
            groups,
        })
    }

    /// The address that GitHub itself writes to.
    fn primary(&self) -> Result<Option<&Email>, ProviderError> {
        let mut primary = self.emails.iter().filter(|email| email.primary);
        let first = primary.next();
        if primary.next().is_some() {
            return Err(GithubError::TwoPrimaries.into());
        }
        Ok(first)
    }

    /// `<organisation>` and `<organisation>/<team>`, as far as they count. What can't be a name gives nothing, so that no stranger who adds somebody to
    /// a team keeps them from signing in.
    fn groups(&self, organizations: Option<&[Organization]>) -> Result<Vec<String>, ProviderError> {
        let mut own: Vec<(u64, &str)> = Vec::new();
        for org in &self.orgs {
            match counted(org, organizations) {
                Some(name) => own.push((org.id, name)),
                None if organizations.is_some_and(|list| list.iter().any(|one| one.login.eq_ignore_ascii_case(&org.login))) => {
                    tracing::warn!(
                        organization = ?org.login,
                        number = org.id,
                        "an organisation has the name of one that may sign in, and another number: it gives nothing"
                    );
                }
                None => {}
            }
        }
        if organizations.is_some() && own.is_empty() {
            return Err(GithubError::NoMember { hidden: self.hidden }.into());
        }
        let mut groups: Vec<String> = own.iter().map(|(_, name)| (*name).to_owned()).collect();
        for team in &self.teams {
            // A team of an organisation that the person is not in would be one of guests.
            let Some((_, name)) = own.iter().find(|(id, _)| *id == team.organization.id) else { continue };
            if is_slug(&team.slug) {
                groups.push(format!("{name}/{}", team.slug));
            } else {
                tracing::warn!(organization = name, team = ?short(&team.slug), "a team gives nothing: its name holds what none can hold");
            }
        }
        groups.sort_unstable();
        groups.dedup();
        if groups.len() > MOST_GROUPS { Err(ProviderError::TooManyGroups(MOST_GROUPS)) } else { Ok(groups) }
    }
}

impl User {
    /// What it is instead of a person. Old Enterprise servers do not say what an account is.
    fn other_kind(&self) -> Option<&str> {
        self.kind.as_deref().filter(|kind| *kind != "User")
    }

    /// A person who may sign in.
    pub(super) fn is_active(&self) -> bool {
        self.other_kind().is_none() && self.suspended_at.is_none()
    }

    /// The number, as text.
    pub(super) fn subject(&self) -> Result<String, ProviderError> {
        if self.id == 0 { Err(ProviderError::Subject("it is zero")) } else { Ok(self.id.to_string()) }
    }
}

/// What the organisation is called here, if it counts.
fn counted<'a>(org: &'a Org, organizations: Option<&'a [Organization]>) -> Option<&'a str> {
    match organizations {
        Some(listed) => listed.iter().find(|listed| listed.is(&org.login, org.id)).map(|listed| listed.login.as_str()),
        None => is_login(&org.login).then_some(org.login.as_str()),
    }
}

fn is_slug(slug: &str) -> bool {
    (1..=255).contains(&slug.len()) && slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
