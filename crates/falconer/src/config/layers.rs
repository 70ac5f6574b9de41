//! Reads the file, then lays the environment over it.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Config, environment};
use crate::text_file;

impl Config {
    /// Reads file and environment. `file` is what `--config` named; without it `falconer.toml` is read where there is one.
    pub fn read(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
        let table = match Self::file_that_counts(file) {
            Some(path) => Self::file(path)?,
            None => toml::Table::new(),
        };
        Self::over(table, variables)
    }

    /// The file that [`Config::read`] reads.
    pub fn file_that_counts(named: Option<&Path>) -> Option<&Path> {
        named.or_else(|| Some(Path::new("falconer.toml")).filter(|path| path.exists()))
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
        toml::from_str::<Config>(&text).with_context(|| format!("in {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }
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
