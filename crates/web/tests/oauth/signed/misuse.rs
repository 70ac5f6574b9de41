//! What nobody takes for a signed access token, shown to `check` for the service that it would be for.

use std::sync::atomic::Ordering;

use super::{check_at, failed, read, signed_token, text, verdict, words};
use crate::misuse::hints::{FORGED, Known};
use crate::openid::{authentication_request, redeem};
use crate::site::applications::fields;
use crate::site::{Browser, Site, site, with};
use serde_json::json;

/// Of the forged ID tokens all are tried in the same way, but for these: a header has no place for a blank behind it, and an access token is none that is forged.
const OTHERWISE: [&str; 2] = ["a blank behind it", "an access token"];

/// What somebody has who shows one, as they come to the service.
struct Shown<'s, 'b> {
    site: &'s Site,
    ann: &'b mut Browser<'s>,
}

/// What is wrong with those that are as Falconer made them: the section, what it is, and what `check` says.
const GENUINE: [(&str, &str, &str); 12] = [
    ("RFC 9068 4", "an ID token of the same person", "token-malformed"),
    ("RFC 9068 4", "an ID token of the same person, as DPoP", "token-malformed"),
    ("RFC 9068 4", "at another host", "token-other-service"),
    ("RFC 9068 4", "at a host below", "token-other-service"),
    ("RFC 9068 4", "when it has ended", "token-expired"),
    ("RFC 9068 4", "of another issuer with the same names", "token-unknown"),
    ("RFC 9068 4", "when the person has revoked the grant", "grant-revoked"),
    ("RFC 9068 4", "when the account of the person was disabled", "grant-revoked"),
    ("RFC 9068 4", "when the refresh token was used twice", "grant-revoked"),
    ("RFC 9449 7.1", "one that is bound to no key, as DPoP", "token-not-bound"),
    ("RFC 7519 4.1.7", "its `jti` as a token", "token-malformed"),
    ("RFC 9068 5", "a scope that the person has lost since", "scopes-missing"),
];

impl Shown<'_, '_> {
    async fn outcome(&mut self, what: &str) -> (String, String) {
        let token = signed_token(self.site, self.ann).await;
        let bearer = format!("Bearer {token}");
        let at = async |host: &str, authorization: &str| words(&check_at(self.site, host, authorization, None, "notes:read:red").await);
        let id_token = async |ann: &mut Browser<'_>| {
            let code = ann.code(&authentication_request()).await;
            text(&self.site.token(&redeem(&code)).await.json(), "id_token")
        };
        match what {
            "an ID token of the same person" => at("offline.example", &format!("Bearer {}", id_token(self.ann).await)).await,
            "an ID token of the same person, as DPoP" => at("offline.example", &format!("DPoP {}", id_token(self.ann).await)).await,
            "at another host" => at("notes.example", &bearer).await,
            "at a host below" => at("x.offline.example", &bearer).await,
            "when it has ended" => {
                self.site.clock.0.fetch_add(300_000, Ordering::SeqCst);
                at("offline.example", &bearer).await
            }
            "of another issuer with the same names" => {
                let other = crate::site::other_site().await;
                let mut ann = other.ann().await;
                at("offline.example", &format!("Bearer {}", signed_token(&other, &mut ann).await)).await
            }
            "when the person has revoked the grant" => {
                let me = self.ann.get("/me/grants").await;
                let all = with(me.form("/me/grants/revoke"), &[("grant", ""), ("all", "yes")]);
                assert!(self.ann.post("/me/grants/revoke", &all).await.status.is_redirection());
                at("offline.example", &bearer).await
            }
            "when the account of the person was disabled" => {
                self.site.login.disable_account("test", "ann").await.unwrap();
                at("offline.example", &bearer).await
            }
            "when the refresh token was used twice" => {
                let tokens = super::signed_tokens(self.site, self.ann).await;
                let refresh = text(&tokens, "refresh_token");
                let again = fields(&[("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_id", "page")]);
                for _ in 0..2 {
                    self.site.token(&again).await;
                }
                at("offline.example", &format!("Bearer {}", text(&tokens, "access_token"))).await
            }
            "one that is bound to no key, as DPoP" => at("offline.example", &format!("DPoP {token}")).await,
            "its `jti` as a token" => at("offline.example", &format!("Bearer {}", text(&read(self.site, &token).await.1, "jti"))).await,
            "a scope that the person has lost since" => {
                self.site.login.set_scopes("test", "ann", &["queue:ping".to_owned()]).await.unwrap();
                at("offline.example", &bearer).await
            }
            other => panic!("nothing is done for {other}"),
        }
    }
}

#[tokio::test]
async fn one_that_falconer_made_counts_where_and_while_it_should() {
    for (section, what, reason) in GENUINE {
        let site = site().await;
        let mut ann = site.ann().await;
        let (status, found) = Shown { site: &site, ann: &mut ann }.outcome(what).await;
        let expected = if reason == "scopes-missing" { "denied" } else { "failed" };
        assert_eq!((status.as_str(), found.as_str()), (expected, reason), "{section}: {what}");
    }
}

#[tokio::test]
async fn none_counts_that_the_server_has_not_signed() {
    let site = site().await;
    let mut ann = site.ann().await;
    let (token, later) = (signed_token(&site, &mut ann).await, signed_token(&site, &mut ann).await);
    let keys = site.plain("/login/oauth/jwks").await;
    let known = Known::new(token.clone(), later, &keys, String::new());
    for (section, what, forges) in FORGED.iter().filter(|(_, what, _)| !OTHERWISE.contains(what)) {
        let (status, reason) = verdict(&site, &forges(&known), "notes:read:red").await;
        assert_eq!(status, "failed", "{section}: {what}");
        assert!(reason == "token-malformed" || reason == "token-unknown", "{section}: {what}: {reason}");
    }
    for typ in [json!("JWT"), json!("jwt"), json!("AT+JWT"), json!("dpop+jwt"), json!("logout+jwt"), json!(null), json!(1)] {
        let forged = known.below(&json!({"typ": typ}), token.rsplit('.').next().unwrap());
        assert_eq!(verdict(&site, &forged, "notes:read:red").await, failed("token-malformed"), "RFC 9068 2.1: {typ}");
    }
    assert_eq!(verdict(&site, &token, "notes:read:red").await.0, "allowed", "and the good one counts");
}

/// The types that are not its own, as rows.
const TYPES: [&str; 7] = ["`JWT`", "`jwt`", "`AT+JWT`", "`dpop+jwt`", "`logout+jwt`", "no text", "a number"];

/// All cases, for the page that counts them.
pub fn rows() -> Vec<(String, String, String)> {
    let forged = FORGED.iter().filter(|(_, what, _)| !OTHERWISE.contains(what));
    let forged = forged.map(|(section, what, _)| ((*section).to_owned(), (*what).to_owned(), "`failed`".to_owned()));
    let types = TYPES.iter().map(|typ| ("RFC 9068 2.1".to_owned(), format!("as `typ` {typ}"), "`token-malformed`".to_owned()));
    let genuine = GENUINE.iter().map(|(section, what, reason)| ((*section).to_owned(), (*what).to_owned(), format!("`{reason}`")));
    forged.chain(types).chain(genuine).collect()
}
