//! pgbouncer in transaction mode, for tests: in front of a PostgreSQL, for whoever may sign in there, thrown away at the end.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::postgres::{START, TAKEN, Watched, folder_in_reach, give_away, unprivileged};

/// Names the same server as `FALCONER_TEST_POSTGRES`, by the way through pgbouncer. Where it is set, none is started.
pub const VARIABLE: &str = "FALCONER_TEST_PGBOUNCER";
const PROGRAM: &str = "/usr/sbin/pgbouncer";

pub fn is_there() -> bool {
    Path::new(PROGRAM).exists() || std::env::var(VARIABLE).is_ok_and(|url| !url.is_empty())
}

/// One that runs; it ends with this value.
pub struct Pooler {
    _watched: Watched,
    /// As what [`VARIABLE`] wants.
    pub url: String,
}

impl Pooler {
    /// Starts it before the server of a URL, `postgres://user:password@host:port/...`, whose user may read who may sign in with which password.
    pub fn before(postgres: &str) -> Result<Pooler> {
        loop {
            match Pooler::start_once(postgres) {
                Err(error) if error.to_string().contains(TAKEN) => {}
                started => return started,
            }
        }
    }

    fn start_once(postgres: &str) -> Result<Pooler> {
        let (user, password, host, port) = parts(postgres).context("the URL of PostgreSQL names no user, password, host and port")?;
        let own = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = folder_in_reach("falconer-pgbouncer")?;
        let started = write(&folder, "users", &format!("\"{user}\" \"{password}\"\n"))
            .and_then(|users| write(&folder, "pgbouncer.ini", &settings(&users, user, host, port, own)))
            .and_then(|file| {
                give_away(&folder)?;
                let mut words = unprivileged(Path::new(PROGRAM));
                words.push(file.into());
                Watched::start(&folder, words)
            });
        let mut watched = started.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
        let until = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", own)).is_err() {
            if watched.has_ended()? || Instant::now() > until {
                bail!("pgbouncer did not start; its log says:\n{}", watched.log());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(Pooler { _watched: watched, url: postgres.replace(&format!("@{host}:{port}/"), &format!("@127.0.0.1:{own}/")) })
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let file = folder.join(name);
    std::fs::File::create(&file)?.write_all(text.as_bytes()).with_context(|| file.display().to_string())?;
    Ok(file)
}

/// Few connections to the database, so that each goes from one server of a test to another all the time. Whoever the database knows may come: their passwords
/// are asked for there.
fn settings(users: &Path, user: &str, host: &str, port: &str, own: u16) -> String {
    format!(
        "[databases]\n* = host={host} port={port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own}\nunix_socket_dir =\npool_mode = transaction\n\
         auth_type = scram-sha-256\nauth_file = {}\nauth_user = {user}\nauth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1\n\
         default_pool_size = 6\nmax_client_conn = 500\nserver_idle_timeout = 2\n",
        users.display()
    )
}

fn parts(url: &str) -> Option<(&str, &str, &str, &str)> {
    let (user, place) = url.split_once("://")?.1.split_once('@')?;
    let ((user, password), (host, port)) = (user.split_once(':')?, place.split('/').next()?.split_once(':')?);
    Some((user, password, host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = "postgres://postgres:secret@127.0.0.1:5433/postgres?sslmode=disable";
        assert_eq!(parts(url), Some(("postgres", "secret", "127.0.0.1", "5433")));
        assert_eq!(parts("postgres://postgres@127.0.0.1/postgres"), None);
    }
}
