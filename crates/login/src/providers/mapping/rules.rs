//! The mapping of one provider.

use thiserror::Error;

use super::attribute::Attribute;
use super::template::{Template, TemplateError};
use crate::people::identity;
use crate::providers::provider::Attributes;

/// A person has at most so many groups that count.
pub(crate) const MOST_GROUPS: usize = 1000;

/// What a provider's attributes give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    templates: Vec<Template>,
    prefixes: Vec<(String, Template)>,
    groups: Option<Vec<String>>,
    authoritative_email: bool,
}

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MappingError {
    /// One of the templates.
    #[error("scopes: {0}")]
    Scopes(TemplateError),
    /// One behind a prefix.
    #[error("group_prefixes: {0}")]
    Prefixes(TemplateError),
    /// A prefix without its group.
    #[error("group_prefixes: {0:?} names no {{group}}, or names something else too")]
    NotOfGroup(String),
    /// Empty.
    #[error("group_prefixes: a prefix is empty; what all groups give belongs into `scopes`")]
    EmptyPrefix,
    /// Teams of different organisations have the same names.
    #[error("{0:?} names {{team}} without {{org}}: every organisation can have a team of that name")]
    TeamAlone(String),
    /// Two lists at once.
    #[error("{0:?} names {{group}} beside {{org}}: write one template for each")]
    GroupAndOrg(String),
    /// It would never give anything.
    #[error("{0:?} names {{email}}, which counts only with `authoritative_email = true`")]
    EmailNeverCounts(String),
}

/// What a person gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// `<provider>/<subject>`, with the subject encoded as clientIds have it.
    pub identity: String,
    /// The address, when it counts.
    pub email: Option<String>,
    /// Groups that count.
    pub groups: Vec<String>,
    /// Groups that do not.
    pub other_groups: Vec<String>,
    /// What provider and configuration give; not expanded.
    pub scopes: Vec<String>,
    /// What gives nothing because no scope can hold it.
    pub refused: Vec<RefusedValue>,
}

/// A value that gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedValue {
    /// The template, as it was written.
    pub template: String,
    /// `group`
    pub attribute: &'static str,
    /// As the provider gave it.
    pub value: String,
    /// Why.
    pub why: &'static str,
}

impl Mapping {
    /// Reads and checks the settings. `group_prefixes`: a prefix of groups, and what the rest behind it gives instead of what `scopes` say. `groups`: those
    /// that count, where a star at the end stands for any end; `None`: all.
    pub fn new(
        scopes: &[String],
        group_prefixes: impl IntoIterator<Item = (String, String)>,
        groups: Option<Vec<String>>,
        authoritative_email: bool,
    ) -> Result<Mapping, MappingError> {
        let templates = scopes.iter().map(|text| Template::parse(text)).collect::<Result<Vec<_>, _>>().map_err(MappingError::Scopes)?;
        let mut prefixes = Vec::new();
        for (prefix, text) in group_prefixes {
            let template = Template::parse(&text).map_err(MappingError::Prefixes)?;
            if prefix.is_empty() {
                return Err(MappingError::EmptyPrefix);
            }
            if Attribute::ALL.into_iter().any(|attribute| template.names(attribute) != (attribute == Attribute::Group)) {
                return Err(MappingError::NotOfGroup(text));
            }
            prefixes.push((prefix, template));
        }
        for template in &templates {
            if template.names(Attribute::Team) && !template.names(Attribute::Org) {
                return Err(MappingError::TeamAlone(template.text().to_owned()));
            }
            if template.names(Attribute::Org) && template.names(Attribute::Group) {
                return Err(MappingError::GroupAndOrg(template.text().to_owned()));
            }
        }
        if !authoritative_email && let Some(template) = templates.iter().find(|template| template.names(Attribute::Email)) {
            return Err(MappingError::EmailNeverCounts(template.text().to_owned()));
        }
        // The longest prefix that fits decides.
        prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Mapping { templates, prefixes, groups, authoritative_email })
    }

    /// The templates of `scopes`.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Whether anything depends on the groups of a person.
    pub fn asks_for_groups(&self) -> bool {
        let of_groups = [Attribute::Group, Attribute::Org, Attribute::Team];
        let named = self.templates.iter().any(|template| of_groups.into_iter().any(|attribute| template.names(attribute)));
        named || !self.prefixes.is_empty()
    }

    /// What a person of this provider gets.
    pub fn map(&self, provider: &str, person: &Attributes) -> Mapped {
        let identity = format!("{provider}/{}", identity::encode(&person.subject));
        let scopes = vec![format!("assume:login-identity:{identity}"), "assume:everybody".to_owned()];
        self.map_with(identity, scopes, person)
    }

    /// What a person of another provider gets in addition.
    pub(crate) fn map_addition(&self, directory: &str, person: &Attributes) -> Mapped {
        self.map_with(format!("{directory}/{}", identity::encode(&person.subject)), Vec::new(), person)
    }

    fn map_with(&self, identity: String, scopes: Vec<String>, person: &Attributes) -> Mapped {
        let email = person.email.clone().filter(|_| self.authoritative_email && person.email_verified);
        let (groups, other_groups) = person.groups.iter().cloned().partition(|group| self.counts(group));
        let mut mapped = Mapped { identity, email, groups, other_groups, scopes, refused: Vec::new() };
        for template in &self.templates {
            for of in self.groups_for(template, &mapped.groups) {
                mapped.fill(template, person, of);
            }
        }
        for group in mapped.groups.clone() {
            if let Some((rest, template)) = self.prefix_of(&group) {
                mapped.fill(template, person, OfGroup::Whole(rest.to_owned()));
            }
        }
        mapped
    }

    /// Each thing that the template is filled with.
    fn groups_for(&self, template: &Template, groups: &[String]) -> Vec<OfGroup> {
        if template.names(Attribute::Group) {
            let plain = groups.iter().filter(|group| self.prefix_of(group).is_none());
            return plain.cloned().map(OfGroup::Whole).collect();
        }
        if !template.names(Attribute::Org) {
            return vec![OfGroup::None];
        }
        let of_team = template.names(Attribute::Team);
        let parts = groups.iter().map(|group| match group.split_once('/') {
            Some((org, team)) => (org.to_owned(), Some(team.to_owned())),
            None => (group.clone(), None),
        });
        parts.filter(|(_, team)| team.is_some() == of_team).map(|(org, team)| OfGroup::Parts(org, team)).collect()
    }

    fn counts(&self, group: &str) -> bool {
        let Some(listed) = &self.groups else { return true };
        listed.iter().any(|listed| match listed.strip_suffix('*') {
            Some(start) => group.starts_with(start),
            None => group == listed,
        })
    }

    fn prefix_of<'g>(&self, group: &'g str) -> Option<(&'g str, &Template)> {
        self.prefixes.iter().find_map(|(prefix, template)| group.strip_prefix(prefix.as_str()).map(|rest| (rest, template)))
    }
}

/// What of a group goes into a template.
enum OfGroup {
    None,
    Whole(String),
    /// An organisation, and a team of it.
    Parts(String, Option<String>),
}

impl Mapped {
    fn fill(&mut self, template: &Template, person: &Attributes, of: OfGroup) {
        let email = self.email.clone();
        let (group, org, team) = match &of {
            OfGroup::None => (None, None, None),
            OfGroup::Whole(group) => (Some(group.as_str()), None, None),
            OfGroup::Parts(org, team) => (None, Some(org.as_str()), team.as_deref()),
        };
        let filled = template.fill(|attribute| match attribute {
            Attribute::Email => email.as_deref(),
            Attribute::Group => group,
            Attribute::Username => person.username.as_deref(),
            Attribute::Subject => Some(&person.subject),
            Attribute::Org => org,
            Attribute::Team => team,
        });
        match filled {
            Ok(Some(scope)) if !self.scopes.contains(&scope) => self.scopes.push(scope),
            Ok(_) => {}
            Err((attribute, value, why)) => self.refused.push(RefusedValue {
                template: template.text().to_owned(),
                attribute: attribute.name(),
                value: value.to_owned(),
                why,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn mozilla(groups: Option<Vec<String>>) -> Mapping {
        let scopes = texts(&["assume:mozilla-user:{email}", "assume:mozilla-group:{group}"]);
        let prefixes = [("mozilliansorg_".to_owned(), "assume:mozillians-group:{group}".to_owned())];
        Mapping::new(&scopes, prefixes, groups, true).unwrap()
    }

    fn person(groups: &[&str]) -> Attributes {
        Attributes {
            subject: "ad|Mozilla-LDAP|you".into(),
            email: Some("you@example.com".into()),
            email_verified: true,
            groups: texts(groups),
            ..Attributes::default()
        }
    }

    #[test]
    fn a_person_as_mozilla_had_them() {
        let mapped = mozilla(None).map("mozilla-auth0", &person(&["team_moco", "mozilliansorg_vip", "all*", "mozilliansorg_"]));
        assert_eq!(
            mapped.scopes,
            [
                "assume:login-identity:mozilla-auth0/ad|Mozilla-LDAP|you",
                "assume:everybody",
                "assume:mozilla-user:you@example.com",
                "assume:mozilla-group:team_moco",
                "assume:mozillians-group:vip",
            ]
        );
        let refused: Vec<_> = mapped.refused.iter().map(|refused| refused.value.as_str()).collect();
        assert_eq!(refused, ["all*", ""]);
    }

    #[test]
    fn organisations_and_their_teams() {
        let scopes = texts(&["assume:org:{org}", "assume:team:{org}/{team}", "assume:dashed:{org}-{team}", "assume:group:{group}"]);
        let mapping = Mapping::new(&scopes, [], Some(texts(&["mozilla*", "a-b*"])), false).unwrap();
        let mapped = mapping.map("github", &person(&["mozilla", "mozilla/releng", "a-b/c", "evil", "evil/releng", "mozilla/"]));
        let scopes: Vec<_> = mapped.scopes.iter().skip(2).collect();
        assert_eq!(
            scopes,
            [
                "assume:org:mozilla",
                "assume:team:mozilla/releng",
                "assume:team:a-b/c",
                "assume:dashed:mozilla-releng",
                "assume:group:mozilla",
                "assume:group:mozilla/releng",
                "assume:group:a-b/c",
                "assume:group:mozilla/",
            ]
        );
        // Nobody could tell a team `c` of `a-b` from a team `b-c` of `a`.
        let refused: Vec<_> = mapped.refused.iter().map(|refused| (refused.template.as_str(), refused.value.as_str())).collect();
        assert_eq!(refused, [("assume:team:{org}/{team}", ""), ("assume:dashed:{org}-{team}", "a-b"), ("assume:dashed:{org}-{team}", "")]);
        let error = |text: &str| Mapping::new(&texts(&[text]), [], None, false).unwrap_err();
        assert!(matches!(error("assume:x:{team}"), MappingError::TeamAlone(_)));
        assert!(matches!(error("assume:x:{org}/{group}"), MappingError::GroupAndOrg(_)));
        assert!(mapping.asks_for_groups() && !Mapping::new(&texts(&["assume:x:{sub}"]), [], None, false).unwrap().asks_for_groups());
    }

    #[test]
    fn only_listed_groups_count() {
        let mapped =
            mozilla(Some(texts(&["team_moco", "mozilliansorg_v*"]))).map("m", &person(&["team_moco", "team_moco2", "mozilliansorg_vip"]));
        assert_eq!(mapped.groups, ["team_moco", "mozilliansorg_vip"]);
        assert_eq!(mapped.other_groups, ["team_moco2"]);
        assert!(mozilla(Some(Vec::new())).map("m", &person(&["team_moco"])).groups.is_empty());
    }

    #[test]
    fn an_address_counts_only_when_it_is_verified_and_the_provider_decides() {
        let unverified = Attributes { email_verified: false, ..person(&[]) };
        let mapped = mozilla(None).map("m", &unverified);
        assert!(mapped.email.is_none() && !mapped.scopes.iter().any(|scope| scope.contains("mozilla-user")));
        let error = Mapping::new(&texts(&["assume:u:{email}"]), [], None, false).unwrap_err();
        assert!(matches!(error, MappingError::EmailNeverCounts(_)));
        assert!(Mapping::new(&[], [], None, false).unwrap().map("m", &person(&[])).email.is_none());
    }

    #[test]
    fn a_subject_is_written_as_client_ids_have_it() {
        let odd = Attributes { subject: "a/b c*".into(), ..person(&[]) };
        assert_eq!(mozilla(None).map("m", &odd).identity, "m/a!2Fb!20c!2A");
    }

    #[test]
    fn prefixes_are_checked() {
        let new = |prefix: &str, text: &str| Mapping::new(&[], [(prefix.to_owned(), text.to_owned())], None, true).unwrap_err();
        assert!(matches!(new("", "assume:x:{group}"), MappingError::EmptyPrefix));
        assert!(matches!(new("a", "assume:x:y"), MappingError::NotOfGroup(_)));
        assert!(matches!(new("a", "assume:x:{group}/{email}"), MappingError::NotOfGroup(_)));
        assert!(matches!(new("a", "assume:{group}"), MappingError::Prefixes(_)));
    }
}
