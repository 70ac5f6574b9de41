//! What a program may ask for, and where its answer goes.

use super::*;

// A callback with `certificate` was accepted, where a target with it is not.
#[test]
fn a_callback_carries_no_parameter_of_the_answer() {
    for name in ["clientId", "accessToken", "certificate", "c%65rtificate"] {
        for before in ["?", "?a=b&", "#", "#a&", "#/route?", "?a#b?c&"] {
            let url = format!("http://localhost:1234/{before}{name}=%7B%7D");
            assert!(Callback::parse(&url).is_err(), "{url}");
        }
    }
    assert!(Callback::parse("http://localhost:1234/certificate?certificates=1#my-certificate").is_ok());
}

#[test]
fn only_this_machine_is_called_back() {
    for good in ["http://localhost", "https://localhost", "http://localhost:36811", "http://localhost/", "http://localhost:1/a?b=c#d"] {
        assert!(Callback::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "http://localhost.evil.example/",
        "http://localhost:80@evil.example/",
        "http://evil.example/http://localhost/",
        "http://localhost:/",
        "http://localhost:a/",
        "http://localhost:0/",
        "http://localhost:65536/",
        "http://localhost:99999/",
        "http://localhost:1/?accessToken=x",
        "http://localhost:1/?a&client%49d=x",
        "http://localhost:1/#clientId=x",
        "HTTP://localhost/",
        "http://127.0.0.1/",
        "ftp://localhost/",
        "http://localhost?x",
        "http://localhost#x",
        "http://localhost/\n",
        "http://localhost\\evil.example/",
        " http://localhost/",
        "http://localhost/é",
        "//localhost/",
        "javascript://localhost/",
    ] {
        let refused = Callback::parse(bad).unwrap_err();
        assert_eq!(refused.to_string(), format!("Callback URL {bad} is not allowed."));
    }
}

#[test]
fn credentials_go_into_the_query() {
    let deliver = |url: &str| Callback::parse(url).unwrap().deliver("local/a+b/c d", "t&?");
    let parameters = "clientId=local%2Fa%2Bb%2Fc%20d&accessToken=t%26%3F";
    assert_eq!(deliver("http://localhost:1"), format!("http://localhost:1?{parameters}"));
    assert_eq!(deliver("http://localhost:1/"), format!("http://localhost:1/?{parameters}"));
    assert_eq!(deliver("http://localhost/a?b=c"), format!("http://localhost/a?b=c&{parameters}"));
    assert_eq!(deliver("http://localhost/a?"), format!("http://localhost/a?{parameters}"));
    assert_eq!(deliver("http://localhost/a#x?y"), format!("http://localhost/a?{parameters}#x?y"));
    assert_eq!(Callback::parse("https://localhost:8/a").unwrap().origin(), "https://localhost:8");
    assert_eq!(Callback::parse("http://localhost").unwrap().origin(), "http://localhost");
}

#[test]
fn requests() {
    let query = "scope=%2A&name=cli-KOZ75V&expires=1d&callback_url=http%3A%2F%2Flocalhost%3A36811&description=Temporary+client";
    let request = ToolRequest::parse(query).unwrap();
    assert_eq!((request.name.as_str(), request.description.as_str()), ("cli-KOZ75V", "Temporary client"));
    assert_eq!((request.scopes.len(), request.lifetime_ms, request.query()), (0, 86_400_000, query));
    assert_eq!(request.callback.unwrap().as_str(), "http://localhost:36811");
    let request = ToolRequest::parse("scope=queue%3Aget-task%3A%2A&scope=a+b%26c&scope=").unwrap();
    assert_eq!(request.scopes, ["queue:get-task:*", "a b&c"]);
    assert_eq!(request.lifetime_ms, 1000 * 365 * 86_400_000);
    for (query, message) in [
        ("callback_url=https://evil.example", "Callback URL https://evil.example is not allowed."),
        ("scope=%C3%A9", "`é` is not a scope."),
        ("expires=-1d", "`-1d` is not a time ahead, such as `1d` or `3 hours`."),
        ("expires=soon", "`soon` is not a time ahead, such as `1d` or `3 hours`."),
    ] {
        assert_eq!(ToolRequest::parse(query).unwrap_err().to_string(), message);
    }
}

// A form of a stranger may be much longer than an address: twenty thousand scopes were each compared with all before it.
#[test]
fn a_request_is_no_longer_than_an_address() {
    let scopes = |count: usize| (0..count).map(|at| format!("&scope=s{at:05}")).collect::<String>();
    let request = ToolRequest::parse(&format!("name=x{}{}", scopes(600), scopes(600))).unwrap();
    assert_eq!(request.scopes.len(), 600, "each once");
    assert_eq!(ToolRequest::parse(&format!("name=x{}", scopes(20_000))).unwrap_err(), ToolRequestError::TooLong);
    // What is wrong is not said again in its whole length.
    for query in ["scope=%C3%A9", "expires=soon", "callback_url=https://evil.example/"] {
        let refused = ToolRequest::parse(&format!("{query}{}", "x".repeat(10_000))).unwrap_err();
        assert!(refused.to_string().len() < 250, "{query}");
    }
}
