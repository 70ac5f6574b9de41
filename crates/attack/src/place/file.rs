use falconer_client::Method;
use falconer_scopes::{Expression, is_valid_scope};
use serde::Deserialize;
use toml::Spanned;

use super::{Access, Body, Place, Route};

/// More would take longer than anybody waits.
const MOST_ROUTES: usize = 100;

/// The file that names routes:
///
/// ```toml
/// [[route]]
/// request = "PUT /books/red/notes/attack"
/// scope = "notes:write:red"               # or an expression, or: public = true
/// body = '{"text": "sent by falconer attack"}'
/// content_type = "application/json"       # unless said otherwise
/// person = "mozilla-user:ann@example.com" # nobody else may, whoever has stars
/// repeatable = true                       # unless the method is POST or PATCH
/// ```
#[derive(Clone, Debug)]
pub struct Routes {
    /// At least one.
    pub routes: Vec<Route>,
    /// What requests are signed for, where it is not the address of the service.
    pub origin: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    origin: Option<String>,
    #[serde(default)]
    route: Vec<Spanned<RouteText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteText {
    request: String,
    scope: Option<serde_json::Value>,
    #[serde(default)]
    public: bool,
    body: Option<String>,
    content_type: Option<String>,
    person: Option<String>,
    repeatable: Option<bool>,
}

impl Routes {
    /// Reads a file. Errors: all mistakes, each with its line, such as `line 7: ...`.
    pub fn parse(text: &str) -> Result<Routes, Vec<String>> {
        let line = |position: usize| text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(1, |span| line(span.start));
            vec![format!("line {at}: {}", error.message().trim().replace('\n', "; "))]
        })?;
        let (mut routes, mut wrong) = (Vec::new(), Vec::new());
        for written in file.route {
            let at = line(written.span().start);
            match written.into_inner().read() {
                Ok(route) => routes.push(route),
                Err(text) => wrong.push(format!("line {at}: {text}")),
            }
        }
        if routes.is_empty() && wrong.is_empty() {
            wrong.push("line 1: there is no [[route]]".to_owned());
        }
        if routes.len() > MOST_ROUTES {
            wrong.push(format!("line 1: there are more than {MOST_ROUTES} routes"));
        }
        if wrong.is_empty() { Ok(Routes { routes, origin: file.origin }) } else { Err(wrong) }
    }

    /// One route of the command line; `scope` may be an expression in JSON.
    pub fn one(request: &str, scope: &str) -> Result<Routes, String> {
        let scope = if scope.starts_with('{') {
            serde_json::from_str(scope).map_err(|error| format!("`{scope}` is no expression: {error}"))?
        } else {
            scope.into()
        };
        let (body, content_type, person, repeatable) = (None, None, None, None);
        let text = RouteText { request: request.to_owned(), scope: Some(scope), public: false, body, content_type, person, repeatable };
        Ok(Routes { routes: vec![text.read()?], origin: None })
    }
}

impl RouteText {
    fn read(self) -> Result<Route, String> {
        let request = &self.request;
        let (method, resource) = request.split_once(' ').ok_or_else(|| format!("`{request}` is no request, such as GET /books/red"))?;
        let upper = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        let method: Method =
            method.parse().ok().filter(|_| upper).ok_or_else(|| format!("`{method}` is no method in upper case, such as GET"))?;
        let anywhere = Place::new("http://127.0.0.1", None)?;
        if anywhere.url(resource).is_none() {
            return Err(format!(
                "`{resource}` is no path as it is sent: it begins with a slash, and is percent-encoded where it has to be"
            ));
        }
        let access = match (self.scope, self.public) {
            (Some(written), false) => Access::Needs(expression(&written)?),
            (None, true) => Access::Public,
            (Some(_), true) => return Err(format!("{request} is public and has a scope: leave one out")),
            (None, false) => return Err(format!("{request} has no `scope`; what everybody may do says `public = true`")),
        };
        if self.content_type.is_some() && self.body.is_none() {
            return Err(format!("{request} has a `content_type` and no `body`"));
        }
        if matches!(method, Method::GET | Method::HEAD) && self.body.is_some() {
            return Err(format!("{request} has a body: a {method} has none"));
        }
        let person = match self.person {
            Some(person) if person.starts_with("assume:") || person.ends_with('*') || !is_valid_scope(&person) => {
                return Err(format!("`{person}` is no person, such as mozilla-user:ann@example.com"));
            }
            person => person,
        };
        let content_type = self.content_type.unwrap_or_else(|| "application/json".to_owned());
        let body = self.body.map(|text| Body { content_type, bytes: text.into_bytes() });
        let repeatable = self.repeatable.unwrap_or(!matches!(method, Method::POST | Method::PATCH));
        Ok(Route { resource: resource.to_owned(), method, access, body, person, repeatable })
    }
}

fn expression(written: &serde_json::Value) -> Result<Expression, String> {
    let read: Expression = serde_json::from_value(written.clone()).map_err(|_| format!("{written} is no scope expression"))?;
    let mut texts = Vec::new();
    strings(written, &mut texts);
    if texts.is_empty() {
        return Err(format!("{written} needs nothing: what everybody may do says `public = true`"));
    }
    match texts.into_iter().find(|text| !is_valid_scope(text) || text.contains(['<', '>'])) {
        Some(text) => Err(format!("`{text}` is no scope: a route of this file is one request, without parameters")),
        None => Ok(read),
    }
}

fn strings<'v>(value: &'v serde_json::Value, found: &mut Vec<&'v str>) {
    match value {
        serde_json::Value::String(text) => found.push(text),
        serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        serde_json::Value::Object(values) => values.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read() {
        let text = "origin = \"https://notes.example.com\"\n[[route]]\nrequest = \"PUT /a?b=1\"\nscope = { AnyOf = [\"a\", \"b\"] }\nbody = '{}'\n\
                    [[route]]\nrequest = \"GET /\"\npublic = true\n";
        let read = Routes::parse(text).unwrap();
        assert_eq!(read.origin.as_deref(), Some("https://notes.example.com"));
        let [put, get] = read.routes.as_slice() else { panic!("{read:?}") };
        assert_eq!((put.to_string().as_str(), put.path(), put.repeatable), ("PUT /a?b=1", "/a", true));
        assert_eq!(put.body.as_ref().unwrap().content_type, "application/json");
        assert!(matches!(get.access, Access::Public) && get.only_reads());
        assert!(!Routes::one("POST /a", "a:b").unwrap().routes[0].repeatable);
    }

    #[test]
    fn every_mistake_has_its_line() {
        for (route, said) in [
            ("request = \"/a\"\nscope = \"a\"", "no request"),
            ("request = \"get /a\"\nscope = \"a\"", "upper case"),
            ("request = \"GET a\"\nscope = \"a\"", "no path"),
            ("request = \"GET /../a\"\nscope = \"a\"", "no path"),
            ("request = \"GET /a\"", "public = true"),
            ("request = \"GET /a\"\nscope = \"a\"\npublic = true", "leave one out"),
            ("request = \"GET /a\"\nscope = { AllOf = [] }", "needs nothing"),
            ("request = \"GET /a\"\nscope = \"a:<b>\"", "without parameters"),
            ("request = \"GET /a\"\nscope = { Some = [\"a\"] }", "no scope expression"),
            ("request = \"GET /a\"\nscope = \"a\"\nbody = 'x'", "has a body"),
            ("request = \"PUT /a\"\nscope = \"a\"\ncontent_type = 'x'", "no `body`"),
            ("request = \"GET /a\"\nscope = \"a\"\nperson = 'assume:x'", "no person"),
            ("request = \"GET /a\"\nscop = \"a\"", "unknown field"),
        ] {
            let wrong = Routes::parse(&format!("\n[[route]]\n{route}\n")).unwrap_err().join("\n");
            assert!(wrong.starts_with("line ") && !wrong.starts_with("line 1:") && wrong.contains(said), "{route}: {wrong}");
        }
        assert_eq!(Routes::parse("").unwrap_err(), ["line 1: there is no [[route]]"]);
    }
}
