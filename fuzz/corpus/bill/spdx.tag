# Written by hand.
SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: app
DocumentNamespace: https://example.com/app
ExternalDocumentRef: DocumentRef-base https://example.com/base SHA1: 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8
Creator: Tool: other-1.0
Creator: Organization: Example ()
Created: 2026-01-02T03:04:05Z

PackageName: app
SPDXID: SPDXRef-app
PackageVersion: 1.0
PackageSupplier: Organization: Example
PackageDownloadLocation: NOASSERTION
PrimaryPackagePurpose: APPLICATION
PackageLicenseDeclared: LicenseRef-1
PackageLicenseConcluded: NOASSERTION

PackageName: ring
SPDXID: SPDXRef-ring
PackageVersion: 0.17.14
PackageDownloadLocation: NONE
FilesAnalyzed: true
PackageVerificationCode: d6a770ba38583ed4bb4525bd96e50461655d2758 (excludes: ./package.spdx)
PackageChecksum: SHA256: a4689e6c2294d81e88dc6261c768b63bc4fcdb852be6d1352498b114f61383b7
ExternalRef: SECURITY cpe23Type cpe:2.3:a:ring:ring:0.17.14:*:*:*:*:*:*:*
ExternalRefComment: a guess
ExternalRef: PACKAGE-MANAGER purl pkg:cargo/ring@0.17.14
PackageLicenseDeclared: isc
PackageLicenseConcluded: isc
PackageCopyrightText: <text>NONE</text>

FileName: ./usr/lib/libring.so
SPDXID: SPDXRef-lib
FileType: BINARY
FileType: OTHER
FileChecksum: SHA1: 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8
FileChecksum: SHA256: ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb
LicenseConcluded: ISC AND (LicenseRef-1 OR GPL-2.0+ WITH Classpath-exception-2.0)

SnippetSPDXID: SPDXRef-part
SnippetFromFileSPDXID: SPDXRef-lib
SnippetByteRange: 1:20

LicenseID: LicenseRef-1
ExtractedText: <text>Line 1
Line 2: more</text>

Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app
Relationship: SPDXRef-ring DEPENDENCY_OF SPDXRef-app
RelationshipComment: <text>linked</text>
Relationship: SPDXRef-app BUILD_TOOL_OF DocumentRef-base:SPDXRef-x
Annotator: Person: Jo
AnnotationDate: 2026-01-02T03:04:05Z
AnnotationType: REVIEW
SPDXREF: SPDXRef-app
AnnotationComment: fine
