//! Each attack, and where it must be refused. An attack that gets through, or that is refused
//! elsewhere than named, fails the ceremony.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::Error;
use crate::acts::{self, Published};
use crate::cast::{BUILDER, COLLABORATORS, Cast};
use crate::programme::Programme;
use crate::prologue::{self, Cloud};
use crate::stage::{Said, Stage, finish};
use crate::tee_socket;

/// The stage after the story: everything is published, countersigned and bound.
pub struct Scene<'a> {
    /// The stage.
    pub stage: &'a Stage,
    /// What the audience sees.
    pub programme: &'a mut Programme,
    /// Who plays.
    pub cast: &'a Cast,
    /// The emulated cloud.
    pub cloud: &'a Cloud,
    /// The builder's source.
    pub source: &'a Path,
    /// The builder's layout.
    pub layout: &'a Path,
    /// The first collaborator's own rebuild.
    pub rebuilt: &'a Path,
    /// The image that everybody countersigned.
    pub image: &'a Published,
    /// The image that was built of other terms, once an attack has needed it.
    pub forged: Option<Published>,
}

/// One attack.
pub struct Attack {
    /// Its name, for `--attack`.
    pub name: &'static str,
    /// What the attacker does.
    pub deed: &'static str,
    /// Who must refuse, and by which rule.
    pub place: &'static str,
    play: fn(&mut Scene<'_>) -> Result<Outcome, Error>,
}

/// How an attack ended.
pub enum Outcome {
    /// It was refused where it should be, in these words.
    Refused(String),
    /// It was not: what was seen instead.
    NotRefused(String),
}

impl Attack {
    /// Plays the attack.
    ///
    /// # Errors
    /// Something other than the attack itself went wrong.
    pub fn play(&self, scene: &mut Scene<'_>) -> Result<Outcome, Error> {
        acts::drain(scene.cast)?;
        (self.play)(scene)
    }
}

/// All attacks, in the order in which `all` plays them. The last one takes a binding away.
pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "changed-byte",
        deed: "the registry changes one byte of the pushed image",
        place: "verifier: integrity",
        play: changed_byte,
    },
    Attack {
        name: "changed-source",
        deed: "the builder signs an image of other source than it names",
        place: "verifier: rebuild",
        play: changed_source,
    },
    Attack {
        name: "tampered-crate",
        deed: "one byte of a crate archive is changed",
        place: "builder: inputs",
        play: tampered_crate,
    },
    Attack {
        name: "unknown-key",
        deed: "the image is signed with a key that nobody knows",
        place: "verifier: signatures",
        play: unknown_key,
    },
    Attack {
        name: "missing-countersignature",
        deed: "collaborator-2 has not countersigned",
        place: "verifier: signatures",
        play: missing_countersignature,
    },
    Attack {
        name: "missing-countersignature-bound",
        deed: "the same image, launched although it is bound by force",
        place: "workload: late binding",
        play: missing_countersignature_bound,
    },
    Attack {
        name: "moved-tag",
        deed: "the tag is moved to another image after the verdict",
        place: "Cloud KMS",
        play: moved_tag,
    },
    Attack {
        name: "debug-image",
        deed: "the operator launches the debug image",
        place: "STS: attribute condition",
        play: debug_image,
    },
    Attack {
        name: "overridden-command",
        deed: "the operator overrides the command",
        place: "launcher: launch policy",
        play: overridden_command,
    },
    Attack {
        name: "replayed-token",
        deed: "collaborator-1's token is replayed at collaborator-2",
        place: "STS: audience",
        play: replayed_token,
    },
    Attack {
        name: "foreign-key",
        deed: "a message of collaborator-1 names collaborator-2's key",
        place: "workload: inbox",
        play: foreign_key,
    },
    Attack {
        name: "revoked-digest",
        deed: "collaborator-1 has revoked the digest",
        place: "Cloud KMS",
        play: revoked_digest,
    },
];

fn changed_byte(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let layer = largest(&scene.layout.join("blobs/sha256"))?;
    let name = layer.file_name().unwrap_or_default();
    let served = scene.cloud.state.join("registry/blobs/sha256").join(name);
    let honest = fs::read(&served).map_err(Error::io(&served))?;
    let mut changed = honest.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&served, changed).map_err(Error::io(&served))?;
    let policy = policy(scene, &scene.cast.repository(), &[BUILDER])?;
    let said = verify(scene, &scene.image.reference(), &policy);
    fs::write(&served, honest).map_err(Error::io(&served))?;
    Ok(refused(&said?, 1, &["integrity"]))
}

fn changed_source(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let forged = forged(scene)?;
    let policy = policy(scene, &scene.cast.repository(), &[BUILDER])?;
    let said = verify(scene, &forged.reference(), &policy)?;
    Ok(refused(&said, 1, &["rebuild", "terms.json"]))
}

fn tampered_crate(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let lock = scene.source.join("workload/Image.lock");
    let text = fs::read_to_string(&lock).map_err(Error::io(&lock))?;
    let digest = first_crate(&text).ok_or_else(|| Error::Answer {
        what: "Image.lock".into(),
        found: "no crate".into(),
    })?;
    let store = tampered_store(scene.stage, &digest)?;
    let mut build = scene.stage.program("builder");
    build
        .arg("build")
        .arg(scene.source.join("workload"))
        .arg("--store")
        .arg(store);
    build.arg("-o").arg(scene.stage.path().join("never"));
    let said = scene.programme.run(scene.stage, "builder build", build)?;
    Ok(refused(&said, 2, &["crate", &digest]))
}

fn unknown_key(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = copy(scene, "unknown-key")?;
    let key = scene.stage.folder("attacker")?.join("cosign");
    let mut keygen = scene.stage.program("builder");
    keygen.arg("keygen").arg(&key);
    finish(scene.stage, keygen)?;
    let mut sign = scene.stage.program("builder");
    sign.args(["sign", &image.reference(), "--plain-http", "--key"]);
    sign.arg(key.with_extension("key"));
    scene
        .programme
        .must(scene.stage, "builder sign  (the attacker's key)", sign)?;
    let policy = policy(scene, &image.repository, &[BUILDER])?;
    let said = verify(scene, &image.reference(), &policy)?;
    Ok(refused(&said, 1, &["signatures", "unknown"]))
}

fn missing_countersignature(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = half_signed(scene)?;
    let policy = policy(scene, &image.repository, &[BUILDER, COLLABORATORS[1]])?;
    let said = verify(scene, &image.reference(), &policy)?;
    Ok(refused(&said, 1, &["signatures", COLLABORATORS[1]]))
}

fn missing_countersignature_bound(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = half_signed(scene)?;
    acts::send_data(scene.cast, &image, "half-signed")?;
    let said = launch(scene, &image, &[])?;
    Ok(refused(&said, 1, &["workload: refused", COLLABORATORS[1]]))
}

fn moved_tag(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let forged = forged(scene)?;
    prologue::admit_to_queue(scene.cast, &forged.digest)?;
    acts::send_data(scene.cast, scene.image, "moved-tag")?;
    let said = launch(scene, &forged, &[])?;
    prologue::admit_to_queue(scene.cast, &scene.image.digest)?;
    Ok(refused(
        &said,
        1,
        &[
            "workload: refused",
            "cloudkms.cryptoKeyVersions.useToDecrypt",
        ],
    ))
}

fn debug_image(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let said = launch(scene, scene.image, &["--image-family", "debug"])?;
    Ok(refused(
        &said,
        1,
        &["workload: refused", "rejected by the attribute condition"],
    ))
}

fn overridden_command(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let said = launch(scene, scene.image, &["--cmd", "[\"--print-everything\"]"])?;
    Ok(refused(
        &said,
        1,
        &["emulator: refused", "CMD is not allowed to be overridden"],
    ))
}

fn replayed_token(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let runtime = scene.stage.folder("runtime")?;
    let reference = scene.image.reference();
    let mut command = acts::launch(scene.stage, scene.cast, &reference, &scene.image.repository);
    command.arg("--runtime").arg(&runtime);
    let mut launched = scene.stage.start(command, |_| {})?;
    let socket = runtime.join("teeserver.sock");
    acts::wait_for(&socket, &mut launched)?;
    let [first, second] = &scene.cast.collaborators;
    let token = tee_socket::token(&socket, &first.audience())?;
    let sts = &scene.cast.endpoints.sts;
    let (accepted, _) = crate::cloud::exchange(sts, &first.provider(), &token)?;
    let (status, answer) = crate::cloud::exchange(sts, &second.provider(), &token)?;
    launched.stop()?;
    let is_refused = accepted == 200 && status == 400 && answer["error"] == json!("invalid_grant");
    let seen = format!("{status} {answer}");
    Ok(if is_refused {
        Outcome::Refused(seen)
    } else {
        Outcome::NotRefused(seen)
    })
}

fn foreign_key(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let [first, second] = &scene.cast.collaborators;
    acts::send(
        scene.cast,
        first,
        scene.image,
        "foreign",
        &second.data_key(),
    )?;
    acts::send_data(scene.cast, scene.image, "honest")?;
    let said = launch(scene, scene.image, &[])?;
    let left = acts::drain(scene.cast)?;
    if said.stdout != acts::RESULT || left != ["foreign"] {
        let seen = format!(
            "{:?}, left in the queue {left:?}: {}",
            said.stdout, said.stderr
        );
        return Ok(Outcome::NotRefused(seen));
    }
    Ok(refused(&said, 0, &["refusing message", &second.data_key()]))
}

fn revoked_digest(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let first = &scene.cast.collaborators[0];
    let mut revoke = scene.stage.program("verifier");
    revoke.args(["revoke", &scene.image.reference(), "--apply", "--grant"]);
    revoke.arg(acts::write_grant(scene.stage, first)?);
    revoke.args(["--kms-endpoint", &scene.cast.endpoints.kms]);
    revoke.env("GOOGLE_APPLICATION_CREDENTIALS", &first.project.credentials);
    scene
        .programme
        .must(scene.stage, "verifier revoke", revoke)?;
    acts::send_data(scene.cast, scene.image, "revoked")?;
    let said = launch(scene, scene.image, &[])?;
    Ok(refused(
        &said,
        1,
        &[
            "workload: refused",
            "cloudkms.cryptoKeyVersions.useToDecrypt",
        ],
    ))
}

/// An image of other terms, which ask for the builder's signature alone, published under the same
/// tag, signed by the builder and with the honest image's provenance.
fn forged(scene: &mut Scene<'_>) -> Result<Published, Error> {
    if let Some(forged) = &scene.forged {
        return Ok(forged.clone());
    }
    let source = scene.stage.path().join("forged");
    let mut clone = Command::new("git");
    clone
        .args(["clone", "--quiet", "--no-local"])
        .arg(scene.source)
        .arg(&source);
    finish(scene.stage, clone)?;
    let mut terms = prologue::terms(scene.stage, scene.cast)?;
    if let Some(signers) = terms["signers"].as_array_mut() {
        signers.truncate(1);
    }
    prologue::commit_terms(scene.stage, &source, &terms)?;
    let layout = acts::build(scene.stage, scene.programme, "forged terms", &source)?;
    let repository = scene.cast.repository();
    let image = acts::push(scene.stage, scene.programme, &layout, &repository, "v1")?;
    acts::sign(scene.stage, scene.programme, scene.cast, &image)?;
    acts::attest(
        scene.stage,
        scene.programme,
        scene.cast,
        &image,
        scene.layout,
    )?;
    scene.forged = Some(image.clone());
    Ok(image)
}

/// The honest image in a repository of its own, without any signature.
fn copy(scene: &mut Scene<'_>, name: &str) -> Result<Published, Error> {
    let repository = format!("{}/{name}", scene.cast.repository());
    acts::push(
        scene.stage,
        scene.programme,
        scene.layout,
        &repository,
        "v1",
    )
}

/// The honest image where only the builder has signed it.
fn half_signed(scene: &mut Scene<'_>) -> Result<Published, Error> {
    let image = copy(scene, "half-signed")?;
    acts::sign(scene.stage, scene.programme, scene.cast, &image)?;
    Ok(image)
}

fn policy(scene: &Scene<'_>, repository: &str, required: &[&str]) -> Result<PathBuf, Error> {
    acts::policy(
        scene.stage,
        scene.cast,
        &scene.cast.collaborators[0],
        repository,
        required,
    )
}

fn verify(scene: &mut Scene<'_>, reference: &str, policy: &Path) -> Result<Said, Error> {
    let command = acts::verifier(scene.stage, "verify", reference, policy, scene.rebuilt);
    scene.programme.run(scene.stage, "verifier verify", command)
}

fn launch(scene: &mut Scene<'_>, image: &Published, options: &[&str]) -> Result<Said, Error> {
    let reference = image.reference();
    let mut command = acts::launch(scene.stage, scene.cast, &reference, &image.repository);
    command.args(options);
    scene.programme.run(scene.stage, "emulator launch", command)
}

/// Whether a program ended with `code` and one of its lines holds all of `words`.
fn refused(said: &Said, code: i32, words: &[&str]) -> Outcome {
    let lines = || said.stderr.lines().chain(said.stdout.lines());
    let found = lines().find(|line| words.iter().all(|word| line.contains(word)));
    match found {
        Some(line) if said.code == Some(code) => Outcome::Refused(line.trim().to_owned()),
        _ => Outcome::NotRefused(format!(
            "expected exit status {code} and a line with {words:?}, found {:?}:\n{}{}",
            said.code, said.stdout, said.stderr
        )),
    }
}

fn largest(folder: &Path) -> Result<PathBuf, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let found = entries.flatten().map(|entry| entry.path()).max_by_key(size);
    found.ok_or_else(|| Error::Answer {
        what: folder.display().to_string(),
        found: "no blob".into(),
    })
}

/// The digest of the first crate in `lock`, in hex.
fn first_crate(lock: &str) -> Option<String> {
    let lock: toml::Table = lock.parse().ok()?;
    let digest = lock
        .get("crate")?
        .as_array()?
        .first()?
        .get("sha256")?
        .as_str()?;
    Some(digest.trim_start_matches("sha256:").to_owned())
}

/// A store that is the real one but for a byte of one archive.
fn tampered_store(stage: &Stage, digest: &str) -> Result<PathBuf, Error> {
    let store = store()?;
    let copy = stage.folder("tampered-store")?;
    let mut links = Command::new("cp");
    links
        .args(["-a", "--symbolic-link"])
        .arg(store.join("sha256"))
        .arg(&copy);
    finish(stage, links)?;
    let archive = copy.join("sha256").join(digest);
    let mut bytes = fs::read(&archive).map_err(Error::io(&archive))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&archive).map_err(Error::io(&archive))?;
    fs::write(&archive, bytes).map_err(Error::io(&archive))?;
    Ok(copy)
}

/// Where the builder keeps its inputs (XDG base directory specification).
fn store() -> Result<PathBuf, Error> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = cache.filter(|path| path.is_absolute()).or_else(home);
    cache
        .map(|cache| cache.join("countersign"))
        .ok_or_else(|| Error::Answer {
            what: "HOME".into(),
            found: "it is not set".into(),
        })
}
