//! What follows when GitHub is asked about somebody without them.

use falconer_login::github::GithubError as G;
use falconer_login::http::HttpError as H;
use falconer_login::{Fault, ProviderError as E, RefreshError, Refreshment};
use falconer_store::IdentityRecord;
use serde_json::json;

use crate::case::{ID, SCOPES, Site};
use crate::emulator::{Answer, Says, TOKEN_MS, bytes_answer, json_answer, with_header};

const BY_NUMBER: &str = "/user/583231";

async fn signed_in() -> Site {
    let site = Site::new().await;
    site.sign_in(|_| ()).await.unwrap();
    site
}

fn record(site: &Site) -> IdentityRecord {
    site.record(&format!("github/{ID}")).unwrap()
}

fn still() -> Refreshment {
    Refreshment::Still { disabled: Vec::new() }
}

#[tokio::test]
async fn a_person_is_followed() {
    let site = signed_in().await;
    site.emulator.requests();
    assert_eq!(site.refresh(|_| ()).await, Ok(still()));
    assert_eq!(record(&site).scopes, SCOPES);
    let mut requests = site.emulator.requests();
    requests.sort();
    assert_eq!(requests, ["/user", "/user/emails", "/user/orgs", "/user/teams"]);
    // A team is gone, an address is no longer verified, and the name is another.
    let less = |says: &mut Says| {
        says.teams.as_array_mut().unwrap().remove(0);
        says.emails[1]["verified"] = json!(false);
        says.user["login"] = json!("octocat-2");
    };
    assert_eq!(site.refresh(less).await, Ok(still()));
    let expected: Vec<String> = SCOPES
        .into_iter()
        .filter(|scope| !["assume:team:mozilla/releng", "assume:mail:you@example.com"].contains(scope))
        .map(|scope| scope.replace("octocat", "octocat-2"))
        .collect();
    assert_eq!(record(&site).scopes, expected);
    // An organisation that wants a single sign-on hides its teams: what can't be seen gives nothing.
    let hiding = |says: &mut Says| {
        let answer = json_answer(403, &json!({"message": "Resource protected by organization SAML enforcement."}));
        says.answer("/user/teams", with_header(answer, "x-github-sso", "required; url=https://github.com/orgs/x/sso"));
    };
    assert_eq!(site.refresh(hiding).await, Ok(still()));
    assert!(!record(&site).scopes.iter().any(|scope| scope.starts_with("assume:team:")));
}

type Outcome = (&'static str, fn(&Site), fn(&mut Says), Refreshment);

/// What is said of a person whose token counts no more, or who is there no more.
#[tokio::test]
async fn who_is_gone_and_who_has_to_sign_in_again() {
    let revoked: fn(&Site) = |site| site.emulator.revoke_all();
    let fine: fn(&Site) = |_| ();
    let table: [Outcome; 15] = [
        ("the token was taken back, and the account is there", revoked, |_| (), Refreshment::Refused),
        ("the token was taken back, and the account is gone", revoked, |says| says.deleted = true, Refreshment::Gone),
        (
            "the token was taken back, and the account is suspended",
            revoked,
            |says| says.user["suspended_at"] = json!("2026-01-01T00:00:00Z"),
            Refreshment::Gone,
        ),
        ("the account became an organisation", revoked, |says| says.user["type"] = json!("Organization"), Refreshment::Gone),
        (
            "the token was taken back, and nobody says whether there is the account",
            revoked,
            |says| says.answer(BY_NUMBER, json_answer(401, &json!({"message": "Must authenticate to access this API."}))),
            Refreshment::Refused,
        ),
        (
            "the token was taken back, and the question is forbidden",
            revoked,
            |says| says.answer(BY_NUMBER, json_answer(403, &json!({"message": "Forbidden"}))),
            Refreshment::Refused,
        ),
        ("the account is gone, and the token counts for a moment", fine, |says| says.deleted = true, still()),
        (
            "the account is suspended",
            fine,
            |says| says.answer("/user", json_answer(403, &json!({"message": "Sorry. Your account was suspended."}))),
            Refreshment::Gone,
        ),
        (
            "the account is suspended, as an Enterprise server says it",
            fine,
            |says| says.user["suspended_at"] = json!("x"),
            Refreshment::Gone,
        ),
        ("the person left all organisations", fine, |says| says.orgs = json!([]), Refreshment::Gone),
        ("the person is in another one", fine, |says| says.orgs = json!([{"id": 666, "login": "evil"}]), Refreshment::Gone),
        (
            "an organisation of another number took over the name of the one",
            fine,
            |says| says.orgs = json!([{"id": 666, "login": "taskcluster"}]),
            Refreshment::Gone,
        ),
        ("the person is in one of them still", fine, |says| says.orgs.as_array_mut().unwrap().truncate(1), still()),
        (
            "all organisations hide",
            fine,
            |says| {
                says.orgs = json!([]);
                says.headers.push(("x-github-sso", "partial-results; organizations=131524,3838".into()));
            },
            Refreshment::Refused,
        ),
        (
            "all organisations hide, with a status",
            fine,
            |says| {
                let answer = json_answer(403, &json!({"message": "Resource protected by organization SAML enforcement."}));
                says.answer("/user/orgs", with_header(answer, "x-github-sso", "required; url=https://github.com/orgs/x/sso"));
            },
            Refreshment::Refused,
        ),
    ];
    for (name, before, change, expected) in table {
        let site = signed_in().await;
        before(&site);
        assert_eq!(site.refresh(change).await.as_ref(), Ok(&expected), "{name}");
        let record = record(&site);
        assert_eq!(record.gone, expected == Refreshment::Gone, "{name}");
        assert_eq!(record.refreshed_ms == 0, expected == Refreshment::Refused, "{name}");
        // Whoever signs in again is there again.
        if expected != still() {
            site.sign_in(|_| ()).await.unwrap();
            let repeated = site.record(&format!("github/{ID}")).unwrap();
            assert!(!repeated.gone && !repeated.disabled && repeated.scopes == SCOPES && repeated.person == record.person, "{name}");
        }
    }
}

/// A company's own accounts are hidden from strangers: not to be found is not to be gone.
#[tokio::test]
async fn an_account_that_a_company_manages_is_not_taken_for_gone() {
    let managed = |says: &mut Says| says.user["login"] = json!("octocat_company");
    let site = Site::new().await;
    site.sign_in(|case| managed(&mut case.says)).await.unwrap();
    site.emulator.revoke_all();
    let hidden = |says: &mut Says| {
        managed(says);
        says.deleted = true;
    };
    assert_eq!(site.refresh(hidden).await, Ok(Refreshment::Refused));
}

type Away = (&'static str, fn(&mut Says), Fault);

/// While GitHub can't be asked, or says what it can't say, nothing changes.
#[tokio::test]
async fn an_answer_that_is_none_changes_nothing() {
    fn limited() -> Answer {
        with_header(json_answer(403, &json!({"message": "API rate limit exceeded"})), "x-ratelimit-remaining", "0")
    }
    let table: [Away; 13] = [
        ("too slow", |says| says.answer("/user", Err(H::TooSlow)), Fault::Away),
        ("nobody there", |says| says.answer("/user", Err(H::Unreachable("x".into()))), Fault::Away),
        ("teams too slow", |says| says.answer("/user/teams", Err(H::TooSlow)), Fault::Away),
        ("an error of the server", |says| says.answer("/user/orgs", bytes_answer(502, b"<html>")), Fault::Away),
        ("the rate is limited", |says| says.answer("/user", limited()), Fault::Away),
        ("the rate of teams is limited", |says| says.answer("/user/teams", limited()), Fault::Away),
        ("a redirect", |says| says.answer("/user", Err(H::Redirected)), Fault::Provider),
        ("an address inside", |says| says.answer("/user", Err(H::Inside("10.0.0.1".into()))), Fault::Provider),
        ("another person", |says| says.user["id"] = json!(666), Fault::Provider),
        ("no number", |says| says.user["id"] = json!("583231"), Fault::Provider),
        ("no list", |says| says.orgs = json!({}), Fault::Provider),
        ("pages elsewhere", |says| says.next = Some("https://evil.example/"), Fault::Provider),
        ("no permission any more", |says| says.answer("/user/emails", json_answer(404, &json!({"message": "Not Found"}))), Fault::Provider),
    ];
    for (name, change, fault) in table {
        let site = signed_in().await;
        let before = record(&site);
        site.world.clock.advance(3_600_000);
        match site.refresh(change).await {
            Err(RefreshError::Provider(error)) => assert_eq!(error.fault(), fault, "{name}: {error}"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(record(&site), before, "{name}");
        // And it is asked again with the same token.
        assert_eq!(site.refresh(|_| ()).await, Ok(still()), "{name}");
    }
}

/// The question whether somebody is gone may fail too.
#[tokio::test]
async fn nobody_is_gone_because_github_is_away() {
    for answer in [Err(H::TooSlow), bytes_answer(503, b""), bytes_answer(429, b"")] {
        let site = signed_in().await;
        let before = record(&site);
        site.emulator.revoke_all();
        let refreshed = site.refresh(|says| says.answer(BY_NUMBER, answer.clone())).await;
        assert!(matches!(&refreshed, Err(error) if error.is_away()), "{refreshed:?}");
        assert_eq!(record(&site), before);
    }
}

#[tokio::test]
async fn tokens_that_end_are_renewed_and_kept() {
    let site = Site::new().await;
    let ending = |says: &mut Says| says.tokens_end = true;
    site.sign_in(|case| ending(&mut case.says)).await.unwrap();
    for _ in 0..3 {
        site.emulator.requests();
        assert_eq!(site.refresh(ending).await, Ok(still()));
        assert!(!site.emulator.requests().contains(&"/login/oauth/access_token".to_owned()), "a token that counts is used");
        // In its last minute it is not used any more.
        site.world.clock.advance(TOKEN_MS - 60_000);
        assert_eq!(site.refresh(ending).await, Ok(still()));
        assert_eq!(site.emulator.requests()[0], "/login/oauth/access_token");
    }
    // A refresh token that was spent elsewhere.
    site.emulator.revoke_all();
    site.world.clock.advance(TOKEN_MS);
    assert_eq!(site.refresh(ending).await, Ok(Refreshment::Refused));
}

/// A refresh token counts once. What it gave is not lost when GitHub fails afterwards.
#[tokio::test]
async fn new_tokens_are_not_lost_when_the_api_is_away() {
    let site = Site::new().await;
    let ending = |says: &mut Says| says.tokens_end = true;
    let away = |says: &mut Says| {
        says.tokens_end = true;
        says.answer("/user/orgs", Err(H::TooSlow));
    };
    site.sign_in(|case| ending(&mut case.says)).await.unwrap();
    // Twice in a row, and longer than the first new token counts.
    for _ in 0..2 {
        site.world.clock.advance(TOKEN_MS);
        assert!(matches!(site.refresh(away).await, Err(error) if error.is_away()));
        assert!(matches!(site.refresh(away).await, Err(error) if error.is_away()));
    }
    assert_eq!(site.refresh(ending).await, Ok(still()));
    site.world.clock.advance(TOKEN_MS);
    assert_eq!(site.refresh(ending).await, Ok(still()));
}

/// Story: they were kept when the API had answered. A server that ended in between had a refresh token that was spent, and everybody had to sign in again.
#[tokio::test(start_paused = true)]
async fn new_tokens_are_kept_before_the_api_is_asked() {
    let site = Site::new().await;
    let ending = |says: &mut Says| says.tokens_end = true;
    site.sign_in(|case| ending(&mut case.says)).await.unwrap();
    site.world.clock.advance(TOKEN_MS);
    let hanging = |says: &mut Says| {
        says.tokens_end = true;
        says.hangs = Some("/user");
    };
    // The process ends while the API is asked; the next one remembers nothing.
    let ended = tokio::time::timeout(std::time::Duration::from_secs(1), site.refresh(hanging)).await;
    assert!(ended.is_err() && site.emulator.requests().contains(&"/login/oauth/access_token".to_owned()));
    let next = site.restarted();
    next.world.clock.advance(10 * 60_000);
    assert_eq!(next.refresh(ending).await, Ok(still()));
    assert_eq!(record(&next).scopes, SCOPES);
}

/// What the token endpoint says of this server is no reason to end anybody.
#[tokio::test]
async fn wrong_credentials_of_ours_end_nobody() {
    let site = Site::new().await;
    let ending = |says: &mut Says| says.tokens_end = true;
    site.sign_in(|case| ending(&mut case.says)).await.unwrap();
    let before = record(&site);
    site.world.clock.advance(TOKEN_MS);
    let wrong =
        |says: &mut Says| says.answer("/login/oauth/access_token", json_answer(200, &json!({"error": "incorrect_client_credentials"})));
    assert!(matches!(site.refresh(wrong).await, Err(RefreshError::Provider(E::Github(G::Client(_))))));
    assert_eq!(record(&site), before);
    assert_eq!(site.refresh(ending).await, Ok(still()));
}
