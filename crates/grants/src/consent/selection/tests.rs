//! The page's choices as pure arithmetic: what is offered to whom, and what ticks come to.

mod properties;

use falconer_scopes::{Role, RoleSet, ScopeSet};

use super::*;
use crate::consent::offer::{Circumstances, Line};
use crate::consent::request::{self, GrantRequest};
use crate::words::published::ScopeWords;

/// Roles, and what a person has.
struct Setting {
    roles: RoleSet,
    of_person: ScopeSet,
}

impl Setting {
    fn new(roles: &[(&str, &[&str])], own: &[&str]) -> Setting {
        let roles = RoleSet::new(
            roles.iter().map(|(id, scopes)| Role { role_id: (*id).to_owned(), scopes: scopes.iter().map(|s| (*s).to_owned()).collect() }),
        );
        let of_person = roles.expand(own);
        Setting { roles, of_person }
    }

    fn offer(&self, scopes: &[&str], registered: bool) -> Offer {
        let (expand, words) = (|scopes: &[&str]| self.roles.expand(scopes), ScopeWords::default());
        Offer::new(
            &request(scopes),
            &Circumstances {
                remember_ms: None,
                of_person: &self.of_person,
                expansions: Expansions::new(&expand, &words),
                registered_name: registered.then(|| "Notes".to_owned()),
                is_vouched_for: registered,
                remembered: false,
                before: None,
                max_ttl_ms: 7 * 86_400_000,
                agent_ttl_ms: None,
            },
        )
    }

    fn select(&self, offer: &mut Offer, keys: &[String], everything: bool, broad: bool) -> Selection {
        let (expand, words) = (|scopes: &[&str]| self.roles.expand(scopes), ScopeWords::default());
        let ticks = Ticks { keys, everything, broad };
        Selection::new(offer, &ticks, &Expansions::new(&expand, &words)).unwrap()
    }
}

fn request(scopes: &[&str]) -> GrantRequest {
    let mut query = "target=https://notes.example.com/&description=".to_owned();
    for scope in scopes {
        query.push_str("&scope=");
        query.push_str(&crate::delivery::redirect::encode_component(scope));
    }
    request::parse(&query, 0).unwrap().unwrap()
}

fn ticked(offer: &Offer) -> Vec<String> {
    let ticked = offer.lines.iter().filter(|line| line.ticked);
    ticked.map(|line| line.key.clone()).collect()
}

fn line<'a>(offer: &'a Offer, scope: &str, broad: bool) -> &'a Line {
    let mut lines = offer.lines.iter();
    lines.find(|l| l.scope == scope && l.broad == broad).unwrap()
}

#[test]
fn what_is_asked_for_is_offered_as_far_as_the_person_has_it() {
    let setting = Setting::new(&[], &["notes:read:a", "notes:write:b/*", "queue:*"]);
    let offer = setting.offer(&["notes:read:a", "notes:write:*", "queue:create:x", "secrets:get"], false);
    let shown: Vec<_> = offer.lines.iter().map(|l| (l.scope.as_str(), l.gives.join(" "), l.ticked, l.partial, l.lacking)).collect();
    assert_eq!(
        shown,
        [
            ("notes:read:a", "notes:read:a".to_owned(), true, false, false),
            ("notes:write:*", "notes:write:b/*".to_owned(), true, true, false),
            ("queue:create:x", "queue:create:x".to_owned(), true, false, false),
            ("secrets:get", String::new(), false, false, true),
        ]
    );
    assert!(offer.everything.is_none() && offer.broad.is_none());
    assert!(offer.needs_host_typed);
    let mut offer = offer;
    let keys = ticked(&offer);
    let selection = setting.select(&mut offer, &keys, false, false);
    assert_eq!(selection.scopes.to_vec(), ["notes:read:a", "notes:write:b/*", "queue:create:x"]);
    assert!(selection.taken_away.is_empty() && !selection.everything);
}

#[test]
fn what_is_broad_is_broad() {
    let setting =
        Setting::new(&[("admins", &["auth:create-client:*"]), ("chiefs", &["assume:admins"]), ("team:*", &["notes:read:<..>"])], &[]);
    let (expand, words) = (|scopes: &[&str]| setting.roles.expand(scopes), ScopeWords::default());
    let expansions = Expansions::new(&expand, &words);
    for broad in [
        "auth:create-client:x",
        "auth:*",
        "auth:current-scopes*",
        "auth:get-role:*",
        "*",
        "a*",
        "au*",
        "auth*",
        "ass*",
        "assume*",
        "assume:*",
        "assume:admins",
        "assume:chiefs",
        "assume:adm*",
    ] {
        assert!(expansions.is_broad(broad), "{broad}");
    }
    for narrow in [
        "auth:current-scopes",
        "auth:expand-scopes",
        "author:x",
        "notes:*",
        "b*",
        "assume:team:x",
        "assume:team:*",
        "assume:nobody",
        "authx*",
        "assumed*",
    ] {
        assert!(!expansions.is_broad(narrow), "{narrow}");
    }
}

#[test]
fn a_role_that_is_broad_in_part_is_offered_without_that_part_and_as_a_whole() {
    let roles: &[(&str, &[&str])] = &[("lead", &["notes:write:x", "auth:create-client:x/*"])];
    let setting = Setting::new(roles, &["assume:lead"]);
    let mut offer = setting.offer(&["assume:lead"], false);
    assert_eq!(offer.lines.len(), 2);
    let narrowed = line(&offer, "assume:lead", false);
    assert_eq!(narrowed.gives, ["notes:write:x"]);
    assert!(narrowed.narrowed && narrowed.ticked && !narrowed.partial);
    let whole = line(&offer, "assume:lead", true);
    assert_eq!(whole.gives, ["assume:lead", "auth:create-client:x/*", "notes:write:x"]);
    assert!(!whole.ticked && !whole.narrowed);
    let (part, all) = (narrowed.key.clone(), whole.key.clone());
    let granted = |offer: &mut Offer, keys: &[&String]| {
        let keys: Vec<String> = keys.iter().map(|k| (*k).clone()).collect();
        setting.select(offer, &keys, false, false).scopes.to_vec()
    };
    assert_eq!(granted(&mut offer, &[&part]), ["notes:write:x"]);
    let whole = ["assume:lead", "auth:create-client:x/*", "notes:write:x"];
    assert_eq!(granted(&mut offer, &[&part, &all]), whole);
    assert_eq!(granted(&mut offer, &[&all]), whole);
    // The administrator vouches for a registered target.
    assert!(line(&setting.offer(&["assume:lead"], true), "assume:lead", true).ticked);
}

#[test]
fn no_particular_scopes_are_two_bundles() {
    let roles: &[(&str, &[&str])] =
        &[("lead", &["notes:write:x", "auth:create-client:x/*"]), ("everybody", &["auth:current-scopes", "notes:list"])];
    let setting = Setting::new(roles, &["assume:lead", "assume:everybody", "queue:*"]);
    let mut offer = setting.offer(&[], true);
    let everything = offer.everything.clone().unwrap();
    assert!(everything.ticked);
    assert_eq!(everything.scopes, ["assume:everybody", "auth:current-scopes", "notes:list", "notes:write:x", "queue:*"]);
    let broad = offer.broad.clone().unwrap();
    assert!(!broad.ticked);
    assert_eq!(broad.scopes, ["assume:lead", "auth:create-client:x/*"]);
    assert_eq!((everything.count, broad.count), (5, 2));

    let only = setting.select(&mut offer, &[], true, false);
    assert_eq!(only.scopes.to_vec(), everything.scopes);
    assert!(!only.everything && only.taken_away.is_empty());
    let all = setting.select(&mut offer, &[], true, true);
    assert_eq!(all.scopes, setting.of_person);
    assert!(all.everything && all.taken_away.is_empty());
    // The role would give back notes:write:x, which is in the bundle that is not ticked.
    let broad = setting.select(&mut offer, &[], false, true);
    assert_eq!(broad.scopes.to_vec(), ["auth:create-client:x/*"]);
    assert_eq!(broad.taken_away, ["assume:lead", "notes:write:x"]);
    assert_eq!(offer.broad.unwrap().taken_away, ["assume:lead", "notes:write:x"]);
}

#[test]
fn unticking_takes_away_what_would_give_it_back_and_shows_it() {
    let roles: &[(&str, &[&str])] = &[("team", &["notes:read:x", "notes:write:x"])];
    let setting = Setting::new(roles, &["assume:team", "queue:*"]);
    let mut offer = setting.offer(&["assume:team", "notes:write:x", "queue:*", "queue:get"], false);
    let keys = [line(&offer, "assume:team", false).key.clone(), line(&offer, "queue:*", false).key.clone()];
    let before = offer.shown.clone();
    let selection = setting.select(&mut offer, &keys, false, false);
    assert_eq!(selection.scopes.to_vec(), ["notes:read:x"]);
    assert_eq!(selection.taken_away, ["assume:team", "notes:write:x", "queue:*"]);
    let team = line(&offer, "assume:team", false);
    assert_eq!(team.gives, ["notes:read:x"]);
    assert_eq!(team.taken_away, ["assume:team", "notes:write:x"]);
    assert!(team.ticked && !line(&offer, "notes:write:x", false).ticked);
    // A form that has not shown this is not enough; one that has is, for this loss only.
    assert!(!offer.was_shown(&before, &selection.taken_away));
    assert!(offer.was_shown(&before, &[]));
    let mut shown = offer.clone();
    shown.show_cost(&selection.taken_away);
    assert!(offer.was_shown(&shown.shown, &selection.taken_away));
    assert!(offer.was_shown(&shown.shown, &[]));
    assert!(!offer.was_shown(&shown.shown, &["other".to_owned()]));
}

// Two roles that each give half of a line that is not ticked gave it back together, with nothing taken away and nothing shown.
#[test]
fn what_is_not_ticked_does_not_come_back_through_several_together() {
    let roles: &[(&str, &[&str])] = &[("r1", &["x:a"]), ("r2", &["x:b"]), ("r3", &["x:c"])];
    for (count, rest) in [(2, &["assume:r2", "x:b"] as &[&str]), (3, &["assume:r2", "assume:r3", "x:b", "x:c"])] {
        let requested: Vec<&str> = ["assume:r1", "assume:r2", "assume:r3"].into_iter().take(count).collect();
        let setting = Setting::new(roles, &requested);
        let all: Vec<&str> = requested.iter().copied().chain(["x:*"]).collect();
        let mut offer = setting.offer(&all, false);
        let before = offer.shown.clone();
        let keys: Vec<String> = requested.iter().map(|scope| line(&offer, scope, false).key.clone()).collect();
        let selection = setting.select(&mut offer, &keys, false, false);
        assert_eq!(selection.scopes.to_vec(), rest);
        assert_eq!(selection.taken_away, ["assume:r1", "x:a"]);
        assert_eq!(line(&offer, "assume:r1", false).taken_away, ["assume:r1", "x:a"]);
        assert!(!offer.was_shown(&before, &selection.taken_away));
    }
    // One role that gives the whole line, through its parts.
    let setting = Setting::new(&[("both", &["x:a", "x:b"])], &["assume:both"]);
    let mut offer = setting.offer(&["assume:both", "x:*"], false);
    let keys = [line(&offer, "assume:both", false).key.clone()];
    let selection = setting.select(&mut offer, &keys, false, false);
    assert_eq!(selection.scopes.to_vec(), ["x:b"]);
    assert_eq!(selection.taken_away, ["assume:both", "x:a"]);
}

/// Story: whoever ticked `x:a` and `x:b` and left `x:*` unticked, of which they have just these two, was granted one of them.
#[test]
fn what_is_ticked_by_name_stays() {
    let select = |roles: &[(&str, &[&str])], own: &[&str], ticked: &[&str], not_ticked: &[&str]| {
        let setting = Setting::new(roles, own);
        let all: Vec<&str> = ticked.iter().chain(not_ticked).copied().collect();
        let mut offer = setting.offer(&all, false);
        let keys: Vec<String> = ticked.iter().map(|scope| line(&offer, scope, false).key.clone()).collect();
        let selection = setting.select(&mut offer, &keys, false, false);
        (selection.scopes.to_vec().join(" "), selection.taken_away.join(" "))
    };
    let is = |scopes: &str, taken_away: &str| (scopes.to_owned(), taken_away.to_owned());
    assert_eq!(select(&[], &["x:a", "x:b"], &["x:a", "x:b"], &["x:*"]), is("x:a x:b", ""));
    assert_eq!(select(&[], &["x:a"], &["x:a"], &["x:*"]), is("x:a", ""));
    // What is not ticked by name is kept back, in whatever it would come.
    assert_eq!(select(&[], &["x:a", "x:b", "x:c"], &["x:a", "x:b"], &["x:*"]), is("x:a x:b", ""));
    let roles: &[(&str, &[&str])] = &[("r", &["x:b", "y"])];
    assert_eq!(select(roles, &["x:a", "assume:r"], &["x:a", "assume:r"], &["x:*"]), is("x:a y", "assume:r x:b"));
    // A star names none of those that it covers.
    assert_eq!(select(&[], &["x:a", "x:b"], &["x:*"], &["x:a"]), is("x:b", "x:a"));
    assert_eq!(select(&[], &["x:*"], &["x:*"], &["x:a"]), is("", "x:*"));
    // The part of a role that is not broad stands under the role's name, and does not name it.
    let roles: &[(&str, &[&str])] = &[("lead", &["x:a", "auth:create-client:x/*"])];
    assert_eq!(select(roles, &["assume:lead"], &["assume:lead"], &[]), is("x:a", ""));
}

#[test]
fn the_scope_that_every_grant_has_takes_nothing_away() {
    let roles: &[(&str, &[&str])] = &[("base", &["auth:current-scopes", "notes:list"])];
    let setting = Setting::new(roles, &["assume:base"]);
    let mut offer = setting.offer(&["auth:current-scopes", "assume:base"], false);
    let keys = [line(&offer, "assume:base", false).key.clone()];
    let selection = setting.select(&mut offer, &keys, false, false);
    assert_eq!(selection.scopes, setting.of_person);
    assert!(selection.taken_away.is_empty());
}

/// What the person writes in the place of a star is narrower, or nothing is granted; the whole does not come back through another tick.
#[test]
fn a_star_is_replaced_by_something_narrower() {
    let setting = Setting::new(&[("readers", &["notes:read:*"])], &["notes:read:*", "notes:write:a*", "assume:readers"]);
    let (expand, words) = (|scopes: &[&str]| setting.roles.expand(scopes), ScopeWords::default());
    let expansions = Expansions::new(&expand, &words);
    let narrowed = |requested: &[&str], text: &str| {
        let mut offer = setting.offer(requested, false);
        let key = offer.lines.first().unwrap().key.clone();
        let fine = offer.narrow(&[(key, text.to_owned())], &expansions);
        let keys = ticked(&offer);
        let selection = Selection::new(&mut offer, &Ticks { keys: &keys, everything: false, broad: false }, &expansions).unwrap();
        (fine, selection.scopes.to_vec(), selection.taken_away)
    };
    assert_eq!(narrowed(&["notes:read:*"], " zap/x "), (Some(true), vec!["notes:read:zap/x".to_owned()], vec![]));
    assert_eq!(narrowed(&["notes:read:*"], "zap/*").1, ["notes:read:zap/*"]);
    for nothing in ["", "*", "  "] {
        assert_eq!(narrowed(&["notes:read:*"], nothing).1, ["notes:read:*"]);
    }
    // Asked for more than the person has: they can write what they have, and nothing beyond it.
    assert_eq!(narrowed(&["notes:write:*"], "ab").1, ["notes:write:ab"]);
    assert_eq!(narrowed(&["notes:write:*"], "a*"), (Some(true), vec!["notes:write:a*".to_owned()], vec![]));
    for wrong in ["b", "b*", "é", "a\nb", &"a".repeat(2000)] {
        let (fine, scopes, _) = narrowed(&["notes:write:*"], wrong);
        assert_eq!((fine, scopes), (Some(false), vec!["notes:write:a*".to_owned()]), "{wrong}");
    }
    let (_, scopes, taken) = narrowed(&["notes:read:*", "assume:readers"], "zap");
    assert_eq!(scopes, ["notes:read:zap"]);
    assert_eq!(taken, ["assume:readers", "notes:read:*"]);
    // A line without a star, and one that is not there.
    for key in [setting.offer(&["notes:read:zap"], false).lines.first().unwrap().key.clone(), "x".to_owned()] {
        assert_eq!(setting.offer(&["notes:read:zap"], false).narrow(&[(key, "a".to_owned())], &expansions), None);
    }
}

#[test]
fn a_key_stands_for_what_was_shown() {
    let before = Setting::new(&[("team", &["notes:read"])], &["assume:team"]);
    let after = Setting::new(&[("team", &["notes:read", "secrets:get"])], &["assume:team"]);
    let (old, new) = (before.offer(&["assume:team"], false), after.offer(&["assume:team"], false));
    assert_ne!(old.lines.first().unwrap().key, new.lines.first().unwrap().key);
    assert_ne!(old.shown, new.shown);
    assert_ne!(before.offer(&[], false).shown, after.offer(&[], false).shown);
    let (expand, words) = (|scopes: &[&str]| after.roles.expand(scopes), ScopeWords::default());
    let keys = ticked(&old);
    let ticks = Ticks { keys: &keys, everything: false, broad: false };
    assert!(Selection::new(&mut new.clone(), &ticks, &Expansions::new(&expand, &words)).is_none());
}

#[test]
fn lifetimes_follow_the_maximum_and_the_wish() {
    const HOUR: i64 = 3_600_000;
    let ms = |max: i64, wish: Option<i64>| {
        let (all, chosen) = crate::consent::lifetime::choices(max, wish, None);
        (all.iter().map(|l| l.ms / HOUR).collect::<Vec<_>>(), chosen / HOUR)
    };
    assert_eq!(ms(7 * 24 * HOUR, None), (vec![1, 24, 72, 168], 24));
    assert_eq!(ms(100 * 24 * HOUR, Some(60 * 24 * HOUR)), (vec![1, 24, 72, 168, 744], 744));
    assert_eq!(ms(12 * HOUR, None), (vec![1, 12], 12));
    assert_eq!(ms(3 * 24 * HOUR, Some(2 * HOUR)), (vec![1, 2, 24, 72], 2));
    let (labels, _) = crate::consent::lifetime::choices(7 * 24 * HOUR, Some(90 * 60_000), None);
    let labels: Vec<_> = labels.iter().map(|l| l.label.as_str()).collect();
    assert_eq!(labels, ["1 hour", "1 hour 30 minutes", "1 day", "3 days", "7 days"]);
}
