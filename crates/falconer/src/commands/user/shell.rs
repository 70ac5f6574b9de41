//! Lines that set variables, in the words of each shell.

use anyhow::Result;

use crate::output;

/// Which shell the lines are for.
#[derive(clap::Args)]
pub struct Shell {
    /// Lines for csh instead of sh
    #[arg(long, group = "shell", conflicts_with = "json")]
    csh: bool,
    /// Lines for fish
    #[arg(long, group = "shell", conflicts_with = "json")]
    fish: bool,
    /// Lines for PowerShell
    #[arg(long, group = "shell", conflicts_with = "json")]
    powershell: bool,
}

impl Shell {
    /// Whether somebody has said which.
    pub fn is_given(&self) -> bool {
        self.csh || self.fish || self.powershell
    }

    /// Prints what sets the variables of published clients. Without a certificate one of before is unset.
    pub fn print_credentials(&self, root_url: &str, client_id: &str, access_token: &str, certificate: &str) -> Result<()> {
        let variables = [
            ("TASKCLUSTER_ROOT_URL", root_url),
            ("TASKCLUSTER_CLIENT_ID", client_id),
            ("TASKCLUSTER_ACCESS_TOKEN", access_token),
            ("TASKCLUSTER_CERTIFICATE", certificate),
        ];
        variables.into_iter().try_for_each(|(name, text)| output::line(&self.line(name, text)))
    }

    /// What sets a variable in the shell; where there is no text, what unsets one that other credentials have left behind.
    pub fn line(&self, name: &str, text: &str) -> String {
        if text.is_empty() {
            return if self.csh {
                format!("unsetenv {name}")
            } else if self.fish {
                format!("set -e {name}")
            } else if self.powershell {
                format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue")
            } else {
                format!("unset {name}")
            };
        }
        let quoted = format!("'{}'", text.replace('\'', "'\\''"));
        if self.csh {
            format!("setenv {name} {quoted}")
        } else if self.fish {
            format!("set -gx {name} '{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
        } else if self.powershell {
            format!("$env:{name} = '{}'", text.replace('\'', "''"))
        } else {
            format!("export {name}={quoted}")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        shell: Shell,
        #[arg(long)]
        json: bool,
    }

    /// A certificate of credentials that the shell had before went along with those that have none, and each call was refused.
    #[test]
    fn what_is_not_there_is_unset_in_each_shell() {
        for (flag, set, unset) in [
            (None, "export A='it'\\''s'", "unset A"),
            (Some("--csh"), "setenv A 'it'\\''s'", "unsetenv A"),
            (Some("--fish"), "set -gx A 'it\\'s'", "set -e A"),
            (Some("--powershell"), "$env:A = 'it''s'", "Remove-Item Env:A -ErrorAction SilentlyContinue"),
        ] {
            let cli = Cli::parse_from(["signin"].into_iter().chain(flag));
            assert!(!cli.json);
            assert_eq!([cli.shell.line("A", "it's"), cli.shell.line("A", "")], [set, unset]);
        }
    }
}
