//! Uploads in chunks (OCI distribution specification, "Pushing a blob in chunks").
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod loopback;

use content::Digest;
use loopback::Loopback;
use reqwest::{Client, Method, Response, StatusCode};

struct Upload<'a> {
    registry: &'a Loopback,
    location: String,
}

impl Upload<'_> {
    fn send(
        &self,
        method: Method,
        query: &str,
        range: Option<&str>,
        body: &'static str,
    ) -> Response {
        let url = format!("http://{}{}{query}", self.registry.address(), self.location);
        let mut request = Client::new().request(method, url).body(body);
        if let Some(range) = range {
            request = request.header("content-range", range);
        }
        self.registry.block_on(request.send()).unwrap()
    }

    fn patch(&self, range: &str, body: &'static str) -> StatusCode {
        self.send(Method::PATCH, "", Some(range), body).status()
    }
}

fn begin(registry: &Loopback) -> Upload<'_> {
    let url = format!("http://{}/v2/a/b/blobs/uploads/", registry.address());
    let begun = registry.block_on(Client::new().post(url).send()).unwrap();
    let location = begun.headers()["location"].to_str().unwrap().to_owned();
    Upload { registry, location }
}

#[test]
fn a_chunk_must_match_its_range() {
    let registry = Loopback::start();
    let upload = begin(&registry);
    assert_eq!(upload.patch("0-4", "01234"), StatusCode::ACCEPTED);
    for range in [
        "5-99",
        "5-5",
        "5-4",
        "4-5",
        "6-7",
        "5",
        "-",
        "5-18446744073709551615",
    ] {
        let refused = upload.patch(range, "56");
        assert_eq!(refused, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
    }
    assert_eq!(upload.patch("5-6", "56"), StatusCode::ACCEPTED);
    let query = format!("?digest={}", Digest::of(b"0123456789"));
    let last = upload.send(Method::PUT, &query, Some("7-8"), "789");
    assert_eq!(last.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let last = upload.send(Method::PUT, &query, Some("7-9"), "789");
    assert_eq!(last.status(), StatusCode::CREATED);
}
