//! The pages for administering people: invite, take the link, change, disable, delete, search, and what is refused.

use crate::site::{Browser, Page, Site, site, with};
use http::StatusCode;

const NEW_PASSWORD: &str = "another horse battery";
const ADD: &str = "/auth/people/add";
const EDIT: &str = "/auth/people/edit";
const CONFIRM: &str = "/auth/people/confirm";

/// Whoever may administer people, and give the group `writers` and `notes:read:*`.
async fn boss(site: &Site) -> Browser<'_> {
    site.somebody("boss", &["auth:*", "assume:local-group:writers", "notes:read:*"]).await
}

/// The address of the link that a page shows.
fn link_of(page: &Page) -> String {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let shown = page.text.split("id=\"link\">").nth(1).unwrap().split('<').next().unwrap();
    shown.strip_prefix("https://auth.example.com").unwrap().replace("&#61;", "=")
}

async fn invite(boss: &mut Browser<'_>, name: &str, fields: &[(&str, &str)]) -> Page {
    let form = with(boss.get(ADD).await.form(ADD), &[("name", name), ("display_name", name), ("do", "save")]);
    boss.post(ADD, &with(form, fields)).await
}

async fn take(browser: &mut Browser<'_>, link: &str, password: &str, repeat: &str) -> Page {
    let form = browser.get(link).await.form("/password-link");
    browser.post("/password-link", &with(form, &[("password", password), ("repeat", repeat)])).await
}

async fn signs_in(site: &Site, name: &str, password: &str) -> bool {
    let mut browser = site.browser();
    let form = browser.get("/login").await.form("/login");
    browser.post("/login", &with(form, &[("name", name), ("password", password)])).await;
    browser.is_signed_in()
}

async fn ask(boss: &mut Browser<'_>, action: &str) -> Page {
    let page = boss.get(&format!("{CONFIRM}?id=local%2Fbob&action={action}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    boss.post(CONFIRM, &page.form(CONFIRM)).await
}

/// The token in the newest mail.
fn mailed(site: &Site) -> String {
    let text = site.mails.0.lock().unwrap().pop().unwrap();
    text.lines().find_map(|line| line.strip_prefix("https://auth.example.com")).unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_goes_by_mail() {
    let site = site().await;
    let mut boss = boss(&site).await;
    let refused = invite(&mut boss, "bob", &[("mail", "yes")]).await;
    assert_eq!((refused.status, refused.text.contains("no e-mail address")), (StatusCode::BAD_REQUEST, true), "{}", refused.text);
    assert!(refused.text.contains("value=\"yes\" checked"), "what was chosen stays: {}", refused.text);
    let invited = invite(&mut boss, "bob", &[("email", "bob@example.com"), ("mail", "yes")]).await;
    assert!(invited.text.contains("It was mailed to bob@example.com."), "{}", invited.text);
    let link = mailed(&site);
    assert_eq!(link, link_of(&invited));
    let seen = boss.get("/auth/people?id=local%2Fbob").await.text;
    assert!(seen.contains("the mail server took it") && seen.contains("Mail an invitation"), "{seen}");
    assert_eq!(take(&mut site.browser(), &link, NEW_PASSWORD, NEW_PASSWORD).await.location(), "/login?done=password-set");
    assert!(signs_in(&site, "bob", NEW_PASSWORD).await);
    let repeated = ask(&mut boss, "mail").await;
    assert!(repeated.text.contains("It was mailed to bob@example.com."), "{}", repeated.text);
    assert_eq!(mailed(&site), link_of(&repeated));
    // Without the tick no mail goes out.
    invite(&mut boss, "carl", &[("email", "carl@example.com")]).await;
    assert!(site.mails.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_nobody_does_to_themselves_is_not_offered() {
    let site = site().await;
    let mut boss = boss(&site).await;
    invite(&mut boss, "bob", &[("email", "bob@example.com")]).await;
    for (id, offered) in [("bob", true), ("boss", false)] {
        let page = boss.get(&format!("/auth/people?id=local%2F{id}")).await.text;
        for action in ["disable", "delete", "reset", "mail"] {
            assert_eq!(page.contains(&format!("action={action}")), offered, "{id} {action}: {page}");
        }
        assert!(page.contains("action=unlock"), "{id}: {page}");
    }
}

#[tokio::test]
async fn a_person_from_the_invitation_to_the_end() {
    let site = site().await;
    let mut boss = boss(&site).await;
    let created = invite(&mut boss, "bob", &[("display_name", "Bob B."), ("email", "bob@example.com"), ("groups", "writers\r\n")]).await;
    assert_eq!(created.header("cache-control"), "no-store");
    let link = link_of(&created);
    assert!(boss.get("/auth/people?id=local%2Fbob").await.text.contains("invited"));

    let mut bob = site.browser();
    let page = bob.get(&link).await;
    assert!(page.text.contains("Welcome to Falconer") && page.text.contains("Bob B."), "{}", page.text);
    for (password, repeat, text) in [(NEW_PASSWORD, "other", "The two passwords differ"), ("short", "short", "A password has 8 to")] {
        let wrong = take(&mut bob, &link, password, repeat).await;
        assert_eq!((wrong.status, wrong.text.contains(text)), (StatusCode::BAD_REQUEST, true), "{}", wrong.text);
    }
    assert_eq!(take(&mut bob, &link, NEW_PASSWORD, NEW_PASSWORD).await.location(), "/login?done=password-set");
    assert!(!bob.is_signed_in(), "a link signs nobody in");
    assert!(bob.get("/login?done=password-set").await.text.contains("Your password is set"));
    assert_eq!(bob.get(&link).await.status, StatusCode::GONE);
    assert!(signs_in(&site, "bob", NEW_PASSWORD).await);

    let page = boss.get("/auth/people?id=local%2Fbob").await;
    for text in ["Bob B.", "bob@example.com", "assume:local-group:writers", "a password", "password set", "action=disable", "action=delete"]
    {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    // What a change comes to, before it is saved.
    let form = with(boss.get("/auth/people/edit?id=local%2Fbob").await.form(EDIT), &[("groups", ""), ("scopes", "notes:read:x")]);
    let plan = boss.post(EDIT, &with(form, &[("do", "plan")])).await;
    assert!(plan.text.contains("What this changes") && plan.text.contains("assume:local-group:writers"), "{}", plan.text);
    assert!(site.auth.person_scopes("local/bob").unwrap().satisfies("assume:local-group:writers"), "nothing was saved yet");
    let saved = boss.post(EDIT, &with(plan.form(EDIT), &[("do", "save")])).await;
    assert_eq!(saved.location(), "/auth/people?id=local%2Fbob&done=saved");
    let scopes = site.auth.person_scopes("local/bob").unwrap();
    assert!(scopes.satisfies("notes:read:x") && !scopes.satisfies("assume:local-group:writers"), "{scopes:?}");

    assert_eq!(ask(&mut boss, "disable").await.location(), "/auth/people?id=local%2Fbob&done=disable");
    assert!(!signs_in(&site, "bob", NEW_PASSWORD).await);
    assert!(boss.get("/auth/people?disabled=true").await.text.contains("local/bob"));
    for action in ["enable", "unlock", "sign-out"] {
        assert_eq!(ask(&mut boss, action).await.location(), format!("/auth/people?id=local%2Fbob&done={action}"));
        let page = boss.get(&format!("/auth/people?id=local%2Fbob&done={action}")).await;
        assert!(page.text.contains("role=\"status\""), "{action}");
    }
    let reset = link_of(&ask(&mut boss, "reset").await);
    let page = site.browser().get(&reset).await;
    assert!(page.text.contains("Choose another password"), "{}", page.text);
    take(&mut site.browser(), &reset, "yet another horse", "yet another horse").await;
    assert!(signs_in(&site, "bob", "yet another horse").await);

    // Deleting takes the identity, typed.
    let refused = ask(&mut boss, "delete").await;
    assert_eq!((refused.status.as_u16(), refused.text.contains("to confirm")), (422, true));
    let done = boss.post(CONFIRM, &with(refused.form(CONFIRM), &[("typed", "local/bob")])).await;
    assert_eq!(done.location(), "/auth/people?done=deleted");
    assert!(!boss.get("/auth/people?q=bob").await.text.contains("local/bob"));
    assert!(boss.get("/auth/people?id=local%2Fbob").await.text.contains("deleted"));
}

#[tokio::test]
async fn what_is_refused_stands_beside_what_was_typed() {
    let site = site().await;
    let mut boss = boss(&site).await;
    for (changes, status, text) in [
        (&[("name", "Bob B")][..], 400, "begins with a lower-case letter"),
        (&[("name", "ann")], 409, "is or was in use"),
        (&[("groups", "writers\nwriters")], 400, "stands there twice"),
        (&[("groups", "admins")], 403, "assume:local-group:admins"),
        (&[("scopes", "secret:x")], 403, "secret:x"),
        (&[("scopes", "*")], 400, "covers"),
        (&[("email", "nobody")], 400, "is not an e-mail address"),
    ] {
        let page = invite(&mut boss, "new", changes).await;
        assert_eq!(page.status.as_u16(), status, "{changes:?}: {}", page.text);
        assert!(page.text.contains(text), "{text}: {}", page.text);
        let (name, value) = changes[0];
        assert_eq!(page.form(ADD).into_iter().find(|(key, _)| key == name).unwrap().1, value);
    }
    assert!(site.auth.directory().identity("local/new").is_none());
    // Ann has what the boss lacks: no link for her password, and none for one's own.
    for (id, status) in [("local%2Fann", 403), ("local%2Fboss", 409)] {
        let form = boss.get(&format!("{CONFIRM}?id={id}&action=reset")).await.form(CONFIRM);
        assert_eq!(boss.post(CONFIRM, &form).await.status.as_u16(), status, "{id}");
    }
    // Of two administrators the second is told.
    let form = with(boss.get("/auth/people/edit?id=local%2Fann").await.form(EDIT), &[("display_name", "Mine"), ("do", "save")]);
    site.login.set_profile("test", "ann", "Theirs", Some("ann@example.com")).await.unwrap();
    let page = boss.post(EDIT, &form).await;
    assert_eq!((page.status.as_u16(), page.text.contains("changed after you opened this page")), (409, true), "{}", page.text);
    assert_eq!(boss.post(EDIT, &with(page.form(EDIT), &[("do", "save")])).await.location(), "/auth/people?id=local%2Fann&done=saved");
}

#[tokio::test]
async fn nobody_sees_people_without_the_scopes() {
    let site = site().await;
    let mut ann = site.ann().await;
    assert!(!ann.get("/").await.text.contains("/auth/people"));
    for path in ["/auth/people", "/auth/people?id=local%2Fann", "/auth/people/edit?id=local%2Fann", "/auth/people/map"] {
        assert_eq!(ann.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let mut boss = boss(&site).await;
    assert!(boss.get("/").await.text.contains("href=\"/auth/people\""));
    let mut nobody = site.browser();
    assert_eq!(nobody.get("/auth/people?q=a%20b").await.location(), "/login?next=%2Fauth%2Fpeople%3Fq%3Da%2520b");
    for link in ["/password-link", "/password-link?token=x", &format!("/password-link?token={}", "A".repeat(43))] {
        assert_eq!(nobody.get(link).await.status, StatusCode::GONE, "{link}");
    }
}

/// Story: whoever might see one identity of somebody learned which scopes they have by the others, one after the other.
#[tokio::test]
async fn who_has_a_scope_is_told_of_those_whom_the_asker_may_see_whole() {
    let site = site().await;
    drop(site.somebody("ann-too", &["x:secret"]).await);
    drop(site.somebody("bob", &["x:secret"]).await);
    site.login.link_people(falconer_login::Administrator::OnTheMachine("test"), "local/ann-too", "local/ann").await.unwrap();
    let seen = ["auth:list-people", "auth:expand-scopes", "auth:get-person:local/bob"];
    let mut looker = site.somebody("looker", &[&seen[..], &["auth:get-person:local/ann"]].concat()).await;
    let page = looker.get("/auth/scopes?scope=x:secret").await;
    assert_eq!(looker.get("/auth/people?id=local/ann").await.status, StatusCode::FORBIDDEN);
    let holders = page.text.split("<h3>People</h3>").nth(1).unwrap();
    assert!(holders.contains("local/bob") && !holders.contains("local/ann"), "{holders}");
    assert!(holders.contains("There may be others: they are shown to those who have <code>auth:get-person:*</code>"), "{holders}");
    let mut whole = site.somebody("whole", &[&seen[..], &["auth:get-person:*"]].concat()).await;
    let page = whole.get("/auth/scopes?scope=x:secret").await;
    let holders = page.text.split("<h3>People</h3>").nth(1).unwrap();
    assert!(holders.contains("local/bob") && holders.contains("local/ann") && !holders.contains("others"), "{holders}");
}
