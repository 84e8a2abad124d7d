//! Locks and the package index that they are resolved from.

use super::*;

fn package(u: &mut Unstructured<'_>) -> Result<Package> {
    let name = word(u, NAME, 4)?;
    Ok(Package {
        path: format!("pool/{name}_{}.deb", word(u, b"ab.+~_-09", 6)?)
            .parse()
            .unwrap(),
        version: u.arbitrary::<&str>()?.to_owned(),
        name,
        suite: u.arbitrary::<Option<&str>>()?.map(str::to_owned),
        source: match u.arbitrary::<Option<u8>>()? {
            None => None,
            Some(0) => Some(word(u, b"ab-.+", 4)?.parse().unwrap()),
            Some(version) => Some(
                format!("{} (1:{version}~x)", word(u, b"ab-.+", 4)?)
                    .parse()
                    .unwrap(),
            ),
        },
        sha256: digest(u)?,
        size: u.int_in_range(0..=1 << 30)?,
    })
}

fn locked_crate(u: &mut Unstructured<'_>) -> Result<Crate> {
    Ok(Crate {
        name: word(u, b"ab_-09", 6)?.parse().unwrap(),
        version: format!("{}.0.0-{}", u.arbitrary::<u16>()?, word(u, NAME, 3)?)
            .parse()
            .unwrap(),
        sha256: digest(u)?,
        size: u.int_in_range(0..=64 << 20)?,
    })
}

#[test]
fn a_lock_is_read_as_it_was_written() {
    let lock = Lock::parse(include_str!("../../corpus/image_lock/lock")).unwrap();
    law(|u| {
        let mut lock = lock.clone();
        (lock.spec, lock.root) = (digest(u)?, digest(u)?);
        lock.packages = several(u, 4, package)?;
        lock.crates = Some(several(u, 4, locked_crate)?);
        let text = lock.to_text().unwrap();
        assert_eq!(Lock::parse(&text).unwrap(), lock);
        assert_eq!(Lock::parse(&text).unwrap().to_text().unwrap(), text);
        Ok(())
    });
}

#[test]
fn a_time_is_read_as_it_was_printed() {
    law(|u| {
        // The years 0 to 9999: RFC 3339 has no others.
        let seconds = u.int_in_range(-62_167_219_200..=253_402_300_799)?;
        let time = Time::from_unix(seconds).unwrap();
        assert_eq!(time.to_string().parse(), Ok(time));
        Ok(())
    });
}

#[test]
fn a_package_index_says_the_same_in_any_order() {
    law(|u| {
        let names = several(u, 6, |u| word(u, b"abcd", 1))?;
        let names: BTreeSet<_> = names.into_iter().collect();
        let mut stanzas = Vec::new();
        for name in names {
            let depends = several(u, 3, |u| word(u, b"abcd", 1))?.join(", ");
            let provides = word(u, b"wxyz", 1)?;
            let sha256 = digest(u)?.hex();
            stanzas.push(format!(
                "Package: {name}\nVersion: 1\nFilename: pool/{name}.deb\nSHA256: {sha256}\nSize: 7\n\
                 Depends: {depends}\nProvides: {provides}\n"
            ));
        }
        let wanted = [word(u, b"abcdwxyz", 1)?.into()];
        let resolve = |stanzas: Vec<String>| {
            let index = Index::parse(&stanzas.join("\n")).unwrap();
            let suites = Suites::new(vec![("s".to_owned(), index)]);
            suites.closure(&wanted).map_err(|error| error.to_string())
        };
        let resolved = resolve(stanzas.clone());
        assert_eq!(resolve(shuffled(u, stanzas)?), resolved);
        Ok(())
    });
}

/// Neither comments nor white space nor the order of tables change what a lock says.
#[test]
fn a_lock_says_the_same_in_another_layout() {
    let text = include_str!("../../corpus/image_lock/lock");
    let lock = Lock::parse(text).unwrap();
    law(|u| {
        let mut edited = String::new();
        for line in text.lines() {
            edited += line;
            edited += *u.choose(&["", " ", "\t", " # x", "\n", "\n# y"])?;
            edited += "\n";
        }
        assert_eq!(Lock::parse(&edited).unwrap(), lock);
        Ok(())
    });
}
