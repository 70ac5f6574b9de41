use falconer_scopes::Params;

use super::pattern::Relation;
use super::problem::Problem;
use super::rule::Rule;
use super::target::{BadTarget, Target};

/// The rules of a file. For a path that fits several patterns the narrowest one counts, wherever it stands; then the method is looked for among the rules of
/// that very pattern, never of a wider one.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rules: Vec<Rule>,
}

/// The rule of a request.
#[derive(Debug)]
pub enum Found<'t> {
    /// This one, with the decoded parameters of the path.
    Rule(&'t Rule, Params),
    /// None: no pattern fits the path.
    NoPath,
    /// The path has rules, the method has none.
    NoMethod,
}

impl Table {
    /// Errors: every rule that would never be found, and every two of which it could not be said which one counts.
    pub fn new(rules: Vec<Rule>) -> Result<Table, Vec<Problem>> {
        let mut problems = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            for earlier in rules.iter().take(number) {
                let (path, other, line) = (rule.pattern.text(), earlier.pattern.text(), earlier.line);
                let text = match rule.pattern.relation(&earlier.pattern) {
                    Relation::Apart | Relation::Nested => continue,
                    Relation::Same => match rule.methods.common(&earlier.methods) {
                        Some(method) => {
                            format!("the rule of line {line} has {method} of the same paths already, so that this one is never found")
                        }
                        None => continue,
                    },
                    Relation::Crossing => format!(
                        "some paths fit `{path}` and `{other}` of line {line}, and neither is narrower than the other: name what both mean in a rule of its own"
                    ),
                };
                problems.push(Problem { line: rule.line, text });
            }
        }
        if problems.is_empty() { Ok(Table { rules }) } else { Err(problems) }
    }

    /// The rules, in the order of the file.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    fn narrowest(&self, path: &[String]) -> Option<&Rule> {
        let mut narrowest: Option<&Rule> = None;
        for rule in self.rules.iter().filter(|rule| rule.pattern.fits_in_any_case(path)) {
            if narrowest.is_none_or(|found| found.pattern.covers(&rule.pattern)) {
                narrowest = Some(rule);
            }
        }
        narrowest
    }

    /// The rule of a request. `method` in upper case. Errors: [`BadTarget::Case`], where a service that takes upper for lower case would find another one, and
    /// [`BadTarget::Slash`], where one that overlooks a slash at the end would.
    pub fn find(&self, method: &str, target: &Target) -> Result<Found<'_>, BadTarget> {
        let path = target.segments();
        let Some(narrowest) = self.narrowest(path) else { return Ok(Found::NoPath) };
        if narrowest.pattern.parameters(path).is_none() {
            return Err(BadTarget::Case);
        }
        // Whoever serves `/admin` for `/admin/` too would find the rule that names it. A rule that names both is asked for, which is written twice.
        if narrowest.pattern.ends_with_rest()
            && let Some(turned) = target.slash_turned()
            && self.narrowest(&turned).is_some_and(|other| !other.pattern.ends_with_rest())
        {
            return Err(BadTarget::Slash);
        }
        let mut same = self.rules.iter().filter(|rule| rule.pattern.relation(&narrowest.pattern) == Relation::Same);
        Ok(match same.find(|rule| rule.methods.have(method)) {
            Some(rule) => Found::Rule(rule, rule.pattern.parameters(path).unwrap_or_default()),
            None => Found::NoMethod,
        })
    }
}
