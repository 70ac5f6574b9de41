//! What strangers type into filters.

use falconer_login::ldap::LdapError;

use crate::ask::{directory, look_up, sign_in};
use crate::slapd::Slapd;

/// Each would find somebody, if it were read as a part of a filter.
const TYPED: &[&str] = &[
    "a*",
    "*)(uid=*",
    "ann)(objectClass=*",
    "*)(objectClass=*",
    "ann)(|(uid=*",
    "ann))(|(objectClass=*",
    ")(uid=ann",
    "x)(|(uid=ann)",
    "\\61nn",
    "a\\6en",
    "\\2a",
    "a?n",
    "ann\\",
    "(uid=ann)",
    "&(uid=ann)",
    "|(uid=ann)",
    "{name}",
    "{dn}",
    "ann,ou=people",
    "a\u{200b}nn",
];

#[tokio::test]
#[ignore = "needs slapd"]
async fn nothing_that_is_typed_is_a_filter() {
    let slapd = Slapd::start();
    for filter in
        ["(uid={name})", "(&(objectClass=inetOrgPerson)(uid={name}))", "(|(uid={name})(mail={name}))", "(cn:caseIgnoreMatch:={name})"]
    {
        let directory = directory(&slapd, |settings| settings.user_filter = filter.into());
        let mut tried = TYPED.iter();
        // Each refusal takes its time.
        while let (Some(a), b) = (tried.next(), tried.next()) {
            let both = tokio::join!(
                sign_in(&directory, a, "password of ann"),
                sign_in(&directory, b.copied().unwrap_or_default(), "password of ann")
            );
            assert_eq!(both, (Err(LdapError::Wrong), Err(LdapError::Wrong)), "{filter} {a} {b:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs slapd"]
async fn nothing_that_another_provider_says_is_a_filter() {
    let slapd = Slapd::start();
    let directory = directory(&slapd, |settings| settings.lookup_filter = Some("(|(uid={username})(mail={email}))".into()));
    for typed in TYPED {
        assert_eq!(look_up(&directory, Some(typed), None).await, Ok(None), "{typed}");
        assert_eq!(look_up(&directory, None, Some(typed)).await, Ok(None), "{typed}");
    }
    assert!(look_up(&directory, Some("ann"), None).await.unwrap().is_some());
}
