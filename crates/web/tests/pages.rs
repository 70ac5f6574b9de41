//! The pages in process: headers, forms, signing in, granting, and what people take back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod site;

use std::sync::atomic::Ordering;

use falconer_auth::{Authentication, ClientInput, RoleInput};
use falconer_login::NewAccount;
use falconer_web::RequestLimits;
use http::{Method, StatusCode};
use site::{Browser, PASSWORD, Page, START_MS, TARGET, encode, request_for, site, site_at, with};

const PAGE_CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a policy names the script of a page by.
fn script_of(page: &Page) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let script = page.text.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script.as_bytes())))
}

fn assert_page_headers(page: &Page, form_action: &str) {
    let mut csp = PAGE_CSP.replace("form-action 'self'", &format!("form-action {form_action}"));
    if form_action != "'self'" {
        // The script that tells how long the page was visible, and no other.
        csp = csp.replace("style-src", &format!("script-src {}; style-src", script_of(page)));
    }
    for (name, value) in [
        ("content-security-policy", csp.as_str()),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=63072000"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    assert!(page.headers.get_all("content-security-policy").iter().count() == 1);
}

#[tokio::test]
async fn every_kind_of_answer_has_its_row_of_headers() {
    let site = site().await;
    let mut stranger = site.browser();
    assert_page_headers(&stranger.get("/login").await, "'self'");
    assert_page_headers(&stranger.get("/nowhere").await, "'self'");
    assert_page_headers(&stranger.get("/").await, "'self'");
    assert_page_headers(&stranger.get("/?target=x").await, "'self'");
    let mut ann = site.ann().await;
    assert_page_headers(&ann.get("/").await, "'self'");
    assert_page_headers(&ann.get("/me/password").await, "'self'");
    assert_page_headers(&ann.get(&request_for(TARGET, "")).await, "'self' https:");
    assert_page_headers(&ann.get(&request_for("http://localhost:8081/", "")).await, "'self' https: http:");

    let page = ann.get(&request_for(TARGET, "")).await;
    let delivered = ann.post("/grant", &with(page.form("/grant"), &[("typed_host", "notes.example.com")])).await;
    assert_eq!(delivered.status, StatusCode::SEE_OTHER);
    assert_eq!(delivered.header("content-security-policy"), "default-src 'none'");
    assert_eq!(delivered.header("referrer-policy"), "no-referrer");
    assert_eq!(delivered.header("cache-control"), "no-store");
    assert_eq!(delivered.header("x-content-type-options"), "nosniff");

    for (path, cache) in [("/sdk/falconer.js", "public, max-age=300"), (falconer_web::assets::sdk(), "public, max-age=31536000, immutable")]
    {
        let sdk = stranger.get(path).await;
        assert_eq!(sdk.status, StatusCode::OK);
        assert_eq!(sdk.header("access-control-allow-origin"), "*");
        assert_eq!(sdk.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(sdk.header("cache-control"), cache);
        assert_eq!(sdk.header("content-type"), "text/javascript; charset=utf-8");
        assert!(sdk.text.contains("export"));
    }
    // The page of the module pointed to its types, and they were nowhere.
    let types = stranger.get("/sdk/falconer.d.ts").await;
    assert_eq!((types.status, types.header("access-control-allow-origin")), (StatusCode::OK, "*"));
    assert!(types.text.contains("export interface Session"));
}

#[tokio::test]
async fn every_stylesheet_and_icon_that_a_page_names_is_there() {
    let site = site().await;
    let mut browser = site.browser();
    let page = browser.get("/login").await;
    let links: Vec<&str> = page.text.split("href=\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links.len(), 2);
    for link in links {
        let asset = browser.get(&format!("/assets/{link}")).await;
        assert_eq!(asset.status, StatusCode::OK, "{link}");
        assert!(asset.header("cache-control").contains("immutable"));
    }
}

#[tokio::test]
async fn cookies_are_as_strict_as_the_origin_allows() {
    let site = site().await;
    let mut browser = site.browser();
    let signed_in = browser.sign_in("/login").await;
    let cookie = signed_in.header("set-cookie");
    assert!(cookie.starts_with("__Host-falconer="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age="] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"));

    let local = site_at("http://localhost:8080", RequestLimits::default()).await;
    let mut browser = local.browser();
    let signed_in = browser.sign_in("/login").await;
    let cookie = signed_in.header("set-cookie");
    assert!(cookie.starts_with("falconer=") && !cookie.contains("Secure"), "{cookie}");
    assert_eq!(signed_in.header("strict-transport-security"), "");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

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
    let again = with(page.form("/login"), &[("name", "ann"), ("password", PASSWORD), ("form", &token)]);
    assert_eq!(browser.post("/login", &again).await.location(), "/");
    assert_ne!(browser.cookies, old);
    let mut stolen = site.browser();
    stolen.cookies = old;
    assert_eq!(stolen.get("/").await.location(), "/login");

    let me = browser.get("/").await;
    assert_eq!(browser.post("/logout", &me.form("/logout")).await.location(), "/login?done=signed-out");
    assert!(!browser.is_signed_in());
    assert_eq!(browser.get("/").await.location(), "/login");
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
    assert!(last.text.contains("Too many wrong passwords"));
}

/// The second click of a double click granted what had just appeared under it, and so did Enter in a tick box.
#[tokio::test]
async fn what_has_just_appeared_is_not_granted() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for("https://known.example/login", "&scope=notes:read:a&scope=notes:read:b")).await;
    let mut form = page.form("/grant");
    let at = form.iter().position(|(name, _)| name == "tick").unwrap();
    form.remove(at);
    let again = ann.post_at_once("/grant", &form).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.text.contains("press once more"), "{}", again.text);
    // The ticks are kept, and the page that appeared instead needs its moment too.
    let ticks = |page: &Page| page.form("/grant").iter().filter(|(name, _)| name == "tick").count();
    assert_eq!((ticks(&page), ticks(&again)), (2, 1));
    assert_eq!(ann.post_at_once("/grant", &again.form("/grant")).await.status, StatusCode::CONFLICT);
    // No script told how long the page was visible, and the site is one that nobody types the name of: what is new is shown by itself.
    let news = ann.post("/grant", &again.form("/grant")).await;
    assert!(news.status == StatusCode::OK && news.text.contains("New since last time"), "{}", news.text);
    assert!(news.text.contains("notes:read:b") && !news.text.contains("notes:read:a"), "only what was ticked: {}", news.text);
    assert_eq!(ann.post_at_once("/grant", &news.form("/grant")).await.status, StatusCode::CONFLICT);
    assert!(ann.post("/grant", &news.form("/grant")).await.location().starts_with("https://known.example/login?clientId="));
    // The same once more takes no step; less than a second in view is too soon, however old the page is.
    let page = ann.get(&request_for("https://known.example/login", "&scope=notes:read:b")).await;
    let form = |visible_ms: &str| with(page.form("/grant"), &[("visible_ms", visible_ms)]);
    assert_eq!(ann.post("/grant", &form("999")).await.status, StatusCode::CONFLICT);
    assert!(ann.post("/grant", &form("")).await.location().starts_with("https://known.example/login?clientId="));
    // Enter presses the first button of a form.
    let inside = page.text.split("action=\"/grant\"").nth(1).unwrap();
    assert!(inside.split("<button").nth(1).unwrap().contains("formmethod=\"dialog\""));
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
    let asked = request_for(TARGET, "&scope=notes%3Aread%3A*&scope=a+b&expires=3+days&identity=true");
    let to_login = browser.get(&asked).await.location().to_owned();
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
async fn forms_of_other_sites_do_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    let me = ann.get("/").await;
    let page = ann.get(&request_for(TARGET, "")).await;
    let forms = [
        ("/grant", with(page.form("/grant"), &[("typed_host", "notes.example.com")])),
        ("/grant/cancel", page.form("/grant")),
        ("/logout", me.form("/logout")),
        ("/me/signout-everywhere", me.form("/me/signout-everywhere")),
        ("/me/revoke", with(me.form("/logout"), &[("grant", "x")])),
        ("/me/forget", with(me.form("/logout"), &[("origin", "https://a.example")])),
        ("/me/sessions", with(me.form("/logout"), &[("session", "x")])),
        ("/me/password", with(me.form("/logout"), &[("old", PASSWORD), ("new", "another password"), ("repeat", "another password")])),
    ];
    for (path, form) in &forms {
        // From another site, with everything right but where it comes from.
        for headers in [
            vec![("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            vec![("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
            vec![("origin", "null"), ("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
            vec![],
        ] {
            let refused = ann.send(Method::POST, path, &headers, Some(encode(form))).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert!(refused.text.contains("did not come from Falconer") && refused.header("location").is_empty());
        }
        // From us, but without the session's token, or with another one.
        for token in ["", "0123456789012345678901"] {
            let refused = ann.post(path, &with(form.clone(), &[("csrf", token)])).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        }
        // From nobody.
        let refused = site.browser().post(path, form).await;
        assert!(matches!(refused.status, StatusCode::FORBIDDEN | StatusCode::SEE_OTHER), "{path}");
        assert!(!refused.header("location").contains("accessToken"));
    }
    assert_eq!(ann.get("/").await.status, StatusCode::OK);
    assert!(ann.get("/").await.text.contains("No site can act for you now"));

    let mut stranger = site.browser();
    let login = stranger.get("/login").await;
    let form = with(login.form("/login"), &[("name", "ann"), ("password", PASSWORD)]);
    let refused = stranger.send(Method::POST, "/login", &[("origin", "https://evil.example")], Some(encode(&form))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let refused = stranger.post("/login", &with(form.clone(), &[("form", "")])).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let refused = site.browser().post("/login", &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!stranger.is_signed_in());
}

#[tokio::test]
async fn granting_delivers_credentials_that_work_and_revoking_ends_them() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for(TARGET, "&scope=notes%3Aread%3A*&scope=admin%3Ax")).await;
    assert!(page.text.contains("You don&#39;t have this yourself") || page.text.contains("You don't have this yourself"));
    let form = page.form("/grant");
    assert_eq!(form.iter().filter(|(name, _)| name == "tick").count(), 1);

    // Without the name, with a wrong one, then with the right one: the same page with a message, then the redirect.
    let missing = ann.post("/grant", &form).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(missing.text.contains("type the name of the site"));
    let wrong = ann.post("/grant", &with(missing.form("/grant"), &[("typed_host", "notes.example.org")])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("That is not the name of this site") && wrong.text.contains("value=\"notes.example.org\""));
    assert_page_headers(&wrong, "'self' https:");
    let form = with(wrong.form("/grant"), &[("typed_host", " Notes.example.com ")]);
    let delivered = ann.post("/grant", &form).await;
    let location = delivered.location().to_owned();
    assert!(location.starts_with(&format!("{TARGET}?clientId=local%2Fann%2F")), "{location}");
    assert!(location.contains("&accessToken=") && location.contains("&certificate=%7B"));
    assert!(delivered.text.is_empty());

    // Pressed twice: the same answer, one grant.
    assert_eq!(ann.post("/grant", &form).await.location(), location);
    let me = ann.get("/").await;
    assert!(me.text.contains("1 active grant<") && me.text.contains("may use "), "{}", me.text);
    assert!(me.text.contains("https://notes.example.com"));
    assert!(me.text.contains("action=\"/me/forget\""));

    // The host has been confirmed once, so that it need not be typed again; until it is forgotten.
    assert!(!ann.get(&request_for(TARGET, "")).await.text.contains("typed_host"));
    assert_eq!(ann.post("/me/forget", &me.form("/me/forget")).await.location(), "/?done=forgotten#sites");
    assert!(ann.get(&request_for(TARGET, "")).await.text.contains("typed_host"));

    assert_eq!(ann.post("/me/revoke", &me.form("/me/revoke")).await.location(), "/?done=revoked#grants");
    let me = ann.get("/?done=revoked").await;
    assert!(me.text.contains("The grant was revoked.") && me.text.contains("No site can act for you now"));
    let repeated = ann.post("/grant", &form).await;
    assert_eq!(repeated.status, StatusCode::GONE);
    assert!(repeated.header("location").is_empty());
}

#[tokio::test]
async fn only_ones_own_grants_can_be_revoked() {
    let site = site().await;
    let mut ann = site.ann().await;
    let me = ann.get("/").await;
    let answer = ann.post("/me/revoke", &with(me.form("/logout"), &[("grant", "0123456789012345678901")])).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn unticking_changes_what_is_granted_visibly() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for("https://known.example/login", "&scope=notes%3A*&scope=notes%3Awrite%3Ax")).await;
    // A registered target is shown by its name, escaped, and no host has to be typed.
    assert!(page.text.contains("Known &#38; &#60;Good&#62;") && !page.text.contains("typed_host"), "{}", page.text);
    let form = page.form("/grant");
    let keys: Vec<String> = form.iter().filter(|(name, _)| name == "tick").map(|(_, key)| key.clone()).collect();
    assert_eq!(keys.len(), 2);
    // The star would give back what is not ticked: it goes too, and that is shown before anything is granted.
    let review = ann.post("/grant", &with(form, &[("tick", &keys[0])])).await;
    assert!(matches!(review.status, StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY), "{}", review.status);
    assert!(review.header("location").is_empty());
    assert!(review.text.contains("role=\"alert\"") && review.text.contains("Without <code>notes:*</code>"), "{}", review.text);
    // The form cannot ask for what was not on offer.
    let page = ann.get(&request_for("https://known.example/login", "&scope=notes%3A*")).await;
    let forged = ann.post("/grant", &with(page.form("/grant"), &[("tick", "forged")])).await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
    let other = with(page.form("/grant"), &[("request", "target=https%3A%2F%2Fevil.example%2F&description=")]);
    let other = ann.post("/grant", &other).await;
    assert!(other.header("location").is_empty(), "{:?}", other);
}

#[tokio::test]
async fn cancelling_stays_here() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for(TARGET, "")).await;
    let cancelled = ann.post("/grant/cancel", &page.form("/grant")).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert!(cancelled.text.contains("Nothing was granted") && cancelled.text.contains("href=\"https://notes.example.com/\""));
    assert!(ann.get("/").await.text.contains("No site can act for you now"));
}

/// `falconer signin` waited for its whole timeout after Cancel: nobody told it.
#[tokio::test]
async fn a_program_on_this_machine_is_told_of_cancel_if_it_asks() {
    let site = site().await;
    let mut ann = site.ann().await;
    let program = "http://127.0.0.1:1/signed-in?state=x";
    let page = ann.get(&request_for(program, "&tell_cancel=true")).await;
    let cancelled = ann.post("/grant/cancel", &page.form("/grant")).await;
    assert_eq!(
        (cancelled.status, cancelled.header("location")),
        (StatusCode::SEE_OTHER, "http://127.0.0.1:1/signed-in?state=x&error=access_denied")
    );
    for request in [request_for(program, ""), request_for(TARGET, "&tell_cancel=true")] {
        let page = ann.get(&request).await;
        let cancelled = ann.post("/grant/cancel", &page.form("/grant")).await;
        assert_eq!((cancelled.status, cancelled.header("location")), (StatusCode::OK, ""), "{request}");
    }
}

#[tokio::test]
async fn a_request_for_everything_offers_bundles() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for(TARGET, "")).await;
    assert!(page.text.contains("Everything that you may do, except what is broad") && page.text.contains("auth:create-role:*"));
    let form = page.form("/grant");
    assert!(form.contains(&("everything".to_owned(), "yes".to_owned())));
    assert!(!form.iter().any(|(name, _)| name == "broad"));
}

#[tokio::test]
async fn hostile_requests_get_an_error_page_and_no_redirect() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut stranger = site.browser();
    for query in [
        "target=https%3A%2F%2Fa.example%2F",
        "description=x",
        "target=http%3A%2F%2Fa.example%2F&description=x",
        "target=javascript%3Aalert(1)&description=x",
        "target=data%3Atext%2Fhtml%2Cx&description=x",
        "target=https%3A%2F%2Fuser%40a.example%2F&description=x",
        "target=https%3A%2F%2Fa.example%5C%40b.example%2F&description=x",
        "target=https%3A%2F%2Fa.example%2F&target=https%3A%2F%2Fb.example%2F&description=x",
        "target=%2F%2Fa.example&description=x",
        "target=https%3A%2F%2Fa.example%0d%0aSet-Cookie%3Ax%2F&description=x",
        "target=%FF&description=x",
    ] {
        for browser in [&mut ann, &mut stranger] {
            let page = browser.get(&format!("/?{query}")).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
            assert!(page.header("location").is_empty() && page.text.contains("This request can&#39;t be granted"), "{query}");
        }
        let me = ann.get("/").await;
        let posted = ann.post("/grant", &with(me.form("/logout"), &[("request", query), ("everything", "yes")])).await;
        assert_eq!(posted.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(posted.header("location").is_empty());
    }
    let hostile = ann.get("/?target=https%3A%2F%2Fa.example%2F&description=%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert_eq!(hostile.status, StatusCode::OK);
    assert_eq!(hostile.text.matches("<script").count(), 1, "but for ours");
}

#[tokio::test]
async fn a_grant_survives_a_session_that_ended_meanwhile() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for(TARGET, "")).await;
    site.clock.0.fetch_add(40 * 86_400_000, Ordering::SeqCst);
    let again = ann.post("/grant", &page.form("/grant")).await;
    assert!(again.location().starts_with("/login?target="), "{}", again.location());
}

#[tokio::test]
async fn searching_ones_scopes() {
    let site = site().await;
    let mut ann = site.ann().await;
    let found = ann.get("/?q=QUEUE").await;
    assert!(found.text.contains("<code>queue:ping</code>") && !found.text.contains("<code>notes:*</code>"));
    assert!(found.text.contains("1 scope for"), "{}", found.text);
    let hostile = ann.get("/?q=%22%3E%3Cscript%3E").await;
    assert!(!hostile.text.contains("<script"));
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
        let again = ann.post("/me/password", &form(old, new, repeat)).await;
        assert_eq!(again.status, status, "{text}");
        assert!(again.text.contains(text), "{text}");
    }
    assert_eq!(ann.post("/me/password", &form(PASSWORD, new, new)).await.location(), "/?done=password");
    assert_eq!(other.get("/").await.location(), "/login");
    assert_eq!(site.browser().get("/me/password").await.location(), "/login?next=/me/password");
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

#[tokio::test]
async fn programs_get_json_and_everybody_gets_an_id() {
    let site = site().await;
    let mut browser = site.browser();
    let page = browser.get("/nowhere").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("There is no such page") && page.text.contains("quote <code>"));
    let request = http::Request::get("/nowhere").header("accept", "application/json").body(axum::body::Body::empty()).unwrap();
    let json = site.send(request).await;
    assert_eq!(json.header("content-type"), "application/json; charset=utf-8");
    let value: serde_json::Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!(value["error"], "There is no such page");
    assert_eq!(value["id"].as_str().unwrap().len(), 9);
    assert_eq!(browser.get("/grant").await.status, StatusCode::METHOD_NOT_ALLOWED);
    // What the API owns is the API's, under the same roof.
    let ping = browser.get("/api/auth/v1/ping").await;
    assert_eq!(ping.status, StatusCode::OK);
    assert_eq!(ping.header("x-content-type-options"), "nosniff");
    let nowhere: serde_json::Value = serde_json::from_str(&browser.get("/api/nowhere").await.text).unwrap();
    assert_eq!(nowhere, serde_json::json!({"error": "Not found"}));
}

#[tokio::test]
async fn limits_of_one_request() {
    let site = site().await;
    let mut browser = site.browser();
    let long = browser.get(&format!("/?target={}", "a".repeat(17_000))).await;
    assert_eq!(long.status, StatusCode::URI_TOO_LONG);
    assert_eq!(long.header("connection"), "close");
    let many = browser.send(Method::GET, "/", &[("x-large", &"a".repeat(17_000))], None).await;
    assert_eq!(many.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let mut ann = site.ann().await;
    let me = ann.get("/").await;
    let large = ann.post("/logout", &with(me.form("/logout"), &[("x", &"a".repeat(300_000))])).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let typed = http::Request::post("/logout").header("origin", "https://auth.example.com").header("content-type", "text/plain");
    assert_eq!(site.send(typed.body(axum::body::Body::empty()).unwrap()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_panic_is_an_error_page_with_an_id() {
    let site = site().await;
    let broken = axum::Router::new().route(
        "/broken",
        axum::routing::get(|| async {
            if true {
                panic!("secret reason")
            }
        }),
    );
    let router = falconer_web::around(std::sync::Arc::clone(&site.web), broken);
    let site = site::Site { router, ..site };
    let page = site.browser().get("/broken").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.text.contains("Something went wrong on our side") && page.text.contains("quote <code>") && !page.text.contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_ended() {
    let limits = RequestLimits { total: std::time::Duration::from_secs(5), ..RequestLimits::default() };
    let site = site_at("https://auth.example.com", limits).await;
    let taken = axum::routing::any(|_body: bytes::Bytes| std::future::pending::<()>());
    let slow = axum::Router::new().route("/slow", axum::routing::any(std::future::pending::<()>)).route("/taken", taken);
    let router = falconer_web::around(std::sync::Arc::clone(&site.web), slow);
    let site = site::Site { router, ..site };
    let mut browser = site.browser();
    let ours = browser.get("/slow").await;
    assert_eq!(ours.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ours.header("retry-after"), "5");
    // A form that had arrived was told 408 "Try again", although what it asked for went on and was there afterwards.
    for path in ["/slow", "/taken"] {
        let unknown = browser.post(path, &[("a".to_owned(), "b".to_owned())]).await;
        assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(unknown.text.contains("It may have been done, or not"), "{path}: {}", unknown.text);
    }
    let half = futures_util::stream::iter([Ok::<_, std::io::Error>("half of ")]);
    let pieces = futures_util::StreamExt::chain(half, futures_util::stream::pending());
    let request = http::Request::post("/taken").body(axum::body::Body::from_stream(pieces)).unwrap();
    let theirs = site.send(request).await;
    assert_eq!((theirs.status, theirs.header("connection")), (StatusCode::REQUEST_TIMEOUT, "close"));
}

/// A browser in which somebody with these scopes is signed in.
async fn somebody<'a>(site: &'a site::Site, scopes: &[&str]) -> Browser<'a> {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let account = NewAccount { name: "eve".to_owned(), display_name: "Eve".to_owned(), email: None, groups: vec![], scopes };
    site.login.create_account("test", &account, Some(PASSWORD)).await.unwrap();
    let mut browser = site.browser();
    let form = browser.get("/login").await.form("/login");
    browser.post("/login", &with(form, &[("name", "eve"), ("password", PASSWORD)])).await;
    assert!(browser.is_signed_in());
    browser
}

async fn add_client(site: &site::Site, who: &str, id: &str, scopes: &[&str]) {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let expires_us = (START_MS + 86_400_000) * 1000;
    let input = ClientInput { expires_us, description: "<b>bold</b>".to_owned(), scopes: Some(scopes), delete_on_expiration: true };
    site.auth.create_client(&Authentication::person(who), id, &input).await.unwrap();
}

#[tokio::test]
async fn clients_and_roles_are_shown_to_whom_the_api_would_show_them() {
    for (path, list, get) in [
        ("/auth/clients", "auth:list-clients", "auth:get-client:project/x"),
        ("/auth/roles", "auth:list-roles", "auth:get-role:my role (x) %/?#"),
    ] {
        let site = site().await;
        let to = site.browser().get(&format!("{path}?q=a%2Fb&scope=notes%3Ax")).await;
        let next = format!("{path}?q=a%2Fb&scope=notes%3Ax");
        assert_eq!(to.location(), format!("/login?{}", encode(&[("next".to_owned(), next)])));
        let mut ann = site.ann().await;
        let refused = ann.get(path).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains(list), "{}", refused.text);
        let refused = ann.get(&format!("{path}?id=project%2Fx")).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        let mut reader = somebody(&site, &[list, get]).await;
        assert_eq!(reader.get(path).await.status, 200);
        let (_, id) = get.split_once(":get-").unwrap().1.split_once(':').unwrap();
        let absent = reader.get(&format!("{path}?{}", encode(&[("id".to_owned(), id.to_owned())]))).await;
        assert_eq!(absent.status, 404);
    }
}

#[tokio::test]
async fn records_are_found_by_id_and_by_scope_page_by_page() {
    let site = site().await;
    let mut root = somebody(&site, &["auth:*", "notes:*"]).await;
    for number in 0..60 {
        add_client(&site, "local/eve", &format!("project/c{number:02}"), &["notes:read:x"]).await;
    }
    add_client(&site, "local/eve", "project/writer", &["notes:write:*"]).await;
    let first = root.get("/auth/clients?q=PROJECT").await;
    assert!(first.text.contains("project/c00") && first.text.contains("project/c49") && !first.text.contains("project/c50"));
    assert!(first.text.contains("/auth/clients?q=PROJECT&#38;scope=&#38;from=project%2Fc49"), "{}", first.text);
    let second = root.get("/auth/clients?q=PROJECT&scope=&from=project%2Fc49").await;
    assert!(second.text.contains("project/c50") && second.text.contains("project/writer") && !second.text.contains("Next page"));
    let writers = root.get("/auth/clients?scope=notes%3Awrite%3Azap").await;
    assert!(writers.text.contains("project/writer") && !writers.text.contains("project/c00"));
    assert!(root.get("/auth/clients?q=nothing-like-it").await.text.contains("Nothing was found"));

    let one = root.get("/auth/clients?id=project%2Fwriter").await;
    assert!(one.text.contains("<code>notes:write:*</code>") && !one.text.contains("<b>bold"), "{}", one.text);

    let odd = "my role (x) %/?#";
    let input = RoleInput { scopes: vec!["notes:read:*".to_owned()], description: String::new() };
    site.auth.create_role(&Authentication::person("local/eve"), odd, &input).await.unwrap();
    let list = root.get("/auth/roles?q=my+role").await;
    let href = list.text.split("href=\"/auth/roles?id=").nth(1).unwrap().split('"').next().unwrap();
    let page = root.get(&format!("/auth/roles?id={href}")).await;
    assert!(page.status == 200 && page.text.contains("<code>my role (x) %/?#</code>"), "{}", page.text);
    assert!(page.text.contains("<code>notes:read:*</code>"));
}
