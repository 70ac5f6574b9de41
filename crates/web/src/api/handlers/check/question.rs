//! What a service asks, borrowed from the body.
//!
//! The usual form is read without a JSON value and without the schema; what is read so fits the schema, and means the same. Whatever is unusual is left to the
//! long way, which says what is wrong with it. A test holds the two against each other.

use std::borrow::Cow;
use std::collections::HashSet;

use falconer_auth::{Question as AuthQuestion, RequestParts};
use falconer_scopes::Expression;
use falconer_wire::{Call, Code};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use crate::api::answer::failure::Failure;
use crate::api::handlers::plain::{HawkRequest, commas, text};
use crate::api::request::budget::Budget;

/// Of all expressions of one call, in bytes: so large is an answer at most that repeats them, and so long somebody looks for their scopes.
const MOST_EXPRESSION_BYTES: usize = 16 * 1024;
/// How deep an expression is nested, as the schema has it.
const MOST_DEPTH: usize = 8;
/// Parts of one `AllOf` or `AnyOf`.
const MOST_PARTS: usize = 256;
/// Prefixes of `reveal`, and the length of one.
const MOST_PREFIXES: usize = 16;
const LONGEST_PREFIX: usize = 1000;
/// Expressions of `each`.
const MOST_EACH: usize = 128;
/// Questions of one call.
const MOST_CHECKS: usize = 16;

/// The body of `check` or `checks`: one question, or many.
pub(crate) enum CheckBody<'b> {
    One(Box<Question<'b>>),
    Many(Vec<Question<'b>>),
}

/// One question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Question<'b> {
    #[serde(borrow)]
    request: HawkRequest<'b>,
    pub(crate) required: Expression,
    #[serde(borrow, default, deserialize_with = "never_null")]
    payload_hash: Option<Text<'b>>,
    #[serde(borrow, default, deserialize_with = "never_null")]
    reveal: Option<Prefixes<'b>>,
    #[serde(default)]
    identity: bool,
    #[serde(default)]
    bearer: bool,
    #[serde(default, deserialize_with = "never_null")]
    each: Option<Vec<Expression>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Questions<'b> {
    #[serde(borrow)]
    checks: Vec<Question<'b>>,
}

#[derive(Deserialize)]
struct Text<'b>(#[serde(borrow)] Cow<'b, str>);

/// Prefixes, as the use case takes them.
struct Prefixes<'b>(Vec<Cow<'b, str>>);

impl<'de: 'b, 'b> Deserialize<'de> for Prefixes<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts: Vec<Text<'b>> = Vec::deserialize(deserializer)?;
        Ok(Prefixes(texts.into_iter().map(|Text(text)| text).collect()))
    }
}

/// `null` is nothing of the kind: the schema refuses it.
fn never_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'b> CheckBody<'b> {
    /// The usual form. `None`: the long way has to look at it.
    pub(crate) fn of_body(call: Call, json: &'b [u8], budget: &Budget) -> Option<CheckBody<'b>> {
        // About as many values as commas: nothing is set aside for more than may be.
        if commas(json) >= budget.nodes {
            return None;
        }
        let body = CheckBody::read(call, text(json)?).ok()?;
        let questions = body.questions();
        let fits = (1..=MOST_CHECKS).contains(&questions.len())
            && questions.iter().all(Question::fits)
            && body.expression_bytes() <= MOST_EXPRESSION_BYTES;
        fits.then_some(body)
    }

    /// What has passed its schema. Errors: expressions that are too long.
    pub(crate) fn of_json(call: Call, json: &'b str) -> Result<CheckBody<'b>, Failure> {
        let body = CheckBody::read(call, json)
            .map_err(|error| Failure::new(Code::InputValidationError, format!("\nSchema Validation Failed!\nErrors:\n  * {error}")))?;
        if body.expression_bytes() > MOST_EXPRESSION_BYTES {
            let text = format!("The expressions of one call may hold at most {MOST_EXPRESSION_BYTES} bytes");
            return Err(Failure::new(Code::InputTooLarge, text));
        }
        Ok(body)
    }

    fn read(call: Call, json: &'b str) -> serde_json::Result<CheckBody<'b>> {
        Ok(match call {
            Call::Checks => CheckBody::Many(serde_json::from_str::<Questions<'b>>(json)?.checks),
            _ => CheckBody::One(serde_json::from_str(json)?),
        })
    }

    pub(crate) fn questions(&self) -> &[Question<'b>] {
        match self {
            CheckBody::One(question) => std::slice::from_ref(&**question),
            CheckBody::Many(questions) => questions,
        }
    }

    fn expression_bytes(&self) -> usize {
        let all = self.questions().iter().flat_map(|question| std::iter::once(&question.required).chain(question.each.iter().flatten()));
        all.map(Expression::text_bytes).fold(0, usize::saturating_add)
    }
}

impl Question<'_> {
    pub(crate) fn auth(&self) -> AuthQuestion<'_> {
        AuthQuestion {
            parts: self.parts(),
            proof: self.request.proof(),
            required: &self.required,
            payload_hash: self.payload_hash.as_ref().map(|Text(hash)| hash.as_ref()),
            each: self.each.as_deref(),
            reveal: self.reveal.as_ref().map(|Prefixes(prefixes)| prefixes.as_slice()),
            identity: self.identity,
            bearer: self.bearer,
        }
    }

    pub(crate) fn parts(&self) -> RequestParts<'_> {
        self.request.parts()
    }

    /// Whether it is as the schema has it.
    fn fits(&self) -> bool {
        self.request.fits()
            && expression_fits(&self.required, MOST_DEPTH)
            && self.payload_hash.as_ref().is_none_or(|Text(hash)| is_hash(hash))
            && self.reveal.as_ref().is_none_or(|Prefixes(prefixes)| prefixes_fit(prefixes))
            && self.each.as_ref().is_none_or(|each| each.len() <= MOST_EACH && each.iter().all(|one| expression_fits(one, MOST_DEPTH)))
    }
}

fn expression_fits(expression: &Expression, depth: usize) -> bool {
    match expression {
        // Not only what can be granted: a service asks about what its callers write into a path, and a star covers any text.
        Expression::Scope(scope) => !scope.is_empty(),
        Expression::AllOf(parts) | Expression::AnyOf(parts) => {
            parts.len() <= MOST_PARTS && depth.checked_sub(1).is_some_and(|depth| parts.iter().all(|part| expression_fits(part, depth)))
        }
    }
}

fn prefixes_fit(prefixes: &[Cow<'_, str>]) -> bool {
    let fits = |prefix: &str| prefix.len() <= LONGEST_PREFIX && is_printable(prefix) && prefix.contains(':') && !prefix.ends_with('*');
    let mut seen = HashSet::new();
    prefixes.len() <= MOST_PREFIXES && prefixes.iter().all(|prefix| fits(prefix) && seen.insert(prefix.as_ref()))
}

fn is_printable(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// SHA-256 in base64.
fn is_hash(text: &str) -> bool {
    let digits = text.strip_suffix('=').unwrap_or_default();
    digits.len() == 43 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// The schema lets 443.0 through: it is an integer. Here it becomes one.
pub(crate) fn with_whole_ports(json: &mut Value) {
    let whole = |question: &mut Value| {
        let Some(port) = question.get_mut("request").and_then(|request| request.get_mut("port")) else { return };
        if let Some(number) = port.as_f64().filter(|number| (0.0..=65535.0).contains(number) && number.fract() == 0.0) {
            *port = Value::Number(Number::from(number as u16));
        }
    };
    whole(json);
    json.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten().for_each(whole);
}

#[cfg(test)]
mod tests {
    use falconer_wire::Method;
    use serde_json::json;

    use super::*;
    use crate::api::request::budget;
    use crate::api::request::schema::Schemas;

    /// Bodies made of usual and unusual values for each property: what is read on the short way fits the schema and says the same.
    #[test]
    fn what_is_read_on_the_short_way_is_what_the_long_way_reads() {
        let schemas = Schemas::new();
        let deep = |depth: usize| (0..depth).fold("\"x\"".to_owned(), |inner, _| format!("{{\"AnyOf\":[{inner}]}}"));
        let many = |count: usize| format!("[{}]", vec!["\"x\""; count].join(","));
        let (deepest, too_deep, parts) = (deep(MOST_DEPTH), deep(MOST_DEPTH + 1), format!("{{\"AllOf\":{}}}", many(MOST_PARTS + 1)));
        let required = [
            "\"x\"",
            "\"\"",
            "\"\\u0078\"",
            "\"\u{e9}\"",
            "null",
            "1",
            "[]",
            "{}",
            "{\"AllOf\":[]}",
            "{\"AnyOf\":[\"a b\",{\"AllOf\":[\"c\"]}]}",
            "{\"AllOf\":[],\"AnyOf\":[]}",
            "{\"allOf\":[]}",
            "{\"AllOf\":\"x\"}",
            "{\"AllOf\":[\"\"]}",
            &deepest,
            &too_deep,
            &parts,
        ];
        let hash = format!("\"{}=\"", "a".repeat(43));
        let long = format!("[\"{}:\"]", "a".repeat(LONGEST_PREFIX));
        let (each, too_many) = (many(MOST_EACH), many(MOST_EACH + 1));
        let prefixes: Vec<String> = (0..=MOST_PREFIXES).map(|n| format!("\"p{n}:\"")).collect();
        let prefixes = format!("[{}]", prefixes.join(","));
        let values = [
            ("payloadHash", vec![hash.as_str(), "null", "\"x\"", "1"]),
            (
                "reveal",
                vec![
                    "[]",
                    "[\"a:\",\"a:b\"]",
                    "[\"a\"]",
                    "[\"a:*\"]",
                    "[\"a:\",\"a:\"]",
                    "[\"a:*b\"]",
                    "[\"\u{e9}:\"]",
                    "null",
                    "[null]",
                    &long,
                    &prefixes,
                ],
            ),
            ("identity", vec!["true", "false", "null", "1"]),
            ("bearer", vec!["true", "false", "null", "1"]),
            ("each", vec!["[]", "[\"x\"]", "[\"\"]", "null", &each, &too_many]),
            ("extra", vec!["1"]),
        ];
        let optional: Vec<String> = values
            .iter()
            .flat_map(|(key, values)| values.iter().map(move |value| format!(",\"{key}\":{value}")))
            .chain([String::new()])
            .collect();
        let requests = [
            "{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":443}",
            "{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":443,\"dpop\":\"x\",\"followUp\":\"y\",\"scheme\":\"http\"}",
            "{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":443,\"scheme\":\"ftp\"}",
            "{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":443,\"scheme\":null}",
            "{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":443,\"dpop\":null}",
            "{\"method\":\"GET\",\"resource\":\"/\",\"host\":\"h\",\"port\":443}",
            "{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":443,\"more\":1}",
            "null",
        ];
        let (mut bodies, mut fitting, mut read_here) = (0, 0, 0);
        for request in requests {
            for required in required {
                for optional in &optional {
                    let one = format!("{{\"request\":{request},\"required\":{required}{optional}}}");
                    let several = format!("{{\"checks\":[{one},{one}]}}");
                    for (call, body) in [(Call::Check, one), (Call::Checks, several)] {
                        let method = Method::of(call).unwrap();
                        let mut long: Value = serde_json::from_str(&body).unwrap();
                        let fits = schemas.check(method, "http://x", &mut long) == Ok(());
                        bodies += 1;
                        fitting += usize::from(fits);
                        let Some(here) = CheckBody::of_body(call, body.as_bytes(), &budget::of_stranger(method)) else { continue };
                        read_here += 1;
                        assert!(fits, "{body}");
                        let long = long.to_string();
                        let there = CheckBody::of_json(call, &long).unwrap_or_else(|_| panic!("{body}"));
                        assert_eq!(here.questions().len(), there.questions().len());
                        for (here, there) in here.questions().iter().zip(there.questions()) {
                            let (here, there) = (here.auth(), there.auth());
                            assert_eq!(
                                (here.required, here.payload_hash, here.each),
                                (there.required, there.payload_hash, there.each),
                                "{body}"
                            );
                            assert_eq!(
                                (
                                    here.reveal,
                                    here.identity,
                                    here.bearer,
                                    here.parts.port,
                                    here.proof.dpop,
                                    here.proof.follow_up,
                                    here.proof.url_scheme
                                ),
                                (
                                    there.reveal,
                                    there.identity,
                                    there.bearer,
                                    there.parts.port,
                                    there.proof.dpop,
                                    there.proof.follow_up,
                                    there.proof.url_scheme
                                ),
                                "{body}"
                            );
                        }
                    }
                }
            }
        }
        println!("{bodies} bodies, {fitting} fit the schema, {read_here} were read on the short way");
        assert_eq!(fitting, 2 * 2 * 6 * 12, "what fits: two requests, six expressions, twelve properties");
        assert_eq!(read_here, fitting, "all that fit are usual");
        assert!(CheckBody::of_body(Call::Checks, br#"{"checks":[]}"#, &budget::of_stranger(Method::of(Call::Checks).unwrap())).is_none());
    }

    #[test]
    fn a_port_is_a_whole_number_however_it_is_written() {
        let mut json = json!({"request": {"port": 443.0}, "checks": [{"request": {"port": 80.0}}, {"request": {"port": 0.5}}, 1]});
        with_whole_ports(&mut json);
        assert_eq!(json, json!({"request": {"port": 443}, "checks": [{"request": {"port": 80}}, {"request": {"port": 0.5}}, 1]}));
    }
}
