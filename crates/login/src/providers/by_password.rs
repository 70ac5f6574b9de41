//! Signing in with a name and a password that a provider checks, and that are typed on a page of ours.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::error::{Fault, ProviderError};
use super::flow::{Flow, Intent};
use super::provider::{Answer, ConfiguredProvider, SignInStart};
use super::question::{Counted, Question};
use super::sign_in::ProviderSignInError;
use super::way::{SignInResult, Way};
use crate::error::LoginError;
use crate::fingerprint::fingerprint;
use crate::login::Login;
use crate::sessions::attempts::Visitor;

impl Login {
    /// The provider of this name, if people type a name and a password for it.
    pub fn password_provider(&self, name: &str) -> Result<&ConfiguredProvider, ProviderError> {
        let provider = self.provider(name)?;
        if provider.kind.sign_in_start() == SignInStart::Password { Ok(provider) } else { Err(ProviderError::UnknownProvider) }
    }

    /// Signs somebody in who knows the password of a name at a provider.
    ///
    /// Failures are counted as those of local accounts are: by name and address together first. Only a refusal of the provider is one: that it can't be asked
    /// counts against nobody. Whoever does not wait for the answer is counted where it is one.
    pub async fn sign_in_by_password(
        &self,
        provider: &str,
        name: &str,
        password: &str,
        way: Way<'_>,
        next: &str,
        visitor: &Visitor<'_>,
    ) -> Result<SignInResult, ProviderSignInError> {
        let provider = self.password_provider(provider)?;
        self.check_clock()?;
        self.check_way(way)?;
        let counts = self.counts(Some(&counted_name(&provider.name, name)), None, visitor).await?;
        let attempt = self.begin_attempt(counts).await?;
        let now_ms = self.now_ms();
        // Nothing goes away and comes back: what would tie the two together is drawn, and not used.
        let unused = Flow::new(self.draw::<32>(), now_ms, &provider.name, Intent::SignIn, "").attempt("");
        let answer = Answer::Password { name: name.to_owned(), password: Zeroizing::new(password.to_owned()) };
        let question = Question { turn: provider.kind.turn().await?, flow: unused, answer, now_ms };
        let (found, counted) = match self.ask(provider, question, vec![Counted { attempt, is_failed_by: is_refusal }]).await {
            Err(ProviderSignInError::Provider(error)) if is_refusal(&error) => return Err(LoginError::WrongPassword.into()),
            asked => asked?,
        };
        for right in &counted {
            self.note_success(&right.attempt).await?;
        }
        drop(counted);
        self.arrive(way, provider, &found, next.to_owned(), visitor).await
    }
}

fn is_refusal(error: &ProviderError) -> bool {
    error.fault() == Fault::Person
}

/// The name under which failures are counted. Directories take many spellings for one name: without case, with more spaces, in other forms of Unicode. What was
/// typed does not stand in it, because people type passwords there.
pub(crate) fn counted_name(provider: &str, typed: &str) -> String {
    // Longer ones are nobody's.
    let typed: String = typed.chars().take(256).nfkc().collect();
    let folded = typed.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    format!("{provider}/{}", fingerprint(["name at a provider", provider, &folded]))
}

#[cfg(test)]
mod tests {
    use super::counted_name;

    /// Each spelling would give as many guesses again.
    #[test]
    fn spellings_of_one_name_are_one_count() {
        let ann = counted_name("company", "ann example");
        for same in ["Ann Example", " ann  example ", "ANN\tEXAMPLE", "ａｎｎ example"] {
            assert_eq!(counted_name("company", same), ann, "{same}");
        }
        assert_eq!(counted_name("company", "e\u{301}"), counted_name("company", "É"));
        assert_ne!(counted_name("company", "anne example"), ann);
        assert_ne!(counted_name("other", "ann example"), ann);
        assert!(!ann.contains("ann"));
    }
}
