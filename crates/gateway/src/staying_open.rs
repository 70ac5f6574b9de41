//! How long a connection that became a WebSocket stays open: as long as the credentials that it was opened with.

use std::time::Duration;

use falconer_client::system::now_ms;

/// Where Falconer did not answer, the next try is so soon, until the interval is over.
const SOON: Duration = Duration::from_secs(2);

/// What Falconer says of credentials now.
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(crate) enum Standing {
    /// They count, and end then, in milliseconds since 1970.
    Until(i64),
    /// Falconer does not answer.
    Unknown,
    /// They do not count any more. A stable word, for the log.
    Over(String),
}

/// Asks Falconer about the credentials of a connection.
pub(crate) trait Recheck {
    fn ask(&self) -> impl Future<Output = Standing> + Send;
}

/// Waits until the connection has to end, and says why: at the end of its credentials, or when Falconer says no, which is asked at each interval. Where it does
/// not answer for an interval, the connection ends too.
pub(crate) async fn over(recheck: impl Recheck, interval: Duration, mut expires_ms: i64) -> String {
    let mut wait = interval;
    let mut patience = interval;
    loop {
        let left_ms = u64::try_from(expires_ms.saturating_sub(now_ms())).unwrap_or(0);
        // They are good in their last millisecond; what counts beyond it has the protocol's tolerance.
        let end = if left_ms == 0 { SOON } else { Duration::from_millis(left_ms + 1) };
        tokio::time::sleep(wait.min(end)).await;
        match recheck.ask().await {
            Standing::Over(why) => return why,
            Standing::Until(until_ms) => (expires_ms, patience, wait) = (until_ms, interval, interval),
            Standing::Unknown if patience.is_zero() || now_ms() > expires_ms => return "unavailable".to_owned(),
            Standing::Unknown => {
                wait = SOON.min(patience);
                patience = patience.saturating_sub(wait);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    /// What is answered one after the other; when it was asked, in milliseconds since the start.
    struct Answers(Mutex<Vec<Standing>>, Mutex<Vec<u128>>, tokio::time::Instant);

    impl Recheck for &Answers {
        async fn ask(&self) -> Standing {
            self.1.lock().unwrap().push(self.2.elapsed().as_millis());
            self.0.lock().unwrap().remove(0)
        }
    }

    async fn observed_until_over(answers: Vec<Standing>, expires_in_ms: i64) -> (String, Vec<u128>) {
        let answers = Answers(Mutex::new(answers), Mutex::default(), tokio::time::Instant::now());
        let why = over(&answers, INTERVAL, now_ms() + expires_in_ms).await;
        let asked_at = answers.1.lock().unwrap().clone();
        (why, asked_at)
    }

    fn later() -> Standing {
        Standing::Until(now_ms() + 3_600_000)
    }

    fn revoked() -> Standing {
        Standing::Over("grant-revoked".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn falconer_is_asked_at_each_interval() {
        let (why, asked_at) = observed_until_over(vec![later(), later(), revoked()], 3_600_000).await;
        assert_eq!((why.as_str(), asked_at.as_slice()), ("grant-revoked", [30_000, 60_000, 90_000].as_slice()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_credentials_is_not_overslept() {
        let (why, asked_at) = observed_until_over(vec![revoked()], 10_000).await;
        assert!(why == "grant-revoked" && asked_at.len() == 1 && asked_at[0] <= 10_002, "{asked_at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_borne_for_an_interval_and_not_beyond_the_end() {
        let unknown = || (0..100).map(|_| Standing::Unknown);
        let (why, asked_at) = observed_until_over(unknown().collect(), 3_600_000).await;
        assert!(why == "unavailable" && *asked_at.last().unwrap() == 60_000 && asked_at.len() == 16, "{asked_at:?}");
        let (why, asked_at) = observed_until_over(unknown().collect(), 0).await;
        assert!(why == "unavailable" && asked_at.len() <= 16, "{asked_at:?}");
        let back = unknown().take(14).chain([later(), revoked()]).collect();
        assert_eq!(observed_until_over(back, 3_600_000).await.0, "grant-revoked", "Falconer came back in time");
    }
}
