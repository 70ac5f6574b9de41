//! A directory that is stopped, or hangs.

use std::time::{Duration, Instant};

use falconer_login::Fault;
use falconer_login::ldap::LdapError;

use crate::ask::{directory, refresh, sign_in};
use crate::slapd::Slapd;

#[tokio::test]
#[ignore = "needs slapd"]
async fn a_server_that_is_stopped_and_started() {
    let slapd = Slapd::start();
    let directory = directory(&slapd, |_| {});
    let ann = sign_in(&directory, "ann", "password of ann").await.unwrap();
    let stopped = slapd.stop();
    for _ in 0..2 {
        let error = refresh(&directory, &ann.subject).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Away, "{error}");
    }
    assert_eq!(sign_in(&directory, "ann", "password of ann").await.unwrap_err().fault(), Fault::Away);
    let _slapd = stopped.start();
    assert_eq!(refresh(&directory, &ann.subject).await, Ok(Some(ann)));
}

/// Every question ends in its time, those that wait for a connection too, and what is more than can wait ends at once.
#[tokio::test]
#[ignore = "needs slapd"]
async fn a_server_that_hangs() {
    // Short for somebody who waits, and long for a server that answers on a busy machine.
    let timeout = Duration::from_secs(5);
    let slapd = Slapd::start();
    let directory = directory(&slapd, |settings| {
        settings.timeout = timeout;
        settings.connections = 1;
    });
    let ann = sign_in(&directory, "ann", "password of ann").await.unwrap();
    slapd.freeze();
    let begun = Instant::now();
    let questions: Vec<_> = (0..12).map(|_| refresh(&directory, &ann.subject)).collect();
    let answers = futures_util::future::join_all(questions).await;
    assert!(begun.elapsed() < timeout * 4, "one after the other would take eight times as long: {:?}", begun.elapsed());
    let (busy, slow): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| *answer == Err(LdapError::Busy));
    assert_eq!((busy.len(), slow.len()), (4, 8));
    assert!(slow.iter().all(|answer| *answer == Err(LdapError::TooSlow)), "{slow:?}");
    slapd.thaw();
    assert_eq!(refresh(&directory, &ann.subject).await, Ok(Some(ann)));
}

/// The first server that answers is asked. One that hangs holds nobody up twice, and is asked again once its time is over.
#[tokio::test]
#[ignore = "needs slapd"]
async fn one_of_several_servers_hangs() {
    let slapd = Slapd::start();
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    hanging.set_nonblocking(true).unwrap();
    let connections = || std::iter::from_fn(|| hanging.accept().ok()).count();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let several = directory(&slapd, |settings| {
        settings.urls = vec![format!("ldaps://{}", hanging.local_addr().unwrap()), format!("ldaps://{closed}"), settings.urls[0].clone()];
        settings.timeout = Duration::from_secs(3);
    });
    let ann = sign_in(&several, "ann", "password of ann").await.unwrap();
    assert_eq!(connections(), 1, "it was tried");
    for _ in 0..5 {
        assert_eq!(refresh(&several, &ann.subject).await.unwrap(), Some(ann.clone()));
    }
    assert_eq!(sign_in(&several, "ann", "wrong").await, Err(LdapError::Wrong), "what another one says is not tried elsewhere");
    assert_eq!(connections(), 0, "it is passed over");
    // All of them are tried when nobody answers, those that are passed over too.
    slapd.freeze();
    for _ in 0..2 {
        let away = refresh(&several, &ann.subject).await.unwrap_err();
        assert_eq!((away.fault(), connections()), (Fault::Away, 1), "{away}");
    }
    slapd.thaw();
    assert_eq!(refresh(&several, &ann.subject).await, Ok(Some(ann)));
}
