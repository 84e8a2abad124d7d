//! Images that one file describes: each passes under its own policy, and none as another.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::failed;
use super::rehearsal::{Rehearsal, program};

const SOURCE: &str = "git+https://source.example/app";
const IMAGES: &str = "[build]\nkind = \"command\"\n\
    [[image]]\nname = \"server\"\nentrypoint = [\"/a\"]\n[[image.file]]\npath = \"/a\"\ncontent = \"server\"\n\
    [[image]]\nname = \"worker\"\nentrypoint = [\"/a\"]\n[[image.file]]\npath = \"/a\"\ncontent = \"worker\"\n";

/// The source with its lock, and the layouts of both images.
struct Built<'a> {
    rehearsal: &'a Rehearsal,
}

impl<'a> Built<'a> {
    /// The error is why this machine cannot build.
    fn new(rehearsal: &'a Rehearsal) -> Result<Self, String> {
        let built = Self { rehearsal };
        std::fs::create_dir(built.source()).unwrap();
        std::fs::write(built.source().join("Image.toml"), IMAGES).unwrap();
        built.git(&["init", "--quiet"]);
        let locked = built.builder("lock").output().unwrap();
        assert!(locked.status.success(), "{locked:?}");
        built.git(&["add", "--all"]);
        built.git(&["commit", "--quiet", "--message", "one"]);
        let mut build = built.builder("build");
        build.args(["--source-uri", SOURCE, "-o"]);
        let output = build.arg(rehearsal.path("out")).output().unwrap();
        match output.status.success() {
            true => Ok(built),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn source(&self) -> PathBuf {
        self.rehearsal.path("source")
    }

    fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(words);
        assert!(git.current_dir(self.source()).status().unwrap().success());
    }

    fn builder(&self, verb: &str) -> Command {
        let mut builder = program("builder");
        builder.arg(verb).arg(self.source());
        builder.arg("--store").arg(self.rehearsal.path("store"));
        builder
    }

    fn repository(&self, name: &str) -> String {
        format!("{}/builder/{name}", self.rehearsal.proxy.registry)
    }

    /// Publishes an image in the repository of another. Returns its reference.
    fn publish(&self, image: &str, repository: &str) -> String {
        let mut publish = program("builder");
        publish.arg("publish").arg(self.layout(image));
        publish.arg(format!("{}:{image}", self.repository(repository)));
        publish.arg("--plain-http").arg("--key");
        let published = publish.arg(self.rehearsal.path("builder.key")).output();
        let published = published.unwrap();
        assert!(published.status.success(), "{published:?}");
        String::from_utf8(published.stdout)
            .unwrap()
            .trim()
            .to_owned()
    }

    fn layout(&self, image: &str) -> PathBuf {
        self.rehearsal.path("out").join(image)
    }

    /// A policy for the repository of an image, with its name if it is `pinned`.
    fn policy(&self, repository: &str, pinned: Option<&str>) -> PathBuf {
        let name = self.repository(repository);
        let image = pinned.map(|image| format!("image = {image:?}\n"));
        let text = format!(
            "repository = {name:?}\n[builder]\nid = \"https://countersign.dev/builder\"\n\
             build_type = {:?}\n[source]\nuri = {SOURCE:?}\ndirectory = \".\"\n{}\
             [[principal]]\nname = \"builder\"\nkey = \"builder.pub\"\n\
             [signatures]\nrequire = [\"builder\"]\n\
             [attestations]\nrequire = [\"provenance\", \"sbom\"]\nby = [\"builder\"]\n[rebuild]\nrequire = true\n",
            attest::provenance::BUILD_TYPE,
            image.unwrap_or_default()
        );
        let path = self.rehearsal.path(&format!("{repository}.toml"));
        std::fs::write(&path, text).unwrap();
        path
    }

    fn verify(&self, reference: &str, policy: &Path) -> Output {
        let mut verify = program("verifier");
        verify.args(["verify", reference, "--plain-http", "--json", "--policy"]);
        verify.arg(policy).arg("--source").arg(self.source());
        verify.arg("--store").arg(self.rehearsal.path("store"));
        verify.output().unwrap()
    }
}

fn report(output: &Output, status: i32) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn each_image_of_a_file_passes_and_none_as_another() {
    let rehearsal = Rehearsal::new();
    let built = match Built::new(&rehearsal) {
        Ok(built) => built,
        Err(reason) => {
            assert!(reason.contains("making sandbox: "), "{reason}");
            return testkit::skip(
                "each_image_of_a_file_passes_and_none_as_another",
                format_args!("no namespaces: {reason}"),
            );
        }
    };
    for name in ["server", "worker"] {
        let reference = built.publish(name, name);
        let policy = built.policy(name, Some(name));
        report(&built.verify(&reference, &policy), 0);
        let unpinned = built.verify(&reference, &built.policy(name, None));
        assert_eq!(failed(&report(&unpinned, 1)), ["provenance", "rebuild"]);
    }
    let swapped = built.publish("worker", "server");
    let policy = built.policy("server", Some("server"));
    let refused = report(&built.verify(&swapped, &policy), 1);
    assert_eq!(failed(&refused), ["provenance", "sbom", "rebuild"]);
    // Its name in the policy decides.
    let policy = built.policy("server", Some("worker"));
    report(&built.verify(&swapped, &policy), 0);
}
