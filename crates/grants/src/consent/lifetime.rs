//! How long a grant may last: what the page lets people choose from.

use falconer_auth::{DAY_MS, HOUR_MS, MINUTE_MS};

/// A certificate can't span more.
pub(crate) const LONGEST_MS: i64 = 31 * DAY_MS;
/// As time expressions count it.
const YEAR_MS: i64 = 365 * DAY_MS;
/// What is offered in any case, as far as the maximum allows.
const USUAL_MS: [i64; 4] = [HOUR_MS, DAY_MS, 3 * DAY_MS, 7 * DAY_MS];
/// What is chosen beforehand when the site has no wish.
const DEFAULT_MS: i64 = DAY_MS;

/// One choice of how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Milliseconds from the press of the button. Also the value of the form's option.
    pub ms: i64,
    /// Such as `1 day` or `2 hours 30 minutes`.
    pub label: String,
}

impl Lifetime {
    pub(crate) fn of(ms: i64) -> Lifetime {
        Lifetime { ms, label: in_words(ms) }
    }
}

/// The choices, shortest first, and the one that is chosen beforehand: the site's wish as far as it is allowed, else a day. For an agent nothing longer than `agent_ms` is
/// chosen beforehand, though its wish is among the choices.
pub(crate) fn choices(max_ttl_ms: i64, wish_ms: Option<i64>, agent_ms: Option<i64>) -> (Vec<Lifetime>, i64) {
    let most = max_ttl_ms.clamp(1, LONGEST_MS);
    let wish = wish_ms.filter(|ms| *ms > 0).map(|ms| ms.min(most));
    let usual = agent_ms.unwrap_or(DEFAULT_MS).clamp(1, most);
    let chosen = wish.map_or(usual, |wish| if agent_ms.is_some() { wish.min(usual) } else { wish });
    let mut all: Vec<i64> = USUAL_MS.into_iter().filter(|ms| *ms <= most).collect();
    all.extend(wish);
    all.push(chosen);
    all.sort_unstable();
    all.dedup();
    let lifetimes = all.into_iter().map(Lifetime::of).collect();
    (lifetimes, chosen)
}

/// For a client: what was asked for, and shorter times, shortest first; and what is chosen beforehand: the wish, or a year where there was none.
pub(crate) fn down_from(longest_ms: i64, was_wished: bool) -> (Vec<Lifetime>, i64) {
    let usual = USUAL_MS.into_iter().chain([30 * DAY_MS, YEAR_MS]).filter(|ms| *ms < longest_ms);
    let lifetimes = usual.chain([longest_ms]).map(Lifetime::of).collect();
    (lifetimes, if was_wished { longest_ms } else { longest_ms.min(YEAR_MS) })
}

fn in_words(ms: i64) -> String {
    let mut rest = ms;
    let mut parts = Vec::new();
    for (unit_ms, unit) in [(YEAR_MS, "year"), (DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute"), (1000, "second")] {
        let count = rest / unit_ms;
        rest %= unit_ms;
        match count {
            0 => (),
            1 => parts.push(format!("1 {unit}")),
            many => parts.push(format!("{many} {unit}s")),
        }
    }
    if parts.is_empty() {
        return "less than a second".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(max_ttl_ms: i64, wish_ms: Option<i64>, agent_ms: Option<i64>) -> (i64, Vec<i64>) {
        let (all, chosen) = choices(max_ttl_ms, wish_ms, agent_ms);
        (chosen, all.into_iter().map(|lifetime| lifetime.ms).collect())
    }

    #[test]
    fn an_agent_has_an_hour_unless_somebody_gives_it_more() {
        const MOST: i64 = 7 * DAY_MS;
        assert_eq!(chosen(MOST, None, None), (DAY_MS, vec![HOUR_MS, DAY_MS, 3 * DAY_MS, MOST]));
        assert_eq!(chosen(MOST, None, Some(HOUR_MS)), (HOUR_MS, vec![HOUR_MS, DAY_MS, 3 * DAY_MS, MOST]));
        assert_eq!(chosen(MOST, Some(5 * HOUR_MS), Some(HOUR_MS)), (HOUR_MS, vec![HOUR_MS, 5 * HOUR_MS, DAY_MS, 3 * DAY_MS, MOST]));
        assert_eq!(chosen(MOST, Some(MINUTE_MS), Some(HOUR_MS)).0, MINUTE_MS, "a wish for less is one that counts");
        assert_eq!(chosen(MOST, Some(5 * HOUR_MS), None).0, 5 * HOUR_MS);
        assert_eq!(chosen(30 * MINUTE_MS, None, Some(HOUR_MS)), (30 * MINUTE_MS, vec![30 * MINUTE_MS]), "never more than is allowed");
        assert_eq!(chosen(MOST, Some(90 * DAY_MS), Some(2 * HOUR_MS)).1.last(), Some(&MOST));
    }
}
