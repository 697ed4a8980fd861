//! Drives real libraries against their servers, and compares the recorded spans with snapshots.
