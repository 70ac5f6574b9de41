//! Derived grants: a part of a grant for one task, which never gives more, never lasts longer, and ends with it.

use std::sync::atomic::Ordering;

use crate::site::applications::{Fields, SECRET, authorization_fields, exchange, fields};
use crate::site::{Browser, START_MS, Site, site, with};
use axum::body::Body;
use falconer_auth::{BearerKind, TokenBounds};
use falconer_login::hash_of_token;
use falconer_store::{Details, GrantRecord, GrantSecretKind, GrantSecretRecord, Step, Store, Write};
use http::{Request, StatusCode};
use serde_json::{Value, json};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const HOUR_MS: i64 = 3_600_000;
const DERIVE: &str = "/api/falconer/v1/derived-grants";

fn part(token: &str, more: &[(&str, &str)]) -> Fields {
    let whole = [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS), ("client_id", "page")];
    with(fields(&whole), more)
}

fn with_more(token: &str, more: &[(&str, &str)]) -> Fields {
    let mut all = part(token, &[]);
    all.extend(fields(more));
    all
}

async fn granted(site: &Site, browser: &mut Browser<'_>) -> String {
    let code = browser.code(&authorization_fields()).await;
    site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned()
}

pub async fn derive(site: &Site, token: &str, more: &[(&str, &str)]) -> String {
    let page = site.token(&with_more(token, more)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.json()["access_token"].as_str().unwrap().to_owned()
}

async fn refused(site: &Site, fields: &Fields) -> (u16, String) {
    site.token(fields).await.oauth_error()
}

/// The verdict about a token, in a word and a reason.
async fn check(site: &Site, token: &str, required: &str) -> String {
    let authorization = format!("Bearer {token}");
    let request = json!({"method": "get", "resource": "/", "host": "notes.example", "port": 443, "authorization": authorization});
    let question = json!({"request": request, "required": required, "bearer": true}).to_string();
    let request = Request::post("/api/falconer/v1/check").header("content-type", "application/json").body(Body::from(question)).unwrap();
    let answer = site.send(request).await.json();
    format!("{} {}", answer["status"].as_str().unwrap(), answer["reason"].as_str().unwrap_or_default()).trim().to_owned()
}

// Story: an application was told that nothing was done, and each time it came again there was one grant more.
#[tokio::test]
async fn a_part_that_was_made_is_not_said_undone() {
    let site = site().await;
    let mut ann = site.ann().await;
    let whole = granted(&site, &mut ann).await;
    site.counted.lose_after("insert_grant_secret", 0);
    assert_eq!(refused(&site, &with_more(&whole, &[("scope", "notes:read:red")])).await, (503, "server_error".to_owned()));
}

#[tokio::test]
async fn a_part_of_a_grant_gives_no_more_than_the_grant_does_now() {
    let site = site().await;
    let mut ann = site.ann().await;
    let whole = granted(&site, &mut ann).await;
    let page = site.token(&with_more(&whole, &[("scope", "notes:read:red"), ("purpose", "Sum up <b>red</b>")])).await;
    let answer = page.json();
    assert_eq!((&answer["issued_token_type"], &answer["token_type"]), (&json!(ACCESS), &json!("Bearer")), "{answer}");
    assert_eq!((&answer["scope"], &answer["refresh_token"]), (&json!("notes:read:red"), &Value::Null), "less, and nothing that lasts");
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(check(&site, token, "notes:read:red").await, "allowed");
    assert_eq!(check(&site, token, "auth:current-scopes").await, "allowed");
    for more in ["notes:read:blue", "notes:read:*", "notes:write:mine"] {
        assert_eq!(check(&site, token, more).await, "denied scopes-missing", "{more}");
    }
    // It is listed below the grant, with its purpose as plain text, and the start page counts one.
    let list = ann.get("/me/grants").await;
    assert!(list.text.contains("A part of it, for: <q>Sum up &#60;b&#62;red&#60;/b&#62;</q>"), "{}", list.text);
    assert!(list.text.contains("What you let sites and applications do now: 1 active grant"), "{}", list.text);

    // The person loses a scope, and with the grant its part.
    site.login.set_scopes("test", "ann", &["notes:write:*".to_owned()]).await.unwrap();
    assert_eq!(check(&site, token, "notes:read:red").await, "denied scopes-missing");
    site.login.set_scopes("test", "ann", &["notes:read:red".to_owned()]).await.unwrap();
    assert_eq!(check(&site, token, "notes:read:red").await, "allowed");
    assert_eq!(refused(&site, &with_more(&whole, &[("scope", "notes:write:mine")])).await, (400, "invalid_scope".to_owned()));
}

#[tokio::test]
async fn a_part_ends_with_the_grant_and_never_later() {
    let site = site().await;
    let whole = granted(&site, &mut site.ann().await).await;
    for later in ["25 hours", "2 days", "-1 hour", "0 seconds"] {
        assert_eq!(refused(&site, &with_more(&whole, &[("expires", later)])).await, (400, "invalid_request".to_owned()), "{later}");
    }
    let token = derive(&site, &whole, &[("expires", "5 minutes")]).await;
    assert_eq!(check(&site, &token, "notes:read:red").await, "allowed");
    site.clock.0.fetch_add(5 * 60_000 - 1, Ordering::SeqCst);
    assert_eq!(check(&site, &token, "notes:read:red").await, "allowed");
    site.clock.0.fetch_add(1, Ordering::SeqCst);
    assert!(check(&site, &token, "notes:read:red").await.starts_with("failed "));
    assert_eq!(check(&site, &whole, "notes:read:red").await, "allowed", "the grant goes on");
    assert_eq!(refused(&site, &part(&token, &[])).await, (400, "invalid_request".to_owned()), "nothing comes of what has ended");
}

#[tokio::test]
async fn revoking_a_grant_ends_what_was_derived_of_what_was_derived() {
    let site = site().await;
    let mut ann = site.ann().await;
    let whole = granted(&site, &mut ann).await;
    let first = derive(&site, &whole, &[("scope", "notes:read:*")]).await;
    let second = derive(&site, &first, &[("scope", "notes:read:r*")]).await;
    let third = derive(&site, &second, &[("scope", "notes:read:red")]).await;
    assert_eq!(check(&site, &third, "notes:read:red").await, "allowed");
    assert_eq!(refused(&site, &with_more(&second, &[("scope", "notes:read:*")])).await, (400, "invalid_scope".to_owned()), "never wider");
    assert_eq!(refused(&site, &part(&third, &[])).await, (400, "invalid_request".to_owned()), "not deeper than three");

    // One part alone: what is below it goes, what is beside it stays.
    let beside = derive(&site, &whole, &[("scope", "notes:write:mine")]).await;
    let revoke = |token: &str| fields(&[("token", token), ("client_id", "page")]);
    assert_eq!(site.application("/login/oauth/revoke", &revoke(&second), None).await.status, StatusCode::OK);
    for gone in [&second, &third] {
        assert_eq!(check(&site, gone, "notes:read:red").await, "failed grant-revoked");
    }
    assert_eq!(check(&site, &first, "notes:read:red").await, "allowed");
    assert_eq!(check(&site, &beside, "notes:write:mine").await, "allowed");

    let list = ann.get("/me/grants").await;
    let form = list.form("/me/grants/revoke");
    ann.post("/me/grants/revoke", &form).await;
    for gone in [&whole, &first, &beside] {
        assert_eq!(check(&site, gone, "notes:read:red").await, "failed grant-revoked");
        assert_eq!(site.credentials(gone).await.oauth_error(), (401, "invalid_token".to_owned()));
        assert_eq!(refused(&site, &part(gone, &[])).await, (400, "invalid_request".to_owned()));
    }
    assert!(!ann.get("/me/grants").await.text.contains("A part of it"));
    // The same from the store, as another server reads it.
    let stored = site.store.load().await.unwrap().grants;
    assert!(stored.iter().all(|grant| grant.revoked_ms.is_some()), "{stored:?}");
}

#[tokio::test]
async fn what_is_no_part_of_a_grant_of_this_application_is_refused() {
    let site = site().await;
    let whole = granted(&site, &mut site.ann().await).await;
    let cases = [
        (part(&whole, &[("client_id", "other")]), "invalid_grant"),
        (part(&whole, &[("client_id", "nobody")]), "invalid_client"),
        (part(&whole, &[("client_id", "server")]), "invalid_client"),
        (part(&format!("{whole}x"), &[]), "invalid_request"),
        (part("falconer_at_nothing", &[]), "invalid_request"),
        (part("", &[]), "invalid_request"),
        (part(&whole, &[("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")]), "invalid_request"),
        (part(&whole, &[("subject_token_type", "")]), "invalid_request"),
        (with_more(&whole, &[("requested_token_type", "urn:ietf:params:oauth:token-type:id_token")]), "invalid_request"),
        (with_more(&whole, &[("actor_token", "x")]), "invalid_request"),
        (with_more(&whole, &[("audience", "https://other.example")]), "invalid_target"),
        (with_more(&whole, &[("scope", "*")]), "invalid_scope"),
        (with_more(&whole, &[("scope", "notes:*")]), "invalid_scope"),
        (with_more(&whole, &[("scope", "notes:read:red auth:create-role:x")]), "invalid_scope"),
        (with_more(&whole, &[("scope", "assume:grant:AAAAAAAAAAAAAAAAAAAAAA")]), "invalid_request"),
        (with_more(&whole, &[("scope", "%41")]), "invalid_scope"),
        (with_more(&whole, &[("scope", "notes:read:a"), ("scope", "notes:read:b")]), "invalid_request"),
        (with_more(&whole, &[("expires", "soon")]), "invalid_request"),
        (with_more(&whole, &[("purpose", &"x".repeat(201))]), "invalid_request"),
        (with_more(&whole, &[("purpose", "a\u{202e}b")]), "invalid_request"),
        (with_more(&whole, &[("purpose", "a\u{61c}b")]), "invalid_request"),
        (with_more(&whole, &[("purpose", "\u{3164}")]), "invalid_request"),
        (with_more(&whole, &[("purpose", "a\nb")]), "invalid_request"),
        (with_more(&whole, &[("purpose", " ")]), "invalid_request"),
    ];
    for (fields, error) in &cases {
        let (status, word) = refused(&site, fields).await;
        assert_eq!((&word, status == 400 || status == 401), (&(*error).to_owned(), true), "{fields:?}");
    }
    let stored = site.store.load().await.unwrap().grants;
    assert_eq!(stored.len(), 1, "nothing was made of it");
    assert_eq!(check(&site, &whole, "notes:read:red").await, "allowed", "and nothing has ended");
}

#[tokio::test]
async fn so_many_parts_of_a_grant_live_at_once() {
    let site = site().await;
    let whole = granted(&site, &mut site.ann().await).await;
    let below = derive(&site, &whole, &[("expires", "1 minute")]).await;
    // Also what is derived of a derived one counts: else 100 of each of 100 would live at once.
    for _ in 0..49 {
        derive(&site, &whole, &[("expires", "1 minute")]).await;
        derive(&site, &below, &[("expires", "30 seconds")]).await;
    }
    derive(&site, &below, &[("expires", "30 seconds")]).await;
    for token in [&whole, &below] {
        assert_eq!(refused(&site, &part(token, &[])).await, (400, "invalid_request".to_owned()));
    }
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    derive(&site, &whole, &[]).await;
}

/// Another server has derived it, and this one has not heard of that.
#[tokio::test]
async fn what_another_server_has_derived_is_revoked_and_derived_from() {
    for what in ["revoked", "exchanged"] {
        let site = site().await;
        let whole = granted(&site, &mut site.ann().await).await;
        derive(&site, &whole, &[]).await;
        let known = site.store.load().await.unwrap().grants;
        let known = known.into_iter().find(|grant| grant.parent.is_some()).unwrap();
        let id = "AAAAAAAAAAAAAAAAAAAAAA";
        let grant = GrantRecord { client_id: known.client_id.replace(&known.id, id), id: id.to_owned(), ..known };
        let token = elsewhere(&site, &grant).await;
        assert!(site.auth.directory().grant(id).is_none(), "this server is behind");
        if what == "revoked" {
            let revoke = fields(&[("token", &token), ("client_id", "page")]);
            assert_eq!(site.application("/login/oauth/revoke", &revoke, None).await.status, StatusCode::OK);
            assert!(site.store.grant(id).await.unwrap().unwrap().revoked_ms.is_some(), "what is said to be done is");
        } else {
            derive(&site, &token, &[]).await;
        }
    }
}

/// A token of a grant that only the store knows.
pub async fn elsewhere(site: &Site, grant: &GrantRecord) -> String {
    let step = Step {
        decided_at: site.auth.revision(),
        depends_on: Vec::new(),
        at_ms: site.clock.0.load(Ordering::SeqCst),
        actor: grant.client_id.clone(),
        grant: grant.parent.clone(),
        action: "derived".to_owned(),
        detail: None,
        details: Details::default(),
    };
    site.store.take(&step, Write::InsertGrant(grant.clone(), None)).await.unwrap();
    let end_ms = grant.expires_ms;
    let token = site.auth.issue_token(BearerKind::Access, grant, TokenBounds::default(), end_ms).unwrap();
    let kind = GrantSecretKind::AccessToken;
    let record = GrantSecretRecord {
        hash: hash_of_token(kind.as_str(), &token),
        kind,
        grant: grant.id.clone(),
        application: "page".to_owned(),
        redirect_uri: String::new(),
        challenge: None,
        resources: Vec::new(),
        jkt: None,
        expires_ms: end_ms,
        kept_until_ms: end_ms,
        used_ms: None,
    };
    site.store.insert_grant_secret(&record).await.unwrap();
    token
}

#[tokio::test]
async fn credentials_of_a_grant_derive_one_too() {
    let site = site().await;
    let mut ann = site.ann().await;
    let whole = granted(&site, &mut ann).await;
    let credentials = site.credentials(&whole).await.json()["credentials"].clone();
    let answer = site.by_hawk(&credentials, DERIVE, &json!({"scopes": ["notes:read:red"], "purpose": "One book"})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let derived = answer.json();
    assert_eq!((&derived["scopes"], &derived["expires"]), (&json!(["notes:read:red"]), &json!("2026-08-01T13:00:02.000Z")), "an hour");
    let client_id = derived["credentials"]["clientId"].as_str().unwrap();
    assert!(client_id.ends_with(derived["grant"].as_str().unwrap()) && client_id.starts_with("local/ann/app.example/"), "{client_id}");

    // Of that one more, and no more than that.
    let deeper = site.by_hawk(&derived["credentials"], DERIVE, &json!({"scopes": ["notes:read:red"]})).await;
    assert_eq!(deeper.json()["parent"], derived["grant"], "{}", deeper.text);
    let wider = site.by_hawk(&derived["credentials"], DERIVE, &json!({"scopes": ["notes:read:blue"]})).await;
    assert_eq!((wider.status, &wider.json()["code"]), (StatusCode::FORBIDDEN, &json!("InsufficientScopes")));
    let end_ms = START_MS + 2000 + HOUR_MS + 1;
    let later = falconer_wire::date_time::format_ms(end_ms);
    let outlives = site.by_hawk(&derived["credentials"], DERIVE, &json!({"scopes": ["notes:read:red"], "expires": later})).await;
    assert_eq!((outlives.status, &outlives.json()["code"]), (StatusCode::BAD_REQUEST, &json!("InputError")), "{}", outlives.text);

    let history = falconer_store::Store::entity_history(
        &*site.store,
        "grant",
        derived["grant"].as_str().unwrap(),
        falconer_store::AuditStart::Offset(0),
        10,
    );
    let rows = history.await.unwrap();
    let row = rows.first().unwrap();
    assert_eq!((row.action.as_str(), row.grant.as_deref()), ("derived", derived["parent"].as_str()));
    assert_eq!(row.detail.as_ref().unwrap()["purpose"], "One book");

    // Who signs with credentials of their own has nothing to derive from.
    let form = ann.get("/me/grants").await.form("/me/grants/revoke");
    ann.post("/me/grants/revoke", &form).await;
    let ended = site.by_hawk(&derived["credentials"], DERIVE, &json!({"scopes": ["notes:read:red"]})).await;
    assert_eq!((ended.status, &ended.json()["code"]), (StatusCode::UNAUTHORIZED, &json!("AuthenticationFailed")), "{}", ended.text);
}

/// A confidential application proves itself here too.
#[tokio::test]
async fn a_confidential_application_needs_its_secret() {
    let site = site().await;
    let whole = granted(&site, &mut site.ann().await).await;
    let by_server = part(&whole, &[("client_id", "server")]);
    let with_secret = |secret: &str| {
        let mut all = by_server.clone();
        all.push(("client_secret".to_owned(), secret.to_owned()));
        all
    };
    assert_eq!(refused(&site, &with_secret("guess")).await.1, "invalid_client");
    assert_eq!(refused(&site, &with_secret(SECRET)).await.1, "invalid_grant", "it is the token of another application");
}

/// Without `scope` an exchange named all of the grant, also what the person had lost since, and was refused.
#[tokio::test]
async fn an_exchange_that_names_nothing_gives_what_is_left() {
    let site = site().await;
    let mut ann = site.ann().await;
    let whole = granted(&site, &mut ann).await;
    site.login.set_scopes("test", "ann", &["notes:read:red".to_owned(), "queue:ping".to_owned()]).await.unwrap();
    let answer = site.token(&part(&whole, &[])).await;
    assert_eq!((answer.status, &answer.json()["scope"]), (StatusCode::OK, &json!("notes:read:red")), "{}", answer.text);
    site.login.set_scopes("test", "ann", &["queue:ping".to_owned()]).await.unwrap();
    assert_eq!(refused(&site, &part(&whole, &[])).await, (400, "invalid_scope".to_owned()));
}
