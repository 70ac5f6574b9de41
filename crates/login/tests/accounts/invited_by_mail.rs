//! Links that administrators have mailed: what is told of the mail, that nothing is made where none can go, and what such a link is worth (docs/adr/0194).

use std::sync::Arc;

use crate::common::World;
use crate::site::site;
use async_trait::async_trait;
use falconer_auth::{ApiError, Authentication};
use falconer_login::mail::{Mail, MailError, MailOutcome, Mailer};
use falconer_login::{Administrator, Login, LoginSettings, MailedSite, NewAccount};
use tokio::sync::Notify;

const LINK: &str = "https://auth.example.com/password-link?token=";
const MACHINE: Administrator<'_> = Administrator::OnTheMachine("machine");

fn to() -> MailedSite {
    MailedSite { name: "auth.example.com".to_owned(), link: LINK.to_owned() }
}

fn bob() -> NewAccount {
    NewAccount {
        name: "bob".to_owned(),
        display_name: "Bob eve@example.net".to_owned(),
        email: Some("Bob@Example.com".to_owned()),
        ..NewAccount::default()
    }
}

/// Says what it is told to say, or nothing until it may go on.
struct Says(Option<MailError>, Option<Arc<Notify>>);

#[async_trait]
impl Mailer for Says {
    async fn send(&self, _: &Mail) -> Result<(), MailError> {
        if let Some(go_on) = &self.1 {
            go_on.notified().await;
        }
        self.0.clone().map_or(Ok(()), Err)
    }

    async fn probe(&self) -> Result<Vec<(&'static str, String)>, MailError> {
        Ok(Vec::new())
    }
}

async fn world_of(mailer: Says) -> World {
    World::with(LoginSettings { mailer: Some(Arc::new(mailer)), ..crate::common::settings() }).await
}

#[tokio::test]
async fn an_invitation_comes_by_mail_and_lets_in_once() {
    let site = site().await;
    let login = &site.world.login;
    let (mailed, _) = login.invite_person_by_mail(MACHINE, &bob(), &to()).await.unwrap();
    assert_eq!((mailed.outcome, mailed.to.as_str()), (MailOutcome::Sent, "bob@example.com"));
    let [mail] = site.mails().try_into().unwrap();
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("bob@example.com", "Your account at auth.example.com"));
    for said in ["an account bob for you", "within seven days", "works once", "If you have not expected this, do nothing"] {
        assert!(mail.text.contains(said), "{said}: {}", mail.text.as_str());
    }
    assert!(!mail.text.contains("eve@"), "what others call a person is not in the mail");
    let token = mail.text.lines().find_map(|line| line.strip_prefix(LINK)).unwrap();
    assert_eq!(token, mailed.link.token.as_str());
    // Asked for again: the newest one holds.
    let (again, _) = login.mail_reset_link(MACHINE, "local/bob", &to()).await.unwrap();
    assert_eq!(login.account_link(token).await, Ok(None));
    assert_eq!(site.mails()[0].subject, "Your account at auth.example.com", "they are still invited");
    login.use_account_link(&again.link.token, "a password of bob").await.unwrap();
    assert_eq!(login.account_link(&again.link.token).await, Ok(None));
    // From then on it is another password.
    login.mail_reset_link(MACHINE, "local/bob", &to()).await.unwrap();
    assert_eq!(site.mails()[0].subject, "Another password for auth.example.com");
}

#[tokio::test]
async fn nothing_is_made_where_no_mail_can_go() {
    let site = site().await;
    let login = &site.world.login;
    let before = site.world.auth.revision();
    for email in [None, Some(""), Some("bob"), Some("bob@example"), Some("bob@example.com, eve@example.net")] {
        let new = NewAccount { email: email.map(str::to_owned), ..bob() };
        let refused = login.invite_person_by_mail(MACHINE, &new, &to()).await;
        assert!(matches!(refused.map(drop), Err(ApiError::InputError(_))), "{email:?}");
    }
    site.world.person("bare", &[], &[]).await;
    login.set_profile("test", "bare", "Bare", None).await.unwrap();
    assert!(matches!(login.mail_reset_link(MACHINE, "local/bare", &to()).await.map(drop), Err(ApiError::InputError(_))));
    let without = World::new().await;
    assert!(matches!(without.login.invite_person_by_mail(MACHINE, &bob(), &to()).await.map(drop), Err(ApiError::InputError(_))));
    // Whoever may not invite is not told whether there is a mail server.
    let nobody = Authentication::person("local/bare");
    let refused = without.login.invite_person_by_mail(&nobody, &bob(), &to()).await.map(drop);
    assert!(!matches!(refused, Ok(()) | Err(ApiError::InputError(_))), "{refused:?}");
    assert!(site.mails().is_empty());
    assert!(login.person_detail(&Authentication::person("local/bare"), "local/bob").await.is_err());
    assert!(site.world.auth.revision().0 - before.0 <= 2, "one account was made by this test, and its profile was changed");
}

#[tokio::test]
async fn what_is_told_of_the_mail_is_true() {
    let cases = [
        (None, MailOutcome::Sent),
        (Some(MailError::Status { what: "the mail", status: 550 }), MailOutcome::Refused(550)),
        (Some(MailError::NoTls), MailOutcome::Unusable),
        (Some(MailError::Refused(535)), MailOutcome::Unusable),
        (Some(MailError::Unfinished("it hung up".to_owned())), MailOutcome::Unfinished),
    ];
    for (says, told) in cases {
        let world = world_of(Says(says.clone(), None)).await;
        let (mailed, _) = world.login.invite_person_by_mail(MACHINE, &bob(), &to()).await.unwrap();
        assert_eq!(mailed.outcome, told, "{says:?}");
        // The link holds all the same, and the administrator sees what became of the mail.
        assert!(world.login.account_link(&mailed.link.token).await.unwrap().is_some());
        world.person("boss", &[], &["auth:*"]).await;
        let boss = Authentication::person("local/boss");
        let seen = world.login.person_detail(&boss, "local/bob").await.unwrap();
        let link = seen.identities[0].account.as_ref().unwrap().link.clone().unwrap();
        assert_eq!(link.mail, Some(told), "{says:?}");
    }
}

/// What became of a mail is known to the process that sent it. Another one, or the next, said nothing of it, as if there had been none.
#[tokio::test]
async fn what_another_process_sent_is_not_known_and_not_passed_over() {
    let refused = MailError::Status { what: "the mail", status: 550 };
    let world = world_of(Says(Some(refused), None)).await;
    world.person("boss", &[], &["auth:*"]).await;
    let boss = Authentication::person("local/boss");
    let next = LoginSettings { mailer: Some(Arc::new(Says(None, None))), ..crate::common::settings() };
    let random = Arc::new(crate::common::Counting::default());
    let next = Login::open(world.auth.clone(), world.store.clone(), next, world.clock.clone(), random).unwrap();
    let answer = async |login: &Login| {
        let seen = login.person_detail(&boss, "local/bob").await.unwrap();
        seen.identities[0].account.as_ref().unwrap().link.clone().unwrap().mail
    };
    world.login.invite_person_by_mail(MACHINE, &bob(), &to()).await.unwrap();
    assert_eq!((answer(&world.login).await, answer(&next).await), (Some(MailOutcome::Refused(550)), Some(MailOutcome::Unknown)));
    // A link that was made to be shown only.
    let (shown, _) = world.login.make_reset_link(MACHINE, "local/bob").await.unwrap();
    assert_eq!((answer(&world.login).await, answer(&next).await), (None, None));
    world.login.use_account_link(&shown.token, "a password of bob").await.unwrap();
    // Administrators see why somebody who forgot a password got no mail.
    world.login.mail_forgotten("bob", &to(), &crate::common::from(crate::common::ADDRESS)).await.unwrap();
    world.login.mail_is_sent().await;
    assert_eq!((answer(&world.login).await, answer(&next).await), (Some(MailOutcome::Refused(550)), Some(MailOutcome::Unknown)));
}

/// Whoever invites is not kept waiting by a mail server that says nothing; what became of the mail is seen later.
#[tokio::test(start_paused = true)]
async fn a_slow_mail_server_holds_up_nobody() {
    let go_on = Arc::new(Notify::new());
    let world = world_of(Says(None, Some(go_on.clone()))).await;
    let began = tokio::time::Instant::now();
    let (mailed, _) = world.login.invite_person_by_mail(MACHINE, &bob(), &to()).await.unwrap();
    assert_eq!((mailed.outcome, began.elapsed().as_secs()), (MailOutcome::Waiting, 2));
    assert_eq!(world.login.mail_of_link(&mailed.link), Some(MailOutcome::Waiting));
    go_on.notify_one();
    world.login.mail_is_sent().await;
    assert_eq!(world.login.mail_of_link(&mailed.link), Some(MailOutcome::Sent));
}

/// A help desk writes its own address, and waits until somebody who may do more has a link mailed: that link went to the help desk.
#[tokio::test]
async fn a_mailed_link_is_worth_no_more_than_whoever_wrote_the_address() {
    let site = site().await;
    let world = &site.world;
    world.person("helper", &[], &["auth:create-person:*", "auth:update-person:*", "pub:*"]).await;
    let new = NewAccount { email: Some("helper@example.com".to_owned()), ..bob() };
    world.login.invite_person(&Authentication::person("local/helper"), &new).await.unwrap();
    // What both may do: the link opens.
    world.login.mail_reset_link(MACHINE, "local/bob", &to()).await.unwrap();
    let mail = site.mails().pop().unwrap();
    let token = mail.text.lines().find_map(|line| line.strip_prefix(LINK)).unwrap();
    assert!(world.login.account_link(token).await.unwrap().is_some());
    world.login.set_scopes("boss", "bob", &["secret:1".to_owned()]).await.unwrap();
    assert!(world.login.use_account_link(token, "a password of the helper").await.is_err(), "mailed before");
    let refused = world.login.mail_reset_link(MACHINE, "local/bob", &to()).await.map(drop);
    assert!(matches!(refused, Err(ApiError::RequestConflict(_))), "{refused:?}");
    assert!(site.mails().is_empty());
    // In their own hands it is a link as before.
    let (link, _) = world.login.make_reset_link(MACHINE, "local/bob").await.unwrap();
    world.login.use_account_link(&link.token, "a password of bob").await.unwrap();
}
