//! Bits as H.264 writes them: most significant first, Exp-Golomb codes, emulation prevention (ITU-T H.264 7.2, 7.4.1, 9.1).

/// Gathers bits into bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// The newest bits, right-aligned.
    pending: u64,
    /// How many of them; below 8 between calls.
    pending_count: u32,
}

impl BitWriter {
    /// Appends the lowest `count` (at most 32) bits of `value`.
    pub(crate) fn bits(&mut self, value: u32, count: u32) {
        debug_assert!(count <= 32 && (count == 32 || value >> count == 0));
        self.pending = (self.pending << count) | u64::from(value);
        self.pending_count += count;
        while self.pending_count >= 8 {
            self.pending_count -= 8;
            self.bytes.push((self.pending >> self.pending_count) as u8);
        }
    }

    /// One bit.
    pub(crate) fn flag(&mut self, value: bool) {
        self.bits(u32::from(value), 1);
    }

    /// Unsigned Exp-Golomb code, ue(v); `value` below 2^16 − 1 keeps it in one word.
    pub(crate) fn ue(&mut self, value: u32) {
        let code = value + 1;
        let length = 32 - code.leading_zeros();
        self.bits(0, length - 1);
        self.bits(code, length);
    }

    /// Signed Exp-Golomb code, se(v).
    pub(crate) fn se(&mut self, value: i32) {
        self.ue(if value > 0 {
            2 * value as u32 - 1
        } else {
            2 * value.unsigned_abs()
        });
    }

    /// Zero bits up to the next byte boundary.
    pub(crate) fn align_with_zeros(&mut self) {
        if self.pending_count > 0 {
            self.bits(0, 8 - self.pending_count);
        }
    }

    /// Whole bytes; only at a byte boundary.
    pub(crate) fn whole_bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.pending_count, 0);
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes with the stop bit and alignment of rbsp_trailing_bits().
    pub(crate) fn finish_rbsp(mut self) -> Vec<u8> {
        self.flag(true);
        self.align_with_zeros();
        self.bytes
    }
}

/// Bits of se(v) for `value`.
pub(crate) fn se_length(value: i32) -> u32 {
    let code = if value > 0 {
        2 * value as u32
    } else {
        2 * value.unsigned_abs() + 1
    };
    2 * (32 - code.leading_zeros()) - 1
}

/// Reads bits back; every method gives `None` past the end.
#[derive(Debug, Clone)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bits read so far.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0u32;
        for _ in 0..count {
            let byte = *self.bytes.get(self.position / 8)?;
            value = (value << 1) | u32::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Some(value)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        self.bits(1).map(|bit| bit == 1)
    }

    pub(crate) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1u32 << zeros) - 1 + self.bits(zeros)?)
    }
}

/// A NAL unit from its header byte and payload: a 3 goes after each pair of zero bytes that a small byte would follow.
pub(crate) fn nal_from_rbsp(header: u8, rbsp: &[u8]) -> Vec<u8> {
    let mut nal = Vec::with_capacity(rbsp.len() + rbsp.len() / 64 + 8);
    nal.push(header);
    let mut zeros = 0;
    for &byte in rbsp {
        if zeros == 2 && byte <= 3 {
            nal.push(3);
            zeros = 0;
        }
        nal.push(byte);
        zeros = if byte == 0 { zeros + 1 } else { 0 };
    }
    nal
}

/// The payload of a NAL unit: its bytes after the header, without emulation prevention.
pub(crate) fn rbsp_from_nal(nal: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal.iter().skip(1) {
        if zeros == 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        rbsp.push(byte);
        zeros = if byte == 0 { zeros + 1 } else { 0 };
    }
    rbsp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_are_those_of_table_9_2() {
        let code = |value: u32| {
            let mut bits = BitWriter::default();
            bits.ue(value);
            let length = bits.bytes.len() as u32 * 8 + bits.pending_count;
            bits.align_with_zeros();
            (bits.bytes[0], length)
        };
        assert_eq!(code(0), (0b1000_0000, 1));
        assert_eq!(code(1), (0b0100_0000, 3));
        assert_eq!(code(2), (0b0110_0000, 3));
        assert_eq!(code(3), (0b0010_0000, 5));
        assert_eq!(code(9), (0b0001_0100, 7));
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut bits = BitWriter::default();
        let values = [0u32, 1, 2, 7, 30, 255, 1000, 65533];
        for &value in &values {
            bits.ue(value);
            bits.bits(value & 7, 3);
        }
        let bytes = bits.finish_rbsp();
        let mut reader = BitReader::new(&bytes);
        for &value in &values {
            assert_eq!(reader.ue(), Some(value));
            assert_eq!(reader.bits(3), Some(value & 7));
        }
        assert_eq!(reader.flag(), Some(true));
    }

    #[test]
    fn se_length_is_what_se_writes() {
        for value in -600..600 {
            let mut bits = BitWriter::default();
            bits.se(value);
            let written = bits.bytes.len() as u32 * 8 + bits.pending_count;
            assert_eq!(written, se_length(value), "{value}");
        }
    }

    #[test]
    fn start_codes_never_appear_inside_a_nal() {
        let rbsp = [0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 2, 0, 0, 4, 0, 0];
        let nal = nal_from_rbsp(0x65, &rbsp);
        assert!(
            nal.windows(3)
                .all(|w| !(w[0] == 0 && w[1] == 0 && w[2] < 3))
        );
        assert_eq!(rbsp_from_nal(&nal), rbsp);
    }

    #[test]
    fn reading_past_the_end_is_none() {
        assert_eq!(BitReader::new(&[0, 0, 0, 0, 0, 0]).ue(), None);
        assert_eq!(BitReader::new(&[]).flag(), None);
    }
}
