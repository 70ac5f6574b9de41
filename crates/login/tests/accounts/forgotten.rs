//! Forgotten passwords by mail: who gets a link, what it is worth, and that nobody learns anything by asking (docs/adr/0186, 0187).

use crate::common::{ADDRESS, PASSWORD, World, from};
use crate::site::{Catcher, Site, site, site_with};
use falconer_auth::Authentication;
use falconer_login::{FORGOTTEN_MS, LoginError, MailedSite, NewAccount, PersonChange, SignInError, Visitor};

const NEW_PASSWORD: &str = "another horse battery";
const LINK: &str = "https://auth.example.com/password-link?token=";

impl Site {
    async fn forgets_from(&self, typed: &str, visitor: &Visitor<'_>) -> Result<(), LoginError> {
        let site = MailedSite { name: "auth.example.com".to_owned(), link: LINK.to_owned() };
        let answer = self.world.login.mail_forgotten(typed, &site, visitor).await;
        self.world.login.mail_is_sent().await;
        answer
    }

    async fn forgets(&self, typed: &str) -> Result<(), LoginError> {
        self.forgets_from(typed, &from(ADDRESS)).await
    }

    /// The tokens that were mailed, each with the address.
    async fn tokens(&self, typed: &str) -> Vec<(String, String)> {
        self.forgets(typed).await.unwrap();
        let token = |text: &str| text.lines().find_map(|line| line.strip_prefix(LINK)).unwrap().to_owned();
        self.mails().iter().map(|mail| (mail.to.as_str().to_owned(), token(&mail.text))).collect()
    }

    async fn signs_in(&self, name: &str, password: &str) -> Result<(), SignInError> {
        self.world.login.sign_in_local(name, password, &from(ADDRESS)).await.map(|_| ())
    }
}

#[tokio::test]
async fn whoever_forgot_a_password_sets_another_one() {
    let site = site().await;
    let ann = site.world.ann().await;
    let (cookie, _) = site.world.sign_in("ann").await;
    let mut tokens = Vec::new();
    for typed in ["ann", " Ann ", "ann@example.com", "ANN@Example.com "] {
        let [(to, token)] = site.tokens(typed).await.try_into().unwrap();
        assert_eq!(to, "ann@example.com", "{typed}");
        tokens.push(token);
    }
    assert!(site.signs_in("ann", PASSWORD).await.is_ok(), "the present one goes on");
    let newest = tokens.pop().unwrap();
    for earlier in tokens {
        assert_eq!(site.world.login.account_link(&earlier).await, Ok(None), "later links end earlier ones");
    }
    assert_eq!(site.world.login.account_link(&newest).await.unwrap().unwrap().name, "ann");
    site.world.login.use_account_link(&newest, NEW_PASSWORD).await.unwrap();
    assert!(matches!(site.world.login.use_account_link(&newest, NEW_PASSWORD).await, Err(LoginError::Conflict(_))), "once");
    assert_eq!((site.signs_in("ann", PASSWORD).await, site.signs_in("ann", NEW_PASSWORD).await), (Err(LoginError::WrongPassword), Ok(())));
    assert!(site.world.login.session(&cookie).await.unwrap().is_none(), "sessions of before end");
    let rows = site.world.store.entity_history("account", "ann", falconer_store::AuditStart::Offset(0), 10).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.actor.as_str())).collect();
    assert_eq!(rows[0], ("created", "test"));
    assert_eq!(rows[1..5], [("reset link made", "forgotten password"); 4]);
    assert_eq!(rows[5], ("password set", ann.identity.as_str()));
    // For an hour.
    let [(_, token)] = site.tokens("ann").await.try_into().unwrap();
    site.world.clock.advance(FORGOTTEN_MS - 1);
    assert!(site.world.login.account_link(&token).await.unwrap().is_some());
    site.world.clock.advance(1);
    assert_eq!(site.world.login.account_link(&token).await, Ok(None));
}

#[tokio::test]
async fn a_mail_says_what_it_is_for() {
    let site = site().await;
    site.world.ann().await;
    site.forgets("ann").await.unwrap();
    let [mail] = site.mails().try_into().unwrap();
    assert_eq!(mail.subject, "Another password for auth.example.com");
    for said in ["account ann at auth.example.com", "within an hour", "works once", "If you have not asked for it, do nothing"] {
        assert!(mail.text.contains(said), "{said}: {}", mail.text.as_str());
    }
}

/// Whoever asks learns nothing, and nobody else gets a mail.
#[tokio::test]
async fn nobody_gets_a_link_who_should_not() {
    let site = site().await;
    let world = &site.world;
    for name in ["bare", "stopped", "gone", "person"] {
        world.person(name, &[], &[]).await;
    }
    world.login.set_profile("test", "bare", "Bare", None).await.unwrap();
    world.login.disable_account("test", "stopped").await.unwrap();
    world.login.disable_person("test", "local/person").await.unwrap();
    world.login.delete_account("test", "gone").await.unwrap();
    // Somebody of a directory, with an address that it vouches for.
    let (sent, code) = site.code("mail", "eve@example.net").await;
    site.sign_in("mail", &sent, &code).await.unwrap();
    for typed in
        ["nobody", "bare", "stopped", "gone", "person", "stopped@example.com", "gone@example.com", "nobody@example.com", "eve@example.net"]
    {
        assert_eq!(site.forgets(typed).await, Ok(()), "{typed}");
        assert!(site.mails().is_empty(), "{typed}");
    }
    for typed in ["", "Ann B.", "a@b", "ann@example.com, eve@example.net", "ann@example.com\r\nBcc: eve@example.net", &"a".repeat(100_000)]
    {
        assert!(matches!(site.forgets(typed).await, Err(LoginError::Invalid(_))), "{typed:.40}");
        assert!(site.mails().is_empty(), "{typed:.40}");
    }
    let without = World::new().await;
    without.ann().await;
    let to = MailedSite { name: String::new(), link: String::new() };
    assert!(!without.login.mails_links());
    assert!(matches!(without.login.mail_forgotten("ann", &to, &from(ADDRESS)).await, Err(LoginError::NotFound(_))));
}

/// An address is worth no more than whoever wrote it: else a help desk writes its own, and waits until somebody is promoted.
#[tokio::test]
async fn a_link_is_worth_no_more_than_whoever_wrote_the_address() {
    let site = site().await;
    let world = &site.world;
    world.person("helper", &[], &["auth:create-person:*", "auth:update-person:*", "auth:reset-person:*", "pub:*"]).await;
    let helper = Authentication::person("local/helper");
    let email = Some("helper@example.com".to_owned());
    let new = NewAccount { name: "bob".to_owned(), display_name: "Bob".to_owned(), email, ..NewAccount::default() };
    world.login.invite_person(&helper, &new).await.unwrap();
    let [(_, token)] = site.tokens("bob").await.try_into().unwrap();
    world.login.set_scopes("boss", "bob", &["secret:1".to_owned()]).await.unwrap();
    assert!(matches!(world.login.use_account_link(&token, NEW_PASSWORD).await, Err(LoginError::Conflict(_))), "made before");
    assert_eq!(site.tokens("bob").await, [], "asked for afterwards");
    // With what the writer has they are the same as before.
    world.login.set_scopes("boss", "bob", &["pub:1".to_owned()]).await.unwrap();
    assert_eq!(site.tokens("bob").await.len(), 1);
    // Other changes by somebody who may do more say nothing of the address; the same address, from the machine, does.
    world.login.set_scopes("boss", "bob", &["secret:1".to_owned()]).await.unwrap();
    world.person("boss", &[], &["auth:*", "secret:*"]).await;
    let same = PersonChange { email: Some(new.email.clone()), display_name: Some("Bob B.".to_owned()), ..PersonChange::default() };
    world.login.update_person(&Authentication::person("local/boss"), "local/bob", &same).await.unwrap();
    assert_eq!(site.tokens("bob").await, []);
    let machine = falconer_login::Administrator::OnTheMachine("machine");
    world.login.update_person(machine, "local/bob", &same).await.unwrap();
    let [(_, token)] = site.tokens("bob").await.try_into().unwrap();
    world.login.use_account_link(&token, NEW_PASSWORD).await.unwrap();
}

/// Names that nobody has are counted as those of others, so that a count tells nothing either.
#[tokio::test]
async fn mails_come_to_an_end() {
    let site = site().await;
    site.world.ann().await;
    for typed in ["ann", "nobody", "bob@example.com"] {
        for _ in 0..5 {
            assert_eq!(site.forgets(typed).await, Ok(()), "{typed}");
        }
        assert!(matches!(site.forgets(typed).await, Err(LoginError::Throttled { .. })), "{typed}");
    }
    assert_eq!(site.mails().len(), 5);
    // From one network to whomever: 30.
    let elsewhere = from("198.51.100.1".parse().unwrap());
    for n in 0..30 {
        assert_eq!(site.forgets_from(&format!("n{n}"), &elsewhere).await, Ok(()));
    }
    assert!(matches!(site.forgets_from("n30", &elsewhere).await, Err(LoginError::Throttled { .. })));
}

/// What the mail server does, and whether there is a mail at all, shows in no answer.
#[tokio::test]
async fn a_mail_server_that_fails_shows_in_no_answer() {
    let site = site_with(Catcher { fails: true, ..Catcher::default() }).await;
    site.world.ann().await;
    assert_eq!(site.forgets("ann").await, site.forgets("nobody").await);
    let before = site.world.auth.revision();
    let to = MailedSite { name: String::new(), link: String::new() };
    // Nothing was written yet when the answer is there.
    site.world.login.mail_forgotten("ann", &to, &from(ADDRESS)).await.unwrap();
    let link = site.world.store.account_link_of("ann").await.unwrap().unwrap();
    site.world.login.mail_is_sent().await;
    assert_ne!(site.world.store.account_link_of("ann").await.unwrap().unwrap().hash, link.hash);
    assert_eq!(site.world.auth.revision(), before, "a link takes no revision");
}

/// Story: twenty mails a day by strangers were twenty for the person as well, from wherever they always sign in, and nothing lifted it.
#[tokio::test]
async fn strangers_keep_nobody_from_the_mail_for_a_forgotten_password() {
    let site = site().await;
    site.world.ann().await;
    let codes = site.world.login.make_recovery_codes(&site.world.sign_in("ann").await.1).await.unwrap();
    let home = Visitor { browser: Some("her browser"), ..from("203.0.113.1".parse().unwrap()) };
    let train = Visitor { browser: Some("another browser"), ..from("203.0.113.2".parse().unwrap()) };
    site.world.login.sign_in_local("ann", PASSWORD, &home).await.unwrap();
    site.world.login.sign_in_recovery("ann", &codes[0], &train).await.unwrap();
    let mut place = 0;
    let mut refused_by_strangers = async |typed: &str| {
        for _ in 0..=4 {
            place += 1;
            let stranger = from([198, 51, 100, place].into());
            for _ in 0..5 {
                if site.forgets_from(typed, &stranger).await.is_err() {
                    return;
                }
            }
        }
        panic!("strangers go on");
    };
    for typed in ["ann", "ann@example.com"] {
        refused_by_strangers(typed).await;
        for known in [&home, &train] {
            assert_eq!(site.forgets_from(typed, known).await, Ok(()), "{typed}");
            // Whichever of the two is known.
            assert_eq!(site.forgets_from(typed, &Visitor { browser: None, ..*known }).await, Ok(()), "{typed}");
        }
        let elsewhere = from("203.0.113.3".parse().unwrap());
        assert!(matches!(site.forgets_from(typed, &elsewhere).await, Err(LoginError::Throttled { .. })), "{typed}");
    }
    site.world.login.unlock_account("operator", "ann").await.unwrap();
    for typed in ["ann", "ann@example.com"] {
        assert_eq!(site.forgets_from(typed, &from("203.0.113.3".parse().unwrap())).await, Ok(()), "{typed}");
    }
}
