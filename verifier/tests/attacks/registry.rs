//! Registries that lie, fail, or name the addresses of others.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use content::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use oci::{Descriptor, ImageRef, Index, media};
use remote::{Registry, Transport};
use verifier::collect::collect;
use verifier::error::Error;
use verifier::finding::Finding;
use verifier::place::Place;
use verifier::published::Published;
use verifier::report::detail;

use crate::shelf::{Shelf, collected, image, policy, serve};
use crate::{ACCEPTED, Case};

pub const CASES: &[Case] = &[
    // 5
    ("error_for_signatures_fail", || {
        served(|shelf, image| {
            let path = format!("manifests/sha256-{}.sig", image.digest.hex());
            refuse(shelf, &path);
        })
    }),
    ("error_for_referrers_fail", || {
        served(|shelf, image| refuse(shelf, &format!("referrers/{}", image.digest)))
    }),
    // 10
    ("many_signatures_fail", || {
        served(|shelf, image| {
            let pieces = (0..857).map(|number| format!("{{\"number\":{number}}}"));
            let layers = pieces.map(|piece| shelf.blob(media::DSSE_ENVELOPE, piece.as_bytes()));
            let layers = layers.collect();
            shelf.attest(image, layers);
        })
    }),
    // 11
    ("compressed_answer_fail", || {
        served(|shelf, image| {
            let piece = shelf.blob(media::DSSE_ENVELOPE, &[b' '; 10_000]);
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&[b' '; 10_000]).unwrap();
            let path = format!("blobs/{}", piece.digest);
            let kind = "application/octet-stream\r\nContent-Encoding: gzip";
            shelf.put(&path, kind, &gzip.finish().unwrap());
            shelf.attest(image, vec![piece]);
        })
    }),
    // 12
    ("another_manifest_for_the_digest_fail", || {
        served(|shelf, image| {
            let path = format!("manifests/{}", image.digest);
            let other = crate::case::stored(&[("workload", b"other".as_slice())]).manifest;
            shelf.put(&path, media::MANIFEST, &other);
        })
    }),
    ("another_layer_for_the_digest_fail", || {
        served(|shelf, _| {
            let mut layer = crate::case::stored(&crate::case::FILES).layer;
            let path = format!("blobs/{}", Digest::of(&layer));
            *layer.last_mut().unwrap() ^= 1;
            shelf.put(&path, "application/octet-stream", &layer);
        })
    }),
    // 14
    ("index_for_an_image_fail", || {
        let index = Index::new(vec![Descriptor::of(media::MANIFEST, b"x")]);
        let bytes = index.to_bytes().unwrap();
        run(async {
            let (listener, mut shelf, mut image) = image().await;
            image.digest = Digest::of(&bytes);
            shelf.put(&format!("manifests/{}", image.digest), media::INDEX, &bytes);
            said(collected(listener, shelf, &image).await.0)
        })
    }),
    // 25
    ("page_on_another_host_fail", || {
        beside(|shelf, image, other| {
            let kind = format!("{}\r\nLink: <{other}/next>; rel=\"next\"", media::INDEX);
            let list = Index::new(vec![]).to_bytes().unwrap();
            shelf.put(&format!("referrers/{}", image.digest), &kind, &list);
        })
    }),
    ("token_service_in_the_domain", || {
        logged_in(PASSWORD, "127.0.0.1")
    }),
    ("token_service_on_another_host_fail", || {
        logged_in(PASSWORD, "127.0.0.2")
    }),
    ("refresh_token_for_another_host_fail", || {
        logged_in(r#""auth":"dTpw","identitytoken":"t""#, "127.0.0.2")
    }),
    // 28
    ("address_in_a_descriptor", || {
        beside(|shelf, image, other| {
            let mut piece = Descriptor::of(media::DSSE_ENVELOPE, b"{}");
            piece.urls = vec![format!("{other}/piece")];
            shelf.attest(image, vec![piece]);
        })
    }),
    // 30
    ("registry_that_does_not_answer_fail", || {
        let closed = TcpListener::bind(("127.0.0.1", 0))
            .unwrap()
            .local_addr()
            .unwrap();
        let image = format!("{closed}/a/b@{}", Digest::of(b"x"));
        let image: ImageRef = image.parse().unwrap();
        let registry = Registry::connect(&image.repository, &Transport::PlainHttp).unwrap();
        run(async { said(collect(Place::Registry(&registry), &image).await) })
    }),
];

/// An entry of a credential store: the user `u` with the password `p`.
const PASSWORD: &str = r#""auth":"dTpw""#;

/// What the verifier says of an image with credentials, if the registry's token service is on the host `service`. The program
/// is run, since only the environment can name a credential store.
fn logged_in(entry: &str, service: &str) -> String {
    run(async {
        let (listener, mut shelf, image) = image().await;
        let tokens = tokio::net::TcpListener::bind((service, 0)).await.unwrap();
        let url = format!("http://{}/token", tokens.local_addr().unwrap());
        shelf.demand_token(&url);
        let mut service = Shelf::default();
        service.give_token();
        let (_registry, service) = (serve(listener, shelf), serve(tokens, service));
        let store = credentials(image.repository.registry(), entry);
        let path = store.path().join("policy.toml");
        std::fs::write(&path, policy(&image)).unwrap();
        let mut verifier = tokio::process::Command::new(env!("CARGO_BIN_EXE_verifier"));
        verifier.args(["verify", "--signatures-only", "--plain-http", "--policy"]);
        verifier.arg(path).arg(image.to_string());
        let output = verifier.env("DOCKER_CONFIG", store.path()).output().await;
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        // The registry has answered if no more is wrong than that the image is not signed.
        let said = match output.status.code() {
            Some(1) if said.contains("principals that signed the image") => ACCEPTED.to_owned(),
            _ => said,
        };
        // What was refused must not have been sent.
        let was_asked = service.asked_for("/token") > 0;
        match (said == ACCEPTED, was_asked) {
            (true, false) => "the token service was not asked".to_owned(),
            (false, true) => "the other host was asked".to_owned(),
            _ => said,
        }
    })
}

fn credentials(registry: &str, entry: &str) -> tempfile::TempDir {
    let store = tempfile::tempdir().unwrap();
    let text = format!(r#"{{"auths":{{"{registry}":{{{entry}}}}}}}"#);
    std::fs::write(store.path().join("config.json"), text).unwrap();
    store
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

/// What is said of an image whose registry is changed.
fn served(change: impl FnOnce(&mut Shelf, &ImageRef)) -> String {
    run(async {
        let (listener, mut shelf, image) = image().await;
        change(&mut shelf, &image);
        said(collected(listener, shelf, &image).await.0)
    })
}

/// As [`served`], with the address of another host, which must not be asked.
fn beside(change: impl FnOnce(&mut Shelf, &ImageRef, &str)) -> String {
    let host = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    host.set_nonblocking(true).unwrap();
    let other = format!("http://{}", host.local_addr().unwrap());
    let told = served(|shelf, image| change(shelf, image, &other));
    std::thread::sleep(Duration::from_millis(50));
    match host.accept() {
        Ok(_) => "the other host was asked".to_owned(),
        Err(_) => format!("{told}\nthe other host was not asked"),
    }
}

fn refuse(shelf: &mut Shelf, path: &str) {
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec();
    shelf.answers.insert(format!("/v2/a/b/{path}"), answer);
}

fn said(published: Result<Published, Error>) -> String {
    let published = match published {
        Ok(published) => published,
        Err(error) => return error.to_string(),
    };
    let damage = published.damage.iter().map(Finding::damage);
    let told = damage.map(|one| format!("{}: {}", one.rule(), detail(&one)));
    let told: Vec<_> = told.collect();
    match told.is_empty() {
        true => ACCEPTED.to_owned(),
        false => told.join("\n"),
    }
}
