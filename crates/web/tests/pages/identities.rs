//! The pages on which a person links accounts, unlinks them, and chooses which one names what is new.

use crate::site::{Browser, PASSWORD, Site, site, with};
use http::StatusCode;

/// Another account of Ann's, and a browser in which she is signed in with it.
async fn bob(site: &Site) -> Browser<'_> {
    site.somebody("bob", &["x:y"]).await
}

/// Sends the form in which both passwords are entered.
async fn prove(ann: &mut Browser<'_>, own: &str, name: &str, password: &str) -> crate::site::Page {
    let form = ann.get("/me/link").await.form("/me/link");
    ann.post("/me/link", &with(form, &[("own_password", own), ("name", name), ("password", password)])).await
}

#[tokio::test]
async fn two_accounts_become_one_person_and_two_again() {
    let site = site().await;
    let (mut ann, mut bob) = (site.ann().await, bob(&site).await);
    let before = ann.cookies.clone();
    assert!(!ann.get("/").await.text.contains("names what is new"), "with one identity there is nothing to choose");
    assert_eq!(prove(&mut ann, PASSWORD, "bob", PASSWORD).await.location(), "/me/link");
    let page = ann.get("/me/link").await;
    for text in ["local/ann", "local/bob", "x:y", "notes:*", "Whoever signs in as local/bob gains", "All other sessions of both end"] {
        assert!(page.text.contains(text), "{text}");
    }
    // The second half of a double click.
    let quick = ann.post_at_once("/me/link/confirm", &page.form("/me/link/confirm")).await;
    assert_eq!((quick.status, quick.text.contains("so nothing was done")), (StatusCode::BAD_REQUEST, true));
    let done = ann.post("/me/link/confirm", &quick.form("/me/link/confirm")).await;
    assert_eq!(done.location(), "/?done=linked");

    // The cookie of before is worth nothing, nor is any other session of both.
    let mut old = site.browser();
    old.cookies = before;
    assert_eq!(old.get("/").await.location(), "/login");
    assert_eq!(bob.get("/").await.location(), "/login");
    let me = ann.get("/?done=linked").await;
    for text in ["The accounts are linked", "x:y", "names what is new", "as local/ann with a password"] {
        assert!(me.text.contains(text), "{text}");
    }
    // The button pressed again, in a tab that was left open.
    let repeated = ann.post("/me/link/confirm", &with(me.form("/me/name"), &[("identity", "local/bob")])).await;
    assert_eq!(repeated.status, StatusCode::CONFLICT);

    assert_eq!(ann.post("/me/name", &me.form("/me/name")).await.location(), "/?done=named#identities");
    assert!(ann.get("/").await.text.contains("<dd><code>local/bob</code></dd>"));

    // Whoever began a session with what is unlinked is signed out.
    let mut by_bob = site.browser();
    let form = by_bob.get("/login").await.form("/login");
    by_bob.post("/login", &with(form, &[("name", "bob"), ("password", PASSWORD)])).await;
    assert!(by_bob.get("/").await.text.contains("notes:*"));
    let unlink = by_bob.get("/me/unlink?identity=local%2Fbob").await;
    assert!(unlink.text.contains("you are signed out"), "{}", unlink.text);
    let quick = by_bob.post_at_once("/me/unlink", &unlink.form("/me/unlink")).await;
    assert_eq!(quick.status, StatusCode::BAD_REQUEST);
    assert_eq!(by_bob.post("/me/unlink", &quick.form("/me/unlink")).await.location(), "/login?done=signed-out");
    assert!(!by_bob.is_signed_in());
    let me = ann.get("/").await;
    assert!(me.text.contains("<dd><code>local/ann</code></dd>") && !me.text.contains("x:y"));
    assert_eq!(ann.get("/me/unlink?identity=local%2Fann").await.status, StatusCode::NOT_FOUND, "it is the only one");
}

#[tokio::test]
async fn what_is_wrong_is_said_and_nothing_is_pending() {
    let site = site().await;
    bob(&site).await;
    let mut ann = site.ann().await;
    for (own, name, password, status, text) in [
        ("", "bob", PASSWORD, StatusCode::BAD_REQUEST, "Enter your password"),
        (PASSWORD, "", PASSWORD, StatusCode::BAD_REQUEST, "Enter your password"),
        (PASSWORD, "bob", "", StatusCode::BAD_REQUEST, "Enter your password"),
        ("wrong", "bob", PASSWORD, StatusCode::FORBIDDEN, "Your password as local/ann is wrong."),
        (PASSWORD, "bob", "wrong", StatusCode::FORBIDDEN, "The name or the password of the other account is wrong."),
        (PASSWORD, "nobody", PASSWORD, StatusCode::FORBIDDEN, "The name or the password of the other account is wrong."),
        (PASSWORD, "ann", PASSWORD, StatusCode::CONFLICT, "local/ann is yours already."),
    ] {
        let repeated = prove(&mut ann, own, name, password).await;
        assert_eq!((repeated.status, repeated.text.contains(text)), (status, true), "{text}: {}", repeated.text);
        assert!(!repeated.text.contains(PASSWORD), "a page never repeats a password");
    }
    assert!(ann.get("/me/link").await.text.contains("Your password as"), "nothing is pending");
}

#[tokio::test]
async fn cancel_forgets_what_was_proven() {
    let site = site().await;
    bob(&site).await;
    let mut ann = site.ann().await;
    prove(&mut ann, PASSWORD, "bob", PASSWORD).await;
    let page = ann.get("/me/link").await;
    assert_eq!(ann.post("/me/link/cancel", &page.form("/me/link/cancel")).await.location(), "/?done=not-linked#identities");
    assert_eq!(ann.post("/me/link/confirm", &page.form("/me/link/confirm")).await.status, StatusCode::CONFLICT);
    assert!(!ann.get("/").await.text.contains("x:y"));
}

/// The page that confirms was loaded in another session of the same browser: its token is not this one's.
#[tokio::test]
async fn a_page_of_another_session_confirms_nothing() {
    let site = site().await;
    bob(&site).await;
    let (mut ann, mut elsewhere) = (site.ann().await, site.ann().await);
    prove(&mut ann, PASSWORD, "bob", PASSWORD).await;
    let page = ann.get("/me/link").await;
    let stolen = elsewhere.post("/me/link/confirm", &page.form("/me/link/confirm")).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    // With their own token, too.
    let form = elsewhere.get("/me/link").await.form("/me/link");
    let mixed = with(page.form("/me/link/confirm"), &[("csrf", &form[0].1)]);
    assert!(elsewhere.post("/me/link/confirm", &mixed).await.status.is_client_error());
    assert!(!ann.get("/").await.text.contains("x:y"));
}
