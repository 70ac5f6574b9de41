//! Several servers on one database, each behind a way to it that can fall silent.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::Options;
use super::silent_proxy::SilentProxy;
use crate::requests::api::{Api, Keys};
use crate::subjects::database::Database;
use crate::subjects::process::Process;
use crate::subjects::subject::clean;

/// How long a server may take until it answers.
const START_WITHIN: Duration = Duration::from_secs(120);

/// How a server learns what the others have changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    /// By the database's notifications.
    Notified,
    /// By looking: its connection for notifications never gets an answer.
    Looking,
}

/// The servers, and what they share.
pub(super) struct Nodes {
    pub(super) nodes: Vec<Node>,
    keys: Keys,
    binary: PathBuf,
    folder: tempfile::TempDir,
    database: Database,
    /// The origin of what stands in front of them, for which calls are signed too.
    reverse_proxy: Option<String>,
    runtime: Runtime,
}

/// One of them.
pub(super) struct Node {
    pub(super) api: Api,
    /// Its way to the database.
    pub(super) way: SilentProxy,
    /// A way for notifications on which nothing comes.
    deaf: Option<SilentProxy>,
    process: Option<Process>,
}

impl Nodes {
    /// So many on an empty database, perhaps behind this address, `host:port`.
    pub(super) fn start(options: &Options, follows: Follows, reverse_proxy: Option<&str>) -> Result<Nodes> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let database = Database::make(&options.postgres)?;
        let folder = tempfile::tempdir()?;
        let (binary, reverse_proxy) = (options.binary.clone(), reverse_proxy.map(|address| format!("http://{address}")));
        let mut nodes = Nodes { nodes: Vec::new(), keys: Keys::new("", ""), binary, folder, database, reverse_proxy, runtime };
        let output = nodes
            .command()?
            .args(["init", "--json", "--data-dir"])
            .arg(nodes.folder.path().join("data-0"))
            .output()
            .context("can't start it")?;
        if !output.status.success() {
            bail!("`falconer init` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let init: Value = serde_json::from_slice(&output.stdout).context("`falconer init` printed no JSON")?;
        let text = |key: &str| init.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        nodes.keys = Keys::new(&text("clientId"), &text("accessToken"));
        for number in 0..options.nodes {
            let node = nodes.node(number, follows)?;
            nodes.nodes.push(node);
        }
        Ok(nodes)
    }

    /// Of whoever may do everything.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Where they are, `host:port`.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.api.address.clone()).collect()
    }

    /// The binary with what the servers share: the database, the data directory of the first one, the keys.
    pub(super) fn command(&self) -> Result<Command> {
        let mut command = clean(Command::new(&self.binary));
        let data = self.folder.path().join("data-0");
        command.env("FALCONER_DATABASE_URL", &self.database.url).env("FALCONER_KEY_FILE", data.join("falconer.keys"));
        command.env("FALCONER_DATA_DIR", data);
        Ok(command)
    }

    fn node(&self, number: usize, follows: Follows) -> Result<Node> {
        let proxy = || self.runtime.block_on(SilentProxy::before(self.database.address.clone()));
        let way = proxy();
        let deaf = (follows == Follows::Looking).then(|| {
            let deaf = proxy();
            deaf.fall_silent();
            deaf
        });
        let api = Api { address: "127.0.0.1:0".to_owned(), keys: self.keys.clone() };
        let mut node = Node { api, way, deaf, process: None };
        self.run(&mut node, number)?;
        Ok(node)
    }

    /// Runs the process of a node, at the address where it was before if it has had one.
    fn run(&self, node: &mut Node, number: usize) -> Result<()> {
        let mut command = self.command()?;
        command.args(["serve", "--listen", &node.api.address]);
        command.env("FALCONER_DATA_DIR", self.folder.path().join(format!("data-{number}")));
        command.env("FALCONER_DATABASE_URL", self.database.url_at(&node.way.address.to_string()));
        if let Some(reverse_proxy) = &self.reverse_proxy {
            command.env("FALCONER_HAWK_ORIGINS", format!("[\"{reverse_proxy}\"]")).env("FALCONER_LIMITS__ANNOUNCE_SECONDS", "3");
        }
        if let Some(deaf) = &node.deaf {
            command.env("FALCONER_NOTIFY_URL", self.database.url_at(&deaf.address.to_string()));
        }
        let (process, address) = Process::listening(command)?;
        node.process = Some(process);
        node.api.address = address.replace("localhost", "127.0.0.1");
        let began = Instant::now();
        while let Err(error) = node.api.expect("GET", "/api/auth/v1/scopes/current", None) {
            if began.elapsed() > START_WITHIN {
                return Err(error.context("a server does not answer"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Ends all of them in good order. The database goes with this value.
    pub(super) fn end(mut self) -> Result<()> {
        for node in &mut self.nodes {
            node.process.take().map_or(Ok(()), Process::stop)?;
        }
        Ok(())
    }

    /// From now on what is started is this binary.
    pub(super) fn upgrade(&mut self, binary: &Path) {
        binary.clone_into(&mut self.binary);
    }

    /// Ends one in good order, and starts it again where it was.
    pub(super) fn restart(&mut self, number: usize) -> Result<()> {
        let mut node = self.nodes.remove(number);
        let ended = node.process.take().map_or(Ok(()), Process::stop);
        let started = ended.and_then(|()| self.run(&mut node, number));
        self.nodes.insert(number, node);
        started
    }
}
