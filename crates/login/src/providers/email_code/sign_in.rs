//! Asking for a code, and signing in with it.

use zeroize::Zeroizing;

use super::counts::MailPurpose;
use super::flow::{CODE_MS, CodeFlow, LONGEST_NEXT, code, spaced, typed_code};
use crate::error::LoginError;
use crate::login::Login;
use crate::mail::{Mail, MailAddress};
use crate::providers::error::ProviderError;
use crate::providers::flow::Intent;
use crate::providers::provider::{Answer, Attempt, ConfiguredProvider, SignInStart, Turn};
use crate::providers::sign_in::ProviderSignInError;
use crate::providers::way::{Begun, SignInResult, Way};
use crate::sessions::attempts::Visitor;
use crate::sessions::session::Session;

/// So often a code can be typed.
const MOST_TRIES: u32 = 5;

/// A code is on its way, or would be if the address were let in.
pub struct CodeSent {
    /// What the browser keeps, for a cookie: characters of `A-Za-z0-9_.-`, under 4096 of them.
    pub cookie_value: Zeroizing<String>,
    /// So long it is kept.
    pub seconds: i64,
    /// What pages call the sign-in.
    pub flow: String,
}

/// A sign-in for which a code was asked in this browser.
pub struct PendingCode {
    /// Where the code went.
    pub address: MailAddress,
    /// What it is for, and where to go on.
    pub begun: Begun,
}

impl Login {
    /// The provider of this name, if people type an address for it.
    pub fn address_provider(&self, name: &str) -> Result<&ConfiguredProvider, ProviderError> {
        let provider = self.provider(name)?;
        if provider.kind.sign_in_start() == SignInStart::Address { Ok(provider) } else { Err(ProviderError::UnknownProvider) }
    }

    /// Mails a code to an address. `site` is what the mail calls this server. Addresses that are let in and others get the same answer for the same work; only
    /// the mail is not sent, and that is done behind the back of whoever asks.
    ///
    /// Invalid: it is no address. Throttled: too many mails were asked for.
    pub async fn mail_code(
        &self,
        name: &str,
        typed_address: &str,
        next: &str,
        site: &str,
        way: Way<'_>,
        visitor: &Visitor<'_>,
    ) -> Result<CodeSent, ProviderSignInError> {
        let provider = self.address_provider(name)?;
        if next.len() > LONGEST_NEXT {
            return Err(ProviderError::NextTooLong.into());
        }
        let address = MailAddress::parse(typed_address).map_err(|wrong| LoginError::Invalid(wrong.to_string()))?;
        self.check_clock()?;
        self.check_way(way)?;
        self.check_mail_room()?;
        self.count_mail(&self.mail_counts(MailPurpose::Code(name), address.as_str(), visitor).await?).await?;
        let now_ms = self.now_ms();
        let flow = CodeFlow::new(self.draw::<32>(), now_ms, name, Intent::of(way), next, address.clone());
        let code = self.draw_mail_code();
        let noted = self.store.note_attempt(&flow.code_key(&code), now_ms, CODE_MS).await;
        noted.map_err(|error| self.store_error(error))?;
        let mail = code_mail(self.draw::<16>(), address.clone(), &code, site, now_ms);
        let is_let_in = provider.kind.finish(Turn::default(), &unused(), &Answer::Address(address), now_ms).await.is_ok();
        if let Some(post) = self.post.as_ref().filter(|_| is_let_in) {
            post.send(mail);
        }
        Ok(CodeSent { cookie_value: flow.cookie_value(), seconds: CODE_MS / 1000, flow: flow.name() })
    }

    /// The sign-in of this name that is under way in this browser. `cookies` are what it has kept.
    pub fn pending_code(&self, name: &str, cookies: &[&str], flow: &str) -> Result<PendingCode, ProviderError> {
        self.address_provider(name)?;
        let flow = self.code_flow(name, cookies, flow)?;
        Ok(PendingCode { address: flow.address.clone(), begun: flow.begun() })
    }

    /// What that sign-in is for, also where its time is over; `None`: it was not begun in this browser with this provider.
    pub fn begun_by_code(&self, name: &str, cookies: &[&str], flow: &str) -> Option<Begun> {
        let mut flows = cookies.iter().filter_map(|value| CodeFlow::read(value));
        flows.find(|kept| kept.provider == name && kept.name() == flow).map(CodeFlow::begun)
    }

    fn code_flow(&self, name: &str, cookies: &[&str], flow: &str) -> Result<CodeFlow, ProviderError> {
        let found = cookies.iter().filter_map(|value| CodeFlow::read(value)).find(|kept| kept.name() == flow);
        let found = found.ok_or(ProviderError::NotBegunHere)?;
        if found.provider != name {
            return Err(ProviderError::OtherProvider);
        }
        if found.is_over(self.now_ms()) { Err(ProviderError::Over) } else { Ok(found) }
    }

    /// Signs somebody in who knows the code.
    pub async fn sign_in_by_code(
        &self,
        name: &str,
        cookies: &[&str],
        flow: &str,
        typed: &str,
        session: Option<&Session>,
        visitor: &Visitor<'_>,
    ) -> Result<SignInResult, ProviderSignInError> {
        let provider = self.address_provider(name)?;
        self.check_clock()?;
        let flow = self.code_flow(name, cookies, flow)?;
        let way = flow.intent.way(session)?;
        let now_ms = self.now_ms();
        let attempt = self.begin_flow_attempt(visitor.address).await?;
        if let Some(error) = attempt.checked(self.use_code(&flow, typed, now_ms)).await? {
            return self.refuse_counted(error, attempt).await;
        }
        drop(attempt);
        let found = provider.kind.finish(Turn::default(), &unused(), &Answer::Address(flow.address.clone()), now_ms).await?;
        let arrival = self.arrive(way, provider, &found, flow.next, visitor).await?;
        self.know_mail_place(MailPurpose::Code(name), flow.address.as_str(), visitor).await?;
        Ok(arrival)
    }

    /// Uses up a code; answers why it can't be.
    async fn use_code(&self, flow: &CodeFlow, typed: &str, now_ms: i64) -> Result<Option<ProviderError>, LoginError> {
        // Before anything is compared: many at once are no more than in a row.
        if !self.note_below(&flow.tries_key(), now_ms, CODE_MS, MOST_TRIES).await? {
            return Ok(Some(ProviderError::TooManyTries));
        }
        let is_right = match typed_code(typed) {
            Some(code) => self.store.attempts(&flow.code_key(&code), now_ms, CODE_MS).await.map_err(|error| self.read_error(error))? > 0,
            None => false,
        };
        if !is_right {
            return Ok(Some(ProviderError::WrongCode));
        }
        let is_first = self.note_below(&flow.use_key(), now_ms, CODE_MS, 1).await?;
        Ok((!is_first).then_some(ProviderError::Used))
    }

    fn draw_mail_code(&self) -> Zeroizing<String> {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        code(bytes)
    }

    /// Until no mail waits to be sent: before the process ends, and in tests.
    pub async fn mail_is_sent(&self) {
        if let Some(post) = &self.post {
            post.idle().await;
        }
    }
}

/// Nothing goes away and comes back.
fn unused() -> Attempt {
    Attempt { state: String::new(), nonce: String::new(), verifier: String::new(), redirect_uri: String::new(), reauthenticate: false }
}

/// There is no link in it: programs that look at mail open links, and people press them.
fn code_mail(id: String, to: MailAddress, code: &str, site: &str, at_ms: i64) -> Mail {
    let minutes = CODE_MS / 60_000;
    let text = format!(
        "Somebody, probably you, is signing in to {site} with this address.\n\nThe code is\n\n    {}\n\nType it on the page where you asked for it, within \
         {minutes} minutes. It works there only, and once.\n\nNever tell it to anybody, whoever asks. If you are not signing in, do nothing: without the \
         code nobody is signed in.\n",
        spaced(code)
    );
    Mail { id, to, subject: format!("Your code for {site}"), text: Zeroizing::new(text), at_ms }
}
