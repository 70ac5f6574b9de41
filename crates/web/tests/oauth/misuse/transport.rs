//! Requests to the addresses that applications call, sent in a way that two readers would read in two ways: other methods, bodies of another kind, parameters in the address.

use crate::site::applications::{SECRET, authorization_fields, exchange, fields};
use crate::site::{encode, site};
use axum::body::Body;
use http::{Method, Request, StatusCode};

/// Where applications send forms.
pub const ADDRESSES: [&str; 5] = ["token", "revoke", "introspect", "par", "device_authorization"];

/// How a form is sent there that is good but for that, and the statuses that it may have. None has an effect.
pub const SENT: [(&str, &str, &[u16]); 9] = [
    ("GET, with the parameters in the address", "GET", &[405]),
    ("PUT", "PUT", &[405]),
    ("DELETE", "DELETE", &[405]),
    ("as text", "text/plain", &[400, 401]),
    ("as a form of several parts", "multipart/form-data; boundary=x", &[400, 401]),
    ("as XML", "application/xml", &[400, 401]),
    ("with the parameters in the address", "address", &[400, 401]),
    ("as a form and as JSON", "two", &[400]),
    ("as JSON and as a form", "two, turned", &[400]),
];

#[tokio::test]
async fn what_is_sent_in_another_way_has_no_effect() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let tokens = site.token(&exchange(&ann.code(&authorization_fields()).await)).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    for address in ADDRESSES {
        let good = match address {
            "token" => exchange(&code),
            "revoke" => fields(&[("token", access), ("client_id", "page")]),
            "introspect" => fields(&[("token", access), ("client_id", "server"), ("client_secret", SECRET)]),
            "par" => authorization_fields(),
            _ => fields(&[("client_id", "tv")]),
        };
        for (what, how, statuses) in SENT {
            let path = format!("/login/oauth/{address}");
            let in_address = format!("{path}?{}", encode(&good));
            let form = "application/x-www-form-urlencoded";
            let request = match how {
                "GET" => Request::get(&in_address).body(Body::empty()),
                "PUT" | "DELETE" => {
                    let method = if how == "PUT" { Method::PUT } else { Method::DELETE };
                    Request::builder().method(method).uri(&path).header("content-type", form).body(Body::from(encode(&good)))
                }
                "two" | "two, turned" => {
                    let mut kinds = [form, "application/json"];
                    if how != "two" {
                        kinds.reverse();
                    }
                    let request = Request::post(&path).header("content-type", kinds[0]).header("content-type", kinds[1]);
                    request.body(Body::from(encode(&good)))
                }
                "address" => Request::post(&in_address).header("content-type", form).body(Body::empty()),
                kind => Request::post(&path).header("content-type", kind).body(Body::from(encode(&good))),
            };
            let answer = site.send(request.unwrap()).await;
            assert!(statuses.contains(&answer.status.as_u16()), "{address} {what}: {} {}", answer.status, answer.text);
        }
    }
    // None of them has used the code up, or ended the grant.
    assert_eq!(site.credentials(access).await.status, StatusCode::OK);
    assert_eq!(site.token(&exchange(&code)).await.status, StatusCode::OK);
}
