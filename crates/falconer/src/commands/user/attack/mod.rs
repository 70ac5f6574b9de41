//! `falconer attack URL`: tries on one's own service what goes wrong in practice. `logs.rs` reads what the service wrote meanwhile, `rules.rs` takes
//! routes from a gateway's rules, `text.rs` is the report for people.

mod logs;
mod rules;
mod text;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Result;
use falconer_attack::{Access, Attacker, Error, Outcome, Place, Report, Routes, Transport};
use falconer_client::{Client, Retry};

use super::{ServerOptions, server_url};
use crate::output::{self, Ended, WrongUse};
use crate::text_file;
use logs::LogFiles;

/// Something was found.
const FOUND: u8 = 3;
/// Nothing was found, and something that was asked for could not be tried.
const NOT_TRIED: u8 = 4;

/// `falconer attack URL`
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing found, 1 nobody answers or a file can't be read, 2 wrong use of the command line, 3 something was found, 4 nothing was \
    found, but a route, or with --all an attack, could not be tried."
)]
pub struct Options {
    /// Where the service is: scheme, host and port, such as http://127.0.0.1:8082. Requests go to this host only
    #[arg(required_unless_present = "list")]
    service: Option<String>,
    /// A file that names routes: `[[route]]` with request = "GET /books/red" and scope = "notes:read:red" (or public = true), and for others body = '{"text": "a"}'
    #[arg(long, value_name = "FILE", conflicts_with = "route")]
    routes: Option<PathBuf>,
    /// The rules file of a gateway: a GET of each rule that has GET. With --routes both count
    #[arg(long, value_name = "FILE", conflicts_with = "route")]
    rules: Option<PathBuf>,
    /// With --rules: also a PUT, POST, PATCH or DELETE of each rule that has no GET. It CHANGES what it changes
    #[arg(long, requires = "rules")]
    changes: bool,
    /// What is sent along with these, as application/json
    #[arg(long, value_name = "TEXT", requires = "changes", default_value = "{}")]
    body: String,
    /// What stands for a parameter of a path of --rules, such as book=red; may be repeated
    #[arg(long = "value", value_name = "NAME=VALUE", requires = "rules", value_parser = rules::value)]
    values: Vec<(String, String)>,
    /// One route in place of a file, such as 'GET /books/red'
    #[arg(long, value_name = "REQUEST", requires = "scope")]
    route: Option<String>,
    /// What that route needs: a scope, or an expression in JSON
    #[arg(long, value_name = "SCOPE", requires = "route")]
    scope: Option<String>,
    /// What callers write, and requests are signed for, where it is not the address of the service
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// A file with what a browser that is signed in sends as Cookie, of somebody who may use the routes: then its session is attacked, too
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// A file with what a browser sends as Cookie to another host that has sessions of the same kind, of somebody who may do the same there
    #[arg(long, value_name = "FILE", requires = "session")]
    other_session: Option<PathBuf>,
    /// A POST to this path signs out, such as /.falconer/sign-out: in the end the session of --session is signed out there, and tried once more
    #[arg(long, value_name = "PATH", requires = "session")]
    sign_out: Option<String>,
    /// Certificates (PEM) of the authorities that the service's own may be from, instead of those that the system trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Speak HTTP/2 to the service: over https by its name there, over http without asking
    #[arg(long)]
    http2: bool,
    /// A log file of the service, or of the proxy in front of it, to look for secrets in; may be repeated
    #[arg(long = "log", value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// The service was started with a root URL at which nobody listens: see only whether it lets nobody in
    #[arg(long, conflicts_with_all = ["logs", "all"])]
    falconer_away: bool,
    /// Send without asking
    #[arg(long)]
    yes: bool,
    /// Say what would be sent, and send nothing to the service
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// End with 4 where any attack could not be tried, whatever the reason
    #[arg(long)]
    all: bool,
    /// List the attacks, and do nothing
    #[arg(long, exclusive = true)]
    list: bool,
    /// The server; by default TASKCLUSTER_ROOT_URL, or that of the present session of the command line
    #[arg(long, value_name = "URL", value_parser = server_url)]
    root_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Asks, attacks, and says what came of it.
pub async fn run(options: Options) -> Result<()> {
    let Some(service) = &options.service else { return text::list() };
    let wrong = |why: String| WrongUse(why);
    let named = routes(&options)?;
    let origin = options.origin.as_deref().or(named.as_ref().and_then(|named| named.origin.as_deref()));
    let mut place = Place::new(service, origin).map_err(wrong)?;
    if let Some(file) = &options.session {
        place = place.with_session(&text_file::read(file, "the session in")?).map_err(wrong)?;
    }
    if let Some(file) = &options.other_session {
        place = place.with_other_session(&text_file::read(file, "the other session in")?).map_err(wrong)?;
    }
    if let Some(path) = &options.sign_out {
        place = place.with_sign_out(path).map_err(wrong)?;
    }
    // Without a route there is still what everybody may ask.
    let routes = match &named {
        Some(named) => named.routes.clone(),
        None => Routes::parse("[[route]]\nrequest = \"GET /\"\npublic = true\n").map_err(|wrong| WrongUse(wrong.join("; ")))?.routes,
    };
    let guarded = routes.iter().filter(|route| matches!(route.access, Access::Needs(_))).count();
    let server = ServerOptions::at(options.root_url.clone());
    let client = Client::new(&server.root_url()?)?.with_retry(Retry { tries: 2, ..Retry::default() });
    let operator = server.chosen()?.credentials;
    let falconer = client.root_url().to_owned();
    let ca_pem = options.ca.as_ref().map(|file| text_file::read(file, "the certificates in")).transpose()?;
    let transport = Transport { ca_pem, http2: options.http2 };
    let attacker = Attacker::prepare(place.clone(), &transport, routes, client, operator).await.map_err(unprepared)?;

    let plan = text::plan(&place, &falconer, &attacker, &options.logs);
    if options.dry_run {
        return output::line(&plan);
    }
    if !options.yes {
        agreed(&plan)?;
    }
    let report = match options.falconer_away {
        true => attacker.run_while_falconer_is_away().await?,
        false => attacker.run(&mut LogFiles::at_their_end(&options.logs)).await?,
    };
    if options.json {
        let summary = serde_json::json!({
            "service": place.address, "origin": place.origin, "falconer": falconer,
            "findings": report.count(Outcome::Finding), "notes": report.count(Outcome::Note), "held": report.count(Outcome::Held),
            "notTried": report.count(Outcome::NotTried), "unusableRoutes": report.unusable_routes, "rows": report.rows,
        });
        output::json(&summary)?;
    } else {
        text::report(&report)?;
    }
    ended(&report, guarded, options.all || options.falconer_away)
}

/// Those of the rules, and those of the file.
fn routes(options: &Options) -> Result<Option<Routes>> {
    let named = named(options)?;
    let Some(file) = &options.rules else { return Ok(named) };
    let changes = options.changes.then_some(options.body.as_str());
    let of_rules = rules::routes(&text_file::read(file, "the rules")?, &options.values, changes)?;
    Ok(Some(match named {
        Some(named) => Routes { routes: [of_rules.routes, named.routes].concat(), origin: named.origin.or(of_rules.origin) },
        None => of_rules,
    }))
}

fn named(options: &Options) -> Result<Option<Routes>> {
    match (&options.routes, &options.route, &options.scope) {
        (Some(file), ..) => {
            let text = text_file::read(file, "the routes")?;
            let named = Routes::parse(&text).map_err(|wrong| {
                let lines: Vec<String> = wrong.iter().map(|one| one.replacen("line ", &format!("{}:", file.display()), 1)).collect();
                anyhow::anyhow!("{}", lines.join("\n"))
            })?;
            Ok(Some(named))
        }
        (None, Some(route), Some(scope)) => Ok(Some(Routes::one(route, scope).map_err(WrongUse)?)),
        _ => Ok(None),
    }
}

/// What the client says of itself is told with what to do about it; the rest is a sentence already.
fn unprepared(error: Error) -> anyhow::Error {
    match error {
        Error::Client(error) => error.into(),
        Error::Settings(why) => WrongUse(why).into(),
        error => error.into(),
    }
}

/// Asks whoever sits at the terminal.
fn agreed(plan: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(WrongUse("nobody can be asked whether this may be sent: --yes sends it, --dry-run says what it is".to_owned()).into());
    }
    eprint!("{plan}\n\nIs this your service, and may all of this be sent to it? [y/N] ");
    std::io::stderr().flush()?;
    let mut said = String::new();
    std::io::stdin().lock().read_line(&mut said)?;
    if matches!(said.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Ended { code: 1, said: "nothing was sent".to_owned() }.into())
}

/// The exit code, with what it is for.
fn ended(report: &Report, guarded: usize, all: bool) -> Result<()> {
    let (findings, untried) = (report.count(Outcome::Finding), report.count(Outcome::NotTried));
    let end = |code: u8, said: String| Err(Ended { code, said }.into());
    if findings > 0 {
        return end(FOUND, format!("{findings} {}", if findings == 1 { "finding" } else { "findings" }));
    }
    if guarded == 0 {
        return end(
            NOT_TRIED,
            "no route that needs a scope was named (--routes, --rules), so that most attacks could not be tried".to_owned(),
        );
    }
    if !report.unusable_routes.is_empty() {
        let routes = report.unusable_routes.len();
        return end(NOT_TRIED, format!("nothing was found, but {routes} of the routes could not be tried"));
    }
    if all && untried > 0 {
        return end(NOT_TRIED, format!("nothing was found, but {untried} attacks could not be tried"));
    }
    Ok(())
}
