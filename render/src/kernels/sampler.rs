//! Random numbers named by what they are for.
//!
//! A number is a pure function of (seed, pixel, sample, bounce, purpose): Owen-scrambled Sobol
//! points, one independently shuffled and scrambled (0,2)-sequence for each (bounce, purpose) —
//! "padding" (Burley 2020, Practical Hash-based Owen Scrambling). All pixels share that sequence:
//! each takes a stretch of it, and neighbours in the picture take neighbouring stretches, along a
//! Z curve whose quadrants are shuffled at every level (Ahmed and Wonka 2020, Screen-space
//! blue-noise diffusion of Monte Carlo sampling error via hierarchical ordering of pixels). So what
//! one pixel's samples miss its neighbours' have: the error is blue noise, which the eye, a
//! denoiser and every larger scale average away. Nothing is drawn in order, so nothing that one
//! path does can move the numbers of another: the worlds of a pair share every number.

/// What a random number is for. Each gets a sequence of its own in each bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// 2D: place in the pixel filter.
    Filter = 0,
    /// 2D: place on the lens.
    Lens = 1,
    /// 1D: time in the shutter interval.
    Time = 2,
    /// 2D: which lobe of the BSDF and, with what is left, the direction within it.
    Direction = 3,
    /// 2D: which light that is in every world and, with what is left, the place on it.
    Light = 4,
    /// 2D: the same for lights that are in some worlds only.
    OtherLight = 5,
    /// 1D: Russian roulette.
    Roulette = 6,
    /// 1D: reflection or refraction inside the glass lobe.
    Interface = 7,
}

pub(crate) const PURPOSES: u32 = 8;

/// A good 32-bit mixer (Wellons' lowbias32).
#[inline(always)]
pub fn hash(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// Mixes two words; not symmetric.
#[inline(always)]
pub fn combine(a: u32, b: u32) -> u32 {
    hash(a ^ hash(b.wrapping_add(0x9e37_79b9)).rotate_left(13))
}

/// Uniform in [0, 1) from 32 bits: 24 of them.
#[inline(always)]
pub fn unit_from_bits(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Hash-based Owen scramble of a number whose bits are already reversed (Laine–Karras as improved by
/// Vegdahl): each bit is flipped depending on the bits below it, i.e. above it once reversed.
#[inline(always)]
fn laine_karras(mut x: u32, seed: u32) -> u32 {
    x ^= x.wrapping_mul(0x3d20_adea);
    x = x.wrapping_add(seed);
    x = x.wrapping_mul((seed >> 16) | 1);
    x ^= x.wrapping_mul(0x0552_6c56);
    x ^ x.wrapping_mul(0x53a2_2864)
}

/// Every second bit of the result, from bit 0 on, is a bit of the lower half of `x`.
#[inline(always)]
fn spread_bits(mut x: u32) -> u32 {
    x &= 0xffff;
    x = (x ^ (x << 8)) & 0x00ff_00ff;
    x = (x ^ (x << 4)) & 0x0f0f_0f0f;
    x = (x ^ (x << 2)) & 0x3333_3333;
    (x ^ (x << 1)) & 0x5555_5555
}

/// Nested shuffle of the lowest `digits` digits in base 4 of `x`, higher digits being 0: each is
/// permuted in a way that depends on `seed` and the digits above it.
#[inline(always)]
fn shuffle_quadrants(x: u32, digits: u32, seed: u32) -> u32 {
    let mut result = 0;
    for digit in (0..digits).rev() {
        let above = x >> (2 * digit) >> 2;
        let random = hash(seed ^ combine(above, digit));
        // One of the twelve even permutations of {0, 1, 2, 3}: any two quadrants are equally likely
        // to share a half, which is what scrambling in base two cannot do.
        let mut here = (x >> (2 * digit)) & 3;
        if here != 0 {
            // Rotates 1, 2, 3.
            here = 1 + (here - 1 + random % 3) % 3;
        }
        here ^= (random >> 16) & 3;
        result |= here << (2 * digit);
    }
    result
}

/// Where the samples of one pixel lie in the sequences that all pixels of a picture share.
#[derive(Debug, Clone, Copy)]
pub struct PixelSampler {
    /// Pixel.
    pub column: u32,
    /// Pixel.
    pub row: u32,
    /// Names the sequences.
    picture_seed: u32,
    /// Number of the pixel's first sample in them.
    first: u32,
    /// Names the pixel, for white noise.
    pixel_seed: u32,
}

impl PixelSampler {
    /// `seed` already holds what tells this picture from others; `samples` is the number per pixel.
    #[inline(always)]
    pub fn new(seed: u32, column: u32, row: u32, samples: u32) -> Self {
        let bits = samples.next_power_of_two().trailing_zeros();
        // What 32 bits cannot number goes into the seed: tiles of 4096² pixels at 128 samples.
        let digits = (32 - bits) / 2;
        let tile_bits = digits.clamp(1, 16);
        let mask = ((1u64 << tile_bits) - 1) as u32;
        let tile = combine(column >> (tile_bits - 1) >> 1, row >> (tile_bits - 1) >> 1);
        let picture_seed = combine(seed, tile);
        let place = spread_bits(column & mask) | spread_bits(row & mask) << 1;
        Self {
            column,
            row,
            picture_seed,
            // Fits: fewer than 4^digits pixels, at most 2^bits samples each.
            first: shuffle_quadrants(place, tile_bits, picture_seed).wrapping_mul(samples),
            pixel_seed: combine(combine(seed, column), row),
        }
    }

    /// What its numbers start from, for the twin on the GPU: the seed of the picture's sequences, the
    /// first place in them, and a seed of its own for white noise.
    pub(crate) fn words(&self) -> [u32; 3] {
        [self.picture_seed, self.first, self.pixel_seed]
    }

    /// Numbers of sample `sample`.
    #[inline(always)]
    pub fn sample(&self, sample: u32) -> Sampler {
        Sampler {
            picture_seed: self.picture_seed,
            reversed_place: self.first.wrapping_add(sample).reverse_bits(),
            sample_seed: combine(self.pixel_seed ^ 0xa511_e9b3, sample),
        }
    }
}

/// The random numbers of one sample of one pixel.
#[derive(Debug, Clone, Copy)]
pub struct Sampler {
    picture_seed: u32,
    /// Number of this sample in the sequences of the picture, bits reversed.
    reversed_place: u32,
    /// Names the sample, for white noise.
    sample_seed: u32,
}

impl Sampler {
    #[inline(always)]
    fn sequence_seed(&self, bounce: u32, purpose: Purpose) -> u32 {
        hash(
            self.picture_seed
                .wrapping_add((bounce * PURPOSES + purpose as u32).wrapping_mul(0x9e37_79b9)),
        )
    }

    /// Shuffled position of this sample in the sequence of `seed`: an Owen scramble of its number, so
    /// that every aligned block of 2^k numbers stays one, and with it a (0,2)-net.
    #[inline(always)]
    fn index(&self, seed: u32) -> u32 {
        laine_karras(self.reversed_place, seed).reverse_bits()
    }

    /// One number in [0, 1).
    #[inline(always)]
    pub fn get_1d(&self, bounce: u32, purpose: Purpose) -> f32 {
        let seed = self.sequence_seed(bounce, purpose);
        let index = self.index(seed);
        // Van der Corput is the index reversed; its scramble therefore needs no reversal before.
        unit_from_bits(laine_karras(index, hash(seed ^ 0x68bc_21eb)).reverse_bits())
    }

    /// Two numbers in [0, 1)².
    #[inline(always)]
    pub fn get_2d(&self, bounce: u32, purpose: Purpose) -> [f32; 2] {
        let seed = self.sequence_seed(bounce, purpose);
        let index = self.index(seed);
        let x = laine_karras(index, hash(seed ^ 0x68bc_21eb)).reverse_bits();
        let y = laine_karras(sobol_second_reversed(index), hash(seed ^ 0x02e5_be93)).reverse_bits();
        [unit_from_bits(x), unit_from_bits(y)]
    }

    /// A number for passing through the alpha of (object, primitive) at `bounce`: white noise, since
    /// the key already says everything and no order may matter. `light` keeps shadow rays apart.
    #[inline(always)]
    pub fn alpha(&self, bounce: u32, object: u32, primitive: u32, light: u32) -> f32 {
        let key = combine(self.sample_seed, bounce * 4 + light);
        unit_from_bits(combine(combine(key, object), primitive))
    }
}

/// The second dimension of the Sobol sequence, its bits reversed. Its matrix is Pascal's triangle
/// modulo two: bit k of the result is the sum of the index bits whose positions contain those of k
/// (Lucas).
#[inline(always)]
fn sobol_second_reversed(index: u32) -> u32 {
    let mut x = index;
    x ^= (x >> 1) & 0x5555_5555;
    x ^= (x >> 2) & 0x3333_3333;
    x ^= (x >> 4) & 0x0f0f_0f0f;
    x ^= (x >> 8) & 0x00ff_00ff;
    x ^ ((x >> 16) & 0x0000_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every elementary interval of area 1/n holds exactly one of n = 2^k points: a (0,2)-net.
    fn assert_net(points: &[[f32; 2]]) {
        let bits = points.len().trailing_zeros();
        for split in 0..=bits {
            let (columns, rows) = (1u32 << split, 1u32 << (bits - split));
            let mut cells = vec![0; points.len()];
            for [x, y] in points {
                let cell = (x * columns as f32) as u32 * rows + (y * rows as f32) as u32;
                cells[cell as usize] += 1;
            }
            let n = points.len();
            assert!(
                cells.iter().all(|c| *c == 1),
                "{n} points, {columns}x{rows} cells"
            );
        }
    }

    #[test]
    fn points_of_one_purpose_are_a_net_in_base_two() {
        for samples in [64u32, 128] {
            for purpose in [Purpose::Filter, Purpose::Light] {
                let pixel = PixelSampler::new(7, 3, 5, samples);
                let points: Vec<[f32; 2]> = (0..samples)
                    .map(|s| pixel.sample(s).get_2d(2, purpose))
                    .collect();
                assert_net(&points);
            }
        }
    }

    #[test]
    fn points_of_a_square_of_pixels_are_a_net_too() {
        for (column, row, side, samples) in [(8, 24, 8, 1), (12, 4, 4, 4), (512, 258, 2, 128)] {
            let points: Vec<[f32; 2]> = (0..side * side)
                .map(|i| PixelSampler::new(7, column + i % side, row + i / side, samples))
                .flat_map(|pixel| (0..samples).map(move |s| pixel.sample(s)))
                .map(|sampler| sampler.get_2d(1, Purpose::Direction))
                .collect();
            assert_net(&points);
        }
    }

    #[test]
    fn counts_that_are_no_power_of_two_leave_no_holes() {
        // The 4 × 4 pixels of a square with 3 samples each: 48 points in a row of a sequence. Each of
        // its three aligned blocks of 16 is a net, so no 16th holds more than 3 or fewer.
        let mut cells = [0; 16];
        for i in 0..16 {
            let pixel = PixelSampler::new(7, 12 + i % 4, 4 + i / 4, 3);
            for sample in 0..3 {
                let [x, _] = pixel.sample(sample).get_2d(1, Purpose::Light);
                cells[(x * 16.0) as usize] += 1;
            }
        }
        assert_eq!(cells, [3; 16]);
    }

    #[test]
    fn no_two_pixels_have_the_same_numbers() {
        // Small tiles (many samples) and pictures larger than one.
        for samples in [1u32, 96, 128, 1 << 20] {
            let mut starts: Vec<[u32; 2]> = (0..4096u32)
                .map(|i| PixelSampler::new(7, i % 64, i / 64, samples))
                .map(|pixel| [pixel.picture_seed, pixel.first])
                .collect();
            starts.sort_unstable();
            starts.dedup();
            assert_eq!(starts.len(), 4096, "{samples} samples");
        }
    }

    #[test]
    fn purposes_bounces_and_pixels_are_independent() {
        // Correlation of two independent uniforms over n samples has deviation 1/√n; 5 of them.
        let n = 4096u32;
        let correlation = |a: &dyn Fn(u32) -> f32, b: &dyn Fn(u32) -> f32| {
            let sum: f64 = (0..n)
                .map(|i| f64::from(a(i) - 0.5) * f64::from(b(i) - 0.5))
                .sum();
            sum / f64::from(n) * 12.0
        };
        let at = |s: u32, column: u32, bounce: u32, purpose| {
            PixelSampler::new(1, column + s / 64, 9, 64)
                .sample(s % 64)
                .get_1d(bounce, purpose)
        };
        let limit = 5.0 / f64::from(n).sqrt();
        assert!(
            correlation(&|s| at(s, 0, 0, Purpose::Interface), &|s| at(
                s,
                0,
                0,
                Purpose::Roulette
            ))
            .abs()
                < limit
        );
        assert!(
            correlation(&|s| at(s, 0, 1, Purpose::Interface), &|s| at(
                s,
                0,
                2,
                Purpose::Interface
            ))
            .abs()
                < limit
        );
        assert!(
            correlation(&|s| at(s, 0, 1, Purpose::Interface), &|s| at(
                s,
                500,
                1,
                Purpose::Interface
            ))
            .abs()
                < limit
        );
    }
}
