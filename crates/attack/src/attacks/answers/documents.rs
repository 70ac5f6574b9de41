//! What a service says of itself: where descriptions usually are, and the paths in them.

use falconer_client::Value;

/// Where a description of the service may be, in the formats that are read here.
pub(crate) const PLACES: &[&str] =
    &["/openapi.json", "/api/openapi.json", "/swagger.json", "/v3/api-docs", "/api-docs", "/.well-known/openapi.json"];
/// More paths of one service are not asked for.
const MOST_PATHS: usize = 200;

/// The paths that an OpenAPI document has a GET for, with `1` for each parameter. `None`: it is no such document.
pub(crate) fn paths(document: &[u8]) -> Option<Vec<String>> {
    let openapi: Value = serde_json::from_slice(document).ok()?;
    let base = openapi.get("basePath").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/');
    let paths = openapi.get("paths")?.as_object()?;
    let read = paths
        .iter()
        .filter(|(path, operations)| path.starts_with('/') && operations.get("get").is_some())
        .map(|(path, _)| format!("{base}{}", filled(path)));
    Some(read.take(MOST_PATHS).collect())
}

/// `/books/{book}` with a value.
fn filled(path: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '{' => {
                inside = true;
                text.push('1');
            }
            '}' => inside = false,
            _ if inside => {}
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_out_of_a_description() {
        let document = br#"{"basePath": "/v1/", "paths": {"/books/{book}/notes": {"get": {}}, "/send": {"post": {}}, "odd": {"get": {}}}}"#;
        assert_eq!(paths(document).unwrap(), ["/v1/books/1/notes"]);
        assert_eq!((paths(b"<html>"), paths(b"{}")), (None, None));
    }
}
