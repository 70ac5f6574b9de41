//! Which lines are written: `log.level`.

use anyhow::{Result, bail};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// What the names of our own modules begin with.
const OURS: &str = "falconer";
const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];

/// Reads a level, or a list such as `falconer_auth=debug,info`. Where the list has no level for the rest, errors are written.
///
/// A level for the rest is that of our own modules. Those of libraries write errors only, unless the level is `debug` or `trace`, or the list names them.
///
/// A word alone is always a level. Taken for the name of a module, as log filters elsewhere do it, `warning` would write nothing at all.
pub fn filter(text: &str) -> Result<Targets> {
    let (mut targets, mut rest) = (Targets::new(), None);
    for part in text.split(',').map(str::trim) {
        match part.split_once('=') {
            None if rest.is_some() => bail!("log.level: `{text}` has two levels for everything"),
            None => rest = Some(level(part)?),
            Some((module, of_it)) if is_module(module) => targets = targets.with_target(module, level(of_it)?),
            Some((module, _)) => bail!("log.level: `{module}` is no module; write something like `falconer_auth=debug,info`"),
        }
    }
    let rest = rest.unwrap_or(LevelFilter::ERROR);
    // The crates that this program is made of warn of what strangers send, as often as they send it.
    let of_others = if rest > LevelFilter::INFO { rest } else { rest.min(LevelFilter::ERROR) };
    if !targets.iter().any(|(module, _)| module == OURS) {
        targets = targets.with_target(OURS, rest);
    }
    Ok(targets.with_default(of_others))
}

fn level(word: &str) -> Result<LevelFilter> {
    let known = LEVELS.iter().find(|level| level.eq_ignore_ascii_case(word));
    match known.and_then(|level| level.parse().ok()) {
        Some(level) => Ok(level),
        None => bail!("log.level: `{word}` is no level; write one of {}, or a list such as `falconer_auth=debug,info`", LEVELS.join(", ")),
    }
}

/// `falconer_auth::verify`
fn is_module(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:".contains(&b))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    /// `warning`, `fatal` and `loud` were once taken for modules: nothing was logged, not even errors, and `config check` said fine.
    #[test]
    fn what_is_no_level_is_refused() {
        for text in
            ["warning", "fatal", "loud", "", " ", "info,", "info,warn", "falconer_auth=", "falconer_auth=verbose", "=info", "a b=info"]
        {
            let error = filter(text).unwrap_err().to_string();
            assert!(error.starts_with("log.level: "), "{text:?}: {error}");
        }
    }

    /// 17 bytes of a stranger, a PING that answers none, made a library write 150 bytes of warning.
    #[test]
    fn libraries_warn_of_nothing_unless_they_are_asked_to() {
        let enabled = |text: &str, level| filter(text).unwrap().would_enable("h2::proto::ping_pong", &level);
        for text in ["info", "warn", "falconer_auth=debug,info", "falconer=debug"] {
            assert!(enabled(text, Level::ERROR) && !enabled(text, Level::WARN), "{text}");
        }
        assert!(enabled("h2=warn,info", Level::WARN) && enabled("debug", Level::DEBUG) && !enabled("off", Level::ERROR));
    }

    #[test]
    fn errors_are_written_unless_off_is_said() {
        let enabled = |text: &str, level| filter(text).unwrap().would_enable("falconer_store", &level);
        for text in ["error", "WARN", "info", "falconer_auth=debug", "falconer_auth=off", "falconer_store::x=off"] {
            assert!(enabled(text, Level::ERROR), "{text}");
        }
        assert!(!enabled("falconer_auth=debug", Level::WARN));
        assert!(!enabled("off", Level::ERROR) && !enabled("falconer_store=off,info", Level::ERROR));
        assert!(enabled("falconer_store=trace , off", Level::TRACE) && !enabled("info", Level::DEBUG));
    }
}
