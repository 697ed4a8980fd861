//! The name of the machine.

/// Returns the name that the system gives the machine, or `unknown` if that is empty.
pub(super) fn system_hostname() -> String {
    let name = gethostname::gethostname().to_string_lossy().trim().to_owned();
    if name.is_empty() { "unknown".to_owned() } else { name }
}
