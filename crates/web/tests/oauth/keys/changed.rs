//! Keys that come and go: by administrators, and by an application that has registered itself.

use super::{World, admin, header, jwk, row};
use crate::dpop::Holder;
use crate::registration::{metadata, registered, with_token};
use falconer_auth::ApplicationInput;
use falconer_store::{AuditStart, Store as _};
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn keys_overlap_while_they_change() {
    let world = World::new().await;
    let by_b = || world.keys[1].signed(&json!({"alg": "ES256", "kid": "b"}), &world.claims());
    let what = row("both keys while they change");
    assert_eq!(world.introspects(&world.assertion()).await.status, StatusCode::OK, "{what}");
    assert_eq!(world.introspects(&by_b()).await.status, StatusCode::OK, "{what}");
    world.put("keyed", &[jwk(&world.keys[1], "b")]).await;
    let removed = world.introspects(&world.assertion()).await;
    assert_eq!(removed.oauth_error(), (401, "invalid_client".to_owned()), "{}", row("a key that was removed since"));
    assert_eq!(world.introspects(&by_b()).await.status, StatusCode::OK);
    // Both are in the history, by their names.
    let history = world.site.store.entity_history("application", "keyed", AuditStart::Offset(0), 10).await.unwrap();
    let change = history.iter().find(|entry| entry.action == "updated").unwrap();
    assert!(change.detail.as_ref().unwrap()["keys"]["removed"][0].as_str().unwrap().contains("\"kid\":\"a\""), "{:?}", change.detail);
    world.site.web.grants.delete_application(&admin(), "keyed", None).await.unwrap();
    let deleted = world.introspects(&by_b()).await;
    assert_eq!(deleted.oauth_error(), (401, "invalid_client".to_owned()), "{}", row("a key of an application that was deleted since"));
}

fn with_keys(keys: &[Value]) -> Value {
    let mut metadata = metadata();
    metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
    metadata["jwks"] = json!({ "keys": keys });
    metadata
}

#[tokio::test]
async fn an_application_registers_itself_with_its_keys() {
    let (site, token) = with_token(2).await;
    let (old, new) = (Holder::new(), Holder::new());
    let one = registered(&site.register(Some(&token), &with_keys(&[jwk(&old, "a")])).await);
    let what = row("an application registers itself with `jwks`");
    assert_eq!(one.json["token_endpoint_auth_method"], "private_key_jwt", "{what}");
    assert_eq!(one.json["jwks"]["keys"], json!([jwk(&old, "a")]), "{what}");
    assert_eq!(one.json["client_secret"], Value::Null, "{what}");
    let id = one.id.clone();
    let claims = |jti: &str| {
        let now = site.clock.0.load(std::sync::atomic::Ordering::SeqCst) / 1000;
        json!({"iss": id, "sub": id, "aud": super::ISSUER, "jti": jti, "exp": now + 60})
    };
    let asks = async |key: &Holder, jti: &str| {
        let assertion = key.signed(&header(), &claims(jti));
        site.application(super::INTROSPECT, &super::by(&assertion, &[("token", "x")]), None).await.status
    };
    assert_eq!(asks(&old, "1").await, StatusCode::OK, "{what}");
    let mut change = with_keys(&[jwk(&new, "a")]);
    change["client_id"] = one.id.clone().into();
    let changed = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&change)).await;
    let what = row("it changes its keys");
    assert_eq!((changed.status, &changed.json()["jwks"]["keys"]), (StatusCode::OK, &json!([jwk(&new, "a")])), "{what}");
    assert_eq!((asks(&old, "2").await, asks(&new, "3").await), (StatusCode::UNAUTHORIZED, StatusCode::OK), "{what}");
}

/// An application that had registered itself could drop what an administrator had asked of it.
#[tokio::test]
async fn an_application_takes_nothing_back_that_makes_it_safer() {
    let (site, token) = with_token(1).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    let record = site.web.grants.application(&admin(), &one.id).unwrap();
    let input = ApplicationInput { pushed_only: true, agent: true, ..ApplicationInput::of(&record) };
    site.web.grants.put_application(&admin(), &one.id, &input, None).await.unwrap();
    let mut change = metadata();
    change["client_id"] = one.id.clone().into();
    change["require_pushed_authorization_requests"] = false.into();
    let changed = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&change)).await;
    let what = row("it drops what an administrator asked of it: `require_pushed_authorization_requests`");
    assert_eq!((changed.status, &changed.json()["require_pushed_authorization_requests"]), (StatusCode::OK, &json!(true)), "{what}");
    assert!(site.web.grants.application(&admin(), &one.id).unwrap().agent);
}
