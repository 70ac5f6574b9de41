//! What end-to-end tests start: the binary itself, or a program in its place that has all records in PostgreSQL.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Result, anyhow};

use super::postgres::{Disk, Server, VARIABLE};
use crate::run::{root, target};
use crate::test::chromium;

/// Where all records of a server are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file in its data directory.
    Files,
    Postgres,
}

/// Stands for every part that runs on PostgreSQL, where it is said what parts need.
pub const ON_POSTGRES: &str = "all on PostgreSQL";

/// The binary as a test starts it, and the browser that opens its pages, as the test's environment names them.
pub struct Binary(Vec<(&'static str, String)>);

impl Binary {
    /// The binary, and with it what else a test is to find in its environment.
    pub fn with<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect()
    }
}

/// The binary itself.
pub fn program() -> String {
    target().join("debug/falconer").to_string_lossy().into_owned()
}

/// The whole browser where records are in files. Each page is opened there, so that those of the other store are opened in what takes half of the CPU.
fn browser(store: Store) -> String {
    let found = match store {
        Store::Files => chromium::whole(),
        Store::Postgres => chromium::without_windows().or_else(chromium::whole),
    };
    found.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The binary on each store, for all parts of a run: one PostgreSQL, started when the first part needs it.
#[derive(Default)]
pub struct Binaries {
    postgres: OnceLock<Result<OnPostgres, String>>,
}

impl Binaries {
    pub fn on(&self, store: Store) -> Result<Binary> {
        match store {
            Store::Files => Ok(Binary(vec![("FALCONER_BIN", program()), ("CHROMIUM_BIN", browser(store))])),
            Store::Postgres => {
                let started = self.postgres.get_or_init(|| OnPostgres::start().map_err(|error| format!("{error:#}")));
                started.as_ref().map(OnPostgres::binary).map_err(|error| anyhow!("{error}"))
            }
        }
    }
}

/// A PostgreSQL, and a program in the place of the binary that gives each data directory a database there: tests run on that store as they are.
struct OnPostgres {
    _server: Option<Server>,
    url: String,
    databases: PathBuf,
}

impl OnPostgres {
    fn start() -> Result<OnPostgres> {
        let given = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
        // Nothing of it survives the tests. What a power cut leaves is looked at elsewhere.
        let server = if given.is_none() { Some(Server::start(Disk::NotWaitedFor)?) } else { None };
        let url = given.or_else(|| server.as_ref().map(|server| server.url.clone())).unwrap_or_default();
        let databases = target().join(format!("e2e/databases-{}", std::process::id()));
        std::fs::create_dir_all(&databases)?;
        let on_postgres = OnPostgres { _server: server, url, databases };
        on_postgres.write_program()?;
        Ok(on_postgres)
    }

    /// A program of the name `falconer`, which some tests look for in their path. It brings what it needs: other tests start it with next to nothing in the environment, as cron does.
    fn write_program(&self) -> Result<()> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let mut script = "#!/bin/sh\n".to_owned();
        for (name, value) in self.variables() {
            let _ = writeln!(script, "export {name}={}", quoted(&value));
        }
        let _ = writeln!(script, "exec {} \"$@\"", quoted(&root().join("e2e/support/on-postgres").to_string_lossy()));
        // The URL has a password in it.
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(self.program())?;
        Ok(file.write_all(script.as_bytes())?)
    }

    fn program(&self) -> PathBuf {
        self.databases.join("falconer")
    }

    fn variables(&self) -> [(&'static str, String); 3] {
        let databases = self.databases.to_string_lossy().into_owned();
        [("E2E_BINARY", program()), ("E2E_POSTGRES", self.url.clone()), ("E2E_DATABASES", databases)]
    }

    fn binary(&self) -> Binary {
        let program = self.program().to_string_lossy().into_owned();
        Binary(self.variables().into_iter().chain([("FALCONER_BIN", program), ("CHROMIUM_BIN", browser(Store::Postgres))]).collect())
    }
}

impl Drop for OnPostgres {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.databases);
    }
}
