//! What a store's errors mean to whoever only asked, and to whoever wanted to change something.

use std::sync::{Arc, Mutex};

use crate::common::{Counting, World, settings};
use crate::failing::Failing;
use falconer_login::{Login, LoginError, LoginSettings};
use falconer_store::StoreError;

/// Story: a store that failed for good while a session was looked up was told as a change that nobody knows of, with the advice to look before repeating it.
#[tokio::test]
async fn a_store_that_failed_for_good_leaves_no_doubt_about_what_was_only_read() {
    let world = World::new().await;
    let ann = world.ann().await;
    let (cookie, _) = world.sign_in("ann").await;
    let store = Arc::new(Failing::new(Arc::clone(&world.store)));
    let ended = Arc::new(Mutex::new(Vec::new()));
    let ended_flag = Arc::clone(&ended);
    let settings = LoginSettings { on_fatal: Arc::new(move |why: &str| ended_flag.lock().unwrap().push(why.to_owned())), ..settings() };
    let random = Arc::new(Counting::default());
    let login = Login::open(Arc::clone(&world.auth), store.clone(), settings, world.clock.clone(), random).unwrap();
    let fail = |method: &'static str, error: StoreError| store.errors.lock().unwrap().push_back((method, error));
    let lost = || StoreError::Fatal("disk".to_owned());

    fail("session", lost());
    assert!(matches!(login.session(&cookie).await, Err(LoginError::Internal(_))));
    fail("accounts", lost());
    assert!(matches!(login.accounts().await, Err(LoginError::Internal(_))));
    fail("sessions_of", lost());
    assert!(matches!(login.sessions(&ann).await, Err(LoginError::Internal(_))));
    fail("setup_link_valid", lost());
    assert!(matches!(login.setup_link_valid("x").await, Err(LoginError::Internal(_))));
    fail("account", StoreError::Unknown("lost".to_owned()));
    assert!(matches!(login.account("ann").await, Err(LoginError::Unavailable(_))));
    assert_eq!(ended.lock().unwrap().len(), 4);

    for method in ["delete_session", "after delete_session"] {
        fail(method, lost());
        assert!(matches!(login.sign_out(&ann).await, Err(LoginError::OutcomeUnknown(_))), "{method}");
    }
    assert_eq!(ended.lock().unwrap().len(), 6);
}
