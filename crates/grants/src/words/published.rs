//! What services publish about their scopes: a sentence for each kind, and how much harm it can do.

use std::collections::BTreeMap;

use falconer_auth::is_unseen;
use falconer_login::LoginError;

use crate::consent::broad::is_broad_alone;
use crate::words::describe::{self, Description, LabelPart, name, words};
use crate::words::template::{NoTemplate, Piece, Template, Value, pieces};

/// Each scope that is shown is looked up among those of its service.
const MOST_SCOPES: usize = 500;
/// In bytes, of a template and of a sentence.
const LONGEST: usize = 200;

/// How much harm somebody can do with a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// No more than most.
    Ordinary,
    /// Treated as what is broad: never ticked beforehand for a site that is not registered, and granted after a fresh sign-in only.
    High,
}

impl Risk {
    /// As the configuration writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Ordinary => "ordinary",
            Risk::High => "high",
        }
    }

    /// The other way round.
    pub fn parse(text: &str) -> Option<Risk> {
        [Risk::Ordinary, Risk::High].into_iter().find(|risk| risk.as_str() == text)
    }
}

/// Scopes of a service in words: `[[scope]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedScope {
    /// What the scopes of the service begin with, such as `notes`.
    pub namespace: String,
    /// `notes:read:<book>`
    pub template: String,
    /// `Read what is in the book <book>`: plain text, no HTML and no Markdown.
    pub sentence: String,
    /// How much harm it can do.
    pub risk: Risk,
}

#[derive(Debug)]
struct Entry {
    template: Template,
    sentence: Vec<Piece>,
    risk: Risk,
}

/// All that services publish, checked.
#[derive(Debug, Default)]
pub struct ScopeWords {
    by_namespace: BTreeMap<String, Vec<Entry>>,
}

impl ScopeWords {
    /// Errors ([`LoginError::Invalid`]): one that can't be used, and why.
    pub fn new(published: &[PublishedScope]) -> Result<ScopeWords, LoginError> {
        let mut by_namespace = BTreeMap::<String, Vec<Entry>>::new();
        if published.len() > MOST_SCOPES {
            return Err(LoginError::Invalid(format!("There are {} scopes with sentences; the most is {MOST_SCOPES}.", published.len())));
        }
        for (at, scope) in published.iter().enumerate() {
            let wrong = |why: String| LoginError::Invalid(format!("The scope {:?} of {:?}: {why}", scope.template, scope.namespace));
            if published.iter().take(at).any(|other| other.template == scope.template) {
                return Err(wrong("it is there twice.".to_owned()));
            }
            let entry = entry(scope).map_err(wrong)?;
            by_namespace.entry(scope.namespace.clone()).or_default().push(entry);
        }
        for entries in by_namespace.values_mut() {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.template.fixed_len()));
        }
        Ok(ScopeWords { by_namespace })
    }

    /// Says in words what a scope allows.
    pub fn describe(&self, scope: &str) -> Description {
        let (namespace, _) = scope.split_once(':').unwrap_or_default();
        let entries = self.by_namespace.get(namespace).into_iter().flatten();
        let sentence = entries.filter_map(|entry| Some((entry, entry.template.values(scope)?))).next();
        match sentence {
            Some((entry, values)) => Description { group: namespace.to_owned(), label: label(&entry.sentence, &values) },
            None => describe::describe(scope),
        }
    }

    /// Whether somebody who has this scope sees or changes who may do what, or does what its service calls a high risk.
    pub(crate) fn is_broad(&self, scope: &str) -> bool {
        is_broad_alone(scope) || self.is_high_risk(scope)
    }

    fn is_high_risk(&self, scope: &str) -> bool {
        let meets = |entry: &Entry| entry.risk == Risk::High && entry.template.meets(scope);
        match scope.split_once(':') {
            Some((namespace, _)) => self.by_namespace.get(namespace).into_iter().flatten().any(meets),
            // Without a colon only a star has anything to do with them.
            None => scope.ends_with('*') && self.by_namespace.values().flatten().any(meets),
        }
    }
}

fn label(sentence: &[Piece], values: &[(&str, Value<'_>)]) -> Vec<LabelPart> {
    let mut label = Vec::new();
    for piece in sentence {
        match piece {
            Piece::Text(text) => label.push(words(text)),
            Piece::Parameter(parameter) => match values.iter().find(|(name, _)| name == parameter).map(|(_, value)| value) {
                Some(Value::Exactly(value)) => label.push(name(value)),
                Some(Value::Beginning("")) => label.push(words("anything")),
                Some(Value::Beginning(value)) => label.extend([name(value), words(" and whatever follows")]),
                None => {}
            },
        }
    }
    label
}

fn entry(scope: &PublishedScope) -> Result<Entry, String> {
    let namespace = &scope.namespace;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !(1..=40).contains(&namespace.len()) || !namespace.bytes().all(plain) {
        return Err("`namespace` is 1 to 40 letters, digits, `.`, `-` and `_`.".to_owned());
    }
    if matches!(namespace.as_str(), "auth" | "assume") {
        return Err("what these scopes mean is part of the protocol.".to_owned());
    }
    if !scope.template.starts_with(&format!("{namespace}:")) {
        return Err(format!("`template` has to begin with `{namespace}:`."));
    }
    if scope.template.len() > LONGEST || scope.sentence.len() > LONGEST {
        return Err(format!("`template` and `sentence` have at most {LONGEST} bytes."));
    }
    if !falconer_scopes::is_valid_scope(&scope.template) || scope.template.contains('*') {
        return Err("`template` is printable ASCII without a star; what differs is written as `<name>`.".to_owned());
    }
    let template = Template::parse(&scope.template).map_err(|why| no_template("template", why))?;
    if scope.sentence.trim().is_empty() || scope.sentence.chars().any(is_unseen) {
        return Err("`sentence` is a line of visible text.".to_owned());
    }
    let sentence = pieces(&scope.sentence).map_err(|why| no_template("sentence", why))?;
    for piece in &sentence {
        if let Piece::Parameter(name) = piece
            && !template.has(name)
        {
            return Err(format!("`sentence` has <{name}>, which `template` does not have."));
        }
    }
    Ok(Entry { template, sentence, risk: scope.risk })
}

fn no_template(what: &str, why: NoTemplate) -> String {
    match why {
        NoTemplate::Brackets => format!("`{what}`: a parameter is `<name>`, of lower-case letters, digits, `-` and `_`."),
        NoTemplate::Twice => format!("`{what}` has a parameter twice."),
        NoTemplate::Adjacent => format!("`{what}` has two parameters with nothing between them."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(namespace: &str, template: &str, sentence: &str, risk: Risk) -> PublishedScope {
        PublishedScope { namespace: namespace.to_owned(), template: template.to_owned(), sentence: sentence.to_owned(), risk }
    }

    fn notes() -> ScopeWords {
        ScopeWords::new(&[
            published("notes", "notes:<act>:<book>", "Do <act> with <book>", Risk::Ordinary),
            published("notes", "notes:read:<book>", "Read the book <book>", Risk::Ordinary),
            published("notes", "notes:burn:<book>", "Destroy <b>, for ever: <book>".replace("<b>", "it").as_str(), Risk::High),
        ])
        .unwrap()
    }

    fn read(words: &ScopeWords, scope: &str) -> String {
        let label = words.describe(scope).label;
        label.iter().map(|part| if part.strong { format!("<{}>", part.text) } else { part.text.clone() }).collect()
    }

    #[test]
    fn the_most_exact_sentence_is_said() {
        let words = notes();
        for (scope, said) in [
            ("notes:read:zap/x", "Read the book <zap/x>"),
            ("notes:read:zap/*", "Read the book <zap/> and whatever follows"),
            ("notes:read:*", "Read the book anything"),
            ("notes:write:zap", "Do <write> with <zap>"),
            ("notes:*", "Everything"),
            ("queue:read:zap", "Read <zap>"),
            ("auth:get-role:x", "See roles named <x>"),
        ] {
            assert_eq!(read(&words, scope), said, "{scope}");
        }
    }

    #[test]
    fn what_a_service_calls_a_high_risk_is_broad() {
        let words = notes();
        for scope in ["notes:burn:zap", "notes:burn:*", "notes:*", "notes:b*", "no*", "*", "auth:create-role:x"] {
            assert!(words.is_broad(scope), "{scope}");
        }
        for scope in ["notes:read:zap", "notes:read:*", "notes:burn", "queue:burn:zap", "not"] {
            assert!(!words.is_broad(scope), "{scope}");
        }
    }

    #[test]
    fn what_cannot_be_published() {
        for (namespace, template, sentence, said) in [
            ("auth", "auth:x", "X", "part of the protocol"),
            ("assume", "assume:x", "X", "part of the protocol"),
            ("no tes", "no tes:x", "X", "`namespace`"),
            ("notes", "queue:x", "X", "begin with `notes:`"),
            ("notes", "notes:*", "X", "without a star"),
            ("notes", "notes:é", "X", "printable ASCII"),
            ("notes", "notes:<x", "X", "`template`"),
            ("notes", "notes:<x>", "Read <y>", "which `template` does not have"),
            ("notes", "notes:<x>", "<script>alert(1)</script>", "`sentence`"),
            ("notes", "notes:x", " ", "visible text"),
            ("notes", "notes:x", "Harmless\u{202e}", "visible text"),
            ("notes", "notes:x", "Two\nlines", "visible text"),
        ] {
            let error = ScopeWords::new(&[published(namespace, template, sentence, Risk::Ordinary)]).unwrap_err();
            assert!(error.to_string().contains(said), "{template} {sentence}: {error}");
        }
        let twice = published("notes", "notes:x", "X", Risk::Ordinary);
        assert!(ScopeWords::new(&[twice.clone(), twice]).unwrap_err().to_string().contains("twice"));
    }
}
