//! What services publish about their scopes: a sentence for each kind, and how much harm it can do.

use std::collections::BTreeMap;
use std::sync::Arc;

use falconer_auth::{Risk, ScopeRegistryRecord, ScopeSentence, is_unseen};
use falconer_login::LoginError;

use crate::consent::broad::is_broad_alone;
use crate::words::describe::{self, Description, LabelPart, name, words};
use crate::words::template::{NoTemplate, Piece, Template, Value, pieces};

/// Each scope that is shown is looked up among those of its service.
const MOST_SCOPES: usize = 500;
/// In bytes, of a template and of a sentence.
const LONGEST: usize = 200;
/// So many times a sentence says what stands in a scope, which is longer than the sentence.
const MOST_PARAMETERS: usize = 10;

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

/// What is said of the scopes of one service, checked.
#[derive(Debug)]
pub(crate) struct ServiceWords {
    /// The most exact ones first.
    entries: Vec<Entry>,
    /// What a service has published; `None`: the configuration says it.
    pub(crate) record: Option<Arc<ScopeRegistryRecord>>,
}

impl ServiceWords {
    /// Errors: what can't be used, and why.
    pub(crate) fn new<'s>(namespace: &str, scopes: impl IntoIterator<Item = &'s ScopeSentence>) -> Result<ServiceWords, String> {
        check_namespace(namespace)?;
        let (mut entries, mut templates) = (Vec::new(), std::collections::BTreeSet::new());
        for scope in scopes {
            let wrong = |why: String| format!("The scope {:?} of {namespace:?}: {why}", scope.template);
            if !templates.insert(scope.template.as_str()) {
                return Err(wrong("it is there twice.".to_owned()));
            }
            entries.push(entry(namespace, scope).map_err(wrong)?);
            if entries.len() > MOST_SCOPES {
                return Err(format!("There are more than {MOST_SCOPES} sentences about the scopes of {namespace:?}, which is the most."));
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.template.fixed_len()));
        Ok(ServiceWords { entries, record: None })
    }

    /// The same of what a service has published.
    pub(crate) fn of_record(record: &Arc<ScopeRegistryRecord>) -> Result<ServiceWords, String> {
        let words = ServiceWords::new(&record.namespace, &record.scopes)?;
        Ok(ServiceWords { record: Some(Arc::clone(record)), ..words })
    }

    fn meets_high_risk(&self, scope: &str) -> bool {
        self.entries.iter().any(|entry| entry.risk == Risk::High && entry.template.meets(scope))
    }
}

/// All that is said of scopes, checked.
#[derive(Clone, Debug, Default)]
pub struct ScopeWords {
    by_namespace: BTreeMap<String, Arc<ServiceWords>>,
}

impl ScopeWords {
    /// Errors ([`LoginError::Invalid`]): one that can't be used, and why.
    pub fn new(published: &[PublishedScope]) -> Result<ScopeWords, LoginError> {
        if published.len() > MOST_SCOPES {
            return Err(LoginError::Invalid(format!("There are {} scopes with sentences; the most is {MOST_SCOPES}.", published.len())));
        }
        let mut by_namespace = BTreeMap::<&str, Vec<ScopeSentence>>::new();
        for PublishedScope { namespace, template, sentence, risk } in published {
            let scope = ScopeSentence { template: template.clone(), sentence: sentence.clone(), risk: *risk };
            by_namespace.entry(namespace).or_default().push(scope);
        }
        let mut words = ScopeWords::default();
        for (namespace, scopes) in by_namespace {
            words.put(namespace, Arc::new(ServiceWords::new(namespace, &scopes).map_err(LoginError::Invalid)?));
        }
        Ok(words)
    }

    pub(crate) fn put(&mut self, namespace: &str, words: Arc<ServiceWords>) {
        self.by_namespace.insert(namespace.to_owned(), words);
    }

    /// What is said of the scopes of a service.
    pub(crate) fn of(&self, namespace: &str) -> Option<&Arc<ServiceWords>> {
        self.by_namespace.get(namespace)
    }

    /// Says in words what a scope allows.
    pub fn describe(&self, scope: &str) -> Description {
        let (namespace, _) = scope.split_once(':').unwrap_or_default();
        let entries = self.by_namespace.get(namespace).into_iter().flat_map(|words| &words.entries);
        let sentence = entries.filter_map(|entry| Some((entry, entry.template.values(scope)?))).next();
        match sentence {
            Some((entry, values)) => Description { group: namespace.to_owned(), label: label(&entry.sentence, &values) },
            None => describe::describe(scope),
        }
    }

    /// Whether somebody who has this scope sees or changes who may do what, or does what its service calls a high risk.
    pub(crate) fn is_broad(&self, scope: &str) -> bool {
        is_broad_alone(scope) || self.high_risks(scope).next().is_some()
    }

    /// Whether a service calls it a high risk, and has said something else, or nothing, until then.
    pub(crate) fn is_high_risk_since(&self, scope: &str, since_ms: i64) -> bool {
        self.high_risks(scope).any(|words| words.record.as_ref().is_some_and(|record| record.last_modified_ms >= since_ms))
    }

    /// The services that call it a high risk.
    fn high_risks<'s>(&'s self, scope: &'s str) -> impl Iterator<Item = &'s Arc<ServiceWords>> {
        let (namespace, is_whole) = match scope.split_once(':') {
            Some((namespace, _)) => (namespace, true),
            // Without a colon only a star has anything to do with them: with all that begin so.
            None => (scope.strip_suffix('*').unwrap_or("\u{10ffff}"), false),
        };
        let begins = move |known: &str| if is_whole { known == namespace } else { known.starts_with(namespace) };
        let from = self.by_namespace.range::<str, _>((std::ops::Bound::Included(namespace), std::ops::Bound::Unbounded));
        from.take_while(move |(known, _)| begins(known)).map(|(_, words)| words).filter(move |words| words.meets_high_risk(scope))
    }
}

/// Whether a namespace is one that nobody can say anything about, and why.
fn check_namespace(namespace: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !(1..=40).contains(&namespace.len()) || !namespace.bytes().all(plain) {
        return Err(format!("The namespace {namespace:?}: a `namespace` is 1 to 40 letters, digits, `.`, `-` and `_`."));
    }
    if matches!(namespace, "auth" | "assume") {
        return Err(format!("The namespace {namespace:?}: what these scopes mean is part of the protocol."));
    }
    Ok(())
}

fn label(sentence: &[Piece], values: &[(&str, Value<'_>)]) -> Vec<LabelPart> {
    let mut label = Vec::new();
    let says = |parameter: &str| sentence.iter().any(|piece| matches!(piece, Piece::Parameter(name) if name == parameter));
    for piece in sentence {
        match piece {
            Piece::Text(text) => label.push(words(text)),
            Piece::Parameter(parameter) => match values.iter().find(|(name, _)| name == parameter).map(|(_, value)| value) {
                Some(Value::Exactly(value)) => label.push(name(value)),
                Some(Value::Beginning(value)) => label.extend(beginning(value)),
                None => {}
            },
        }
    }
    // That a scope ends in a star is said whatever the sentence says: "Read a book" would be read as one.
    for (parameter, value) in values {
        if let Value::Beginning(value) = value
            && !says(parameter)
        {
            label.push(words(": "));
            label.extend(beginning(value));
        }
    }
    label
}

/// Whatever begins like this.
fn beginning(value: &str) -> Vec<LabelPart> {
    if value.is_empty() { vec![words("anything")] } else { vec![name(value), words(" and whatever follows")] }
}

fn entry(namespace: &str, scope: &ScopeSentence) -> Result<Entry, String> {
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
    if sentence.iter().filter(|piece| matches!(piece, Piece::Parameter(_))).count() > MOST_PARAMETERS {
        return Err(format!("`sentence` names parameters {MOST_PARAMETERS} times at most."));
    }
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

    /// Story: a service that said "Read a book" of `notes:read:<book>` had people read that of `notes:read:*`, and of `notes:*` whatever it said of one.
    #[test]
    fn no_sentence_hides_a_star() {
        let words = ScopeWords::new(&[
            published("notes", "notes:read:<book>", "Read a book", Risk::Ordinary),
            published("notes", "notes:<act>:to:<book>", "Do <act>", Risk::Ordinary),
            published("one", "one:<x>", "Look at a single thing", Risk::Ordinary),
        ])
        .unwrap();
        for (scope, said) in [
            ("notes:read:zap", "Read a book"),
            ("notes:read:*", "Read a book: anything"),
            ("notes:read:zap/*", "Read a book: <zap/> and whatever follows"),
            ("notes:burn:to:*", "Do <burn>: anything"),
            ("one:*", "Look at a single thing: anything"),
            ("one:a:*", "Look at a single thing: <a:> and whatever follows"),
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

    /// A service speaks for the scopes before whose first colon its namespace stands, and makes nothing less than Falconer finds it.
    #[test]
    fn nobody_speaks_for_another() {
        let words = ScopeWords::new(&[
            published("notes", "notes:<x>", "Notes <x>", Risk::Ordinary),
            published("notes", "notes:admin:<x>", "Rule <x>", Risk::High),
            published("notes-admin", "notes-admin:<x>", "Admin <x>", Risk::Ordinary),
        ])
        .unwrap();
        for (scope, said) in [("notes:x:y", "Notes <x:y>"), ("notes-admin:x", "Admin <x>"), ("notesx:a:b", "A <b>"), ("Notes:a:b", "A <b>")]
        {
            assert_eq!(read(&words, scope), said, "{scope}");
        }
        for (scope, is_broad) in [
            ("notes:admin:x", true),
            ("notes-admin:admin:x", false),
            ("notes*", true),
            ("notes-*", false),
            ("notes-admin:*", false),
            ("n*", true),
            ("o*", false),
            ("*", true),
            ("assume:*", true),
            ("auth:create-client:x", true),
        ] {
            assert_eq!(words.is_broad(scope), is_broad, "{scope}");
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
            ("notes", "notes:<x>", "<x><x><x><x><x><x><x><x><x><x><x>", "10 times at most"),
        ] {
            let error = ScopeWords::new(&[published(namespace, template, sentence, Risk::Ordinary)]).unwrap_err();
            assert!(error.to_string().contains(said), "{template} {sentence}: {error}");
        }
        let twice = published("notes", "notes:x", "X", Risk::Ordinary);
        assert!(ScopeWords::new(&[twice.clone(), twice]).unwrap_err().to_string().contains("twice"));
    }
}
