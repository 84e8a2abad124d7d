//! The tags of the tag-value form and the members of the JSON form that they are (SPDX 2.3, clauses 6 to 13).

/// A tag.
#[derive(Debug)]
pub(super) struct Tag {
    /// The name before the colon.
    pub name: &'static str,
    /// The object that it belongs to.
    pub place: Place,
    /// The member of the object.
    pub member: &'static str,
    /// How its value is read.
    pub form: Form,
}

/// An object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// The document.
    Document,
    /// Its member `creationInfo`.
    Creation,
    /// The document, package or file whose tags are being read.
    Current,
    /// A new object in this list.
    New(&'static str),
    /// The last object in this list.
    Last(&'static str),
}

/// How a value is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// A text, at most once.
    Text,
    /// A text, any number of times.
    Texts,
    /// `true` or `false`.
    Bool,
    /// An algorithm, a colon, and a digest.
    Checksum,
    /// A digest and, in parentheses, excluded files.
    VerificationCode,
    /// Words with these members, the last one with the rest of the line.
    Words(&'static [&'static str]),
    /// As `Words`, in a list.
    ListOfWords(&'static [&'static str]),
    /// A comment on the last of a list.
    CommentOnLast,
    /// Two numbers with a colon between, of this member of a pointer.
    Range(&'static str),
    /// A tag of earlier versions without a member.
    Ignored,
}

const PACKAGE: Place = Place::Last("packages");
const FILE: Place = Place::Last("files");
const SNIPPET: Place = Place::Last("snippets");
const LICENSE: Place = Place::Last("hasExtractedLicensingInfos");
const ANNOTATION: Place = Place::Last("annotations");
const REVIEW: Place = Place::Last("revieweds");

const fn tag(name: &'static str, place: Place, member: &'static str, form: Form) -> Tag {
    Tag {
        name,
        place,
        member,
        form,
    }
}

/// Every tag.
#[rustfmt::skip]
pub(super) const TAGS: &[Tag] = &[
    tag("SPDXVersion", Place::Document, "spdxVersion", Form::Text),
    tag("DataLicense", Place::Document, "dataLicense", Form::Text),
    tag("DocumentName", Place::Document, "name", Form::Text),
    tag("DocumentNamespace", Place::Document, "documentNamespace", Form::Text),
    tag("DocumentComment", Place::Document, "comment", Form::Text),
    tag("ExternalDocumentRef", Place::New("externalDocumentRefs"), "",
        Form::Words(&["externalDocumentId", "spdxDocument", "checksum"])),
    tag("LicenseListVersion", Place::Creation, "licenseListVersion", Form::Text),
    tag("Creator", Place::Creation, "creators", Form::Texts),
    tag("Created", Place::Creation, "created", Form::Text),
    tag("CreatorComment", Place::Creation, "comment", Form::Text),
    tag("SPDXID", Place::Current, "SPDXID", Form::Text),
    tag("PackageName", Place::New("packages"), "name", Form::Text),
    tag("PackageVersion", PACKAGE, "versionInfo", Form::Text),
    tag("PackageFileName", PACKAGE, "packageFileName", Form::Text),
    tag("PackageSupplier", PACKAGE, "supplier", Form::Text),
    tag("PackageOriginator", PACKAGE, "originator", Form::Text),
    tag("PackageDownloadLocation", PACKAGE, "downloadLocation", Form::Text),
    tag("FilesAnalyzed", PACKAGE, "filesAnalyzed", Form::Bool),
    tag("PackageVerificationCode", PACKAGE, "packageVerificationCode", Form::VerificationCode),
    tag("PackageChecksum", PACKAGE, "checksums", Form::Checksum),
    tag("PackageHomePage", PACKAGE, "homepage", Form::Text),
    tag("PackageSourceInfo", PACKAGE, "sourceInfo", Form::Text),
    tag("PackageLicenseConcluded", PACKAGE, "licenseConcluded", Form::Text),
    tag("PackageLicenseInfoFromFiles", PACKAGE, "licenseInfoFromFiles", Form::Texts),
    tag("PackageLicenseDeclared", PACKAGE, "licenseDeclared", Form::Text),
    tag("PackageLicenseComments", PACKAGE, "licenseComments", Form::Text),
    tag("PackageCopyrightText", PACKAGE, "copyrightText", Form::Text),
    tag("PackageSummary", PACKAGE, "summary", Form::Text),
    tag("PackageDescription", PACKAGE, "description", Form::Text),
    tag("PackageComment", PACKAGE, "comment", Form::Text),
    tag("PackageAttributionText", PACKAGE, "attributionTexts", Form::Texts),
    tag("PrimaryPackagePurpose", PACKAGE, "primaryPackagePurpose", Form::Text),
    tag("ReleaseDate", PACKAGE, "releaseDate", Form::Text),
    tag("BuiltDate", PACKAGE, "builtDate", Form::Text),
    tag("ValidUntilDate", PACKAGE, "validUntilDate", Form::Text),
    tag("ExternalRef", PACKAGE, "externalRefs",
        Form::ListOfWords(&["referenceCategory", "referenceType", "referenceLocator"])),
    tag("ExternalRefComment", PACKAGE, "externalRefs", Form::CommentOnLast),
    tag("FileName", Place::New("files"), "fileName", Form::Text),
    tag("FileType", FILE, "fileTypes", Form::Texts),
    tag("FileChecksum", FILE, "checksums", Form::Checksum),
    tag("LicenseConcluded", FILE, "licenseConcluded", Form::Text),
    tag("LicenseInfoInFile", FILE, "licenseInfoInFiles", Form::Texts),
    tag("LicenseComments", FILE, "licenseComments", Form::Text),
    tag("FileCopyrightText", FILE, "copyrightText", Form::Text),
    tag("FileComment", FILE, "comment", Form::Text),
    tag("FileNotice", FILE, "noticeText", Form::Text),
    tag("FileContributor", FILE, "fileContributors", Form::Texts),
    tag("FileAttributionText", FILE, "attributionTexts", Form::Texts),
    tag("FileDependency", FILE, "fileDependencies", Form::Texts),
    tag("ArtifactOfProjectName", FILE, "", Form::Ignored),
    tag("ArtifactOfProjectHomePage", FILE, "", Form::Ignored),
    tag("ArtifactOfProjectURI", FILE, "", Form::Ignored),
    tag("SnippetSPDXID", Place::New("snippets"), "SPDXID", Form::Text),
    tag("SnippetFromFileSPDXID", SNIPPET, "snippetFromFile", Form::Text),
    tag("SnippetByteRange", SNIPPET, "ranges", Form::Range("offset")),
    tag("SnippetLineRange", SNIPPET, "ranges", Form::Range("lineNumber")),
    tag("SnippetLicenseConcluded", SNIPPET, "licenseConcluded", Form::Text),
    tag("LicenseInfoInSnippet", SNIPPET, "licenseInfoInSnippets", Form::Texts),
    tag("SnippetLicenseComments", SNIPPET, "licenseComments", Form::Text),
    tag("SnippetCopyrightText", SNIPPET, "copyrightText", Form::Text),
    tag("SnippetComment", SNIPPET, "comment", Form::Text),
    tag("SnippetName", SNIPPET, "name", Form::Text),
    tag("SnippetAttributionText", SNIPPET, "attributionTexts", Form::Texts),
    tag("LicenseID", Place::New("hasExtractedLicensingInfos"), "licenseId", Form::Text),
    tag("ExtractedText", LICENSE, "extractedText", Form::Text),
    tag("LicenseName", LICENSE, "name", Form::Text),
    tag("LicenseCrossReference", LICENSE, "seeAlsos", Form::Texts),
    tag("LicenseComment", LICENSE, "comment", Form::Text),
    tag("Relationship", Place::New("relationships"), "",
        Form::Words(&["spdxElementId", "relationshipType", "relatedSpdxElement"])),
    tag("RelationshipComment", Place::Last("relationships"), "comment", Form::Text),
    tag("Annotator", Place::New("annotations"), "annotator", Form::Text),
    tag("AnnotationDate", ANNOTATION, "annotationDate", Form::Text),
    tag("AnnotationType", ANNOTATION, "annotationType", Form::Text),
    tag("AnnotationComment", ANNOTATION, "comment", Form::Text),
    // In JSON, an annotation is inside of what it is on. The model has no annotations.
    tag("SPDXREF", ANNOTATION, "", Form::Ignored),
    tag("Reviewer", Place::New("revieweds"), "reviewer", Form::Text),
    tag("ReviewDate", REVIEW, "reviewDate", Form::Text),
    tag("ReviewComment", REVIEW, "comment", Form::Text),
];
