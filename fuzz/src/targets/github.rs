//! What GitHub answers: whatever it is, only members are signed in, a token goes nowhere else, and no scope is given that the operator has not begun.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use falconer_login::github::{GithubProvider, GithubSettings};
use falconer_login::http::{HttpError, ProviderAnswer, ProviderHttp, ProviderRequest};
use falconer_login::mapping::Mapping;
use falconer_login::{Answer, Attributes, Callback, IdentityProvider as _, Turn};
use falconer_scopes::is_valid_scope;
use falconer_store::Secret;
use serde_json::{Map, Value};

use super::provider::{attempt, kind};
use super::{Outcome, magnitude, text};
use crate::site::NOW_MS;

/// What each list is answered with.
#[derive(Default)]
struct Lists {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    requests: Mutex<usize>,
}

#[async_trait]
impl ProviderHttp for Lists {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        let path = match request.url.origin().ascii_serialization().as_str() {
            "https://github.com" => "token",
            "https://api.github.com" => request.url.path(),
            elsewhere => panic!("{elsewhere} is asked"),
        };
        if let Ok(mut requests) = self.requests.lock() {
            *requests += 1;
        }
        let body: &[u8] = match path {
            "token" => br#"{"access_token":"gho_x","token_type":"bearer"}"#,
            "/user" => br#"{"id":1,"login":"you","type":"User"}"#,
            "/user/teams" => br#"[{"slug":"releng","organization":{"id":7,"login":"mozilla"}}]"#,
            "/user/orgs" => &self.body,
            other => panic!("{other} is asked"),
        };
        let headers = if path == "/user/orgs" { self.headers.clone() } else { Vec::new() };
        Ok(ProviderAnswer { status: 200, content_type: "application/json".to_owned(), headers, body: body.to_vec() })
    }
}

fn github(http: Arc<dyn ProviderHttp>) -> GithubProvider {
    let settings = GithubSettings {
        url: None,
        client_id: "falconer".to_owned(),
        client_secret: Secret::new("x"),
        organizations: Some(["mozilla:7", "taskcluster"].map(str::to_owned).into()),
        groups: true,
        email: false,
    };
    match GithubProvider::new(settings, http) {
        Ok(provider) => provider,
        Err(error) => panic!("the settings of the target are wrong: {error}"),
    }
}

/// The person is a number, in an organisation of the list, and gets what the operator has begun.
fn check(person: &Attributes) -> Outcome {
    let templates =
        ["assume:person:{sub}/{username}", "assume:mail:{email}", "assume:org:{org}", "assume:team:{org}/{team}", "assume:group:{group}"];
    let beginnings = [
        "assume:login-identity:github/",
        "assume:everybody",
        "assume:person:",
        "assume:mail:",
        "assume:org:mozilla",
        "assume:org:taskcluster",
        "assume:team:mozilla/",
        "assume:team:taskcluster/",
        "assume:group:mozilla",
        "assume:group:taskcluster",
    ];
    let Ok(mapping) = Mapping::new(&templates.map(str::to_owned), [], None, true) else { panic!("the templates of the target are wrong") };
    assert!(person.subject.parse::<u64>().is_ok_and(|id| id > 0 && id.to_string() == person.subject), "{}", person.subject);
    let mapped = mapping.map("github", person);
    for scope in &mapped.scopes {
        assert!(is_valid_scope(scope) && !scope.ends_with('*'), "{scope:?}");
        assert!(beginnings.iter().any(|beginning| scope.starts_with(beginning)), "{scope:?}");
    }
    assert!(mapped.groups.iter().all(|group| group.split('/').count() <= 2), "{:?}", mapped.groups);
    assert!(mapped.groups.iter().any(|group| ["mozilla", "taskcluster"].contains(&group.as_str())), "nobody of the list is a member");
    format!("{} scopes, {} refused", magnitude(mapped.scopes.len()), magnitude(mapped.refused.len()))
}

/// The answers of all questions in one object.
pub(super) fn answers(bytes: &[u8]) -> Outcome {
    let Ok(answers) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return "no answers".to_owned() };
    match github(Arc::new(Lists::default())).attributes(&answers) {
        Ok(person) => check(&person),
        Err(error) => kind(&error),
    }
}

/// The header `Link` in the first line, that of single sign-on in the second, and the list.
pub(super) fn list(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let headers = [("link", part()), ("x-github-sso", part())];
    let headers = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let lists = Arc::new(Lists { headers, body: part().into_bytes(), requests: Mutex::default() });
    let callback = Answer::Callback(Callback { code: Some("code".to_owned()), ..Callback::default() });
    // The time that all pages together may take is one of this runtime.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { panic!("no runtime") };
    let outcome = match runtime.block_on(github(lists.clone()).finish(Turn::default(), &attempt(), &callback, NOW_MS)) {
        Ok(found) => check(&found.attributes),
        Err(error) => kind(&error),
    };
    assert!(lists.requests.lock().is_ok_and(|requests| *requests <= 13), "too many questions");
    outcome
}
