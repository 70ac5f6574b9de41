use std::time::Duration;

use http::Method;

use crate::Error;

/// How often a call is tried, and how long to wait between. Only 5xx answers and network failures are tried again, and only calls that may be done twice. Those
/// are all methods but POST and PATCH, the POSTs of Falconer itself, and every call that did not reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries in all, at least 1. Default 5.
    pub tries: u32,
    /// Wait after the first try, doubled after each further one. Default 100 ms.
    pub first_delay: Duration,
    /// No wait is longer. Default 30 s.
    pub longest_delay: Duration,
    /// A single try ends after this. Default 30 s.
    pub timeout: Duration,
    /// Whether POST and PATCH to other services are tried again too. Set it where doing them twice is harmless. Default false: the first one may have been done
    /// although its answer was lost.
    pub posts: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            tries: 5,
            first_delay: Duration::from_millis(100),
            longest_delay: Duration::from_secs(30),
            timeout: Duration::from_secs(30),
            posts: false,
        }
    }
}

impl Retry {
    /// Whether another try may mend the error, and may be made.
    pub(crate) fn repeats(&self, method: &Method, error: &Error) -> bool {
        let passing = matches!(error, Error::Network { .. }) || error.status().is_some_and(|status| status >= 500);
        passing && (self.posts || !matches!(*method, Method::POST | Method::PATCH) || error.was_not_sent())
    }

    /// The wait after try number `tried` (from 1), spread by a quarter to both sides with `random`.
    #[must_use]
    pub fn delay(&self, tried: u32, random: [u8; 2]) -> Duration {
        let doubled = self.first_delay.saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1))).min(self.longest_delay);
        let spread = 0.75 + 0.5 * f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
        doubled.mul_f64(spread).min(self.longest_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_within_a_quarter_and_below_the_longest() {
        let retry = Retry::default();
        assert_eq!(retry.delay(1, [0, 0]), Duration::from_millis(75));
        assert_eq!(retry.delay(1, [255, 255]), Duration::from_millis(125));
        assert_eq!(retry.delay(3, [255, 255]), Duration::from_millis(500));
        assert_eq!(retry.delay(1000, [255, 255]), Duration::from_secs(30));
    }
}
