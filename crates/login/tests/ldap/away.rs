//! A directory that is stopped, or hangs.

use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use falconer_login::Fault;
use falconer_login::ldap::{LdapError, LdapProvider};
use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::ask::{LONGEST, directory, prove, refresh, settings, sign_in, tls, turn};
use crate::patience::patience;
use crate::ports::HeldPort;
use crate::slapd::Slapd;
use crate::standing_clock::StandingClock;

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
    let slapd = Slapd::start();
    let directory = directory(&slapd, |settings| {
        settings.connections = 1;
    });
    let ann = sign_in(&directory, "ann", "password of ann").await.unwrap();
    slapd.freeze();
    // Nothing comes from now on, so that the clock goes to the end of what is waited for.
    tokio::time::pause();
    let begun = Instant::now();
    let questions: Vec<_> = (0..12).map(|_| refresh(&directory, &ann.subject)).collect();
    let answers = futures_util::future::join_all(questions).await;
    assert_eq!(begun.elapsed().as_secs(), LONGEST.as_secs(), "one after the other would take eight times as long");
    let (busy, slow): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| *answer == Err(LdapError::Busy));
    assert_eq!((busy.len(), slow.len()), (4, 8));
    assert!(slow.iter().all(|answer| *answer == Err(LdapError::TooSlow)), "{slow:?}");
    tokio::time::resume();
    slapd.thaw();
    assert_eq!(refresh(&directory, &ann.subject).await, Ok(Some(ann)));
}

/// A server that takes connections, and says nothing.
struct Hanging {
    url: String,
    arrivals: Receiver<TcpStream>,
}

impl Hanging {
    fn start() -> Hanging {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ldaps://{}", listener.local_addr().unwrap());
        let (send, arrivals) = channel();
        std::thread::spawn(move || listener.incoming().map_while(Result::ok).try_for_each(|stream| send.send(stream)));
        Hanging { url, arrivals }
    }

    /// Waits for the next one who asks, and lets the time pass that a server is given.
    async fn is_given_up(&self) -> TcpStream {
        let until = std::time::Instant::now() + patience();
        loop {
            if let Ok(kept) = self.arrivals.try_recv() {
                // Two seconds, and the millisecond to which timers are rounded.
                tokio::time::advance(Duration::from_millis(2001)).await;
                return kept;
            }
            assert!(std::time::Instant::now() < until, "nobody asks it");
            tokio::task::yield_now().await;
        }
    }
}

/// Whoever waits for a connection has asked nothing, and what they have waited is a part of the time of their question.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_connection_asks_nothing() {
    let hanging = Hanging::start();
    let mut settings = settings(hanging.url.clone());
    settings.connections = 1;
    let directory = LdapProvider::new(settings, tls()).unwrap();
    let first = turn(&directory).await.unwrap();
    for _ in 0..30 {
        assert!(turn(&directory).now_or_never().is_none(), "there is one place");
    }
    let begun = Instant::now();
    let half_way = async {
        tokio::time::sleep(LONGEST / 2).await;
        drop(first);
    };
    let (second, ()) = tokio::join!(turn(&directory), half_way);
    assert!(hanging.arrivals.try_recv().is_err(), "nobody has asked anything");
    assert_eq!(prove(&directory, second.unwrap(), "ann", "a guess").await, Err(LdapError::TooSlow));
    assert_eq!(begun.elapsed().as_secs(), LONGEST.as_secs());
}

/// The first server that answers is asked. One that hangs holds nobody up twice, and is asked again once its time is over.
#[tokio::test]
#[ignore = "needs slapd"]
async fn one_of_several_servers_hangs() {
    let slapd = Slapd::start();
    let (hanging, closed) = (Hanging::start(), HeldPort::new());
    let several = directory(&slapd, |settings| {
        settings.urls = vec![hanging.url.clone(), format!("ldaps://{}", closed.address()), settings.urls[0].clone()];
    });
    tokio::time::pause();
    let clock = StandingClock::hold();
    let (ann, _kept) = tokio::join!(sign_in(&several, "ann", "password of ann"), hanging.is_given_up());
    let ann = ann.unwrap();
    for _ in 0..5 {
        assert_eq!(refresh(&several, &ann.subject).await.unwrap(), Some(ann.clone()));
    }
    // A refusal waits for its time.
    tokio::time::resume();
    assert_eq!(sign_in(&several, "ann", "wrong").await, Err(LdapError::Wrong), "what another one says is not tried elsewhere");
    assert!(hanging.arrivals.try_recv().is_err(), "it is passed over");
    // All of them are tried when nobody answers, those that are passed over too.
    slapd.freeze();
    drop(clock);
    tokio::time::pause();
    for _ in 0..2 {
        let away = refresh(&several, &ann.subject).await.unwrap_err();
        assert_eq!(away.fault(), Fault::Away, "{away}");
        hanging.arrivals.recv_timeout(patience()).expect("it is tried");
        assert!(hanging.arrivals.try_recv().is_err(), "once");
    }
    slapd.thaw();
    let _clock = StandingClock::hold();
    let (found, _kept) = tokio::join!(refresh(&several, &ann.subject), hanging.is_given_up());
    assert_eq!(found, Ok(Some(ann)));
}
