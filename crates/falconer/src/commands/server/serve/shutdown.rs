//! The signals that end a server, and those at which it reads its files anew.

use anyhow::Result;
use falconer_web::End;
use tokio::sync::watch;

use super::watched::watched;

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
    let mut source = Source::open(hangup)?;
    Ok(async move {
        source.next().await;
    })
}

/// The same signals for a server: the first one has it end, and the second one at once.
#[derive(Clone)]
pub struct Signals(watch::Receiver<Count>);

/// How often the process was told to end, and how the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    Never,
    Once(End),
    Twice,
}

impl Signals {
    /// From now on none of them ends the process by itself.
    pub fn expect(hangup: Hangup) -> Result<Signals> {
        let mut source = Source::open(hangup)?;
        let (send, receive) = watch::channel(Count::Never);
        // As long as the process, which nothing else ends any more.
        drop(watched("waiting for signals", async move {
            send.send_replace(Count::Once(source.next().await));
            source.next().await;
            tracing::warn!("ending at once, because of a second signal");
            send.send_replace(Count::Twice);
            std::future::pending().await
        }));
        Ok(Signals(receive))
    }

    /// Ready at the first one.
    pub async fn first(mut self) -> End {
        // Where nobody can say anything any more, the process is ending.
        let count = self.0.wait_for(|count| *count != Count::Never).await;
        match count.as_deref() {
            Ok(Count::Once(end)) => *end,
            Ok(Count::Never | Count::Twice) | Err(_) => End::Unannounced,
        }
    }

    /// Ready at the second one.
    pub async fn second(mut self) {
        let _ = self.0.wait_for(|count| *count == Count::Twice).await;
    }
}

/// The signals that end a process.
struct Source {
    #[cfg(unix)]
    signals: (tokio::signal::unix::Signal, tokio::signal::unix::Signal, Option<tokio::signal::unix::Signal>),
}

impl Source {
    fn open(hangup: Hangup) -> Result<Source> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let hangup = if hangup == Hangup::Ends { Some(signal(SignalKind::hangup())?) } else { None };
            Ok(Source { signals: (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, hangup) })
        }
        #[cfg(not(unix))]
        {
            let _ = hangup;
            Ok(Source {})
        }
    }

    /// Ready at the next one. Somebody who presses Ctrl-C or closes the terminal waits for the end; a supervisor, which sends SIGTERM, may have proxies in front.
    async fn next(&mut self) -> End {
        #[cfg(unix)]
        {
            let (terminate, interrupt, hangup) = &mut self.signals;
            let hung_up = async {
                match hangup {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            let (name, end) = tokio::select! {
                _ = terminate.recv() => ("SIGTERM", End::Announced),
                _ = interrupt.recv() => ("SIGINT", End::Unannounced),
                _ = hung_up => ("SIGHUP", End::Unannounced),
            };
            tracing::info!(signal = name, "ending: what is under way is finished first");
            end
        }
        #[cfg(not(unix))]
        {
            let _ = tokio::signal::ctrl_c().await;
            End::Unannounced
        }
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
