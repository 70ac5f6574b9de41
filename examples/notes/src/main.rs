//! `falconer-notes`: settings from the environment, see `--help`.

use falconer_notes::{Settings, serve};
use std::process::ExitCode;

const HELP: &str = "Notes, an example service protected by Falconer.

Environment:
  TASKCLUSTER_ROOT_URL  root URL of Falconer, such as http://localhost:8080
  NOTES_LISTEN          address to listen on (default 127.0.0.1:8081)
  NOTES_PUBLIC_ORIGIN   origin that browsers use (default http://<NOTES_LISTEN>)
";

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\n\n{HELP}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> std::io::Result<()> {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let falconer_root_url = given("TASKCLUSTER_ROOT_URL").ok_or_else(|| std::io::Error::other("TASKCLUSTER_ROOT_URL is not set."))?;
    let listener = tokio::net::TcpListener::bind(given("NOTES_LISTEN").as_deref().unwrap_or("127.0.0.1:8081")).await?;
    let public_origin = match given("NOTES_PUBLIC_ORIGIN") {
        Some(origin) => origin,
        None => format!("http://{}", listener.local_addr()?),
    };
    println!("listening on {public_origin}");
    let shutdown = async {
        // Without a handler for the signal the process still ends by it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    serve(listener, Settings { public_origin, falconer_root_url }, shutdown).await
}
