//! Signing in with a provider: out to it, and back.

use std::net::IpAddr;

use thiserror::Error;
use zeroize::Zeroizing;

use super::error::ProviderError;
use super::flow::{FLOW_MS, Flow, Intent, LONGEST_NEXT};
use super::provider::{Answer, Callback, ConfiguredProvider, SignInStart};
use super::question::{Counted, Question};
use super::way::{Begun, SignInResult, Way};
use crate::error::LoginError;
use crate::login::Login;
use crate::sessions::attempts::{Counts, Visitor};
use crate::sessions::running_attempts::Attempt;
use crate::sessions::session::Session;

/// Under this name flows that come to nothing are counted.
const FLOWS: &str = "provider-flows";

/// A sign-in that came back, as far as it counts against where it comes from.
pub(super) struct FlowAttempt {
    network: Attempt,
    /// Many networks, with room for more.
    around: Attempt,
}

impl FlowAttempt {
    /// What is checked of it before a provider is asked. Whoever does not wait has failed.
    pub(super) async fn checked<T>(&self, check: impl Future<Output = T>) -> T {
        self.network.checked(self.around.checked(check)).await
    }

    /// Whatever may be made up counts against both. What only says that the provider was asked for nothing is somebody's who has set it up as likely as a stranger's,
    /// and counts against the wider one: a company behind one address gets through, and who does it without end does not.
    fn counted(self) -> Vec<Counted> {
        vec![
            Counted { attempt: self.network, is_failed_by: ProviderError::may_be_made_up },
            Counted { attempt: self.around, is_failed_by: ProviderError::has_cost },
        ]
    }
}

/// A browser on its way to a provider.
pub struct Outbound {
    /// Where it goes.
    pub url: url::Url,
    /// What it keeps until it is back, for a cookie: characters of `A-Za-z0-9_.-`, under 4096 of them.
    pub cookie_value: Zeroizing<String>,
    /// So long it may be away.
    pub seconds: i64,
}

/// Why a provider signed nobody in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProviderSignInError {
    /// The flow or the provider.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// This server, or the person may not act here.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl Login {
    /// The providers, in the configured order.
    pub fn providers(&self) -> &[ConfiguredProvider] {
        &self.settings.providers
    }

    /// The provider of this name.
    pub fn provider(&self, name: &str) -> Result<&ConfiguredProvider, ProviderError> {
        self.settings.providers.iter().find(|provider| provider.name == name).ok_or(ProviderError::UnknownProvider)
    }

    /// Begins a sign-in. `next` is where to go on, `redirect_uri` where the provider sends the browser back to.
    pub async fn leave_for_provider(
        &self,
        name: &str,
        next: &str,
        redirect_uri: &str,
        way: Way<'_>,
    ) -> Result<Outbound, ProviderSignInError> {
        let provider = self.provider(name)?;
        if provider.kind.sign_in_start() != SignInStart::Away {
            return Err(ProviderError::UnknownProvider.into());
        }
        self.check_way(way)?;
        if next.len() > LONGEST_NEXT {
            return Err(ProviderError::NextTooLong.into());
        }
        let now_ms = self.now_ms();
        let flow = Flow::new(self.draw::<32>(), now_ms, name, Intent::of(way), next);
        let url = provider.kind.begin(&flow.attempt(redirect_uri), now_ms).await?;
        Ok(Outbound { url, cookie_value: flow.cookie_value(), seconds: FLOW_MS / 1000 })
    }

    /// What the sign-in was for that a browser comes back from, also where its time is over; `None`: it was not begun in this browser with this provider.
    pub fn begun_with_provider(&self, name: &str, cookies: &[&str], callback: &Callback) -> Option<Begun> {
        let state = callback.state.as_deref().unwrap_or_default();
        let mut flows = cookies.iter().filter_map(|value| Flow::read(value));
        flows.find(|flow| flow.provider == name && flow.has_state(state)).map(Flow::begun)
    }

    /// When the sign-in in a cookie was begun; `None`: it holds none.
    pub fn flow_begun_ms(cookie_value: &str) -> Option<i64> {
        Flow::made_ms_of(cookie_value)
    }

    /// Finishes a sign-in. `cookies` are what the browser has kept, `callback` what it brings, and `session` whoever is signed in there.
    pub async fn return_from_provider(
        &self,
        name: &str,
        cookies: &[&str],
        callback: &Callback,
        redirect_uri: &str,
        session: Option<&Session>,
        visitor: &Visitor<'_>,
    ) -> Result<SignInResult, ProviderSignInError> {
        let provider = self.provider(name)?;
        let state = callback.state.as_deref().unwrap_or_default();
        let flow = cookies.iter().filter_map(|value| Flow::read(value)).find(|flow| flow.has_state(state));
        let flow = flow.ok_or(ProviderError::NotBegunHere)?;
        if flow.provider != name {
            return Err(ProviderError::OtherProvider.into());
        }
        self.check_clock()?;
        let now_ms = self.now_ms();
        if flow.is_over(now_ms) {
            return Err(ProviderError::Over.into());
        }
        let way = flow.intent.way(session)?;
        let attempt = self.begin_flow_attempt(visitor.address).await?;
        let turn = provider.kind.turn().await?;
        if !attempt.checked(self.note_below(&flow.use_key(), now_ms, FLOW_MS, 1)).await? {
            return self.refuse_counted(ProviderError::Used, attempt).await;
        }
        let question = Question { turn, flow: flow.attempt(redirect_uri), answer: Answer::Callback(callback.clone()), now_ms };
        match self.ask(provider, question, attempt.counted()).await {
            Ok((found, counted)) => {
                drop(counted);
                self.arrive(way, provider, &found, flow.next, visitor).await
            }
            Err(ProviderSignInError::Provider(ProviderError::Busy)) => {
                // The provider was asked nothing: the same answer counts in a moment.
                let cleared = self.store.clear_attempts(&flow.use_key()).await;
                cleared.map_err(|error| self.store_error(error))?;
                Err(ProviderError::Busy.into())
            }
            Err(error) => Err(error),
        }
    }

    /// Notes one more under this name, unless there are `most` already: what is refused for their number writes nothing. Answers whether there was room.
    pub(crate) async fn note_below(&self, key: &str, now_ms: i64, window_ms: i64, most: u32) -> Result<bool, LoginError> {
        if self.store.attempts(key, now_ms, window_ms).await.map_err(|error| self.read_error(error))? >= most {
            return Ok(false);
        }
        // Others may have come at the same moment.
        Ok(self.store.note_attempt(key, now_ms, window_ms).await.map_err(|error| self.store_error(error))? <= most)
    }

    /// Begins a sign-in that came back, which counts by network where it comes to nothing: each costs the provider a question and the store a row.
    pub(super) async fn begin_flow_attempt(&self, address: IpAddr) -> Result<FlowAttempt, LoginError> {
        let [network, around] = self.by_network(FLOWS, address);
        let network = self.begin_attempt(Counts::one(network)).await?;
        Ok(FlowAttempt { network, around: self.begin_attempt(Counts::one(around)).await? })
    }

    /// Refuses a sign-in that is under way, and counts it where whoever came may have made it up.
    pub(super) async fn refuse_counted<T>(&self, error: ProviderError, attempt: FlowAttempt) -> Result<T, ProviderSignInError> {
        self.fail(attempt.counted(), &error).await?;
        Err(error.into())
    }
}
