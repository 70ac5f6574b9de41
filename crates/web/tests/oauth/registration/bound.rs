//! Applications that register themselves for tokens that are bound to keys (RFC 9449 section 5.2).

use http::Method;
use serde_json::{Value, json};

use super::{asks, fetches, metadata, registered, with_token};
use crate::site::applications::parameter;

fn bound_only(is_bound: bool) -> Value {
    let mut metadata = metadata();
    metadata["dpop_bound_access_tokens"] = json!(is_bound);
    metadata
}

#[tokio::test]
async fn one_that_wants_bound_tokens_gets_no_others() {
    let (site, token) = with_token(1).await;
    let one = registered(&site.register(Some(&token), &bound_only(true)).await);
    assert_eq!(one.json["dpop_bound_access_tokens"], true);
    let location = site.ann().await.lets_at(&asks(&one.id, &[]), "agent.example.com").await;
    let refused = site.token(&fetches(&one.id, &parameter(&location, "code").unwrap(), &[])).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_dpop_proof".to_owned()));
    let mut less = bound_only(false);
    less["client_id"] = json!(one.id);
    let changed = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&less)).await.json();
    assert_eq!(changed["dpop_bound_access_tokens"], true, "whoever has the token of the registration makes nothing of it less safe");
}
