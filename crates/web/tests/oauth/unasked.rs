//! Requests that are answered without the page: what a person has let an application do for a while, and applications of which nobody is asked.

use std::sync::atomic::Ordering;

use crate::site::applications::{CALLBACK, DECISION, Fields, authorization_fields, authorize, exchange, fields, parameter};
use crate::site::{Browser, PASSWORD, Page, Site, site, with};
use falconer_auth::{ApplicationInput, Authentication, DAY_MS, HOUR_MS, Risk, ScopeSentence};
use http::{Method, StatusCode};

/// What is another in a request; an empty one is left out.
type Changes = &'static [(&'static str, &'static str)];

fn request() -> Fields {
    with(authorization_fields(), &[("client_id", "remembered"), ("scope", "openid profile notes:read:*"), ("expires", "8 hours")])
}

/// Grants what is asked for, and ticks that the person is not asked again.
async fn let_go_unasked(ann: &mut Browser<'_>, request: &Fields) {
    let page = ann.get(&authorize(request)).await;
    assert!(page.text.contains("ask me again for 30 days"), "{}", page.text);
    let form = page.form(DECISION);
    assert!(form.iter().all(|(name, _)| name != "remember"), "it is not ticked beforehand");
    let given = ann.post(DECISION, &with(form, &[("visible_ms", "2000"), ("remember", "yes")])).await;
    assert!(parameter(given.location(), "code").is_some(), "{}", given.text);
}

fn is_answered(page: &Page) -> bool {
    if page.status == StatusCode::OK {
        assert!(page.text.contains("act for you?"), "{}", page.text);
        return false;
    }
    let location = page.location();
    assert!(location.starts_with(CALLBACK) && parameter(location, "code").is_some(), "{location}");
    true
}

async fn asks(ann: &mut Browser<'_>, request: &Fields) -> bool {
    !is_answered(&ann.get(&authorize(request)).await)
}

#[tokio::test]
async fn whoever_wants_it_is_not_asked_again_and_takes_it_back() {
    let site = site().await;
    let mut ann = site.ann().await;
    assert!(asks(&mut ann, &request()).await);
    let_go_unasked(&mut ann, &request()).await;
    let none = with(request(), &[("prompt", "none"), ("state", "again")]);
    let answer = ann.get(&authorize(&none)).await;
    let location = answer.location().to_owned();
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!((parameter(&location, "state").as_deref(), parameter(&location, "iss").as_deref()), (Some("again"), Some(&*site.origin)));
    let tokens = site.token(&with(exchange(&parameter(&location, "code").unwrap()), &[("client_id", "remembered")])).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);
    assert!(tokens.json()["id_token"].is_string(), "what it learned of the person it learns again");

    // It is a grant of its own, with a mail of its own, and the list says what is not asked.
    assert!(ann.get("/").await.text.contains("2 active grants<"));
    assert_eq!(site.mails.0.lock().unwrap().iter().filter(|mail| mail.contains("https://app.example")).count(), 2);
    let list = ann.get("/me/grants").await;
    assert!(list.text.contains("Not asked again") && list.text.contains("The &#60;remembered&#62; application"), "{}", list.text);
    assert!(list.text.contains("you are asked again from"), "{}", list.text);
    let done = ann.post("/me/forget", &list.form("/me/forget")).await;
    let list = ann.get(done.location()).await.text;
    assert!(list.contains("has to ask you the next time") && !list.contains("Not asked again"), "{list}");
    assert!(asks(&mut ann, &request()).await);
    let refused = ann.get(&authorize(&none)).await;
    assert_eq!(parameter(refused.location(), "error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn whatever_is_more_than_was_given_is_asked() {
    let site = site().await;
    let mut ann = site.ann().await;
    let_go_unasked(&mut ann, &request()).await;
    let rows: [(&str, Changes, bool); 12] = [
        ("the same", &[], false),
        ("another state", &[("state", "x")], false),
        ("less", &[("scope", "notes:read:zap")], false),
        ("a shorter life", &[("expires", "1 hour")], false),
        ("no wish", &[("expires", "")], false),
        ("another scope", &[("scope", "openid profile notes:read:* notes:write:mine")], true),
        ("more of the person", &[("scope", "openid profile email notes:read:*")], true),
        ("all that it may", &[("scope", "")], true),
        ("a longer life", &[("expires", "9 hours")], true),
        ("to another address", &[("redirect_uri", "https://app.example/other")], true),
        ("consent", &[("prompt", "consent")], true),
        ("as another application", &[("client_id", "page"), ("scope", "notes:read:*")], true),
    ];
    for (what, changes, is_asked) in rows {
        let request: Fields = with(request(), changes).into_iter().filter(|(_, value)| !value.is_empty()).collect();
        assert_eq!(asks(&mut ann, &request).await, is_asked, "{what}");
    }
    // The life is never longer than what was given, although a day is usual.
    let request = with(request(), &[("expires", "")]);
    let location = ann.get(&authorize(&request)).await.location().to_owned();
    assert!(parameter(&location, "code").is_some());
    let grants = site.web.grants.grants_of(&session(&site).await).await.unwrap();
    assert!(grants.iter().all(|grant| grant.record.expires_ms - grant.record.created_ms <= 8 * HOUR_MS), "{grants:?}");
    // Sign-in anew comes first, and the request goes on asking for consent behind it.
    let login = with(request.clone(), &[("prompt", "login consent")]);
    let anew = ann.get(&authorize(&login)).await;
    assert!(anew.location().contains("prompt%3Dconsent"), "{}", anew.location());
}

/// Of ann, who is signed in.
async fn session(site: &Site) -> falconer_login::Session {
    let mut ann = site.ann().await;
    ann.get("/").await;
    let (_, cookie) = ann.cookies.iter().find(|(name, _)| name == "__Host-falconer").unwrap().clone();
    site.login.session(&cookie).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_was_remembered_ends() {
    for what in [
        "its time",
        "a revoked grant",
        "all revoked",
        "cancel",
        "a grant without the tick",
        "signing out everywhere",
        "a session by somebody else",
        "an administrator revokes",
    ] {
        let site = site().await;
        let mut ann = site.ann().await;
        let_go_unasked(&mut ann, &request()).await;
        assert!(!asks(&mut ann, &request()).await, "{what}");
        match what {
            "its time" => {
                site.clock.0.fetch_add(30 * DAY_MS, Ordering::SeqCst);
                ann = site.ann().await;
            }
            "a revoked grant" => {
                let list = ann.get("/me/grants").await;
                ann.post("/me/grants/revoke", &list.form("/me/grants/revoke")).await;
            }
            "all revoked" => {
                let form = ann.get("/me/grants").await.form("/me/grants/revoke");
                ann.post("/me/grants/revoke", &with(form, &[("grant", ""), ("all", "yes")])).await;
            }
            "cancel" => {
                let page = ann.get(&authorize(&with(request(), &[("prompt", "consent")]))).await;
                let cancelled = ann.post(DECISION, &with(page.form(DECISION), &[("cancel", "yes")])).await;
                assert!(cancelled.location().contains("error=access_denied"));
            }
            "a grant without the tick" => _ = ann.grant(&with(request(), &[("prompt", "consent")])).await,
            "signing out everywhere" => {
                let form = ann.get("/").await.form("/me/signout-everywhere");
                ann.post("/me/signout-everywhere", &form).await;
                ann = site.ann().await;
            }
            "a session by somebody else" => ann = site.somebody("bob", &["notes:*"]).await,
            _ => {
                let grants = site.web.grants.grants_of(&session(&site).await).await.unwrap();
                let ids = vec![grants[0].record.id.clone()];
                site.login.revoke_grants(&["local/ann".to_owned()], "test", ids, "by an administrator").await.unwrap();
            }
        }
        assert!(asks(&mut ann, &request()).await, "{what}");
    }
}

/// An application of the database changes its place, its scopes, its name, its owner or its memory.
#[tokio::test]
async fn an_application_that_has_changed_asks() {
    let site = site().await;
    let mut root = site.somebody("root", &["auth:*", "notes:*"]).await;
    root.get("/").await;
    let who = Authentication::person("local/root");
    let input = ApplicationInput {
        name: "Wiki".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: vec!["notes:read:*".to_owned()],
        max_life_ms: DAY_MS,
        remember_ms: 30 * DAY_MS,
        ..ApplicationInput::default()
    };
    let mut ann = site.ann().await;
    let request = with(authorization_fields(), &[("client_id", "wiki"), ("scope", "notes:read:*")]);
    for (what, changed, is_asked) in [
        ("what it is for", ApplicationInput { description: "Of the company".to_owned(), ..input.clone() }, false),
        ("its name", ApplicationInput { name: "The wiki".to_owned(), ..input.clone() }, true),
        ("its owner", ApplicationInput { owner: "local/ann".to_owned(), ..input.clone() }, true),
        ("its scopes", ApplicationInput { scopes: vec!["notes:read:*".to_owned(), "notes:write:x".to_owned()], ..input.clone() }, true),
        (
            "its addresses",
            ApplicationInput { redirect_uris: vec![CALLBACK.to_owned(), "https://wiki.example/cb".to_owned()], ..input.clone() },
            true,
        ),
        ("that it may not be remembered", ApplicationInput { remember_ms: 0, ..input.clone() }, true),
    ] {
        site.web.grants.put_application(&who, "wiki", &input, None).await.unwrap();
        if asks(&mut ann, &request).await {
            let_go_unasked(&mut ann, &request).await;
        }
        assert!(!asks(&mut ann, &request).await, "{what}");
        site.web.grants.put_application(&who, "wiki", &changed, None).await.unwrap();
        assert_eq!(asks(&mut ann, &request).await, is_asked, "{what}");
    }
    // Deleted, and another one of the same id.
    site.web.grants.put_application(&who, "wiki", &input, None).await.unwrap();
    site.web.grants.delete_application(&who, "wiki", None).await.unwrap();
    site.web.grants.put_application(&who, "wiki", &input, None).await.unwrap();
    assert!(asks(&mut ann, &request).await);
}

#[tokio::test]
async fn what_is_broad_is_asked_after_a_fresh_sign_in_only() {
    let site = site().await;
    let mut bob = site.somebody("bob", &["notes:*", "shelf:burn:*"]).await;
    let request = with(request(), &[("scope", "notes:read:* shelf:burn:red")]);
    let_go_unasked(&mut bob, &request).await;
    assert!(!asks(&mut bob, &request).await);
    site.clock.0.fetch_add(20 * 60_000, Ordering::SeqCst);
    assert!(asks(&mut bob, &request).await, "it was long ago that they proved to be there");
    assert!(!asks(&mut bob, &with(request, &[("scope", "notes:read:*")])).await, "the rest is not broad");
}

/// A service says later that it is a high risk: what was agreed to was something else.
#[tokio::test]
async fn what_has_become_a_high_risk_is_asked_again() {
    let site = site().await;
    let who = Authentication::person("local/publisher");
    site.somebody("publisher", &["auth:publish-scopes:notes"]).await;
    let publish = async |sentence: &str, risk| {
        let scopes = [ScopeSentence { template: "notes:read:<book>".to_owned(), sentence: sentence.to_owned(), risk }];
        site.web.grants.put_scope_registry(&who, "notes", &scopes).await.unwrap();
    };
    let mut ann = site.ann().await;
    publish("Read <book>", Risk::Ordinary).await;
    let_go_unasked(&mut ann, &request()).await;
    assert!(!asks(&mut ann, &request()).await);
    publish("Read all of <book>", Risk::Ordinary).await;
    assert!(!asks(&mut ann, &request()).await, "another word for what is not broad");
    publish("Read all of <book>", Risk::High).await;
    assert!(asks(&mut ann, &request()).await);
    // It is remembered in the words of a high risk, until it has others.
    let page = ann.get(&authorize(&request())).await;
    let mut form = with(page.form(DECISION), &[("visible_ms", "2000"), ("remember", "yes")]);
    form.retain(|(name, _)| name != "tick");
    for input in page.text.split("<input").filter(|input| input.contains("name=\"tick\"")) {
        form.push(("tick".to_owned(), input.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()));
    }
    assert!(is_answered(&ann.post(DECISION, &form).await));
    assert!(!asks(&mut ann, &request()).await);
    publish("Destroy <book>", Risk::High).await;
    assert!(asks(&mut ann, &request()).await);
}

/// Pages of others can't have grants made in a picture, by a request for the head, before anybody goes there, or without end.
#[tokio::test]
async fn a_browser_has_to_go_there_and_not_too_often() {
    let site = site().await;
    let mut ann = site.ann().await;
    let_go_unasked(&mut ann, &request()).await;
    let path = authorize(&request());
    for headers in
        [&[("sec-fetch-mode", "no-cors")][..], &[("sec-fetch-mode", "navigate"), ("sec-purpose", "prefetch")], &[("purpose", "prefetch")]]
    {
        assert!(!is_answered(&ann.send(Method::GET, &path, headers, None).await), "{headers:?}");
    }
    assert_eq!(ann.send(Method::HEAD, &path, &[], None).await.status, StatusCode::OK);
    assert!(ann.get("/").await.text.contains("1 active grant<"), "none of them made a grant");
    for _ in 1..30 {
        assert!(is_answered(&ann.send(Method::GET, &path, &[("sec-fetch-mode", "navigate")], None).await));
    }
    assert!(asks(&mut ann, &request()).await, "30 within an hour");
    site.clock.0.fetch_add(HOUR_MS, Ordering::SeqCst);
    assert!(!asks(&mut ann, &request()).await);
}

/// What a program derives for its own tasks is no going there.
#[tokio::test]
async fn parts_of_a_grant_are_not_counted_as_grants() {
    let site = site().await;
    let mut ann = site.ann().await;
    let_go_unasked(&mut ann, &request()).await;
    let code = parameter(ann.get(&authorize(&request())).await.location(), "code").unwrap();
    let tokens = site.token(&with(exchange(&code), &[("client_id", "remembered")])).await.json();
    let part = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", tokens["access_token"].as_str().unwrap()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("client_id", "remembered"),
        ("scope", "notes:read:*"),
    ]);
    for _ in 0..30 {
        assert_eq!(site.token(&part).await.status, StatusCode::OK);
    }
    assert!(!asks(&mut ann, &request()).await);
}

#[tokio::test]
async fn of_our_own_applications_nobody_is_asked_but_for_what_is_broad() {
    let site = site().await;
    let mut bob = site.somebody("bob", &["notes:*", "shelf:burn:*"]).await;
    let ours = |scope: &str| with(request(), &[("client_id", "ours"), ("scope", scope), ("expires", "")]);
    assert!(!asks(&mut bob, &ours("openid notes:read:*")).await);
    assert!(bob.get("/me/grants").await.text.contains("The &#60;ours&#62; application"), "it is in the list");
    assert!(asks(&mut bob, &ours("notes:read:* shelf:burn:red")).await);
    assert!(asks(&mut bob, &with(ours("notes:read:*"), &[("prompt", "consent")])).await);
    let beyond = bob.get(&authorize(&ours("notes:burn:all"))).await;
    assert_eq!(parameter(beyond.location(), "error").as_deref(), Some("invalid_scope"));
    // Who has nothing of it is asked, so that they see that.
    let mut carl = site.somebody("carl", &["queue:ping"]).await;
    assert!(asks(&mut carl, &ours("notes:read:*")).await);
    // Signed out: first the sign-in, then the answer.
    let mut nobody = site.browser();
    let login = nobody.get(&authorize(&ours("notes:read:*"))).await.location().to_owned();
    let form = with(nobody.get(&login).await.form("/login"), &[("name", "bob"), ("password", PASSWORD)]);
    let back = nobody.post("/login", &form).await.leads_on_to();
    assert!(is_answered(&nobody.get(&back).await));
}

/// Story: two applications that answer at one origin stood under the name of the one that was granted last, and one button revoked the grants of both.
#[tokio::test]
async fn applications_of_one_origin_are_listed_and_taken_back_each_by_itself() {
    let site = site().await;
    let mut ann = site.ann().await;
    for client_id in ["page", "remembered", "page", "remembered"] {
        let request = with(authorization_fields(), &[("client_id", client_id), ("scope", "notes:read:*")]);
        let page = ann.get(&authorize(&request)).await;
        let given = ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000")])).await;
        let code = parameter(given.location(), "code").unwrap_or_else(|| panic!("{}", given.text));
        assert_eq!(site.token(&with(exchange(&code), &[("client_id", client_id)])).await.status, StatusCode::OK);
    }
    let list = ann.get("/me/grants").await;
    for (name, times) in
        [("The &#60;page&#62; application <span", 1), ("The &#60;remembered&#62; application <span", 1), ("Revoke 2 grants", 2)]
    {
        assert_eq!(list.text.matches(name).count(), times, "{name} in {}", list.text);
    }
    let csrf = with(list.form("/me/grants/revoke"), &[("grant", ""), ("site", "https://app.example")]);
    let of_page = [csrf, fields(&[("application", "The <page> application")])].concat();
    assert_eq!(ann.post("/me/grants/revoke", &of_page).await.location(), "/me/grants?done=all-revoked");
    let list = ann.get("/me/grants").await.text;
    assert!(!list.contains("The &#60;page&#62; application <span") && list.contains("Revoke 2 grants"), "{list}");
}
