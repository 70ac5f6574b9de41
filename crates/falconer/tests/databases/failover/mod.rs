//! The database's server is lost and the one that follows it takes its place: no acknowledged change is lost, what is said of others is true, and nothing is restarted.

mod over_tls;
mod pair;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::patience::patience;
use crate::support::place::Place;
use crate::support::{Init, Server};
use falconer_client::{Client, Retry};
use falconer_wire::ClientRequest;
use pair::Pair;

/// What a 503 says of a change of which nobody knows.
const NOT_KNOWN: &str = "may or may not have been made";

/// Who makes clients, all the time.
struct Writer {
    root: Client,
    number: usize,
    done: BTreeSet<String>,
    not_done: BTreeSet<String>,
    not_known: BTreeSet<String>,
}

impl Writer {
    async fn write(&mut self, over: &AtomicBool) {
        for round in 0.. {
            if over.load(Ordering::SeqCst) {
                return;
            }
            let name = format!("writer-{}/{round:06}", self.number);
            let request = ClientRequest {
                expires: "2100-01-01T00:00:00.000Z".to_owned(),
                description: "as made".to_owned(),
                scopes: Some(Vec::new()),
                delete_on_expiration: false,
            };
            match self.root.create_client(&name, &request).await {
                Ok(_) => drop(self.done.insert(name)),
                Err(error) => {
                    assert_eq!((error.status(), error.code()), (Some(503), Some("ServiceUnavailable")), "{error:?}");
                    let set = if error.to_string().contains(NOT_KNOWN) { &mut self.not_known } else { &mut self.not_done };
                    set.insert(name);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

/// A Falconer that knows both, and how to start a server of it.
fn on<'a>(pair: &Pair, place: &'a Place) -> (Init, impl Fn() -> Server + use<'a>) {
    // As PostgreSQL's own programs write it: whichever takes writes.
    let url = format!("postgres://postgres@{}/postgres?sslmode=disable&target_session_attrs=read-write", pair.hosts());
    let command = move |words: &[&str]| {
        let mut command = place.command(words);
        command.env("FALCONER_DATABASE_URL", &url).env("FALCONER_MAX_STALENESS", "1 day");
        command
    };
    let data = place.data();
    let init = Init::of(&crate::support::patience::output_of(&mut command(&["init", "--json", "--data-dir", data.to_str().unwrap()])));
    let start = move || {
        let mut command = command(&["serve", "--listen", "127.0.0.1:0"]);
        command.stderr(std::process::Stdio::null());
        Server::of(command)
    };
    (init, start)
}

/// Connections to a server that lives, answers, and takes no writes any more were kept: nothing was written on the one that had taken its place.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_server_leaves_the_one_that_takes_no_writes_any_more() {
    let pair = tokio::task::spawn_blocking(Pair::start).await.unwrap();
    let place = Place::file();
    let (init, start) = on(&pair, &place);
    let server = start();
    let root = server.client(&init).with_retry(Retry { tries: 1, ..Retry::default() });
    root.create_client("project/before", &crate::silent_database::a_client()).await.unwrap();
    pair.sql(0, "ALTER SYSTEM SET default_transaction_read_only = on");
    pair.sql(0, "SELECT pg_reload_conf()");
    pair.promote_second();
    let until = Instant::now() + patience();
    while let Err(error) = root.create_client("project/after", &crate::silent_database::a_client()).await {
        assert_eq!(error.status(), Some(503), "{error:?}");
        assert!(Instant::now() < until, "it stays with the first one: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(pair.sql(1, "SELECT count(*) FROM clients WHERE client_id LIKE 'project/%'"), "2");
    assert_eq!(pair.sql(0, "SELECT count(*) FROM clients WHERE client_id LIKE 'project/%'"), "1", "the first one lives");
    assert_eq!(server.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_server_goes_on_with_the_one_that_followed() {
    let mut pair = tokio::task::spawn_blocking(Pair::start).await.unwrap();
    let place = Place::file();
    let (init, start) = on(&pair, &place);
    let server = start();
    let over = AtomicBool::new(false);
    let root = server.client(&init).with_retry(Retry { tries: 1, ..Retry::default() });
    let writer =
        |number| Writer { root: root.clone(), number, done: BTreeSet::new(), not_done: BTreeSet::new(), not_known: BTreeSet::new() };
    let mut writers = [writer(0), writer(1), writer(2)];
    let answers = async |wanted: bool, prefix: &str| {
        let until = Instant::now() + patience();
        let request = ClientRequest {
            expires: "2100-01-01T00:00:00.000Z".to_owned(),
            description: "looks".to_owned(),
            scopes: Some(Vec::new()),
            delete_on_expiration: false,
        };
        for round in 0.. {
            let name = format!("{prefix}/{round}");
            if root.create_client(&name, &request).await.is_ok() == wanted {
                return;
            }
            assert!(Instant::now() < until, "never, before {prefix}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let [a, b, c] = &mut writers;
    let fails_over = async {
        tokio::time::timeout(patience(), async {
            while server.client(&init).list_all_clients(Some("writer-0/")).await.unwrap().len() < 20 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap();
        tokio::task::block_in_place(|| pair.kill_first());
        answers(false, "lost").await;
        assert!(root.current_scopes().await.is_ok(), "what is in memory needs no database");
        tokio::task::block_in_place(|| pair.promote_second());
        answers(true, "back").await;
        // Each connection that is still in the pool is tried: all of them answer.
        for number in 0..20 {
            answers(true, &format!("again-{number}")).await;
        }
        over.store(true, Ordering::SeqCst);
    };
    tokio::join!(a.write(&over), b.write(&over), c.write(&over), fails_over);

    let names = async |server: &Server| -> BTreeSet<String> {
        let clients = server.client(&init).list_all_clients(Some("writer-")).await.unwrap();
        clients.into_iter().map(|client| client.client_id).collect()
    };
    let here = names(&server).await;
    assert_eq!(server.end(), Some(0));
    let afresh = start();
    assert_eq!(names(&afresh).await, here, "the server has taken in what became of each");
    let mut refused = 0;
    for writer in &writers {
        assert!(writer.done.is_subset(&here), "acknowledged and lost: {:?}", writer.done.difference(&here));
        assert!(writer.not_done.is_disjoint(&here), "refused and made: {:?}", writer.not_done.intersection(&here));
        refused += writer.not_done.len() + writer.not_known.len();
    }
    assert!(refused > 0, "the writers have seen the loss");
    assert_eq!(pair.sql(1, "SELECT pg_is_in_recovery()"), "f");
    assert_eq!(afresh.end(), Some(0));
}
