//! A PostgreSQL for tests: a cluster of its own in the target folder, thrown away at the end; and `cargo xtask postgres`, which runs one by hand.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::run::{target, works};

/// Names a server on which tests may make schemas and databases. Where it is set, none is started.
pub const VARIABLE: &str = "FALCONER_TEST_POSTGRES";
/// How long a new server may take until it answers.
const START: Duration = Duration::from_secs(60);

/// The folder of the newest PostgreSQL's programs: Debian keeps them out of the path.
pub fn programs() -> Option<PathBuf> {
    let version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let debian =
        std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let elsewhere = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let there = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    debian.filter(there).max_by_key(version).or_else(|| elsewhere.into_iter().find(there))
}

/// A server that ends, with all that it holds, when this value does.
pub struct Server {
    child: Child,
    folder: PathBuf,
    /// As what [`VARIABLE`] wants.
    pub url: String,
}

impl Server {
    /// Makes a cluster and starts it on a free port of this machine, with synchronisation on, as in production.
    pub fn start() -> Result<Server> {
        let programs = programs().context("no PostgreSQL found: install the Debian package `postgresql`, or set FALCONER_TEST_POSTGRES")?;
        let folder = target().join(format!("postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let prepared = prepare(&programs, &folder);
        let started = prepared.and_then(|password| {
            let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let log = std::fs::File::create(folder.join("log"))?;
            let mut command = unprivileged(&programs.join("postgres"));
            command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
            command.args(["-c", "unix_socket_directories=", "-c", "max_connections=300"]).stdin(Stdio::null());
            let child = command.current_dir(&folder).stdout(log.try_clone()?).stderr(log).spawn().context("can't start PostgreSQL")?;
            Ok((child, port, password))
        });
        let (child, port, password) = started.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
        let mut server = Server { child, folder, url: format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=disable") };
        server.wait(&programs, port)?;
        Ok(server)
    }

    fn wait(&mut self, programs: &Path, port: u16) -> Result<()> {
        let ready = programs.join("pg_isready").to_string_lossy().into_owned();
        let until = Instant::now() + START;
        while !works(&ready, &["-q", "-h", "127.0.0.1", "-p", &port.to_string()]) {
            if self.child.try_wait()?.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("PostgreSQL did not start; its log says:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The immediate shutdown: what is thrown away needs no checkpoint, which takes long after many schemas.
        works("kill", &["-QUIT", &self.child.id().to_string()]);
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Makes the cluster; the answer is the password of its superuser.
fn prepare(programs: &Path, folder: &Path) -> Result<String> {
    let mut bytes = [0u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let password = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let file = folder.join("password");
    std::fs::write(&file, &password)?;
    if is_root()
        && !(works("chown", &["-R", "postgres:", &folder.to_string_lossy()]) && works("chmod", &["-R", "go=", &folder.to_string_lossy()]))
    {
        bail!("PostgreSQL refuses to run as root, and there is no user `postgres`: run this as another user, or set {VARIABLE}");
    }
    let mut command = unprivileged(&programs.join("initdb"));
    command.arg("-D").arg(folder.join("data")).arg("--pwfile").arg(&file);
    command.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]).current_dir(folder);
    let made = command.stdin(Stdio::null()).output().context("can't run initdb")?;
    if !made.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(password)
}

fn is_root() -> bool {
    works("sh", &["-c", "test \"$(id -u)\" = 0"])
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

/// `cargo xtask postgres`
pub fn run() -> Result<()> {
    let mut server = Server::start()?;
    println!("export {VARIABLE}='{}'\nPostgreSQL runs until Enter or Ctrl-C; then everything in it is gone.", server.url);
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        // Nobody can press Enter: until the server is stopped from outside.
        server.child.wait()?;
    }
    Ok(())
}
