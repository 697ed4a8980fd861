//! The limits of all that a body may contain.

/// The limits that the readers of this module apply. [`Default`] has the values that fit every known agent.
///
/// Lengths of texts are in characters: a longer text is cut and ends with `…`. Counts are numbers of elements: the
/// others are left out. Neither refuses the body.
///
/// # Examples
///
/// ```
/// use opbeat_protocol::read::{ReadLimits, read_error};
///
/// let limits = ReadLimits { message: 8, ..ReadLimits::default() };
/// let error = read_error(br#"{"message": "a long message"}"#, &limits)?;
/// assert_eq!(error.body.message, "a long …");
/// # Ok::<(), opbeat_protocol::read::Unreadable>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ReadLimits {
    /// Names of transactions and modules, and signatures.
    pub name: usize,
    /// Short texts: kinds, levels, loggers, hosts, revisions, ids.
    pub word: usize,
    /// Types of exceptions.
    pub type_name: usize,
    /// Culprits.
    pub culprit: usize,
    /// Messages, and values of exceptions.
    pub message: usize,
    /// Paths, functions and modules of frames; addresses of repositories.
    pub path: usize,
    /// Source lines.
    pub source_line: usize,
    /// Statements: `sql` of a span, `query` of an error.
    pub sql: usize,
    /// Keys of maps.
    pub key: usize,
    /// All other texts.
    pub text: usize,
    /// The depth of nesting: a deeper array or object is replaced by a text. At most 100 is used.
    pub depth: usize,
    /// Elements of one array, and keys of one map, in values of any type such as `extra` and `vars`.
    pub elements: usize,
    /// Values of any type in one body, outside of `_frames`.
    pub values: usize,
    /// Values in all `_frames` of one body.
    pub frame_values: usize,
    /// Frames of one stack. The first and the last half are kept.
    pub frames: usize,
    /// Source lines before, and after, the line of a frame.
    pub source_lines: usize,
    /// Causes of an exception, with their own causes.
    pub causes: usize,
    /// Elements of `transactions`, of `traces`, of `raw` and of `breakdown`, each.
    pub groups: usize,
    /// Ancestors of a span, each with its signature.
    pub parents: usize,
    /// Durations of transactions in one body; the same number of pairs of durations in `traces`.
    pub durations: usize,
    /// Spans of all sampled transactions of one body.
    pub spans: usize,
    /// The longest duration, in milliseconds. A longer one is lowered to it.
    pub duration_ms: f64,
    /// The largest count, such as the number of dropped items. A larger one is lowered to it.
    pub count: u64,
    /// Machines, and modules, of a deployment, each.
    pub modules: usize,
    /// Bytes of memory that a body may take beyond `memory_factor` times its own length.
    pub memory_base: usize,
    /// Bytes of memory that a body may take for each byte received.
    pub memory_factor: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            name: 512,
            word: 200,
            type_name: 300,
            culprit: 512,
            message: 10_000,
            path: 1_024,
            source_line: 1_000,
            sql: 10_000,
            key: 200,
            text: 16_384,
            depth: 64,
            elements: 1_000,
            values: 250_000,
            frame_values: 500_000,
            frames: 1_000,
            source_lines: 50,
            causes: 100,
            groups: 50_000,
            parents: 1_000,
            durations: 1_000_000,
            spans: 200_000,
            duration_ms: 10.0 * 365.0 * 86_400_000.0,
            count: 1_000_000_000_000,
            modules: 20_000,
            memory_base: 1 << 20,
            memory_factor: 8,
        }
    }
}
