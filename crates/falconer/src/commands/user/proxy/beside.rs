use std::process::ExitStatus;

use anyhow::{Context as _, Result};
use falconer_gateway::SigningProxy;
use tokio::process::{Child, Command};

use super::place::Place;
use crate::commands::server::serve::{Hangup, shutdown};
use crate::output::EndedWith;

/// Runs a program that is told of the proxy, as a task is, and serves until it has ended. Its exit code is ours. A signal that ends the proxy goes to the program, which
/// decides itself when it ends.
pub async fn run(program: &str, arguments: &[String], root_url: &str, place: Place, proxy: SigningProxy) -> Result<()> {
    let ended_by_signal = shutdown(Hangup::of_a_command())?;
    let mut command = Command::new(program);
    command.args(arguments).env("TASKCLUSTER_PROXY_URL", place.url()).env("TASKCLUSTER_ROOT_URL", root_url);
    for secret in ["TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN", "TASKCLUSTER_CERTIFICATE"] {
        command.env_remove(secret);
    }
    let mut child = command.spawn().with_context(|| format!("can't run {program}"))?;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(place.serve(proxy, async {
        let _ = ended.await;
    }));
    let mut ended_by_signal = std::pin::pin!(ended_by_signal);
    let status = tokio::select! {
        status = child.wait() => status,
        () = ended_by_signal.as_mut() => {
            terminate(&mut child);
            child.wait().await
        }
    };
    let _ = end.send(());
    // What the program left behind is of no use to anybody.
    serving.abort();
    match exit_code(status.with_context(|| format!("can't wait for {program}"))?) {
        0 => Ok(()),
        code => Err(EndedWith(code).into()),
    }
}

/// SIGTERM, which a program can take as it likes.
fn terminate(child: &mut Child) {
    #[cfg(unix)]
    if let Some(process) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = child.start_kill();
}

/// As shells say it: 128 and the number of the signal, where there was one.
pub fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(signal).unwrap_or(127).saturating_add(128);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
