//! Settings that are read again while the server runs.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::browser::{Browser, Page};
use crate::support::patience::Lines;
use crate::support::user::{command_with_input, eventually};
use crate::support::{Server, falconer, init};

const PASSWORD: &str = "correct horse battery staple";
const OURS: &str = "[[target]]\nname = 'Our Notes'\ntargets = ['https://notes.example.com/']\n[grant]\nregistered_only = true\n";

/// The tests may themselves run where a hangup is switched off, so it is switched on first.
fn serve(config: &Path) -> Server {
    let plain = falconer();
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP").arg(plain.get_program()).args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config);
    for (name, _) in plain.get_envs() {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    Server::of(command)
}

/// The file had to be followed by a new start, which everybody noticed who was being answered.
#[test]
fn targets_grants_and_the_level_of_the_log_follow_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("falconer.toml"));
    init(&data);
    let write = |rest: &str| std::fs::write(&config, format!("data_dir = {:?}\n{rest}", data.to_str().unwrap())).unwrap();
    write("[log]\nlevel = 'warn'\n");
    let mut server = serve(&config);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    let words = ["account", "create", "ann", "--password-stdin", "--scope", "notes:read", "--data-dir", data.to_str().unwrap()];
    command_with_input(&words, PASSWORD).ok();
    let mut browser = Browser::new(&server);
    eventually("ann signs in", || browser.sign_in("ann", PASSWORD).then_some(()));
    let mut page = |host: &str| -> Page { browser.get(&format!("/?target=https://{host}/&description=A%20test.&scope=notes:read")) };
    assert!(page("notes.example.com").status == 200 && !page("notes.example.com").body.contains("Our Notes"));
    assert_eq!(page("other.example.com").status, 200);

    write(&format!("{OURS}[log]\nlevel = 'info'\n"));
    server.signal("HUP");
    let said = log.with("the settings were read again");
    assert!(said.contains("grant, target, log.level"), "{said}");
    assert!(page("notes.example.com").body.contains("Our Notes"));
    let refused = page("other.example.com");
    assert!(refused.status == 403 || refused.status == 400, "{refused:?}");

    // Half of it would be wrong: nothing of it is taken, and it is said why.
    for (wrong, why) in [
        ("[grant]\nmax_ttl = 'a while'\n", "grant.max_ttl"),
        ("[[target]]\nname = 'Notes'\ntargets = ['no URL']\n", "no URL"),
        ("[log]\nlevel = 'loud'\n", "log.level"),
        ("[[provider]]\nkind = 'oidc'\n", "missing field"),
        ("grant = ", "falconer.toml"),
    ] {
        write(wrong);
        server.signal("USR1");
        let said = log.with("the settings stay as they were");
        assert!(said.contains(why), "{wrong}: {said}");
        assert!(page("notes.example.com").body.contains("Our Notes"));
        assert_ne!(page("other.example.com").status, 200);
    }

    // What is not taken is named, each time, for as long as it differs.
    for _ in 0..2 {
        write(&format!("cache_mib = 16\n{OURS}[log]\nlevel = 'info'\nformat = 'json'\n"));
        server.signal("HUP");
        let said = log.with("count at the next start only");
        assert!(said.contains("cache_mib, log.format"), "{said}");
    }
    assert!(server.lives());
    assert_eq!(server.end(), Some(0));
}
