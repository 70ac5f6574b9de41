//! What an HTTP directory answers: the key goes nowhere else, and nobody gets a scope that the operator has not begun.

use std::sync::Arc;

use async_trait::async_trait;
use falconer_login::http::{HttpError, ProviderAnswer, ProviderHttp, ProviderRequest};
use falconer_login::http_directory::{AnswerPaths, HttpDirectory, HttpDirectorySettings};
use falconer_login::mapping::Mapping;
use falconer_login::{Directory as _, Known};
use falconer_scopes::is_valid_scope;
use falconer_store::Secret;

use super::provider::{at_once, kind};
use super::{Outcome, magnitude, text};
use crate::site::NOW_MS;

struct Documents {
    list: String,
    profile: String,
}

#[async_trait]
impl ProviderHttp for Documents {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        assert_eq!(request.url.origin().ascii_serialization(), "https://people.example.com");
        assert!(request.key.is_some() && request.url.username().is_empty());
        let body = if request.url.path() == "/users/" { &self.list } else { &self.profile };
        Ok(ProviderAnswer {
            status: 200,
            content_type: "application/json".to_owned(),
            body: body.clone().into(),
            ..ProviderAnswer::default()
        })
    }
}

/// The list in the first line, the profile in the rest.
pub(super) fn directory(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let (list, profile) = text.split_once('\n').unwrap_or((&text, ""));
    let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let paths = AnswerPaths {
        profiles: path(&["results"]),
        details: path(&["_url"]),
        username: path(&["username"]),
        vouched: path(&["vouched"]),
        groups: path(&["groups", "name"]),
        email: path(&["email"]),
    };
    let url = "https://people.example.com/users/?email={email}".to_owned();
    let key = Some(("X-API-Key".to_owned(), Secret::new("x")));
    let settings = HttpDirectorySettings { url, key, paths, require_vouched: true };
    let documents = Documents { list: list.to_owned(), profile: profile.to_owned() };
    let Ok(directory) = HttpDirectory::new(settings, Arc::new(documents)) else { panic!("the settings of the target are wrong") };
    let known = Known { subject: "1", username: None, email: Some("you@example.com"), handle: None };
    let person = match at_once(directory.look_up(&known, NOW_MS)) {
        Ok(Some(person)) => person,
        Ok(None) => return "nobody".to_owned(),
        Err(error) => return kind(&error),
    };
    // Whoever gets something is somebody for whom the profile says that it is theirs, and that they are vouched for.
    assert!(profile.to_ascii_lowercase().contains("you@example.com") || profile.contains("\\u"), "another person's profile");
    assert!(profile.contains("true"), "nobody vouches for them");
    let templates = ["assume:user:{username}", "assume:group:{group}"].map(str::to_owned);
    let Ok(mapping) = Mapping::new(&templates, [], None, false) else { panic!("the templates of the target are wrong") };
    let mapped = mapping.map("people", &person);
    for scope in mapped.scopes.iter().skip(2) {
        assert!(is_valid_scope(scope) && !scope.ends_with('*'), "{scope:?}");
        assert!(scope.starts_with("assume:user:") || scope.starts_with("assume:group:"), "{scope:?}");
    }
    format!("{} scopes, {} refused", magnitude(mapped.scopes.len()), magnitude(mapped.refused.len()))
}
