//! The signals that end a server.

use anyhow::Result;

/// Ready at the first SIGTERM, Ctrl-C or SIGHUP. A SIGHUP that whoever started the server had switched off, as `nohup` does, stays off.
pub fn shutdown() -> Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut hangup = if crate::system::process::ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(async move {
            let hung_up = async {
                match &mut hangup {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            let name = tokio::select! { _ = terminate.recv() => "SIGTERM", _ = interrupt.recv() => "SIGINT", _ = hung_up => "SIGHUP" };
            tracing::info!(signal = name, "ending: what is under way is finished first");
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
