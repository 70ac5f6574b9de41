//! Lines to stderr, gathered for a moment, so that a request does not wait for the system call that writes its line.
//!
//! Each thread adds its lines to a buffer of its own, and one thread writes all buffers, at most a hundred times a second. Warnings and
//! errors are written before whoever logs them goes on, with everything that was gathered before. Nothing is dropped: where stderr does not take
//! lines fast enough, whoever logs waits.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::plain::visible_line;
use crate::config::LogFormat;

/// How long lines are gathered.
const GATHER: Duration = Duration::from_millis(10);
/// How many buffers there are; more threads than that share them.
const BUFFERS: usize = 16;
/// A buffer that holds so much is written by whoever filled it.
const MOST_BYTES: usize = 256 * 1024;

/// A log under way. Dropping it writes what was gathered; what is logged afterwards is written at once.
pub struct RunningLog {
    lines: Arc<Lines>,
    thread: Option<JoinHandle<()>>,
}

impl RunningLog {
    /// For those who write whole lines themselves.
    pub fn lines(&self) -> Arc<Lines> {
        Arc::clone(&self.lines)
    }

    /// Lines of this format to `out`.
    pub fn to(out: Box<dyn Write + Send>, format: LogFormat) -> io::Result<RunningLog> {
        let lines = Arc::new(Lines {
            format,
            buffers: Default::default(),
            next: AtomicUsize::new(0),
            out: Mutex::new(out),
            are_waiting: AtomicBool::new(false),
            writer: OnceLock::new(),
            ended: AtomicBool::new(false),
        });
        let mine = Arc::clone(&lines);
        let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || mine.write_for_ever())?;
        Ok(RunningLog { lines, thread: Some(thread) })
    }
}

impl Drop for RunningLog {
    fn drop(&mut self) {
        self.lines.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
        self.lines.write();
    }
}

/// Lines that are gathered, and where they go.
pub struct Lines {
    format: LogFormat,
    buffers: [Buffer; BUFFERS],
    /// The buffer of the next thread that logs.
    next: AtomicUsize,
    out: Mutex<Box<dyn Write + Send>>,
    /// Somebody has added lines since the thread that writes last looked.
    are_waiting: AtomicBool,
    /// The thread that writes.
    writer: OnceLock<Thread>,
    ended: AtomicBool,
}

/// Alone on its cache lines: threads on different cores write to different ones.
#[derive(Default)]
#[repr(align(128))]
struct Buffer(Mutex<Vec<u8>>);

thread_local! {
    static MINE: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Lines {
    /// Adds a whole line, without what would steer a terminal; `at_once`: writes it and all before it.
    pub fn add(&self, line: &[u8], at_once: bool) {
        let line = visible_line(line, self.format);
        let is_full = {
            let mut buffer = locked(&self.mine().0);
            buffer.extend_from_slice(&line);
            buffer.len() >= MOST_BYTES
        };
        if at_once || is_full || self.ended.load(Ordering::SeqCst) {
            self.write();
        } else if !self.are_waiting.swap(true, Ordering::AcqRel)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }

    fn mine(&self) -> &Buffer {
        let at = MINE.get().unwrap_or_else(|| {
            let at = self.next.fetch_add(1, Ordering::Relaxed) % BUFFERS;
            MINE.set(Some(at));
            at
        });
        // INVARIANT: `at` is below the length.
        self.buffers.get(at).unwrap_or(&self.buffers[0])
    }

    /// Writes all buffers.
    fn write(&self) {
        let mut out = locked(&self.out);
        for buffer in &self.buffers {
            let lines = std::mem::take(&mut *locked(&buffer.0));
            // There is nowhere to say that stderr takes nothing.
            let _ = out.write_all(&lines);
        }
        let _ = out.flush();
    }

    fn write_for_ever(&self) {
        let _ = self.writer.set(std::thread::current());
        while !self.ended.load(Ordering::SeqCst) {
            if self.are_waiting.load(Ordering::Acquire) {
                std::thread::park_timeout(GATHER);
                // Before the buffers are emptied: a line that comes afterwards is for the next round.
                self.are_waiting.store(false, Ordering::Release);
                self.write();
            } else {
                std::thread::park();
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Lines are added whole, so that a poisoned lock still holds whole lines.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where `tracing` writes to.
pub struct Writer(pub Arc<Lines>);

/// One line.
pub struct Line<'w> {
    lines: &'w Lines,
    at_once: bool,
}

impl<'w> MakeWriter<'w> for Writer {
    type Writer = Line<'w>;

    fn make_writer(&'w self) -> Line<'w> {
        Line { lines: &self.0, at_once: false }
    }

    fn make_writer_for(&'w self, meta: &Metadata<'_>) -> Line<'w> {
        Line { lines: &self.0, at_once: *meta.level() <= Level::WARN }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.add(bytes, self.at_once);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            locked(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Out {
        fn lines(&self) -> Vec<String> {
            String::from_utf8(locked(&self.0).clone()).unwrap().lines().map(str::to_owned).collect()
        }
    }

    #[test]
    fn no_line_of_any_thread_is_lost_or_torn() {
        let out = Out::default();
        let started = RunningLog::to(Box::new(out.clone()), LogFormat::Text).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..40 {
                let lines = &started.lines;
                scope.spawn(move || (0..500).for_each(|n| lines.add(format!("{thread} {n}\n").as_bytes(), n % 100 == 99)));
            }
        });
        drop(started);
        let mut written = out.lines();
        for thread in 0..40 {
            let prefix = format!("{thread} ");
            let of_thread: Vec<_> = written.iter().filter_map(|line| line.strip_prefix(&prefix)).collect();
            assert_eq!(of_thread, (0..500).map(|n| n.to_string()).collect::<Vec<_>>(), "in the order of the thread");
        }
        written.sort();
        written.dedup();
        assert_eq!(written.len(), 40 * 500);
    }

    #[test]
    fn what_must_be_known_is_written_at_once_with_what_came_before() {
        let out = Out::default();
        let started = RunningLog::to(Box::new(out.clone()), LogFormat::Text).unwrap();
        started.lines.add(b"usual\n", false);
        started.lines.add(b"urgent\n", true);
        assert_eq!(out.lines(), ["usual", "urgent"]);
        started.lines.add(&[b'x'; MOST_BYTES], false);
        assert_eq!(out.lines().last().map(String::len), Some(MOST_BYTES), "a full buffer does not grow");
    }

    #[test]
    fn what_is_logged_after_the_end_is_not_lost() {
        let out = Out::default();
        let started = RunningLog::to(Box::new(out.clone()), LogFormat::Text).unwrap();
        let lines = Arc::clone(&started.lines);
        lines.add(b"before\n", false);
        drop(started);
        lines.add(b"after\n", false);
        assert_eq!(out.lines(), ["before", "after"]);
    }
}
