//! Records: a payload after a mark, its length and its checksum.

use memchr::memmem;

/// The bytes that every record starts with. After damage, reading continues at the next mark.
const MARK: [u8; 4] = [0xf1, b'O', b'b', 0x02];

/// The size in bytes of the length and the checksum: four each, little-endian.
const LENGTH_AND_SUM: usize = 8;

/// The largest payload in bytes. The queue refuses larger ones, so that a longer length means damage.
pub(super) const MAX_PAYLOAD: usize = 256 << 20;

/// The format of the records of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Records start with a mark.
    Marked,
    /// Records start with their length, as in segments of earlier versions of the server.
    Unmarked,
}

impl Format {
    const fn header(self) -> usize {
        match self {
            Self::Marked => MARK.len() + LENGTH_AND_SUM,
            Self::Unmarked => LENGTH_AND_SUM,
        }
    }
}

/// Returns the record of a payload, with a mark.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("the queue refuses payloads of more than `MAX_PAYLOAD` bytes");
    let mut record = Vec::with_capacity(Format::Marked.header() + payload.len());
    record.extend_from_slice(&MARK);
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(&checksum(length, payload).to_le_bytes());
    record.extend_from_slice(payload);
    record
}

/// The result of parsing the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    /// A payload, and the size of its record in bytes.
    Record(&'a [u8], usize),
    /// A record that continues after the bytes, and the smallest size in bytes that it can have.
    Torn(usize),
    /// Not a record: the mark, the length or the checksum is wrong.
    Damaged,
}

/// Parses the record at the start of some bytes.
pub(super) fn parse(format: Format, bytes: &[u8]) -> Parsed<'_> {
    let header = format.header();
    let bytes_after_mark = match format {
        Format::Unmarked => Some(bytes),
        Format::Marked if bytes.len() < MARK.len() && MARK.starts_with(bytes) => return Parsed::Torn(header),
        Format::Marked => bytes.strip_prefix(&MARK),
    };
    let Some(bytes) = bytes_after_mark else { return Parsed::Damaged };
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Parsed::Torn(header) };
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else { return Parsed::Torn(header) };
    let length = u32::from_le_bytes(*length);
    let size = length as usize;
    if size > MAX_PAYLOAD {
        return Parsed::Damaged;
    }
    match rest.get(..size) {
        None => Parsed::Torn(header + size),
        Some(payload) if checksum(length, payload) == u32::from_le_bytes(*sum) => {
            Parsed::Record(payload, header + size)
        }
        Some(_) => Parsed::Damaged,
    }
}

/// Returns the offset of the next record after damage at the start of some bytes, if there is one.
pub(super) fn next_record(format: Format, bytes: &[u8]) -> Option<usize> {
    let is_record = |at: &usize| matches!(bytes.get(*at..).map(|bytes| parse(format, bytes)), Some(Parsed::Record(..)));
    match format {
        Format::Marked => memmem::find_iter(bytes, &MARK).filter(|at| *at > 0).find(is_record),
        // Without marks, the lengths of the damaged records lead to the next one. A bit of the first one may be wrong.
        Format::Unmarked => {
            let first = stated_payload(format, bytes)?;
            let flipped = (0..u32::BITS).map(|bit| format.header().saturating_add(first ^ 1 << bit));
            let stated = || steps(format, bytes).find(is_record);
            std::iter::once(format.header().saturating_add(first)).chain(flipped).find(is_record).or_else(stated)
        }
    }
}

/// Returns the offsets to which the stated lengths lead from record to record, up to the end of the bytes.
fn steps(format: Format, bytes: &[u8]) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(0), move |at| {
        let size = format.header().checked_add(stated_payload(format, bytes.get(*at..)?)?)?;
        at.checked_add(size).filter(|next| *next <= bytes.len())
    })
    .skip(1)
}

/// Returns the length of the payload that the header of a record states.
fn stated_payload(format: Format, record: &[u8]) -> Option<usize> {
    let length = record.get(format.header() - LENGTH_AND_SUM..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*length) as usize)
}

/// Returns whether bytes after the last whole record are a record that a crash cut off. Else they are damaged.
///
/// Some systems leave zeros after a crash.
pub(super) fn is_unfinished(tail: &[u8]) -> bool {
    let is_one = memmem::find_iter(tail, &MARK).all(|at| at == 0);
    // A record whose length alone is damaged looks cut off, but is all there.
    let is_whole = tail.split_at_checked(Format::Marked.header()).is_some_and(|(header, payload)| {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        header.ends_with(&checksum(length, payload).to_le_bytes())
    });
    let is_cut_off = matches!(parse(Format::Marked, tail), Parsed::Torn(_));
    is_one && is_cut_off && !is_whole || tail.iter().all(|byte| *byte == 0)
}

/// Splits damaged bytes of the queue into the records that they seem to consist of, each with its header.
pub(crate) fn split_damaged(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let is_marked = memmem::find(bytes, &MARK).is_some();
    // Without any mark, the bytes are of an earlier version, or one record with a damaged mark.
    if !is_marked && steps(Format::Unmarked, bytes).last() != Some(bytes.len()) {
        return vec![bytes];
    }
    while !bytes.is_empty() {
        let format = if is_marked { Format::Marked } else { Format::Unmarked };
        let stated = steps(format, bytes).next();
        let is_end = |at: &usize| !is_marked || *at == bytes.len() || bytes[*at..].starts_with(&MARK);
        let next_mark = || memmem::find_iter(bytes, &MARK).find(|at| *at > 0);
        let size = stated.filter(is_end).or_else(next_mark).unwrap_or(bytes.len());
        let (record, rest) = bytes.split_at(size);
        records.push(record);
        bytes = rest;
    }
    records
}

/// Returns what can be the payload of a damaged record, the likeliest first.
pub(crate) fn payloads_of_damaged(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    [Format::Marked, Format::Unmarked].into_iter().flat_map(|format| {
        let rest = record.get(format.header()..).unwrap_or_default();
        let stated = stated_payload(format, record).and_then(|length| rest.get(..length));
        stated.into_iter().chain([rest])
    })
}

/// Returns a record's checksum. It includes the length and a constant, so that zeros are not a valid record.
fn checksum(length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(b"opbeat");
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_or_changed_record_is_not_parsed() {
        let record = frame(b"books");
        let parse = |bytes: &[u8]| match parse(Format::Marked, bytes) {
            Parsed::Record(payload, size) => format!("{} of {size}", String::from_utf8_lossy(payload)),
            other => format!("{other:?}"),
        };
        assert_eq!(parse(&record), format!("books of {}", record.len()));
        for cut in 0..record.len() {
            assert!(parse(&record[..cut]).starts_with("Torn"), "cut at {cut}");
        }
        for flipped in 0..record.len() {
            let mut damaged = record.clone();
            damaged[flipped] ^= 0x10;
            assert!(!parse(&damaged).contains("books"), "flipped at {flipped}");
        }
        assert_eq!(parse(&[0; 64]), "Damaged");
    }

    #[test]
    fn records_of_earlier_versions_are_parsed() {
        let marked = frame(b"books");
        let record = &marked[MARK.len()..];
        assert_eq!(parse(Format::Unmarked, record), Parsed::Record(b"books", record.len()));
    }

    #[test]
    fn the_next_record_is_found_after_damage() {
        let mut bytes = frame(b"a mark inside \xf1Ob\x02 a payload");
        let second = bytes.len();
        bytes.extend(frame(b"books"));
        bytes[20] ^= 1;
        assert_eq!(next_record(Format::Marked, &bytes), Some(second));
        assert_eq!(next_record(Format::Marked, &bytes[..second]), None);
    }
}
