//! How long a text will be, so that a secret one can be written into one piece of memory.

use std::{fmt, io};

/// Counts what is written to it, and keeps nothing.
#[derive(Default)]
pub(crate) struct Length(pub(crate) usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}
