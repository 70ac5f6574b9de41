//! The grant page in process: what it shows, what is granted, and what people take back.

use std::sync::atomic::Ordering;

use falconer_auth::{ApplicationInput, Authentication, HOUR_MS};
use falconer_store::Store as _;

use crate::site::applications::{CALLBACK, DECISION, authorization_fields, authorize};
use crate::site::headers::assert_page_headers;
use crate::site::{Page, TARGET, request_for, site, with};
use http::StatusCode;

/// The second click of a double click granted what had just appeared under it, and so did Enter in a tick box.
#[tokio::test]
async fn what_has_just_appeared_is_not_granted() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for("https://known.example/login", "&scope=notes:read:a&scope=notes:read:b")).await;
    let mut form = page.form("/grant");
    let at = form.iter().position(|(name, _)| name == "tick").unwrap();
    form.remove(at);
    let repeated = ann.post_at_once("/grant", &form).await;
    assert_eq!(repeated.status, StatusCode::CONFLICT);
    assert!(repeated.text.contains("press once more"), "{}", repeated.text);
    // The ticks are kept, and the page that appeared instead needs its moment too.
    let ticks = |page: &Page| page.form("/grant").iter().filter(|(name, _)| name == "tick").count();
    assert_eq!((ticks(&page), ticks(&repeated)), (2, 1));
    assert_eq!(ann.post_at_once("/grant", &repeated.form("/grant")).await.status, StatusCode::CONFLICT);
    // No script told how long the page was visible, and the site is one that nobody types the name of: what is new is shown by itself.
    let news = ann.post("/grant", &repeated.form("/grant")).await;
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

/// All of it without a script: less than a star, a name, what is new, what was published about a scope.
#[tokio::test]
async fn a_grant_is_narrowed_and_named() {
    let site = site().await;
    let mut ann = site.ann().await;
    let asks = request_for("https://known.example/login", "&scope=notes:read:*&scope=shelf:burn:a%3Cb");
    let page = ann.get(&asks).await;
    assert!(page.text.contains("It asks for 2 scopes. You have 1 as asked for, 1 not at all."), "{}", page.text);
    for (scopes, says) in [
        ("&scope=admin:x", "It asks for 1 scope. You don&#39;t have it, so that it can&#39;t be given."),
        ("&scope=admin:x&scope=admin:y", "It asks for 2 scopes. You have none of them, so that nothing of it can be given."),
    ] {
        let page = ann.get(&request_for("https://known.example/login", scopes)).await;
        assert!(page.text.contains(says), "{}", page.text);
    }
    assert!(
        page.text.contains("Burn <b class=\"host\">a&#60;b</b> &#38; all that stands on it")
            && page.text.contains("<code>shelf:burn:a&#60;b</code>")
    );
    let form = page.form("/grant");
    let star = form.iter().find(|(name, _)| name.starts_with("only-")).unwrap().0.clone();
    let press = |more: &[(&str, &str)]| {
        let more: Vec<(&str, &str)> = more.iter().copied().chain([("visible_ms", "5000")]).collect();
        with(form.clone(), &more)
    };
    let wrong = ann.post("/grant", &press(&[(&star, "é")])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("A scope is a line of ASCII characters") && wrong.text.contains("value=\"é\""), "{}", wrong.text);
    for name in ["x".repeat(61), "a\u{202e}b".to_owned()] {
        let wrong = ann.post("/grant", &press(&[("grant_name", &name)])).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("the name of the grant"), "{}", wrong.text);
    }
    assert_eq!(ann.post("/grant", &press(&[("only-x", "zap")])).await.status, StatusCode::BAD_REQUEST);

    let granted = ann.post("/grant", &press(&[(&star, " zap/* "), ("grant_name", " My <laptop> ")])).await;
    assert!(granted.location().starts_with("https://known.example/login?clientId="), "{}", granted.text);
    let grants = site.store.grants_of("local/ann").await.unwrap();
    assert_eq!(grants[0].scopes, ["notes:read:zap/*"]);
    assert_eq!(grants[0].name.as_deref(), Some("My <laptop>"));
    assert!(ann.get("/").await.text.contains("My &#60;laptop&#62;"));

    // The whole is more than last time.
    let page = ann.get(&asks).await;
    assert!(page.text.contains("new since last time"), "{}", page.text);
    assert!(!ann.get(&request_for("https://known.example/login", "&scope=notes:read:zap/x")).await.text.contains("new since last time"));
    let asks = request_for("https://other.example/", "&scope=shelf:burn:*");
    let mut bea = site.somebody("bea", &["shelf:*"]).await;
    let page = bea.get(&asks).await;
    assert!(
        page.text.contains(">broad<") && !page.form("/grant").iter().any(|(name, _)| name == "tick"),
        "a high risk is never ticked: {}",
        page.text
    );
}

/// Story: what was wrong, and what was taken away, stood in the fold of what was not searched for. The page said "The line says why", and no line was seen.
#[tokio::test]
async fn what_needs_to_be_seen_is_seen_beside_what_was_searched_for() {
    const FOLD: &str = "<details class=\"fold\"><summary>The others";
    const OPEN: &str = "<details class=\"fold\" open><summary>The others";
    let site = site().await;
    let many: String = (0..40).map(|at| format!("&scope=queue:x-{at}")).collect();
    let asks = request_for("https://known.example/login", &format!("&scope=notes:*&scope=notes:read:a{many}"));
    let mut rich = site.somebody("rich", &["notes:*", "queue:*"]).await;
    let page = rich.get(&asks).await;
    let star = page.form("/grant").into_iter().find(|(name, _)| name.starts_with("only-")).unwrap().0;
    let search = |more: &[(&str, &str)]| with(page.form("/grant"), &[&[("find", "queue"), ("visible_ms", "5000")], more].concat());
    let found = rich.post("/grant", &search(&[("search", "yes")])).await;
    assert!(found.text.contains(FOLD) && found.text.contains("40 of 42 lines"), "{}", found.text);

    let wrong = rich.post("/grant", &search(&[(&star, "é")])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains(OPEN) && wrong.text.contains("A scope is a line of ASCII characters"), "{}", wrong.text);

    // The star would give back the second line.
    let mut form = search(&[]);
    let ticks: Vec<usize> = form.iter().enumerate().filter(|(_, (name, _))| name == "tick").map(|(at, _)| at).collect();
    form.remove(ticks[1]);
    let taken = rich.post("/grant", &form).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.text);
    assert!(taken.text.contains(OPEN) && taken.text.contains("it would give back what you did not tick"), "{}", taken.text);
}

/// Hundreds of scopes: a search is a form of the page, and keeps every tick.
#[tokio::test]
async fn many_scopes_are_searched_without_losing_a_tick() {
    let site = site().await;
    let mut ann = site.ann().await;
    let many: String = (0..150).map(|at| format!("&scope=notes:read:book-{at}&scope=queue:x-{at}")).take(100).collect();
    let page = ann.get(&request_for("https://known.example/login", &many)).await;
    let ticks = |page: &Page| page.form("/grant").iter().filter(|(name, _)| name == "tick").count();
    assert_eq!(ticks(&page), 100);
    assert!(page.text.contains("<b>notes</b> <span class=\"soft\">100 scopes, 100 ticked</span>"), "{}", page.text);
    let mut form = page.form("/grant");
    let at = form.iter().position(|(name, _)| name == "tick").unwrap();
    form.remove(at);
    let found = ann.post("/grant", &with(form, &[("find", "BOOK-7"), ("search", "yes")])).await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(found.text.contains("11 of 200 lines have <code>BOOK-7</code>"), "{}", found.text);
    assert_eq!(ticks(&found), 99);
    let granted = ann.post("/grant", &with(found.form("/grant"), &[("visible_ms", "5000"), ("search", "")])).await;
    assert!(granted.location().starts_with("https://known.example/login?clientId="), "{}", granted.text);
    let grants = site.store.grants_of("local/ann").await.unwrap();
    assert_eq!(grants[0].scopes.len(), 99);
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
    // The field stood below all that is asked for, unmarked: the message was out of sight of it.
    let field = |page: &str| page.split("id=\"typed_host\"").nth(1).unwrap().split('>').next().unwrap().to_owned();
    assert!(field(&missing.text).contains("aria-invalid=\"true\" autofocus"), "{}", missing.text);
    assert!(missing.text.contains("Type the name of this site here."));
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

/// What the person chooses counts, and neither what is usual nor what the site has wished.
#[tokio::test]
async fn a_grant_lives_as_long_as_was_chosen() {
    for (wish, chosen, hours) in
        [("", None, 24), ("", Some("3600000"), 1), ("&expires=3+days", None, 72), ("&expires=3+days", Some("3600000"), 1)]
    {
        let site = site().await;
        let mut ann = site.ann().await;
        let page = ann.get(&request_for("https://known.example/login", &format!("&scope=notes:read:x{wish}"))).await;
        let mut form = with(page.form("/grant"), &[("visible_ms", "5000")]);
        if let Some(ms) = chosen {
            assert!(page.text.contains(&format!("name=\"lifetime\" value=\"{ms}\"")), "it is on offer: {}", page.text);
            form = with(form, &[("lifetime", ms)]);
        }
        assert!(ann.post("/grant", &form).await.location().starts_with("https://known.example/login?clientId="));
        let grants = site.store.grants_of("local/ann").await.unwrap();
        assert_eq!(grants[0].expires_ms - grants[0].created_ms, hours * HOUR_MS, "{wish} {chosen:?}");
    }
}

/// Story: an administrator made the longest life of an application shorter. Whoever had its page open was told "This form can't be used", and lost the request.
#[tokio::test]
async fn a_time_that_is_not_on_offer_any_more_is_chosen_once_more() {
    let site = site().await;
    drop(site.somebody("admin", &["auth:*", "notes:*"]).await);
    let (admin, mut ann) = (Authentication::person("local/admin"), site.ann().await);
    let scopes = ["notes:read:*", "notes:write:mine"].map(str::to_owned).to_vec();
    let of = |max_life_ms| ApplicationInput {
        name: "Stored".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: scopes.clone(),
        max_life_ms,
        ..ApplicationInput::default()
    };
    site.web.grants.put_application(&admin, "stored", &of(8 * HOUR_MS), None).await.unwrap();
    let asks = authorize(&with(authorization_fields(), &[("client_id", "stored"), ("expires", "8 hours")]));
    let form = with(ann.get(&asks).await.form(DECISION), &[("visible_ms", "5000")]);
    assert!(form.contains(&("lifetime".to_owned(), (8 * HOUR_MS).to_string())));
    let first = form.iter().position(|(name, _)| name == "tick").unwrap();
    let form: Vec<_> = form.into_iter().enumerate().filter(|(at, _)| *at != first).map(|(_, field)| field).collect();
    site.web.grants.put_application(&admin, "stored", &of(HOUR_MS), None).await.unwrap();
    for search in ["", "yes"] {
        let again = ann.post(DECISION, &with(form.clone(), &[("search", search)])).await;
        let says = again.text.contains("what you chose for how long is not on offer any more");
        let status = if search.is_empty() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        assert_eq!((again.status, says), (status, search.is_empty()), "{}", again.text);
        let again = with(again.form(DECISION), &[("visible_ms", "5000"), ("search", "")]);
        assert!(again.contains(&("lifetime".to_owned(), HOUR_MS.to_string())));
        assert_eq!(again.iter().filter(|(name, _)| name == "tick").count(), 1, "the tick that was taken away stays so");
        if !search.is_empty() {
            assert!(ann.post(DECISION, &again).await.location().starts_with(CALLBACK));
        }
    }
    let grants = site.store.grants_of("local/ann").await.unwrap();
    assert_eq!((grants.len(), grants[0].expires_ms - grants[0].created_ms), (1, HOUR_MS));
    // No page of ours has none.
    let form = with(ann.get(&asks).await.form(DECISION), &[("visible_ms", "5000"), ("lifetime", "0")]);
    assert_eq!(ann.post(DECISION, &form).await.status, StatusCode::BAD_REQUEST);
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
    let repeated = ann.post("/grant", &page.form("/grant")).await;
    assert!(repeated.location().starts_with("/login?target="), "{}", repeated.location());
}
