//! Damage: seeded changes of bytes.

/// SplitMix64: small, seeded, the same everywhere.
pub(crate) struct Noise(u64);

impl Noise {
    /// The noise of one input of a run.
    pub(crate) fn new(seed: u64, input: u64) -> Self {
        let mut noise = Self(seed ^ 0x9e37_79b9_7f4a_7c15);
        let mixed = noise.next() ^ input.wrapping_mul(0xd1b5_4a32_d192_ed03);
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0..bound; 0 for none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        (self.next() % bound as u64) as usize
    }
}

/// Numbers on which sizes and counts break.
const WORDS: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x10000,
    0x00ff_ffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
/// The same, written out.
const TEXTS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "3",
    "255",
    "65536",
    "16777217",
    "2147483647",
    "4294967295",
    "99999999999999999999",
    "1e38",
    "-1e-45",
    "nan",
    "inf",
];
/// Longest stretch that is moved, bytes.
const STRETCH: usize = 256;

/// Damages `bytes` in one to eight ways; `other` is another valid file to splice from.
pub(crate) fn mutate(bytes: &mut Vec<u8>, other: &[u8], noise: &mut Noise) {
    // Half of them once: a file damaged all over is refused at the door.
    let steps = match noise.below(2) {
        0 => 1,
        _ => 1 + noise.below(8),
    };
    for _ in 0..steps {
        step(bytes, other, noise);
    }
}

/// A place, more often near the start, where headers and counts are.
fn place(length: usize, noise: &mut Noise) -> usize {
    match noise.below(3) {
        0 => noise.below(length.min(128)),
        1 => noise.below(length.min(1024)),
        _ => noise.below(length),
    }
}

fn stretch(length: usize, noise: &mut Noise) -> std::ops::Range<usize> {
    let start = place(length, noise);
    let most = (length - start).min(STRETCH);
    start..start + noise.below(most + 1)
}

fn step(bytes: &mut Vec<u8>, other: &[u8], noise: &mut Noise) {
    if bytes.is_empty() {
        bytes.extend(other);
        return;
    }
    let at = place(bytes.len(), noise);
    match noise.below(12) {
        0..=1 => bytes[at] ^= 1 << noise.below(8),
        2 => bytes[at] = noise.below(256) as u8,
        3..=4 => {
            let width = [1, 2, 4, 8][noise.below(4)];
            let word = WORDS[noise.below(WORDS.len())];
            let little = word.to_le_bytes();
            let big = word.to_be_bytes();
            let word = if noise.below(2) == 0 {
                &little[..width]
            } else {
                &big[8 - width..]
            };
            let end = (at + width).min(bytes.len());
            bytes[at..end].copy_from_slice(&word[..end - at]);
        }
        5 => {
            let keep = noise.below(bytes.len());
            bytes.truncate(keep);
        }
        6 => {
            let range = stretch(bytes.len(), noise);
            bytes.drain(range);
        }
        7 => {
            let range = stretch(bytes.len(), noise);
            let copy = bytes[range].to_vec();
            bytes.splice(at..at, copy);
        }
        8 => {
            let range = stretch(other.len().max(1), noise);
            let copy = other.get(range).unwrap_or_default().to_vec();
            let end = (at + noise.below(STRETCH)).min(bytes.len());
            bytes.splice(at..end, copy);
        }
        9..=10 => number(bytes, at, noise),
        _ => {
            let junk: Vec<u8> = (0..noise.below(16))
                .map(|_| noise.below(256) as u8)
                .collect();
            bytes.splice(at..at, junk);
        }
    }
}

/// Another number in place of the one written out at or after `at`.
fn number(bytes: &mut Vec<u8>, at: usize, noise: &mut Noise) {
    let Some(offset) = bytes[at..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = at + offset;
    let digits = bytes[start..].iter().take_while(|b| b.is_ascii_digit());
    let end = start + digits.count();
    let text = TEXTS[noise.below(TEXTS.len())];
    bytes.splice(start..end, text.bytes());
}

/// Writes the checksum of every chunk again: the door that most damage would not get past.
pub(crate) fn seal_png(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4).and_then(|b| b.try_into().ok()) {
        let data = at + 4..(at + 8).saturating_add(u32::from_be_bytes(length) as usize);
        let end = data.end;
        let Some(chunk) = bytes.get(data) else { return };
        let mut checksum = flate2::Crc::new();
        checksum.update(chunk);
        let sum = checksum.sum().to_be_bytes();
        match bytes.get_mut(end..end + 4) {
            Some(place) => place.copy_from_slice(&sum),
            None => return,
        }
        at = end + 4;
    }
}
