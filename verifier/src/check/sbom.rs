//! A bill of materials.

use std::io;
use std::path::{Path, PathBuf};

use ::advisories::{Found, Level, vex};
use ::sbom::Document;
use chrono::{DateTime, Utc};
use console::at::{self, At, shown};
use console::hint::Hinted;
use content::{limits, open_regular};
use oci::Layout;
use scratch::Scratch;

use super::{Facts, Judgement, refusal};
use crate::Error;
use crate::advisories::scan::{Concern, Scan};
use crate::advisories::{Packages, scan};
use crate::contents::{Contents, ContentsError};
use crate::inventory::{Inventory, Locked, Report, View, locked};

/// Disagreements that a line names. A report in JSON has all.
const SHOWN: usize = 8;

/// What to check.
#[derive(Clone, Copy, Debug)]
pub struct Sbom<'a> {
    /// The bill of materials.
    pub file: &'a Path,
    /// The layout, or the archive of one, of the image that it must describe.
    pub image: Option<&'a Path>,
    /// The `Cargo.lock` that it must agree with.
    pub lock: Option<&'a Path>,
    /// The advisories that must not be about its packages.
    pub advisories: Option<Advisories<'a>>,
}

/// Advisories, and what answers them.
#[derive(Clone, Copy, Debug)]
pub struct Advisories<'a> {
    /// The directory with the advisories.
    pub database: &'a Path,
    /// The release of packages of Debian whose URL names none.
    pub debian: Option<&'a str>,
    /// Documents in OpenVEX or CycloneDX that answer advisories.
    pub answers: &'a [PathBuf],
    /// The time for which advisories and answers count.
    pub now: DateTime<Utc>,
}

/// Checks whether a file is a valid bill of materials, in CycloneDX or SPDX, and describes the image. The facts are the
/// `format`, the `version` of the specification, and the number of `components` and of the `files` among them; with an
/// image also the `faults`, and the components that are `unshown`; with advisories, those that are refused as `advisories`.
///
/// # Errors
/// A file cannot be read, or the bill of materials is larger than [`::sbom::SIZE`].
pub fn sbom(request: &Sbom<'_>, facts: Option<&mut Facts>) -> Result<Judgement, Error> {
    let bytes = at::read(request.file, ::sbom::SIZE)?;
    let document = match ::sbom::parse(&bytes) {
        Ok(document) => document,
        Err(error) => return Ok(Judgement::Refused(error.to_string())),
    };
    let report = match request.image {
        Some(image) => match compared(request, &document, image)? {
            Ok(report) => Some(report),
            Err(reason) => return Ok(Judgement::Refused(reason)),
        },
        None => None,
    };
    let concerns = match &request.advisories {
        Some(advisories) => match compare(advisories, &document)? {
            Ok(concerns) => concerns,
            Err(reason) => return Ok(Judgement::Refused(reason)),
        },
        None => Vec::new(),
    };
    if let Some(facts) = facts {
        describe(&document, report.as_ref(), facts);
        if request.advisories.is_some() {
            facts.insert("advisories".to_owned(), concerns.clone().into());
        }
    }
    Ok(judgement(&document, report, concerns))
}

/// Advisories about the packages that nothing answers, in words; or why a document with answers cannot be used.
fn compare(
    request: &Advisories<'_>,
    document: &Document,
) -> Result<Result<Vec<String>, String>, Error> {
    let mut packages = Packages::default();
    packages.add(document);
    let mut answers = Vec::new();
    for path in request.answers {
        let bytes = at::read(path, vex::LARGEST)?;
        match vex::Document::parse(&bytes) {
            Ok(document) => answers.push(document),
            Err(error) => return Ok(Err(format!("{}: {error}", shown(path)))),
        }
    }
    let scan = scan(request.database, &packages, request.debian, request.now)?;
    let is_answered = |concern: &&Concern| {
        let (advisory, package) = (&concern.advisory, &concern.package);
        vex::answer(&answers, advisory, package, None, request.now).is_some()
    };
    let counts = |concern: &&Concern| concern.advisory.level != Level::Informational;
    let concerns = scan.concerns.iter().filter(counts);
    let open = concerns.filter(|concern| !is_answered(concern)).map(words);
    let missing = scan.missing();
    let missing = missing.map(|ecosystem| format!("the database has no advisories of {ecosystem}"));
    let unknown = missing.chain(unreleased(&scan)).chain(unsourced(&scan));
    Ok(Ok(open.chain(unknown).collect()))
}

fn words(concern: &Concern) -> String {
    let (advisory, package) = (&concern.advisory, &concern.package);
    let fix = match &advisory.found {
        Found::Affected { fixed: Some(fixed) } => format!("fixed in {fixed}"),
        Found::Affected { fixed: None } => "not fixed".to_owned(),
        Found::Unclear => "its version cannot be compared".to_owned(),
    };
    let (id, level) = (&advisory.id, advisory.level);
    format!("{id} ({level}) about {}, {fix}", package.purl)
}

fn unreleased(scan: &Scan) -> impl Iterator<Item = String> {
    let purls = scan.without_release.iter();
    purls.map(|purl| format!("{purl} names no release of Debian: give --debian"))
}

fn unsourced(scan: &Scan) -> impl Iterator<Item = String> {
    let purls = scan.without_source.iter();
    purls.map(|purl| {
        format!(
            "{purl} cannot be compared: the bill of materials names no source packages, as `upstream` in package URLs"
        )
    })
}

fn describe(document: &Document, report: Option<&Report>, facts: &mut Facts) {
    facts.insert("format".to_owned(), document.format.name().into());
    facts.insert("version".to_owned(), document.version.as_str().into());
    facts.insert("components".to_owned(), document.components.len().into());
    facts.insert("files".to_owned(), document.files().into());
    if let Some(report) = report {
        let faults: Vec<_> = report.faults.iter().map(ToString::to_string).collect();
        facts.insert("faults".to_owned(), faults.into());
        facts.insert("unshown".to_owned(), report.unshown.clone().into());
    }
}

fn judgement(document: &Document, report: Option<Report>, concerns: Vec<String>) -> Judgement {
    let report = report.unwrap_or_default();
    let faults = report.faults.iter().map(ToString::to_string);
    let mut reasons: Vec<String> = faults.chain(concerns).collect();
    if !reasons.is_empty() {
        let more = reasons.len().saturating_sub(SHOWN);
        reasons.truncate(SHOWN);
        if more > 0 {
            reasons.push(format!("and {more} more"));
        }
        return Judgement::Refused(reasons.join("; "));
    }
    let mut line = format!(
        "{} {}, {} components, {} of them files",
        document.format.name(),
        document.version,
        document.components.len(),
        document.files()
    );
    if !report.unshown.is_empty() {
        let unshown = report.unshown.len();
        line.push_str(&format!(
            "; only a rebuild shows whether {unshown} of them are in the image"
        ));
    }
    Judgement::AcceptedAs(line)
}

/// The comparison with an image, or why there is no such image. The outer result is whether files could be read.
fn compared(
    request: &Sbom<'_>,
    document: &Document,
    image: &Path,
) -> Result<Result<Report, String>, Error> {
    let lock = match request.lock.map(read_lock).transpose()? {
        Some(Err(reason)) => return Ok(Err(reason)),
        Some(Ok(lock)) => Some(lock),
        None => None,
    };
    let contents = contents(image)?;
    Ok(contents
        .map(|contents| Inventory::of(&contents, View::Container).check(document, lock.as_deref())))
}

fn read_lock(path: &Path) -> Result<Result<Vec<Locked>, String>, Error> {
    let bytes = at::read(path, limits::DOCUMENT)?;
    Ok(locked(&bytes).map_err(|reason| format!("reading {}: {reason}", shown(path))))
}

/// What is in the only image of a layout, or of an archive of one.
fn contents(path: &Path) -> Result<Result<Contents, String>, Error> {
    if path.is_dir() {
        return read(path, path);
    }
    let scratch = Scratch::new().map_err(Hinted::temporary)?;
    let archive = open_regular(path).map_err(At::reading(path))?;
    match oci::layout::unpack(archive, scratch.path()) {
        Ok(_) => read(path, scratch.path()),
        Err(error) => refusal(path, error).map(Err),
    }
}

fn read(path: &Path, layout: &Path) -> Result<Result<Contents, String>, Error> {
    let opened = Layout::open(layout).and_then(|layout| Ok((layout.image()?, layout)));
    let (image, layout) = match opened {
        Ok(opened) => opened,
        Err(error) => return refusal(path, error).map(Err),
    };
    let contents = Contents::read(image, &|descriptor| {
        let file = layout.open_blob(&descriptor.digest);
        Ok(Box::new(file.map_err(io::Error::other)?))
    });
    match contents {
        Ok(contents) => Ok(Ok(contents)),
        Err(ContentsError::Damage(damage)) => Ok(Err(damage.to_string())),
        Err(ContentsError::Io(error)) => Err(At::reading(path)(error).into()),
    }
}
