//! How long a test waits for what must happen: long enough for a machine that does a lot besides, and never for ever. Whoever waits says for what.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Two minutes, or `FALCONER_TEST_PATIENCE` in seconds.
pub fn patience() -> Duration {
    let seconds = std::env::var("FALCONER_TEST_PATIENCE").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(120))
}

/// How often a test does the same: as it says, or as this variable says, by which `cargo xtask soak` makes it more.
pub fn rounds(variable: &str, few: u32) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}

/// Looks again and again until something comes.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_each(Duration::from_millis(20), what, look)
}

/// The same with so long between two looks, where a look counts for something.
pub fn eventually_each<T>(pause: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "never within {:?}: {what}", patience());
        std::thread::sleep(pause);
    }
}

/// Waits for a process to end by itself.
pub fn end_of(child: &mut Child, what: &str) -> ExitStatus {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begin.elapsed() > patience() {
            let _ = child.kill();
            panic!("{what} did not end within {:?}", patience());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command to its end.
pub fn output_of(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary can be started");
    output_of_child(child, &format!("{command:?}"))
}

/// The same for one that runs already, with its output piped.
pub fn output_of_child(mut child: Child, what: &str) -> Output {
    let (out, err) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    drop(child.stdin.take());
    let status = end_of(&mut child, what);
    Output { status, stdout: out.join().unwrap(), stderr: err.join().unwrap() }
}

fn read_all(from: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            from.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

/// The lines that a process prints, as they come.
pub struct Lines {
    lines: Receiver<String>,
    what: String,
}

impl Lines {
    pub fn of(from: impl Read + Send + 'static, what: &str) -> Lines {
        use std::io::BufRead as _;
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in std::io::BufReader::new(from).lines() {
                // Nobody may want the rest; it is read so that the process can go on.
                let _ = send.send(line.unwrap());
            }
        });
        Lines { lines, what: what.to_owned() }
    }

    /// The next one; `None` when the process has closed its output.
    pub fn next(&self) -> Option<String> {
        match self.lines.recv_timeout(patience()) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line of {} within {:?}", self.what, patience()),
        }
    }

    /// The first one that holds these words.
    pub fn with(&self, words: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.next() {
                Some(line) if line.contains(words) => return line,
                Some(line) => before.push(line),
                None => panic!("{} ended without {words:?}; it said {before:#?}", self.what),
            }
        }
    }
}
