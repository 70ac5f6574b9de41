//! Signing in with a name and a password that somebody else's directory checks, as a browser sees it. Real directories are tested in `login`.

use crate::site::applications::{authorization_fields, authorize};
use crate::site::provider::{FakeProvider, configured, found};
use crate::site::{Browser, Page, Site, TARGET, encode, request_for, site_with, with};
use falconer_login::ldap::LdapError;
use falconer_web::RequestLimits;
use http::Method;

/// A directory in which the password of everybody is `right`, and some names lead to other answers.
async fn company() -> Site {
    let everybody = FakeProvider::password(|name, password| match (name, password) {
        ("away", _) => Err(LdapError::TooSlow.into()),
        ("forged", _) => Err(LdapError::Malformed("x").into()),
        ("busy", _) => Err(LdapError::Busy.into()),
        (name, "right") => Ok(found(name, None)),
        _ => Err(LdapError::Wrong.into()),
    });
    let provider = configured("company", "Company & <Co>", &["notes:read:*"], everybody);
    site_with("https://auth.example.com", RequestLimits::default(), vec![provider]).await
}

async fn type_in(browser: &mut Browser<'_>, name: &str, password: &str) -> Page {
    let page = browser.get("/login/company?next=%2F").await;
    let form = with(page.form("/login/company"), &[("name", name), ("password", password)]);
    browser.post("/login/company", &form).await
}

#[tokio::test]
async fn a_person_signs_in_and_goes_on_where_a_site_asked() {
    let site = company().await;
    let mut browser = site.browser();
    let request = encode(&[("target".into(), TARGET.into()), ("description".into(), "x".into()), ("provider".into(), "company".into())]);
    let to_login = browser.get(&format!("/?{request}")).await.location().to_owned();
    let straight = browser.get(&to_login).await.location().to_owned();
    let page = browser.get(&straight).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Sign in with Company &#38; &#60;Co&#62;") && page.text.contains("to continue to"), "{}", page.text);
    let form = with(page.form("/login/company"), &[("name", "ann"), ("password", "right")]);
    let next = browser.post("/login/company", &form).await.location().to_owned();
    assert!(next.starts_with("/?target=https%3A%2F%2Fnotes.example.com") && browser.is_signed_in(), "{next}");
    assert!(browser.get(&next).await.text.contains("company/ann"));
    // Whoever is signed in is not asked again.
    assert_eq!(browser.get("/login/company?next=%2Fme%2Fpassword").await.location(), "/me/password");
}

/// Story: `/login` said which application waits; where the password of a directory is typed, or an address for a code, it was said of sites only.
#[tokio::test]
async fn each_way_to_sign_in_says_what_waits() {
    let company = configured("company", "Company", &[], FakeProvider::password(|name, _| Ok(found(name, None))));
    let mail = configured("mail", "Mail", &[], FakeProvider::address(|address, _| Ok(found(address, None))));
    let site = site_with("https://auth.example.com", RequestLimits::default(), vec![company, mail]).await;
    let nexts = [
        (request_for(TARGET, ""), "to continue to <span class=\"host\"><b>notes.example.com</b></span>"),
        (authorize(&authorization_fields()), "to continue to <span class=\"host\"><b>app.example</b></span>"),
        ("/me/grants".to_owned(), "to <span class=\"host\">auth.example.com</span>"),
    ];
    for (next, says) in nexts {
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        for way in ["/login", "/login/company", "/login/mail"] {
            let page = site.browser().get(&format!("{way}?next={next}")).await;
            assert!(page.text.contains(says), "{way}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn whoever_is_wrong_learns_nothing() {
    let site = company().await;
    let mut browser = site.browser();
    for (name, password) in [("ann", "wrong"), ("nobody", "wrong"), ("ann", ""), ("", "right")] {
        // No name: a directory would not be asked, this one believes it.
        let password = if name.is_empty() { "wrong" } else { password };
        let page = type_in(&mut browser, name, password).await;
        assert_eq!(page.status, 403);
        assert!(page.text.contains("The name or the password is wrong."), "{}", page.text);
        assert!(page.text.contains(&format!("value=\"{name}\"")) && !page.text.contains("value=\"wrong\""));
        assert!(!browser.is_signed_in());
    }
}

#[tokio::test]
async fn what_a_person_is_told() {
    let site = company().await;
    for (name, status, title) in [
        ("away", 503, "Company &#38; &#60;Co&#62; does not answer"),
        ("forged", 502, "What Company &#38; &#60;Co&#62; answered can&#39;t be accepted"),
        ("busy", 503, "Too many people sign in with Company"),
    ] {
        let mut browser = site.browser();
        let page = type_in(&mut browser, name, "right").await;
        assert_eq!(page.status, status, "{name}");
        assert!(page.text.contains(title), "{name}: {}", page.text);
        assert_eq!(page.header("retry-after").is_empty(), status != 503, "{name}");
        assert!(!browser.is_signed_in());
        browser.sign_in("/login").await;
        assert!(browser.is_signed_in(), "the other ways work");
    }
}

/// Only refusals count, by name and address together: neither the others at that address nor the same name elsewhere are kept out.
#[tokio::test]
async fn wrong_passwords_come_to_an_end() {
    let site = company().await;
    for _ in 0..15 {
        assert_eq!(type_in(&mut site.browser(), "away", "right").await.status, 503);
        assert_eq!(type_in(&mut site.browser(), "ann", "right").await.status, 303);
    }
    for spelling in ["zoe", "Zoe", " zoe", "ZOE ", "zoe", "Zoe", " zoe", "ZOE ", "zoe", "zOe"] {
        assert_eq!(type_in(&mut site.browser(), spelling, "wrong").await.status, 403);
    }
    let page = type_in(&mut site.browser(), "zoe", "right").await;
    assert_eq!(page.status, 429);
    assert!(page.header("retry-after").parse::<u64>().unwrap() > 0 && page.text.contains("Too many attempts"));
    assert_eq!(type_in(&mut site.browser(), "ann", "right").await.status, 303);
}

#[tokio::test]
async fn only_a_form_of_ours_signs_in() {
    let site = company().await;
    let fields = encode(&[("name".into(), "ann".into()), ("password".into(), "right".into())]);
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let own = [("origin", site.origin.as_str()), ("sec-fetch-site", "same-origin")];
    for (headers, path) in [(&foreign, "/login/company"), (&own, "/login/company")] {
        let mut browser = site.browser();
        let page = browser.send(Method::POST, path, headers, Some(fields.clone())).await;
        assert_eq!(page.status, 403);
        assert!(!browser.is_signed_in());
    }
    // Nobody comes back from here, and nothing is typed for others.
    let mut browser = site.browser();
    assert_eq!(browser.get("/login/company/callback?code=x&state=x").await.status, 400);
    assert_eq!(browser.send(Method::POST, "/login/nobody", &own, Some(fields.clone())).await.status, 404);
    assert_eq!(browser.send(Method::POST, "/login/local", &own, Some(fields)).await.status, 404);
    for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example"] {
        let page = site.browser().get(&format!("/login/company?next={elsewhere}")).await;
        assert!(page.form("/login/company").contains(&("next".to_owned(), "/".to_owned())));
    }
}
