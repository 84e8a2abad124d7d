//! Modules of Go: `go.sum` names them, they are fetched from the module proxies that the user has, and this program checks
//! their hashes. The toolchain is a module, too.

mod checksums;
mod files;
mod h1;
pub(in crate::inputs) mod manifest;
mod obtain;
mod prepare;
mod proxy;
mod sums;
pub(crate) mod survey;

pub(in crate::inputs) use files::File;
pub use files::GoFiles;
pub(crate) use obtain::toolchain;
pub(in crate::inputs) use obtain::{
    complete, fetch, fetch_toolchain, has_toolchain, is_toolchain, without_toolchain,
};
pub use prepare::GoInputs;
pub(in crate::inputs) use prepare::{prepare, unpacked_folder};
