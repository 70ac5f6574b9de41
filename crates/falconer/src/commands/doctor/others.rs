//! Identity providers, directories and the mail server.

use falconer_auth::Clock as _;
use falconer_login::ProviderError;

use super::finding::{Finding, within};
use crate::commands::user::tls_problem;
use crate::config::Config;
use crate::node::providers;
use crate::system::SystemClock;

/// What one of them says of itself.
type Probed = Result<Result<Vec<(&'static str, String)>, ProviderError>, String>;

pub async fn look(config: &Config) -> Vec<Finding> {
    let configured = match providers(config) {
        Ok(configured) => configured,
        Err(error) => return vec![Finding::wrong("providers", format!("{error:#}"), "mend it: `falconer config check` reads it again")],
    };
    let mut findings = Vec::new();
    if let Some(mailer) = &configured.mailer {
        let probed = within(mailer.probe()).await.map(|probed| probed.map_err(ProviderError::from));
        findings.push(judged("mail", "the mail server", probed, "nothing can be mailed"));
    }
    for provider in &configured.sign_in {
        let probed = within(provider.kind.probe(SystemClock.now_ms())).await;
        findings.push(judged("providers", &provider.name, probed, "nobody can sign in with it"));
    }
    for directory in &configured.directories {
        let probed = within(directory.kind.probe(SystemClock.now_ms())).await;
        findings.push(judged("providers", &directory.name, probed, "it adds nothing"));
    }
    findings
}

fn judged(check: &'static str, name: &str, probed: Probed, else_: &str) -> Finding {
    match probed {
        Ok(Ok(_)) => Finding::ok(check, format!("{name} answers")),
        Ok(Err(error)) => {
            let todo = error.tls_fault().map_or("`falconer config check --providers` asks again, and says more", tls_problem);
            Finding::wrong(check, format!("{name}: {error}; {else_}"), todo)
        }
        Err(why) => Finding::wrong(check, format!("{name}: {why}; {else_}"), "is it reachable from this machine?"),
    }
}
