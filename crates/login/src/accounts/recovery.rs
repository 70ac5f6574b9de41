//! Recovery codes: ten, shown once, each good for one sign-in when nothing else is at hand.

use falconer_auth::Revision;
use falconer_store::{CredentialsChange, RecoveryCodeRecord, SignInMethod};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::account::local_identity;
use super::prove::normal_name;
use crate::error::{LoginError, SignInError};
use crate::fingerprint::hash_of_token;
use crate::login::Login;
use crate::sessions::attempts::Visitor;
use crate::sessions::session::{Session, SignedIn};

/// So many are made at a time.
const CODES: usize = 10;
/// Digits and letters that are not taken for each other.
const LETTERS: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't',
    'v', 'w', 'x', 'y', 'z',
];
/// Letters of a code: 80 random bits.
const LENGTH: usize = 16;

/// How a person stands with their codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveryCodesView {
    /// Those that were made and not used.
    pub left: usize,
    /// Those that were made.
    pub total: usize,
    /// When one was used last, milliseconds since 1970.
    pub last_used_ms: Option<i64>,
}

impl Login {
    /// Makes ten codes in the place of those before. They are shown once and kept nowhere.
    pub async fn make_recovery_codes(&self, session: &Session) -> Result<Vec<Zeroizing<String>>, LoginError> {
        let name =
            session.account_name().ok_or_else(|| LoginError::Invalid("Sign in with a local account to have recovery codes.".to_owned()))?;
        self.check_fresh(session)?;
        let now_ms = self.now_ms();
        let codes: Vec<Zeroizing<String>> = (0..CODES).map(|_| self.draw_code()).collect();
        let record = |(number, code): (usize, &Zeroizing<String>)| RecoveryCodeRecord {
            id: format!("{name}/{}", number + 1),
            hash: hash_of_code(name, &normal_code(code)),
            created_ms: now_ms,
            used_ms: None,
        };
        let change = CredentialsChange::ReplaceRecoveryCodes(codes.iter().enumerate().map(record).collect());
        self.change_credentials(&session.identity, "recovery codes made", name, change).await?;
        Ok(codes)
    }

    /// How many are left.
    pub async fn recovery_codes(&self, account: &str) -> Result<RecoveryCodesView, LoginError> {
        let codes = self.credentials(account).await?.recovery_codes;
        Ok(RecoveryCodesView {
            left: codes.iter().filter(|code| code.used_ms.is_none()).count(),
            total: codes.len(),
            last_used_ms: codes.iter().filter_map(|code| code.used_ms).max(),
        })
    }

    /// Signs somebody in with a code, which is used up by it. Wrong ones count as wrong passwords do, and get the same answer.
    pub async fn sign_in_recovery(&self, name: &str, code: &str, visitor: &Visitor<'_>) -> Result<SignedIn, SignInError> {
        self.check_clock()?;
        let name = normal_name(name);
        let credentials = self.credentials(name.as_deref().unwrap_or_default()).await?;
        let counts = self.counts(name.as_deref(), credentials.password_hash.as_deref(), visitor).await?;
        let attempt = self.begin_attempt(counts).await?;
        let name = name.unwrap_or_default();
        let hash = hash_of_code(&name, &normal_code(code));
        let is_it = |code: &&RecoveryCodeRecord| bool::from(code.hash.as_bytes().ct_eq(hash.as_bytes())) && code.used_ms.is_none();
        let identity = local_identity(&name);
        let found = credentials.recovery_codes.iter().find(is_it);
        // For whoever has proved something: asking for somebody takes longer where there is nobody.
        let active = match found {
            Some(found) => self.active_person(&identity).await?.map(|_| found),
            None => None,
        };
        let Some(found) = active else {
            self.note_failure(attempt).await?;
            return Err(LoginError::WrongPassword);
        };
        let change = CredentialsChange::UseRecoveryCode(found.id.clone());
        match self.change_credentials(&identity, "recovery code used", &name, change).await {
            // Somebody else was first.
            Err(LoginError::Conflict(_)) => return Err(LoginError::WrongPassword),
            used => used?,
        };
        self.note_success(&attempt).await.map_err(LoginError::after_a_change)?;
        self.know_place(&name, visitor).await.map_err(LoginError::after_a_change)?;
        let signed_in = self.begin_session(&identity, SignInMethod::RecoveryCode, visitor).await;
        signed_in.map_err(LoginError::after_a_change)
    }

    /// Takes one code away, for an operator: one whose hash does not open any more. Not found: there is none.
    pub async fn remove_recovery_code(&self, by: &str, id: &str) -> Result<Revision, LoginError> {
        let account = RecoveryCodeRecord::account_of(id);
        self.change_credentials(by, "recovery code removed", account, CredentialsChange::RemoveRecoveryCode(id.to_owned())).await
    }

    /// `xxxx-xxxx-xxxx-xxxx`
    fn draw_code(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0_u8; LENGTH]);
        self.random.fill(bytes.as_mut_slice());
        let mut code = Zeroizing::new(String::with_capacity(LENGTH + 3));
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                code.push('-');
            }
            code.extend(LETTERS.get(usize::from(byte % 32)));
        }
        code
    }
}

/// A code as it is hashed: what people take for each other is the same, and what stands between letters does not count.
fn normal_code(typed: &str) -> Zeroizing<String> {
    let mut code = Zeroizing::new(String::with_capacity(LENGTH + 1));
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    });
    // One more than a code has: what is longer is another one.
    code.extend(letters.take(LENGTH + 1));
    code
}

fn hash_of_code(account: &str, code: &str) -> String {
    hash_of_token("recovery code", &format!("{account} {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_letters() {
        assert_eq!(normal_code(" 0O1i-LABC dEfg-hjkm ").as_str(), "00111abcdefghjkm");
        assert_eq!(normal_code(&"a".repeat(40)).len(), LENGTH + 1);
        assert_ne!(hash_of_code("ann", "code"), hash_of_code("bob", "code"));
    }
}
