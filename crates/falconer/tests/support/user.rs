//! A user's shell: the binary with a server and credentials in the environment.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use falconer_client::Credentials;

use super::falconer;
#[allow(unused_imports, reason = "each test file uses a part of it")]
pub use super::patience::eventually;
use super::patience::{output_of, output_of_child};

/// What a command did.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Done { code: output.status.code().expect("not killed"), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Done {
    /// What it printed as JSON; it succeeded.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It succeeded; what it printed.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// It ended with this code, said nothing on stdout and this on stderr.
    pub fn refused(&self, code: i32, words: &str) {
        assert!(self.code == code && self.out.is_empty() && self.err.contains(words), "wanted {code} and {words:?}: {self:?}");
    }
}

/// Runs a command to its end.
pub fn command(args: &[&str]) -> Done {
    output_of(falconer().args(args).stdin(Stdio::null())).into()
}

/// The same with a text on stdin.
pub fn command_with_input(args: &[&str], input: &str) -> Done {
    let mut child = falconer().args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    output_of_child(child, &format!("{args:?}")).into()
}

/// `falconer WORDS... --data-dir DATA`
pub fn local(data: &Path, words: &[&str]) -> Done {
    command(&[words, &["--data-dir", data.to_str().unwrap()]].concat())
}

/// A shell with a server and, perhaps, credentials.
pub struct Shell {
    variables: Vec<(&'static str, String)>,
}

impl Shell {
    pub fn at(root_url: &str) -> Shell {
        Shell { variables: vec![("TASKCLUSTER_ROOT_URL", root_url.to_owned())] }
    }

    pub fn with(root_url: &str, credentials: &Credentials) -> Shell {
        let mut shell = Shell::at(root_url);
        shell.variables.push(("TASKCLUSTER_CLIENT_ID", credentials.client_id().to_owned()));
        shell.variables.push(("TASKCLUSTER_ACCESS_TOKEN", credentials.access_token().expose().to_owned()));
        if let Some(certificate) = credentials.certificate() {
            shell.variables.push(("TASKCLUSTER_CERTIFICATE", certificate.to_owned()));
        }
        shell
    }

    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| *known != name);
    }

    pub fn run(&self, args: &[&str]) -> Done {
        output_of(falconer().args(args).envs(self.variables.iter().cloned()).stdin(Stdio::null())).into()
    }
}
