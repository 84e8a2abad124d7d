//! Crates of git repositories: a workspace whose crates inherit from it, use each other by path, read files beside them, in a
//! submodule and by way of a link.

use super::*;

const URL: &str = "https://source.example/words";
const MODULE: &str = "https://source.example/text";

/// The repositories, and a configuration of git that finds them under their URLs.
pub struct Repositories {
    pub configuration: PathBuf,
    words: PathBuf,
    pub commit: String,
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn commit(folder: &Path) -> String {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "m"]);
    let head = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["rev-parse", "HEAD"])
        .output();
    String::from_utf8(head.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

impl Repositories {
    pub fn make(place: &Path) -> Self {
        let (words, text) = (place.join("words"), place.join("text"));
        write(&text, &[("text.txt", "of a submodule")]);
        git(&text, &["init", "--quiet"]);
        let module = commit(&text);
        let files = [
            (
                "Cargo.toml",
                "[workspace]\nmembers = ['crates/*']\n[workspace.package]\nversion = '1.2.3'\nedition = '2021'\n\
                 [workspace.dependencies]\ninner = { path = 'crates/inner' }\n",
            ),
            (
                "crates/words/Cargo.toml",
                "[package]\nname = 'words'\nversion.workspace = true\nedition.workspace = true\n[dependencies]\ninner.workspace = true\n",
            ),
            (
                "crates/words/src/lib.rs",
                "pub const WORDS: [&str; 3] = [inner::INNER, include_str!(\"../../../shared/a.txt\"), \
                 include_str!(\"../../../text/text.txt\")];\n",
            ),
            (
                "crates/inner/Cargo.toml",
                "[package]\nname = 'inner'\nversion.workspace = true\nedition.workspace = true\n",
            ),
            (
                "crates/inner/src/lib.rs",
                "pub const INNER: &str = include_str!(\"link.txt\");\n",
            ),
            (
                "crates/other/Cargo.toml",
                "[package]\nname = 'words'\nversion = '0.0.1'\n",
            ),
            ("shared/a.txt", "of a file beside the crates"),
            (".gitattributes", "*.txt text eol=crlf\n"),
            (
                ".gitmodules",
                "[submodule \"text\"]\n\tpath = text\n\turl = ../text\n",
            ),
        ];
        write(&words, &files);
        symlink(
            "../../../shared/a.txt",
            words.join("crates/inner/src/link.txt"),
        )
        .unwrap();
        git(&words, &["init", "--quiet"]);
        let entry = format!("160000,{module},text");
        git(&words, &["update-index", "--add", "--cacheinfo", &entry]);
        git(
            &words,
            &[
                "add",
                "crates",
                "shared",
                "Cargo.toml",
                ".gitattributes",
                ".gitmodules",
            ],
        );
        git(&words, &["commit", "--quiet", "--message", "m"]);
        let head = Command::new("git")
            .arg("-C")
            .arg(&words)
            .args(["rev-parse", "HEAD"])
            .output();
        let configuration = place.join("gitconfig");
        let instead = [(URL, &words), (MODULE, &text)]
            .map(|(url, path)| format!("[url \"{}\"]\n\tinsteadOf = {url}\n", path.display()));
        fs::write(&configuration, instead.concat()).unwrap();
        Self {
            configuration,
            words,
            commit: String::from_utf8(head.unwrap().stdout)
                .unwrap()
                .trim()
                .to_owned(),
        }
    }
}

/// Makes the program of `place` use the repository.
pub fn use_words(place: &Place, commit: &str) {
    let at = |path: &str| place.repository().join(path);
    let append = |path: &str, text: &str| {
        let old = fs::read_to_string(at(path)).unwrap();
        fs::write(at(path), format!("{old}{text}")).unwrap();
    };
    let manifest = fs::read_to_string(at("Cargo.toml")).unwrap();
    let dependency = format!("itoa = \"1\"\nwords = {{ git = \"{URL}\", branch = \"main\" }}");
    fs::write(
        at("Cargo.toml"),
        manifest.replace("itoa = \"1\"", &dependency),
    )
    .unwrap();
    let lock = fs::read_to_string(at("Cargo.lock")).unwrap();
    let lock = lock.replace(" \"itoa\",\n", " \"itoa\",\n \"words\",\n");
    fs::write(at("Cargo.lock"), lock).unwrap();
    let source = format!("source = \"git+{URL}?branch=main#{commit}\"");
    append(
        "Cargo.lock",
        &format!(
            "\n[[package]]\nname = \"inner\"\nversion = \"1.2.3\"\n{source}\n\n[[package]]\nname = \"words\"\n\
             version = \"1.2.3\"\n{source}\ndependencies = [\n \"inner\",\n]\n"
        ),
    );
    append(
        "src/main.rs",
        "\n#[used]\nstatic WORDS: [&str; 3] = words::WORDS;\n",
    );
}

#[test]
fn crates_of_git_repositories_are_built() {
    let test = "crates_of_git_repositories_are_built";
    let Some(place) = Place::open(test) else {
        return;
    };
    let made = Repositories::make(place.folder.path());
    use_words(&place, &made.commit);
    let with_git = |mut command: Command| {
        let output = command
            .env("GIT_CONFIG_GLOBAL", &made.configuration)
            .output();
        output.unwrap()
    };
    let mut lock = builder();
    lock.arg("lock")
        .arg(place.repository())
        .arg("--store")
        .arg(&place.store);
    let locked = with_git(lock);
    assert!(locked.status.success(), "{}", said(&locked));
    assert!(
        said(&locked).contains("used as committed"),
        "{}",
        said(&locked)
    );
    let text = fs::read_to_string(place.repository().join("Image.lock")).unwrap();
    assert_eq!(text.matches("[[git]]").count(), 2, "{text}");
    place.commit();
    let first = place.folder.path().join("layout");
    let one = with_git(place.build(&first));
    if is_impossible(&one, test) {
        return;
    }
    assert!(one.status.success(), "{}", said(&one));
    assert_described(&first, &made.commit);

    // What was changed in the store is fetched again.
    let trees = fs::read_dir(place.store.join("trees")).unwrap().flatten();
    let trees = trees.map(|entry| entry.path().join("shared/a.txt"));
    let changed: Vec<_> = trees.filter(|path| path.exists()).collect();
    assert!(!changed.is_empty());
    for path in &changed {
        fs::write(path, "evil").unwrap();
    }
    let two = with_git(place.build(&place.folder.path().join("second")));
    assert!(two.status.success(), "{}", said(&two));
    assert_eq!(one.stdout, two.stdout);

    fs::remove_dir_all(place.store.join("trees")).unwrap();
    fs::remove_dir_all(&made.words).unwrap();
    let gone = with_git(place.build(&place.folder.path().join("third")));
    assert_eq!(gone.status.code(), Some(2), "{}", said(&gone));
    let expected = format!("fetching {URL} at {}: running git fetch: ", made.commit);
    assert!(said(&gone).contains(&expected), "{}", said(&gone));
}

/// The crates of the repository are in the documents, and the files are in the program as they were committed.
fn assert_described(layout: &Path, commit: &str) {
    let bill = attest::Sbom::parse(&fs::read(layout.join("sbom.cdx.json")).unwrap()).unwrap();
    let purl = attest::sbom::git_crate_purl("words", "1.2.3", URL, commit);
    assert!(bill.crates().any(|one| one.purl == purl));
    let provenance = fs::read_to_string(layout.join("provenance.json")).unwrap();
    assert!(provenance.contains(&format!("git+{URL}")) && provenance.contains(commit));
    let listed: Vec<_> = in_program(layout).iter().map(ToString::to_string).collect();
    assert!(listed.contains(&"inner 1.2.3".to_owned()), "{listed:?}");
}
