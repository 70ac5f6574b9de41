//! A running server with a data directory of its own, and commands that are given beside it.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part of it; a test may stop")]

use std::path::PathBuf;

use falconer_client::Credentials;

use super::user::{Done, Shell, local};
use super::{Init, Server, init};

pub struct World {
    pub server: Server,
    pub root: Init,
    pub data: PathBuf,
    _folder: tempfile::TempDir,
}

pub fn world() -> World {
    world_with("")
}

/// With a configuration, which the commands beside the server are not told of.
pub fn world_with(config: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let file = folder.path().join("server.toml");
    std::fs::write(&file, config).unwrap();
    World { server: Server::start_with(&data, &["--config", file.to_str().unwrap()]), root, data, _folder: folder }
}

impl World {
    pub fn credentials(&self) -> Credentials {
        Credentials::new(&self.root.client_id, &self.root.access_token)
    }

    pub fn as_root(&self) -> Shell {
        Shell::with(&self.server.root_url, &self.credentials())
    }

    /// `falconer account`, beside the server.
    pub fn account(&self, words: &[&str]) -> Done {
        local(&self.data, &[&["account"], words].concat())
    }

    /// `falconer person`, beside the server.
    pub fn person(&self, words: &[&str]) -> Done {
        local(&self.data, &[&["person"], words].concat())
    }
}
