//! The text of the rules file.

use falconer_middleware::Requirement;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::pattern::Pattern;
use super::problem::{Lines, Problem, Problems};
use super::rule::{Access, Methods, Needs, Rule};
use super::settings::{self, Dialect, ResourceText, SessionText, Settings};
use super::table::Table;

/// A rules file that was read and holds no mistake that can be seen.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Falconer's root URL.
    pub falconer: String,
    /// The public origins of the service behind, such as `https://notes.example.com`.
    pub origins: Vec<String>,
    /// What each request needs.
    pub table: Table,
    /// How the gateway is reached and set up.
    pub settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    falconer: Spanned<String>,
    origin: Spanned<OneOrMore>,
    #[serde(default)]
    pub(super) listen: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) proxy: Option<Spanned<Dialect>>,
    #[serde(default)]
    pub(super) upstream: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) proxies: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) connections_per_address: Option<Spanned<u64>>,
    #[serde(default)]
    pub(super) questions_per_address: Option<Spanned<u64>>,
    #[serde(default)]
    pub(super) recheck_seconds: Option<Spanned<u64>>,
    #[serde(default)]
    pub(super) metrics_listen: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) cors: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) session: Option<Spanned<SessionText>>,
    #[serde(default)]
    pub(super) key_file: Option<String>,
    #[serde(default)]
    pub(super) caller_key_file: Option<String>,
    #[serde(default)]
    pub(super) body_limit_bytes: Option<usize>,
    #[serde(default)]
    pub(super) payload_hash_required: bool,
    #[serde(default)]
    pub(super) bearer_tokens: bool,
    #[serde(default)]
    pub(super) protected_resource: Option<Spanned<ResourceText>>,
    #[serde(default)]
    pub(super) falconer_timeout_ms: Option<Spanned<u64>>,
    #[serde(default)]
    public: Vec<Spanned<String>>,
    #[serde(default)]
    rule: Vec<Spanned<RuleText>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    path: Spanned<String>,
    methods: Spanned<Vec<String>>,
    #[serde(default)]
    scope: Option<Spanned<Value>>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    body: Option<Body>,
    #[serde(default)]
    reveal: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Body {
    Unchecked,
}

impl File {
    pub(super) fn falconer(&self) -> &str {
        self.falconer.get_ref()
    }
}

impl Rules {
    /// Reads a file. Errors: all mistakes, each with its line.
    pub fn parse(text: &str) -> Result<Rules, Problems> {
        let lines = Lines(text);
        let file: File = toml::from_str(text).map_err(|error| lines.of_toml(&error))?;
        let mut reader = Reader { lines, problems: Vec::new() };
        let origins = reader.origins(&file.origin);
        reader.root_url(&file.falconer, &origins);
        let mut rules: Vec<Rule> = file.public.iter().filter_map(|path| reader.public(path)).collect();
        rules.extend(file.rule.iter().filter_map(|rule| reader.rule(rule)));
        if rules.is_empty() && reader.problems.is_empty() {
            reader.problem(0, "there is no [[rule]], so that every request would be refused".to_owned());
        }
        let settings = settings::read(&mut reader, &file, &origins, &rules);
        let table = Table::new(rules).unwrap_or_else(|problems| {
            reader.problems.extend(problems);
            Table::default()
        });
        if reader.problems.is_empty() {
            return Ok(Rules { falconer: file.falconer.into_inner(), origins, table, settings });
        }
        reader.problems.sort_by_key(|problem| problem.line);
        Err(Problems(reader.problems))
    }
}

pub(super) struct Reader<'t> {
    lines: Lines<'t>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, position: usize, text: String) {
        self.problems.push(Problem { line: self.lines.at(position), text });
    }

    /// A number within its bounds. Another one is a mistake, and never taken for a number that fits.
    pub(super) fn number(&mut self, name: &str, written: Option<&Spanned<u64>>, default: u64, least: u64, most: u64) -> u64 {
        let Some(written) = written else { return default };
        let number = *written.get_ref();
        if !(least..=most).contains(&number) {
            self.problem(written.span().start, format!("`{name}` is {number}, and has to be from {least} to {most}"));
            return default;
        }
        number
    }

    fn origins(&mut self, written: &Spanned<OneOrMore>) -> Vec<String> {
        let origins = match written.get_ref() {
            OneOrMore::One(origin) => std::slice::from_ref(origin),
            OneOrMore::More(origins) => origins,
        };
        if origins.is_empty() {
            self.problem(written.span().start, "`origin` names no origin, such as https://notes.example.com".to_owned());
        }
        origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect()
    }

    /// What the verifier says of both.
    fn root_url(&mut self, falconer: &Spanned<String>, origins: &[String]) {
        for origin in origins {
            if let Err(error) = falconer_middleware::Verifier::check_settings(falconer.get_ref(), origin) {
                self.problem(falconer.span().start, error.to_string());
            }
        }
    }

    fn public(&mut self, path: &Spanned<String>) -> Option<Rule> {
        let pattern = self.pattern(path)?;
        let methods = Methods::Only(vec!["GET".to_owned()]);
        Some(Rule { line: self.lines.at(path.span().start), pattern, methods, access: Access::Public })
    }

    fn pattern(&mut self, path: &Spanned<String>) -> Option<Pattern> {
        match Pattern::parse(path.get_ref()) {
            Ok(pattern) if path.get_ref() == "/.falconer" || path.get_ref().starts_with("/.falconer/") => {
                self.problem(path.span().start, format!("the path `{}` is the gateway's own", pattern.text()));
                None
            }
            Ok(pattern) => Some(pattern),
            Err(wrong) => {
                self.problem(path.span().start, format!("the path `{}` {wrong}", path.get_ref()));
                None
            }
        }
    }

    fn rule(&mut self, written: &Spanned<RuleText>) -> Option<Rule> {
        let rule = written.get_ref();
        let methods = self.methods(&rule.methods);
        let pattern = self.pattern(&rule.path)?;
        let path = rule.path.get_ref();
        let access = match (&rule.scope, rule.public) {
            (Some(scope), false) => self.needs(rule, scope, &pattern),
            (None, true) if rule.body.is_none() && rule.reveal.is_empty() => Some(Access::Public),
            (None, true) => {
                self.problem(rule.path.span().start, format!("the rule of `{path}` is public: it has no `body` and no `reveal`"));
                None
            }
            (Some(scope), true) => {
                self.problem(scope.span().start, format!("the rule of `{path}` is public and has a scope: leave one out"));
                None
            }
            (None, false) => {
                self.problem(
                    rule.path.span().start,
                    format!("the rule of `{path}` has no `scope`; what everybody may do says `public = true`"),
                );
                None
            }
        };
        Some(Rule { line: self.lines.at(rule.path.span().start), pattern, methods: methods?, access: access? })
    }

    fn methods(&mut self, written: &Spanned<Vec<String>>) -> Option<Methods> {
        let (methods, at) = (written.get_ref(), written.span().start);
        if methods == &["*"] {
            return Some(Methods::Any);
        }
        if methods.is_empty() {
            self.problem(at, "`methods` is empty; every method is [\"*\"]".to_owned());
            return None;
        }
        for (number, method) in methods.iter().enumerate() {
            if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
                self.problem(
                    at,
                    format!("`{method}` is no method: they are written in upper case, such as GET; every method is [\"*\"] alone"),
                );
                return None;
            }
            if methods.iter().take(number).any(|earlier| earlier == method)
                || (method == "HEAD" && methods.iter().any(|other| other == "GET"))
            {
                self.problem(at, format!("`methods` has {method} twice (GET is HEAD too)"));
                return None;
            }
        }
        Some(Methods::Only(methods.clone()))
    }

    fn needs(&mut self, rule: &RuleText, scope: &Spanned<Value>, pattern: &Pattern) -> Option<Access> {
        let requirement = match Requirement::parse(scope.get_ref(), pattern.names()) {
            Ok(requirement) => requirement,
            Err(error) => {
                self.problem(scope.span().start, error.to_string());
                return None;
            }
        };
        let mut needs = Needs::new(requirement, scope.get_ref().clone(), pattern);
        needs.body_unchecked = rule.body.is_some();
        for prefix in &rule.reveal {
            let text = prefix.get_ref();
            if !text.contains(':') || text.ends_with('*') || !falconer_scopes::is_valid_scope(text) {
                self.problem(
                    prefix.span().start,
                    format!("`{text}` in `reveal` is no prefix of scopes with a colon, such as assume:team:"),
                );
            }
            needs.reveal.push(text.clone());
        }
        if needs.reveal.len() > 8 {
            self.problem(scope.span().start, "`reveal` has more than eight prefixes".to_owned());
        }
        Some(Access::Needs(Box::new(needs)))
    }
}
