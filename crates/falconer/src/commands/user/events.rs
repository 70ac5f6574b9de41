//! `falconer events`: the changes of clients and roles of a server, as they happen.

use std::time::Duration;

use anyhow::Result;
use falconer_client::{ServerEvent, is_temporary};
use serde_json::{Value, json};

use super::UserOptions;
use crate::log::visible_json;
use crate::output::{self, WrongUse, harmless};

/// `falconer events [--since REVISION]`
#[derive(clap::Args)]
pub struct Options {
    /// Begin after this revision, or after the event of this id; without it, with what happens from now on
    #[arg(long, value_name = "REVISION", value_parser = position)]
    since: Option<String>,
    #[command(flatten)]
    user: UserOptions,
}

/// How often the first connection is tried. Later ones are tried for as long as it takes.
const FIRST_TRIES: u32 = 5;

/// Prints one line an event until it is stopped. A connection that breaks is made again and goes on where it broke off.
pub async fn run(options: Options) -> Result<()> {
    let client = options.user.client()?;
    let mut events = client.events(options.since.as_deref());
    let (mut connected, mut tries) = (false, 0);
    loop {
        match events.try_next().await {
            Ok(event) => {
                if event.name == "ready" && !options.user.json {
                    eprintln!(
                        "{} {} after revision {}",
                        if connected { "following again:" } else { "following" },
                        client.root_url(),
                        event.id
                    );
                } else {
                    output::line(&shown(&event, options.user.json))?;
                }
                (connected, tries) = (true, 0);
            }
            Err(error) if is_temporary(&error) && (connected || tries + 1 < FIRST_TRIES) => {
                tries += 1;
                let wait = events.wait()?;
                eprintln!("{}; trying again in {}", harmless(&error.to_string()), seconds(wait));
                tokio::time::sleep(wait).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn seconds(wait: Duration) -> String {
    format!("{:.1} s", wait.as_secs_f64())
}

/// `17.2  client-created  proj/one`, or the event as JSON in one line.
fn shown(event: &ServerEvent, as_json: bool) -> String {
    if as_json {
        return visible_json(&json!({ "id": event.id, "event": event.name, "data": event.data }).to_string());
    }
    let about = ["clientId", "roleId", "reason"].iter().find_map(|key| event.data.get(key).and_then(Value::as_str)).unwrap_or_default();
    harmless(format!("{}  {}  {about}", event.id, event.name).trim_end()).replace('\n', " ")
}

/// As the server reads it.
fn position(text: &str) -> Result<String, WrongUse> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (epoch, position) = match text.split_once('-') {
        Some((epoch, position)) => (Some(epoch), position),
        None => (None, text),
    };
    let fine = match position.split_once('.') {
        Some((revision, rows)) => digits(revision) && digits(rows),
        None => digits(position),
    };
    if fine && epoch.is_none_or(|epoch| epoch.parse::<falconer_auth::Epoch>().is_ok()) {
        Ok(text.to_owned())
    } else {
        Err(WrongUse("write a revision such as 17, or the id of an event such as 9f86d081884c7d65-17.2".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_one_line_whatever_they_hold() {
        let event = ServerEvent {
            id: "17.2".to_owned(),
            name: "role-created".to_owned(),
            data: json!({ "version": 1, "roleId": "a\u{1b}[2J\nb", "revision": 17 }),
        };
        assert_eq!(shown(&event, false), "17.2  role-created  a\u{fffd}[2J b");
        let line = shown(&event, true);
        assert!(!line.contains(['\n', '\u{1b}']));
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["data"], event.data);
        let reset = ServerEvent { name: "reset".to_owned(), data: json!({ "version": 1, "revision": 20 }), id: "20".to_owned() };
        assert_eq!(shown(&reset, false), "20  reset");
    }

    #[test]
    fn positions() {
        assert!(["0", "17", "17.2"].into_iter().all(|text| position(text).is_ok()));
        assert!(["", "-1", "a", "1.", ".1", "1.2.3"].into_iter().all(|text| position(text).is_err()));
    }
}
