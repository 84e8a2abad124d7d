//! The provenance of a build.

use std::collections::BTreeMap;

use attest::provenance::{
    BUILD_TYPE, BuildDefinition, Builder, IMAGE, ResourceDescriptor, RunDetails,
};
use attest::sbom::image_purl;
use attest::{Provenance, Sbom};
use serde_json::{Value, json};

use super::{Description, add_crate, debian, modules, sha256, wheels};
use crate::lock::archives::Archive;
use crate::lock::repository::Repository;

/// The provenance of the build (SLSA provenance v1).
pub fn provenance(description: &Description<'_>) -> Provenance {
    let source = description.source;
    let directory = source.directory.to_string_lossy().into_owned();
    let external = [
        ("source", description.source_uri),
        ("directory", &directory),
    ];
    let mut internal = vec![
        ("command", json!(description.invocation.command)),
        ("environment", json!(description.invocation.environment)),
        ("root", json!(description.lock.root.to_string())),
    ];
    let configuration = source.cargo.iter().flat_map(|cargo| &cargo.configuration);
    let ignored: Vec<_> = configuration.map(|one| &one.path).collect();
    if !ignored.is_empty() {
        internal.push(("ignored", json!(ignored)));
    }
    let image = description.image.map(|name| (IMAGE, name.as_str()));
    let external = external.into_iter().chain(image);
    let external = external.map(|(name, value)| (name.to_owned(), Value::from(value)));
    Provenance {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters: external.collect(),
            internal_parameters: internal
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            resolved_dependencies: dependencies(description),
        },
        run_details: RunDetails {
            builder: Builder {
                id: description.builder_id.to_owned(),
            },
            metadata: BTreeMap::new(),
        },
    }
}

/// The source, the lock, and what the lock names, in its order.
fn dependencies(description: &Description<'_>) -> Vec<ResourceDescriptor> {
    let Description { source, lock, .. } = description;
    let commit = [
        ("gitCommit".to_owned(), source.commit.clone()),
        ("sha256".to_owned(), source.tree.hex()),
    ];
    let own = [
        ResourceDescriptor {
            uri: Some(description.source_uri.to_owned()),
            digest: commit.into(),
            name: None,
        },
        ResourceDescriptor {
            uri: None,
            digest: sha256(&description.lock_digest),
            name: Some("Image.lock".to_owned()),
        },
    ];
    let listed = |sbom: &Sbom| -> Vec<ResourceDescriptor> {
        sbom.crates().chain(sbom.packages()).map(by_purl).collect()
    };
    let mut all = Sbom::new();
    lock.crates()
        .iter()
        .for_each(|one| add_crate(&mut all, one));
    let packages = lock.packages.iter().chain(&lock.runtime);
    packages.for_each(|one| debian::add(&mut all, one, description.root));
    let base = description.base.map(|base| {
        let repository = base.reference.repository.to_string();
        ResourceDescriptor {
            uri: Some(image_purl(&repository, &base.manifest)),
            digest: sha256(&base.manifest),
            name: None,
        }
    });
    let repositories = lock.repositories.iter().map(by_commit);
    let archives = lock.archives.iter().map(by_url);
    own.into_iter()
        .chain(base)
        .chain(listed(&all))
        .chain(repositories)
        .chain(archives)
        .chain(modules::resolved(&lock.modules))
        .chain(wheels::all(&lock.wheels).items().map(by_purl))
        .collect()
}

fn by_commit(repository: &Repository) -> ResourceDescriptor {
    let digest = [
        ("gitCommit".to_owned(), repository.commit.to_string()),
        ("sha256".to_owned(), repository.sha256.hex()),
    ];
    ResourceDescriptor {
        uri: Some(format!("git+{}", repository.url)),
        digest: digest.into(),
        name: None,
    }
}

fn by_url(archive: &Archive) -> ResourceDescriptor {
    ResourceDescriptor {
        uri: Some(archive.url.clone()),
        digest: sha256(&archive.sha256),
        name: None,
    }
}

fn by_purl(item: &attest::sbom::Item) -> ResourceDescriptor {
    ResourceDescriptor {
        uri: Some(item.purl.clone()),
        digest: item.digest.as_ref().map(sha256).unwrap_or_default(),
        name: None,
    }
}
