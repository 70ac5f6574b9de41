//! What bounds a registration: the rules of all applications, and what an administrator says at that moment.

use super::*;
use falconer_auth::ApplicationInput;
use futures_util::FutureExt as _;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// It was answered 201, took a place, and was never found: the name that was made of its host was longer than a name can be.
#[tokio::test]
async fn what_is_registered_is_found_and_what_no_application_can_be_is_not_registered() {
    let site = site().await;
    configure(&site, Registration::Open);
    let long = ["a".repeat(60), "b".repeat(60)].join(".");
    let back = format!("https://{long}.example.com/back");
    let one = registered(&site.register(None, &json!({ "redirect_uris": [back] })).await);
    assert_eq!(one.json["client_name"], "example.com");
    // Blanks alone say nothing.
    let blank = registered(&site.register(None, &json!({ "redirect_uris": [BACK], "scope": "  " })).await);
    assert!(blank.json.get("scope").is_none(), "{}", blank.json);
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&asks(&one.id, &[("redirect_uri", &back)]))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(ann.get(&authorize(&asks(&blank.id, &[]))).await.status, StatusCode::OK);
    // As many as are allowed, beside which stands the star.
    let many = (0..200).map(|number| format!("notes:read:{number}")).collect::<Vec<_>>().join(" ");
    let many = registered(&site.register(None, &with_scope(&many)).await);
    let admin = Authentication::person("local/admin");
    site.somebody("admin", &["auth:*", "notes:*"]).await;
    let known = site.auth.directory().applications().get(&many.id).cloned().unwrap();
    assert_eq!(known.scopes.len(), 201);
    let looked_at = ApplicationInput { description: "Looked at".to_owned(), ..ApplicationInput::of(&known) };
    site.web.grants.put_application(&admin, &many.id, &looked_at, None).await.map(drop).unwrap();
    // Nobody else's application has an id by which it looks as if it had registered itself.
    let refused = site.web.grants.put_application(&admin, &format!("registered-{}", "a".repeat(22)), &looked_at, None).await;
    assert!(refused.err().unwrap().to_string().contains("choose another one"));
    for scope in ["assume:grant:abc", "notes:read:**"] {
        let changed = json!({ "redirect_uris": [BACK], "scope": scope, "client_id": one.id });
        let refused =
            [site.register(None, &changed).await, site.registration(Method::PUT, &one.path, Some(&one.token), Some(&changed)).await];
        for refused in refused {
            assert_eq!(refused.oauth_error(), (400, "invalid_client_metadata".to_owned()), "{scope}: {}", refused.text);
        }
    }
    assert_eq!(site.auth.directory().applications().iter().count(), 3);
}

/// What it may ask for was read before the change was decided, so that it wrote back what an administrator had just taken away.
#[tokio::test]
async fn an_application_that_changes_itself_takes_back_nothing_that_an_administrator_changes_meanwhile() {
    let (site, token) = with_token(1).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    let admin = Authentication::person("local/admin");
    let known = site.auth.directory().applications().get(&one.id).cloned().unwrap();
    let less =
        ApplicationInput { scopes: texts(&["notes:read:red"]), owner: String::new(), max_life_ms: DAY_MS, ..ApplicationInput::of(&known) };
    let mut sent = metadata();
    sent.as_object_mut().unwrap().insert("client_id".to_owned(), json!(one.id));
    let mut change = Box::pin(site.web.grants.change_registered(&one.id, Some(&one.token), sent.as_object().unwrap()));
    assert!((&mut change).now_or_never().is_none(), "it has looked at what is there, and is not done");
    site.web.grants.put_application(&admin, &one.id, &less, None).await.unwrap();
    // Nearly always it has only looked. Where it has decided already, it comes before the administrator, and says what was so then.
    let scope = change.await.unwrap().scope;
    assert!(matches!(scope.as_deref(), Some("notes:read:red" | "notes:read:*")), "{scope:?}");
    let after = site.auth.directory().applications().get(&one.id).cloned().unwrap();
    assert_eq!((&after.scopes, after.owner.as_str(), after.max_life_ms), (&texts(&["notes:read:red"]), "", DAY_MS));
}

/// Whoever had lost what they gave out could still have it registered.
#[tokio::test]
async fn a_token_is_worth_no_more_than_whoever_made_it_is_by_now() {
    let (site, token) = with_token(100).await;
    let red = with_scope("notes:read:red");
    let worthless = |page: Page| assert_eq!(page.oauth_error(), (401, "invalid_token".to_owned()), "{}", page.text);
    let has = async |scopes: &[&str]| {
        site.login.set_scopes("test", "admin", &texts(scopes)).await.unwrap();
    };
    has(&["auth:*", "notes:read:red"]).await;
    worthless(site.register(Some(&token), &metadata()).await);
    registered(&site.register(Some(&token), &red).await);
    has(&["auth:list-*", "notes:*"]).await;
    worthless(site.register(Some(&token), &red).await);
    has(&["auth:create-initial-token:agents", "notes:*"]).await;
    registered(&site.register(Some(&token), &metadata()).await);
    site.login.disable_account("test", "admin").await.unwrap();
    worthless(site.register(Some(&token), &red).await);
    site.login.enable_account("test", "admin").await.unwrap();
    registered(&site.register(Some(&token), &red).await);
    assert_eq!(site.store.initial_tokens().await.unwrap()[0].uses, 3, "what is refused uses nothing");
}

/// So many of one network filled all places, and nobody else registered for a day.
#[tokio::test]
async fn strangers_register_so_many() {
    let site = site().await;
    configure(&site, Registration::Open);
    for _ in 0..20 {
        registered(&site.register(None, &metadata()).await);
    }
    let over = site.register(None, &metadata()).await;
    assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS, "{}", over.text);
    assert!(over.header("retry-after").parse::<u64>().is_ok());
    // Others do, until there are as many as there can be that nobody has granted anything.
    let elsewhere = async |number: usize| {
        site.registration_from(&format!("198.51.{number}.1:4000"), Method::POST, REGISTER, None, Some(&metadata())).await
    };
    let all = || site.auth.directory().applications().iter().map(|known| known.id.clone()).collect::<Vec<String>>();
    for number in 0..80 {
        registered(&elsewhere(number).await);
    }
    let crowd = all();
    // Then one of the network leaves that has most, down to a few: nobody who comes later is kept out by it, and nobody else loses a place.
    let mut later = Vec::new();
    for number in 80..97 {
        later.push(registered(&elsewhere(number).await).id);
        assert_eq!(all().len(), 100);
    }
    let left = all();
    assert!(later.iter().all(|id| left.contains(id)), "whoever comes later stays");
    assert_eq!(crowd.iter().filter(|id| left.contains(id)).count(), 83);
    let from = |id: &String| site.auth.directory().applications().get(id).unwrap().registration.clone().unwrap().registered_from;
    assert_eq!(left.iter().filter(|id| from(id).as_deref() == Some("203.0.113.0/24")).count(), 3);
    // Where nobody has more than a few, whoever has just come stays for a while.
    let full = elsewhere(97).await;
    assert_eq!((full.oauth_error(), full.header("retry-after")), ((503, "temporarily_unavailable".to_owned()), "600"));
    assert!(full.text.contains("As many applications have registered themselves as there can be"), "the store is well: {}", full.text);
    assert_eq!(all(), left);
    site.clock.0.fetch_add(10 * 60_000, Ordering::SeqCst);
    registered(&elsewhere(97).await);
    assert_eq!(all().len(), 100);
    // After a day those are gone, but for one that somebody has granted something.
    let used = site.auth.directory().applications().iter().next().unwrap().id.clone();
    site.ann().await.lets_at(&asks(&used, &[]), "agent.example.com").await;
    assert_eq!(from(&used), None);
    assert_eq!(site.auth.delete_unused_registrations(1000).await.unwrap(), 0);
    site.clock.0.fetch_add(DAY_MS, Ordering::SeqCst);
    assert_eq!(site.auth.delete_unused_registrations(1000).await.unwrap(), 99);
    let left: Vec<String> = site.auth.directory().applications().iter().map(|known| known.id.clone()).collect();
    assert_eq!(left, [used]);
    site.clock.0.fetch_add(90 * DAY_MS, Ordering::SeqCst);
    assert_eq!(site.auth.delete_unused_registrations(1000).await.unwrap(), 1);
}

/// Two of one origin looked like one, and one button took back what both had.
#[tokio::test]
async fn two_of_one_origin_are_listed_and_taken_back_one_by_one() {
    let (site, token) = with_token(2).await;
    let mut ann = site.ann().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let one = registered(&site.register(Some(&token), &metadata()).await);
        for _ in 0..2 {
            ann.lets_at(&asks(&one.id, &[]), "agent.example.com").await;
        }
        ids.push(one.id);
    }
    let page = ann.get("/me/grants").await.text;
    assert_eq!(
        (page.matches("Revoke 2 grants").count(), page.matches("calls itself <q>The &#60;helpful&#62; agent</q>").count()),
        (2, 2),
        "{page}"
    );
    assert!(ids.iter().all(|id| page.contains(&format!("{id} <span class=\"host\">https://agent.example.com</span>"))), "{page}");
    let form = with(ann.get("/me/grants").await.form("/me/grants/revoke"), &[("grant", "")]);
    let first = with(form, &[("site", "https://agent.example.com"), ("application", &ids[0])]);
    ann.post("/me/grants/revoke", &first).await.location();
    let page = ann.get("/me/grants").await.text;
    assert!(!page.contains(&ids[0]) && page.contains(&ids[1]), "{page}");
    assert!(ann.get("/").await.text.contains(&ids[1]));
}

fn with_scope(scope: &str) -> Value {
    let mut metadata = metadata();
    metadata.as_object_mut().unwrap().insert("scope".to_owned(), json!(scope));
    metadata
}
