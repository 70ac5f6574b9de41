//! Revoking temporary credentials that clients have made of their own, without asking anybody: all that start before a moment, or single ones by their seed.

use falconer_scopes::Expression;
use falconer_store::{ClientRecord, Difference, Key, Revision, RevokedCertificates, RevokedSeed, Step, Write};

use crate::administer::clients::change::not_found;
use crate::change::decide::Decision;
use crate::error::ApiError;
use crate::node::Auth;
use crate::time::{DAY_MS, MINUTE_MS};
use crate::verify::caller::Authentication;
use crate::view::ClientView;

/// How far a moment may lie ahead: as far as a certificate's start may, so that what was made ahead of time can be revoked too.
const LEEWAY_MS: i64 = 5 * MINUTE_MS;
/// A certificate that has been accepted ends this much later at the latest: 31 days behind a start that may lie ahead, and as much tolerance at its end.
const LONGEST_MS: i64 = 31 * DAY_MS + 2 * LEEWAY_MS;
/// So many single certificates of a client can be revoked at a time.
const MOST_SEEDS: usize = 100;
/// Length of a seed in UTF-16 units.
const SEED_UNITS: usize = 44;

/// Which temporary credentials are to be revoked; neither: all that start before the present time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevokeCertificates {
    /// All that start before this, in milliseconds since the epoch.
    pub before_ms: Option<i64>,
    /// Those of this seed.
    pub seed: Option<String>,
}

/// The scopes, one of which it takes.
pub(crate) fn right_to_revoke(client_id: &str) -> Expression {
    let scopes = ["revoke-certificates", "update-client"].map(|verb| Expression::Scope(format!("auth:{verb}:{client_id}")));
    Expression::AnyOf(scopes.into())
}

impl Auth {
    /// Revokes certificates that a client has issued, named ones and others: they count no more from the answer on. What was revoked stays so: a moment goes
    /// forward only, and asking for less changes nothing. With another access token nothing is left to revoke, and the record of it goes.
    pub async fn revoke_certificates(
        &self,
        who: &Authentication,
        client_id: &str,
        wish: &RevokeCertificates,
    ) -> Result<(ClientView, Revision), ApiError> {
        let (record, revision) = self
            .decide(|now| {
                let acting = self.acting(now, who)?;
                acting.caller.require(&right_to_revoke(client_id))?;
                let known = now.snapshot.client_record(client_id).ok_or_else(not_found)?;
                let revoked = revoked_with(&known.revoked, wish, now.now_ms)?;
                if revoked == known.revoked {
                    return Ok(Decision::Keep(known));
                }
                // Not a change of what the client is: whoever edits it meanwhile has seen all that they write.
                let record = ClientRecord { revoked, ..known.clone() };
                let step = acting.step(now, "certificates revoked", Key::Client(client_id.to_owned()));
                let step = Step { detail: Difference::of_client(&known, &record).kept(), ..step };
                Ok(Decision::Write(step, Write::UpdateClient(record.clone()), record))
            })
            .await?;
        Ok((self.view_of(record), revision))
    }
}

/// What is revoked with the wish: those that have ended by themselves are forgotten.
fn revoked_with(known: &RevokedCertificates, wish: &RevokeCertificates, now_ms: i64) -> Result<RevokedCertificates, ApiError> {
    let mut revoked = known.clone();
    let before_ms = wish.before_ms.or_else(|| wish.seed.is_none().then_some(now_ms));
    if before_ms.is_some_and(|before_ms| before_ms > now_ms.saturating_add(LEEWAY_MS)) {
        let text = "`before` lies more than five minutes ahead: what has not been made yet can't be revoked";
        return Err(ApiError::InputError(text.to_owned()));
    }
    revoked.before_ms = known.before_ms.max(before_ms);
    if let Some(seed) = wish.seed.as_ref().filter(|seed| known.seeds.iter().all(|one| one.seed != **seed)) {
        if seed.encode_utf16().count() != SEED_UNITS {
            return Err(ApiError::InputError(format!("A seed has {SEED_UNITS} characters, as in the certificate")));
        }
        revoked.seeds.retain(|one| one.until_ms > now_ms);
        if revoked.seeds.len() >= MOST_SEEDS {
            let text = format!(
                "{MOST_SEEDS} single certificates of this client are revoked: revoke all that start before a moment, or give the client another access token"
            );
            return Err(ApiError::RequestConflict(text));
        }
        revoked.seeds.push(RevokedSeed { seed: seed.clone(), until_ms: now_ms.saturating_add(LONGEST_MS) });
    }
    Ok(revoked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    fn before(before_ms: i64) -> RevokeCertificates {
        RevokeCertificates { before_ms: Some(before_ms), ..RevokeCertificates::default() }
    }

    fn of_seed(seed: &str) -> RevokeCertificates {
        RevokeCertificates { seed: Some(seed.to_owned()), ..RevokeCertificates::default() }
    }

    #[test]
    fn a_moment_goes_forward_only_and_not_ahead_of_the_clock() {
        let at = |known: Option<i64>, wish: &RevokeCertificates| {
            let known = RevokedCertificates { before_ms: known, ..RevokedCertificates::default() };
            revoked_with(&known, wish, NOW).map(|revoked| revoked.before_ms).map_err(drop)
        };
        for (known, wish, expected) in [
            (None, RevokeCertificates::default(), Ok(Some(NOW))),
            (None, before(5), Ok(Some(5))),
            (Some(NOW - 1), before(5), Ok(Some(NOW - 1))),
            (Some(NOW + LEEWAY_MS), RevokeCertificates::default(), Ok(Some(NOW + LEEWAY_MS))),
            (None, before(NOW + LEEWAY_MS), Ok(Some(NOW + LEEWAY_MS))),
            (None, before(NOW + LEEWAY_MS + 1), Err(())),
            (None, before(i64::MAX), Err(())),
            (Some(5), before(i64::MIN), Ok(Some(5))),
        ] {
            assert_eq!(at(known, &wish), expected, "{known:?} {wish:?}");
        }
    }

    #[test]
    fn single_ones_are_bounded_and_forgotten_when_they_have_ended() {
        let wish = |number: usize| of_seed(&format!("{number:044}"));
        let full =
            (0..MOST_SEEDS).try_fold(RevokedCertificates::default(), |known, number| revoked_with(&known, &wish(number), NOW)).unwrap();
        assert_eq!(revoked_with(&full, &wish(3), NOW).unwrap(), full, "one that is there is no more than there");
        assert!(matches!(revoked_with(&full, &wish(MOST_SEEDS), NOW), Err(ApiError::RequestConflict(_))));
        let later = NOW + LONGEST_MS;
        assert!(matches!(revoked_with(&full, &wish(MOST_SEEDS), later - 1), Err(ApiError::RequestConflict(_))));
        assert_eq!(revoked_with(&full, &wish(MOST_SEEDS), later).unwrap().seeds.len(), 1);
        for wrong in ["", "short", &"x".repeat(45), &"\u{1f600}".repeat(44)] {
            assert!(matches!(revoked_with(&full, &of_seed(wrong), NOW), Err(ApiError::InputError(_))));
        }
        assert!(revoked_with(&RevokedCertificates::default(), &of_seed(&"\u{1f600}".repeat(22)), NOW).is_ok());
    }
}
