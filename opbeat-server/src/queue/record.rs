//! Records: a payload behind its length and its checksum.

/// The length and the checksum, four bytes each, little-endian.
const HEADER: usize = 8;

/// Longer records are damage: intake caps bodies far below it.
const MAX_PAYLOAD: usize = 256 << 20;

/// Frames a payload.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("intake caps bodies");
    let mut record = Vec::with_capacity(HEADER + payload.len());
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(&checksum(length, payload).to_le_bytes());
    record.extend_from_slice(payload);
    record
}

/// What stands at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    /// A payload, and how many bytes its record takes.
    Record(&'a [u8], usize),
    /// A record that goes on beyond the bytes: so many are needed at least.
    Torn(usize),
    /// No record: the length or the checksum is wrong.
    Damaged,
}

/// Parses the record at the start of some bytes.
pub(super) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Parsed::Torn(HEADER) };
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else { return Parsed::Torn(HEADER) };
    let length = u32::from_le_bytes(*length);
    let size = length as usize;
    if size > MAX_PAYLOAD {
        return Parsed::Damaged;
    }
    match rest.get(..size) {
        None => Parsed::Torn(HEADER + size),
        Some(payload) if checksum(length, payload) == u32::from_le_bytes(*sum) => {
            Parsed::Record(payload, HEADER + size)
        }
        Some(_) => Parsed::Damaged,
    }
}

/// The length is part of it, so that a run of zeros is no record.
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
    fn a_record_is_whole_or_none() {
        let record = frame(b"books");
        assert_eq!(parse(&record), Parsed::Record(b"books", record.len()));
        for cut in 0..record.len() {
            assert!(matches!(parse(&record[..cut]), Parsed::Torn(_)), "cut at {cut}");
        }
        for flipped in 0..record.len() {
            let mut damaged = record.clone();
            damaged[flipped] ^= 0x10;
            assert!(!matches!(parse(&damaged), Parsed::Record(..)), "flipped at {flipped}");
        }
        assert_eq!(parse(&[0; 64]), Parsed::Damaged);
    }
}
