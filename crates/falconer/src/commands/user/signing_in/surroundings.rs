//! Whether a browser can be opened here, and what this machine is called.

/// Longest name that the page proposes for a grant, in characters.
const LONGEST_NAME: usize = 60;

/// Where a browser would not open before the person: in a session over SSH, or on a system of windows that is not there.
pub fn has_browser() -> bool {
    has_browser_by(
        |name| std::env::var_os(name).is_some_and(|value| !value.is_empty()),
        cfg!(any(target_os = "windows", target_os = "macos")),
    )
}

fn has_browser_by(is_set: impl Fn(&str) -> bool, always_has_windows: bool) -> bool {
    // Whoever names a browser has one, a text browser on this very terminal for instance.
    is_set("BROWSER")
        || (!is_set("SSH_CONNECTION") && !is_set("SSH_TTY") && (always_has_windows || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")))
}

/// What this machine calls itself, for the person's list of grants. `None`: it says nothing that could stand there.
pub fn machine_name() -> Option<String> {
    let of_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let of_environment = || ["COMPUTERNAME", "HOSTNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let name = of_kernel.or_else(of_environment)?.trim().to_owned();
    let fits = !name.is_empty() && name != "localhost" && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_opens_where_the_person_sits() {
        let has = |set: &[&str], always| has_browser_by(|name| set.contains(&name), always);
        assert!(has(&["DISPLAY"], false) && has(&["WAYLAND_DISPLAY"], false) && has(&[], true) && has(&["BROWSER", "SSH_TTY"], false));
        assert!(!has(&[], false) && !has(&["DISPLAY", "SSH_CONNECTION"], false) && !has(&["SSH_CONNECTION"], true));
    }
}
