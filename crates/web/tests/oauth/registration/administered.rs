//! What an administrator does to one that has registered itself.

use super::*;
use crate::widening::page_of;
use falconer_auth::{ApiError, ApplicationInput};
use falconer_wire::date_time::format_ms;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

impl Site {
    /// The grants of ann that count.
    async fn open_of_ann(&self) -> usize {
        let now_ms = self.clock.0.load(Ordering::SeqCst);
        self.store.open_grants_of("local/ann", now_ms).await.unwrap().len()
    }
}

/// Story: the page said "Saved", and one that had needed no token went on to ask for anything: its record was read as if `*` stood there.
#[tokio::test]
async fn what_an_administrator_writes_bounds_one_that_needed_no_token() {
    let site = site().await;
    configure(&site, Registration::Open);
    site.somebody("admin", &["auth:*", "notes:*"]).await;
    let admin = Authentication::person("local/admin");
    let mut wish = metadata();
    wish["scope"] = json!("notes:read:*");
    let one = registered(&site.register(None, &wish).await);
    assert_eq!(one.json["scope"], "notes:read:*");
    let known = || site.auth.directory().applications().get(&one.id).cloned().unwrap();
    assert_eq!(known().scopes, ["*", "notes:read:*"], "anything, and what it asks for where it names nothing");
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&asks(&one.id, &[("scope", "")]))).await;
    assert!(page.text.contains("notes:read:*") && !page.text.contains("Everything that you may do"), "{}", page.text);
    assert_eq!(ann.get(&authorize(&asks(&one.id, &[("scope", "notes:write:mine")]))).await.status, StatusCode::OK);

    // Whoever changes something else gives nothing out, and needs no `*`.
    let put = async |input: ApplicationInput| site.web.grants.put_application(&admin, &one.id, &input, None).await.map(drop);
    put(ApplicationInput { description: "Looked at".to_owned(), ..ApplicationInput::of(&known()) }).await.unwrap();
    assert_eq!(known().scopes, ["*", "notes:read:*"]);
    // Another secret is no gift either: whoever had been able to make one was refused for want of `*`.
    let mut server = wish.clone();
    server["token_endpoint_auth_method"] = json!("client_secret_basic");
    let server = registered(&site.register(None, &server).await);
    assert!(site.web.grants.reset_application_secret(&admin, &server.id, 0).await.unwrap().secret.is_some());
    put(ApplicationInput { scopes: texts(&["notes:read:red", "notes:read:blue"]), ..ApplicationInput::of(&known()) }).await.unwrap();
    for scope in ["notes:write:mine", "notes:read:*", "*"] {
        let location = ann.get(&authorize(&asks(&one.id, &[("scope", scope)]))).await.location().to_owned();
        assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_scope"), "{scope}: {location}");
    }
    let page = ann.get(&authorize(&asks(&one.id, &[("scope", "")]))).await;
    assert!(page.text.contains("notes:read:blue") && !page.text.contains("Everything that you may do"), "{}", page.text);

    // It takes nothing back, and who gives more out has to have it.
    let mut sent = wish.clone();
    sent["client_id"] = json!(one.id);
    for scope in ["notes:read:*", "*"] {
        sent["scope"] = json!(scope);
        let refused = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&sent)).await;
        assert_eq!(refused.oauth_error(), (400, "invalid_client_metadata".to_owned()), "{scope}");
    }
    sent.as_object_mut().unwrap().remove("scope");
    let changed = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&sent)).await.json();
    assert_eq!(changed["scope"], "notes:read:blue notes:read:red");
    assert!(put(ApplicationInput { scopes: texts(&["*"]), ..ApplicationInput::of(&known()) }).await.is_err());
}

/// Story: what it was granted when it asked for more, and collected with credentials, had no code and no token, and went on for days.
#[tokio::test]
async fn what_it_got_by_asking_for_more_ends_with_it() {
    let (site, token) = with_token(1).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    let mut ann = site.ann().await;
    let first = asks(&one.id, &[("scope", "notes:read:red"), ("expires", "60 minutes")]);
    let location = ann.lets_at(&first, "agent.example.com").await;
    let tokens = site.token(&fetches(&one.id, &parameter(&location, "code").unwrap(), &[])).await.json();
    let credentials = site.credentials(tokens["access_token"].as_str().unwrap()).await.json()["credentials"].clone();
    let expires = format_ms(site.clock.0.load(Ordering::SeqCst) + DAY_MS);
    let asked = json!({"scopes": ["notes:read:blue"], "reason": "It takes until tomorrow", "expires": expires});
    let waiting = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests", &asked).await.json();
    assert_eq!(ann.answers(page_of(&waiting), &[]).await.location(), "/me/grants?done=widened");
    let given = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests/collect", &json!({"code": waiting["code"]})).await.json();
    assert_eq!(given["state"], "granted", "{given}");
    // The first one has ended, so that nothing ends with it.
    site.clock.0.fetch_add(2 * 60 * 60_000, Ordering::SeqCst);
    assert_eq!(site.open_of_ann().await, 1);
    let deleted = site.registration(Method::DELETE, &one.path, Some(&one.token), None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    assert_eq!(site.open_of_ann().await, 0);
}

/// Story: where the store failed after the record was gone, whoever deleted it once more was told that all is done, and its grants went on.
#[tokio::test]
async fn whoever_deletes_one_once_more_ends_what_is_left_of_it() {
    let (site, token) = with_token(1).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    site.ann().await.lets_at(&asks(&one.id, &[]), "agent.example.com").await;
    let admin = Authentication::person("local/admin");
    let mut browser = site.browser();
    let form = browser.get("/login").await.form("/login");
    browser.post("/login", &with(form, &[("name", "admin"), ("password", crate::site::PASSWORD)])).await;
    let page = browser.get(&format!("/auth/applications/confirm?action=delete&id={}", one.id)).await;
    assert!(page.text.contains("what people have granted it ends"), "{}", page.text);
    // As far as it came then.
    site.auth.delete_application(&admin, &one.id, None).await.unwrap();
    assert_eq!(site.open_of_ann().await, 1);
    site.web.grants.delete_application(&admin, &one.id, None).await.unwrap();
    assert_eq!(site.open_of_ann().await, 0);
}

/// The same by the store itself, before the record goes and after it, and by whoever it is deleted.
#[tokio::test]
async fn grants_that_could_not_be_ended_at_first_end_with_the_next_try() {
    for by_itself in [false, true] {
        for answered in [0, 1] {
            let (site, token) = with_token(1).await;
            let one = registered(&site.register(Some(&token), &metadata()).await);
            site.ann().await.lets_at(&asks(&one.id, &[]), "agent.example.com").await;
            let admin = Authentication::person("local/admin");
            site.counted.lose_after("open_grants_for", answered);
            let known = || site.auth.directory().applications().get(&one.id).is_some();
            if by_itself {
                let delete = async || site.registration(Method::DELETE, &one.path, Some(&one.token), None).await.status;
                assert_eq!(delete().await, StatusCode::SERVICE_UNAVAILABLE, "{answered}");
                // Its own token went with it, and what it was granted had ended before.
                let then = if known() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED };
                assert_eq!((known(), delete().await), (answered == 0, then), "{answered}");
            } else {
                let delete = async || site.web.grants.delete_application(&admin, &one.id, None).await;
                // Before anything has ended, nothing was changed.
                match (answered, delete().await.unwrap_err()) {
                    (0, ApiError::Unavailable(_)) | (1, ApiError::OutcomeUnknown(_)) => {}
                    (_, other) => panic!("{answered}: {other}"),
                }
                assert_eq!(known(), answered == 0);
                delete().await.unwrap();
            }
            assert!(!known() && site.open_of_ann().await == 0, "{by_itself} {answered}");
        }
    }
}
