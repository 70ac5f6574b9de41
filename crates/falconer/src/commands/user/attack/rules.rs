//! The routes of a gateway's rules file: one GET of each rule that has GET, with values for the parameters of its path, and one change of each other rule where that
//! is wanted. What needs a body of its own is named in a file of routes.

use anyhow::{Context, Result};
use falconer_attack::{Access, Body, Route, Routes};
use falconer_client::Method;
use falconer_gateway::rules;

use crate::output::WrongUse;

/// What changes something, in the order in which it is chosen.
const CHANGES: [Method; 4] = [Method::PUT, Method::POST, Method::PATCH, Method::DELETE];

/// The text of a rules file as routes. `changes`: the body of a change, where rules without GET are tried too. Errors: a mistake in it, a parameter without a value, a value that leads to another rule.
pub fn routes(text: &str, values: &[(String, String)], changes: Option<&str>) -> Result<Routes> {
    let rules = rules::Rules::parse(text).context("the rules file cannot be used")?;
    let mut routes = Vec::new();
    for rule in rules.table.rules() {
        let Some(method) = method(rule, changes.is_some()) else { continue };
        let body = changes.filter(|_| CHANGES.contains(&method) && method != Method::DELETE);
        let found = route(&rules.table, rule, values, method, body);
        routes.push(found.map_err(|why| WrongUse(format!("line {} of the rules: {why}", rule.line)))?);
    }
    let origin = rules.origins.first().cloned();
    Ok(Routes { routes, origin })
}

/// A parameter of `--value`.
pub fn value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty()).ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What a rule is asked with.
fn method(rule: &rules::Rule, changes: bool) -> Option<Method> {
    let mut possible = std::iter::once(Method::GET).chain(CHANGES.into_iter().filter(|_| changes));
    possible.find(|method| rule.methods.have(method.as_str()))
}

fn route(
    table: &rules::Table,
    rule: &rules::Rule,
    values: &[(String, String)],
    method: Method,
    body: Option<&str>,
) -> Result<Route, String> {
    let path = path(rule.pattern.text(), values)?;
    let target = rules::Target::read(&path).map_err(|bad| format!("{path}: {bad}"))?;
    // What counts is the rule that the gateway finds.
    let parameters = match table.find(method.as_str(), &target) {
        Ok(rules::Found::Rule(found, parameters)) if found.line == rule.line => parameters,
        _ => return Err(format!("{path} is a path of another rule: give other values")),
    };
    let access = match &rule.access {
        rules::Access::Public => Access::Public,
        rules::Access::Needs(needs) => Access::Needs(needs.expression(&parameters).map_err(|cannot| format!("{path}: {cannot}"))?),
    };
    let body = body.map(|text| Body { content_type: "application/json".to_owned(), bytes: text.as_bytes().to_vec() });
    let repeatable = !matches!(method, Method::POST | Method::PATCH);
    Ok(Route { method, resource: path, access, body, person: None, repeatable })
}

/// The path of a pattern, as it is sent. A value of `{*rest}` has its own slashes.
fn path(pattern: &str, values: &[(String, String)]) -> Result<String, String> {
    let mut path = String::new();
    for part in pattern.trim_start_matches('/').split('/') {
        path.push('/');
        let Some(name) = part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            path += &encoded(part)?;
            continue;
        };
        let (name, is_rest) = name.strip_prefix('*').map_or((name, false), |name| (name, true));
        let found = values.iter().find(|(given, _)| given == name);
        let (_, value) = found.ok_or_else(|| format!("`{pattern}` has a parameter: what stands there is said with --value {name}=..."))?;
        let segments = if is_rest { value.split('/').map(encoded).collect() } else { encoded(value).map(|value| vec![value]) };
        path += &segments?.join("/");
    }
    Ok(path)
}

fn encoded(segment: &str) -> Result<String, String> {
    falconer_client::encode_segment(segment).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "falconer = \"https://auth.example.com\"\norigin = \"https://notes.example.com\"\nproxy = \"nginx\"\npublic = [\"/\", \"/open/{*rest}\"]\n\
                         [[rule]]\nmethods = [\"GET\"]\npath = \"/books/{book}\"\nscope = \"notes:read:<book>\"\n\
                         [[rule]]\nmethods = [\"PUT\"]\npath = \"/books/{book}\"\nscope = \"notes:write:<book>\"\n\
                         [[rule]]\nmethods = [\"*\"]\npath = \"/books/all\"\nscope = { AllOf = [\"notes:read:*\", \"notes:list\"] }\n";

    fn given(values: &[&str]) -> Result<Vec<String>, String> {
        of(values, None)
    }

    fn of(values: &[&str], changes: Option<&str>) -> Result<Vec<String>, String> {
        let values: Vec<(String, String)> = values.iter().map(|text| value(text).unwrap()).collect();
        let routes = routes(RULES, &values, changes).map_err(|error| format!("{error:#}"))?;
        assert_eq!(routes.origin.as_deref(), Some("https://notes.example.com"));
        let needs = |route: &Route| match &route.access {
            Access::Public => "public".to_owned(),
            Access::Needs(needs) => needs.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        };
        Ok(routes.routes.iter().map(|route| format!("{route} {}", needs(route))).collect())
    }

    #[test]
    fn each_rule_with_get_is_a_route() {
        let routes = given(&["book=red book", "rest=a/b"]).unwrap();
        assert_eq!(routes[..2], ["GET / public", "GET /open/a/b public"]);
        assert_eq!(routes[2], "GET /books/red%20book notes:read:red book");
        assert!(routes[3].starts_with("GET /books/all ") && routes[3].contains("notes:list"), "{routes:?}");
        assert_eq!(routes.len(), 4);
    }

    #[test]
    fn a_rule_without_get_is_a_change_where_that_is_wanted() {
        let routes = of(&["book=red", "rest=a"], Some("{}")).unwrap();
        assert_eq!(routes.len(), 5);
        assert_eq!(routes[3], "PUT /books/red notes:write:red");
        let parsed =
            super::routes(RULES, &[("book".to_owned(), "red".to_owned()), ("rest".to_owned(), "a".to_owned())], Some("[1]")).unwrap();
        let bodies: Vec<Option<&[u8]>> = parsed.routes.iter().map(|route| route.body.as_ref().map(|body| body.bytes.as_slice())).collect();
        assert_eq!(bodies, [None, None, None, Some(&b"[1]"[..]), None]);
    }

    #[test]
    fn what_leads_nowhere_is_said() {
        assert!(given(&["rest=a"]).unwrap_err().contains("--value book="));
        assert!(given(&["rest=a", "book=all"]).unwrap_err().contains("another rule"));
        assert!(given(&["rest=a", "book=a/b"]).unwrap_err().contains("slash"));
        assert!(given(&["rest=a", "book=r\u{e9}d"]).unwrap_err().contains("no scope"));
        assert!(value("book").is_err() && value("=a").is_err() && value("a=").is_err());
    }
}
