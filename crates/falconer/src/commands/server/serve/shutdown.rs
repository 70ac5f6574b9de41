//! The signals that end a server, and those at which it reads its files anew.

use anyhow::Result;

/// What a SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// The terminal is closed, and the process ends as after SIGTERM.
    Ends,
    /// Whoever started the process had switched it off, as `nohup` does: it stays off.
    Ignored,
    /// Files are read anew, as a supervisor asks for.
    Rereads,
}

impl Hangup {
    /// For a program that reads nothing anew.
    pub fn of_a_command() -> Hangup {
        #[cfg(unix)]
        if crate::system::process::ignores_hangup() {
            return Hangup::Ignored;
        }
        Hangup::Ends
    }

    /// For one that does, where nobody sits in front of it.
    pub fn of_a_service() -> Hangup {
        match Hangup::of_a_command() {
            Hangup::Ends if !std::io::IsTerminal::is_terminal(&std::io::stdin()) => Hangup::Rereads,
            other => other,
        }
    }
}

/// Ready at the first SIGTERM or Ctrl-C, and at the first SIGHUP where that ends the process.
pub fn shutdown(hangup: Hangup) -> Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut hangup = if hangup == Hangup::Ends { Some(signal(SignalKind::hangup())?) } else { None };
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
    {
        let _ = hangup;
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

/// Signals that ask for files to be read anew: SIGUSR1, and SIGHUP where that does not end the process.
pub struct Rereads {
    #[cfg(unix)]
    signals: (tokio::signal::unix::Signal, Option<tokio::signal::unix::Signal>),
}

impl Rereads {
    /// From now on none of them ends the process.
    pub fn expect(hangup: Hangup) -> Result<Rereads> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let hangup = if hangup == Hangup::Rereads { Some(signal(SignalKind::hangup())?) } else { None };
            Ok(Rereads { signals: (signal(SignalKind::user_defined1())?, hangup) })
        }
        #[cfg(not(unix))]
        {
            let _ = hangup;
            Ok(Rereads {})
        }
    }

    /// Ready at the next one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        {
            let (user, hangup) = &mut self.signals;
            let hung_up = async {
                match hangup {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { _ = user.recv() => {}, _ = hung_up => {} }
        }
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}
