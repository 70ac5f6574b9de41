//! What is given beyond a grant whose token is bound to a key is bound to that, too, and whoever only saw the token asks nobody for it.

use super::plan::row;
use super::{BOOK, Holder, TOKEN, post, token, word_of};
use crate::site::applications::{authorization_fields, exchange, fields};
use crate::site::{site, with};
use http::StatusCode;
use serde_json::json;

const MORE: &str = "https://auth.example.com/login/oauth/grant_request";

#[tokio::test]
async fn more_than_a_bound_token_gives_is_for_its_key() {
    let site = site().await;
    let (holder, thief) = (Holder::new(), Holder::new());
    let mut ann = site.ann().await;
    let code = ann.code(&with(authorization_fields(), &[("scope", "notes:read:red")])).await;
    let given = token(&site, &exchange(&code), &holder.proof(&site, TOKEN, "code")).await.json();
    let wanted = fields(&[
        ("subject_token", given["access_token"].as_str().unwrap()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("client_id", "page"),
        ("scope", "notes:write:mine"),
        ("reason", "The minutes"),
    ]);
    let no_proof = (400, "invalid_dpop_proof".to_owned());
    let ask = async |proofs: &[&str]| post(&site, "/login/oauth/grant_request", &wanted, proofs).await;
    assert_eq!(ask(&[]).await.oauth_error(), no_proof, "{}", row("a request for more than a bound token gives, without a proof"));
    let refused = ask(&[&thief.proof(&site, MORE, "t")]).await;
    assert_eq!(refused.oauth_error(), no_proof, "{}", row("a request for more than a bound token gives, with a proof of another key"));
    let waiting = ask(&[&holder.proof(&site, MORE, "h")]).await;
    assert_eq!(waiting.status, StatusCode::OK, "{}", waiting.text);
    let waiting = waiting.json();
    let come = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "page"),
        ("device_code", waiting["device_code"].as_str().unwrap()),
    ]);
    // Nothing is there yet: no signature is verified, and the proof is left as it is.
    let early = token(&site, &come, &holder.proof(&site, TOKEN, "come")).await;
    assert_eq!(early.oauth_error(), (400, "authorization_pending".to_owned()));
    ann.answers(crate::widening::page_of(&waiting), &[]).await;

    let what = row("what is given beyond a bound token, to another key and to its own");
    assert_eq!(site.token(&come).await.oauth_error(), no_proof, "{what}");
    assert_eq!(token(&site, &come, &thief.proof(&site, TOKEN, "t")).await.oauth_error(), no_proof, "{what}");
    let more = token(&site, &come, &holder.proof(&site, TOKEN, "come")).await;
    assert_eq!((more.status, &more.json()["token_type"]), (StatusCode::OK, &json!("DPoP")), "{what}: {}", more.text);
    let access = more.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(word_of(&site, &access, &holder.with_token(&site, "GET", BOOK, "1", &access)).await.0, "allowed", "{what}");
    assert_eq!(word_of(&site, &access, &thief.with_token(&site, "GET", BOOK, "2", &access)).await.1, "proof-other-key", "{what}");
}
