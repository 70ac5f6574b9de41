//! Initial access tokens (RFC 7591 section 1.2): what applications register themselves with. Made, listed and revoked here; used in `registered.rs`.

use falconer_scopes::{Expression, ScopeSet};
use falconer_store::{Creator, Difference, InitialTokenRecord, Key, Revision, Step, Write};

use crate::administer::applications::refuse_outliving;
use crate::change::acting::Acting;
use crate::change::decide::{Decision, Now};
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::verify::caller::Authentication;

/// So many there are at most.
const MOST_TOKENS: usize = 1000;
/// The entity of their rows in the history.
const ENTITY: &str = "initial-token";

impl Auth {
    /// Makes an initial access token. Whoever does it needs the scope for that, and each scope that may be asked for by what is registered with it (ADR 263).
    /// `token.created_by`, `creator`, `uses` and `created_ms` are filled in here.
    pub async fn create_initial_token(
        &self,
        who: &Authentication,
        token: InitialTokenRecord,
    ) -> Result<(InitialTokenRecord, Revision), ApiError> {
        reserved::check_contents(&token.scopes, &token.description)?;
        let id = token.id.as_str();
        // First: whoever may not make one is not told how many there are.
        self.caller(who)?.require_scope(format!("auth:create-initial-token:{id}"))?;
        let there = self.initial_token_records().await?;
        if there.len() >= MOST_TOKENS {
            return Err(ApiError::RequestConflict(format!("There are {MOST_TOKENS} initial access tokens: revoke what is not used")));
        }
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            let right = format!("auth:create-initial-token:{id}");
            acting.caller.require(&Expression::all_of(std::iter::once(right).chain(token.scopes.iter().cloned())))?;
            refuse_outliving(&acting.caller)?;
            if token.expires_ms <= now.now_ms {
                return Err(ApiError::InputError("expires: a token that has ended is no use".to_owned()));
            }
            if !token.owner.is_empty() && now.snapshot.identity(&token.owner).is_none() {
                return Err(ApiError::InputError(format!("owner: nobody has the identity {}", token.owner)));
            }
            let (created_by, creator) = match who.holder() {
                Some((name, creator)) => (name.to_owned(), creator),
                None => (acting.caller.actor(), Creator::Client),
            };
            let record = InitialTokenRecord {
                created_by,
                creator,
                scopes: ScopeSet::new(&token.scopes).to_vec(),
                uses: 0,
                created_ms: now.now_ms,
                ..token.clone()
            };
            let detail = Difference::of_initial_token(&record).kept();
            let step = Step { detail, ..step(now, &acting, "created") };
            Ok(Decision::Write(step, Write::InsertInitialToken(record.clone()), record))
        })
        .await
    }

    /// All initial access tokens that can still be used, by id.
    pub async fn list_initial_tokens(&self, who: &Authentication) -> Result<Vec<InitialTokenRecord>, ApiError> {
        self.caller(who)?.require_scope("auth:list-initial-tokens".to_owned())?;
        let now_ms = self.now_ms();
        let mut all = self.initial_token_records().await?;
        all.retain(|token| now_ms < token.expires_ms);
        Ok(all)
    }

    /// Revokes an initial access token; fine when there is none. What was registered with it stays.
    pub async fn delete_initial_token(&self, who: &Authentication, id: &str) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            acting.caller.require_scope(format!("auth:delete-initial-token:{id}"))?;
            Ok(Decision::Write(step(now, &acting, "deleted"), Write::DeleteInitialToken(id.to_owned()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// The initial access token of this hash, where it can be used. Whether it still can is looked at once more when it is.
    pub async fn usable_initial_token(&self, hash: &str) -> Result<Option<InitialTokenRecord>, ApiError> {
        let found = self.node.store.initial_token(hash).await.map_err(|error| self.node.store_error(error))?;
        let now_ms = self.now_ms();
        Ok(found.filter(|token| token.uses < token.max_uses && now_ms < token.expires_ms))
    }

    /// Which of the lists of tokens somebody may see, and whether they could make one.
    pub fn initial_token_acts(&self, who: &Authentication) -> Result<InitialTokenActs, ApiError> {
        let caller = self.caller(who)?;
        let some = |prefix: &str| super::super::offered::has_some(&caller, prefix);
        Ok(InitialTokenActs {
            list: caller.scopes.satisfies("auth:list-initial-tokens"),
            create: some("auth:create-initial-token:"),
            delete: some("auth:delete-initial-token:"),
        })
    }

    /// What it rests on that whoever made the token could register this with it at present. Else the token is worth nothing: it is no way to keep what one has lost.
    pub(crate) fn still_gives(&self, now: &Now, token: &InitialTokenRecord, scopes: &[String]) -> Result<Vec<Key>, ApiError> {
        let present = self.node.scopes_of_holder(&now.snapshot, &token.created_by, token.creator, now.now_ms);
        let right = format!("auth:create-initial-token:{}", token.id);
        present
            .filter(|(held, _)| std::iter::once(&right).chain(scopes).all(|scope| held.satisfies(scope)))
            .map(|(_, depends_on)| depends_on)
            .ok_or_else(|| ApiError::RequestConflict("Whoever made the initial access token may not give out as much any more".to_owned()))
    }

    async fn initial_token_records(&self) -> Result<Vec<InitialTokenRecord>, ApiError> {
        self.node.store.initial_tokens().await.map_err(|error| self.node.store_error(error))
    }
}

/// What can be done with initial access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InitialTokenActs {
    /// They are listed.
    pub list: bool,
    /// Some can be made.
    pub create: bool,
    /// Some can be revoked.
    pub delete: bool,
}

/// No node keeps tokens, so nothing but the caller is depended on: that there is none of this id the store says.
fn step(now: &Now, acting: &Acting, action: &str) -> Step {
    acting.step(now, action, Key::Application(ENTITY.to_owned()))
}
