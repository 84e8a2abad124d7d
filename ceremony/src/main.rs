//! ceremony
fn main() {}
