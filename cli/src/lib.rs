//! Library part
