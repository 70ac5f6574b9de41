//! The process that is measured, and what the operating system says of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A server under measurement; ended when dropped.
pub struct Server {
    child: Child,
    /// `host:port`
    pub address: String,
}

impl Server {
    /// Starts `command` and waits for its line `listening on http://host:port`.
    pub fn start(mut command: Command) -> Result<Server> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("can't start the server")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let url = loop {
            let line = lines.next().context("the server ended before it listened")??;
            if let Some(url) = line.strip_prefix("listening on ") {
                break url.trim().to_owned();
            }
        };
        // Whatever it prints later is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Ok(Server { child, address })
    }

    /// CPU time so far, user and system, in microseconds (proc(5), fields utime and stime, in ticks of 10 ms).
    pub fn cpu_us(&self) -> Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit_once(')').context("unreadable /proc stat")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let tick = |index: usize| -> Result<u64> { Ok(fields.get(index).context("short /proc stat")?.parse::<u64>()?) };
        Ok((tick(11)? + tick(12)?) * 10_000)
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("empty VmRSS")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
