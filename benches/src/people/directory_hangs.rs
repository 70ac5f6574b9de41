//! Verification and sign-ins with a password while an LDAP server takes connections and says nothing, and people try to sign in through it.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::accounts::{address_of, name, server_with, timed};
use super::{Line, Options};
use crate::requests::browser::Person;
use crate::requests::load::{Figures, Load, drive};
use crate::requests::pool::authenticate_hawks;
use crate::subjects::subject::Subject;

/// People who try to sign in through the directory at the same time.
const WAITING: usize = 16;

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let port = silent.local_addr()?.port();
    let provider = format!(
        "[[provider]]\nkind = \"ldap\"\nname = \"directory\"\nlabel = \"Company\"\nurl = \"ldap://127.0.0.1:{port}\"\nstart_tls = false\n\
         base = \"ou=people,dc=example,dc=com\"\nuser_filter = \"(uid={{name}})\"\nscopes = [\"assume:company-user:{{username}}\"]\n"
    );
    let (subject, address) = server_with(&options.binary, 1, &provider)?;
    let before = verify(options, &subject)?;
    let mut person = Person::at(&address, Some(address_of(1)))?;
    let quiet = timed(&mut person, &name(0))?;
    let (stop, waited) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (beside, signed_in) = std::thread::scope(|scope| {
        // What it takes it keeps, and never answers.
        silent.set_nonblocking(true)?;
        scope.spawn(|| {
            let mut kept = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                kept.extend(silent.accept());
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let waiting: Vec<_> = (0..WAITING)
            .map(|number| {
                let (address, stop, waited) = (&address, &stop, &waited);
                scope.spawn(move || -> Result<()> {
                    while !stop.load(Ordering::Relaxed) {
                        let mut person = Person::at(address, Some(address_of(200 + number)))?;
                        let fields = person.sign_in_form("/login/directory", &format!("someone{number}"), "a password")?;
                        // It may be given up on, or told that the directory does not answer.
                        let _ = person.send("/login/directory", &fields, &address_of(200 + number));
                        waited.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(1));
        let measured = verify(options, &subject).and_then(|figures| Ok((figures, timed(&mut person, &name(0))?)));
        stop.store(true, Ordering::Relaxed);
        for thread in waiting {
            thread.join().map_err(|_| anyhow!("a person panicked"))??;
        }
        measured
    })?;
    let text = |figures: &Figures| format!("p50 {:.0} us, p99 {:.0} us", figures.p50_us, figures.p99_us);
    Ok(vec![
        Line {
            work: "authenticateHawk, 1,000 a second, nothing else".to_owned(),
            measured: text(&before),
            note: format!("a sign-in with a password: {:.0} ms", quiet.as_secs_f64() * 1e3),
            bound: None,
        },
        Line {
            work: format!("the same while {WAITING} people sign in through a directory that hangs"),
            measured: text(&beside),
            note: format!(
                "a sign-in with a password: {:.0} ms; {} given up on",
                signed_in.as_secs_f64() * 1e3,
                waited.load(Ordering::Relaxed)
            ),
            bound: Some(("p99 at most twice, or 1 ms".to_owned(), beside.p99_us <= (2.0 * before.p99_us).max(1_000.0))),
        },
    ])
}

fn verify(options: &Options, subject: &Subject) -> Result<Figures> {
    let pool = authenticate_hawks(&subject.api, &subject.api.keys, None, 2_000, "auth-success")?;
    let began = Instant::now();
    let figures =
        drive(&subject.api.address, subject.process(), &pool, Load { connections: 8, seconds: options.seconds, rate: Some(1_000.0) });
    figures.with_context(|| format!("after {} s", began.elapsed().as_secs()))
}
