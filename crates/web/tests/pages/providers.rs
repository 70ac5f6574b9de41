//! Signing in with an identity provider, as a browser sees it. The provider is one of the test; what a hostile one can do is tested in `login`.

use crate::site::provider::{FakeProvider, configured, found};
use crate::site::{Browser, Page, Site, TARGET, encode, site_with};
use falconer_login::ProviderError;
use falconer_login::github::GithubError;
use falconer_login::http::HttpError;
use falconer_web::RequestLimits;
use http::Method;
use url::Url;

/// A provider that believes every code, and says `no`, nonsense or nothing where the code asks for it.
fn believing() -> FakeProvider {
    FakeProvider::away(|code, _| match code {
        "denied" => Err(ProviderError::Said("access_denied".into())),
        "stranger" => Err(ProviderError::Github(GithubError::NoMember { hidden: false })),
        "hidden" => Err(ProviderError::Github(GithubError::NoMember { hidden: true })),
        "forged" => Err(ProviderError::Signature),
        "away" => Err(ProviderError::Http { what: "token endpoint", error: HttpError::TooSlow }),
        "busy" => Err(ProviderError::Busy),
        subject => {
            let mut found = found(subject, None);
            found.attributes.display_name = "<b>You</b>".into();
            Ok(found)
        }
    })
}

async fn company_at(origin: &str) -> Site {
    let provider = |name: &str, label: &str| configured(name, label, &["notes:read:*"], believing());
    site_with(origin, RequestLimits::default(), vec![provider("company", "Company & <Co>"), provider("other", "Other")]).await
}

async fn company() -> Site {
    company_at("https://auth.example.com").await
}

/// The state that the provider was given.
fn state(page: &Page) -> String {
    let url = Url::parse(page.location()).unwrap();
    url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

fn callback(code: &str, state: &str) -> String {
    format!("/login/company/callback?{}", encode(&[("code".into(), code.into()), ("state".into(), state.into())]))
}

async fn sign_in(browser: &mut Browser<'_>, code: &str) -> Page {
    let left = browser.get("/login/company?next=%2F").await;
    browser.get(&callback(code, &state(&left))).await
}

#[tokio::test]
async fn a_person_signs_in_and_goes_on_where_a_site_asked() {
    let site = company().await;
    let mut browser = site.browser();
    let request = format!("/?{}&scope=notes%3Aread%3Aa", encode(&[("target".into(), TARGET.into()), ("description".into(), "x".into())]));
    let to_login = browser.get(&request).await.location().to_owned();
    let page = browser.get(&to_login).await;
    assert!(page.text.contains("Sign in with Company &#38; &#60;Co&#62;") && page.text.contains("Sign in with Other"), "{}", page.text);
    let href = page.text.split("href=\"/login/company?").nth(1).unwrap().split('"').next().unwrap();
    let left = browser.get(&format!("/login/company?{href}")).await;
    assert!(left.location().starts_with("https://login.example.com/authorize?"), "{}", left.location());
    assert!(left.location().contains("redirect_uri=https%3A%2F%2Fauth.example.com%2Flogin%2Fcompany%2Fcallback"));
    assert_eq!(left.header("referrer-policy"), "no-referrer");
    let kept = left.header("set-cookie");
    assert!(kept.starts_with("__Host-falconer-away-0=") && kept.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{kept}");
    let back = browser.get(&callback("1234", &state(&left))).await;
    let next = back.location().to_owned();
    assert!(next.starts_with("/?target=https%3A%2F%2Fnotes.example.com"), "{next}");
    assert!(browser.is_signed_in());
    let grant = browser.get(&next).await;
    assert!(grant.text.contains("company/1234") && grant.text.contains("&#60;b&#62;You"), "{}", grant.text);
    // What the browser kept is gone, and the way back leads nowhere any more.
    let repeated = browser.get(&callback("1234", &state(&left))).await;
    assert_eq!(repeated.status, 400);
}

#[tokio::test]
async fn a_hint_goes_straight_to_the_provider() {
    let site = company().await;
    let request = |hint: &str| {
        format!("/?{}", encode(&[("target".into(), TARGET.into()), ("description".into(), "x".into()), ("provider".into(), hint.into())]))
    };
    let mut browser = site.browser();
    let login = browser.get(&request("company")).await.location().to_owned();
    let straight = browser.get(&login).await;
    assert!(straight.location().starts_with("/login/company?next=%2F%3Ftarget"), "{}", straight.location());
    for none in ["nobody", "", "../x", "company/callback", "https://evil.example"] {
        let login = browser.get(&request(none)).await.location().to_owned();
        assert_eq!(browser.get(&login).await.status, 200, "{none}");
    }
}

#[tokio::test]
async fn what_a_person_is_told() {
    for (code, status, title) in [
        ("denied", 403, "Company &#38; &#60;Co&#62; did not sign you in"),
        ("stranger", 403, "You are in none of the organisations whose members sign in here"),
        ("hidden", 403, "until you have signed in there with its single sign-on"),
        ("forged", 502, "What Company &#38; &#60;Co&#62; answered can&#39;t be accepted"),
        ("away", 503, "Company &#38; &#60;Co&#62; does not answer"),
        ("busy", 503, "Too many people sign in with Company"),
    ] {
        let site = company().await;
        let mut browser = site.browser();
        let page = sign_in(&mut browser, code).await;
        assert_eq!(page.status, status, "{code}");
        assert!(page.text.contains(title), "{code}: {}", page.text);
        assert_eq!(page.header("retry-after").is_empty(), status != 503, "{code}");
        assert!(!browser.is_signed_in());
        // The other ways work.
        browser.sign_in("/login").await;
    }
}

#[tokio::test]
async fn only_the_browser_that_left_comes_back() {
    let site = company().await;
    let (mut mine, mut theirs) = (site.browser(), site.browser());
    let left = mine.get("/login/company").await;
    let their_way = callback("stranger", &state(&theirs.get("/login/company").await));
    // Somebody sends me the way back of their own sign-in, so that I should be them.
    let page = mine.get(&their_way).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("not begun in this browser") && !mine.is_signed_in());
    let way_back = callback("me", &state(&left));
    assert_eq!(theirs.get(&way_back).await.status, 400);
    for broken in [
        "/login/company/callback".to_owned(),
        "/login/company/callback?code=me".to_owned(),
        format!("{way_back}&state=x"),
        format!("{way_back}&code=x"),
        way_back.replace("/company/", "/other/"),
        format!("{}x", way_back),
    ] {
        assert_eq!(mine.get(&broken).await.status, 400, "{broken}");
    }
    assert_eq!(mine.get(&way_back.replace("/company/", "/nobody/")).await.status, 404);
    assert_eq!(mine.get(&way_back).await.status, 303);
    assert!(mine.is_signed_in());
}

#[tokio::test]
async fn two_tabs_both_work_and_a_third_takes_the_oldest_place() {
    let site = company().await;
    let mut browser = site.browser();
    let mut ways = Vec::new();
    for tab in ["first", "second", "third"] {
        site.clock.0.fetch_add(1000, std::sync::atomic::Ordering::SeqCst);
        ways.push(callback(tab, &state(&browser.get("/login/company").await)));
    }
    assert_eq!(browser.get(&ways[0]).await.status, 400);
    assert_eq!(browser.get(&ways[1]).await.status, 303);
}

/// A page of another site could take the place of a sign-in that is under way, with pictures.
#[tokio::test]
async fn a_picture_begins_no_sign_in() {
    let site = company().await;
    let mut browser = site.browser();
    let page = browser.send(Method::GET, "/login/company", &[("sec-fetch-dest", "image")], None).await;
    assert_eq!(page.status, 403);
    assert!(page.header("set-cookie").is_empty());
    let page = browser.send(Method::GET, "/login/company", &[("sec-fetch-dest", "document")], None).await;
    assert_eq!(page.status, 303);
    assert_eq!(browser.get("/login/nobody").await.status, 404);
    assert_eq!(browser.get("/login/local").await.status, 404);
}

#[tokio::test]
async fn a_sign_in_goes_on_only_to_our_own_pages() {
    let site = company().await;
    for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "javascript%3Aalert(1)"] {
        let mut browser = site.browser();
        let left = browser.get(&format!("/login/company?next={elsewhere}")).await;
        let back = browser.get(&callback("me", &state(&left))).await;
        assert_eq!(back.location(), "/", "{elsewhere}");
    }
    let long = site.browser().get(&format!("/login/company?next=%2F{}", "x".repeat(2800))).await;
    assert_eq!(long.status, 400);
    assert!(long.text.contains("too long to be kept"), "{}", long.text);
    let fits = site.browser().get(&format!("/login/company?next=%2F{}", "x".repeat(2799))).await;
    assert!(fits.header("set-cookie").split(';').next().unwrap().len() <= 4096);
}

/// The session before ends, and nobody learns the id of the next one beforehand.
#[tokio::test]
async fn another_person_in_the_same_browser() {
    let site = company().await;
    let mut browser = site.browser();
    sign_in(&mut browser, "first").await;
    let before = browser.cookies.clone();
    sign_in(&mut browser, "second").await;
    let page = browser.get("/").await;
    assert!(page.text.contains("company/second") && !page.text.contains("company/first"));
    browser.cookies = before;
    assert!(browser.get("/").await.location().starts_with("/login"));
}

#[tokio::test]
async fn cookies_on_plain_loopback() {
    let site = company_at("http://localhost:8080").await;
    let left = site.browser().get("/login/company").await;
    let kept = left.header("set-cookie");
    assert!(kept.starts_with("falconer-away-0=") && !kept.contains("Secure"), "{kept}");
}
