//! What services publish about their scopes: list, read, publish, delete. Whether sentences and namespaces can be is `grants`' to say, which has checked it.

use std::sync::Arc;

use falconer_scopes::{Expression, ScopeSet};
use falconer_store::{Difference, Key, Revision, ScopeRegistryRecord, ScopeSentence, Step, Write};

use crate::administer::applications::refuse_outliving;
use crate::change::decide::{Decision, Now};
use crate::directory::records::ScopeRegistries;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::verify::caller::Authentication;
use crate::verify::reading::Reading;
use crate::view::{Page, PageQuery};

/// So many services publish at most: each node has all of it in memory.
pub const MOST_SCOPE_REGISTRIES: usize = 200;
/// And so much text, in bytes, of all together.
const MOST_BYTES: usize = 4 << 20;
const LIST: &str = "auth:list-scope-registries";

impl Auth {
    /// One page of all registries, by namespace.
    pub fn list_scope_registries(&self, who: &Authentication, query: &PageQuery) -> Result<Page<Arc<ScopeRegistryRecord>>, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope(LIST.to_owned())?;
        Ok(Page::cut(snapshot.scope_registries().iter(), query, |record| record.namespace.as_str().into(), Arc::clone))
    }

    /// One of them. Whoever may publish it may see it too.
    pub fn scope_registry(&self, who: &Authentication, namespace: &str) -> Result<Arc<ScopeRegistryRecord>, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        let either = [LIST.to_owned(), right_to_publish(namespace)].map(Expression::Scope);
        caller.require(&Expression::AnyOf(either.into()))?;
        let known = snapshot.scope_registries().get(namespace);
        known.cloned().ok_or_else(|| ApiError::ResourceNotFound(format!("No service has published anything about {namespace}")))
    }

    /// Makes what is said of the scopes of a namespace this, in place of what was said. The same once more changes nothing.
    pub async fn put_scope_registry(
        &self,
        who: &Authentication,
        namespace: &str,
        scopes: &[ScopeSentence],
    ) -> Result<(ScopeRegistryRecord, Revision), ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            acting.caller.require_scope(right_to_publish(namespace))?;
            refuse_outliving(&acting.caller)?;
            let all = now.snapshot.scope_registries();
            let known = all.get(namespace).map(Arc::as_ref);
            if let Some(known) = known.filter(|known| known.scopes == scopes) {
                return Ok(Decision::Keep(known.clone()));
            }
            let others = || all.iter().filter(|other| other.namespace != namespace);
            if others().count() >= MOST_SCOPE_REGISTRIES {
                let text = format!("{MOST_SCOPE_REGISTRIES} services have published something, and no more can: delete what is not used");
                return Err(ApiError::RequestConflict(text));
            }
            if others().map(|other| bytes(&other.scopes)).sum::<usize>().saturating_add(bytes(scopes)) > MOST_BYTES {
                let text =
                    format!("Services have published {MOST_BYTES} bytes together with this, and no more can be: delete what is not used");
                return Err(ApiError::RequestConflict(text));
            }
            let record = ScopeRegistryRecord {
                namespace: namespace.to_owned(),
                scopes: scopes.to_vec(),
                published_by: acting.caller.actor(),
                created_ms: known.map_or(now.now_ms, |known| known.created_ms),
                last_modified_ms: now.now_ms,
            };
            let action = if known.is_some() { "updated" } else { "created" };
            let detail = Difference::of_scope_registry(known, Some(&record)).kept();
            let step = Step { detail, ..acting.step(now, action, Key::ScopeRegistries) };
            Ok(Decision::Write(step, Write::PutScopeRegistry(record.clone()), record))
        })
        .await
    }

    /// Deletes it; fine when there is none. `seen_ms`: when it was last changed as whoever asks has seen it, 409 when it was changed since.
    pub async fn delete_scope_registry(&self, who: &Authentication, namespace: &str, seen_ms: Option<i64>) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            acting.caller.require_scope(right_to_publish(namespace))?;
            // What was a high risk would be one no more, for longer than the grant.
            refuse_outliving(&acting.caller)?;
            let known = now.snapshot.scope_registries().get(namespace).map(Arc::as_ref);
            if let Some(known) = known {
                reserved::refuse_unseen("registry", known.last_modified_ms, seen_ms)?;
            }
            let detail = Difference::of_scope_registry(known, None).kept();
            let step = Step { detail, ..acting.step(now, "deleted", Key::ScopeRegistries) };
            Ok(Decision::Write(step, Write::DeleteScopeRegistry(namespace.to_owned()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Whether somebody may publish something about this namespace, before anything else is said of it.
    pub fn check_publishing_scope(&self, who: &Authentication, namespace: &str) -> Result<(), ApiError> {
        self.caller(who)?.require_scope(right_to_publish(namespace))
    }

    /// Whether somebody may delete what was published about this namespace.
    pub fn may_publish(&self, who: &Authentication, namespace: &str) -> Result<bool, ApiError> {
        Ok(self.caller(who)?.scopes.satisfies(&right_to_publish(namespace)))
    }
}

/// 409 where services say something else of these scopes than what was read. A step that goes on from it depends on [`Key::ScopeRegistries`].
pub(crate) fn check_words(now: &Now, words: Option<&ScopeRegistries>, scopes: &ScopeSet) -> Result<(), ApiError> {
    match words {
        Some(words) if !words.say_the_same_of(scopes, now.snapshot.scope_registries()) => {
            Err(ApiError::RequestConflict("What services say of these scopes has changed since the page was shown".to_owned()))
        }
        _ => Ok(()),
    }
}

fn right_to_publish(namespace: &str) -> String {
    format!("auth:publish-scopes:{namespace}")
}

fn bytes(scopes: &[ScopeSentence]) -> usize {
    scopes.iter().map(|scope| scope.template.len() + scope.sentence.len()).sum()
}
