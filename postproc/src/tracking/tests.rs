//! Laws of tracking.
