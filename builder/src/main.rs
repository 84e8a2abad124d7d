//! builder
fn main() {}
