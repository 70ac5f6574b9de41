//! Signing in, and being looked at again, with a real directory.

use std::time::Duration;

use falconer_login::ldap::{LdapError, UserAttributes};
use tokio::time::Instant;

use crate::ask::{directory, look_up, probe, refresh, sign_in};
use crate::server::{Reply, lying};
use crate::slapd::Slapd;

#[tokio::test]
#[ignore = "needs slapd"]
async fn somebody_signs_in() {
    let slapd = Slapd::start();
    let directory = directory(&slapd, |_| {});
    for typed in ["ann", " Ann ", "ANN"] {
        let ann = sign_in(&directory, typed, "password of ann").await.unwrap();
        assert_eq!((ann.username.as_deref(), ann.email.as_deref(), ann.email_verified), (Some("ann"), Some("ann@example.com"), true));
        assert_eq!((ann.subject.len(), ann.display_name.as_str()), (36, "Ann Example"));
        assert_eq!(ann.groups, ["hr", "mozilliansorg_vip", "team_moco", "vpn"]);
    }
    let zoe = sign_in(&directory, "zoe", "password of zoe").await.unwrap();
    assert_eq!(zoe.display_name, "Zoë");
    // Nobody says which of two addresses is the person's.
    let two = sign_in(&directory, "two", "password of two").await.unwrap();
    assert_eq!((two.email, two.email_verified), (None, false));
    // All of it on one connection.
    assert_eq!(slapd.said("TLS established").len(), 1);
}

#[tokio::test]
#[ignore = "needs slapd"]
async fn nobody_else_does() {
    let slapd = Slapd::start();
    let directory = directory(&slapd, |_| {});
    let long = "a".repeat(257);
    let long_password = "a".repeat(1025);
    for (name, password) in [
        ("ann", "password of bob"),
        ("ann", "Password of ann"),
        ("nobody", "password of ann"),
        ("left", "password of left"),
        ("nopass", "x"),
        ("dup2", "password of dup"),
        ("falconer", "secret of the service"),
        ("cn=falconer,ou=services,dc=example,dc=com", "secret of the service"),
        ("uid=ann,ou=people,dc=example,dc=com", "password of ann"),
        (&long, "x"),
        ("ann", &long_password),
    ] {
        assert_eq!(sign_in(&directory, name, password).await, Err(LdapError::Wrong), "{name}");
    }
    let both = crate::ask::directory(&slapd, |settings| settings.base = "dc=example,dc=com".into());
    assert_eq!(sign_in(&both, "dup", "password of dup").await, Err(LdapError::Wrong), "one name, two people");
    assert!(sign_in(&directory, "dup", "password of dup").await.is_ok());
}

/// A bind without a password succeeds here, as it does on many servers, and would prove nothing.
#[tokio::test]
#[ignore = "needs slapd"]
async fn an_empty_password_is_never_sent() {
    let slapd = Slapd::start();
    let directory = directory(&slapd, |_| {});
    for (name, password) in [
        ("ann", ""),
        ("ann", "\0"),
        ("ann", "password of ann\0"),
        ("", "x"),
        (" ", "x"),
        ("a\0nn", "x"),
        ("ann\n", "x\0"),
        ("a\u{7}nn", "x"),
    ] {
        assert_eq!(sign_in(&directory, name, password).await, Err(LdapError::Wrong), "{name:?} {password:?}");
    }
    sign_in(&directory, "bob", "password of bob").await.unwrap();
    slapd.wait_for("BIND dn=\"uid=bob");
    let others = slapd.said("BIND dn=\"uid=").len() + slapd.said("(uid=").len();
    assert_eq!((slapd.said("TLS established").len(), slapd.said("uid=ann)").len(), others > 0), (1, 0, true));
}

/// Whoever asks without knowing a password learns nothing from the time that the answer takes. The step is long beside what a directory takes on a busy machine.
#[tokio::test]
#[ignore = "needs slapd"]
async fn refusals_take_the_same_time() {
    let step = Duration::from_secs(5);
    let slapd = Slapd::start();
    let directory = directory(&slapd, |_| {}).refusing_every(step);
    let begun = Instant::now();
    let refused = [("ann", "wrong"), ("nobody", "wrong"), ("left", "wrong"), ("nopass", "wrong"), ("ann", ""), ("*", "wrong")].map(
        async |(name, password)| {
            assert_eq!(sign_in(&directory, name, password).await, Err(LdapError::Wrong));
            begun.elapsed().as_secs() / step.as_secs()
        },
    );
    assert_eq!(futures_util::future::join_all(refused).await, [1; 6]);
}

/// And the step is a quarter of a second, for those too for whom nobody is asked.
#[tokio::test(start_paused = true)]
async fn a_refusal_takes_a_quarter_of_a_second() {
    let directory = lying(|_| Reply::Nothing, |_| {}).await;
    for (name, password) in [("ann", ""), ("", "x"), ("a\0nn", "x")] {
        let begun = Instant::now();
        assert_eq!(sign_in(&directory, name, password).await, Err(LdapError::Wrong));
        assert_eq!(begun.elapsed(), Duration::from_millis(250), "{name:?}");
    }
}

#[tokio::test]
#[ignore = "needs slapd"]
async fn who_was_there_is_looked_at_again() {
    let slapd = Slapd::start();
    let directory = directory(&slapd, |_| {});
    let ann = sign_in(&directory, "ann", "password of ann").await.unwrap();
    assert_eq!(refresh(&directory, &ann.subject).await.unwrap().as_ref(), Some(&ann));
    // Out of a group, another address, another name.
    slapd.change(
        "ldapmodify",
        &[],
        "dn: cn=hr,ou=groups,dc=example,dc=com\nchangetype: modify\ndelete: member\nmember: uid=ann,ou=people,dc=example,dc=com\n\n\
         dn: uid=ann,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mail\nmail: other@example.com\n-\nreplace: cn\ncn: Ann Other\n",
    );
    let now = refresh(&directory, &ann.subject).await.unwrap().unwrap();
    assert_eq!((now.email.as_deref(), now.display_name.as_str()), (Some("other@example.com"), "Ann Other"));
    assert_eq!(now.groups, ["vpn"]);
    // Who is no longer one of those whom the filter means is gone, too.
    let filtered = crate::ask::directory(&slapd, |settings| settings.user_filter = "(&(uid={name})(!(cn=Ann Other)))".into());
    assert_eq!(refresh(&filtered, &ann.subject).await, Ok(None));
    // Another name of the entry is the same person.
    slapd.change("ldapmodify", &[], "dn: uid=ann,ou=people,dc=example,dc=com\nchangetype: modrdn\nnewrdn: uid=anna\ndeleteoldrdn: 1\n");
    assert_eq!(refresh(&directory, &ann.subject).await.unwrap().unwrap().username.as_deref(), Some("anna"));
    // No longer active, then active again, then gone.
    let dn = "dn: uid=anna,ou=people,dc=example,dc=com\nchangetype: ";
    slapd.change("ldapmodify", &[], &format!("{dn}modify\nadd: employeeType\nemployeeType: gone\n"));
    assert_eq!(refresh(&directory, &ann.subject).await, Ok(None));
    slapd.change("ldapmodify", &[], &format!("{dn}modify\ndelete: employeeType\n"));
    assert!(refresh(&directory, &ann.subject).await.unwrap().is_some());
    slapd.change("ldapmodify", &[], &format!("{dn}delete\n"));
    assert_eq!(refresh(&directory, &ann.subject).await, Ok(None));
    // A new one of the same name is somebody else.
    slapd.change(
        "ldapadd",
        &[],
        "dn: uid=ann,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: Ann\nsn: x\nuid: ann\nuserPassword: x\n",
    );
    assert_ne!(sign_in(&directory, "ann", "x").await.unwrap().subject, ann.subject);
    assert_eq!(refresh(&directory, &ann.subject).await, Ok(None));
}

/// A service account that lost its rights, or a base that nobody is below, is no reason to end anybody.
#[tokio::test]
#[ignore = "needs slapd"]
async fn nobody_is_gone_where_nobody_can_be_seen() {
    let slapd = Slapd::start();
    let ann = sign_in(&directory(&slapd, |_| {}), "ann", "password of ann").await.unwrap();
    let empty = directory(&slapd, |settings| settings.base = "ou=nobody,dc=example,dc=com".into());
    assert_eq!(refresh(&empty, &ann.subject).await, Err(LdapError::NothingVisible));
    assert_eq!(look_up(&empty, None, Some("ann@example.com")).await, Err(LdapError::NothingVisible));
    assert_eq!(probe(&empty).await, Err(LdapError::NothingVisible));
    let missing = directory(&slapd, |settings| settings.base = "ou=missing,dc=example,dc=com".into());
    assert!(matches!(refresh(&missing, &ann.subject).await, Err(LdapError::Refused { code: 32, .. })));
    let nobody = directory(&slapd, |settings| settings.bind = None);
    assert!(matches!(refresh(&nobody, &ann.subject).await, Err(LdapError::Refused { code: 32, .. })));
    let stranger = directory(&slapd, |settings| settings.bind.as_mut().unwrap().password = falconer_store::Secret::new("wrong"));
    assert!(matches!(refresh(&stranger, &ann.subject).await, Err(LdapError::ServiceBind { code: 49, .. })));
    assert!(matches!(sign_in(&stranger, "ann", "password of ann").await, Err(LdapError::ServiceBind { code: 49, .. })));
}

#[tokio::test]
#[ignore = "needs slapd"]
async fn somebody_who_signed_in_elsewhere_is_known() {
    let slapd = Slapd::start();
    let by_email = directory(&slapd, |_| {});
    let ann = look_up(&by_email, None, Some("ann@example.com")).await.unwrap().unwrap();
    assert_eq!(ann.groups, ["hr", "mozilliansorg_vip", "team_moco", "vpn"]);
    assert_eq!(look_up(&by_email, Some("ann"), None).await, Ok(None));
    assert_eq!(look_up(&by_email, None, Some("nobody@example.com")).await, Ok(None));
    assert_eq!(look_up(&by_email, None, Some("left@example.com")).await, Ok(None));
    assert!(matches!(look_up(&by_email, None, Some("same@example.com")).await, Err(LdapError::Ambiguous(_))));
    let by_name = directory(&slapd, |settings| settings.lookup_filter = Some("(&(uid={username})(mail={email}))".into()));
    assert!(look_up(&by_name, Some("ann"), Some("ann@example.com")).await.unwrap().is_some());
    for (name, email) in [(Some("ann"), Some("bob@example.com")), (Some("ann"), None), (None, Some("ann@example.com")), (None, None)] {
        assert_eq!(look_up(&by_name, name, email).await, Ok(None), "{name:?} {email:?}");
    }
}

/// An id that is no name: whatever an operator says never changes.
#[tokio::test]
#[ignore = "needs slapd"]
async fn another_attribute_is_the_id() {
    let slapd = Slapd::start();
    let attributes = |subject: &str| UserAttributes { subject: subject.into(), ..UserAttributes::default() };
    let by_name = directory(&slapd, |settings| settings.attributes = attributes("uid"));
    let ann = sign_in(&by_name, "ann", "password of ann").await.unwrap();
    assert_eq!(ann.subject, "ann");
    assert!(refresh(&by_name, "ann").await.unwrap().is_some());
    let none = directory(&slapd, |settings| settings.attributes = attributes("employeeNumber"));
    assert!(matches!(sign_in(&none, "ann", "password of ann").await, Err(LdapError::Subject { .. })));
    assert_eq!(sign_in(&none, "ann", "wrong").await, Err(LdapError::Wrong), "whoever can't prove themself learns nothing of it");
}

#[tokio::test]
#[ignore = "needs slapd"]
async fn what_an_operator_is_told() {
    let slapd = Slapd::start();
    let found = probe(&directory(&slapd, |settings| settings.groups.memberof = Some("memberOf".into()))).await.unwrap();
    let found = |what: &str| found.iter().find(|(name, _)| *name == what).map(|(_, text)| text.as_str()).unwrap();
    assert_eq!(found("protected by"), "TLS");
    assert_eq!(found("gives pages"), "yes");
    assert_eq!(found("asks as"), "cn=falconer,ou=services,dc=example,dc=com");
    assert_eq!(found("people below the base"), "13");
    assert_eq!(found("with an e-mail"), "9 of 13 have one value of mail");
    assert!(found("groups of the first people").contains("hr"));
}
