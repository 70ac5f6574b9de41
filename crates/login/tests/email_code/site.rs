//! A node with two providers of codes, and the mails that it sends.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use falconer_login::email_code::{EmailCodeProvider, EmailCodeSettings};
use falconer_login::mail::{Mail, MailError, Mailer};
use falconer_login::mapping::Mapping;
use falconer_login::{CodeSent, ConfiguredProvider, Inbound, LoginSettings, ProviderSignInError, SignInResult, Visitor, Way};

use crate::common::{self, ADDRESS, World, from};

/// Keeps what is sent, or fails.
#[derive(Default)]
pub struct Catcher {
    pub caught: Mutex<Vec<Mail>>,
    pub fails: bool,
}

#[async_trait]
impl Mailer for Catcher {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        if self.fails {
            return Err(MailError::NoTls);
        }
        let Mail { id, to, subject, text, at_ms } = mail;
        let copy = Mail { id: id.clone(), to: to.clone(), subject: subject.clone(), text: text.clone(), at_ms: *at_ms };
        self.caught.lock().unwrap().push(copy);
        Ok(())
    }

    async fn probe(&self) -> Result<Vec<(&'static str, String)>, MailError> {
        Ok(vec![("server", "a catcher".to_owned())])
    }
}

pub struct Site {
    pub world: World,
    pub catcher: Arc<Catcher>,
}

/// `mail` lets example.com in, and eve of another domain; `other` lets everybody in.
pub async fn site() -> Site {
    site_with(Catcher::default()).await
}

pub async fn site_with(catcher: Catcher) -> Site {
    let catcher = Arc::new(catcher);
    let provider = |name: &str, domains: &[&str]| {
        let settings = EmailCodeSettings { domains: domains.iter().map(|text| (*text).to_owned()).collect() };
        let scopes = ["assume:mail-person:{sub}", "assume:mozilla-user:{email}"].map(str::to_owned);
        ConfiguredProvider {
            name: name.to_owned(),
            label: name.to_owned(),
            mapping: Mapping::new(&scopes, [], None, true).unwrap(),
            kind: Arc::new(EmailCodeProvider::new(settings, catcher.clone()).unwrap()),
            refresh_ms: None,
        }
    };
    let providers = vec![provider("mail", &["example.com", "eve@example.net"]), provider("other", &["*"])];
    let settings = LoginSettings { providers, mailer: Some(catcher.clone()), ..common::settings() };
    Site { world: World::with(settings).await, catcher }
}

impl Site {
    pub async fn ask(&self, name: &str, address: &str) -> Result<CodeSent, ProviderSignInError> {
        self.ask_from(name, address, &from(ADDRESS)).await
    }

    pub async fn ask_from(&self, name: &str, address: &str, visitor: &Visitor<'_>) -> Result<CodeSent, ProviderSignInError> {
        let sent = self.world.login.mail_code(name, address, "/me?x=1", "auth.example.com", Way::SignIn, visitor).await;
        self.world.login.mail_is_sent().await;
        sent
    }

    /// The mails since the last time.
    pub fn mails(&self) -> Vec<Mail> {
        std::mem::take(&mut self.catcher.caught.lock().unwrap())
    }

    /// Asks, and reads the mail.
    pub async fn code(&self, name: &str, address: &str) -> (CodeSent, String) {
        let sent = self.ask(name, address).await.unwrap();
        let mail = self.mails().pop().unwrap();
        let line = mail.text.lines().find(|line| line.starts_with("    ")).unwrap();
        (sent, line.replace(' ', ""))
    }

    pub async fn sign_in(&self, name: &str, sent: &CodeSent, code: &str) -> Result<Inbound, ProviderSignInError> {
        self.sign_in_with(name, &[&sent.cookie_value], &sent.flow, code).await
    }

    pub async fn sign_in_with(&self, name: &str, cookies: &[&str], flow: &str, code: &str) -> Result<Inbound, ProviderSignInError> {
        self.world.login.sign_in_by_code(name, cookies, flow, code, None, &from(ADDRESS)).await.map(|arrival| match arrival {
            SignInResult::SignedIn(inbound) => *inbound,
            SignInResult::ToConfirm => panic!("nothing was to be linked"),
        })
    }
}

/// Another code than this one.
pub fn wrong(code: &str, by: u64) -> String {
    format!("{:08}", (code.parse::<u64>().unwrap() + by) % 100_000_000)
}
