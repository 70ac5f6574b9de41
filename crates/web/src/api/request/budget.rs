//! What one call may cost before and after it is known who asks: the table of `docs/operation.md`, "What a stranger may cost".
//!
//! A stranger is whoever has no credentials, or some whose MAC has not been verified. What fits into a stranger's budget is read and parsed before
//! anybody is asked for, because the protocol owes its errors in that order. What does not fit is read only for a caller whose credentials hold.

use std::time::Duration;

use falconer_wire::{Call, Method};
use http::StatusCode;

const KIB: usize = 1024;

/// What is read of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Of the body: as it came, decompressed, and as UTF-8; each.
    pub(crate) bytes: usize,
    /// Values in the JSON of the body.
    pub(crate) nodes: usize,
    /// Entries of one list or object in it.
    pub(crate) entries: usize,
    /// How far back a compressed body may point: what a decompressor sets aside before it has read anything.
    pub(crate) window: usize,
    /// Until the body has arrived.
    pub(crate) time: Duration,
}

/// What somebody may cost whom nobody knows.
pub(crate) fn of_stranger(method: &Method) -> Budget {
    let (bytes, nodes, entries) = match method.call {
        // Six members, of which two may be long: a URL and a header.
        Call::AuthenticateHawk => (64 * KIB, 64, 64),
        // As that, with expressions.
        Call::Check | Call::Checks => (64 * KIB, 640, 256),
        // Each of the one list is compared with each of the other.
        Call::TestAuthenticate => (64 * KIB, 512, 256),
        _ if method.input.is_some() => (64 * KIB, 2048, 1024),
        // Nothing is made of these bodies; they are only looked at for their syntax.
        _ => (16 * KIB, usize::MAX, usize::MAX),
    };
    Budget { bytes, nodes, entries, window: 256 * KIB, time: Duration::from_secs(10) }
}

/// What a caller may cost whose credentials hold; `bytes` is the limit of the settings.
pub(crate) fn of_known(method: &Method, bytes: usize) -> Budget {
    let nodes = match method.call {
        Call::ImportBatch => 1_000_000,
        _ if method.input.is_some() => 50_000,
        _ => usize::MAX,
    };
    Budget { bytes, nodes, entries: usize::MAX, window: usize::MAX, time: Duration::MAX }
}

/// What of a body went beyond its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverBudget {
    Bytes,
    Nodes,
    Entries,
    Window,
    Time,
}

impl OverBudget {
    /// Of the answer.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            OverBudget::Bytes | OverBudget::Nodes | OverBudget::Entries | OverBudget::Window => StatusCode::PAYLOAD_TOO_LARGE,
            OverBudget::Time => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// For whoever sent it.
    pub(crate) fn text(self, budget: &Budget) -> String {
        let Budget { bytes, nodes, entries, window, time } = budget;
        match self {
            OverBudget::Bytes => format!("The request body is larger than {bytes} bytes, as it came or decompressed"),
            OverBudget::Nodes => format!("The request body holds more than {nodes} JSON values"),
            OverBudget::Entries => format!("A list in the request body holds more than {entries} entries"),
            OverBudget::Window => format!("The request body is compressed with a window of more than {window} bytes"),
            OverBudget::Time => format!("The request body took more than {} seconds to arrive", time.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../../docs/operation.md");

    /// Operators read the table, and nothing said that it is what counts.
    #[test]
    fn the_table_of_the_page_is_what_counts() {
        let method = |call| Method::of(call).unwrap();
        for (name, call) in [
            ("`authenticateHawk`", Call::AuthenticateHawk),
            ("`testAuthenticate`", Call::TestAuthenticate),
            ("others that take a body", Call::CreateClient),
            ("those that take none", Call::Ping),
        ] {
            let Budget { bytes, nodes, entries, window, time } = of_stranger(method(call));
            let tree = if nodes == usize::MAX { "none is made |".to_owned() } else { format!("{nodes} | {entries}") };
            let row = format!("| stranger | {name} | {} KiB | {tree} | {} KiB | {} s |", bytes / KIB, window / KIB, time.as_secs());
            assert!(PAGE.lines().any(|line| line == row), "{row}");
        }
        for call in [Call::Check, Call::Checks] {
            let Budget { bytes, nodes, entries, window, time } = of_stranger(method(call));
            let (begin, end) = (
                format!("| stranger | `check`, `checks` | {} KiB | {nodes} | {entries}; ", bytes / KIB),
                format!(" | {} KiB | {} s |", window / KIB, time.as_secs()),
            );
            assert!(PAGE.lines().any(|line| line.starts_with(&begin) && line.ends_with(&end)), "{begin} {end}");
        }
        for (name, call, nodes) in [
            ("`importBatch`", Call::ImportBatch, "1 000 000"),
            ("others that take a body", Call::CreateClient, "50 000"),
            ("those that take none", Call::Ping, "none is made"),
        ] {
            let budget = of_known(method(call), 10 << 20);
            let row = format!("| known | {name} | 10 MiB | {nodes} | ");
            assert!(PAGE.lines().any(|line| line.starts_with(&row)), "{row}");
            let said = nodes.replace(' ', "").parse().unwrap_or(usize::MAX);
            assert_eq!((budget.nodes, budget.window, budget.time), (said, usize::MAX, Duration::MAX), "{name}");
        }
    }
}
