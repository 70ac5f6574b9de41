//! Reads the file, then lays the environment over it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::misfit::Misfit;
use super::{environment, near};
use crate::config::Config;
use crate::text_file;

impl Config {
    /// Reads file and environment. `file` is what `--config` named; without it the file that FALCONER_CONFIG names, else `falconer.toml` where there is one.
    pub fn read(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
        let variables: Vec<(String, String)> = variables.collect();
        let table = match Self::file_that_counts(file, &variables) {
            Some(path) => Self::file(&path)?,
            None => toml::Table::new(),
        };
        Self::over(table, variables.into_iter())
    }

    /// The file that [`Config::read`] reads.
    pub fn file_that_counts(named: Option<&Path>, variables: &[(String, String)]) -> Option<PathBuf> {
        let of_environment =
            || variables.iter().find(|(name, text)| name == environment::FILE && !text.is_empty()).map(|(_, text)| text.into());
        let here = || Some(PathBuf::from("falconer.toml")).filter(|path| path.exists());
        named.map(Path::to_path_buf).or_else(of_environment).or_else(here)
    }

    fn over(mut table: toml::Table, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
        for (name, value) in environment::settings(variables)? {
            place(&mut table, &name.split('.').collect::<Vec<_>>(), value)
                .with_context(|| format!("setting {name} from the environment"))?;
        }
        table.try_into().context("a setting of the environment does not fit")
    }

    /// The environment alone, of the variables that `counts` picks.
    pub fn from_environment(counts: impl Fn(&str) -> bool) -> Result<Config> {
        let picked = std::env::vars().filter(|(name, _)| counts(name));
        Self::over(toml::Table::new(), picked)
    }

    /// The file alone is read strictly first, so that an error names its line.
    fn file(path: &Path) -> Result<toml::Table> {
        let text = text_file::read(path, "the configuration")?;
        let wrong =
            |error: &toml::de::Error, meant: &str| anyhow!("in {}, {}{meant}", path.display(), near::in_words(&at_its_place(&text, error)));
        let table: toml::Table = toml::from_str(&text).map_err(|error| wrong(&error, ""))?;
        toml::from_str::<Config>(&text).map_err(|error| {
            let misfit = Misfit::of::<Config>(table.clone().into());
            wrong(&error, &misfit.map(|misfit| misfit.meant(&[])).unwrap_or_default())
        })?;
        Ok(table)
    }
}

/// Where it is wrong, and what. The line itself is not shown beyond its key: it may hold a secret, and this goes to terminals and logs.
fn at_its_place(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim_end();
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message.to_owned() };
    let (number, start) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |end| end + 1));
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let column = before.chars().count() - before.get(..start).map_or(0, |lines| lines.chars().count()) + 1;
    let is_key = |key: &&str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'));
    let key = line.split_once('=').map(|(key, _)| key.trim()).filter(is_key).map(|key| format!(", `{key}`")).unwrap_or_default();
    format!("at line {number}, column {column}{key}:\n{message}")
}

fn place(table: &mut toml::Table, path: &[&str], value: toml::Value) -> Result<()> {
    match path {
        [] => Ok(()),
        [last] => {
            table.insert((*last).to_owned(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let inner = table.entry((*first).to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            place(inner.as_table_mut().with_context(|| format!("{first} is no table"))?, rest, value)
        }
    }
}
