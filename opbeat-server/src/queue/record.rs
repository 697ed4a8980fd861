//! Records: a payload after its length and its checksum.

/// The size in bytes of the length and the checksum: four each, little-endian.
const HEADER: usize = 8;

/// The largest payload in bytes. A longer length means damage, since intake limits bodies to far less.
const MAX_PAYLOAD: usize = 256 << 20;

/// Returns the record of a payload.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("intake limits bodies to far less than 4 GiB");
    let mut record = Vec::with_capacity(HEADER + payload.len());
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
    /// Not a record: the length or the checksum is wrong.
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
