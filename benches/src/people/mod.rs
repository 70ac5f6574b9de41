//! How many people can sign in, and whether they still can while somebody guesses or a directory hangs: `falconer-bench people`.

mod accounts;
mod directory;
mod directory_hangs;
mod guesses;
mod hashes;
mod in_turn;
mod keycloak;
mod openid;
mod sign_ins;

use std::path::PathBuf;

use anyhow::Result;

use crate::figures::lines::{Line, Table};

/// The options of `falconer-bench people`.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "falconer-bench people",
    about = "Sign-ins a second, sign-ins beside wrong attempts, verification while a directory hangs"
)]
pub struct Options {
    /// The binary to measure
    #[arg(long, env = "FALCONER_BIN")]
    pub binary: PathBuf,
    /// Seconds of each figure
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// What is measured, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Passwords, Part::Openid, Part::Guesses, Part::DirectoryHangs])]
    pub parts: Vec<Part>,
    /// Wrong attempts a second
    #[arg(long, default_value_t = 500.0)]
    pub guesses: f64,
    /// People of the directory that is asked about them
    #[arg(long, default_value_t = 10_000)]
    pub people: usize,
    /// An unpacked Keycloak, such as target/keycloak/keycloak-26.5.6 (`cargo xtask test --only keycloak` has it fetched)
    #[arg(long)]
    pub keycloak: Option<PathBuf>,
    /// Where the table goes, besides standard output
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// Fail where somebody has to wait longer than they may
    #[arg(long)]
    pub must_hold: bool,
}

/// What can be measured.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Sign-ins with a password, beside hashes alone
    Passwords,
    /// Sign-ins with an OpenID provider
    Openid,
    /// Keycloak's own sign-ins with a password; needs `--keycloak`
    Keycloak,
    /// Sign-ins beside wrong attempts
    Guesses,
    /// Verification while a directory takes connections and says nothing
    DirectoryHangs,
    /// Asking OpenLDAP about many people, and verification meanwhile
    Directory,
}

/// Measures, prints the table.
pub fn run(options: &Options) -> Result<()> {
    let mut table = Table::begin(options.markdown.as_deref())?;
    for part in &options.parts {
        let lines = match part {
            Part::Passwords => sign_ins::measure(options)?,
            Part::Openid => openid::measure(options)?,
            Part::Keycloak => keycloak::measure(options)?,
            Part::Guesses => guesses::measure(options)?,
            Part::DirectoryHangs => directory_hangs::measure(options)?,
            Part::Directory => directory::measure(options)?,
        };
        lines.iter().try_for_each(|line| table.add(line))?;
    }
    table.end(options.must_hold)
}
