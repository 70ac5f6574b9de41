//! All that is said of scopes at a moment: by the configuration, and by what services have published until then.

use std::sync::{Arc, Mutex, PoisonError};

use falconer_auth::ScopeRegistries;

use crate::words::published::{ScopeWords, ServiceWords};

/// Both together. They are put together once for each change of one.
#[derive(Default)]
pub(crate) struct KnownWords {
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    configured: Arc<ScopeWords>,
    registries: ScopeRegistries,
    words: Arc<ScopeWords>,
}

impl KnownWords {
    /// What the configuration says of a namespace is the whole of it: no service adds to that.
    pub(crate) fn at(&self, configured: &Arc<ScopeWords>, registries: &ScopeRegistries) -> Arc<ScopeWords> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&read.configured, configured) || !read.registries.is(registries) {
            let words = Arc::new(together(configured, registries, &read.words));
            *read = Read { configured: Arc::clone(configured), registries: registries.clone(), words };
        }
        Arc::clone(&read.words)
    }
}

/// What has not changed is taken over.
fn together(configured: &ScopeWords, registries: &ScopeRegistries, before: &ScopeWords) -> ScopeWords {
    let mut all = configured.clone();
    for record in registries.iter().filter(|record| configured.of(&record.namespace).is_none()) {
        let namespace = record.namespace.as_str();
        let is_same = |known: &&Arc<ServiceWords>| known.record.as_ref().is_some_and(|known| Arc::ptr_eq(known, record));
        match before.of(namespace).filter(is_same) {
            Some(known) => all.put(namespace, Arc::clone(known)),
            None => match ServiceWords::of_record(record) {
                Ok(words) => all.put(namespace, Arc::new(words)),
                // Such as one that another version has let in.
                Err(why) => tracing::warn!(%namespace, %why, "what a service has published about its scopes is not used"),
            },
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use falconer_auth::Risk;

    use super::*;
    use crate::words::published::PublishedScope;

    #[test]
    fn what_is_configured_is_put_together_once_and_again_when_it_changes() {
        let (known, none) = (KnownWords::default(), ScopeRegistries::default());
        let of = |sentence: &str| {
            let scope = PublishedScope {
                namespace: "notes".to_owned(),
                template: "notes:x".to_owned(),
                sentence: sentence.to_owned(),
                risk: Risk::Ordinary,
            };
            Arc::new(ScopeWords::new(&[scope]).unwrap())
        };
        let first = of("One");
        let one = known.at(&first, &none);
        assert!(Arc::ptr_eq(&one, &known.at(&first, &none)));
        let other = known.at(&of("Other"), &none);
        assert_ne!(one.describe("notes:x"), other.describe("notes:x"));
    }
}
