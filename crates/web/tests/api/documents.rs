//! References, schemas and the OpenAPI document over HTTP: what a client, a browser and a cache rely on.

use crate::support::{HOST, PORT, call, node};
use falconer_wire::published;

#[tokio::test]
async fn every_document_is_served_as_it_is_computed() {
    let node = node().await;
    let root = format!("http://{HOST}:{PORT}");
    let documents = published::documents(&root);
    assert!(documents.len() > 30);
    for document in documents {
        assert!(falconer_web::api::owns(&document.path));
        let answer = node.send(call("GET", &document.path)).await;
        assert_eq!((answer.status.as_u16(), &answer.json), (200, &document.json), "{}", document.path);
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
    }
    let openapi = node.send(call("GET", "/openapi.json")).await;
    assert_eq!(openapi.json["openapi"], "3.1.0");
    assert_eq!(openapi.json["servers"][0]["url"], root);
    let etag = openapi.header("etag").unwrap();
    let repeated = node.send(call("GET", "/openapi.json").header("if-none-match", etag)).await;
    assert_eq!((repeated.status.as_u16(), repeated.bytes.len()), (304, 0));
    let small = node.send(call("GET", "/openapi.json").header("accept-encoding", "gzip")).await;
    assert_eq!(small.header("content-encoding"), Some("gzip"));
    assert!(small.bytes.len() < openapi.bytes.len() / 4);
    let head = node.send(call("HEAD", "/references/manifest.json")).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
}

#[tokio::test]
async fn what_is_not_published_is_not_there() {
    let node = node().await;
    for path in ["/references/", "/references/queue/v1/api.json", "/schemas/auth/v1/nope.json", "/schemas/auth/v1/../v1/scopeset.json"] {
        assert_eq!(node.send(call("GET", path)).await.status, 404, "{path}");
    }
    let written = node.send(call("PUT", "/schemas/auth/v1/scopeset.json")).await;
    assert_eq!((written.status.as_u16(), written.header("allow")), (405, Some("GET, HEAD")));
    for path in ["/referencesx", "/openapi.json/", "/Schemas/auth/v1/scopeset.json", "/openapi"] {
        assert!(!falconer_web::api::owns(path), "{path}");
    }
}
