//! Rules tried without any server: a table of requests, and what is to become of each.

use falconer_middleware::ScopeSet;
use serde::Deserialize;
use toml::Spanned;

use super::problem::{Lines, Problem, Problems};
use super::rule::Access;
use super::table::{Found, Table};
use super::target::Target;

/// A file of cases:
///
/// ```toml
/// [[case]]
/// request = "GET /books/red"
/// scopes = ["notes:read:*"]   # of the caller, expanded; left out: nobody signed
/// expect = "allowed"          # public, allowed, denied, no-rule, bad-request
/// ```
#[derive(Debug)]
pub struct Cases(Vec<Case>);

#[derive(Debug)]
struct Case {
    line: usize,
    method: String,
    target: String,
    scopes: Vec<String>,
    expect: Outcome,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Public,
    Allowed,
    Denied,
    NoRule,
    BadRequest,
}

/// What came of the cases.
#[derive(Debug)]
pub struct Tried {
    /// How many there were.
    pub cases: usize,
    /// Those that came out otherwise than expected.
    pub different: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Spanned<CaseText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    request: Spanned<String>,
    #[serde(default)]
    scopes: Vec<String>,
    expect: Outcome,
}

impl Cases {
    /// Reads a file. Errors: all mistakes, each with its line.
    pub fn parse(text: &str) -> Result<Cases, Problems> {
        let lines = Lines(text);
        let file: File = toml::from_str(text).map_err(|error| lines.of_toml(&error))?;
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        for case in file.case {
            let CaseText { request, scopes, expect } = case.into_inner();
            let line = lines.at(request.span().start);
            let mut problem = |text: String| problems.push(Problem { line, text });
            if let Some(wrong) = scopes.iter().find(|scope| !falconer_scopes::is_valid_scope(scope)) {
                problem(format!("`{wrong}` is not a scope"));
            }
            match request.get_ref().split_once(' ') {
                Some((method, target)) if !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') => {
                    cases.push(Case { line, method: method.to_owned(), target: target.to_owned(), scopes, expect });
                }
                _ => problem(format!("`{}` is no request, such as GET /books/red", request.get_ref())),
            }
        }
        if cases.is_empty() && problems.is_empty() {
            problems.push(Problem { line: 1, text: "there is no [[case]]".to_owned() });
        }
        if problems.is_empty() { Ok(Cases(cases)) } else { Err(Problems(problems)) }
    }

    /// Tries each of them. The scopes are taken as they are: what Falconer's roles would add is not known here.
    #[must_use]
    pub fn try_on(&self, table: &Table) -> Tried {
        let different = self.0.iter().filter_map(|case| {
            let (outcome, why) = outcome(table, case);
            (outcome != case.expect).then(|| Problem {
                line: case.line,
                text: format!("{} {} is {}, not {}: {why}", case.method, case.target, outcome.word(), case.expect.word()),
            })
        });
        Tried { cases: self.0.len(), different: different.collect() }
    }
}

fn outcome(table: &Table, case: &Case) -> (Outcome, String) {
    let target = match Target::read(&case.target) {
        Ok(target) => target,
        Err(bad) => return (Outcome::BadRequest, bad.to_string()),
    };
    let (rule, parameters) = match table.find(&case.method, &target) {
        Ok(Found::Rule(rule, parameters)) => (rule, parameters),
        Ok(Found::NoPath) => return (Outcome::NoRule, "no rule has this path".to_owned()),
        Ok(Found::NoMethod) => return (Outcome::NoRule, "no rule of this path has the method".to_owned()),
        Err(bad) => return (Outcome::BadRequest, bad.to_string()),
    };
    let by = format!("the rule of line {}", rule.line);
    let needs = match &rule.access {
        Access::Public => return (Outcome::Public, by),
        Access::Needs(needs) => needs,
    };
    let expression = match needs.expression(&parameters) {
        Ok(expression) => expression,
        Err(cannot) => return (Outcome::BadRequest, cannot.to_string()),
    };
    match expression.missing(&ScopeSet::new(&case.scopes)) {
        None => (Outcome::Allowed, by),
        Some(missing) => (Outcome::Denied, format!("{by} needs {}", serde_json::to_string(&missing).unwrap_or_default())),
    }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Public => "public",
            Outcome::Allowed => "allowed",
            Outcome::Denied => "denied",
            Outcome::NoRule => "no-rule",
            Outcome::BadRequest => "bad-request",
        }
    }
}
