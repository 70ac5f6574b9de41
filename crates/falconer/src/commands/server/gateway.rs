//! `falconer gateway`: protects a service that cannot be changed.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use falconer_gateway::rules::{Access, Cases, Place, Problems, Rules};
use falconer_gateway::{InUse, Key, Served};

use super::serve::{Hangup, Rereads, bind, cannot_listen, shutdown};
use crate::config::Log;
use crate::text_file;
use crate::{log, output};

/// The gateway.
#[derive(clap::Subcommand)]
pub enum Gateway {
    /// Answer the questions of a proxy, or be the proxy, until SIGTERM or Ctrl-C
    Run {
        /// The rules file, such as gateway.toml
        rules: PathBuf,
        /// Address and port in place of the file's `listen`; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Read a rules file, say what is wrong with it, and show what each request needs
    Check {
        /// The rules file, such as gateway.toml
        rules: PathBuf,
    },
    /// Try a table of requests on a rules file, without any server
    Test {
        /// The rules file, such as gateway.toml
        rules: PathBuf,
        /// The cases: `[[case]]` with request = "GET /books/red", scopes = ["notes:read:red"] and expect = "allowed" (or public, denied, no-rule, bad-request)
        cases: PathBuf,
    },
}

/// Runs one of them.
pub async fn run(command: Gateway) -> Result<()> {
    match command {
        Gateway::Run { rules, listen } => serve(&rules, listen).await,
        Gateway::Check { rules } => check(&rules),
        Gateway::Test { rules, cases } => test(&rules, &cases),
    }
}

async fn serve(file: &Path, listen: Option<String>) -> Result<()> {
    let rules = read(file)?;
    let _log = log::start(&Log::default())?;
    let Some(place) = &rules.settings.place else {
        bail!("{}: it has neither `proxy`, such as proxy = \"nginx\", nor `upstream`", file.display());
    };
    let place = match place {
        Place::Beside(dialect) => format!("beside a proxy of the kind {dialect:?}").to_lowercase(),
        Place::InFrontOf(upstream) => format!("in front of http://{upstream}"),
    };
    let address = listen.unwrap_or_else(|| rules.settings.listen.clone());
    let metrics = match &rules.settings.metrics_listen {
        Some(metrics) => Some(bind(metrics).await.map_err(|error| cannot_listen("metrics_listen", &error, metrics))?),
        None => None,
    };
    let origins = rules.origins.join(", ");
    let in_use = InUse::new(gateway_of(file, rules)?);
    let listener = bind(&address).await.map_err(|error| cannot_listen("listen", &error, &address))?;
    let hangup = Hangup::of_a_service();
    let (shutdown, rereads) = (shutdown(hangup)?, Rereads::expect(hangup)?);
    output::line(&format!("protects {origins}, {place}"))?;
    output::line(&format!("listening on http://{}", listener.local_addr()?))?;
    if let Some(metrics) = &metrics {
        output::line(&format!("metrics on http://{}/metrics", metrics.local_addr()?))?;
    }
    let serving = falconer_gateway::serve(listener, metrics, in_use.clone(), shutdown);
    let served = tokio::select! {
        served = serving => served,
        () = read_again(file, &in_use, rereads) => return Ok(()),
    };
    match served {
        Served::Done => Ok(()),
        Served::CutOff => bail!("some requests took too long to end"),
        Served::NoPlace => bail!("{}: it has neither `proxy` nor `upstream`", file.display()),
    }
}

fn gateway_of(file: &Path, rules: Rules) -> Result<falconer_gateway::Gateway> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let key = match &rules.settings.session {
        Some(_) => Some(Key::read_or_make(&folder.join(&rules.settings.key_file))?),
        None => None,
    };
    let caller_key = Key::read_or_make(&folder.join(&rules.settings.caller_key_file))?;
    Ok(falconer_gateway::Gateway::new(rules, key.as_ref(), caller_key)?)
}

/// At each SIGUSR1, or SIGHUP without a terminal. Not whenever the file changes: half of a file can be rules too, with a wide public one and without what narrows it.
async fn read_again(file: &Path, in_use: &InUse, mut rereads: Rereads) {
    loop {
        rereads.next().await;
        let replaced = read(file).and_then(|rules| Ok(in_use.replace(gateway_of(file, rules)?)?));
        match replaced {
            Ok(()) => tracing::info!(file = %file.display(), "the rules were read again"),
            Err(error) => tracing::error!("the rules stay as they were: {error:#}"),
        }
    }
}

fn check(file: &Path) -> Result<()> {
    let rules = read(file)?;
    let rows = rules.table.rules().iter().map(|rule| {
        let needs = match &rule.access {
            Access::Public => "public".to_owned(),
            Access::Needs(needs) => serde_json::to_string(&needs.written).unwrap_or_default(),
        };
        vec![rule.methods.to_string(), rule.pattern.text().to_owned(), needs]
    });
    output::line("The rules are fine.")?;
    output::table(&["methods", "path", "needs"], &rows.collect::<Vec<_>>())
}

fn test(file: &Path, cases: &Path) -> Result<()> {
    let rules = read(file)?;
    let text = text_file::read(cases, "the cases")?;
    let tried = Cases::parse(&text).map_err(|problems| of_file(cases, &problems))?.try_on(&rules.table);
    for different in &tried.different {
        output::line(&format!("{}:{}: {}", cases.display(), different.line, different.text))?;
    }
    match tried.different.len() {
        0 => output::line(&format!("{} cases came out as they say.", tried.cases)),
        1 => bail!("1 of {} cases came out otherwise", tried.cases),
        different => bail!("{different} of {} cases came out otherwise", tried.cases),
    }
}

fn read(file: &Path) -> Result<Rules> {
    let text = text_file::read(file, "the rules file")?;
    Rules::parse(&text).map_err(|problems| of_file(file, &problems))
}

/// Each mistake in the form that editors jump to.
fn of_file(file: &Path, problems: &Problems) -> anyhow::Error {
    let lines: Vec<String> = problems.0.iter().map(|problem| format!("{}:{}: {}", file.display(), problem.line, problem.text)).collect();
    anyhow!(lines.join("\n"))
}
