//! What directories push: users, groups, who is to be followed, and what the history says of it.

mod history;

pub(super) use history::{a_row_of_a_large_group_is_bounded, each_push_leaves_a_row, what_is_refused_leaves_no_row};

use std::sync::Arc;

use super::samples::{NOW, texts};
use crate::{ScimBounds, ScimFilter, ScimGroupNow, ScimKind, ScimMembers, ScimPush, ScimRecord, ScimSubject, ScimWritten, Store};

/// A user whom the directory `company` has pushed.
pub fn user(id: &str) -> ScimRecord {
    ScimRecord {
        directory: "company".into(),
        kind: ScimKind::User,
        id: id.into(),
        external_id: Some(format!("ext-{id}")),
        name: format!("{id}@Example.com"),
        display_name: "Ann Example".into(),
        active: true,
        profile: r#"{"emails":[]}"#.into(),
        members: vec![],
        version: 1,
        created_ms: NOW,
        modified_ms: NOW,
    }
}

/// A push of that directory.
pub fn push() -> ScimPush {
    ScimPush { actor: "falconer/scim/company".into(), at_ms: NOW + 7, entity_id: "company/x".into() }
}

fn group(id: &str, members: &[&str]) -> ScimRecord {
    let record = user(id);
    ScimRecord { kind: ScimKind::Group, name: format!("Group {id}"), display_name: String::new(), members: texts(members), ..record }
}

/// So many users, and so many groups.
fn most(count: u32) -> ScimBounds {
    ScimBounds { users: count, groups: count, ..ScimBounds::default() }
}

/// So many users in a group.
fn members(count: u32) -> ScimBounds {
    ScimBounds { group_members: count, ..ScimBounds::default() }
}

async fn insert(store: &dyn Store, record: &ScimRecord) {
    assert_eq!(store.insert_scim(&push(), record, most(100)).await, Ok(ScimWritten::Done));
}

/// Everybody who is pending, who is noted as followed then.
async fn followed(store: &dyn Store) -> Vec<(String, Vec<String>)> {
    let pending = store.pending_scim("company", "", 100).await.unwrap();
    let noted: Vec<_> = pending.iter().map(|standing| (standing.user.id.clone(), standing.changes)).collect();
    assert!(store.note_scim_followed("company", &noted).await.unwrap().is_empty());
    pending.into_iter().map(|standing| (standing.user.id, standing.groups)).collect()
}

fn ids(followed: Vec<(String, Vec<String>)>) -> Vec<String> {
    followed.into_iter().map(|(id, _)| id).collect()
}

pub(super) async fn what_is_pushed_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let later = ScimRecord { created_ms: NOW + 1, external_id: None, active: false, ..user("b") };
    for record in [&later, &user("a"), &group("g", &["a", "b"])] {
        insert(s, record).await;
        assert_eq!(s.scim("company", record.kind, &record.id).await.unwrap().as_ref(), Some(record));
    }
    assert_eq!(s.scim("company", ScimKind::Group, "a").await, Ok(None), "of another kind");
    let list = async |filter: ScimFilter, start, count| {
        let (total, found) = s.scim_list("company", ScimKind::User, &filter, start, count).await.unwrap();
        (total, found.into_iter().map(|record| record.id).collect::<Vec<_>>().join(" "))
    };
    let all = ScimFilter::default();
    assert_eq!(list(all.clone(), 0, 10).await, (2, "a b".into()));
    assert_eq!(list(all.clone(), 1, 10).await, (2, "b".into()));
    assert_eq!(list(all.clone(), 0, 1).await, (2, "a".into()));
    assert_eq!(list(all.clone(), 0, 0).await, (2, String::new()));
    let name = |name: &str| ScimFilter { name: Some(name.into()), ..ScimFilter::default() };
    assert_eq!(list(name("A@EXAMPLE.com"), 0, 10).await, (1, "a".into()), "whatever the case");
    assert_eq!(list(ScimFilter { external_id: Some("EXT-a".into()), ..all.clone() }, 0, 10).await, (0, String::new()), "exactly");
    assert_eq!(list(ScimFilter { external_id: Some("ext-a".into()), ..name("b@example.com") }, 0, 10).await, (0, String::new()), "both");
    assert_eq!(list(ScimFilter { display_name: Some("ann example".into()), ..all }, 0, 10).await, (2, "a b".into()));
    let standing = async |subject: ScimSubject<'static>| s.scim_standing("company", subject).await.unwrap();
    let ann = standing(ScimSubject::ExternalId("ext-a")).await.unwrap();
    assert_eq!((ann.user, ann.deleted, ann.groups), (user("a"), false, texts(&["Group g"])));
    assert_eq!(standing(ScimSubject::Name("b@Example.com")).await.unwrap().user, later);
    assert_eq!(standing(ScimSubject::Name("b@example.com")).await, None, "exactly");
    assert_eq!(standing(ScimSubject::ExternalId("ext-g")).await, None, "a group is nobody");
}

pub(super) async fn a_name_and_an_external_id_are_one_resource(store: Arc<dyn Store>) {
    let s = &*store;
    insert(s, &user("a")).await;
    insert(s, &user("b")).await;
    let name = ScimRecord { name: "A@example.COM".into(), ..user("c") };
    let external = ScimRecord { external_id: Some("ext-a".into()), ..user("c") };
    for other in [&name, &external] {
        assert_eq!(s.insert_scim(&push(), other, most(100)).await, Ok(ScimWritten::Taken));
        let changed = ScimRecord { id: "b".into(), version: 2, ..other.clone() };
        assert_eq!(s.update_scim(&push(), &changed, most(100)).await, Ok(ScimWritten::Taken));
    }
    assert_eq!(s.insert_scim(&push(), &user("c"), most(2)).await, Ok(ScimWritten::Full));
    insert(s, &ScimRecord { name: user("a").name, ..group("g", &[]) }).await;
    assert_eq!(s.insert_scim(&push(), &group("a", &[]), most(100)).await, Ok(ScimWritten::Taken), "an id is of one kind");
}

pub(super) async fn another_directory_has_nothing_of_it(store: Arc<dyn Store>) {
    let s = &*store;
    insert(s, &user("a")).await;
    assert_eq!(s.scim("other", ScimKind::User, "a").await, Ok(None));
    assert_eq!(s.scim_list("other", ScimKind::User, &ScimFilter::default(), 0, 10).await, Ok((0, vec![])));
    assert_eq!(s.scim_standing("other", ScimSubject::ExternalId("ext-a")).await, Ok(None));
    assert_eq!(s.pending_scim("other", "", 10).await, Ok(vec![]));
    assert_eq!(s.delete_scim(&push(), "other", ScimKind::User, "a", None).await, Ok(ScimWritten::Changed));
    assert_eq!(
        s.update_scim(&push(), &ScimRecord { directory: "other".into(), version: 2, ..user("a") }, most(100)).await,
        Ok(ScimWritten::Changed)
    );
    let foreign = ScimRecord { directory: "other".into(), ..group("g", &["a"]) };
    assert_eq!(s.insert_scim(&push(), &foreign, most(100)).await, Ok(ScimWritten::NoSuchMember("a".into())));
    assert_eq!(s.scim("other", ScimKind::Group, "g").await, Ok(None), "nothing of it is there");
    insert(s, &ScimRecord { directory: "other".into(), ..user("a") }).await;
}

pub(super) async fn a_change_follows_the_version_before(store: Arc<dyn Store>) {
    let s = &*store;
    insert(s, &user("a")).await;
    let second = ScimRecord { active: false, display_name: "B".into(), version: 2, modified_ms: NOW + 5, ..user("a") };
    assert_eq!(s.update_scim(&push(), &second, most(100)).await, Ok(ScimWritten::Done));
    assert_eq!(s.update_scim(&push(), &second, most(100)).await, Ok(ScimWritten::Changed));
    assert_eq!(s.scim("company", ScimKind::User, "a").await, Ok(Some(second)));
    assert_eq!(s.update_scim(&push(), &ScimRecord { version: 2, ..user("b") }, most(100)).await, Ok(ScimWritten::Changed), "there is none");
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::User, "a", Some(1)).await, Ok(ScimWritten::Changed));
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::Group, "a", None).await, Ok(ScimWritten::Changed));
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::User, "a", Some(2)).await, Ok(ScimWritten::Done));
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::User, "a", None).await, Ok(ScimWritten::Changed));
}

pub(super) async fn whoever_is_in_a_group_is_marked(store: Arc<dyn Store>) {
    let s = &*store;
    for id in ["a", "b", "c"] {
        insert(s, &user(id)).await;
    }
    assert_eq!(ids(followed(s).await), ["a", "b", "c"]);
    assert!(followed(s).await.is_empty());
    insert(s, &group("g", &["a", "b"])).await;
    insert(s, &group("h", &["b"])).await;
    assert_eq!(followed(s).await, [("a".into(), texts(&["Group g"])), ("b".into(), texts(&["Group g", "Group h"]))]);
    let next = ScimRecord { version: 2, ..group("g", &["b", "c"]) };
    assert_eq!(
        s.update_scim(&push(), &ScimRecord { members: texts(&["b", "nobody"]), ..next.clone() }, most(100)).await,
        Ok(ScimWritten::NoSuchMember("nobody".into()))
    );
    assert_eq!(s.update_scim(&push(), &next, most(100)).await, Ok(ScimWritten::Done));
    assert_eq!(followed(s).await, [("a".into(), vec![]), ("c".into(), texts(&["Group g"]))]);
    let renamed = ScimRecord { version: 3, name: "New".into(), ..next };
    assert_eq!(s.update_scim(&push(), &renamed, most(100)).await, Ok(ScimWritten::Done));
    assert_eq!(ids(followed(s).await), ["b", "c"]);
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::Group, "g", None).await, Ok(ScimWritten::Done));
    let pending = s.pending_scim("company", "", 1).await.unwrap();
    assert_eq!((pending.len(), pending[0].groups.clone()), (1, texts(&["Group h"])));
    assert_eq!(s.pending_scim("company", "b", 10).await.unwrap().len(), 1, "behind it");
    // Something else is said meanwhile.
    let noted = [("b".to_owned(), pending[0].changes)];
    assert_eq!(s.update_scim(&push(), &ScimRecord { version: 2, active: false, ..user("b") }, most(100)).await, Ok(ScimWritten::Done));
    assert_eq!(s.note_scim_followed("company", &noted).await, Ok(texts(&["b"])));
    assert_eq!(ids(followed(s).await), ["b", "c"]);
}

pub(super) async fn members_come_and_leave_whatever_the_version(store: Arc<dyn Store>) {
    let s = &*store;
    for id in ["a", "b", "c"] {
        insert(s, &user(id)).await;
    }
    insert(s, &group("g", &["a"])).await;
    insert(s, &ScimRecord { directory: "other".into(), ..user("x") }).await;
    followed(s).await;
    let change = |came: &[&str], left: &[&str]| ScimMembers {
        directory: "company".into(),
        group: "g".into(),
        versions: None,
        came: texts(came),
        left: texts(left),
    };
    let now = |version, members| Ok(Ok(ScimGroupNow { version, members }));
    assert_eq!(s.change_scim_members(&push(), &change(&["b", "a"], &["c"]), members(10)).await, now(2, 2));
    assert_eq!(followed(s).await, [("b".into(), texts(&["Group g"]))], "only who came");
    let present = s.scim("company", ScimKind::Group, "g").await.unwrap().unwrap();
    assert_eq!((present.version, present.modified_ms, present.members), (2, NOW + 7, texts(&["a", "b"])));
    assert_eq!(s.change_scim_members(&push(), &change(&["a"], &["c", "nobody"]), members(10)).await, now(2, 2), "nobody came or left");
    assert!(followed(s).await.is_empty());
    assert_eq!(s.change_scim_members(&push(), &change(&["c"], &["a"]), members(2)).await, now(3, 2));
    assert_eq!(ids(followed(s).await), ["a", "c"]);
    // Whatever is refused changes nothing.
    let mut refused = Vec::new();
    for directory in ["company", "other"] {
        for id in ["x", "nobody"] {
            refused.push((ScimMembers { directory: directory.into(), ..change(&["a", id], &["b"]) }, directory == "other", id));
        }
    }
    for (change, foreign, id) in refused {
        let why = if foreign { ScimWritten::Changed } else { ScimWritten::NoSuchMember(id.into()) };
        assert_eq!(s.change_scim_members(&push(), &change, members(10)).await, Ok(Err(why)));
    }
    assert_eq!(s.change_scim_members(&push(), &change(&["a"], &[]), members(2)).await, Ok(Err(ScimWritten::FullGroup)));
    assert_eq!(
        s.change_scim_members(&push(), &ScimMembers { group: "a".into(), ..change(&["b"], &[]) }, members(10)).await,
        Ok(Err(ScimWritten::Changed))
    );
    let with = |versions: &[i64]| ScimMembers { versions: Some(versions.to_vec()), ..change(&["a"], &[]) };
    for versions in [&[][..], &[2], &[4]] {
        assert_eq!(s.change_scim_members(&push(), &with(versions), members(10)).await, Ok(Err(ScimWritten::Changed)));
    }
    assert_eq!(s.scim("company", ScimKind::Group, "g").await.unwrap().unwrap().members, texts(&["b", "c"]));
    assert!(followed(s).await.is_empty());
    // However members come and leave, they are counted.
    assert_eq!(s.change_scim_members(&push(), &with(&[2, 3]), members(10)).await, now(4, 3));
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::User, "a", None).await, Ok(ScimWritten::Done));
    assert_eq!(s.change_scim_members(&push(), &change(&["a"], &[]), members(10)).await, Ok(Err(ScimWritten::NoSuchMember("a".into()))));
    assert_eq!(s.update_scim(&push(), &ScimRecord { version: 6, ..group("g", &["c"]) }, most(100)).await, Ok(ScimWritten::Done));
    assert_eq!(s.change_scim_members(&push(), &change(&["b"], &[]), members(2)).await, now(7, 2));
}

pub(super) async fn a_directory_has_room_again(store: Arc<dyn Store>) {
    let s = &*store;
    let full = async |record: &ScimRecord| assert_eq!(s.insert_scim(&push(), record, most(2)).await, Ok(ScimWritten::Full));
    insert(s, &user("a")).await;
    insert(s, &user("b")).await;
    full(&user("c")).await;
    insert(s, &group("g", &["a"])).await;
    assert_eq!(s.insert_scim(&push(), &group("h", &["nobody"]), most(2)).await, Ok(ScimWritten::NoSuchMember("nobody".into())));
    insert(s, &group("h", &[])).await;
    full(&group("i", &[])).await;
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::Group, "g", None).await, Ok(ScimWritten::Done));
    insert(s, &group("i", &[])).await;
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::User, "a", None).await, Ok(ScimWritten::Done));
    full(&user("c")).await;
    followed(s).await;
    assert_eq!(s.insert_scim(&push(), &user("c"), most(2)).await, Ok(ScimWritten::Done));
    full(&user("d")).await;
    assert_eq!(s.insert_scim(&push(), &ScimRecord { directory: "other".into(), ..user("d") }, most(2)).await, Ok(ScimWritten::Done));
}

/// Story: 10,000 groups could hold 10,000 members each, and nothing bounded a hundred million of them.
pub(super) async fn members_of_all_groups_are_bounded_together(store: Arc<dyn Store>) {
    let s = &*store;
    for id in ["a", "b", "c"] {
        insert(s, &user(id)).await;
    }
    let bounds = ScimBounds { group_members: 2, members: 3, ..ScimBounds::default() };
    assert_eq!(s.insert_scim(&push(), &group("g", &["a", "b", "c"]), bounds).await, Ok(ScimWritten::FullGroup));
    assert_eq!(s.insert_scim(&push(), &group("g", &["a", "b"]), bounds).await, Ok(ScimWritten::Done));
    assert_eq!(s.insert_scim(&push(), &group("h", &["a", "b"]), bounds).await, Ok(ScimWritten::FullOfMembers));
    assert_eq!(s.scim("company", ScimKind::Group, "h").await, Ok(None), "nothing of it is there");
    assert_eq!(s.insert_scim(&push(), &group("h", &["a"]), bounds).await, Ok(ScimWritten::Done));
    let change = |group: &str, came: &[&str], left: &[&str]| ScimMembers {
        directory: "company".into(),
        group: group.into(),
        versions: None,
        came: texts(came),
        left: texts(left),
    };
    let now = |version, members| Ok(Ok(ScimGroupNow { version, members }));
    assert_eq!(s.change_scim_members(&push(), &change("h", &["b"], &[]), bounds).await, Ok(Err(ScimWritten::FullOfMembers)));
    assert_eq!(s.change_scim_members(&push(), &change("g", &["c"], &[]), bounds).await, Ok(Err(ScimWritten::FullGroup)));
    let larger = |id: &str, members: &[&str]| ScimRecord { version: 2, ..group(id, members) };
    assert_eq!(s.update_scim(&push(), &larger("h", &["a", "b"]), bounds).await, Ok(ScimWritten::FullOfMembers));
    assert_eq!(s.update_scim(&push(), &larger("g", &["a", "b", "c"]), bounds).await, Ok(ScimWritten::FullGroup));
    // One for one is no more.
    assert_eq!(s.change_scim_members(&push(), &change("h", &["b"], &["a"]), bounds).await, now(2, 1));
    // Another directory has bounds of its own.
    insert(s, &ScimRecord { directory: "other".into(), ..user("a") }).await;
    assert_eq!(
        s.insert_scim(&push(), &ScimRecord { directory: "other".into(), ..group("g", &["a"]) }, bounds).await,
        Ok(ScimWritten::Done)
    );
    // However members go, there is room again: b was in two groups.
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::User, "b", None).await, Ok(ScimWritten::Done));
    assert_eq!(s.change_scim_members(&push(), &change("h", &["a", "c"], &[]), bounds).await, now(4, 2));
    assert_eq!(s.change_scim_members(&push(), &change("g", &["c"], &[]), bounds).await, Ok(Err(ScimWritten::FullOfMembers)));
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::Group, "h", None).await, Ok(ScimWritten::Done));
    assert_eq!(s.change_scim_members(&push(), &change("g", &["c"], &[]), bounds).await, now(3, 2));
    // What is beyond a bound that was lowered may shrink, and stay.
    let lowered = ScimBounds { group_members: 0, members: 0, ..bounds };
    assert_eq!(
        s.update_scim(&push(), &ScimRecord { version: 4, name: "New".into(), ..group("g", &["a", "c"]) }, lowered).await,
        Ok(ScimWritten::Done)
    );
    assert_eq!(s.change_scim_members(&push(), &change("g", &[], &["a"]), lowered).await, now(5, 1));
    assert_eq!(s.change_scim_members(&push(), &change("g", &["a"], &[]), lowered).await, Ok(Err(ScimWritten::FullGroup)));
}

pub(super) async fn whoever_was_deleted_is_followed_once(store: Arc<dyn Store>) {
    let s = &*store;
    insert(s, &user("a")).await;
    insert(s, &group("g", &["a"])).await;
    followed(s).await;
    assert_eq!(s.delete_scim(&push(), "company", ScimKind::User, "a", None).await, Ok(ScimWritten::Done));
    assert_eq!(s.scim("company", ScimKind::User, "a").await, Ok(None));
    assert_eq!(s.scim_list("company", ScimKind::User, &ScimFilter::default(), 0, 10).await, Ok((0, vec![])));
    let left = s.scim("company", ScimKind::Group, "g").await.unwrap().unwrap();
    assert_eq!((left.members, left.version), (vec![], 2));
    assert!(s.scim_standing("company", ScimSubject::ExternalId("ext-a")).await.unwrap().unwrap().deleted);
    assert_eq!(s.insert_scim(&push(), &group("h", &["a"]), most(100)).await, Ok(ScimWritten::NoSuchMember("a".into())));
    assert_eq!(s.insert_scim(&push(), &user("a"), most(100)).await.unwrap(), ScimWritten::Taken, "until it was followed");
    let pending = s.pending_scim("company", "", 10).await.unwrap();
    assert!(pending.len() == 1 && pending[0].deleted && pending[0].groups.is_empty());
    followed(s).await;
    assert_eq!(s.scim_standing("company", ScimSubject::ExternalId("ext-a")).await, Ok(None));
    insert(s, &user("a")).await;
}
