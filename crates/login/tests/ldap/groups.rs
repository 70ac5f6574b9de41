//! Groups of a real directory.

use falconer_login::ldap::{LdapError, LdapSettings};

use crate::ask::{directory, look_up, sign_in};
use crate::slapd::Slapd;

async fn groups(slapd: &Slapd, name: &str, change: impl FnOnce(&mut LdapSettings)) -> Vec<String> {
    let directory = directory(slapd, change);
    sign_in(&directory, name, &format!("password of {name}")).await.unwrap().groups
}

fn by_member(settings: &mut LdapSettings) {
    settings.groups.filter = Some("(&(objectClass=groupOfNames)(member={dn}))".into());
}

fn by_memberof(settings: &mut LdapSettings) {
    settings.groups.filter = None;
    settings.groups.memberof = Some("memberOf".into());
}

#[tokio::test]
#[ignore = "needs slapd"]
async fn by_each_way() {
    let slapd = Slapd::start();
    assert_eq!(groups(&slapd, "ann", by_member).await, ["hr"]);
    assert_eq!(groups(&slapd, "ann", by_memberof).await, ["hr"]);
    let by_name = |settings: &mut LdapSettings| settings.groups.filter = Some("(&(objectClass=posixGroup)(memberUid={username}))".into());
    assert_eq!(groups(&slapd, "ann", by_name).await, ["vpn"]);
    let by_email = |settings: &mut LdapSettings| settings.groups.filter = Some("(&(objectClass=posixGroup)(memberUid={email}))".into());
    assert_eq!(groups(&slapd, "ann", by_email).await, ["mozilliansorg_vip", "team_moco"]);
    // No address, or two of them: no groups, and no error.
    assert!(groups(&slapd, "dave", by_email).await.is_empty() && groups(&slapd, "two", by_email).await.is_empty());
    let by_description = |settings: &mut LdapSettings| {
        by_member(settings);
        settings.groups.attribute = "description".into();
    };
    assert!(groups(&slapd, "ann", by_description).await.is_empty());
    let by_whole_name = |settings: &mut LdapSettings| {
        by_member(settings);
        settings.groups.attribute = "dn".into();
    };
    assert_eq!(groups(&slapd, "ann", by_whole_name).await, ["cn=hr,ou=groups,dc=example,dc=com"]);
    let none = |settings: &mut LdapSettings| settings.groups = falconer_login::ldap::GroupSettings::default();
    assert!(groups(&slapd, "ann", none).await.is_empty());
}

/// A group's name is what its entry says, where the name of the entry says something else.
#[tokio::test]
#[ignore = "needs slapd"]
async fn memberof_reads_the_entry_where_its_name_says_nothing() {
    let slapd = Slapd::start();
    slapd.change(
        "ldapmodify",
        &[],
        "dn: cn=hr,ou=groups,dc=example,dc=com\nchangetype: modify\nadd: businessCategory\nbusinessCategory: people\n",
    );
    let by_category = |settings: &mut LdapSettings| {
        by_memberof(settings);
        settings.groups.attribute = "businessCategory".into();
    };
    assert_eq!(groups(&slapd, "ann", by_category).await, ["people"]);
}

/// Whoever may name groups elsewhere does not make anybody an administrator here.
#[tokio::test]
#[ignore = "needs slapd"]
async fn groups_elsewhere_do_not_count() {
    let slapd = Slapd::start();
    assert!(groups(&slapd, "eve", by_memberof).await.is_empty());
    assert!(groups(&slapd, "eve", by_member).await.is_empty());
    let everywhere = |settings: &mut LdapSettings| {
        by_memberof(settings);
        settings.groups.base = Some("dc=example,dc=com".into());
    };
    assert_eq!(groups(&slapd, "eve", everywhere).await, ["admins"]);
}

#[tokio::test]
#[ignore = "needs slapd"]
async fn groups_inside_of_groups() {
    let slapd = Slapd::start();
    for how in [by_member, by_memberof] {
        let nested = |depth: u8| {
            move |settings: &mut LdapSettings| {
                how(settings);
                settings.groups.nested = depth;
            }
        };
        assert_eq!(groups(&slapd, "ann", nested(0)).await, ["hr"]);
        assert_eq!(groups(&slapd, "ann", nested(1)).await, ["dev", "hr"]);
        assert_eq!(groups(&slapd, "ann", nested(2)).await, ["dev", "hr", "staff"]);
        assert_eq!(groups(&slapd, "ann", nested(10)).await, ["dev", "hr", "staff"]);
        // A circle ends.
        assert_eq!(groups(&slapd, "dave", nested(10)).await, ["loop-a", "loop-b", "loop-c"]);
    }
}

/// The server gives 50 entries at once; carol is in 120 groups.
#[tokio::test]
#[ignore = "needs slapd"]
async fn page_after_page() {
    let slapd = Slapd::start();
    for page_size in [7, 50] {
        let paged = |settings: &mut LdapSettings| {
            by_member(settings);
            settings.page_size = page_size;
        };
        let found = groups(&slapd, "carol", paged).await;
        assert_eq!((found.len(), found[0].as_str(), found[119].as_str()), (120, "many-000", "many-119"));
    }
    // Pages that are larger than it gives: it says no, and nobody takes a part for the whole.
    let directory = directory(&slapd, |settings| {
        by_member(settings);
        settings.page_size = 1000;
    });
    let found = sign_in(&directory, "carol", "password of carol").await;
    assert!(matches!(found, Err(LdapError::Refused { code: 11, .. })), "{found:?}");
}

/// A name, an address or a name of an entry that means something in a filter means nothing there.
#[tokio::test]
#[ignore = "needs slapd"]
async fn values_stay_values_in_group_filters() {
    let slapd = Slapd::start();
    let star = directory(&slapd, |settings| settings.groups.filter = Some("(memberUid={username})".into()));
    let found = look_up(&star, None, Some("*@example.com")).await.unwrap().unwrap();
    assert_eq!((found.username.as_deref(), found.groups), (Some("*"), vec!["star".to_owned()]));
    let found = sign_in(&star, "*", "password of *").await.unwrap();
    assert_eq!(found.groups, ["star"]);
    assert_eq!(groups(&slapd, "weird", by_member).await, ["weird"]);
    assert_eq!(groups(&slapd, "weird", by_memberof).await, ["weird"]);
}
