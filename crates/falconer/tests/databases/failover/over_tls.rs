//! A database that is reached over TLS, with an authority of its own and a password that changes, as where an operator's cloud renews it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use falconer_client::Retry;

use super::pair::Pair;
use crate::silent_database::a_client;
use crate::support::patience::{output_of, patience};
use crate::support::place::Place;
use crate::support::user::Done;
use crate::support::{Init, Server};

/// Certificates of tests of directories and mail: of their own authorities, for this machine.
fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../login/tests").join(name).canonicalize().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn an_own_authority_is_believed_and_a_password_may_change() {
    let [of_server, key, authority, another] =
        ["ldap/tls/server.pem", "ldap/tls/server.key", "ldap/tls/ca.pem", "mail_server/tls/ca.pem"].map(certificate);
    let pair = tokio::task::spawn_blocking(move || Pair::over_tls(&of_server, &key)).await.unwrap();
    pair.sql(0, "CREATE ROLE falconer LOGIN PASSWORD 'the first'");
    pair.sql(0, "CREATE DATABASE falconer OWNER falconer");
    let place = Place::file();
    let passwords = place.file_with("passwords", "");
    let is_now = |password: &str| {
        std::fs::write(&passwords, format!("127.0.0.1:*:falconer:falconer:{password}\n")).unwrap();
        std::fs::set_permissions(&passwords, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    let at = format!("postgres://falconer@{}/falconer", pair.addresses()[0]);
    let command = |words: &[&str], how: &str| -> Command {
        let mut command = place.command(words);
        command.env("FALCONER_DATABASE_URL", format!("{at}?{how}")).env("FALCONER_MAX_STALENESS", "1 day").env("PGPASSFILE", &passwords);
        command
    };
    let init = |how: &str| output_of(&mut command(&["init", "--json", "--data-dir", place.data().to_str().unwrap()], how));
    let of = |authority: &Path| format!("sslmode=verify-full&sslrootcert={}", authority.display());

    is_now("the first");
    Done::from(init("sslmode=disable")).refused(1, "no encryption");
    Done::from(init("sslmode=require")).refused(1, "UnknownIssuer");
    Done::from(init(&of(&another))).refused(1, "UnknownIssuer");
    is_now("another one");
    Done::from(init(&of(&authority))).refused(1, "password authentication failed");
    is_now("the first");
    let init = Init::of(&init(&of(&authority)));
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0"], &of(&authority));
    serve.stderr(Stdio::null());
    let server = Server::of(serve);
    let root = server.client(&init).with_retry(Retry { tries: 1, ..Retry::default() });
    root.create_client("project/before", &a_client()).await.unwrap();
    let of_falconer = "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'falconer'";
    assert_eq!(pair.sql(0, &format!("SELECT bool_and(ssl) AND count(*) > 1 {of_falconer}")), "t");

    // Nobody restarts it.
    pair.sql(0, "ALTER ROLE falconer PASSWORD 'the second'");
    pair.sql(0, &format!("SELECT pg_terminate_backend(pid, 10000) {of_falconer}"));
    let error = root.create_client("project/refused", &a_client()).await.unwrap_err();
    assert_eq!(error.status(), Some(503), "{error:?}");
    is_now("the second");
    let until = Instant::now() + patience();
    while let Err(error) = root.create_client("project/after", &a_client()).await {
        assert_eq!(error.status(), Some(503), "{error:?}");
        assert!(Instant::now() < until, "the password of before is used: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(root.client("project/refused").await.unwrap().is_none());
    assert_eq!(server.end(), Some(0));
}
