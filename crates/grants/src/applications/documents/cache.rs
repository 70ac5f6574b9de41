//! Documents that were read a while ago, and those that could not be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use crate::applications::application::Application;
use crate::oauth::request::refusal::Cause;

/// So many are kept.
const MOST: usize = 1_000;
/// So many are read at a time.
const AT_ONCE: usize = 4;
/// A document counts for so long where its server says nothing of it.
const USUAL_MS: i64 = 10 * 60_000;
/// And for so long at least, and at most, whatever its server says.
const SHORTEST_MS: i64 = 60_000;
const LONGEST_MS: i64 = 24 * 3_600_000;
/// For so long one that could not be read is not read once more.
const FAILED_MS: i64 = 30_000;

/// What became of reading a document.
pub(crate) type Outcome = Result<Arc<Application>, Unusable>;

/// Why a document can't be used.
#[derive(Clone)]
pub(crate) struct Unusable {
    /// Whose doing it is.
    pub(crate) cause: Cause,
    /// The end of a sentence, without a full stop.
    pub(crate) why: String,
}

/// The cache of one node, and the turns of those that read.
pub(crate) struct Cache {
    kept: Mutex<HashMap<String, (i64, Outcome)>>,
    pub(crate) turns: Semaphore,
    hosts: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
}

impl Default for Cache {
    fn default() -> Self {
        Cache { kept: Mutex::default(), turns: Semaphore::new(AT_ONCE), hosts: Mutex::default() }
    }
}

impl Cache {
    pub(crate) fn find(&self, id: &str, now_ms: i64) -> Option<Outcome> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).filter(|(ends_ms, _)| now_ms < *ends_ms).map(|(_, outcome)| outcome.clone())
    }

    /// `cache_control`: the header that it came with.
    pub(crate) fn keep(&self, id: &str, outcome: Outcome, cache_control: Option<&str>, now_ms: i64) {
        let life_ms = if outcome.is_ok() { life_ms(cache_control) } else { FAILED_MS };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, (ends_ms, _)| now_ms < *ends_ms);
        }
        if kept.len() >= MOST
            && let Some(first) = kept.iter().min_by_key(|(_, (ends_ms, _))| *ends_ms).map(|(id, _)| id.clone())
        {
            kept.remove(&first);
        }
        kept.insert(id.to_owned(), (now_ms.saturating_add(life_ms), outcome));
    }

    /// One host is asked one thing at a time.
    pub(crate) fn turn_of(&self, host: &str) -> Arc<AsyncMutex<()>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = hosts.get(host).and_then(Weak::upgrade) {
            return turn;
        }
        hosts.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(AsyncMutex::new(()));
        hosts.insert(host.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

fn life_ms(cache_control: Option<&str>) -> i64 {
    let directives = cache_control.unwrap_or_default().split(',').map(|directive| directive.trim().to_ascii_lowercase());
    let mut life_ms = USUAL_MS;
    for directive in directives {
        if matches!(directive.as_str(), "no-store" | "no-cache") {
            return SHORTEST_MS;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=").and_then(|text| text.trim_matches('"').parse::<i64>().ok()) {
            life_ms = seconds.saturating_mul(1000);
        }
    }
    life_ms.clamp(SHORTEST_MS, LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::{Cache, Cause, LONGEST_MS, MOST, SHORTEST_MS, USUAL_MS, Unusable, life_ms};

    #[test]
    fn a_document_lives_as_its_server_says_within_bounds() {
        for (header, expected_ms) in [
            (None, USUAL_MS),
            (Some(""), USUAL_MS),
            (Some("public"), USUAL_MS),
            (Some("public, max-age=3600"), 3_600_000),
            (Some("Max-Age=3600"), 3_600_000),
            (Some("max-age=\"3600\""), 3_600_000),
            (Some("max-age=0"), SHORTEST_MS),
            (Some("max-age=-5"), SHORTEST_MS),
            (Some("max-age=9223372036854775807"), LONGEST_MS),
            (Some("max-age=99999999999999999999"), USUAL_MS),
            (Some("no-store, max-age=3600"), SHORTEST_MS),
            (Some("max-age=3600, no-cache"), SHORTEST_MS),
        ] {
            assert_eq!(life_ms(header), expected_ms, "{header:?}");
        }
    }

    #[test]
    fn so_many_are_kept_and_no_more() {
        let cache = Cache::default();
        for n in 0..MOST + 10 {
            cache.keep(
                &format!("https://a.example.com/{n}"),
                Err(Unusable { cause: Cause::Away, why: "no".to_owned() }),
                None,
                n.try_into().unwrap(),
            );
        }
        assert_eq!(cache.kept.lock().unwrap().len(), MOST);
        assert!(cache.find("https://a.example.com/0", 0).is_none(), "the one that ends first goes first");
        assert!(cache.find(&format!("https://a.example.com/{}", MOST + 9), 5_000).is_some());
        assert!(cache.find(&format!("https://a.example.com/{}", MOST + 9), 60_000).is_none());
    }
}
