//! `falconer serve --demo`: Falconer on `localhost`, an example service on `127.0.0.1`, and a person, all on this machine.
//!
//! Cookies ignore ports, so the two sites have different host names: what the service sees is what a service elsewhere would see.

#[cfg(not(feature = "demo"))]
pub async fn run(_: super::serve::Options) -> anyhow::Result<()> {
    anyhow::bail!("this falconer was built without its demo (cargo feature `demo`)")
}

#[cfg(feature = "demo")]
pub use with_notes::run;

#[cfg(feature = "demo")]
mod with_notes {
    use std::path::{Path, PathBuf};

    use anyhow::{Context, Result, bail};
    use falconer_auth::Random;
    use falconer_login::NewAccount;
    use tokio::net::TcpListener;

    use super::super::serve::{self, Options};
    use crate::config::Config;
    use crate::node::{Access, Node, note_root_url, private_folder, write_private};
    use crate::output::{self, WrongUse};
    use crate::system::SystemRandom;

    /// What the person of the demo may do besides what every signed-in person may.
    const SCOPES: &[&str] = &["notes:read:*", "notes:write:*"];
    const NAME: &str = "demo";
    const ACTOR: &str = "falconer serve --demo";

    pub async fn run(options: Options) -> Result<()> {
        let data_dir = options.data_dir.clone().unwrap_or_else(|| PathBuf::from(".demo"));
        let log = Config::from_environment(|name| name.starts_with("FALCONER_LOG__"))?.log;
        let config = Config { data_dir, log, ..Config::default() };
        let (log, _) = crate::log::start(&config.log)?;
        let ours = free_port(options.listen.as_deref().unwrap_or("127.0.0.1:8080")).await?;
        let notes = free_port(if options.listen.is_some() { "127.0.0.1:0" } else { "127.0.0.1:8081" }).await?;
        claim(&config.data_dir)?;
        let origin = falconer_web::PublicOrigin::parse(&format!("http://localhost:{}", ours.local_addr()?.port()))?;
        let notes_origin = format!("http://127.0.0.1:{}", notes.local_addr()?.port());

        let node = Node::open(&config, serve::auth_origin(&origin)?, Access::Alone, true).await?;
        if !node.auth.is_installed() {
            node.auth.fresh_install(false).await?;
        }
        let password = person(&node).await?;
        note_root_url(&config.data_dir, origin.as_str())?;

        let signals = serve::Signals::expect(serve::Hangup::of_a_command())?;
        let first = signals.clone().first();
        let settings = falconer_notes::Settings { public_origin: notes_origin.clone(), falconer_root_url: origin.as_str().to_owned() };
        let service = tokio::spawn(falconer_notes::serve(notes, settings, async {
            first.await;
        }));
        if options.json {
            let said = serde_json::json!({"listening": origin.as_str(), "notes": notes_origin, "name": NAME, "password": password});
            output::line(&said.to_string())?;
        } else {
            output::line(&format!("A service that is not part of Falconer:  {notes_origin}"))?;
            output::line(&format!("Sign in there as                         {NAME}"))?;
            output::line(&format!("with the password                        {password}"))?;
            output::line(&format!("listening on {}", origin.as_str()))?;
        }
        serve::serve(&config, node, origin, serve::Listeners { public: ours, metrics: None }, &log, signals).await?;
        service.await.context("the example service ended")?.context("the example service")
    }

    /// The demo makes a person with a printed password, so it keeps away from a data directory that is in earnest.
    fn claim(data_dir: &Path) -> Result<()> {
        let mark = data_dir.join("this-is-a-demo");
        if mark.exists() {
            return Ok(());
        }
        private_folder(data_dir)?;
        let mut content = std::fs::read_dir(data_dir).with_context(|| format!("can't read {}", data_dir.display()))?;
        if content.next().is_some() {
            bail!("{} is not empty and was not made by the demo: give another --data-dir", data_dir.display());
        }
        write_private(&mark, "Made by `falconer serve --demo`; delete this folder to start afresh.\n")
    }

    /// The wanted port of loopback, or the next free one.
    async fn free_port(wanted: &str) -> Result<TcpListener> {
        let mut address: std::net::SocketAddr =
            wanted.parse().with_context(|| format!("`{wanted}` is no address such as 127.0.0.1:8080"))?;
        if !address.ip().is_loopback() {
            let wrong = "the demo runs on loopback only, because its password is printed: leave --listen out, or give something like 127.0.0.1:8080";
            return Err(WrongUse(wrong.to_owned()).into());
        }
        for _ in 0..100 {
            match TcpListener::bind(address).await {
                Ok(listener) => return Ok(listener),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => address.set_port(address.port().saturating_add(1)),
                Err(error) => return Err(serve::cannot_listen("--listen", &error, &address.to_string())),
            }
        }
        bail!("no free port from {wanted} on")
    }

    /// Makes the person, or gives the one of an earlier start a new password.
    async fn person(node: &Node) -> Result<String> {
        let mut bytes = [0_u8; 16];
        SystemRandom.fill(&mut bytes);
        let password: String = falconer_credentials::slugid(bytes).chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        let known = node.login.accounts().await?.into_iter().any(|account| account.name == NAME && !account.deleted);
        if known {
            node.login.set_password(ACTOR, NAME, &password, false).await?;
        } else {
            let account = NewAccount {
                name: NAME.to_owned(),
                display_name: "Demo Person".to_owned(),
                email: Some("demo@example.com".to_owned()),
                groups: Vec::new(),
                scopes: SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            };
            node.login.create_account(ACTOR, &account, Some(&password)).await?;
        }
        Ok(password)
    }
}
