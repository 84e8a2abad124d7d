//! confidential
