//! Tags: where they point, and the list of them.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use oci::Tag;
use serde_json::json;

use super::RegistryError;
use super::digest::ContentDigest;
use super::resource::{Name, Query};
use super::store::{self, Store};

/// The largest size of the file of a tag, in bytes; it contains a digest.
const TAG: u64 = 256;

/// GET: the tags of a repository in lexical order, at most `n`, beginning after `last`.
pub fn list(store: &Store, name: &Name, query: &Query) -> Result<Response, RegistryError> {
    if !store.repository(name).is_dir() {
        return Err(RegistryError::unknown(
            "NAME_UNKNOWN",
            "finding repository",
            &name.as_str(),
        ));
    }
    let mut tags = store::names(&store.tags(name))?;
    if let Some(last) = query.get("last") {
        tags.retain(|tag| tag > last);
    }
    let limit = query
        .get("n")
        .and_then(|n| n.parse().ok())
        .unwrap_or(usize::MAX);
    let is_more = tags.len() > limit;
    tags.truncate(limit);
    let next = tags.last().filter(|_| is_more);
    let link = next.map(|last| {
        let path = format!("/v2/{}/tags/list?n={limit}&last={last}", name.as_str());
        [(header::LINK, format!("<{path}>; rel=\"next\""))]
    });
    let body = Json(json!({"name": name.as_str(), "tags": tags}));
    Ok(match link {
        Some(link) => (link, body).into_response(),
        None => body.into_response(),
    })
}

/// The digest that a tag points to; `None` if the tag does not exist.
pub fn resolve(
    store: &Store,
    name: &Name,
    tag: &Tag,
) -> Result<Option<ContentDigest>, RegistryError> {
    let Some(text) = store::read(&store.tag(name, tag), TAG)? else {
        return Ok(None);
    };
    Ok(Some(String::from_utf8_lossy(&text).trim().parse()?))
}

/// Points a tag to a manifest.
pub fn point(
    store: &Store,
    name: &Name,
    tag: &Tag,
    digest: &ContentDigest,
) -> Result<(), RegistryError> {
    Ok(store::write(
        &store.tag(name, tag),
        digest.to_string().as_bytes(),
    )?)
}

/// Removes the tags that point to a manifest.
pub fn remove_all(store: &Store, name: &Name, digest: &ContentDigest) -> Result<(), RegistryError> {
    for text in store::names(&store.tags(name))? {
        let Ok(tag) = text.parse::<Tag>() else {
            continue;
        };
        if resolve(store, name, &tag)?.as_ref() == Some(digest) {
            store::remove(&store.tag(name, &tag))?;
        }
    }
    Ok(())
}
