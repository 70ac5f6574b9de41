//! The password where the URL has none: `PGPASSWORD`, or a line of the file that `PGPASSFILE` names, as PostgreSQL's own programs read them.

use std::path::Path;

use falconer_store::{Result, StoreError};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use zeroize::Zeroizing;

/// Adds it. `variable` gives what the environment has.
pub(crate) fn add(config: &mut Config, variable: impl Fn(&str) -> Option<String>) -> Result<()> {
    if config.get_password().is_some() {
        return Ok(());
    }
    if let Some(password) = variable("PGPASSWORD").map(Zeroizing::new) {
        config.password(password.as_bytes());
    } else if let Some(file) = variable("PGPASSFILE") {
        check_private(Path::new(&file))?;
        let text = std::fs::read_to_string(&file).map_err(|error| unusable(&file, &error.to_string()))?;
        if let Some(password) = of_file(&Zeroizing::new(text), config) {
            config.password(password.as_bytes());
        }
    }
    Ok(())
}

/// The password of the first line `host:port:database:user:password` that fits. `*` fits everything; `\\` and `\:` stand for themselves.
fn of_file(text: &str, config: &Config) -> Option<Zeroizing<String>> {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        // As libpq has it: a socket is this machine.
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user().unwrap_or_default();
    let wanted = [host.as_str(), port.as_str(), config.get_dbname().unwrap_or(user), user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line);
        let password = Zeroizing::new(fields.get_mut(4).map(std::mem::take)?);
        let fits = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then_some(password)
    })
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut escaped) = (Vec::new(), String::with_capacity(line.len()), false);
    for letter in line.chars() {
        match letter {
            _ if escaped => {
                field.push(letter);
                escaped = false;
            }
            '\\' => escaped = true,
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    fields.push(field);
    fields
}

#[cfg(unix)]
fn check_private(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let shown = file.display().to_string();
    let mode = std::fs::metadata(file).map_err(|error| unusable(&shown, &error.to_string()))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(unusable(&shown, "others may read it: give it the mode 0600")) }
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<()> {
    Ok(())
}

fn unusable(file: &str, why: &str) -> StoreError {
    StoreError::Unavailable(format!("PGPASSFILE: {file}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Config {
        url.parse().unwrap()
    }

    #[test]
    fn the_url_wins_over_the_environment() {
        let of = |url: &str| {
            let mut config = config(url);
            add(&mut config, |name| (name == "PGPASSWORD").then(|| "p@ss:word".to_owned())).unwrap();
            String::from_utf8(config.get_password().unwrap().to_vec()).unwrap()
        };
        assert_eq!(of("postgres://u@h/f"), "p@ss:word");
        assert_eq!(of("postgres://u:own@h/f"), "own");
    }

    #[test]
    fn the_first_line_of_the_file_that_fits_counts() {
        let text = "# h:*:*:*:comment\nother:5432:f:u:no\nh:5433:f:u:port\nh:*:f:u:a\\:b:c\\\\d\n*:*:*:*:last\n";
        let of = |url: &str| of_file(text, &config(url)).map(|found| found.to_string());
        assert_eq!(of("postgres://u@h/f").as_deref(), Some("a:b:c\\d"));
        assert_eq!(of("postgres://u@h:5433/f").as_deref(), Some("port"));
        assert_eq!(of("postgres://v@elsewhere/g").as_deref(), Some("last"));
        assert_eq!(of_file("h:5432:f:u", &config("postgres://u@h/f")), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = std::env::temp_dir().join(format!("falconer-passfile-{}", std::process::id()));
        std::fs::write(&folder, "*:*:*:*:secret\n").unwrap();
        let given = folder.display().to_string();
        let mode = |mode: u32| std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let add = || {
            let mut config = config("postgres://u@h/f");
            add(&mut config, |name| (name == "PGPASSFILE").then(|| given.clone())).map(|()| config.get_password().map(<[u8]>::to_vec))
        };
        mode(0o644);
        assert!(add().unwrap_err().to_string().contains("0600"));
        mode(0o600);
        assert_eq!(add().unwrap(), Some(b"secret".to_vec()));
        std::fs::remove_file(&folder).unwrap();
    }
}
