//! Linking identities with each other, undoing it, and which of them names what is new (ADR 0122).
//!
//! Whoever calls has seen to it that both sign-ins were made, stands on the machine, or may do everything (ADR 197).

use falconer_store::{Key, PersonRecord, Revision, Write};
use serde_json::json;

use crate::administer::people::by::{By, nobody_has};
use crate::change::decide::{Decision, Now};
use crate::directory::entries::{Identity, Person};
use crate::error::ApiError;
use crate::node::Auth;

/// A person has at most this many identities: what they may do is worked out of all of them.
const MOST_IDENTITIES: usize = 20;
/// To whoever would do it to themselves.
const OWN_PAGE: &str = "Nobody does this to themselves: link, unlink and choose a name on your own page, which asks you to sign in again";

impl Auth {
    /// Links an identity that is a person of its own with the person of `with`. With the id of a session, what is pending in that session is used up.
    ///
    /// Either can do from then on what the other can, whatever that becomes. So it takes `*` of a caller, who links nobody with themselves.
    ///
    /// Errors: 404 when one is unknown, 409 when they are linked already, when one may not act, when the identity is linked with others, and when nothing is
    /// pending in the session.
    pub async fn link_identity(
        &self,
        by: impl Into<By<'_>>,
        identity: &str,
        with: &str,
        session: Option<&str>,
    ) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding_with_everything(now, by)?;
            let ((other, from), (kept, to)) = (known(now, identity)?, known(now, with)?);
            for person in [from, to] {
                deciding.refuse_own(&now.snapshot, person, OWN_PAGE)?;
            }
            if from.record.id == to.record.id {
                return conflict(format!("{identity} and {with} are linked already"));
            }
            for (identity, person) in [(other, from), (kept, to)] {
                if identity.record.disabled || person.record.disabled {
                    return conflict(format!("The account {} is not active", identity.record.identity));
                }
            }
            if now.snapshot.linked(&from.record.id).count() > 1 {
                return conflict(format!("{identity} is linked with another identity. Unlink it there first"));
            }
            if now.snapshot.linked(&to.record.id).count() >= MOST_IDENTITIES {
                return conflict(format!("A person has at most {MOST_IDENTITIES} identities"));
            }
            let depends_on = [now.snapshot.keys_of(other), now.snapshot.keys_of(kept)].concat();
            let mut step = deciding.step(now, "linked", depends_on);
            step.detail = Some(json!({"identity": identity, "with": with, "person": to.record.id, "bySignIn": session.is_some()}));
            let (from, to) = (from.record.id.clone(), to.record.id.clone());
            let write = Write::LinkIdentity { identity: identity.to_owned(), from, to, session: session.map(str::to_owned) };
            Ok(Decision::Write(step, write, ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Makes an identity a person of its own again. Where it named what is new of the others, the first of them does from now on. 409 when it is linked
    /// with no other. A caller needs the scope for each identity of the person, and unlinks nothing of their own.
    pub async fn unlink_identity(&self, by: impl Into<By<'_>>, identity: &str) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding(now, by, identity)?;
            let (leaving, person) = known(now, identity)?;
            deciding.require_for_all(&now.snapshot, person)?;
            deciding.refuse_own(&now.snapshot, person, OWN_PAGE)?;
            let others = || now.snapshot.linked(&person.record.id).filter(|linked| linked.record.identity != identity);
            let Some(first) = others().find(|linked| !linked.record.disabled).or_else(|| others().next()) else {
                return conflict(format!("{identity} is linked with no other identity"));
            };
            let mut left = person.record.clone();
            left.last_modified_ms = now.now_ms.max(left.last_modified_ms);
            if left.name == identity {
                left.name.clone_from(&first.record.identity);
            }
            let mut bytes = [0; 16];
            self.node.random.fill(&mut bytes);
            let mut alone = PersonRecord::of_one(&leaving.record, now.now_ms);
            alone.id = PersonRecord::id_from_random(bytes);
            alone.disabled = left.disabled;
            let mut step = deciding.step(now, "unlinked", now.snapshot.keys_of(leaving));
            step.detail = Some(json!({"identity": identity, "from": left.id, "name": left.name, "person": alone.id}));
            Ok(Decision::Write(step, Write::UnlinkIdentity { alone, left }, ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// From now on this identity names what its person makes. 409 when it may not act. A caller needs the scope for each identity of the person, and does it to
    /// nobody's own.
    pub async fn name_person(&self, by: impl Into<By<'_>>, identity: &str) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding(now, by, identity)?;
            let (naming, person) = known(now, identity)?;
            deciding.require_for_all(&now.snapshot, person)?;
            deciding.refuse_own(&now.snapshot, person, OWN_PAGE)?;
            if naming.record.disabled {
                return conflict(format!("The account {identity} is not active"));
            }
            if person.record.name == identity {
                return Ok(Decision::Keep(()));
            }
            let mut record = person.record.clone();
            identity.clone_into(&mut record.name);
            record.last_modified_ms = now.now_ms.max(record.last_modified_ms);
            let mut step = deciding.step(now, "named", now.snapshot.keys_of(naming));
            step.detail = Some(json!({"name": {"before": person.record.name, "after": record.name}}));
            Ok(Decision::Write(step, Write::UpdatePerson(record), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Notes in the history of an identity what somebody does about it that changes no record here: `action` is the word for it.
    pub async fn note_about_identity(&self, by: impl Into<By<'_>>, action: &str, identity: &str) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding(now, by, identity)?;
            known(now, identity)?;
            let step = deciding.step(now, action, vec![Key::Identity(identity.to_owned())]);
            Ok(Decision::Write(step, Write::NoteRepeat("identity".to_owned(), identity.to_owned()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }
}

pub(crate) fn known<'n>(now: &'n Now, identity: &str) -> Result<(&'n Identity, &'n Person), ApiError> {
    let found =
        now.snapshot.identity(identity).and_then(|known| Some((known.as_ref(), now.snapshot.person(&known.record.person)?.as_ref())));
    found.ok_or_else(|| nobody_has(identity))
}

fn conflict<T>(text: String) -> Result<T, ApiError> {
    Err(ApiError::RequestConflict(text))
}
