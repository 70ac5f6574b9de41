//! Where an application is told that somebody has signed out (OpenID Connect Back-Channel Logout 1.0 section 2.2).

use crate::applications::register::check_url;
use crate::targets::target::Target;

/// Longest such address, in bytes.
const LONGEST: usize = 512;

/// Where it leads. Errors say what to write instead.
pub(crate) fn check_logout_uri(uri: &str, is_own: &impl Fn(&Target) -> bool) -> Result<Target, String> {
    let refuse = |why: &str| Err(format!("backchannel_logout_uri: {why}"));
    if uri.len() > LONGEST {
        return refuse(&format!("write at most {LONGEST} bytes"));
    }
    let target = check_url(uri, "logout URI").map_err(|why| format!("backchannel_logout_uri: {why}"))?;
    if is_own(&target) {
        return refuse("that is Falconer itself");
    }
    Ok(target)
}
