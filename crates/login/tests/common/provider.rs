//! A provider of the tests, which answers what the test says. What a hostile one can do is tested with real peers.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use falconer_login::mapping::Mapping;
use falconer_login::{
    Answer, Attempt, Attributes, ConfiguredProvider, Found, IdentityProvider, Keeper, Known, ProviderError, Refreshed, SignInStart, Turn,
};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::Url;

type Finish = Box<dyn Fn(&Answer, i64) -> Result<Found, ProviderError> + Send + Sync>;
type Refresh = Box<dyn Fn(&Known<'_>, i64) -> Result<Refreshed, ProviderError> + Send + Sync>;

/// What it says is a function of the test; the time is the one of the test's clock.
pub struct FakeProvider {
    sign_in_start: SignInStart,
    finish: Finish,
    refresh: Refresh,
    known_by: &'static str,
    hangs: Option<Arc<Semaphore>>,
    turns: Option<Arc<Semaphore>>,
    /// Of each sign-in that was begun: whether the person was to be asked again.
    pub begun: Mutex<Vec<bool>>,
}

impl FakeProvider {
    /// Browsers go to `https://login.example.com/authorize` and bring a code back.
    pub fn away(finish: impl Fn(&str, i64) -> Result<Found, ProviderError> + Send + Sync + 'static) -> FakeProvider {
        let finish = move |answer: &Answer, now_ms: i64| {
            let Answer::Callback(callback) = answer else { panic!("nobody types anything") };
            finish(callback.code.as_deref().unwrap(), now_ms)
        };
        FakeProvider::of(SignInStart::Away, Box::new(finish))
    }

    /// Names and passwords are typed on a page of ours.
    pub fn password(finish: impl Fn(&str, &str) -> Result<Found, ProviderError> + Send + Sync + 'static) -> FakeProvider {
        let finish = move |answer: &Answer, _: i64| {
            let Answer::Password { name, password } = answer else { panic!("nobody comes back") };
            finish(name, password)
        };
        FakeProvider::of(SignInStart::Password, Box::new(finish))
    }

    /// Addresses are typed on a page of ours, and codes are mailed there.
    pub fn address(finish: impl Fn(&str, i64) -> Result<Found, ProviderError> + Send + Sync + 'static) -> FakeProvider {
        let finish = move |answer: &Answer, now_ms: i64| {
            let Answer::Address(address) = answer else { panic!("nobody comes back") };
            finish(address.as_str(), now_ms)
        };
        FakeProvider::of(SignInStart::Address, Box::new(finish))
    }

    fn of(sign_in_start: SignInStart, finish: Finish) -> FakeProvider {
        FakeProvider {
            sign_in_start,
            finish,
            refresh: Box::new(|_, _| Ok(Refreshed::CannotBeAsked)),
            known_by: "company id",
            hangs: None,
            turns: None,
            begun: Mutex::default(),
        }
    }

    /// What it says when it is asked about somebody without them.
    pub fn refreshing(self, refresh: impl Fn(&Known<'_>, i64) -> Result<Refreshed, ProviderError> + Send + Sync + 'static) -> FakeProvider {
        FakeProvider { refresh: Box::new(refresh), ..self }
    }

    /// It has heard what it is asked, and does not answer.
    pub fn hanging(self) -> FakeProvider {
        self.hanging_until(Arc::new(Semaphore::new(0)))
    }

    /// The same, until it is let answer: each permit is for one answer.
    pub fn hanging_until(self, answers: Arc<Semaphore>) -> FakeProvider {
        FakeProvider { hangs: Some(answers), ..self }
    }

    /// Nobody asks it without one of these.
    pub fn with_turns(self, turns: Arc<Semaphore>) -> FakeProvider {
        FakeProvider { turns: Some(turns), ..self }
    }

    /// By what its people are known.
    pub fn known_by(self, known_by: &'static str) -> FakeProvider {
        FakeProvider { known_by, ..self }
    }
}

/// Somebody of whom it says nothing but who it is.
pub fn found(subject: &str, proved_ms: Option<i64>) -> Found {
    let attributes = Attributes { subject: subject.to_owned(), display_name: subject.to_owned(), ..Attributes::default() };
    Found { attributes, handle: None, proved_ms }
}

/// The provider under this name, with these templates of scopes; it is not asked about people without them.
pub fn configured(name: &str, label: &str, scopes: &[&str], kind: impl Into<Arc<FakeProvider>>) -> ConfiguredProvider {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let authoritative_email = scopes.iter().any(|scope| scope.contains("{email}"));
    ConfiguredProvider {
        name: name.to_owned(),
        label: label.to_owned(),
        mapping: Mapping::new(&scopes, [], None, authoritative_email).unwrap(),
        kind: kind.into(),
        refresh_ms: None,
    }
}

#[async_trait]
impl IdentityProvider for FakeProvider {
    fn sign_in_start(&self) -> SignInStart {
        self.sign_in_start
    }

    fn known_by(&self) -> String {
        self.known_by.to_owned()
    }

    async fn begin(&self, attempt: &Attempt, _: i64) -> Result<Url, ProviderError> {
        assert_eq!(self.sign_in_start, SignInStart::Away, "nobody goes anywhere");
        self.begun.lock().unwrap().push(attempt.reauthenticate);
        let fields = [("state", &attempt.state), ("redirect_uri", &attempt.redirect_uri)];
        Ok(Url::parse_with_params("https://login.example.com/authorize", fields).unwrap())
    }

    async fn turn(&self) -> Result<Turn, ProviderError> {
        if let Some(turns) = &self.turns {
            turns.acquire().await.unwrap().forget();
        }
        Ok(Turn::default())
    }

    async fn finish(&self, _: Turn, _: &Attempt, answer: &Answer, now_ms: i64) -> Result<Found, ProviderError> {
        let answer = (self.finish)(answer, now_ms);
        if let Some(hangs) = &self.hangs {
            hangs.acquire().await.unwrap().forget();
        }
        answer
    }

    async fn refresh(&self, known: &Known<'_>, _: &dyn Keeper, now_ms: i64) -> Result<Refreshed, ProviderError> {
        (self.refresh)(known, now_ms)
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        Ok(Vec::new())
    }

    fn attributes(&self, _: &Map<String, Value>) -> Result<Attributes, ProviderError> {
        Ok(Attributes::default())
    }
}
