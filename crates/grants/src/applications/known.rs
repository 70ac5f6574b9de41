//! All applications that are known at a moment: those of the configuration, and those of the store as the node has them then.

use std::sync::{Arc, Mutex, PoisonError};

use falconer_auth::{ApplicationRecord, Applications, Auth};

use crate::applications::application::Application;
use crate::applications::register::{Register, of_record};
use crate::targets::target::Target;

/// Both. What is made of the records is made once for each change of one.
pub(crate) struct KnownApplications {
    pub(crate) configured: Register,
    auth: Arc<Auth>,
    read: Mutex<Read>,
}

/// What was made of the records of a moment.
#[derive(Default)]
struct Read {
    of: Applications,
    register: Arc<Register>,
    /// Those that can't be used, and were said to be so.
    unusable: Vec<Arc<ApplicationRecord>>,
}

impl KnownApplications {
    pub(crate) fn new(configured: Register, auth: Arc<Auth>) -> KnownApplications {
        KnownApplications { configured, auth, read: Mutex::default() }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Application>> {
        self.configured.find(id).cloned().or_else(|| self.stored().find(id).cloned())
    }

    /// Whether a page of this origin may read the answers of one of them.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.configured.has_origin(origin) || self.stored().has_origin(origin)
    }

    fn stored(&self) -> Arc<Register> {
        let now = self.auth.directory().applications().clone();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !read.of.is(&now) {
            *read = self.read_all(now, &read);
        }
        Arc::clone(&read.register)
    }

    /// What has not changed is taken over, and said once.
    fn read_all(&self, applications: Applications, before: &Read) -> Read {
        let is_own = |target: &Target| self.auth.is_own_address(target.host(), target.effective_port());
        let mut register = Register::default();
        let mut unusable = Vec::new();
        for record in applications.iter() {
            let same = |known: &&Arc<Application>| known.record.as_ref().is_some_and(|known| Arc::ptr_eq(known, record));
            match before.register.find(&record.id).filter(same) {
                Some(known) => _ = register.add(Arc::clone(known)),
                None => match of_record(Arc::clone(record), &is_own) {
                    Ok(application) => _ = register.add(Arc::new(application)),
                    // Such as one whose redirect URI has become an address of this server.
                    Err(why) => {
                        if !before.unusable.iter().any(|known| Arc::ptr_eq(known, record)) {
                            tracing::warn!(application = %record.id, %why, "an application of the database is not used: change it or delete it");
                        }
                        unusable.push(Arc::clone(record));
                    }
                },
            }
        }
        Read { of: applications, register: Arc::new(register), unusable }
    }
}
