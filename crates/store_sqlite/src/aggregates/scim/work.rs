//! How much work a push is, counted in steps of SQLite's machine: none of those that a directory sends one by one grows with what it has pushed before.

use falconer_store::conformance::{scim_push, scim_user};
use falconer_store::{ScimBounds, ScimFilter, ScimKind, ScimMembers, ScimRecord, ScimSubject, ScimWritten};
use rusqlite::Connection;

use super::{read, write};
use crate::connection::columns::STEPS;
use crate::connection::migrate::{MIGRATIONS, migrate};

const BOUNDS: ScimBounds = ScimBounds { users: 100_000, groups: 100_000, group_members: 100_000, members: 100_000 };

/// In the order of their numbers.
fn user(number: u32) -> ScimRecord {
    ScimRecord { created_ms: i64::from(number), ..scim_user(&format!("id-{number:06}")) }
}

fn members(came: &[u32], left: &[u32]) -> ScimMembers {
    let ids = |numbers: &[u32]| numbers.iter().map(|number| user(*number).id).collect();
    ScimMembers { directory: "company".into(), group: "all".into(), versions: None, came: ids(came), left: ids(left) }
}

/// So many users, all in one group, all followed.
fn directory(users: u32) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, MIGRATIONS).unwrap();
    let mut ids = Vec::new();
    for number in 0..users {
        assert_eq!(write::insert(&connection, &scim_push(), &user(number), BOUNDS).unwrap(), ScimWritten::Done);
        ids.push(user(number).id);
    }
    let group = ScimRecord { kind: ScimKind::Group, id: "all".into(), external_id: None, name: "All".into(), members: ids, ..user(0) };
    assert_eq!(write::insert(&connection, &scim_push(), &group, BOUNDS).unwrap(), ScimWritten::Done);
    let pending = read::pending(&connection, "company", "", 100_000).unwrap();
    assert_eq!(pending.len(), users as usize);
    let followed: Vec<_> = pending.into_iter().map(|standing| (standing.user.id, standing.changes)).collect();
    write::note_followed(&connection, "company", &followed).unwrap();
    connection
}

/// The steps of each request, by its name.
fn steps(users: u32) -> Vec<(&'static str, i64)> {
    let c = directory(users);
    let mut counted = Vec::new();
    let mut count = |what, work: &mut dyn FnMut()| {
        STEPS.set(0);
        work();
        counted.push((what, STEPS.get()));
    };
    let found = |filter: ScimFilter| read::list(&c, "company", ScimKind::User, &filter, 0, 100).unwrap().0;
    count("found by name", &mut || assert_eq!(found(ScimFilter { name: Some(user(7).name), ..ScimFilter::default() }), 1));
    count("found by external id", &mut || assert_eq!(found(ScimFilter { external_id: user(7).external_id, ..ScimFilter::default() }), 1));
    count("found by id", &mut || assert_eq!(found(ScimFilter { id: Some(user(7).id), ..ScimFilter::default() }), 1));
    count("not found", &mut || assert_eq!(found(ScimFilter { name: Some("nobody".into()), ..ScimFilter::default() }), 0));
    count("a page", &mut || assert_eq!(found(ScimFilter::default()), u64::from(users)));
    count("a new user", &mut || assert_eq!(write::insert(&c, &scim_push(), &user(users), BOUNDS).unwrap(), ScimWritten::Done));
    count("a name that is taken", &mut || {
        let second = ScimRecord { id: "x".into(), external_id: None, ..user(3) };
        assert_eq!(write::insert(&c, &scim_push(), &second, BOUNDS).unwrap(), ScimWritten::Taken);
    });
    count("a user changed", &mut || {
        let changed = ScimRecord { active: false, version: 2, ..user(5) };
        assert_eq!(write::update(&c, &scim_push(), &changed, BOUNDS).unwrap(), ScimWritten::Done);
    });
    count("one comes", &mut || {
        assert_eq!(write::change_members(&c, &scim_push(), &members(&[users], &[]), BOUNDS).unwrap().unwrap().members, users + 1)
    });
    count("one leaves", &mut || {
        assert_eq!(write::change_members(&c, &scim_push(), &members(&[], &[4]), BOUNDS).unwrap().unwrap().members, users)
    });
    count("one who is there", &mut || {
        assert_eq!(write::change_members(&c, &scim_push(), &members(&[9], &[]), BOUNDS).unwrap().unwrap().version, 3)
    });
    count("a user deleted", &mut || {
        assert_eq!(write::delete(&c, &scim_push(), "company", ScimKind::User, &user(6).id, None).unwrap(), ScimWritten::Done)
    });
    count("what is said of somebody", &mut || {
        let standing = read::standing(&c, "company", ScimSubject::ExternalId("ext-id-000008")).unwrap();
        assert_eq!(standing.unwrap().groups, ["All"]);
    });
    count("who is to be followed", &mut || assert_eq!(read::pending(&c, "company", "", 256).unwrap().len(), 4));
    count("noted", &mut || assert!(write::note_followed(&c, "company", &[(user(4).id, 3)]).unwrap().is_empty()));
    counted
}

/// Story: whether a name was taken was asked in one question with `OR`, which read all users of the directory, and one member more read and compared all members.
#[test]
fn a_push_costs_the_same_in_a_large_directory() {
    for ((what, small), (_, large)) in steps(150).into_iter().zip(steps(3_000)) {
        assert!(large <= small + small / 4 + 20, "{what}: {small} steps with 150 users, {large} with 3,000");
        assert!(large <= 6_000, "{what}: {large} steps");
    }
}

/// All members at once: the work for each is the same, however many there are.
#[test]
fn a_whole_group_costs_its_members() {
    let whole = |users: u32| {
        let c = directory(users);
        let present = read::one(&c, "company", ScimKind::Group, "all").unwrap().unwrap();
        let none = ScimRecord { members: Vec::new(), version: present.version + 1, ..present.clone() };
        STEPS.set(0);
        assert_eq!(write::update(&c, &scim_push(), &none, BOUNDS).unwrap(), ScimWritten::Done);
        assert_eq!(
            write::update(&c, &scim_push(), &ScimRecord { version: present.version + 2, ..present.clone() }, BOUNDS).unwrap(),
            ScimWritten::Done
        );
        let renamed = ScimRecord { version: present.version + 3, name: "New".into(), ..present };
        assert_eq!(write::update(&c, &scim_push(), &renamed, BOUNDS).unwrap(), ScimWritten::Done);
        assert_eq!(write::delete(&c, &scim_push(), "company", ScimKind::Group, "all", None).unwrap(), ScimWritten::Done);
        STEPS.get() / i64::from(users)
    };
    let (small, large) = (whole(150), whole(3_000));
    assert!(large <= small + small / 4, "{small} steps a member of 150, {large} of 3,000");
}
