//! Nobody learns by the time that an answer takes whether there is an account.

use std::net::IpAddr;
use std::sync::Arc;

use crate::common::{Counting, World, from, settings};
use crate::failing::Failing;
use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_login::{Login, LoginError};

/// Story: for a recovery code of a name that nobody has, the store was asked for news of that person besides.
#[tokio::test]
async fn wrong_answers_take_the_same_calls_for_names_that_nobody_has() {
    let world = World::new().await;
    world.ann().await;
    let store = Arc::new(Failing::new(Arc::clone(&world.store)));
    let (random, origin) = (Arc::new(Counting::default()), Origin::parse("https://auth.example.com").unwrap());
    let auth = Auth::open(store.clone(), AuthSettings::new(origin), world.clock.clone(), random.clone());
    let login = Login::open(Arc::new(auth.await.unwrap()), store.clone(), settings(), world.clock.clone(), random).unwrap();
    let mut network = 0;
    let mut calls = async |name: &str, recovery: bool| {
        network += 1;
        let visitor = from(IpAddr::from([198, 51, 100, network]));
        store.calls.lock().unwrap().clear();
        let answer = if recovery {
            login.sign_in_recovery(name, "aaaa-aaaa-aaaa-aaaa", &visitor).await
        } else {
            login.sign_in_local(name, "wrong password", &visitor).await
        };
        assert_eq!(answer.err(), Some(LoginError::WrongPassword));
        store.calls.lock().unwrap().clone()
    };
    for recovery in [true, false] {
        let known = calls("ann", recovery).await;
        assert!(!known.is_empty());
        assert_eq!(calls("nobody", recovery).await, known, "recovery code: {recovery}");
    }
}
