//! What tests start in the place of the binary, so that they run on PostgreSQL as they are.

use std::path::PathBuf;

use anyhow::Result;

use super::postgres::{Server, VARIABLE};
use crate::run::{root, target};

/// A PostgreSQL, and a program in the place of the binary that gives each data directory a database there: tests run on that store as they are.
pub struct InPlaceOfTheBinary {
    _server: Option<Server>,
    url: String,
    program: String,
    binary: String,
    databases: PathBuf,
}

impl InPlaceOfTheBinary {
    pub fn start(binary: String) -> Result<InPlaceOfTheBinary> {
        let given = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
        let server = if given.is_none() { Some(Server::start()?) } else { None };
        let url = given.or_else(|| server.as_ref().map(|server| server.url.clone())).unwrap_or_default();
        let databases = target().join(format!("e2e/databases-{}", std::process::id()));
        std::fs::create_dir_all(&databases)?;
        let program = root().join("e2e/support/on-postgres").to_string_lossy().into_owned();
        Ok(InPlaceOfTheBinary { _server: server, url, program, binary, databases })
    }

    pub fn environment(&self) -> [(&'static str, &str); 4] {
        let databases = self.databases.to_str().unwrap_or_default();
        [("FALCONER_BIN", &self.program), ("E2E_BINARY", &self.binary), ("E2E_POSTGRES", &self.url), ("E2E_DATABASES", databases)]
    }
}

impl Drop for InPlaceOfTheBinary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.databases);
    }
}
