//! Signing in and out in process: passwords, sessions, where it leads, the first administrator.

use crate::site::{PASSWORD, TARGET, request_for, site, site_of, with};
use falconer_login::{LoginSettings, PasswordCost};
use falconer_web::RequestLimits;
use http::StatusCode;

#[tokio::test]
async fn signing_in_and_out() {
    let site = site().await;
    let mut browser = site.browser();
    assert_eq!(browser.get("/").await.location(), "/login");
    let page = browser.get("/login").await;
    let wrong = browser.post("/login", &with(page.form("/login"), &[("name", "ann"), ("password", "wrong")])).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.text.contains("The name or the password is wrong.") && wrong.text.contains("value=\"ann\""));
    assert!(!browser.is_signed_in());
    let unknown = browser.post("/login", &with(page.form("/login"), &[("name", "bob"), ("password", "wrong")])).await;
    assert_eq!((unknown.status, unknown.text.contains("The name or the password is wrong.")), (StatusCode::FORBIDDEN, true));

    assert_eq!(browser.sign_in("/login").await.location(), "/");
    let me = browser.get("/").await;
    for shown in ["Ann Example", "local/ann", "ann@example.com", "releng", "notes:*"] {
        assert!(me.text.contains(shown), "{shown}");
    }
    // A second sign-in makes a new session and ends the old one.
    let old = browser.cookies.clone();
    let page = site.browser().get("/login").await;
    let form = old.iter().find(|(name, _)| name.ends_with("-form")).unwrap();
    let token = site.login.anonymous_form(Some(&form.1)).token;
    let repeated = with(page.form("/login"), &[("name", "ann"), ("password", PASSWORD), ("form", &token)]);
    assert_eq!(browser.post("/login", &repeated).await.location(), "/");
    assert_ne!(browser.cookies, old);
    let mut stolen = site.browser();
    stolen.cookies = old;
    assert_eq!(stolen.get("/").await.location(), "/login");

    let me = browser.get("/").await;
    assert_eq!(browser.post("/logout", &me.form("/logout")).await.location(), "/login?done=signed-out");
    assert!(!browser.is_signed_in());
    assert_eq!(browser.get("/").await.location(), "/login");
}

/// With a clock that is behind nobody can be signed in, and the page has to say whose fault that is.
#[tokio::test]
async fn a_wrong_clock_of_the_server_is_said_on_the_page() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut browser = site.browser();
    let form = with(browser.get("/login").await.form("/login"), &[("name", "ann"), ("password", PASSWORD)]);
    site.clock.0.fetch_sub(2 * 3_600_000, std::sync::atomic::Ordering::SeqCst);
    for page in [browser.post("/login", &form).await, ann.get("/").await] {
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text);
        assert!(page.text.contains("The clock of this server is 1 hour 59 minutes behind the time of its last change"), "{}", page.text);
    }
    assert!(!browser.is_signed_in());
    site.clock.0.fetch_add(2 * 3_600_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(browser.post("/login", &form).await.location(), "/");
    assert_eq!(ann.get("/").await.status, StatusCode::OK);
}

/// Whoever found no place was told to try again, and not when.
#[tokio::test]
async fn who_finds_no_place_is_told_when_to_try_again() {
    // The one that is looked at takes far longer than the other needs to come.
    let password_cost = PasswordCost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    let busy = |settings| LoginSettings { password_cost, password_workers: 1, password_queue: 0, ..settings };
    let site = site_of("https://auth.example.com", RequestLimits::default(), busy).await;
    let (mut one, mut other) = (site.browser(), site.browser());
    let [first, second] = [one.get("/login").await, other.get("/login").await].map(|page| page.form("/login"));
    let filled = |form| with(form, &[("name", "ann"), ("password", "wrong")]);
    let (first, second) = (filled(first), filled(second));
    let (first, second) = tokio::join!(one.post("/login", &first), other.post("/login", &second));
    let (looked_at, refused) = if first.status == StatusCode::FORBIDDEN { (first, second) } else { (second, first) };
    assert_eq!((looked_at.status, refused.status), (StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.text.contains("Try again."), "{}", refused.text);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let site = site().await;
    let mut browser = site.browser();
    let page = browser.get("/login").await;
    let mut last = None;
    for _ in 0..40 {
        let answer = browser.post("/login", &with(page.form("/login"), &[("name", "ann"), ("password", "wrong")])).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            last = Some(answer);
            break;
        }
    }
    let last = last.expect("no limit");
    assert!(last.header("retry-after").parse::<u64>().unwrap() > 0);
    assert!(last.text.contains("Too many attempts"));
}

/// Ten wrong passwords of somebody else kept a person out.
#[tokio::test]
async fn somebody_else_locks_nobody_out_of_their_browser() {
    let site = site().await;
    let mut own = site.ann().await;
    let me = own.get("/").await;
    own.post("/logout", &me.form("/logout")).await;
    let mut other = site.browser();
    let page = other.get("/login").await;
    let guess = with(page.form("/login"), &[("name", "ann"), ("password", "wrong password")]);
    let mut last = StatusCode::OK;
    for _ in 0..11 {
        last = other.post("/login", &guess).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(own.sign_in("/login").await.location(), "/");
}

#[tokio::test]
async fn sign_in_leads_back_to_what_a_site_asked() {
    let site = site().await;
    let mut browser = site.browser();
    let requested = request_for(TARGET, "&scope=notes%3Aread%3A*&scope=a+b&expires=3+days&identity=true");
    let to_login = browser.get(&requested).await.location().to_owned();
    assert!(to_login.starts_with("/login?target="), "{to_login}");
    let login = browser.get(&to_login).await;
    assert!(login.text.contains("to continue to <span class=\"host\"><b>notes.example.com</b>"), "{}", login.text);
    let back = browser.sign_in(&to_login).await.location().to_owned();
    let page = browser.get(&back).await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in ["notes.<wbr><b>example.com</b>", "<strong>notes</strong>", "<code>notes:read:*</code>", "<code>a b</code>", "Who you are"]
    {
        assert!(page.text.contains(shown), "{shown} in {}", page.text);
    }
}

#[tokio::test]
async fn sign_in_leads_nowhere_else() {
    let site = site().await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let mut browser = site.browser();
        let page = browser.get("/login").await;
        let form = with(page.form("/login"), &[("name", "ann"), ("password", PASSWORD), ("next", next)]);
        assert_eq!(browser.post("/login", &form).await.location(), "/", "{next}");
        assert_eq!(browser.get(&format!("/login?next={next}")).await.location(), "/");
    }
}

#[tokio::test]
async fn other_sessions_can_be_ended() {
    let site = site().await;
    let mut laptop = site.ann().await;
    let mut telephone = site.ann().await;
    let me = laptop.get("/").await;
    assert!(me.text.contains("this one"));
    assert_eq!(laptop.post("/me/sessions", &me.form("/me/sessions")).await.location(), "/?done=session#sessions");
    assert_eq!(telephone.get("/").await.location(), "/login");
    assert_eq!(laptop.get("/").await.status, StatusCode::OK);

    let mut telephone = site.ann().await;
    let me = laptop.get("/").await;
    let gone = laptop.post("/me/signout-everywhere", &me.form("/me/signout-everywhere")).await;
    assert_eq!(gone.location(), "/login?done=signed-out-everywhere");
    assert_eq!(telephone.get("/").await.location(), "/login");
    assert_eq!(laptop.get("/").await.location(), "/login");
}

#[tokio::test]
async fn changing_the_password() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut other = site.ann().await;
    let page = ann.get("/me/password").await;
    let form = |old: &str, new: &str, repeat: &str| with(page.form("/me/password"), &[("old", old), ("new", new), ("repeat", repeat)]);
    let new = "another long password";
    for (old, new, repeat, status, text) in [
        (PASSWORD, new, "different", StatusCode::BAD_REQUEST, "The two new passwords differ."),
        ("wrong", new, new, StatusCode::FORBIDDEN, "The present password is wrong."),
        (PASSWORD, "x", "x", StatusCode::BAD_REQUEST, "role=\"alert\""),
    ] {
        let repeated = ann.post("/me/password", &form(old, new, repeat)).await;
        assert_eq!(repeated.status, status, "{text}");
        assert!(repeated.text.contains(text), "{text}");
    }
    assert_eq!(ann.post("/me/password", &form(PASSWORD, new, new)).await.location(), "/?done=password");
    assert_eq!(other.get("/").await.location(), "/login");
    assert_eq!(site.browser().get("/me/password").await.location(), "/login?next=/me/password");
}

/// Story: where it was not known whether the account was made, there was a page to sign in at that said nothing.
#[tokio::test]
async fn a_set_up_of_which_nobody_knows_says_what_to_do() {
    let site = site().await;
    let link = site.login.create_setup_link().await.unwrap();
    let mut browser = site.browser();
    let page = browser.get(&format!("/setup?token={}", link.token.as_str())).await;
    assert!(page.text.contains(
        "name=\"name\" type=\"text\" value=\"\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"63\""
    ));
    site.counted.lose_after("insert_session", 0);
    let form = with(page.form("/setup"), &[("name", "root"), ("password", PASSWORD), ("repeat", PASSWORD)]);
    let to = browser.post("/setup", &form).await.location().to_owned();
    let page = browser.get(&to).await;
    assert!(page.text.contains("The account may have been made: try to sign in."), "{to}: {}", page.text);
    browser.post("/login", &with(page.form("/login"), &[("name", "root"), ("password", PASSWORD)])).await;
    assert!(browser.is_signed_in());
}

#[tokio::test]
async fn the_set_up_link_makes_the_first_administrator() {
    let site = site().await;
    let link = site.login.create_setup_link().await.unwrap();
    let mut browser = site.browser();
    assert_eq!(browser.get("/setup?token=wrong").await.status, StatusCode::GONE);
    assert_eq!(browser.get("/setup").await.status, StatusCode::GONE);
    let page = browser.get(&format!("/setup?token={}", link.token.as_str())).await;
    let filled = |changes: &[(&str, &str)]| {
        let form = with(page.form("/setup"), &[("name", "root"), ("password", PASSWORD), ("repeat", PASSWORD), ("email", "r@example.com")]);
        with(form, changes)
    };
    let differ = browser.post("/setup", &filled(&[("repeat", "x")])).await;
    assert_eq!(differ.status, StatusCode::BAD_REQUEST);
    assert!(differ.text.contains("The two passwords differ.") && differ.text.contains("value=\"root\"") && !differ.text.contains(PASSWORD));
    let taken = browser.post("/setup", &filled(&[("name", "ann")])).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let invalid = browser.post("/setup", &filled(&[("name", "Not A Name")])).await;
    assert_eq!(invalid.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.post("/setup", &filled(&[])).await.location(), "/");
    assert!(browser.is_signed_in());
    assert!(browser.get("/").await.text.contains("auth:*"));
    assert_eq!(browser.post("/setup", &filled(&[("name", "second")])).await.status, StatusCode::GONE);
}
