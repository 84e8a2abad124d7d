/// Runs `check` if the bytes are UTF-8. Other input is refused before it is parsed.
pub fn with_text(bytes: &[u8], check: impl FnOnce(&str) -> bool) -> bool {
    std::str::from_utf8(bytes).is_ok_and(check)
}

/// Runs `check` on what was parsed. Returns whether the parser accepted it.
pub fn accepted<T, E>(parsed: Result<T, E>, check: impl FnOnce(T)) -> bool {
    parsed.map(check).is_ok()
}
