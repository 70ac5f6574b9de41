//! Signing in again, with a form under way: nothing that was chosen is lost, nothing of it is in a URL, and no password goes round.

use std::sync::atomic::Ordering;

use crate::site::provider::{FakeProvider, configured, found};
use crate::site::{Browser, PASSWORD, Page, START_MS, Site, encode, request_for, site, site_with, with};
use falconer_auth::{Authentication, ClientInput};
use falconer_store::Store as _;
use falconer_web::RequestLimits;
use http::StatusCode;
use url::Url;

const KNOWN: &str = "https://known.example/login";

pub fn later(site: &Site) {
    site.clock.0.fetch_add(15 * 60_000, Ordering::SeqCst);
}

/// The grant page, with these ticks, sent; `https://known.example` is registered, so that no name is typed.
async fn grant(browser: &mut Browser<'_>, more: &str, ticks: &[(&str, &str)]) -> Page {
    let page = browser.get(&request_for(KNOWN, more)).await;
    let form = with(page.form("/grant"), ticks);
    let form = with(form, &[("visible_ms", "5000")]);
    browser.post("/grant", &form).await
}

/// Every scope that is asked for, ticked.
async fn grant_all(browser: &mut Browser<'_>, more: &str) -> Page {
    let page = browser.get(&request_for(KNOWN, more)).await;
    let mut form = with(page.form("/grant"), &[("visible_ms", "5000")]);
    form.retain(|(name, _)| name != "tick");
    for input in page.text.split("<input").filter(|input| input.contains("name=\"tick\"")) {
        form.push(("tick".to_owned(), input.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()));
    }
    browser.post("/grant", &form).await
}

const BROAD: &str = "&scope=auth%3Acreate-role%3A*&scope=notes%3Aread%3Aa";

#[tokio::test]
async fn a_broad_grant_waits_for_a_fresh_sign_in_and_loses_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    later(&site);
    // What is not broad is granted as ever.
    assert!(grant(&mut ann, "&scope=notes%3Aread%3Aa", &[]).await.location().starts_with(KNOWN));
    let repeated = grant_all(&mut ann, BROAD).await;
    assert_eq!(repeated.status, StatusCode::FORBIDDEN, "{}", repeated.text);
    assert!(repeated.text.contains("Nothing of what you have chosen is lost"), "{}", repeated.text);
    assert!(repeated.header("location").is_empty() && repeated.header("set-cookie").is_empty());
    let wrong = ann.post("/me/again", &with(repeated.form("/me/again"), &[("password", "a guess")])).await;
    assert_eq!((wrong.status, wrong.text.contains("The password is wrong.")), (StatusCode::FORBIDDEN, true));
    let before = ann.cookies.clone();
    let go_on = ann.post("/me/again", &with(wrong.form("/me/again"), &[("password", PASSWORD)])).await;
    assert_eq!(go_on.status, StatusCode::OK);
    assert!(!go_on.text.contains(PASSWORD) && go_on.header("content-security-policy").contains("form-action 'self' https:"));
    assert_ne!(ann.cookies, before, "another cookie from now on");
    let granted = ann.post("/grant", &go_on.form("/grant")).await;
    assert!(granted.location().starts_with("https://known.example/login?clientId="), "{}", granted.text);
    let me = ann.get("/").await;
    assert!(me.text.contains("may use 2 scopes") || me.text.contains("may use 3 scopes"), "{}", me.text);

    // The same to the same site is not asked again; more is.
    later(&site);
    assert!(grant_all(&mut ann, BROAD).await.location().starts_with(KNOWN));
    assert!(grant(&mut ann, "&scope=notes%3Aread%3Aa", &[]).await.location().starts_with(KNOWN));
    let second = grant_all(&mut ann, BROAD).await;
    assert_eq!(second.status, StatusCode::FORBIDDEN, "last time it got less: {}", second.text);
    let go_on = ann.post("/me/again", &with(second.form("/me/again"), &[("password", PASSWORD)])).await;
    assert!(ann.post("/grant", &go_on.form("/grant")).await.location().starts_with(KNOWN));
    // The cookie of before is worth nothing.
    let mut old = site.browser();
    old.cookies = before;
    assert_eq!(old.get("/").await.location(), "/login");
}

#[tokio::test]
async fn a_client_with_broad_scopes_and_a_new_token_wait_too() {
    let site = site().await;
    let mut ann = site.somebody("cleo", &["auth:*"]).await;
    let person = Authentication::person("local/cleo");
    let input =
        ClientInput { expires_us: (START_MS + 86_400_000) * 1000, description: String::new(), scopes: None, delete_on_expiration: false };
    site.auth.create_client(&person, "local/cleo/cli", &input).await.unwrap();
    let token = async || site.store.client("local/cleo/cli").await.unwrap().unwrap().access_token.expose().to_owned();
    let before = token().await;
    later(&site);
    let ask = ann.get("/auth/clients/confirm?id=local%2Fcleo%2Fcli&action=reset").await;
    let repeated = ann.post("/auth/clients/confirm", &ask.form("/auth/clients/confirm")).await;
    assert_eq!((repeated.status, token().await), (StatusCode::FORBIDDEN, before.clone()), "{}", repeated.text);
    let go_on = ann.post("/me/again", &with(repeated.form("/me/again"), &[("password", PASSWORD)])).await;
    let shown = ann.post("/auth/clients/confirm", &go_on.form("/auth/clients/confirm")).await;
    assert!(shown.text.contains("There is a new access token"), "{}", shown.text);
    assert_ne!(token().await, before);
    // Other buttons do not ask.
    later(&site);
    let ask = ann.get("/auth/clients/confirm?id=local%2Fcleo%2Fcli&action=disable").await;
    assert!(ann.post("/auth/clients/confirm", &ask.form("/auth/clients/confirm")).await.location().ends_with("done=disabled"));
    let page = ann.get("/auth/clients/create?name=program&scope=auth%3Acreate-role%3A*").await;
    let tick = page.text.split("<input").find(|input| input.contains("name=\"tick\"")).unwrap();
    let tick = tick.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = with(page.form("/auth/clients/create"), &[("tick", tick), ("visible_ms", "5000")]);
    let second = ann.post("/auth/clients/create", &form).await;
    assert_eq!(second.status, StatusCode::FORBIDDEN, "{}", second.text);
    let go_on = ann.post("/me/again", &with(second.form("/me/again"), &[("password", PASSWORD)])).await;
    assert!(go_on.header("content-security-policy").contains("http://localhost:*"));
    let created = ann.post("/auth/clients/create", &go_on.form("/auth/clients/create")).await;
    assert!(created.text.contains("local/cleo/program"), "{}", created.text);
}

#[tokio::test]
async fn changes_of_credentials_wait_and_passwords_do_not_go_round() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = ann.get("/me/passkeys").await.form("/me/recovery-codes");
    let password = ann.get("/me/password").await.form("/me/password");
    later(&site);
    assert_eq!(ann.get("/me/passkeys").await.location(), "/me/again?next=%2Fme%2Fpasskeys");
    assert_eq!(ann.get("/me/password").await.location(), "/me/again?next=%2Fme%2Fpassword");
    let form = with(password, &[("old", PASSWORD), ("new", "another good password"), ("repeat", "another good password")]);
    let sent = ann.post("/me/password", &form).await;
    assert_eq!(sent.location(), "/me/again?next=%2Fme%2Fpassword");
    let repeated = ann.post("/me/recovery-codes", &codes).await;
    assert_eq!(repeated.status, StatusCode::FORBIDDEN);
    // No form of another page comes back through it.
    let forged = with(repeated.form("/me/again"), &[("password", PASSWORD), ("kept", "/me/signout-everywhere")]);
    let elsewhere = ann.post("/me/again", &forged).await;
    assert_eq!(elsewhere.location(), "/");
    later(&site);
    let second = ann.post("/me/recovery-codes", &codes).await;
    let go_on = ann.post("/me/again", &with(second.form("/me/again"), &[("password", PASSWORD)])).await;
    let shown = ann.post("/me/recovery-codes", &go_on.form("/me/recovery-codes")).await;
    assert_eq!(shown.text.matches("<li><code").count(), 10, "{}", shown.text);
    // Without a form, back to the page.
    later(&site);
    let retried = ann.get("/me/again?next=%2Fme%2Fpassword").await;
    assert_eq!(ann.post("/me/again", &with(retried.form("/me/again"), &[("password", PASSWORD)])).await.location(), "/me/password");
    assert_eq!(ann.get("/me/again?next=%2F%2Fevil.example").await.location(), "/", "who is fresh goes on, to pages of ours only");
}

// Story: "Nothing of what you have chosen is lost", and the form was gone behind the eleventh wrong password, or where the database did not answer once.
#[tokio::test]
async fn a_form_is_kept_through_what_is_for_the_moment() {
    let site = site().await;
    let mut cleo = site.somebody("cleo", &["auth:*"]).await;
    let form = cleo.get("/auth/people/add").await.form("/auth/people/add");
    let form = with(form, &[("name", "new"), ("display_name", "New Person"), ("do", "save")]);
    later(&site);
    let is_kept = |page: &Page| page.text.contains("name=\"kept-display_name\" value=\"New Person\"");
    let mut asked = cleo.post("/auth/people/add", &form).await;
    site.counted.lose_after("insert_session", 0);
    asked = cleo.post("/me/again", &with(asked.form("/me/again"), &[("password", PASSWORD)])).await;
    assert_eq!((asked.status.as_u16(), asked.header("retry-after"), is_kept(&asked)), (503, "5", true), "{}", asked.text);
    for wrong in 1..=11 {
        asked = cleo.post("/me/again", &with(asked.form("/me/again"), &[("password", "a guess")])).await;
        assert_eq!((asked.status.as_u16(), is_kept(&asked)), (if wrong > 10 { 429 } else { 403 }, true), "{wrong}: {}", asked.text);
    }
    assert!(asked.text.contains("Too many attempts") && asked.header("retry-after").parse::<u64>().unwrap() > 0);
    later(&site);
    let go_on = cleo.post("/me/again", &with(asked.form("/me/again"), &[("password", PASSWORD)])).await;
    assert!(cleo.post("/auth/people/add", &go_on.form("/auth/people/add")).await.text.contains("They are invited"));
}

// The same where it is only what was typed.
#[tokio::test]
async fn other_forms_of_a_password_are_shown_again_too() {
    let site = site().await;
    site.somebody("bob", &[]).await;
    let mut ann = site.ann().await;
    let mut nobody = site.browser();
    let link = ann.get("/me/link").await.form("/me/link");
    let link = with(link, &[("own_password", PASSWORD), ("name", "bob"), ("password", PASSWORD)]);
    let password = ann.get("/me/password").await.form("/me/password");
    let password = with(password, &[("old", PASSWORD), ("new", "another good password"), ("repeat", "another good password")]);
    let recovery = nobody.get("/login/recovery").await.form("/login/recovery");
    let recovery = with(recovery, &[("name", "ann"), ("code", "0000")]);
    for (browser, path, form) in [(&mut ann, "/me/link", link), (&mut nobody, "/login/recovery", recovery)] {
        site.counted.lose_after("credentials", 0);
        let shown = browser.post(path, &form).await;
        assert_eq!((shown.status.as_u16(), shown.header("retry-after")), (503, "5"), "{path}: {}", shown.text);
        let name = form.iter().find(|(name, _)| name == "name").unwrap();
        assert!(shown.form(path).contains(name), "{path}: {}", shown.text);
    }
    for _ in 0..10 {
        ann.post("/me/password", &with(password.clone(), &[("old", "a guess")])).await;
    }
    let shown = ann.post("/me/password", &password).await;
    assert_eq!((shown.status.as_u16(), shown.header("retry-after").is_empty()), (429, false), "{}", shown.text);
    assert!(shown.text.contains("Too many attempts") && !shown.form("/me/password").is_empty());
}

/// A provider that asks everybody for a password, at the time of the test's clock; `silent` is somebody of whom it does not say when.
async fn company() -> Site {
    let asking = FakeProvider::away(|subject, now_ms| Ok(found(subject, Some(now_ms).filter(|_| subject != "silent"))));
    let provider = configured("company", "Company & <Co>", &["auth:create-role:x", "team:x"], asking);
    site_with("https://auth.example.com", RequestLimits::default(), vec![provider]).await
}

/// To the provider and back, as whoever the code says.
async fn round(browser: &mut Browser<'_>, from: &str, code: &str) -> Page {
    let left = browser.get(from).await;
    let url = Url::parse(left.location()).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    browser.get(&format!("/login/company/callback?{}", encode(&[("code".into(), code.into()), ("state".into(), state)]))).await
}

#[tokio::test]
async fn a_form_waits_while_a_provider_is_asked_in_another_tab() {
    let site = company().await;
    let mut browser = site.browser();
    round(&mut browser, "/login/company", "17").await;
    later(&site);
    let repeated = grant_all(&mut browser, "&scope=auth%3Acreate-role%3Ax").await;
    assert_eq!(repeated.status, StatusCode::FORBIDDEN, "{}", repeated.text);
    assert!(repeated.text.contains("target=\"_blank\"") && !repeated.text.contains("type=\"password\""), "{}", repeated.text);
    let too_early = browser.post("/me/again", &repeated.form("/me/again")).await;
    assert_eq!((too_early.status, too_early.text.contains("not signed in again yet")), (StatusCode::FORBIDDEN, true));
    let href = repeated.text.split("href=\"/login/company?").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    assert!(href.len() < 100, "nothing of the form is in it: {href}");
    let tab = format!("/login/company?{href}");
    let other = round(&mut browser, &tab, "18").await;
    assert_eq!((other.status, other.text.contains("You came back as somebody else")), (StatusCode::FORBIDDEN, true), "{}", other.text);
    let done = round(&mut browser, &tab, "17").await;
    assert!(browser.get(done.location()).await.text.contains("Close this tab"));
    let go_on = browser.post("/me/again", &repeated.form("/me/again")).await;
    assert!(browser.post("/grant", &go_on.form("/grant")).await.location().starts_with(KNOWN));
}

#[tokio::test]
async fn an_identity_is_linked_from_the_page_of_identities() {
    let site = company().await;
    let mut ann = site.ann().await;
    let page = ann.get("/auth/identities").await;
    assert!(page.text.contains("Link Company &#38; &#60;Co&#62;"), "{}", page.text);
    assert_eq!(round(&mut ann, "/login/company?for=link", "silent").await.status, StatusCode::FORBIDDEN);
    let back = round(&mut ann, "/login/company?for=link", "17").await;
    assert_eq!(back.location(), "/me/link");
    assert!(ann.get("/auth/identities").await.text.contains("was proved and is not linked yet"));
    let confirm = ann.get("/me/link").await;
    assert!(confirm.text.contains("company/17") && confirm.text.contains("team:x"), "{}", confirm.text);
    assert_eq!(ann.post("/me/link/confirm", &confirm.form("/me/link/confirm")).await.location(), "/?done=linked");
    let page = ann.get("/auth/identities").await;
    assert!(page.text.contains("company/17") && page.text.contains("local/ann"));
    // Once more, it is said that it is theirs; as somebody else's, what to do.
    let repeated = round(&mut ann, "/login/company?for=link", "17").await;
    assert_eq!((repeated.status, repeated.text.contains("is yours already")), (StatusCode::CONFLICT, true), "{}", repeated.text);
    let mut bob = site.somebody("bob", &[]).await;
    let taken = round(&mut bob, "/login/company?for=link", "17").await;
    assert_eq!((taken.status, taken.text.contains("unlink it there first")), (StatusCode::CONFLICT, true), "{}", taken.text);
    // A while later it is asked for a proof first, and then goes on.
    later(&site);
    assert_eq!(ann.get("/login/company?for=link").await.location(), "/me/again?next=%2Flogin%2Fcompany%3Ffor%3Dlink");
    // Who is not signed in links nothing.
    let nobody = site.browser().get("/login/company?for=link").await;
    assert!(nobody.status.is_client_error(), "{}", nobody.status);
}

#[tokio::test]
async fn a_local_account_is_linked_to_an_identity_of_a_provider() {
    let site = company().await;
    let mut browser = site.browser();
    round(&mut browser, "/login/company", "17").await;
    let page = browser.get("/me/link").await;
    assert!(!page.text.contains("name=\"own_password\""), "{}", page.text);
    let form = with(page.form("/me/link"), &[("name", "ann"), ("password", PASSWORD)]);
    later(&site);
    assert_eq!(browser.post("/me/link", &form).await.location(), "/me/again?next=%2Fme%2Flink");
    let back = round(&mut browser, "/login/company?for=again&next=%2Fme%2Flink", "17").await;
    assert_eq!(back.location(), "/me/link");
    assert_eq!(browser.post("/me/link", &form).await.location(), "/me/link");
    let confirm = browser.get("/me/link").await;
    assert!(confirm.text.contains("notes:*"), "{}", confirm.text);
    assert_eq!(browser.post("/me/link/confirm", &confirm.form("/me/link/confirm")).await.location(), "/?done=linked");
}

/// The button said "Sign in" while somebody linked an address, and from a code that was over they came to the page of signing in, which sent them home.
#[tokio::test]
async fn a_code_says_what_it_is_for_and_is_asked_for_anew_with_the_same_aim() {
    let by_code = FakeProvider::address(|address, now_ms| Ok(found(address, Some(now_ms))));
    let provider = configured("mail", "a code by mail", &["team:x"], by_code);
    let site = site_with("https://auth.example.com", RequestLimits::default(), vec![provider]).await;
    let mut ann = site.ann().await;
    for (from, button, anew) in [
        ("/login/mail?for=link", "Continue", "/login/mail?for=link"),
        ("/login/mail?for=again&next=%2Fme%2Fpassword", "Sign in again", "/login/mail?next=%2Fme%2Fpassword&#38;for=again"),
    ] {
        let address = ann.get(from).await;
        assert_eq!(address.status, StatusCode::OK, "{}", address.text);
        let form = with(address.form("/login/mail/address"), &[("address", "ann@example.com")]);
        let sent = ann.post("/login/mail/address", &form).await.location().to_owned();
        let page = ann.get(&sent).await;
        assert!(page.text.contains(&format!("<button class=\"primary\">{button}</button>")), "{}", page.text);
        assert!(page.text.contains(&format!("href=\"{anew}\"")), "{}", page.text);
        assert_eq!(page.text.contains("Nothing is linked before you confirm it"), button == "Continue");
        let code = with(page.form("/login/mail/code"), &[("code", "00000000")]);
        site.clock.0.fetch_add(10 * 60_000, Ordering::SeqCst);
        for over in [ann.get(&sent).await, ann.post("/login/mail/code", &code).await] {
            assert_eq!((over.status, over.text.contains("This code is over")), (StatusCode::BAD_REQUEST, true), "{}", over.text);
            assert!(over.text.contains(&format!("href=\"{anew}\"")), "{}", over.text);
        }
        ann = site.ann().await;
    }
}

/// Whoever was linking was told that nobody was signed in, and led to the page of signing in.
#[tokio::test]
async fn what_came_to_nothing_leads_back_to_where_it_was_begun() {
    let site = company().await;
    let mut ann = site.ann().await;
    let link = round(&mut ann, "/login/company?for=link", "silent").await;
    assert!(link.text.contains("Nothing was linked.") && link.text.contains("href=\"/auth/identities\""), "{}", link.text);
    let mut browser = site.browser();
    round(&mut browser, "/login/company", "17").await;
    let repeated = round(&mut browser, "/login/company?for=again&next=%2Fme%2Flink", "silent").await;
    assert!(
        repeated.text.contains("You were not signed in again.") && repeated.text.contains("href=\"/me/again?next=%2Fme%2Flink\""),
        "{}",
        repeated.text
    );
    // A request of a site is not lost either; of what was begun elsewhere nothing is known.
    let mut nobody = site.browser();
    let left = nobody.get("/login/company?next=%2F%3Ftarget%3Dx").await;
    let state = Url::parse(left.location()).unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let callback =
        |state: &str| format!("/login/company/callback?{}", encode(&[("code".into(), "17".into()), ("state".into(), state.into())]));
    later(&site);
    let over = nobody.get(&callback(&state)).await;
    assert!(over.status == 400 && over.text.contains("href=\"/login?next=%2F%3Ftarget%3Dx\""), "{}", over.text);
    let unknown = nobody.get(&callback("elsewhere")).await;
    assert!(unknown.status == 400 && unknown.text.contains("href=\"/login?next=%2F\""), "{}", unknown.text);
}
