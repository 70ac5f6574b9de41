//! How far a long command is: a bar on a terminal, now and then a line elsewhere. Always on stderr.

use std::fmt::Write;

use falconer_auth::Clock as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::system::SystemClock;

/// Without a terminal, a line at most this often.
const LINE_MS: i64 = 5_000;

/// Progress over a number of records, or of something else.
pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    unit: &'static str,
    said_ms: i64,
}

impl Progress {
    /// `what` is a word such as `importing`.
    pub fn start(what: &'static str, total: usize) -> Progress {
        Progress::of(what, "records", total)
    }

    /// The same over something else, such as `pages`.
    pub fn of(what: &'static str, unit: &'static str, total: usize) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg:<9} [{bar:24}] {human_pos} of {human_len}, {rate} a second, {eta} left") {
            let rate = |state: &ProgressState, out: &mut dyn Write| _ = write!(out, "{:.0}", state.per_sec());
            bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
        }
        bar.set_message(what);
        Progress { bar, what, unit, said_ms: SystemClock.now_ms() }
    }

    /// So many more are done.
    pub fn advance(&mut self, records: usize) {
        self.bar.inc(records as u64);
        self.say();
    }

    /// So many are done, of so many.
    pub fn reach(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.say();
    }

    fn say(&mut self) {
        let now_ms = SystemClock.now_ms();
        if self.bar.is_hidden() && now_ms.saturating_sub(self.said_ms) >= LINE_MS {
            self.said_ms = now_ms;
            eprintln!("{}: {} of {} {}", self.what, self.bar.position(), self.bar.length().unwrap_or_default(), self.unit);
        }
    }

    /// The bar goes; what it came to is said elsewhere.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}
