//! What the token of a registration can't make less safe.

use super::*;

const KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// Story: with its token an application that proved who it is could become one that does not, and its codes and refresh tokens then counted for whoever found them.
#[tokio::test]
async fn one_that_proves_who_it_is_goes_on_to_do_so() {
    let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": KEY}]});
    let ways = [
        json!({"token_endpoint_auth_method": "client_secret_basic"}),
        json!({"token_endpoint_auth_method": "client_secret_post"}),
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": keys}),
    ];
    let with_way = |way: &Value, id: &str| {
        let mut changed = metadata();
        let members = changed.as_object_mut().unwrap();
        members.insert("client_id".to_owned(), json!(id));
        members.extend(way.as_object().unwrap().clone());
        changed
    };
    for way in &ways {
        let (site, token) = with_token(1).await;
        let mut first = with_way(way, "");
        first.as_object_mut().unwrap().remove("client_id");
        let one = registered(&site.register(Some(&token), &first).await);
        for nothing in [json!({"token_endpoint_auth_method": "none"}), json!({"token_endpoint_auth_method": null}), json!({})] {
            let refused = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&with_way(&nothing, &one.id))).await;
            assert_eq!(refused.oauth_error(), (400, "invalid_client_metadata".to_owned()), "{way} {nothing}");
            assert!(refused.text.contains("goes on to do so"), "{}", refused.text);
        }
        let is_confidential = || site.auth.directory().applications().get(&one.id).unwrap().confidential;
        assert!(is_confidential(), "{way}");
        // From one way to another it may go.
        for other in &ways {
            let changed = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&with_way(other, &one.id))).await;
            assert!(changed.status == StatusCode::OK && is_confidential(), "{way} {other}: {}", changed.text);
        }
    }
}
