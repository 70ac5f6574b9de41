//! Who is measured: the binary under test on a fresh data directory, or another server of the protocol.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::options::Options;
use crate::requests::api::{Api, Keys};
use crate::subjects::database::Database;
use crate::subjects::process::{self, Process};

/// How long a server may take until it answers.
const START_WITHIN: Duration = Duration::from_secs(120);

/// A server that answers, with credentials that may do everything.
pub struct Subject {
    /// Falconer itself, rather than another server.
    pub ours: bool,
    /// How to ask it.
    pub api: Api,
    launch: Launch,
    running: Option<Process>,
    folder: tempfile::TempDir,
    /// Where the records of the binary under test are, if not in its data directory. After the process, so that nobody uses it when it is removed.
    database: Option<Database>,
    /// The configuration file of the binary under test, from its next start on.
    config: Option<PathBuf>,
}

#[derive(Clone)]
enum Launch {
    Falconer { binary: PathBuf },
    Command { command: String },
    Runs { process: Option<u32> },
}

impl Subject {
    /// The binary under test on an empty data directory.
    pub fn falconer(options: &Options) -> Result<Subject> {
        Subject::of_binary_on(&options.binary, options.postgres.as_deref())
    }

    /// This binary on an empty data directory.
    pub fn of_binary(binary: &Path) -> Result<Subject> {
        Subject::of_binary_on(binary, None)
    }

    /// The same with an empty database on this PostgreSQL.
    pub fn of_binary_on(binary: &Path, postgres: Option<&str>) -> Result<Subject> {
        let folder = tempfile::tempdir()?;
        let binary = binary.to_owned();
        let database = postgres.map(Database::make).transpose()?;
        let mut init = clean(Command::new(&binary));
        if let Some(database) = &database {
            init.env("FALCONER_DATABASE_URL", &database.url);
        }
        let output = init.arg("init").arg("--json").arg("--data-dir").arg(folder.path().join("data")).output().context("can't start it")?;
        if !output.status.success() {
            bail!("`falconer init` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let init: Value = serde_json::from_slice(&output.stdout).context("`falconer init` printed no JSON")?;
        let text = |key: &str| init.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let keys = Keys::new(&text("clientId"), &text("accessToken"));
        let api = Api { address: String::new(), keys };
        let mut subject = Subject { ours: true, api, launch: Launch::Falconer { binary }, running: None, folder, database, config: None };
        subject.start(&[])?;
        Ok(subject)
    }

    /// The other server, if one was asked for.
    pub fn peer(options: &Options) -> Result<Option<Subject>> {
        let Some(url) = &options.server else { return Ok(None) };
        let variable = |name: &str| std::env::var(name).with_context(|| format!("--server needs credentials: set {name}"));
        let keys = Keys::new(&variable("TASKCLUSTER_CLIENT_ID")?, &variable("TASKCLUSTER_ACCESS_TOKEN")?);
        let Some(address) = url.strip_prefix("http://") else { bail!("--server {url}: only http:// can be measured") };
        let address = address.trim_end_matches('/');
        let address = if address.contains(':') { address.to_owned() } else { format!("{address}:80") };
        let launch = match &options.peer_command {
            Some(command) => Launch::Command { command: command.clone() },
            None => Launch::Runs { process: options.peer_pid },
        };
        let api = Api { address, keys };
        let mut subject = Subject { ours: false, api, launch, running: None, folder: tempfile::tempdir()?, database: None, config: None };
        subject.start(&[])?;
        Ok(Some(subject))
    }

    /// Its process, where that is known.
    pub fn process(&self) -> Option<u32> {
        match (&self.running, &self.launch) {
            (Some(process), _) => Some(process.id()),
            (None, Launch::Runs { process }) => *process,
            (None, _) => None,
        }
    }

    /// Resident memory, MB of 2^20 bytes.
    pub fn resident_mb(&self) -> Result<f64> {
        Ok(process::resident_kib(self.process().context("the server's process is not known")?)? as f64 / 1024.0)
    }

    /// The highest that it was since the start.
    pub fn peak_mb(&self) -> Result<f64> {
        Ok(process::peak_kib(self.process().context("the server's process is not known")?)? as f64 / 1024.0)
    }

    /// Whether [`Subject::restart`] can do anything.
    pub fn can_restart(&self) -> bool {
        self.running.is_some()
    }

    /// Ends it and starts it again on the same data with further environment variables; answers the time from the start of the process until
    /// it answered a call.
    pub fn restart(&mut self, env: &[(&str, &str)]) -> Result<Duration> {
        self.running.take().context("a server that runs already can't be restarted")?.stop()?;
        self.start(env)
    }

    /// The same, with this configuration from now on.
    pub fn restart_configured(&mut self, toml: &str) -> Result<Duration> {
        let file = self.folder.path().join("falconer.toml");
        std::fs::write(&file, toml)?;
        self.config = Some(file);
        self.restart(&[])
    }

    /// The folder of this run, on the disk that the server writes to.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The data directory of the binary under test.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The binary under test, told where its records are.
    pub fn command(&self) -> Result<Command> {
        let Launch::Falconer { binary } = &self.launch else { bail!("another server is not administered by this program") };
        let mut command = clean(Command::new(binary));
        command.env("FALCONER_DATA_DIR", self.data_dir());
        if let Some(database) = &self.database {
            command.env("FALCONER_DATABASE_URL", &database.url);
        }
        Ok(command)
    }

    fn start(&mut self, env: &[(&str, &str)]) -> Result<Duration> {
        let began = Instant::now();
        match self.launch.clone() {
            Launch::Falconer { binary } => {
                let mut command = clean(Command::new(binary));
                command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.data_dir()).envs(env.iter().copied());
                if let Some(database) = &self.database {
                    // Nobody stands in front that would have to hear of an end.
                    command.env("FALCONER_DATABASE_URL", &database.url).env("FALCONER_LIMITS__ANNOUNCE_SECONDS", "0");
                }
                if let Some(file) = &self.config {
                    command.arg("--config").arg(file);
                }
                let (process, address) = Process::listening(command)?;
                self.running = Some(process);
                // It says `localhost`, which may be looked up in two families.
                self.api.address = address.replace("localhost", "127.0.0.1");
            }
            Launch::Command { command } => {
                std::fs::create_dir_all(self.data_dir())?;
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("exec {command}")]).env("BENCH_DATA_DIR", self.data_dir()).envs(env.iter().copied());
                self.running = Some(Process::started(shell)?);
            }
            Launch::Runs { .. } => {}
        }
        self.wait(began)?;
        Ok(began.elapsed())
    }

    /// Until a signed call is answered.
    fn wait(&mut self, began: Instant) -> Result<()> {
        loop {
            let answered = self.api.expect("GET", "/api/auth/v1/scopes/current", None);
            match answered {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() > START_WITHIN => return Err(error.context("the server does not answer")),
                Err(_) => {}
            }
            if let Some(ended) = self.running.as_mut().map(Process::ended).transpose()?.flatten() {
                bail!("the server ended before it answered: {ended}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The caller's own settings must not leak into what is measured.
pub(crate) fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("FALCONER_") || name.starts_with("TASKCLUSTER_")) {
            command.env_remove(name);
        }
    }
    command
}
