use attest::text::{unwrapped, with_other_texts};
use attest::{Provenance, Sbom, Statement, Vsa};
use serde_json::Value;

use crate::check::accepted;

/// A statement is read as it was written; the text in which its predicate has JSON can be replaced.
pub fn statement(bytes: &[u8]) -> bool {
    accepted(Statement::<Value>::parse(bytes), |statement| {
        assert!(statement.says_the_same_as(&statement));
        let kind = &statement.predicate_type;
        if let Ok(Some(_)) = unwrapped(kind, &statement.predicate) {
            for other in with_other_texts(&statement.predicate) {
                assert_eq!(unwrapped(kind, &other).ok(), Some(None));
            }
        }
        let written = statement.to_bytes().expect("statements are JSON");
        assert_eq!(Statement::parse(&written).ok(), Some(statement));
        let _ = Statement::<Provenance>::parse(bytes);
    })
}

/// A verdict in a statement is read as it was written.
pub fn vsa(bytes: &[u8]) -> bool {
    accepted(Statement::<Vsa>::parse(bytes), |statement| {
        let written = statement.to_bytes().expect("verdicts are text");
        assert_eq!(Statement::parse(&written).ok(), Some(statement));
    })
}

/// Provenance is read as it was written. It may contain a fraction, which cannot be written.
pub fn provenance(bytes: &[u8]) -> bool {
    accepted(Provenance::parse(bytes), |provenance| {
        if let Ok(written) = provenance.to_bytes() {
            assert_eq!(Provenance::parse(&written).ok(), Some(provenance));
        }
    })
}

/// A bill of materials has the same files, crates and packages after it was written.
pub fn sbom(bytes: &[u8]) -> bool {
    accepted(Sbom::parse(bytes), |sbom| {
        let written = sbom.to_bytes().expect("bills of materials are text");
        let again = Sbom::parse(&written).expect("a written bill of materials is valid");
        assert!(again.files().eq(sbom.files()));
        assert!(again.crates().eq(sbom.crates()));
        assert!(again.packages().eq(sbom.packages()));
    })
}

/// A bill of materials of another program refers to its own components.
pub fn bill(bytes: &[u8]) -> bool {
    accepted(sbom::parse(bytes), |document| {
        let parents = document.components.iter().enumerate();
        for (index, component) in parents {
            assert!(component.parent.is_none_or(|parent| parent < index));
        }
        let all = document.subject.iter().chain(&document.components);
        let mut references = all.filter_map(|component| component.reference.as_deref());
        let mut seen = std::collections::BTreeSet::new();
        assert!(references.all(|reference| seen.insert(reference)));
    })
}

/// The crates of a program are sorted, each once.
pub fn linked(bytes: &[u8]) -> bool {
    accepted(sbom::linked(bytes), |crates| {
        assert!(crates.unwrap_or_default().is_sorted_by(|a, b| a < b));
    })
}
