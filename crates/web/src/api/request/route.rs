//! Which method a request is for: matching of the raw path.
//!
//! The path is matched before it is decoded, because a parameter may hold `%2F`: a router that decodes first would see two segments.

use std::collections::HashMap;

use falconer_wire::{Method, Segment, Service, Verb};
use percent_encoding::percent_decode_str;

/// Decoded path parameters, in the order of the route.
pub(crate) type PathParams = Vec<(&'static str, String)>;

/// What a path and an HTTP method come to.
pub(crate) enum Found {
    /// This method.
    Method(&'static Method, PathParams),
    /// `OPTIONS` on a known path: what is allowed there, sorted.
    Options(Vec<&'static str>),
    /// A parameter has a percent escape that is none, or bytes that are no UTF-8.
    BadEscape,
    /// Nothing.
    Nothing,
}

struct Route {
    method: &'static Method,
    segments: Vec<Segment<'static>>,
}

/// All routes, split into segments once, by service and first segment: every route begins with a literal one.
pub(crate) struct Routes(HashMap<(Service, &'static str), Vec<Route>>);

impl Routes {
    pub(crate) fn new() -> Routes {
        let mut routes: HashMap<_, Vec<Route>> = HashMap::new();
        for method in Method::all() {
            let segments: Vec<_> = method.segments().collect();
            if let Some(Segment::Literal(first)) = segments.first() {
                routes.entry((method.service, *first)).or_default().push(Route { method, segments });
            }
        }
        Routes(routes)
    }

    /// Looks up the raw path behind the prefix of a service (beginning with a slash, without query).
    pub(crate) fn find(&self, service: Service, verb: &str, path: &str) -> Found {
        let Some(path) = path.strip_prefix('/') else { return Found::Nothing };
        let options = verb == "OPTIONS";
        let mut allowed = Vec::new();
        let first = path.split('/').next().unwrap_or_default();
        for route in self.0.get(&(service, first)).into_iter().flatten() {
            let Some(raw) = route.raw_params(path) else { continue };
            if options {
                allowed.extend_from_slice(names(route.method.verb));
            } else if names(route.method.verb).contains(&verb) {
                let decoded: Option<PathParams> = raw.into_iter().map(|(name, raw)| decode(raw).map(|value| (name, value))).collect();
                return decoded.map_or(Found::BadEscape, |params| Found::Method(route.method, params));
            } else if raw.iter().any(|(_, raw)| decode(raw).is_none()) {
                // The reference decodes before it looks at the HTTP method.
                return Found::BadEscape;
            }
        }
        if allowed.is_empty() {
            return Found::Nothing;
        }
        allowed.sort_unstable();
        allowed.dedup();
        Found::Options(allowed)
    }
}

impl Route {
    /// The raw parameters, if the path (without its first slash) is of this route.
    fn raw_params<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        let mut params = Vec::new();
        let mut rest = Some(path);
        for segment in &self.segments {
            let text = rest?;
            if let Segment::Rest(name) = segment {
                params.push((*name, text));
                return Some(params);
            }
            let (here, after) = text.split_once('/').map_or((text, None), |(here, after)| (here, Some(after)));
            match segment {
                Segment::Literal(literal) if *literal == here => {}
                Segment::Param(name) if !here.is_empty() => params.push((*name, here)),
                _ => return None,
            }
            rest = after;
        }
        // One trailing slash is always fine.
        matches!(rest, None | Some("")).then_some(params)
    }
}

fn names(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Get => &["GET", "HEAD"],
        Verb::Post => &["POST"],
        Verb::Put => &["PUT"],
        Verb::Delete => &["DELETE"],
    }
}

/// Percent-decodes strictly: every `%` is followed by two hexadecimal digits, and the bytes are UTF-8.
fn decode(raw: &str) -> Option<String> {
    let well_formed =
        raw.split('%').skip(1).all(|after| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    if !well_formed {
        return None;
    }
    percent_decode_str(raw).decode_utf8().ok().map(|text| text.into_owned())
}

/// Whose API a path is below, and what follows. The prefix is matched in any letter case, as the reference does; everything behind it is exact.
pub(crate) fn service(path: &str) -> Option<(Service, &str)> {
    Service::ALL.into_iter().find_map(|service| path_after(path, service.prefix()).map(|rest| (service, rest)))
}

/// The path behind `prefix`, which is matched in any letter case. What follows is empty or begins with a slash.
pub(crate) fn path_after<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let (head, rest) = path.split_at_checked(prefix.len())?;
    (head.eq_ignore_ascii_case(prefix) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_route() {
        let routes = Routes::new();
        assert_eq!(routes.0.values().map(Vec::len).sum::<usize>(), Method::all().count());
    }

    fn show(service: Service, verb: &str, path: &str) -> String {
        match Routes::new().find(service, verb, path) {
            Found::Method(method, params) => {
                params.iter().fold(method.name.to_owned(), |shown, (name, value)| format!("{shown} {name}={value}"))
            }
            Found::Options(allowed) => allowed.join(", "),
            Found::BadEscape => "bad escape".to_owned(),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn paths_of_every_kind() {
        for (verb, path, expected) in [
            ("GET", "/ping", "ping"),
            ("HEAD", "/ping/", "ping"),
            ("GET", "/ping//", "nothing"),
            ("GET", "//ping", "nothing"),
            ("GET", "/Ping", "nothing"),
            ("GET", "", "nothing"),
            ("GET", "/", "nothing"),
            ("POST", "/ping", "nothing"),
            ("OPTIONS", "/ping", "GET, HEAD"),
            ("OPTIONS", "/clients/x", "DELETE, GET, HEAD, POST, PUT"),
            ("OPTIONS", "/nope", "nothing"),
            ("GET", "/clients", "listClients"),
            ("GET", "/clients/", "listClients"),
            ("GET", "/clients/a%2Fb", "client clientId=a/b"),
            ("GET", "/clients/a/b", "nothing"),
            ("GET", "/clients/a/audit/", "listAuditHistory clientId=a"),
            ("POST", "/clients/a%2fb/reset", "resetAccessToken clientId=a/b"),
            ("GET", "/clients/%zz", "bad escape"),
            ("PATCH", "/clients/%zz", "bad escape"),
            ("GET", "/clients/%ff", "bad escape"),
            ("GET", "/clients/%4", "bad escape"),
            ("GET", "/roles/a%0Ab", "role roleId=a\nb"),
            ("GET", "/aws/s3/read-only/b", "nothing"),
            ("GET", "/aws/s3/read-only/b/", "awsS3Credentials level=read-only bucket=b prefix="),
            ("GET", "/aws/s3/read-only/b/x/y%2Fz/", "awsS3Credentials level=read-only bucket=b prefix=x/y/z/"),
            ("GET", "/azure/accounts", "azureAccounts"),
            ("GET", "/azure/acc/tables", "azureTables account=acc"),
        ] {
            assert_eq!(show(Service::Auth, verb, path), expected, "{verb} {path}");
        }
        assert_eq!(show(Service::Falconer, "GET", "/revision/"), "revision");
        assert_eq!(show(Service::Falconer, "GET", "/ping"), "nothing");
        assert_eq!(show(Service::Auth, "GET", "/revision"), "nothing");
        assert_eq!(service("/API/Auth/v1/x"), Some((Service::Auth, "/x")));
        assert_eq!(service("/api/falconer/v1/x"), Some((Service::Falconer, "/x")));
        assert_eq!(service("/api/auth/v1"), Some((Service::Auth, "")));
        assert_eq!(service("/api/auth/v11/x"), None);
    }
}
