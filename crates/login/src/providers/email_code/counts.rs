//! Mails are counted, so that nobody is flooded by strangers and nobody guesses codes; whoever has signed in from a place before is not kept out by
//! strangers there (docs/adr/0172).

use falconer_auth::{DAY_MS, MINUTE_MS};

use crate::error::LoginError;
use crate::fingerprint::{fingerprint, hash_of_token};
use crate::login::Login;
use crate::sessions::attempts::{AROUND, Visitor, network, network_around};

/// The window of the narrow counts.
const WINDOW_MS: i64 = 15 * MINUTE_MS;
/// Mails to one address that one network, or one browser that is known for it, causes within the window.
const MOST_BY_PLACE: u32 = 5;
/// Mails that one network causes within the window, to whomever it is not known for.
const MOST_BY_NETWORK: u32 = 30;
/// Mails to one address a day that all networks and browsers together cause that are not known for it.
const MOST_BY_STRANGERS: u32 = 20;

/// What a mail counts against: name, most, window.
type Limit = (String, u32, i64);

/// What mails are for. Each purpose has counts of its own, and places that are known for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MailPurpose<'a> {
    /// A code of the provider of this name. A place becomes known by the right code; `unlock_person` of whoever has the address begins new counts.
    Code(&'a str),
    /// A link for a forgotten password. A place becomes known by signing in to the account, for its name and for its address; unlocking it begins new counts of both.
    ForgottenPassword,
}

impl MailPurpose<'_> {
    /// The part of the names of counts that stands for it.
    fn as_str(&self) -> &str {
        match self {
            MailPurpose::Code(provider) => provider,
            // No provider has a name with a space.
            MailPurpose::ForgottenPassword => "forgotten password",
        }
    }
}

/// What is mailed to an address, and from where it was asked.
pub(crate) struct MailCounts {
    limits: Vec<Limit>,
}

impl Login {
    /// The counts of a mail. The address or name stands in them as a hash: it may be anything that somebody typed.
    pub(crate) async fn mail_counts(&self, purpose: MailPurpose<'_>, to: &str, visitor: &Visitor<'_>) -> Result<MailCounts, LoginError> {
        let who = fingerprint([purpose.as_str(), to]);
        let network = network(visitor.address);
        let browser = visitor.browser.map(|value| hash_of_token("browser", value));
        let (known_network, known_browser) = known_places(&who, &network, browser.as_deref());
        let browser_is_known = match &known_browser {
            Some(key) => self.is_known_place(key).await?,
            None => false,
        };
        let known = browser_is_known || self.is_known_place(&known_network).await?;
        let place = match browser.filter(|_| browser_is_known) {
            Some(browser) => format!("browser/{browser}"),
            None => format!("network/{network}"),
        };
        // Counts have another name for as long as those before somebody was let try again could count.
        let counted = match self.newest(&unlocks(&who), DAY_MS).await? {
            (0, 0) => format!("mail/to/{who}"),
            (at_ms, times) => format!("mail/to/{who}/after/{at_ms}.{times}"),
        };
        let mut limits = vec![(format!("{counted}/{place}"), MOST_BY_PLACE, WINDOW_MS)];
        if !known {
            limits.push((format!("mail/network/{network}"), MOST_BY_NETWORK, WINDOW_MS));
            limits.push((format!("mail/around/{}", network_around(visitor.address)), MOST_BY_NETWORK * AROUND, WINDOW_MS));
            limits.push((counted, MOST_BY_STRANGERS, DAY_MS));
        }
        Ok(MailCounts { limits })
    }

    /// From now on mails for this purpose to this address are counted anew, wherever they are asked for.
    pub(crate) async fn begin_new_mail_counts(&self, purpose: MailPurpose<'_>, to: &str) -> Result<(), LoginError> {
        let noted = self.store.note_attempt(&unlocks(&fingerprint([purpose.as_str(), to])), self.now_ms(), DAY_MS).await;
        noted.map(|_| ()).map_err(|error| self.store_error(error))
    }

    /// Says that too much is being sent at the moment, to everybody alike: it depends on no address.
    pub(crate) fn check_mail_room(&self) -> Result<(), LoginError> {
        if self.post.as_ref().is_some_and(|post| !post.has_room()) { Err(LoginError::TooBusy) } else { Ok(()) }
    }

    /// Counts a mail that is about to be sent, or would be if there were somebody. Throttled: one more is too much.
    pub(crate) async fn count_mail(&self, counts: &MailCounts) -> Result<(), LoginError> {
        let now_ms = self.now_ms();
        let throttled = |window_ms: i64| LoginError::Throttled { retry_after_seconds: u64::try_from(window_ms / 1000).unwrap_or_default() };
        // What is refused does not count: else whoever goes on asking keeps the count full for ever.
        for (key, most, window_ms) in &counts.limits {
            let mails = self.store.attempts(key, now_ms, *window_ms).await;
            if mails.map_err(|error| self.read_error(error))? >= *most {
                return Err(throttled(*window_ms));
            }
        }
        for (key, most, window_ms) in &counts.limits {
            let mails = self.store.note_attempt(key, now_ms, *window_ms).await;
            // Others have asked at the same moment.
            if mails.map_err(|error| self.store_error(error))? > *most {
                return Err(throttled(*window_ms));
            }
        }
        Ok(())
    }

    /// Knows the place from now on for mails of this purpose to this address or name.
    pub(crate) async fn know_mail_place(&self, purpose: MailPurpose<'_>, to: &str, visitor: &Visitor<'_>) -> Result<(), LoginError> {
        let browser = visitor.browser.map(|value| hash_of_token("browser", value));
        let (network, browser) = known_places(&fingerprint([purpose.as_str(), to]), &network(visitor.address), browser.as_deref());
        self.note_known(&std::iter::once(network).chain(browser).collect::<Vec<_>>()).await
    }
}

/// The names under which a network and, behind it, a browser are known.
fn known_places(who: &str, network: &str, browser: Option<&str>) -> (String, Option<String>) {
    let browser = browser.map(|browser| format!("mail/known/{who}/browser/{browser}"));
    (format!("mail/known/{who}/network/{network}"), browser)
}

fn unlocks(who: &str) -> String {
    format!("mail/unlocked/{who}")
}
