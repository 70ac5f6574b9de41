//! Sealed values at rest against the real binary on each store: one that does not open takes nobody else down, and keys change beside a server.

use std::process::Stdio;

use crate::support::browser::Browser;
use crate::support::patience::{Lines, eventually, output_of};
use crate::support::place::Place;
use crate::support::user::Shell;
use crate::support::{Init, Server};
use falconer_client::{Client, Credentials};
use falconer_wire::ClientRequest;
use serde_json::{Value, json};

/// Table, name of a row, sealed column.
const CLIENTS: (&str, &str, &str) = ("clients", "client_id", "access_token");
const ISSUERS: (&str, &str, &str) = ("issuers", "name", "token");
const ACCOUNTS: (&str, &str, &str) = ("passwords", "account", "hash");
const SESSIONS: (&str, &str, &str) = ("sessions", "id_hash", "csrf");
/// Ann's, of the first part of each test.
const PASSWORD: &str = "a few good words";

/// Flips a bit of a row's sealed value, as a bad disk or somebody who can write the database would.
async fn flip(place: &Place, (table, name, column): (&str, &str, &str), row: &str) {
    let (find, change) =
        (format!("SELECT {column} FROM {table} WHERE {name} = $1"), format!("UPDATE {table} SET {column} = $2 WHERE {name} = $1"));
    if let Some(database) = &place.database {
        let (client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut value: Vec<u8> = client.query_one(&find, &[&row]).await.unwrap().get(0);
        *value.last_mut().unwrap() ^= 1;
        assert_eq!(client.execute(&change, &[&row, &value]).await.unwrap(), 1);
        drop(client);
        connection.await.unwrap().unwrap();
    } else {
        let (find, change) = (find.replace('$', "?"), change.replace('$', "?"));
        let connection = rusqlite::Connection::open(place.data().join("falconer.sqlite")).unwrap();
        let mut value: Vec<u8> = connection.query_row(&find, [row], |row| row.get(0)).unwrap();
        *value.last_mut().unwrap() ^= 1;
        assert_eq!(connection.execute(&change, rusqlite::params![row, value]).unwrap(), 1);
    }
}

/// A client that may list roles; its token.
async fn create_client(root: &Client, client_id: &str) -> String {
    root.create_client(client_id, &some_client()).await.unwrap().access_token
}

fn some_client() -> ClientRequest {
    let body = json!({ "description": "", "expires": "2100-01-01T00:00:00.000Z", "scopes": ["auth:list-roles"] });
    serde_json::from_value(body).unwrap()
}

async fn is_let_in(server: &Server, client_id: &str, token: &str) -> bool {
    let client = Client::new(&server.root_url).unwrap().with_credentials(Credentials::new(client_id, token));
    client.list_roles().await.is_ok()
}

/// The hash of the id of the only session.
async fn only_session(place: &Place) -> String {
    let find = "SELECT id_hash FROM sessions";
    if let Some(database) = &place.database {
        let (client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let found = client.query_one(find, &[]).await.unwrap().get(0);
        drop(client);
        connection.await.unwrap().unwrap();
        return found;
    }
    let connection = rusqlite::Connection::open(place.data().join("falconer.sqlite")).unwrap();
    connection.query_row(find, [], |row| row.get(0)).unwrap()
}

/// A place with two clients that may list roles, and an account with a session; the tokens of the clients.
async fn filled(place: &Place) -> (Init, [String; 2]) {
    let init = place.init(&[]);
    let server = place.start();
    let root = server.client(&init);
    let tokens = [create_client(&root, "project/a").await, create_client(&root, "project/b").await];
    let mut create = place.command(&["account", "create", "ann", "--password-stdin"]);
    create.stdin(std::fs::File::open(place.file_with("password", PASSWORD)).unwrap());
    assert!(output_of(&mut create).status.success());
    tokio::task::block_in_place(|| {
        eventually("ann can sign in", || Browser::new(&server).sign_in("ann", PASSWORD).then_some(()));
    });
    assert_eq!(server.end(), Some(0));
    (init, tokens)
}

/// One flipped bit of one sealed value kept the whole server from starting.
async fn damage_takes_nobody_else_down(place: Place) {
    let (init, [a, b]) = filled(&place).await;
    flip(&place, CLIENTS, "project/a").await;
    flip(&place, ISSUERS, "static/falconer/grants-1").await;
    flip(&place, ACCOUNTS, "ann").await;
    let session = only_session(&place).await;
    flip(&place, SESSIONS, &session).await;

    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
    command.stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    for id in ["project/a", "static/falconer/grants-1", "ann", &session] {
        let line = log.with(&format!("id={id:?}"));
        assert!(line.contains("ERROR") && line.contains("was changed or moved"), "{line}");
    }
    assert!(is_let_in(&server, "project/b", &b).await, "who is not damaged is served");
    assert!(!is_let_in(&server, "project/a", &a).await);
    let root = server.client(&init);
    let another = ClientRequest { description: "another".into(), ..some_client() };
    let refused = root.create_client("project/a", &another).await.unwrap_err();
    assert_eq!(refused.status(), Some(409), "the name is taken: {refused:?}");
    let metrics = server.printed.iter().find_map(|line| line.strip_prefix("metrics at ")).unwrap().to_owned();
    let metrics_text = crate::support::http().get(metrics).send().await.unwrap().text().await.unwrap();
    assert!(metrics_text.contains("\nfalconer_damaged_records 4"), "{metrics_text}");

    // Beside the running server.
    let found = place.run(&["repair", "--dry-run", "--json"]);
    assert_eq!(found.code, 1, "damage stays");
    let found: Value = serde_json::from_str(&found.out).unwrap();
    let ids: Vec<_> = found["records"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["project/a", "static/falconer/grants-1", "ann", &session]);
    place.run(&["repair", "--delete", "project/b"]).refused(2, "no damaged client");
    place.run(&["keys", "reseal"]).refused(1, "damaged records come first");
    assert!(!Browser::new(&server).sign_in("ann", PASSWORD), "a password that is damaged is none");
    let repaired: Value = serde_json::from_str(&place.run(&["repair", "--json"]).ok()).unwrap();
    assert_eq!(repaired["left"], 0);
    let fresh = repaired["records"][0]["accessToken"].as_str().unwrap();
    assert_eq!(place.run(&["repair"]).ok().trim(), "Nothing is damaged.");
    place.run(&["account", "password", "ann"]).ok();
    assert!(server.lives());
    assert_eq!(server.end(), Some(0));

    let server = place.start();
    assert!(is_let_in(&server, "project/a", fresh).await && is_let_in(&server, "project/b", &b).await);
    assert!(!is_let_in(&server, "project/a", &a).await, "what was lost does not come back");
    assert_eq!(server.end(), Some(0));

    // A client can go instead, and the wrong keys are still refused.
    flip(&place, CLIENTS, "project/a").await;
    place.run(&["repair", "--delete", "project/a"]).ok();
    let keys = place.data().join("falconer.keys");
    std::fs::write(&keys, format!("k1 {}=\n", "A".repeat(43))).unwrap();
    place.run(&["repair"]).refused(1, "with the key file");
}

/// The tokens that clients got before one could not be repaired were told to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_repaired_is_told_although_a_later_one_fails() {
    let place = Place::file();
    let (_, [_, _]) = filled(&place).await;
    flip(&place, CLIENTS, "project/a").await;
    flip(&place, CLIENTS, "project/b").await;
    let stands_against = "CREATE TRIGGER no BEFORE UPDATE ON clients WHEN old.client_id = 'project/b' BEGIN SELECT RAISE(ABORT, 'no'); END";
    let change = |sql: &str| rusqlite::Connection::open(place.data().join("falconer.sqlite")).unwrap().execute_batch(sql).unwrap();
    change(stands_against);
    let repaired = place.run(&["repair", "--json"]);
    assert_eq!(repaired.code, 1, "{}", repaired.err);
    assert!(repaired.err.contains("can't repair the client project/b"), "{}", repaired.err);
    let told: Value = serde_json::from_str(&repaired.out).unwrap();
    assert_eq!((told["records"].as_array().unwrap().len(), &told["records"][0]["id"], &told["left"]), (1, &json!("project/a"), &json!(1)));
    change("DROP TRIGGER no");
    let server = place.start();
    assert!(is_let_in(&server, "project/a", told["records"][0]["accessToken"].as_str().unwrap()).await);
    assert_eq!(server.end(), Some(0));
}

/// No command sealed again what an older key had sealed, and only a restart took another key.
async fn keys_change_beside_a_server(place: Place) {
    let (init, [a, _]) = filled(&place).await;
    let server = place.start();
    let rotated: Value = serde_json::from_str(&place.run(&["keys", "rotate", "--json"]).ok()).unwrap();
    assert_eq!(rotated["keyId"], "k2");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.data().join("falconer.keys")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Sealed with the new key by another process, and read by the server, whether it has looked at the key file or not.
    let fresh: Value = serde_json::from_str(&place.run(&["root-reset", "--json"]).ok()).unwrap();
    let root = Init { access_token: fresh["accessToken"].as_str().unwrap().to_owned(), ..init };
    let shell = Shell::with(&server.root_url, &Credentials::new(&root.client_id, &root.access_token));
    eventually("the new token counts", || (shell.run(&["current-scopes"]).code == 0).then_some(()));
    let c = create_client(&server.client(&root), "project/c").await;

    place.run(&["keys", "remove", "k2"]).refused(1, "is the key that seals");
    place.run(&["keys", "remove", "k9"]).refused(2, "has no key k9");
    place.run(&["keys", "remove", "k1"]).refused(1, "has just changed");
    let file = std::fs::File::options().write(true).open(place.data().join("falconer.keys")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    // A server says within a second that it seals with the new one.
    tokio::task::block_in_place(|| {
        eventually("it is known that the server seals with k2", || {
            let refused = place.run(&["keys", "remove", "k1"]);
            (!refused.err.contains("a running server")).then_some(refused)
        })
        .refused(1, "falconer keys reseal");
    });
    let resealed: Value = serde_json::from_str(&place.run(&["keys", "reseal", "--json"]).ok()).unwrap();
    assert!(resealed["resealed"].as_u64().unwrap() >= 2 && resealed["keyId"] == "k2", "{resealed}");
    place.run(&["keys", "remove", "k1"]).ok();
    let left: Value = serde_json::from_str(&place.run(&["keys", "list", "--json"]).ok()).unwrap();
    assert_eq!(left, json!([{ "keyId": "k2", "current": true }]));
    // A number is not given twice: backups name the key that they need by it.
    let added: Value = serde_json::from_str(&place.run(&["keys", "add", "--json"]).ok()).unwrap();
    assert_eq!(added["keyId"], "k3");
    let listed: Value = serde_json::from_str(&place.run(&["keys", "list", "--json"]).ok()).unwrap();
    assert_eq!(listed, json!([{ "keyId": "k2", "current": true }, { "keyId": "k3", "current": false }]));
    place.run(&["keys", "use", "k9"]).refused(2, "has no key k9");
    tokio::task::block_in_place(|| {
        eventually("the server has k3", || (place.run(&["keys", "use", "k3"]).code == 0).then_some(()));
    });
    place.run(&["keys", "use", "k2"]).refused(1, "k2 was made before k3");
    assert!(place.run(&["keys", "rotate-issuer"]).ok().contains("static/falconer/grants-2"));
    assert!(is_let_in(&server, "project/a", &a).await);
    assert_eq!(server.end(), Some(0));

    let server = place.start();
    assert!(is_let_in(&server, "project/a", &a).await && is_let_in(&server, "project/c", &c).await);
    assert_eq!(server.end(), Some(0));
}

/// How many tokens of clients there are by the key that sealed them: with k1, with k2.
async fn sealed_with(place: &Place) -> (i64, i64) {
    // A version, the length of the id, the id.
    let count = |key: &str| format!("SELECT count(*) FROM clients WHERE substr(access_token, 3, 2) = {key}");
    if let Some(database) = &place.database {
        let (client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let one = client.query_one(&count("'k1'::bytea"), &[]).await.unwrap().get(0);
        let two = client.query_one(&count("'k2'::bytea"), &[]).await.unwrap().get(0);
        drop(client);
        connection.await.unwrap().unwrap();
        return (one, two);
    }
    let connection = rusqlite::Connection::open(place.data().join("falconer.sqlite")).unwrap();
    let count = |key: &str| connection.query_row(&count(key), [], |row| row.get(0)).unwrap();
    (count("x'6b31'"), count("x'6b32'"))
}

/// `keys reseal` that is killed midway loses nothing, and the next one goes on to the end.
async fn resealing_is_killed_and_run_again(place: Place) {
    let (init, [a, _]) = filled(&place).await;
    let line = |n: u32| {
        let client = json!({ "kind": "client", "clientId": format!("many/{n:05}"), "description": "", "expires": "2100-01-01T00:00:00Z", "scopes": [] });
        format!("{client}\n")
    };
    let file = place.file_with("many.jsonl", &(0..4_000).map(line).collect::<String>());
    let server = place.start();
    let shell = Shell::with(&server.root_url, &Credentials::new(&init.client_id, &init.access_token));
    shell.run(&["import", file.to_str().unwrap(), "--batch-size", "4000"]).ok();
    assert_eq!(server.end(), Some(0));
    place.run(&["keys", "rotate"]).ok();
    let (all, none) = sealed_with(&place).await;
    assert!(all > 4_000 && none == 0, "{all} {none}");

    let mut left = all;
    for round in 0..2 {
        let mut reseal = place.command(&["keys", "reseal"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = Lines::of(reseal.stderr.take().unwrap(), "what reseal says");
        lines.with(&format!("sealed {} values again", 1000 * (round + 1)));
        reseal.kill().unwrap();
        reseal.wait().unwrap();
        let (older, newer) = sealed_with(&place).await;
        assert_eq!(older + newer, all, "each value has one of the keys");
        assert!(older > 0 && older < left, "round {round}: {older} of {left} were left when it was killed");
        left = older;
        place.run(&["keys", "remove", "k1"]).refused(1, "");
        assert_eq!(sealed_with(&place).await, (older, newer), "a removal that is refused writes nothing");
    }
    let resealed: Value = serde_json::from_str(&place.run(&["keys", "reseal", "--json"]).ok()).unwrap();
    assert!(resealed["resealed"].as_i64().unwrap() >= left, "{resealed}");
    assert_eq!(sealed_with(&place).await, (0, all));
    let repeated: Value = serde_json::from_str(&place.run(&["keys", "reseal", "--json"]).ok()).unwrap();
    assert_eq!(repeated["resealed"], 0);
    let file = std::fs::File::options().write(true).open(place.data().join("falconer.keys")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    place.run(&["keys", "remove", "k1"]).ok();
    let server = place.start();
    assert!(is_let_in(&server, "project/a", &a).await);
    assert_eq!(server.client(&init).list_all_clients(Some("many/")).await.unwrap().len(), 4_000);
    assert_eq!(server.end(), Some(0));
}

/// A server that could not read the key file any more went on with the keys of before, and said nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_a_running_server_does_not_take_is_an_error_in_its_log() {
    let place = Place::file();
    place.init(&[]);
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    let keys = place.data().join("falconer.keys");
    let before = std::fs::read_to_string(&keys).unwrap();
    // At once, as every editor should: half a file would be told as one.
    std::fs::rename(place.file_with("others.keys", &format!("k7 {}=\n", "A".repeat(43))), &keys).unwrap();
    let line = log.with("the key file is not taken");
    assert!(line.contains("ERROR") && line.contains("does not have the key k1"), "{line}");
    std::fs::rename(place.file_with("before.keys", &before), &keys).unwrap();
    log.with("the key file is taken again");
    assert_eq!(server.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn resealing_is_killed_and_run_again_with_a_file() {
    resealing_is_killed_and_run_again(Place::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn resealing_is_killed_and_run_again_on_postgres() {
    resealing_is_killed_and_run_again(Place::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_takes_nobody_else_down_in_a_file() {
    damage_takes_nobody_else_down(Place::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn damage_takes_nobody_else_down_in_a_database() {
    damage_takes_nobody_else_down(Place::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_beside_a_server_with_a_file() {
    keys_change_beside_a_server(Place::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn keys_change_beside_a_server_with_a_database() {
    keys_change_beside_a_server(Place::postgres().await).await;
}
