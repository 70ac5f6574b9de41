//! The calls that each request of a service needs, in the form in which they are sent: read without a JSON value and without the schema.
//!
//! What is read here fits the schema, and means the same as read the long way; whatever is unusual, and whatever is refused, is left to the long
//! way, which says what is wrong with it. A test holds the two against each other. Where this node can't tell, nothing is asked once more: what was done would be done
//! twice, and the long way only says so.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;

use falconer_auth::{Auth, ProofParts, RequestParts, Unable, UrlScheme, authority};
use falconer_scopes::is_valid_scope;
use falconer_wire::{Call, Method};
use foldhash::fast::RandomState;
use http::request::Parts;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::api::answer::headers::AT_LEAST;
use crate::api::answer::reply::Reply;
use crate::api::handlers::MOST_SCOPES;
use crate::api::handlers::check::question::CheckBody;
use crate::api::handlers::{check, hawk};
use crate::api::quick::Tried;
use crate::api::request::body::Received;
use crate::api::request::budget::Budget;
use crate::api::request::signed::Signed;
use crate::metrics::Metrics;

/// The methods of the schema. A test holds the list against it.
const METHODS: [&str; 26] = [
    "get",
    "post",
    "put",
    "head",
    "delete",
    "options",
    "trace",
    "copy",
    "lock",
    "mkcol",
    "move",
    "purge",
    "propfind",
    "proppatch",
    "unlock",
    "report",
    "mkactivity",
    "checkout",
    "merge",
    "m-search",
    "notify",
    "subscribe",
    "unsubscribe",
    "patch",
    "search",
    "connect",
];

/// The parts of a request to verify, borrowed from the body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HawkRequest<'b> {
    #[serde(borrow)]
    method: Cow<'b, str>,
    #[serde(borrow)]
    resource: Cow<'b, str>,
    #[serde(borrow)]
    host: Cow<'b, str>,
    port: u16,
    #[serde(borrow, default, deserialize_with = "quoted")]
    authorization: Option<Cow<'b, str>>,
    #[serde(borrow, default, deserialize_with = "never_null")]
    source_ip: Option<Cow<'b, str>>,
    /// This and what follows are of `check` only.
    #[serde(borrow, default, deserialize_with = "never_null")]
    dpop: Option<Cow<'b, str>>,
    #[serde(borrow, default, deserialize_with = "never_null")]
    follow_up: Option<Cow<'b, str>>,
    #[serde(default, deserialize_with = "scheme")]
    scheme: Option<UrlScheme>,
}

/// `null` is no text: the schema refuses it.
fn never_null<'de: 'b, 'b, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'b, str>>, D::Error> {
    Text::deserialize(deserializer).map(|Text(text)| Some(text))
}

/// The same of a text with many quotes: read by itself, in one piece of memory that is as large as it has to be.
fn quoted<'de: 'b, 'b, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'b, str>>, D::Error> {
    let json = <&'b RawValue>::deserialize(deserializer)?.get();
    unquoted(json).map(Some).map_err(D::Error::custom)
}

/// The text that this is in JSON. Only what escapes quotes is read here.
fn unquoted(json: &str) -> serde_json::Result<Cow<'_, str>> {
    let of_any = || serde_json::from_str(json).map(Cow::Owned);
    let Some(mut rest) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return of_any() };
    if memchr::memchr(b'\\', rest.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(rest));
    }
    let mut text = String::with_capacity(rest.len());
    while let Some((before, escaped)) = memchr::memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        text.push_str(before);
        let Some(behind) = escaped.strip_prefix("\\\"") else { return of_any() };
        text.push('"');
        rest = behind;
    }
    text.push_str(rest);
    Ok(Cow::Owned(text))
}

/// The same of a scheme.
fn scheme<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UrlScheme>, D::Error> {
    UrlScheme::deserialize(deserializer).map(Some)
}

impl HawkRequest<'_> {
    pub(crate) fn parts(&self) -> RequestParts<'_> {
        RequestParts {
            method: &self.method,
            resource: &self.resource,
            host: &self.host,
            port: self.port,
            authorization: self.authorization.as_deref(),
        }
    }

    /// What goes with an access token.
    pub(crate) fn proof(&self) -> ProofParts<'_> {
        ProofParts { dpop: self.dpop.as_deref(), follow_up: self.follow_up.as_deref(), url_scheme: self.scheme.unwrap_or_default() }
    }

    /// Whether it is as the schema has it.
    pub(crate) fn fits(&self) -> bool {
        let from_an_address = self.source_ip.as_deref().is_none_or(|ip| ip.parse::<IpAddr>().is_ok());
        METHODS.contains(&self.method.as_ref()) && authority::is_host(&self.host) && from_an_address
    }
}

/// A list of scopes, borrowed from the body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List<'b> {
    #[serde(borrow)]
    scopes: Vec<Text<'b>>,
}

#[derive(Deserialize)]
struct Text<'b>(#[serde(borrow)] Cow<'b, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The answer, where the call is one of these in the usual form, and is not refused. Errors: this node can't tell.
pub(crate) async fn answer(
    auth: &Auth,
    metrics: &Metrics,
    method: &Method,
    parts: &Parts,
    body: &Received<'_>,
    signed: &Signed<'_>,
    budget: &Budget,
) -> Option<Result<Reply, Unable>> {
    if let Some(Tried(unable)) = parts.extensions.get() {
        return unable.clone().map(Err);
    }
    if parts.uri.query().is_some() || parts.headers.contains_key(AT_LEAST) {
        return None;
    }
    let who = async || signed.authenticate(auth, body.hashed()).await.ok();
    match method.call {
        call @ (Call::AuthenticateHawk | Call::Check | Call::Checks) => of_service(auth, metrics, call, body.plain_json()?, budget).await,
        Call::CurrentScopes if body.is_none() => Some(Ok(Reply::scopes(auth.current_scopes(&who().await?).ok()?))),
        Call::ExpandScopes => {
            let list = list_of_body(body.plain_json()?, budget)?;
            Some(Ok(Reply::scopes(auth.expand_scopes(&who().await?, &list.scopes).ok()?)))
        }
        _ => None,
    }
}

/// The same for the calls that need nothing of the head.
pub(crate) async fn of_service(auth: &Auth, metrics: &Metrics, call: Call, json: &[u8], budget: &Budget) -> Option<Result<Reply, Unable>> {
    match call {
        Call::AuthenticateHawk => Some(hawk::answer(auth, metrics, &of_body(json)?).await),
        Call::Check | Call::Checks => Some(check::decided(auth, metrics, &CheckBody::of_body(call, json, budget)?).await),
        _ => None,
    }
}

fn list_of_body<'b>(json: &'b [u8], budget: &Budget) -> Option<List<'b>> {
    let most = MOST_SCOPES.min(budget.entries).min(budget.nodes);
    // As many entries as commas and one more: nothing is set aside for a list that is too long. One with commas in its scopes goes the long way.
    if commas(json) >= most {
        return None;
    }
    let list: List<'_> = serde_json::from_str(text(json)?).ok()?;
    let is_fine = list.scopes.len() <= most && list.scopes.iter().all(|scope| is_valid_scope(&scope.0));
    let mut seen = HashSet::with_capacity_and_hasher(list.scopes.len(), RandomState::default());
    (is_fine && list.scopes.iter().all(|scope| seen.insert(scope.as_ref()))).then_some(list)
}

/// How many commas there are. Many bytes are looked at at once: byte by byte, this alone was a tenth of what a list of a hundred scopes cost.
pub(crate) fn commas(json: &[u8]) -> usize {
    memchr::memchr_iter(b',', json).count()
}

/// The body as text, looked at once as a whole: else each string in it is looked at by itself.
pub(crate) fn text(json: &[u8]) -> Option<&str> {
    std::str::from_utf8(json).ok()
}

fn of_body(json: &[u8]) -> Option<HawkRequest<'_>> {
    let request: HawkRequest<'_> = serde_json::from_str(text(json)?).ok()?;
    // What goes with access tokens, which are not for authenticateHawk.
    let has_more = request.dpop.is_some() || request.follow_up.is_some() || request.scheme.is_some();
    (!has_more && request.fits()).then_some(request)
}

#[cfg(test)]
mod tests {
    use falconer_wire::{Service, schemas};
    use serde_json::{Value, json};

    use super::*;
    use crate::api::request::budget;
    use crate::api::request::schema::Schemas;

    #[test]
    fn the_methods_are_those_of_the_schema() {
        let schema: Value = serde_json::from_str(schemas::get(Service::Auth, "authenticate-hawk-request").unwrap().json).unwrap();
        assert_eq!(schema["properties"]["method"]["enum"], json!(METHODS));
    }

    /// Bodies made of usual and unusual values for each property: what is read here fits the schema and says the same, and the usual ones are read here.
    #[test]
    fn what_is_read_here_is_what_the_long_way_reads() {
        let schemas = Schemas::new();
        let method = Method::of(Call::AuthenticateHawk).unwrap();
        let texts = ["\"get\"", "\"GET\"", "\"\"", "null", "1", "[]", "\"g\\u0065t\"", "\"m-search\""];
        let hosts =
            ["\"h.example\"", "\"h_x\"", "\"\"", "\"127.0.0.1\"", "\"[::1]\"", "\"::1\"", "\"[::1\"", "\"h:1\"", "\"h\\u002eexample\""];
        let ports = ["443", "443.0", "0", "65535", "65536", "-1", "\"443\"", "4.43e2", "null"];
        let rest = [
            "",
            ",\"authorization\":\"Hawk id=\\\"a\\\"\"",
            ",\"authorization\":\"\\\"\\\\\\\"\"",
            ",\"authorization\":\"a\\tb\\u0022\\/\\\"\"",
            ",\"authorization\":\"\\\\\\\\\"",
            ",\"authorization\":null",
            ",\"authorization\":1",
            ",\"sourceIp\":\"::1\"",
            ",\"sourceIp\":\"1.2.3\"",
            ",\"sourceIp\":null",
            ",\"extra\":1",
            ",\"dpop\":\"x\"",
            ",\"scheme\":\"http\"",
            ",\"followUp\":\"x\"",
            ",\"port\":1",
            ",\"authorization\":\"\\ud800\"",
            ",\"sourceIp\":\"127.0.0.1\",\"authorization\":\"\"",
        ];
        let (mut read_here, mut bodies) = (0, 0);
        for (m, h, p, r) in each(&texts, &hosts, &ports, &rest) {
            let body = format!("{{\"method\":{m},\"resource\":\"/a\\\"b\",\"host\":{h},\"port\":{p}{r}}}");
            bodies += 1;
            let Some(request) = of_body(body.as_bytes()) else { continue };
            read_here += 1;
            let mut long: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(schemas.check(method, "http://x", &mut long), Ok(()), "{body}");
            let parts = request.parts();
            assert_eq!(long["method"], json!(parts.method), "{body}");
            assert_eq!(long["resource"], json!(parts.resource), "{body}");
            assert_eq!(long["host"], json!(parts.host), "{body}");
            assert_eq!(long["port"].as_f64(), Some(f64::from(parts.port)), "{body}");
            assert_eq!(long.get("authorization").and_then(Value::as_str), parts.authorization, "{body}");
        }
        assert_eq!((bodies, read_here), (8 * 9 * 9 * 17, 3 * 6 * 3 * 7), "usual bodies are read here");
        for not_json in ["", "[]", "null", "{", "\u{feff}{}"] {
            assert!(of_body(not_json.as_bytes()).is_none());
        }
    }

    #[test]
    fn a_list_that_is_read_here_is_what_the_long_way_reads() {
        let schemas = Schemas::new();
        let method = Method::of(Call::ExpandScopes).unwrap();
        let many = (0..MOST_SCOPES).map(|n| format!("\"s{n}\"")).collect::<Vec<_>>().join(",");
        let mut read_here = 0;
        for list in [
            "[]",
            "[\"a\"]",
            "[\"a\",\"b*\"]",
            "[\"a\\u0062\",\"\"]",
            "[\"a\",\"a\"]",
            "[\"a\",\"\\u0061\"]",
            "[\"\u{e9}\"]",
            "[\"\\n\"]",
            "[1]",
            "null",
            "[null]",
            "[\"a\"],\"x\":1",
            "[\"a\"],\"scopes\":[]",
            "[\"~ \\\\ \\\"\"]",
            &format!("[{many}]"),
            &format!("[{many},\"one more\"]"),
        ] {
            let body = format!("{{\"scopes\":{list}}}");
            let Some(read) = list_of_body(body.as_bytes(), &budget::of_known(method, 0)) else { continue };
            read_here += 1;
            let mut long: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(schemas.check(method, "http://x", &mut long), Ok(()), "{body}");
            let read: Vec<&str> = read.scopes.iter().map(AsRef::as_ref).collect();
            assert_eq!(long["scopes"], json!(read), "{body}");
        }
        assert_eq!(read_here, 6, "usual bodies are read here");
    }

    fn each<'a>(
        a: &'a [&'a str],
        b: &'a [&'a str],
        c: &'a [&'a str],
        d: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a str, &'a str)> {
        a.iter().flat_map(move |a| b.iter().flat_map(move |b| c.iter().flat_map(move |c| d.iter().map(move |d| (*a, *b, *c, *d)))))
    }
}
