//! Starts the real binary for a test.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

pub mod browser;
pub mod foreign;
pub mod patience;
pub mod place;
pub mod ports;
pub mod postgres;
pub mod silent_proxy;
pub mod small_disk;
pub mod user;
pub mod world;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use falconer_client::{Client, Credentials};
use patience::{Lines, end_of, output_of, patience};

/// An HTTP client for what the SDK does not show. It only speaks to this machine, but it wants to know its TLS.
pub fn http() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The binary, without the caller's own settings.
pub fn falconer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_falconer"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FALCONER_") || name.starts_with("TASKCLUSTER_")) {
        command.env_remove(name);
    }
    // Nobody's own sessions, and no browser of theirs.
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"] {
        command.env_remove(name);
    }
    command.env("FALCONER_SESSIONS", "/nonexistent/sessions");
    command
}

/// Runs the binary to its end.
pub fn run(args: &[&str]) -> Output {
    output_of(falconer().args(args))
}

/// What `init --json` printed.
pub struct Init {
    pub client_id: String,
    pub access_token: String,
    pub setup_url: String,
}

/// Makes a data directory.
pub fn init(data: &Path) -> Init {
    Init::of(&run(&["init", "--data-dir", data.to_str().unwrap(), "--json"]))
}

impl Init {
    /// What a finished `init --json` printed.
    pub fn of(output: &Output) -> Init {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("init prints JSON");
        let text = |key: &str| value.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        Init { client_id: text("clientId"), access_token: text("accessToken"), setup_url: text("setupUrl") }
    }
}

/// A running server.
pub struct Server {
    pub child: Child,
    pub root_url: String,
    /// What it printed before it listened.
    pub printed: Vec<String>,
}

impl Server {
    /// Serves `data` on a free port.
    pub fn start(data: &Path) -> Server {
        Server::start_with(data, &[])
    }

    /// The same with more arguments.
    pub fn start_with(data: &Path, more: &[&str]) -> Server {
        Server::listen(data, "127.0.0.1:0", more)
    }

    /// Serves `data` at an address whose port the test holds.
    pub fn start_on(data: &Path, address: &str) -> Server {
        Server::listen(data, address, &[])
    }

    fn listen(data: &Path, address: &str, more: &[&str]) -> Server {
        let mut command = falconer();
        command.args(["serve", "--listen", address, "--data-dir"]).arg(data).args(more).stderr(Stdio::null());
        Server::of(command)
    }

    /// Starts a command that serves, and waits until it listens.
    pub fn of(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary can be started");
        let lines = Lines::of(child.stdout.take().unwrap(), &format!("{command:?}"));
        let mut printed = Vec::new();
        let root_url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("serve ended before it listened; it printed {printed:?}"));
            printed.push(line.clone());
            if let Some(url) = line.strip_prefix("listening on ") {
                break url.trim().to_owned();
            }
        };
        Server { child, root_url, printed }
    }

    /// A client of this server.
    pub fn client(&self, init: &Init) -> Client {
        Client::new(&self.root_url).unwrap().with_credentials(Credentials::new(&init.client_id, &init.access_token))
    }

    /// `host:port`
    pub fn address(&self) -> String {
        self.root_url.trim_start_matches("http://").replace("localhost", "127.0.0.1")
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// A signal, by the system's own `kill`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    /// SIGTERM, and the exit code of the end.
    pub fn end(mut self) -> Option<i32> {
        self.terminate();
        end_of(&mut self.child, "a server that was told to end").code()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether the process still lives.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends bytes as they are and reads until the server closes or has answered; gives the status, 0 for no answer.
    pub fn raw(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(patience())).unwrap();
        // The server may refuse before it has read all; then writing fails and the answer is what counts.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split_whitespace().nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        (status, text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
