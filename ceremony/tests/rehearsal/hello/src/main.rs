//! The smallest program that can be built, rebuilt and launched.

fn main() {
    println!("hello");
}
