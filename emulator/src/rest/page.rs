//! Pages of a list (AIP-158).

use std::collections::BTreeMap;
use std::ops::Bound;

use super::call::Call;
use crate::status::Status;

/// Resources per page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Without a size in the call.
    pub default: usize,
    /// At the most, whatever size is in the call.
    pub most: usize,
}

/// The page that a call asks for. A page token is the ID of the last resource of the page before.
#[derive(Debug)]
pub(super) struct Page<'a> {
    size: usize,
    after: &'a str,
}

impl<'a> Page<'a> {
    /// Reads `pageSize` and `pageToken`.
    ///
    /// # Errors
    /// The size is not a number, or negative.
    pub(super) fn read(call: &'a Call, sizes: Sizes) -> Result<Self, Status> {
        let size = match call.parameter("pageSize") {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| Status::invalid("Invalid page size."))?,
        };
        Self::new(size, call.parameter("pageToken"), sizes)
    }

    /// The page of this size, or of the default size if it is 0, after the page with this token.
    ///
    /// # Errors
    /// The size is negative.
    pub(super) fn new(size: i64, token: &'a str, sizes: Sizes) -> Result<Self, Status> {
        let size = match size {
            0 => sizes.default,
            size => usize::try_from(size).map_err(|_| Status::invalid("Invalid page size."))?,
        };
        Ok(Self {
            size: size.min(sizes.most),
            after: token,
        })
    }

    /// The resources of the page by ID, and the token of the next page; empty if there is none.
    pub(super) fn of<T>(&self, mut all: BTreeMap<String, T>) -> (BTreeMap<String, T>, String) {
        let after = match self.after {
            "" => Bound::Unbounded,
            id => Bound::Excluded(id.to_owned()),
        };
        let ids = all.range((after, Bound::Unbounded)).map(|(id, _)| id);
        let mut ids: Vec<_> = ids.take(self.size + 1).cloned().collect();
        let has_more = ids.len() > self.size;
        ids.truncate(self.size);
        let next = ids.last().filter(|_| has_more).cloned();
        let page = ids.into_iter().filter_map(|id| all.remove_entry(&id));
        (page.collect(), next.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    const SIZES: Sizes = Sizes {
        default: 2,
        most: 3,
    };

    fn page(size: &str, token: &str) -> Result<(Vec<String>, String), Status> {
        let all = ["a", "b", "c", "d"].map(|id| (id.to_owned(), ()));
        let query = [("pageSize", size), ("pageToken", token)];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let call = Call::read("GET", ("v1", "x"), query.into(), &HeaderMap::new(), b"");
        let (page, next) = Page::read(&call, SIZES)?.of(all.into());
        Ok((page.into_keys().collect(), next))
    }

    #[test]
    fn every_resource_is_on_one_page() {
        for (size, token, ids, next) in [
            ("", "", &["a", "b"][..], "b"),
            ("", "b", &["c", "d"], ""),
            ("0", "d", &[], ""),
            ("1", "a", &["b"], "b"),
            ("9", "", &["a", "b", "c"], "c"),
            ("9", "c", &["d"], ""),
        ] {
            let (found, found_next) = page(size, token).unwrap();
            assert_eq!(
                (found, found_next.as_str()),
                (ids.iter().map(|id| (*id).to_owned()).collect(), next)
            );
        }
        for size in ["-1", "x"] {
            assert_eq!(page(size, "").unwrap_err().code, 400);
        }
    }
}
