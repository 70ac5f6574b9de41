//! Where a server keeps its records, for tests that run on each store.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use falconer_client::{Client, Retry};
use tempfile::TempDir;

use super::patience::output_of;
use super::postgres::{self, Database};
use super::user::Done;
use super::{Init, Server, falconer};

/// A data directory that is not there yet, and perhaps a database.
pub struct Place {
    folder: TempDir,
    /// Where the records are not in the data directory.
    pub database: Option<Database>,
}

impl Place {
    pub fn file() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), database: None }
    }

    /// Fails where there is no PostgreSQL.
    pub async fn postgres() -> Place {
        Place { database: Some(Database::make().await), ..Place::file() }
    }

    /// One for each store that there is: `cargo test` alone has no PostgreSQL.
    pub async fn each() -> Vec<Place> {
        let mut places = vec![Place::file()];
        if postgres::server().is_some() {
            places.push(Place::postgres().await);
        }
        places
    }

    /// What the store is called.
    pub fn store(&self) -> &'static str {
        if self.database.is_some() { "PostgreSQL" } else { "SQLite" }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file beside the data directory.
    pub fn file_with(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// `falconer WORDS...` with the place in its environment.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = falconer();
        command.args(words).env("FALCONER_DATA_DIR", self.data()).stdin(Stdio::null());
        if let Some(database) = &self.database {
            // A busy machine must not keep a server from its database for too long: `nodes` has the servers that stop then.
            command.env("FALCONER_DATABASE_URL", &database.url).env("FALCONER_MAX_STALENESS", "1 day");
            // No proxy stands in front.
            command.env("FALCONER_LIMITS__ANNOUNCE_SECONDS", "0");
        }
        command
    }

    /// The same, to its end.
    pub fn run(&self, words: &[&str]) -> Done {
        output_of(&mut self.command(words)).into()
    }

    pub fn init(&self, more: &[&str]) -> Init {
        let data = self.data();
        Init::of(&output_of(&mut self.command(&[&["init", "--json", "--data-dir", data.to_str().unwrap()], more].concat())))
    }

    pub fn start(&self) -> Server {
        self.start_with(&[])
    }

    /// Where its PostgreSQL listens, as `host:port`.
    pub fn database_address(&self) -> String {
        let url = url::Url::parse(&self.database.as_ref().unwrap().url).unwrap();
        format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432))
    }

    /// From now on it is reached at this address of this machine, where something stands before it.
    pub fn reach_database_at(&mut self, address: SocketAddr) {
        let database = self.database.as_mut().unwrap();
        let mut url = url::Url::parse(&database.url).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(address.port())).unwrap();
        database.url = url.to_string();
    }

    /// A server on it, and its root client, which tries nothing again, so that each answer is seen.
    pub async fn serve(self) -> (Place, Init, Server, Client) {
        let started = tokio::task::spawn_blocking(move || {
            let init = self.init(&[]);
            let server = self.start();
            (self, init, server)
        });
        let (place, init, server) = started.await.unwrap();
        let root = server.client(&init).with_retry(Retry { tries: 1, ..Retry::default() });
        (place, init, server, root)
    }

    /// Serves on a free port.
    pub fn start_with(&self, more: &[&str]) -> Server {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
        command.stderr(Stdio::null());
        Server::of(command)
    }
}
