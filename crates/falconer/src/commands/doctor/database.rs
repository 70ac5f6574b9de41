//! The database: whether it can be reached, its version, its keys, and the clocks.

use std::path::Path;

use falconer_auth::Clock as _;
use falconer_store::{Damaged, KeyRing, StoreError};
use falconer_store_postgres::{Examined, examine};
use falconer_store_sqlite::copies::look_beside;

use super::finding::{Finding, within};
use crate::config::Config;
use crate::node::{Storage, database_file, key_file, read_keys};
use crate::output;
use crate::system::SystemClock;

/// A clock that differs more from that of the database is wrong, one of the two.
const CLOCKS_MS: i64 = 2_000;
/// What to do where the operating system refuses.
const SERVERS_USER: &str = "run this as the server's user";
/// Falconer refuses to authenticate beyond that.
const BEHIND_MS: i64 = 60_000;
/// And to change anything beyond that.
const AHEAD_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// A question that needs no work takes no longer in the same place.
const SLOW_MS: u128 = 20;
/// A replica that is further behind is no help after a failover.
const LAG_SECONDS: f64 = 10.0;

/// Looks at it. Answers whether a Falconer is there whose schema is this program's.
pub async fn look(config: &Config, findings: &mut Vec<Finding>) -> bool {
    let file = key_file(config);
    let keys = match read_keys(&file) {
        Ok(keys) => Some(keys),
        Err(error) => {
            let todo = match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                Some(std::io::ErrorKind::PermissionDenied) => SERVERS_USER,
                _ => "without it no secret can be opened: restore it, or set key_file",
            };
            findings.push(Finding::wrong("keys", format!("{error:#}"), todo));
            None
        }
    };
    let storage = Storage::of(config);
    match &storage {
        Storage::File { data_dir } => {
            let path = database_file(data_dir);
            if let Some(finding) = absence(&path, path.try_exists()) {
                findings.push(finding);
                return false;
            }
            let (path_there, has_keys) = (path.clone(), keys.is_some());
            let looked = tokio::task::spawn_blocking(move || look_beside(&path_there, keys.as_ref()));
            match within(looked).await {
                Ok(Ok(Ok(found))) => {
                    let damaged = Sealed { opened: found.sealed, unopened: found.unopened, first: found.damaged.first() };
                    findings.push(Finding::ok("database", format!("{}, revision {}", path.display(), found.revision.0)));
                    common(findings, found.missing, found.highest_ms, has_keys.then_some(damaged));
                    found.missing == 0
                }
                Ok(Ok(Err(error))) => broken(findings, &storage, error),
                Ok(Err(error)) => silent(findings, &storage, &error.to_string()),
                Err(why) => silent(findings, &storage, &why),
            }
        }
        Storage::Postgres { url, notify_url } => match within(examine(url, keys.as_ref())).await {
            Ok(Ok(found)) => {
                if found.is_shared && notify_url.is_none() {
                    let said = "something in between gives each transaction another connection, such as pgbouncer in transaction mode, and notify_url is not set: \
                                changes of other servers are found by looking only, and the time limits of statements do not hold";
                    findings.push(Finding::wrong("pooler", said.to_owned(), "set notify_url to the database itself (docs/scaling.md)"));
                }
                postgres(findings, &storage, &found, keys.as_ref())
            }
            Ok(Err(error)) => broken(findings, &storage, error),
            Err(why) => silent(findings, &storage, &why),
        },
    }
}

/// What is wrong where the file can't be found, or where nobody can tell whether it is there.
fn absence(path: &Path, is_there: std::io::Result<bool>) -> Option<Finding> {
    match is_there {
        Ok(true) => None,
        Ok(false) => {
            let todo = "is --data-dir the server's? `falconer init` makes a new one, `falconer restore` brings one back";
            Some(Finding::wrong("database", format!("{} is not there", path.display()), todo))
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Some(Finding::wrong("database", format!("{} may not be read by this user", path.display()), SERVERS_USER))
        }
        Err(error) => Some(Finding::wrong("database", format!("{}: {error}", path.display()), "is --data-dir the server's?")),
    }
}

fn broken(findings: &mut Vec<Finding>, storage: &Storage<'_>, error: StoreError) -> bool {
    let (check, todo) = match &error {
        StoreError::Newer(_) => ("version", "run the version of Falconer that the servers have"),
        StoreError::Denied(_) => ("database", SERVERS_USER),
        StoreError::InTheWay(_)
        | StoreError::InUse(_)
        | StoreError::Corrupt(_)
        | StoreError::Unavailable(_)
        | StoreError::Unknown(_)
        | StoreError::Full(_)
        | StoreError::Fatal(_)
        | StoreError::Stale
        | StoreError::Conflict => ("database", "mend that first, or restore a backup"),
    };
    findings.push(Finding::wrong(check, format!("{:#}", storage.explain(error.into(), None)), todo));
    false
}

fn silent(findings: &mut Vec<Finding>, storage: &Storage<'_>, why: &str) -> bool {
    findings.push(Finding::wrong("database", format!("{}: {why}", storage.shown()), "is it overloaded, or locked by something?"));
    false
}

struct Sealed<'d> {
    opened: usize,
    unopened: usize,
    first: Option<&'d Damaged>,
}

/// What holds of both kinds.
fn common(findings: &mut Vec<Finding>, missing: usize, highest_ms: i64, sealed: Option<Sealed<'_>>) {
    findings.push(match missing {
        0 => Finding::ok("version", format!("the schema is that of this program, {}", env!("CARGO_PKG_VERSION"))),
        _ => Finding::look(
            "version",
            format!("{missing} changes of the schema are missing: it is that of an older version"),
            "the next start of this version makes them; back up before",
        ),
    });
    let (now, behind) = (SystemClock.now_ms(), highest_ms.saturating_sub(SystemClock.now_ms()));
    findings.push(if behind > BEHIND_MS {
        let found = format!("the clock is {} s behind the last change: nobody is authenticated", behind / 1000);
        Finding::wrong("clock", found, "correct the clock; where it is right, the change was made by one ahead: `falconer clock accept`")
    } else if highest_ms > 0 && now.saturating_sub(highest_ms) > AHEAD_MS {
        let found =
            format!("the clock is {} days ahead of the last change: nothing can be changed", now.saturating_sub(highest_ms) / 86_400_000);
        Finding::wrong("clock", found, "correct the clock; where it is right: `falconer clock accept`")
    } else {
        Finding::ok("clock", "it fits the last change".to_owned())
    });
    let Some(Sealed { opened, unopened, first }) = sealed else { return };
    findings.push(match first {
        None => Finding::ok("keys", format!("all of {opened} sealed values open")),
        Some(first) => {
            let found = format!("{unopened} of {opened} sealed values do not open, the first is {}", output::harmless(&first.to_string()));
            let todo = if unopened == opened {
                "this key file is another installation's: put the right one in its place"
            } else {
                "see `falconer repair --dry-run`"
            };
            Finding::wrong("keys", found, todo)
        }
    });
}

fn postgres(findings: &mut Vec<Finding>, storage: &Storage<'_>, found: &Examined, keys: Option<&KeyRing>) -> bool {
    let place = storage.shown();
    let version = format!("{}.{}", found.version / 10_000, found.version % 10_000);
    if found.version < 140_000 {
        findings.push(Finding::wrong("database", format!("{place} is PostgreSQL {version}"), "Falconer needs 14 or newer"));
    }
    let (tls, milliseconds) = (if found.has_tls { "with TLS" } else { "without TLS" }, found.answer.as_millis());
    let summary = format!("{place}, PostgreSQL {version}, {tls}, answers in {milliseconds} ms");
    findings.push(if milliseconds > SLOW_MS {
        Finding::look("database", summary, "each change waits for several answers: is it far away, or overloaded?")
    } else {
        Finding::ok("database", summary)
    });
    if found.is_replica {
        let lag = found.lag_seconds.map_or_else(|| "an unknown time".to_owned(), |lag| format!("{lag:.0} s"));
        let far = if found.lag_seconds.is_some_and(|lag| lag > LAG_SECONDS) { ", and would lose that at a failover" } else { "" };
        let todo = "name the primary in database_url, or all hosts: the one that takes writes is chosen";
        findings.push(Finding::wrong("database", format!("it is a replica, {lag} behind{far}; nothing can be written to it"), todo));
    }
    let (most, open) = found.connections;
    if most.saturating_sub(open) < 10 {
        let found = format!("{open} of {most} connections are open; a server takes nine");
        findings.push(Finding::look("database", found, "raise max_connections, or close what others leave open"));
    }
    for name in &found.off {
        let todo = match name.as_str() {
            "autovacuum" => "turn it on: sessions and uses are updated often, and their tables would grow",
            _ => "turn it on: acknowledged changes could be lost, or pages torn, at a power cut",
        };
        findings.push(Finding::wrong("database", format!("{name} is off"), todo));
    }
    let apart = SystemClock.now_ms().saturating_sub(found.now_ms);
    if apart.saturating_abs() > CLOCKS_MS {
        let found = format!("this machine's clock and the database's are {} ms apart", apart.saturating_abs());
        findings.push(Finding::look("clock", found, "let both follow the same time servers"));
    }
    if !found.is_there {
        findings.push(Finding::wrong(
            "database",
            format!("{place} holds no Falconer"),
            "is database_url the server's? `falconer init` makes one",
        ));
        return false;
    }
    let (opened, damaged) = &found.sealed;
    let sealed = Sealed { opened: *opened, unopened: damaged.len(), first: damaged.first() };
    if let Some(newer) = &found.newer {
        let said = format!("a newer version of Falconer has brought the schema up to date ({})", output::harmless(newer));
        findings.push(Finding::look("version", said, "upgrade this server too: it goes on beside that one"));
    }
    common(findings, found.missing, found.highest_ms, keys.is_some().then_some(sealed));
    found.missing == 0 && !found.is_replica
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    /// Run by a user who may not enter the data directory, it said that the database is not there, and advised to make a new one.
    #[test]
    fn what_may_not_be_read_is_not_said_to_be_missing() {
        let said = |is_there| absence(Path::new("/data/falconer.sqlite"), is_there).map(|finding| finding.json().to_string());
        assert_eq!(said(Ok(true)), None);
        assert!(said(Ok(false)).is_some_and(|said| said.contains("is not there") && said.contains("falconer init")));
        let denied = said(Err(Error::from(ErrorKind::PermissionDenied))).unwrap();
        assert!(denied.contains("may not be read by this user") && denied.contains(SERVERS_USER) && !denied.contains("init"), "{denied}");
    }
}
