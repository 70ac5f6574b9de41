//! The HTTP directory, as the one of Mozilla answered: what people get of it, and answers that give nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use falconer_login::ProviderError as E;
use falconer_login::http::{AllowedAddresses, HttpError as H, ProviderAnswer, ProviderHttp, ProviderRequest};
use falconer_login::http_directory::{AnswerPaths, HttpDirectory, HttpDirectoryError as D, HttpDirectorySettings};
use falconer_login::{Attributes, Directory as _, Known};
use falconer_store::Secret;
use serde_json::{Value, json};

const KEY: &str = "canary";
const LIST: &str = "/api/v2/users/";
const PROFILE: &str = "/api/v2/users/1111/";

type Answer = Result<ProviderAnswer, H>;

/// The directory inside of the test. It answers nobody without the key.
struct People {
    answers: HashMap<&'static str, Answer>,
    requests: Mutex<Vec<String>>,
}

#[async_trait]
impl ProviderHttp for People {
    async fn send(&self, request: ProviderRequest) -> Answer {
        assert_eq!(
            (request.url.origin().ascii_serialization().as_str(), request.allowed_addresses),
            ("https://mozillians.org", AllowedAddresses::Own)
        );
        assert!(request.form.is_none() && request.authorization.is_none());
        let (header, key) = request.key.expect("the directory wants a key");
        assert_eq!((header.as_str(), key.as_str()), ("X-API-KEY", KEY));
        self.requests.lock().unwrap().push(request.url.to_string());
        self.answers.get(request.url.path()).cloned().unwrap_or_else(|| json_answer(404, &json!({"detail": "Not found."})))
    }
}

fn json_answer(status: u16, body: &Value) -> Answer {
    bytes_answer(status, body.to_string().as_bytes())
}

fn bytes_answer(status: u16, body: &[u8]) -> Answer {
    Ok(ProviderAnswer { status, content_type: "application/json".into(), body: body.to_vec(), ..ProviderAnswer::default() })
}

/// A question that works, until something of it is changed.
struct Case {
    settings: HttpDirectorySettings,
    list: Value,
    profile: Value,
    instead: HashMap<&'static str, Answer>,
}

fn path(text: &str) -> Vec<String> {
    text.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn case() -> Case {
    let paths = AnswerPaths {
        profiles: path("results"),
        details: path("_url"),
        username: path("username"),
        vouched: path("is_vouched"),
        groups: path("groups.value.name"),
        email: path("email.value"),
    };
    let url = "https://mozillians.org/api/v2/users/?email={email}".to_owned();
    let found = json!({"username": "you", "is_vouched": true, "_url": "https://mozillians.org/api/v2/users/1111/"});
    Case {
        settings: HttpDirectorySettings { url, key: Some(("X-API-KEY".into(), Secret::new(KEY))), paths, require_vouched: true },
        list: json!({"count": 1, "next": null, "previous": null, "results": [found]}),
        profile: json!({
            "username": "you",
            "is_vouched": true,
            "email": {"value": "You@example.com", "privacy": "Mozillians"},
            "groups": {"value": [{"name": "vip", "url": "x"}, {"name": "releng", "url": "y"}], "privacy": "Public"},
            "_url": "/api/v2/users/1111/",
        }),
        instead: HashMap::new(),
    }
}

async fn of(directory: &HttpDirectory, email: Option<&str>) -> Result<Option<Attributes>, E> {
    directory.look_up(&Known { subject: "1", username: Some("admin"), email, handle: None }, 0).await
}

impl Case {
    fn found(&mut self, name: &str, value: Value) {
        self.list["results"][0][name] = value;
    }

    fn asks(self) -> (HttpDirectory, Arc<People>) {
        let mut answers = HashMap::from([(LIST, json_answer(200, &self.list)), (PROFILE, json_answer(200, &self.profile))]);
        answers.extend(self.instead);
        let people = Arc::new(People { answers, requests: Mutex::default() });
        (HttpDirectory::new(self.settings, people.clone()).unwrap(), people)
    }

    async fn ask(self) -> Result<Option<Attributes>, E> {
        of(&self.asks().0, Some("you@example.com")).await
    }
}

async fn after(change: impl Fn(&mut Case)) -> Result<Option<Attributes>, E> {
    let mut case = case();
    change(&mut case);
    case.ask().await
}

fn you(groups: &[&str]) -> Attributes {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Attributes { subject: "you".into(), username: Some("you".into()), groups, ..Attributes::default() }
}

#[tokio::test]
async fn a_person_as_the_directory_knows_them() {
    let (directory, people) = case().asks();
    assert_eq!(of(&directory, Some("a+b&x=y@example.com")).await, Err(E::OtherPerson));
    assert_eq!(of(&directory, Some("you@example.com")).await, Ok(Some(you(&["releng", "vip"]))));
    let requests = people.requests.lock().unwrap().clone();
    assert_eq!(requests[0], "https://mozillians.org/api/v2/users/?email=a%2Bb%26x%3Dy%40example%2Ecom");
    assert_eq!(
        requests[1..],
        [requests[1].as_str(), "https://mozillians.org/api/v2/users/?email=you%40example%2Ecom", requests[1].as_str()]
    );
}

type Accepted = (&'static str, fn(&mut Case), Option<&'static [&'static str]>);

/// Each answer that is one, and the groups that it gives; `None`: nothing at all.
const ACCEPTED: &[Accepted] = &[
    ("as it is", |_| (), Some(&["releng", "vip"])),
    ("details somewhere below", |c| c.found("_url", json!("/api/v2/users/1111/")), Some(&["releng", "vip"])),
    ("one of several addresses", |c| c.profile["email"] = json!({"value": ["a@b.example", "you@example.com"]}), Some(&["releng", "vip"])),
    (
        "groups that are texts",
        |c| (c.settings.paths.groups, c.profile["groups"]) = (path("groups"), json!(["b", "a", "b"])),
        Some(&["a", "b"]),
    ),
    (
        "groups of several lists",
        |c| c.profile["groups"] = json!([{"value": {"name": "b"}}, {"value": [{"name": ["a", "c"]}]}]),
        Some(&["a", "b", "c"]),
    ),
    ("groups that are hidden", |c| c.profile["groups"] = json!({"privacy": "Mozillians"}), Some(&[])),
    ("groups that are null", |c| c.profile["groups"] = Value::Null, Some(&[])),
    ("no groups are asked for", |c| c.settings.paths.groups.clear(), Some(&[])),
    ("nobody", |c| c.list = json!({"count": 0, "results": []}), None),
    ("nobody, in a status", |c| drop(c.instead.insert(LIST, json_answer(404, &json!({})))), None),
    ("no details any more", |c| drop(c.instead.insert(PROFILE, json_answer(404, &json!({})))), None),
    ("not vouched for", |c| c.profile["is_vouched"] = json!(false), None),
    ("nothing is said of vouching", |c| drop(c.profile.as_object_mut().unwrap().remove("is_vouched")), None),
    ("vouching is hidden", |c| c.profile["is_vouched"] = Value::Null, None),
    (
        "vouched for in the list alone",
        |c| (c.list["results"][0]["is_vouched"], c.profile["is_vouched"]) = (json!(true), json!(false)),
        None,
    ),
    (
        "not vouched for, where that is not required",
        |c| (c.settings.require_vouched, c.profile["is_vouched"]) = (false, json!(false)),
        Some(&[]),
    ),
    (
        "one document",
        |c| {
            c.settings.paths.details.clear();
            c.settings.paths.profiles.clear();
            c.list = c.profile.clone();
        },
        Some(&["releng", "vip"]),
    ),
];

#[tokio::test]
async fn answers_that_count() {
    for (name, change, groups) in ACCEPTED {
        assert_eq!(after(change).await, Ok(groups.map(you)), "{name}");
    }
}

type Row = (&'static str, fn(&mut Case), fn(&E) -> bool);

macro_rules! row {
    ($name:expr, $change:expr, $reason:pat) => {
        ($name, $change, |error| matches!(error, $reason))
    };
}

const HOSTILE: &[Row] = &[
    row!(
        "two profiles of one address",
        |c| c.list["results"] = json!([c.list["results"][0], {"username": "other"}]),
        E::HttpDirectory(D::Several(2))
    ),
    row!(
        "the same profile twice",
        |c| c.list["results"] = json!([c.list["results"][0], c.list["results"][0]]),
        E::HttpDirectory(D::Several(2))
    ),
    row!("a list that is none", |c| c.list["results"] = json!({"0": {}}), E::HttpDirectory(D::NoProfiles(_))),
    row!("a list that is null", |c| c.list["results"] = Value::Null, E::HttpDirectory(D::NoProfiles(_))),
    row!("no list", |c| c.list = json!({"count": 1}), E::HttpDirectory(D::NoProfiles(_))),
    row!("a profile that is text", |c| c.list["results"] = json!(["you"]), E::Malformed { .. }),
    row!("a list of lists", |c| c.list["results"] = json!([[c.list["results"][0]]]), E::Malformed { .. }),
    row!("another person's profile", |c| c.profile["email"]["value"] = json!("other@example.com"), E::OtherPerson),
    row!("an address that begins so", |c| c.profile["email"]["value"] = json!("you@example.com.evil.example"), E::OtherPerson),
    row!("an address that looks like it", |c| c.profile["email"]["value"] = json!("yоu@example.com"), E::OtherPerson),
    row!("an address in spaces", |c| c.profile["email"]["value"] = json!(" you@example.com"), E::OtherPerson),
    row!("no address", |c| c.profile["email"] = Value::Null, E::OtherPerson),
    row!("an address that is a number", |c| c.profile["email"]["value"] = json!(1), E::ClaimType { .. }),
    row!("another address in the list", |c| c.found("email", json!({"value": "other@example.com"})), E::OtherPerson),
    row!("another name in the details", |c| c.profile["username"] = json!("admin"), E::OtherPerson),
    row!(
        "details at another host",
        |c| c.found("_url", json!("https://evil.example/api/v2/users/1111/")),
        E::HttpDirectory(D::Elsewhere(_))
    ),
    row!("details without a scheme", |c| c.found("_url", json!("//evil.example/")), E::HttpDirectory(D::Elsewhere(_))),
    row!("details behind a backslash", |c| c.found("_url", json!("\\\\evil.example/")), E::HttpDirectory(D::Elsewhere(_))),
    row!("details without TLS", |c| c.found("_url", json!("http://mozillians.org/api/v2/users/1111/")), E::HttpDirectory(D::Elsewhere(_))),
    row!("details at another port", |c| c.found("_url", json!("https://mozillians.org:444/")), E::HttpDirectory(D::Elsewhere(_))),
    row!("details with a user", |c| c.found("_url", json!("https://x@mozillians.org/")), E::HttpDirectory(D::Elsewhere(_))),
    row!(
        "details whose host is a user",
        |c| c.found("_url", json!("https://mozillians.org@evil.example/")),
        E::HttpDirectory(D::Elsewhere(_))
    ),
    row!("details inside", |c| c.found("_url", json!("http://169.254.169.254/")), E::HttpDirectory(D::Elsewhere(_))),
    row!("details in a file", |c| c.found("_url", json!("file:///etc/passwd")), E::HttpDirectory(D::Elsewhere(_))),
    row!("details that are a number", |c| c.found("_url", json!(1111)), E::ClaimType { .. }),
    row!("no details", |c| c.found("_url", Value::Null), E::Malformed { .. }),
    row!("details in a list", |c| c.profile = json!([c.profile]), E::Malformed { .. }),
    row!("details that are text", |c| c.profile = json!("you"), E::Malformed { .. }),
    row!("vouched for as text", |c| c.profile["is_vouched"] = json!("true"), E::ClaimType { .. }),
    row!("vouched for as a number", |c| c.profile["is_vouched"] = json!(1), E::ClaimType { .. }),
    row!("vouched for twice", |c| c.profile["is_vouched"] = json!([false, true]), E::ClaimType { .. }),
    row!(
        "a name that is a number",
        |c| (c.list["results"][0]["username"], c.profile["username"]) = (Value::Null, json!(1)),
        E::ClaimType { .. }
    ),
    row!("two names", |c| c.profile["username"] = json!(["you", "admin"]), E::ClaimType { .. }),
    row!("groups as text", |c| c.profile["groups"] = json!("vip"), E::ClaimType { .. }),
    row!("groups inside of text", |c| c.profile["groups"]["value"] = json!("vip"), E::ClaimType { .. }),
    row!("a number among groups", |c| c.profile["groups"]["value"][0]["name"] = json!(1), E::ClaimType { .. }),
    row!("an object among groups", |c| c.profile["groups"]["value"][0]["name"] = json!({"x": 1}), E::ClaimType { .. }),
    row!("true among groups", |c| c.profile["groups"]["value"][0]["name"] = json!(true), E::ClaimType { .. }),
    row!(
        "1001 groups",
        |c| c.profile["groups"]["value"] = (0..1001).map(|n| json!({"name": n.to_string()})).collect(),
        E::TooManyGroups(_)
    ),
    row!("no JSON", |c| drop(c.instead.insert(LIST, bytes_answer(200, b"<html>"))), E::Malformed { .. }),
    row!("nothing", |c| drop(c.instead.insert(LIST, bytes_answer(200, b""))), E::Malformed { .. }),
    row!("half of JSON", |c| drop(c.instead.insert(PROFILE, bytes_answer(200, b"{\"username\":"))), E::Malformed { .. }),
    row!("JSON that is deep", |c| drop(c.instead.insert(LIST, bytes_answer(200, "[".repeat(100_000).as_bytes()))), E::Malformed { .. }),
    row!(
        "a wrong key",
        |c| drop(c.instead.insert(LIST, json_answer(403, &json!({"detail": "Wrong key."})))),
        E::Status { status: 403, .. }
    ),
    row!("no content", |c| drop(c.instead.insert(LIST, bytes_answer(204, b""))), E::Status { status: 204, .. }),
    row!("an error of the server", |c| drop(c.instead.insert(LIST, bytes_answer(500, b"{}"))), E::Status { status: 500, .. }),
    row!("too many questions", |c| drop(c.instead.insert(PROFILE, bytes_answer(429, b"{}"))), E::Status { status: 429, .. }),
    row!("a redirect", |c| drop(c.instead.insert(LIST, Err(H::Redirected))), E::Http { error: H::Redirected, .. }),
    row!("a redirect of the details", |c| drop(c.instead.insert(PROFILE, Err(H::Redirected))), E::Http { error: H::Redirected, .. }),
    row!("an address inside", |c| drop(c.instead.insert(LIST, Err(H::Inside("x".into())))), E::Http { error: H::Inside(_), .. }),
    row!("too much", |c| drop(c.instead.insert(LIST, Err(H::TooLarge))), E::Http { error: H::TooLarge, .. }),
    row!("too slow", |c| drop(c.instead.insert(PROFILE, Err(H::TooSlow))), E::Http { error: H::TooSlow, .. }),
    row!("nobody there", |c| drop(c.instead.insert(LIST, Err(H::Unreachable("x".into())))), E::Http { error: H::Unreachable(_), .. }),
];

#[tokio::test]
async fn no_hostile_answer_gives_anything() {
    let mut wrong = Vec::new();
    for (name, change, is_the_reason) in HOSTILE {
        match after(change).await {
            Err(error) if is_the_reason(&error) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(HOSTILE.len() >= 50, "only {} cases", HOSTILE.len());
}

/// A name that somebody has elsewhere says nothing of who they are here.
#[tokio::test]
async fn without_a_verified_address_nobody_is_asked_for() {
    let (directory, people) = case().asks();
    assert_eq!(of(&directory, None).await, Ok(None));
    assert!(people.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_operator_can_try_it() {
    let mut empty = case();
    empty.list = json!({"results": []});
    let (directory, people) = empty.asks();
    let found = directory.probe(0).await.unwrap();
    assert!(found.iter().any(|(_, found)| found.contains("as it should be")), "{found:?}");
    assert_eq!(people.requests.lock().unwrap().len(), 1);
    let mut believing = case();
    believing.settings.paths.email.clear();
    let found = believing.asks().0.probe(0).await.unwrap();
    assert!(found.iter().any(|(_, found)| found.contains("whom there is not")), "{found:?}");
}
