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

/// What is left of a grant, as a choice: to the nearest hour, below an hour to the nearest minute, and at least one. Pages say to the nearest when a grant ends, and what was
/// given for a day a minute ago is a day here too, not 23 hours 59 minutes beside a day.
pub(crate) fn of_what_is_left(left_ms: i64) -> i64 {
    let nearest = |unit_ms: i64| left_ms.saturating_add(unit_ms / 2).div_euclid(unit_ms).saturating_mul(unit_ms);
    if left_ms < HOUR_MS { nearest(MINUTE_MS).max(MINUTE_MS) } else { nearest(HOUR_MS) }
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

    /// Story: beyond a grant of a day more was asked for a minute later, and the page offered "23 hours 59 minutes" beside "1 day".
    #[test]
    fn what_is_left_is_offered_as_pages_say_it() {
        for (left_ms, expected) in [
            (DAY_MS - MINUTE_MS, "1 day"),
            (DAY_MS - HOUR_MS, "23 hours"),
            (23 * HOUR_MS + 29 * MINUTE_MS, "23 hours"),
            (DAY_MS + 5 * HOUR_MS + 31 * MINUTE_MS, "1 day 6 hours"),
            (7 * DAY_MS - 1, "7 days"),
            (HOUR_MS - 1, "1 hour"),
            (59 * MINUTE_MS + 29_000, "59 minutes"),
            (1, "1 minute"),
            (0, "1 minute"),
        ] {
            assert_eq!(in_words(of_what_is_left(left_ms)), expected, "{left_ms}");
        }
        let (all, chosen) = choices(7 * DAY_MS, Some(of_what_is_left(DAY_MS - 2 * MINUTE_MS)), None);
        assert_eq!(all.into_iter().map(|one| one.label).collect::<Vec<_>>(), ["1 hour", "1 day", "3 days", "7 days"]);
        assert_eq!(chosen, DAY_MS);
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
