//! What the operating system says of a process and all that it started.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A process under measurement; ended when dropped.
pub struct Process {
    child: Child,
}

/// How long a process may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(60);

impl Process {
    /// Starts `command` and waits for its line `listening on http://host:port`; answers `host:port`.
    pub fn listening(mut command: Command) -> Result<(Process, String)> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("can't start the server")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let process = Process { child };
        let mut lines = BufReader::new(stdout).lines();
        let url = loop {
            let line = lines.next().context("the server ended before it listened")??;
            if let Some(url) = line.strip_prefix("listening on ") {
                break url.trim().to_owned();
            }
        };
        // Whatever it prints later is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Ok((process, url.trim_start_matches("http://").trim_end_matches('/').to_owned()))
    }

    /// Starts `command`; its output is thrown away.
    pub fn started(mut command: Command) -> Result<Process> {
        Ok(Process { child: command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("can't start the server")? })
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status().context("can't run kill")?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > END_WITHIN {
                bail!("the server did not end within {} s", END_WITHIN.as_secs());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time so far of a process and all below it, user and system, in microseconds (proc(5), fields utime and stime, in ticks of 10 ms).
pub fn cpu_us(root: u32) -> Result<u64> {
    let mut sum = 0;
    for id in tree(root)? {
        if let Some(fields) = stat(id) {
            let tick = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
            sum += (tick(11) + tick(12)) * 10_000;
        }
    }
    Ok(sum)
}

/// How many pages of memory the system gave so far to a process and all below it (proc(5), field minflt).
pub fn minor_faults(root: u32) -> Result<u64> {
    let of = |id| stat(id).and_then(|fields| fields.get(7)?.parse::<u64>().ok()).unwrap_or_default();
    Ok(tree(root)?.into_iter().map(of).sum())
}

/// CPU time so far of the threads of a process, in nanoseconds (the first figure of `/proc/<id>/task/<id>/schedstat`). Threads that have ended do not count.
pub fn cpu_ns(process: u32) -> Result<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{process}/task")).context("this needs /proc")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        sum += text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(sum)
}

/// Resident memory of a process and all below it, KiB.
pub fn resident_kib(root: u32) -> Result<u64> {
    Ok(tree(root)?.into_iter().map(|id| status_kib(id, "VmRSS:").unwrap_or_default()).sum())
}

/// The highest resident memory that a process ever had, summed over it and all below it, KiB.
pub fn peak_kib(root: u32) -> Result<u64> {
    Ok(tree(root)?.into_iter().map(|id| status_kib(id, "VmHWM:").unwrap_or_default()).sum())
}

fn status_kib(id: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find(|line| line.starts_with(field))?.split_whitespace().nth(1)?.parse().ok()
}

/// The fields of `/proc/<id>/stat` after the name: the first is the state, the second the parent.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// A process and its descendants; processes that end meanwhile are passed over.
fn tree(root: u32) -> Result<Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").context("this needs /proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = stat(id).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut all = vec![root];
    let mut at = 0;
    while let Some(id) = all.get(at).copied() {
        all.extend(children.remove(&id).unwrap_or_default());
        at += 1;
    }
    if stat(root).is_none() {
        bail!("process {root} is gone");
    }
    Ok(all)
}
