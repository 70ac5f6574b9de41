//! Administration of people: what each use case takes, and every way in which somebody could gain by it (ADR 165, 166).

use crate::common::{ADDRESS, DAY_MS, PASSWORD, World, from};
use falconer_auth::{ApiError, Authentication, PageQuery, PeopleFilter, Start};
use falconer_login::{AccountLinkKind, Administrator, INVITATION_MS, LoginError, NewAccount, NewLink, PersonChange, RESET_MS};
use falconer_store::IdentityRecord;

const NEW_PASSWORD: &str = "another horse battery";

/// Whoever administers, as somebody who is signed in.
fn as_person(name: &str) -> Authentication {
    Authentication::person(&format!("local/{name}"))
}

fn new_account(name: &str, groups: &[&str], scopes: &[&str]) -> NewAccount {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    NewAccount { name: name.to_owned(), display_name: name.to_owned(), email: None, groups: owned(groups), scopes: owned(scopes) }
}

fn owned(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// The scopes that a refusal names as missing.
fn missing<T>(answer: Result<T, ApiError>) -> String {
    match answer.map(|_| "it was done") {
        Err(ApiError::InsufficientScopes { missing, .. }) => missing.to_string(),
        other => panic!("{other:?}"),
    }
}

impl World {
    /// Somebody who may do everything with people, and what else is given.
    async fn helper(&self, scopes: &[&str]) -> Authentication {
        let all = ["auth:create-person:*", "auth:update-person:*", "auth:reset-person:*", "auth:disable-person:*", "auth:enable-person:*"];
        let more = ["auth:delete-person:*", "auth:unlock-person:*", "auth:sign-out-person:*", "auth:get-person:*", "auth:list-people"];
        self.person("helper", &[], &[&all[..], &more, scopes].concat()).await;
        as_person("helper")
    }

    async fn signs_in(&self, name: &str, password: &str) -> bool {
        self.login.sign_in_local(name, password, &from(ADDRESS)).await.is_ok()
    }

    async fn takes(&self, link: &NewLink) -> Result<(), LoginError> {
        self.login.use_account_link(&link.token, NEW_PASSWORD).await
    }
}

#[tokio::test]
async fn somebody_is_invited_and_signs_in() {
    let world = World::new().await;
    let helper = world.helper(&["assume:local-group:zap"]).await;
    let (link, _) = world.login.invite_person(&helper, &new_account("bob", &["zap"], &[])).await.unwrap();
    assert_eq!(link.expires_ms, crate::common::START_MS + INVITATION_MS);
    let offered = world.login.account_link(&link.token).await.unwrap().unwrap();
    assert_eq!((offered.name.as_str(), offered.kind), ("bob", AccountLinkKind::Invitation));
    let shown = world.login.person_detail(&helper, "local/bob").await.unwrap();
    let account = shown.identity("local/bob").unwrap().account.clone().unwrap();
    assert_eq!((account.has_password, account.link.unwrap().by.as_str()), (false, "local/helper"));
    assert!(!world.signs_in("bob", NEW_PASSWORD).await);
    for password in ["short", ""] {
        assert!(matches!(world.login.use_account_link(&link.token, password).await, Err(LoginError::Invalid(_))));
    }
    world.takes(&link).await.unwrap();
    assert!(world.signs_in("bob", NEW_PASSWORD).await);
    assert!(matches!(world.takes(&link).await, Err(LoginError::Conflict(_))), "once");
    assert_eq!(world.login.account_link(&link.token).await, Ok(None));
    let rows = world.store.entity_history("account", "bob", falconer_store::AuditStart::Offset(0), 10).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.actor.as_str())).collect();
    assert_eq!(rows, [("created", "local/helper"), ("password set", "local/bob")]);
    let repeated = world.login.invite_person(&helper, &new_account("bob", &[], &[])).await;
    assert!(matches!(repeated, Err(ApiError::RequestConflict(_))), "names are never used again");
}

/// Whoever makes a link has it, and could use it themselves.
#[tokio::test]
async fn nobody_invites_somebody_who_could_do_more() {
    let world = World::new().await;
    // Somebody has prepared this for a person who is still to come.
    world.role("local-user:boss", &["secret:*"]).await;
    world.role("login-identity:local/chief", &["secret:chief"]).await;
    let helper = world.helper(&["notes:read:zap/*"]).await;
    let invite =
        async |name: &str, groups: &[&str], scopes: &[&str]| world.login.invite_person(&helper, &new_account(name, groups, scopes)).await;
    assert!(missing(invite("a", &["zap"], &[]).await).contains("assume:local-group:zap"));
    assert!(missing(invite("a", &[], &["notes:write:x"]).await).contains("notes:write:x"));
    assert!(missing(invite("a", &[], &["notes:*"]).await).contains("notes:*"));
    assert!(missing(invite("a", &[], &["auth:*"]).await).contains("auth:*"));
    assert!(missing(invite("a", &[], &["assume:local-user:ann"]).await).contains("assume:local-user:ann"));
    assert!(missing(invite("boss", &[], &[]).await).contains("secret:*"));
    assert!(missing(invite("chief", &[], &[]).await).contains("secret:chief"));
    for name in ["a", "boss", "chief"] {
        assert!(world.auth.directory().identity(&format!("local/{name}")).is_none(), "{name}");
    }
    invite("a", &[], &["notes:read:zap/x"]).await.unwrap();
    // Without the scope nobody learns which names are taken.
    world.person("stranger", &[], &[]).await;
    let stranger = as_person("stranger");
    for name in ["a", "new"] {
        let refused = missing(world.login.invite_person(&stranger, &new_account(name, &[], &[])).await);
        assert_eq!(refused, format!("auth:create-person:local/{name}"));
    }
}

/// A helper kept the link of somebody whom the administrator gave more to afterwards, and became them.
#[tokio::test]
async fn a_link_is_never_worth_more_than_whoever_made_it() {
    let world = World::new().await;
    let helper = world.helper(&[]).await;
    let (link, _) = world.login.invite_person(&helper, &new_account("bob", &[], &[])).await.unwrap();
    world.login.set_groups("boss", "bob", &["zap".to_owned()]).await.unwrap();
    assert!(matches!(world.takes(&link).await, Err(LoginError::Conflict(_))));
    assert!(!world.signs_in("bob", NEW_PASSWORD).await);
    // The same through a role that grows.
    world.login.set_groups("boss", "bob", &[]).await.unwrap();
    world.role("everybody", &["auth:current-scopes", "secret:x"]).await;
    // Everybody has it now, the helper too, but did not when the link was made.
    assert!(matches!(world.takes(&link).await, Err(LoginError::Conflict(_))));
    let (again, _) = world.login.make_reset_link(&helper, "local/bob").await.unwrap();
    assert_eq!(again.expires_ms, crate::common::START_MS + INVITATION_MS, "bob has never had a password: it is an invitation again");
    assert_eq!(world.login.account_link(&link.token).await, Ok(None), "an account has one link");
    world.takes(&again).await.unwrap();
    // Somebody on the machine is bound by nothing.
    let (theirs, _) = world.login.make_reset_link(Administrator::OnTheMachine("operator"), "local/bob").await.unwrap();
    world.login.set_groups("boss", "bob", &["zap".to_owned()]).await.unwrap();
    world.takes(&theirs).await.unwrap();
}

#[tokio::test]
async fn a_reset_link_takes_everything_that_the_person_may_do() {
    let world = World::new().await;
    world.ann().await;
    let cookie = world.sign_in("ann").await.0;
    let helper = world.helper(&["notes:read:zap/*"]).await;
    let refused = missing(world.login.make_reset_link(&helper, "local/ann").await);
    assert!(refused.contains("notes:write:zap/releases") && refused.contains("assume:local-group:zap"), "{refused}");
    world
        .login
        .set_scopes("boss", "helper", &["auth:reset-person:local/ann".to_owned(), "assume:local-group:zap".to_owned()])
        .await
        .unwrap();
    let (link, _) = world.login.make_reset_link(&helper, "local/ann").await.unwrap();
    assert_eq!(link.expires_ms, crate::common::START_MS + RESET_MS);
    assert!(world.signs_in("ann", PASSWORD).await, "the password goes on until the link is used");
    world.takes(&link).await.unwrap();
    assert!(world.signs_in("ann", NEW_PASSWORD).await && !world.signs_in("ann", PASSWORD).await);
    assert_eq!(world.login.session(&cookie).await.unwrap(), None, "sessions of before end");
}

#[tokio::test]
async fn a_linked_identity_takes_its_scope_too() {
    let world = World::new().await;
    world.ann().await;
    let record = IdentityRecord {
        identity: "sso/42".to_owned(),
        person: "person of 42".to_owned(),
        provider: "sso".to_owned(),
        subject: "42".to_owned(),
        display_name: "Ann".to_owned(),
        email: None,
        email_verified: false,
        groups: Vec::new(),
        scopes: vec!["assume:login-identity:sso/42".to_owned(), "assume:company-user:ann".to_owned()],
        username: None,
        additions: Vec::new(),
        gone: false,
        refreshed_ms: crate::common::START_MS,
        disabled: false,
    };
    world.auth.put_identity("test", &record).await.unwrap();
    world.login.link_identity("test", "sso/42", "local/ann").await.unwrap();
    let scopes = ["auth:reset-person:local/*", "auth:disable-person:local/*", "auth:get-person:local/*", "auth:sign-out-person:local/*"];
    world.person("helper", &["zap"], &scopes).await;
    let helper = as_person("helper");
    assert_eq!(missing(world.login.make_reset_link(&helper, "local/ann").await), "auth:reset-person:sso/42");
    assert_eq!(missing(world.login.disable_whole_person(&helper, "local/ann").await), "auth:disable-person:sso/42");
    assert_eq!(missing(world.login.person_detail(&helper, "local/ann").await), "auth:get-person:sso/42");
    assert_eq!(missing(world.login.sign_person_out(&helper, "local/ann").await), "auth:sign-out-person:sso/42");
    assert!(!world.auth.directory().person_of("local/ann").unwrap().record.disabled);
    // With the scope for both, what only the company vouches for is still not the helper's to be.
    world.login.set_scopes("boss", "helper", &["auth:*".to_owned()]).await.unwrap();
    assert_eq!(missing(world.login.make_reset_link(&helper, "local/ann").await), "assume:company-user:ann");
    let provider = world.login.update_person(&helper, "sso/42", &PersonChange::default()).await;
    assert!(matches!(provider, Err(ApiError::InputError(_))));
    assert!(matches!(world.login.delete_person(&helper, "sso/42").await, Err(ApiError::InputError(_))));
    world.login.disable_whole_person(&helper, "sso/42").await.unwrap();
    assert!(world.auth.directory().person_of("local/ann").unwrap().record.disabled);
    world.login.enable_whole_person(&helper, "local/ann").await.unwrap();
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have() {
    let world = World::new().await;
    world.ann().await;
    let helper = world.helper(&["notes:read:*"]).await;
    let update = async |change: PersonChange| world.login.update_person(&helper, "local/ann", &change).await;
    let groups = |groups: &[&str]| PersonChange { groups: owned(groups), ..PersonChange::default() };
    let scopes = |scopes: &[&str]| PersonChange { scopes: owned(scopes), ..PersonChange::default() };
    assert_eq!(missing(update(groups(&["zap", "hr"])).await), "assume:local-group:hr");
    assert_eq!(missing(update(scopes(&["notes:write:x"])).await), "notes:write:x");
    assert_eq!(missing(update(scopes(&["auth:update-person:*", "auth:*"])).await), "auth:*");
    for refused in ["*", "assume:*", "assume:grant:x", "a**", ""] {
        assert!(matches!(update(scopes(&[refused])).await, Err(ApiError::InputError(_))), "{refused}");
    }
    assert!(matches!(update(groups(&["No Group"])).await, Err(ApiError::InputError(_))));
    let no_name = PersonChange { display_name: Some(" ".to_owned()), ..PersonChange::default() };
    assert!(matches!(update(no_name).await, Err(ApiError::InputError(_))));
    let before = world.auth.revision();
    // What is there may stay, and what one has may be given.
    update(scopes(&["notes:read:x"])).await.unwrap();
    update(PersonChange { display_name: Some(" Ann B. ".to_owned()), email: Some(None), ..groups(&["zap"]) }).await.unwrap();
    let shown = world.login.person_detail(&helper, "local/ann").await.unwrap();
    let ann = shown.identity("local/ann").unwrap();
    assert_eq!((ann.display_name.as_str(), ann.email.as_deref(), ann.groups.as_slice()), ("Ann B.", None, &["zap".to_owned()][..]));
    assert_eq!(ann.account.as_ref().unwrap().scopes, ["notes:read:x"]);
    assert!(world.auth.person_scopes("local/ann").unwrap().satisfies("notes:read:x"));
    update(groups(&[])).await.unwrap();
    assert!(!world.auth.person_scopes("local/ann").unwrap().satisfies("notes:read:zap/x"), "it counts at once");
    assert_eq!(world.auth.revision().0, before.0 + 3, "one step each");
    // Of two administrators the second decides again.
    let seen_ms = shown.identity("local/ann").unwrap().account.as_ref().unwrap().last_modified_ms;
    let late = PersonChange { seen_ms: Some(seen_ms - 1), ..PersonChange::default() };
    assert!(matches!(update(late).await, Err(ApiError::RequestConflict(_))));
    // Whoever may not change the person at all is told of all that they asked for, whether it is there or not.
    world.person("stranger", &[], &[]).await;
    let refused = missing(world.login.update_person(&as_person("stranger"), "local/nobody", &groups(&["zap"])).await);
    assert_eq!(refused, "auth:update-person:local/nobody");
    assert!(matches!(world.login.update_person(&helper, "local/nobody", &groups(&[])).await, Err(ApiError::ResourceNotFound(_))));
}

/// A link sets a password without the old one: at an administrator's unlocked screen it would take the account over.
#[tokio::test]
async fn administrators_leave_their_own_account_alone() {
    let world = World::new().await;
    let helper = world.helper(&[]).await;
    for answer in [
        world.login.make_reset_link(&helper, "local/helper").await.map(|_| ()),
        world.login.disable_whole_person(&helper, "local/helper").await.map(|_| ()),
        world.login.delete_person(&helper, "local/helper").await.map(|_| ()),
    ] {
        assert!(matches!(answer, Err(ApiError::RequestConflict(_))), "{answer:?}");
    }
    assert!(world.signs_in("helper", PASSWORD).await);
}

#[tokio::test]
async fn what_ends_a_person_ends_links_and_sessions() {
    let world = World::new().await;
    world.person("bob", &[], &[]).await;
    let helper = world.helper(&[]).await;
    let link = async || world.login.make_reset_link(&helper, "local/bob").await.unwrap().0;
    let found_link = link().await;
    world.login.set_password("operator", "bob", PASSWORD, false).await.unwrap();
    assert!(matches!(world.takes(&found_link).await, Err(LoginError::Conflict(_))), "a new password ends it");
    let found_link_now = link().await;
    let cookie = world.sign_in("bob").await.0;
    world.login.disable_whole_person(&helper, "local/bob").await.unwrap();
    assert!(matches!(world.takes(&found_link_now).await, Err(LoginError::Conflict(_))), "the person may not act");
    assert_eq!(world.login.session(&cookie).await.unwrap(), None);
    world.login.enable_whole_person(&helper, "local/bob").await.unwrap();
    let cookie = world.sign_in("bob").await.0;
    assert_eq!(world.login.person_detail(&helper, "local/bob").await.unwrap().sessions.len(), 1);
    world.login.sign_person_out(&helper, "local/bob").await.unwrap();
    assert_eq!(world.login.session(&cookie).await.unwrap(), None);
    world.clock.advance(DAY_MS);
    assert!(matches!(world.takes(&found_link_now).await, Err(LoginError::Conflict(_))), "its time is over");
    let current_link = link().await;
    world.login.delete_person(&helper, "local/bob").await.unwrap();
    assert!(matches!(world.takes(&current_link).await, Err(LoginError::Conflict(_))), "the account is gone");
    assert!(matches!(world.login.make_reset_link(&helper, "local/bob").await, Err(ApiError::ResourceNotFound(_))));
    for wrong in ["", "x", &"A".repeat(43), &"A".repeat(4300)] {
        assert_eq!(world.login.account_link(wrong).await, Ok(None), "{wrong}");
        assert!(matches!(world.login.use_account_link(wrong, NEW_PASSWORD).await, Err(LoginError::Conflict(_))), "{wrong}");
    }
}

#[tokio::test]
async fn a_link_works_once_although_many_use_it_at_the_same_time() {
    let world = World::new().await;
    world.person("bob", &[], &[]).await;
    let link = world.login.make_reset_link(Administrator::OnTheMachine("operator"), "local/bob").await.unwrap().0;
    let tries = (0..8).map(|_| {
        let (login, token) = (world.login.clone(), link.token.clone());
        tokio::spawn(async move { login.use_account_link(&token, NEW_PASSWORD).await })
    });
    let mut used = 0;
    for outcome in tries.collect::<Vec<_>>() {
        match outcome.await.unwrap() {
            Ok(()) => used += 1,
            Err(error) => assert!(matches!(error, LoginError::Conflict(_)), "{error}"),
        }
    }
    assert_eq!(used, 1);
}

#[tokio::test]
async fn people_are_listed_searched_and_paged() {
    let world = World::new().await;
    let helper = world.helper(&[]).await;
    for name in ["ann", "bob", "carl", "dora"] {
        let groups: &[&str] = if name < "c" { &["zap"] } else { &[] };
        world.person(name, groups, &[]).await;
    }
    world.login.delete_account("test", "dora").await.unwrap();
    world.login.disable_person("test", "local/carl").await.unwrap();
    let list = |filter: PeopleFilter, start: Start, limit: u64| {
        let page = world.auth.list_people(&helper, &filter, &PageQuery { start, limit }).unwrap();
        (page.items.into_iter().map(|row| row.identity).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = list(PeopleFilter::default(), Start::Offset(0), 2);
    assert_eq!((first, &next), (vec!["local/ann".to_owned(), "local/bob".to_owned()], &Some(Start::After("local/bob".to_owned()))));
    // What is linked between two pages moves nobody.
    world.login.link_identity("test", "local/helper", "local/ann").await.unwrap();
    let helper = as_person("ann");
    let page = world.auth.list_people(&helper, &PeopleFilter::default(), &PageQuery { start: next.unwrap(), limit: 9 }).unwrap();
    assert_eq!(page.items.iter().map(|row| row.identity.as_str()).collect::<Vec<_>>(), ["local/carl", "local/helper"]);
    assert_eq!((page.next, page.items[1].person == page.items[0].person), (None, false));
    let search = |filter: PeopleFilter| {
        let page = world.auth.list_people(&helper, &filter, &PageQuery::from_offset(0, 100)).unwrap();
        page.items.into_iter().map(|row| row.identity).collect::<Vec<_>>()
    };
    let text = |text: &str| PeopleFilter { text: text.to_owned(), ..PeopleFilter::default() };
    assert_eq!(search(text(" BOB@example ")), ["local/bob"]);
    assert_eq!(search(text("of the tests")).len(), 4);
    assert_eq!(search(PeopleFilter { group: Some("zap".to_owned()), ..PeopleFilter::default() }), ["local/ann", "local/bob"]);
    assert_eq!(search(PeopleFilter { disabled: Some(true), ..PeopleFilter::default() }), ["local/carl"]);
    assert_eq!(search(PeopleFilter { disabled: Some(false), ..text("arl") }), [""; 0]);
    let nobody = Authentication::person("local/bob");
    assert_eq!(missing(world.auth.list_people(&nobody, &PeopleFilter::default(), &PageQuery::from_offset(0, 1))), "auth:list-people");
}

#[tokio::test]
async fn a_persons_history_is_one_list() {
    let world = World::new().await;
    world.person("bob", &[], &[]).await;
    let helper = world.helper(&["auth:audit-history:person"]).await;
    world.login.disable_whole_person(&helper, "local/bob").await.unwrap();
    world.login.enable_whole_person(&helper, "local/bob").await.unwrap();
    world.login.unlock_person(&helper, "local/bob").await.unwrap();
    world.login.sign_person_out(&helper, "local/bob").await.unwrap();
    let mut start = Start::Offset(0);
    let mut seen = Vec::new();
    loop {
        let page = world.auth.person_history(&helper, "local/bob", PageQuery { start, limit: 2 }).await.unwrap();
        seen.extend(page.items.into_iter().map(|row| (row.action_type, row.client_id)));
        match page.next {
            Some(next) => start = next,
            None => break,
        }
    }
    let by_helper = ["disabled", "enabled", "unlocked", "signed out"].map(|action| (action.to_owned(), "local/helper".to_owned()));
    assert_eq!(seen[0], ("created".to_owned(), "test".to_owned()));
    assert_eq!(seen[seen.len() - 4..], by_helper);
    assert_eq!(
        missing(world.auth.person_history(&as_person("bob"), "local/bob", PageQuery::from_offset(0, 1)).await),
        "auth:audit-history:person"
    );
}

/// A link for a password is mailed to the address of its account, so whoever writes the address could be the person.
#[tokio::test]
async fn an_address_takes_what_a_link_takes() {
    let world = World::new().await;
    world.role("local-user:named", &["secret:named"]).await;
    world.person("ann", &[], &["secret:1"]).await;
    world.person("bob", &[], &["pub:1"]).await;
    world.person("named", &[], &[]).await;
    let helper = world.helper(&["pub:*"]).await;
    let to = |address: Option<&str>| PersonChange { email: Some(address.map(str::to_owned)), ..PersonChange::default() };
    let update = async |who: &Authentication, identity: &str, change: &PersonChange| world.login.update_person(who, identity, change).await;
    assert!(missing(update(&helper, "local/ann", &to(Some("helper@example.com"))).await).contains("secret:1"));
    assert!(missing(update(&helper, "local/named", &to(Some("helper@example.com"))).await).contains("secret:named"));
    update(&helper, "local/bob", &to(Some("bob@example.com"))).await.unwrap();
    // What stays as it is takes nothing, and neither does a name for people to read.
    world.login.set_profile("machine", "ann", "Ann", Some("ann@example.com")).await.unwrap();
    let named = PersonChange { display_name: Some("Ann B.".to_owned()), ..to(Some("ann@example.com")) };
    update(&helper, "local/ann", &named).await.unwrap();
    // The scope for the change alone is not enough, and nobody does it to themselves.
    world.person("clerk", &[], &["auth:update-person:*", "pub:*"]).await;
    assert!(
        missing(update(&as_person("clerk"), "local/bob", &to(Some("clerk@example.com"))).await).contains("auth:reset-person:local/bob")
    );
    let own = update(&helper, "local/helper", &to(Some("elsewhere@example.com"))).await;
    assert!(matches!(own, Err(ApiError::RequestConflict(_))), "{own:?}");
    // With what is linked: the mail would let somebody in as the whole person.
    world.login.link_identity("machine", "local/bob", "local/ann").await.unwrap();
    assert!(missing(update(&helper, "local/bob", &to(Some("eve@example.com"))).await).contains("secret:1"));
    let email = |name: &str| world.auth.directory().identity(&format!("local/{name}")).unwrap().record.email.clone();
    assert_eq!((email("ann").as_deref(), email("bob").as_deref()), (Some("ann@example.com"), Some("bob@example.com")));
    // Taking an address away gives nobody anything; another one in its place would.
    update(&helper, "local/ann", &to(None)).await.unwrap();
    assert!(missing(update(&helper, "local/ann", &to(Some("ann@example.com"))).await).contains("secret:1"));
    assert_eq!(email("ann"), None);
}
