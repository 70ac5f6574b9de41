use falconer_scopes::{Expression, Params, Template, is_valid_scope};
use serde_json::Value;

use crate::{Refusal, SettingsError};

/// What the callers of a route need: a scope such as `notes:read:<book>`, or `{"AllOf": [..]}`, `{"AnyOf": [..]}`. `<book>` is a parameter of
/// the route's path. Everything that would fail at each call is refused when it is made.
#[derive(Clone, Debug)]
pub struct Requirement(Template);

impl Requirement {
    /// For a route whose path has these parameters. Errors: [`SettingsError::Expression`].
    pub fn parse<'a>(expression: &Value, parameters: impl IntoIterator<Item = &'a str>) -> Result<Requirement, SettingsError> {
        let problem = |problem: String| SettingsError::Expression { expression: expression.to_string(), problem };
        let template = Template::parse(expression).map_err(|error| problem(error.to_string()))?;
        let parameters: Vec<&str> = parameters.into_iter().collect();
        for name in template.param_names() {
            if !parameters.contains(&name) {
                let known: Vec<String> = parameters.iter().map(|name| format!("<{name}>")).collect();
                let known = if known.is_empty() { "no parameters".to_owned() } else { known.join(", ") };
                return Err(problem(format!("the path of the route has no parameter <{name}>, it has {known}")));
            }
        }
        let sample: Params = parameters.iter().map(|name| ((*name).to_owned(), Value::from("x"))).collect();
        let rendered =
            template.render(&sample).map_err(|_| problem("the parameters of a path are text, neither lists nor conditions".to_owned()))?;
        match rendered {
            Some(rendered) => check(&rendered).map_err(problem)?,
            None => return Err(problem("it asks for nothing".to_owned())),
        }
        Ok(Requirement(template))
    }

    /// The expression for one request, by the decoded parameters of its path. A value that may not stand in a scope is refused, never cleaned: cleaned, two values
    /// would need the same scope. Errors: [`Refusal::Parameter`]; [`Refusal::Misconfigured`], for a parameter that is missing.
    pub fn expression(&self, parameters: &Params) -> Result<Expression, Refusal> {
        for name in self.0.param_names() {
            let Some(value) = parameters.get(name).and_then(Value::as_str) else { continue };
            let wrong = match value {
                "" => "is empty",
                value if !is_valid_scope(value) => "has a character outside of printable ASCII",
                value if value.ends_with('*') => "ends with a star",
                _ => continue,
            };
            return Err(Refusal::Parameter { message: format!("the parameter `{name}` of the path {wrong}") });
        }
        match self.0.render(parameters) {
            Ok(Some(expression)) => Ok(expression),
            Ok(None) => Err(Refusal::Misconfigured("the scope expression of a route asks for nothing".to_owned())),
            Err(error) => Err(Refusal::Misconfigured(format!("the scope expression of a route does not fit its path: {error}"))),
        }
    }
}

/// What nobody could satisfy, or everybody would, is a mistake.
fn check(expression: &Expression) -> Result<(), String> {
    match expression {
        Expression::Scope(scope) if scope.is_empty() => Err("a scope is empty".to_owned()),
        Expression::Scope(scope) if scope.contains(['<', '>']) => {
            Err(format!("`{scope}` has a `<` or `>` that is no part of a parameter such as <book>"))
        }
        Expression::Scope(scope) if !is_valid_scope(scope) => {
            Err(format!("{scope:?} is not a scope: it has a character outside of printable ASCII"))
        }
        Expression::Scope(_) => Ok(()),
        Expression::AllOf(members) if members.is_empty() => Err("an empty AllOf asks for nothing".to_owned()),
        Expression::AnyOf(members) if members.is_empty() => Err("nobody satisfies an empty AnyOf".to_owned()),
        Expression::AllOf(members) | Expression::AnyOf(members) => members.iter().try_for_each(check),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A typing error in an expression was found by the first caller, as a 500 or as a 403 that nobody could mend.
    #[test]
    fn what_would_fail_at_each_call_is_refused_with_the_reason() {
        for (expression, named) in [
            (json!("notes:read:<boook>"), "no parameter <boook>, it has <book>"),
            (json!(""), "a scope is empty"),
            (json!("<"), "`<` has a `<`"),
            (json!("notes:read:<book"), "`notes:read:<book` has a `<`"),
            (json!("notes:read:book>"), "`notes:read:book>`"),
            (json!("notes:read:<..>"), "`notes:read:<..>`"),
            (json!("notes:r\u{e9}ad"), "is not a scope"),
            (json!("notes:read\n"), "is not a scope"),
            (json!({"AnyOf": []}), "nobody satisfies"),
            (json!({"AllOf": ["a", {"AnyOf": ["b", ""]}]}), "a scope is empty"),
            (json!({"AllOf": []}), "asks for nothing"),
            (json!({"AllOf": [{"for": "s", "in": "book", "each": "<s>"}]}), "neither lists nor conditions"),
            (json!({"if": "book", "then": "a"}), "neither lists nor conditions"),
            (json!({"AllOff": ["a"]}), "unknown keys"),
            (json!(7), "neither a string nor an object"),
        ] {
            let said = Requirement::parse(&expression, ["book"]).unwrap_err().to_string();
            assert!(said.contains(named) && said.ends_with('.') && said.contains(&expression.to_string()), "{said}");
        }
        let said = Requirement::parse(&json!("a:<b>"), []).unwrap_err().to_string();
        assert!(said.contains("it has no parameters"), "{said}");
    }

    #[test]
    fn parameters_are_put_in_as_they_are() {
        let requirement = Requirement::parse(&json!({"AnyOf": ["notes:read:<book>", "notes:*"]}), ["book", "name"]).unwrap();
        let parameters = |book: &str| [("book".to_owned(), Value::from(book))].into_iter().collect::<Params>();
        let expression = requirement.expression(&parameters("a/<b>c")).unwrap();
        assert_eq!(serde_json::to_value(expression).unwrap(), json!({"AnyOf": ["notes:read:a/<b>c", "notes:*"]}));
        assert!(matches!(requirement.expression(&Params::new()), Err(Refusal::Misconfigured(_))));
        // What nobody could have been given a scope for was 500, as if the service were wrong.
        for bad in ["", "a*", "*", "r\u{e9}d", "r\nd"] {
            assert!(matches!(requirement.expression(&parameters(bad)), Err(Refusal::Parameter { .. })), "{bad:?}");
        }
    }
}
