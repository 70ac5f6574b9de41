//! `falconer doctor`: whether what a server stands on is as it should be, and what to do where it is not. Nothing is changed but a file that is written and removed.
//!
//! `finding.rs` is what a check says, `machine.rs` looks at the configuration, the files and the disk, `database.rs` at the store and the clock, `reached.rs` at the server and what
//! stands before it, `certificate.rs` at how long its certificate holds, `others.rs` at providers and mail.

mod certificate;
mod database;
mod finding;
mod machine;
mod others;
mod reached;

use anyhow::Result;
use serde_json::json;

use self::finding::{Finding, Level};
use crate::commands::operator::LocalOptions;
use crate::output;

/// What `falconer doctor --help` ends with.
const AFTER_HELP: &str = "\
Run it as the server's user, on the server's machine, while the server runs; each check ends within 20 seconds. No secret is printed. It calls the root URL \
as everybody does, through the proxy, with a signature of the root client, which only this very server can verify.\n\n\
Exit codes: 0 all is well, 3 something should be looked at, 4 something is wrong.";

/// `falconer doctor`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    #[command(flatten)]
    local: LocalOptions,
    /// Print one JSON object: worst, and in findings check, level (ok, look, wrong), found, todo
    #[arg(long)]
    json: bool,
}

/// Checks all that can be checked, whatever the first ones come to.
pub async fn run(options: Options) -> Result<()> {
    let mut findings = Vec::new();
    match options.local.config() {
        Err(error) => {
            findings.push(Finding::wrong("configuration", format!("{error:#}"), "mend it: `falconer config check` reads it again"))
        }
        Ok(config) => {
            findings.extend(machine::look(&config).await);
            let current = database::look(&config, &mut findings).await;
            // Opening a database brings its schema up to date, which is for the server to do.
            if current {
                findings.extend(reached::look(&options.local).await);
            } else {
                findings.push(Finding::look("root URL", "not asked: the database comes first".to_owned(), "see above"));
            }
            findings.extend(others::look(&config).await);
        }
    }
    let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
    if options.json {
        output::json(&json!({ "worst": worst.as_str(), "findings": findings.iter().map(Finding::json).collect::<Vec<_>>() }))?;
    } else {
        findings.iter().try_for_each(Finding::print)?;
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let said = format!("{} wrong, {} to look at, {} well", count(Level::Wrong), count(Level::Look), count(Level::Ok));
    match worst {
        Level::Ok => Ok(()),
        Level::Look => Err(output::Ended { code: 3, said }.into()),
        Level::Wrong => Err(output::Ended { code: 4, said }.into()),
    }
}
