//! Where a grant goes, as people read it. What stands for devices is no address, and nothing that anybody could look up.

/// With the id of the application behind it, this stands for the devices with that application.
pub(crate) const DEVICE: &str = "device://";

/// Alone: the origin, or the device with the application, by its name where one is known and else by its id.
pub fn place(origin: &str, name: Option<&str>) -> String {
    origin.strip_prefix(DEVICE).map_or_else(|| origin.to_owned(), |application| format!("{} on a device", name.unwrap_or(application)))
}

/// Behind the name of the application, where one is known.
pub fn place_of_named(origin: &str, name: Option<&str>) -> String {
    if name.is_some() && origin.starts_with(DEVICE) { "on a device".to_owned() } else { place(origin, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_no_address() {
        let site = "https://notes.example.com";
        assert_eq!([place(site, None), place(site, Some("Notes")), place_of_named(site, Some("Notes"))], [site; 3]);
        assert_eq!(place("device://tv", None), "tv on a device");
        assert_eq!(place("device://tv", Some("The telly")), "The telly on a device");
        assert_eq!(
            [place_of_named("device://tv", None), place_of_named("device://tv", Some("The telly"))],
            ["tv on a device", "on a device"]
        );
    }
}
