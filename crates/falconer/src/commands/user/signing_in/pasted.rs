//! The address at which a browser on another machine ended, pasted into the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use tokio::sync::mpsc::{Receiver, channel};

use super::loopback::{Answer, Expected};

/// Lines that somebody types, as they come. `None`: nobody sits there.
///
/// A thread of its own reads them: it waits in the system, and ends with the process.
pub fn lines() -> Option<Receiver<String>> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let (say, lines) = channel(8);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if say.blocking_send(line).is_err() {
                return;
            }
        }
    });
    Some(lines)
}

/// The first line that is the answer. What else is typed is said to be none, without repeating it.
pub async fn answer(lines: &mut Receiver<String>, expected: &Expected) -> Answer {
    while let Some(line) = lines.recv().await {
        match read(&line, expected) {
            Some(found) => return found,
            None if line.trim().is_empty() => {}
            None => eprintln!(
                "That is not the address that this waits for: it begins with http://127.0.0.1 and has the `state` of the page above."
            ),
        }
    }
    // Whoever closed the input may still come through the browser.
    std::future::pending().await
}

fn read(line: &str, expected: &Expected) -> Option<Answer> {
    let address = url::Url::parse(line.trim()).ok()?;
    (address.scheme() == "http" && address.host_str() == Some("127.0.0.1")).then(|| expected.read(&address)).flatten()
}
