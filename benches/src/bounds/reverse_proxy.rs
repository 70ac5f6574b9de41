//! A proxy in front of the servers, as an operator has one.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::subjects::process::Process;

const START_WITHIN: Duration = Duration::from_secs(30);

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReverseProxy {
    Nginx,
    Haproxy,
}

/// One that runs; it ends with this value.
pub(super) struct Running {
    /// `host:port`
    pub(super) address: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl ReverseProxy {
    pub(super) fn name(self) -> &'static str {
        match self {
            ReverseProxy::Nginx => "nginx",
            ReverseProxy::Haproxy => "HAProxy",
        }
    }

    fn program(self) -> &'static str {
        match self {
            ReverseProxy::Nginx => "/usr/sbin/nginx",
            ReverseProxy::Haproxy => "/usr/sbin/haproxy",
        }
    }

    /// As docs/scaling.md has it.
    fn settings(self, folder: &Path, address: &str, servers: &[String]) -> String {
        let folder = folder.display();
        match self {
            ReverseProxy::Nginx => {
                let servers: String = servers.iter().map(|server| format!("    server {server} max_fails=0;\n")).collect();
                format!(
                    "daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nworker_processes 1;\nevents {{ worker_connections 4096; }}\nhttp {{\n  access_log off;\n\
                     client_body_temp_path {folder}/body;\n  proxy_temp_path {folder}/proxy;\n  fastcgi_temp_path {folder}/f;\n  uwsgi_temp_path {folder}/u;\n  \
                     scgi_temp_path {folder}/s;\n  keepalive_requests 1000000;\n  upstream falconer {{\n{servers}    keepalive 64;\n  }}\n  server {{\n    \
                     listen {address};\n    location / {{\n      proxy_pass http://falconer;\n      proxy_http_version 1.1;\n      \
                     proxy_set_header Connection \"\";\n      proxy_set_header Host $http_host;\n      proxy_connect_timeout 1s;\n    }}\n  }}\n}}\n"
                )
            }
            ReverseProxy::Haproxy => {
                let servers: String = servers
                    .iter()
                    .enumerate()
                    .map(|(number, server)| format!("  server s{number} {server} check inter 1s fall 3 rise 1\n"))
                    .collect();
                format!(
                    "global\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 120s\n  timeout server 120s\n  option redispatch 1\n  \
                     retries 3\n  retry-on conn-failure\nfrontend public\n  bind {address}\n  default_backend falconer\nbackend falconer\n  balance roundrobin\n  \
                     option httpchk GET /__heartbeat__\n{servers}"
                )
            }
        }
    }
}

/// Where nobody listened a moment ago.
pub(super) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

impl Running {
    /// Starts it before these, at an address of this machine.
    pub(super) fn start(reverse_proxy: ReverseProxy, address: &str, servers: &[String]) -> Result<Running> {
        if !Path::new(reverse_proxy.program()).exists() {
            bail!("{} is not there: install the Debian package of that name, or leave this part out", reverse_proxy.program());
        }
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("settings");
        std::fs::write(&file, reverse_proxy.settings(folder.path(), address, servers))?;
        let mut command = Command::new(reverse_proxy.program());
        match reverse_proxy {
            ReverseProxy::Nginx => command.arg("-p").arg(folder.path()).arg("-c").arg(&file),
            ReverseProxy::Haproxy => command.args(["-db", "-f"]).arg(&file),
        };
        let mut process = Process::started(command)?;
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if process.ended()?.is_some() || began.elapsed() > START_WITHIN {
                let said = std::fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
                bail!("{} did not start: {said}", reverse_proxy.name());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Running { address: address.to_owned(), _process: process, _folder: folder })
    }
}
