//! Which Chromium the pages are opened in.

use std::path::PathBuf;

/// Where Chromium is, if it is installed.
pub fn whole() -> Option<PathBuf> {
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].iter().map(PathBuf::from).find(|p| p.exists())
}

/// The engine without what draws windows.
pub fn without_windows() -> Option<PathBuf> {
    ["/usr/bin/chromium-headless-shell", "/usr/lib/chromium/chromium-headless-shell"].iter().map(PathBuf::from).find(|p| p.exists())
}
