use axum::Router;
use axum::routing::MethodRouter;
use serde_json::Value;

use crate::tower::Require;
use crate::{Guard, Requirement, SettingsError};

impl Guard {
    /// A route whose callers need these scopes: `guard.route("/books/{book}", "notes:read:<book>", get(read))?`, to be merged into a router. The
    /// same path may be merged again with other methods and other scopes. `<name>` in a scope is `{name}` of the path.
    ///
    /// The guard stands before all of it, `any(..)` and a fallback too: of a method that the route doesn't name only callers with these scopes learn that it is none (405);
    /// where the path was merged several times, callers with those of the last.
    ///
    /// Errors: [`SettingsError`], for everything that would fail at each call, such as a parameter that the path doesn't have.
    pub fn route<S>(&self, path: &str, expression: impl Into<Value>, methods: MethodRouter<S>) -> Result<Router<S>, SettingsError>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.nested_route("", path, expression, methods)
    }

    /// The same for a router that is nested below a prefix with parameters of its own, such as `/users/{user}`.
    pub fn nested_route<S>(
        &self,
        prefix: &str,
        path: &str,
        expression: impl Into<Value>,
        methods: MethodRouter<S>,
    ) -> Result<Router<S>, SettingsError>
    where
        S: Clone + Send + Sync + 'static,
    {
        if !path.starts_with('/') {
            return Err(SettingsError::Path { path: path.to_owned(), problem: "it doesn't begin with a slash".to_owned() });
        }
        let parameters = parameters(prefix)?.into_iter().chain(parameters(path)?);
        let requirement = Requirement::parse(&expression.into(), parameters)?;
        // INVARIANT: never `route_layer`, which leaves out the fallback, and that is where `any(..)` has its handler.
        Ok(Router::new().route(path, methods.layer(Require::new(self.clone(), Some(requirement)))))
    }
}

/// The names in braces, `{name}` and `{*name}`. `{{` and `}}` stand for the braces themselves.
fn parameters(path: &str) -> Result<Vec<&str>, SettingsError> {
    let problem = |problem: &str| SettingsError::Path { path: path.to_owned(), problem: problem.to_owned() };
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('{') {
        if let Some(after) = after.strip_prefix('{') {
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or_else(|| problem("a `{` has no `}`"))?;
        let name = name.strip_prefix('*').unwrap_or(name);
        if name.is_empty() || name.contains(['{', '/', '*']) {
            return Err(problem("a parameter has no name"));
        }
        names.push(name);
        rest = after;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_path() {
        for (path, names) in
            [("", &[][..]), ("/a", &[]), ("/{a}/b/{c_d}", &["a", "c_d"]), ("/{{a}}/{b}", &["b"]), ("/files/{*rest}", &["rest"])]
        {
            assert_eq!(parameters(path).unwrap(), names, "{path}");
        }
        for path in ["/{a", "/{}", "/{*}", "/{a/b}"] {
            assert!(parameters(path).is_err(), "{path}");
        }
    }
}
