//! The bill of materials names the packages whose object files linkers read.

use attest::Sbom;

use super::*;

const IMAGE: &str = r#"
[build]
kind = "command"
command = ["/bin/sh", "./make.sh"]
inputs = ["make.sh", "main.c", "own.c"]
outputs = { app = "app", plain = "plain", listed = "listed", stripped = "stripped", text = "text" }

[root]
suite = "bookworm"
packages = ["gcc-12", "libc6-dev", "dash", "rustc-web", "cargo-web"]

[image]
entrypoint = ["/app"]
"#;

/// Links a program with the linker and with a copy of it that lists nothing, and another by a copy of a package's object files.
const SCRIPT: &str = r#"set -e
x86_64-linux-gnu-gcc-12 -c main.c own.c
x86_64-linux-gnu-ar crs libown.a own.o
lib=/usr/lib/x86_64-linux-gnu own=/usr/lib/gcc/x86_64-linux-gnu/12
set -- -static $lib/crt1.o $lib/crti.o main.o libown.a -L$lib -L$own --start-group -lc -lgcc -lgcc_eh --end-group $lib/crtn.o
x86_64-linux-gnu-ld.bfd -o app "$@"
/build/linkers/x86_64-linux-gnu-ld.bfd -o plain "$@"
x86_64-linux-gnu-ld.bfd --dependency-file=listed.d -o listed "$@" --build-id=0x01
test -s listed.d
x86_64-linux-gnu-ar x $lib/libnsl.a
x86_64-linux-gnu-ld.gold -r -o more.o *.o || exit 1
x86_64-linux-gnu-strip -o stripped app
echo text >text
"#;

/// The packages that are linked into a file.
fn linked(sbom: &Sbom, path: &str) -> Vec<String> {
    let linked = sbom.linked_into(path).map(|purl| {
        let rest = purl.strip_prefix("pkg:deb/debian/").unwrap();
        rest.split('@').next().unwrap().to_owned()
    });
    linked.collect()
}

#[test]
fn packages_are_named_that_linkers_read() {
    let test = "packages_are_named_that_linkers_read";
    let folder = tempfile::tempdir().unwrap();
    let names = ["app", "plain", "listed", "stripped", "text"];
    let files = names.map(|name| format!("[[file]]\npath = \"/{name}\"\nbinary = \"{name}\"\n"));
    let image = format!("{IMAGE}{}", files.concat());
    let Some(repository) = repository_of(
        folder.path(),
        test,
        &[
            ("Image.toml", &image),
            ("make.sh", SCRIPT),
            (
                "main.c",
                "int own(void);\nint main(void) { return own(); }\n",
            ),
            ("own.c", "int own(void) { return 7; }\n"),
        ],
    ) else {
        return;
    };
    commit(&repository);
    let layout = folder.path().join("layout");
    let built = builder("build", &repository)
        .arg("-o")
        .arg(&layout)
        .output()
        .unwrap();
    if said(&built).contains("making sandbox: ") {
        testkit::skip(test, format_args!("no sandbox: {}", said(&built)));
        return;
    }
    assert!(built.status.success(), "{}", said(&built));
    let sbom = Sbom::parse(&fs::read(layout.join("sbom.cdx.json")).unwrap()).unwrap();
    // What is compiled here is of no package.
    let read = ["libc6-dev", "libgcc-12-dev"];
    assert_eq!(linked(&sbom, "/app"), read);
    // The build lists it too.
    assert_eq!(linked(&sbom, "/listed"), read);
    let untraced = "note: no linker listed what it read for these programs: stripped: the bill of materials names for them the \
                    packages of all that linkers listed";
    assert!(said(&built).contains(untraced), "{}", said(&built));
    // Any linker may have read it: the bytes are those of no link.
    assert_eq!(
        linked(&sbom, "/stripped"),
        ["libc6-dev", "libgcc-12-dev", "libnsl-dev"]
    );
    assert_eq!(linked(&sbom, "/text"), [""; 0]);
    // To list what is read does not change what is made.
    let digest = |path: &str| sbom.files().find(|(found, _)| *found == path).unwrap().1;
    assert_eq!(digest("/app"), digest("/plain"));
}
