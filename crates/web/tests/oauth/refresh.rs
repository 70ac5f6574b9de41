//! Refresh tokens: each once, and whoever comes later ends the grant.

use std::sync::atomic::Ordering;

use crate::site::applications::{CALLBACK, Fields, authorization_fields, exchange, fields};
use crate::site::{Site, site, with};
use falconer_store::Store as _;
use http::StatusCode;

pub fn refresh(token: &str) -> Fields {
    fields(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "page")])
}

/// The access token and the refresh token of an answer.
fn pair(page: &crate::site::Page) -> (String, String) {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let json = page.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn first(site: &Site) -> (String, String) {
    let code = site.ann().await.code(&authorization_fields()).await;
    pair(&site.token(&exchange(&code)).await)
}

#[tokio::test]
async fn an_application_goes_on_for_as_long_as_the_grant_lives() {
    let site = site().await;
    let (mut access, mut next) = first(&site).await;
    assert!(next.starts_with("falconer_rt_"));
    let started_ms = site.clock.0.load(Ordering::SeqCst);
    let mut rounds = 0;
    // The grant lives a day.
    loop {
        site.clock.0.fetch_add(60 * 60_000, Ordering::SeqCst);
        let answer = site.token(&refresh(&next)).await;
        if answer.status != StatusCode::OK {
            assert_eq!(answer.oauth_error(), (400, "invalid_grant".to_owned()));
            break;
        }
        assert_eq!(answer.json()["scope"], "notes:read:* notes:write:mine");
        let (other_access, other) = pair(&answer);
        assert!(other_access != access && other != next);
        assert_eq!(site.credentials(&other_access).await.status, StatusCode::OK);
        (access, next) = (other_access, other);
        rounds += 1;
    }
    assert_eq!((rounds, site.clock.0.load(Ordering::SeqCst) - started_ms), (23, 24 * 60 * 60_000));
}

/// Story: nothing told a server that could not look at the token from one that may have used it, so that applications threw it away.
#[tokio::test]
async fn a_server_that_can_not_answer_now_says_that_nothing_was_used() {
    let site = site().await;
    let code = site.ann().await.code(&authorization_fields()).await;
    let at = |minutes: i64| site.clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    let now = (503, "temporarily_unavailable".to_owned());
    at(-600);
    assert_eq!(site.token(&exchange(&code)).await.oauth_error(), now);
    at(600);
    let (access, token) = pair(&site.token(&exchange(&code)).await);
    at(-600);
    assert_eq!(site.token(&refresh(&token)).await.oauth_error(), now);
    assert_eq!(site.credentials(&access).await.oauth_error(), now);
    at(600);
    pair(&site.token(&refresh(&token)).await);
}

/// Story: an access token that had ended ended its grant until the records of ended tokens were cleaned up, and nothing after that; the answer was 200 either way.
#[tokio::test]
async fn whichever_token_of_a_grant_is_revoked_and_whenever_the_grant_ends() {
    for (which, is_pruned) in [("access", false), ("access", true), ("refresh", false), ("refresh", true)] {
        let site = site().await;
        let (access, used) = first(&site).await;
        pair(&site.token(&refresh(&used)).await);
        site.clock.0.fetch_add(11 * 60_000, Ordering::SeqCst);
        if is_pruned {
            site.store.prune(site.clock.0.load(Ordering::SeqCst)).await.unwrap();
        }
        let token = if which == "access" { &access } else { &used };
        let revoke = |id: &str| fields(&[("token", token), ("client_id", id)]);
        let is_revoked = async || site.store.grants_of("local/ann").await.unwrap().iter().all(|grant| grant.revoked_ms.is_some());
        let by_another = site.application("/login/oauth/revoke", &revoke("other"), None).await;
        assert_eq!((by_another.oauth_error().0, is_revoked().await), (400, false), "{which} {is_pruned}");
        assert_eq!(site.application("/login/oauth/revoke", &revoke("page"), None).await.status, StatusCode::OK);
        assert!(is_revoked().await, "{which} {is_pruned}");
        // Once more, and one that is none.
        assert_eq!(site.application("/login/oauth/revoke", &revoke("page"), None).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_ends_the_grant() {
    for pruned in [false, true] {
        let site = site().await;
        let (_, used) = first(&site).await;
        let (access, next) = pair(&site.token(&refresh(&used)).await);
        if pruned {
            // What was used is forgotten; the text still says who made it.
            site.store.prune(site.clock.0.load(Ordering::SeqCst)).await.unwrap();
        }
        assert_eq!(site.token(&refresh(&used)).await.oauth_error(), (400, "invalid_grant".to_owned()));
        assert_eq!(site.credentials(&access).await.status, StatusCode::UNAUTHORIZED, "{pruned}");
        assert_eq!(site.token(&refresh(&next)).await.oauth_error(), (400, "invalid_grant".to_owned()));
        assert!(!site.ann().await.get("/").await.text.contains("1 active grant<"));
    }
}

#[tokio::test]
async fn of_64_uses_at_once_one_succeeds() {
    let site = site().await;
    let (_, token) = first(&site).await;
    let form = refresh(&token);
    let answers = futures_util::future::join_all((0..64).map(|_| site.token(&form))).await;
    let given: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(given.len(), 1);
    assert!(answers.iter().filter(|answer| answer.status != StatusCode::OK).all(|answer| answer.oauth_error().1 == "invalid_grant"));
    let (access, next) = pair(given[0]);
    assert_eq!(site.credentials(&access).await.status, StatusCode::UNAUTHORIZED, "the others were uses too");
    assert_eq!(site.token(&refresh(&next)).await.oauth_error().1, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_belongs_to_its_application() {
    let site = site().await;
    let (access, token) = first(&site).await;
    let other = with(refresh(&token), &[("client_id", "other")]);
    assert_eq!(site.token(&other).await.oauth_error(), (400, "invalid_grant".to_owned()));
    assert_eq!(site.credentials(&access).await.status, StatusCode::UNAUTHORIZED, "somebody else has it");
    assert_eq!(site.token(&refresh(&token)).await.oauth_error().1, "invalid_grant");
}

/// What is wrong with the request, and not with the token, leaves the token as it is.
#[tokio::test]
async fn a_request_that_is_refused_uses_nothing_up() {
    let site = site().await;
    let (_, token) = first(&site).await;
    for (changes, status, error) in [
        (vec![("client_id", "")], 401, "invalid_client"),
        (vec![("client_id", "nobody")], 401, "invalid_client"),
        (vec![("refresh_token", "")], 400, "invalid_request"),
        (vec![("refresh_token", "falconer_rt_x")], 400, "invalid_grant"),
        (vec![("scope", "notes:read:*")], 400, "invalid_scope"),
        (vec![("scope", "notes:read:* notes:write:mine auth:create-role:*")], 400, "invalid_scope"),
        (vec![("scope", "*")], 400, "invalid_scope"),
        (vec![("scope", "notes:%zz")], 400, "invalid_scope"),
        (vec![("resource", "https://notes.example.com/#x")], 400, "invalid_target"),
    ] {
        let answer = site.token(&with(refresh(&token), &changes)).await;
        assert_eq!(answer.oauth_error(), (status, error.to_owned()), "{changes:?}");
    }
    let same = with(refresh(&token), &[("scope", "notes:write:mine notes:read:*")]);
    assert_eq!(site.token(&same).await.status, StatusCode::OK);
}

/// An access token is none, and neither is a code; and third parties of the reference get none.
#[tokio::test]
async fn nothing_else_is_a_refresh_token() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let access = site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned();
    for other in [access.replace("falconer_at_", "falconer_rt_"), access.clone(), ann.code(&authorization_fields()).await] {
        assert_eq!(site.token(&refresh(&other)).await.oauth_error(), (400, "invalid_grant".to_owned()));
    }
    assert_eq!(site.credentials(&access).await.status, StatusCode::OK);
    let bare = with(authorization_fields(), &[("client_id", "old-code"), ("code_challenge", ""), ("code_challenge_method", "")]);
    let code = ann.code(&bare).await;
    let form = fields(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)]);
    assert!(site.token(&form).await.json().get("refresh_token").is_none());
}

#[tokio::test]
async fn an_application_ends_its_grant_by_the_refresh_token_too() {
    let site = site().await;
    let (access, token) = first(&site).await;
    let revoke = |client: &str| fields(&[("token", token.as_str()), ("client_id", client), ("token_type_hint", "refresh_token")]);
    assert_eq!(site.application("/login/oauth/revoke", &revoke("other"), None).await.oauth_error().1, "invalid_grant");
    assert_eq!(site.credentials(&access).await.status, StatusCode::OK);
    assert_eq!(site.application("/login/oauth/revoke", &revoke("page"), None).await.status, StatusCode::OK);
    assert_eq!(site.credentials(&access).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_refresh_brings_back_nothing() {
    let site = site().await;
    let (_, token) = first(&site).await;
    let mut ann = site.ann().await;
    let me = ann.get("/").await;
    ann.post("/me/revoke", &me.form("/me/revoke")).await;
    assert_eq!(site.token(&refresh(&token)).await.oauth_error(), (400, "invalid_grant".to_owned()));
}
