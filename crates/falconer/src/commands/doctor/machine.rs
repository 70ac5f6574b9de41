//! The configuration, the files of the data directory, and the disk under them.

use std::io::Write as _;
use std::path::Path;

use falconer_auth::Random as _;

use super::finding::Finding;
use crate::config::Config;
use crate::node::warnings;
use crate::output::shell_word;
use crate::system::SystemRandom;

/// Less room than this is for a few days at most.
const LITTLE_ROOM: u64 = 256 * 1024 * 1024;

pub async fn look(config: &Config) -> Vec<Finding> {
    let origin = config.default_origin().map(|origin| origin.as_str().to_owned()).unwrap_or_default();
    let mut findings: Vec<Finding> = warnings(config, &origin)
        .into_iter()
        .map(|warning| Finding::look("configuration", warning, "see above; `falconer config check` says it too"))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok("configuration", "nothing in it or in the modes of the files needs a look".to_owned()));
    }
    if origin.starts_with("https://") && config.trusted_proxies.is_empty() {
        findings.push(Finding::look(
            "proxy",
            "root_url is https, and trusted_proxies is empty: every request counts as sent from the address of the proxy, so that limits hit all at once".to_owned(),
            "name the addresses of your proxies in trusted_proxies",
        ));
    }
    findings.push(disk(&config.data_dir));
    findings
}

/// Writes a little, as the server does, and looks how much room is left.
fn disk(folder: &Path) -> Finding {
    let shown = shell_word(&folder.display().to_string());
    let mut number = [0_u8; 8];
    SystemRandom.fill(&mut number);
    let probe = folder.join(format!(".falconer-doctor-{:016x}", u64::from_be_bytes(number)));
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&probe).and_then(|mut file| {
        file.write_all(&[0; 4096])?;
        file.sync_all()
    });
    let _ = std::fs::remove_file(&probe);
    if let Err(error) = written {
        let todo = match error.kind() {
            std::io::ErrorKind::StorageFull => "make room on it",
            std::io::ErrorKind::ReadOnlyFilesystem => "mount it for writing; after errors of the disk, replace it first",
            std::io::ErrorKind::PermissionDenied => "run this as the server's user; if this is it, give it the data directory",
            std::io::ErrorKind::NotFound => "is --data-dir the server's? `falconer init` makes one",
            _ => "look at the disk: the server ends where it can't write",
        };
        return Finding::wrong("disk", format!("nothing can be written to {shown}: {error}"), todo);
    }
    match rustix::fs::statvfs(folder) {
        Ok(found) => {
            let (room, inodes) = (found.f_bavail.saturating_mul(found.f_frsize), found.f_favail);
            let mib = room / 1024 / 1024;
            if room < LITTLE_ROOM || (found.f_files > 0 && inodes < 100) {
                let text = format!("{mib} MiB and {inodes} files are left for {shown}");
                return Finding::look("disk", text, "make room: on a full disk nothing can be changed, while verification goes on");
            }
            Finding::ok("disk", format!("{shown} can be written and synchronised, {mib} MiB are left"))
        }
        Err(error) => Finding::look("disk", format!("how much room is left for {shown} can't be told: {error}"), "look with `df`"),
    }
}
