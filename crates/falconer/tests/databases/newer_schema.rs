//! A newer version of Falconer has brought the database up to date while servers of this one run, as when they are upgraded one after the other.

use crate::support::place::Place;
use falconer_client::Retry;
use falconer_wire::RoleRequest;

/// What a later version might add. It is judged there whether this one may go on beside it.
const LATER: &str = "ALTER TABLE clients ADD COLUMN later TEXT NOT NULL DEFAULT 'x'; ALTER TABLE roles ADD COLUMN later BIGINT; CREATE TABLE later (id TEXT);
    ALTER TABLE falconer_migrations ADD COLUMN IF NOT EXISTS beside BIGINT;
    INSERT INTO falconer_migrations (version, name, checksum, beside) SELECT max(version) + 1, '9999_later', 'x', max(version) FROM falconer_migrations";

/// A server of the version before could not be started any more, and changed nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_server_goes_on_beside_the_next_version_where_that_lets_it() {
    let place = Place::postgres().await;
    let database = place.database.as_ref().unwrap();
    let init = place.init(&[]);
    let before = place.start();
    let role = RoleRequest { scopes: vec!["notes:read".to_owned()], description: "of a test".to_owned() };
    let once = Retry { tries: 1, ..Retry::default() };
    let root = before.client(&init).with_retry(once);
    root.create_role("before", &role).await.unwrap();

    database.execute(LATER).await;
    root.create_role("beside", &role).await.unwrap();
    root.update_role("before", &role).await.unwrap();
    let after = place.start();
    let there = after.client(&init).with_retry(once);
    there.delete_role("before").await.unwrap();
    assert!(there.role("beside").await.unwrap().is_some());
    let done = place.run(&["doctor", "--json"]);
    assert!(done.out.contains("a newer version of Falconer has brought the schema up to date (9999_later)"), "{done:?}");

    // Two versions later nobody has judged that.
    database.execute("UPDATE falconer_migrations SET beside = version WHERE name = '9999_later'").await;
    let error = root.create_role("refused", &role).await.unwrap_err();
    assert_eq!(error.status(), Some(503), "{error:?}");
    place.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1, "was changed by a newer version of Falconer");
    for server in [before, after] {
        assert!(server.client(&init).role("beside").await.unwrap().is_some(), "it goes on reading");
        server.end();
    }
}
