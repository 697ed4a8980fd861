//! A call of a stack.

/// One named call of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The function with its path, without the compiler's hash.
    pub function: String,
    /// The source file's path, as the compiler was given it.
    pub path: String,
    /// The end of the path, from the package's folder on.
    pub filename: String,
    /// The line, from 1, or 0 if it is unknown.
    pub line: u32,
    /// The column, from 1.
    pub column: Option<u32>,
    /// Whether it is the application's own code.
    pub in_app: bool,
    /// Source lines before the line.
    pub pre_context: Vec<String>,
    /// The source line, if the file is on this machine.
    pub context_line: Option<String>,
    /// Source lines after the line.
    pub post_context: Vec<String>,
}
