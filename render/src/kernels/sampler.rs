//! Random numbers named by what they are for.
//!
//! A number is a pure function of (seed, pixel, sample, bounce, purpose): Owen-scrambled Sobol
//! points, one independently shuffled and scrambled (0,2)-sequence for each (pixel, bounce,
//! purpose) — "padding" (Burley 2020, Practical Hash-based Owen Scrambling). Nothing is drawn in
//! order, so nothing that one path does can move the numbers of another: the worlds of a pair share
//! every number.

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

/// Nested uniform (Owen) scramble of the base-2 fraction `x`.
#[inline(always)]
fn owen_scramble(x: u32, seed: u32) -> u32 {
    laine_karras(x.reverse_bits(), seed).reverse_bits()
}

/// The random numbers of one sample of one pixel.
#[derive(Debug, Clone, Copy)]
pub struct Sampler {
    pixel_seed: u32,
    sample: u32,
    /// Samples of the pixel rounded up to a power of two, minus one.
    mask: u32,
}

impl Sampler {
    /// `seed` already holds what tells this picture from others; `samples` is the number per pixel.
    #[inline(always)]
    pub fn new(seed: u32, column: u32, row: u32, sample: u32, samples: u32) -> Self {
        Self {
            pixel_seed: combine(combine(seed, column), row),
            sample,
            mask: samples.next_power_of_two() - 1,
        }
    }

    #[inline(always)]
    fn sequence_seed(&self, bounce: u32, purpose: Purpose) -> u32 {
        hash(
            self.pixel_seed
                .wrapping_add((bounce * PURPOSES + purpose as u32).wrapping_mul(0x9e37_79b9)),
        )
    }

    /// Shuffled position of this sample in the sequence of `seed`: an Owen scramble of the index,
    /// kept inside the power-of-two block so that the block stays a (0,2)-net.
    #[inline(always)]
    fn index(&self, seed: u32) -> u32 {
        laine_karras(self.sample.reverse_bits(), seed).reverse_bits() & self.mask
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
        let y = owen_scramble(sobol_second(index), hash(seed ^ 0x02e5_be93));
        [unit_from_bits(x), unit_from_bits(y)]
    }

    /// A number for passing through the alpha of (object, primitive) at `bounce`: white noise, since
    /// the key already says everything and no order may matter. `light` keeps shadow rays apart.
    #[inline(always)]
    pub fn alpha(&self, bounce: u32, object: u32, primitive: u32, light: u32) -> f32 {
        let key = combine(
            combine(self.pixel_seed ^ 0xa511_e9b3, self.sample),
            bounce * 4 + light,
        );
        unit_from_bits(combine(combine(key, object), primitive))
    }
}

/// Second dimension of the Sobol sequence.
#[inline(always)]
fn sobol_second(mut index: u32) -> u32 {
    let mut column = 1u32 << 31;
    let mut result = 0;
    while index != 0 {
        // Branch-free: the mask is all ones where the bit is set.
        result ^= column & (index & 1).wrapping_neg();
        column ^= column >> 1;
        index >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every elementary interval of area 1/n holds exactly one of n = 2^k points: a (0,2)-net.
    #[test]
    fn points_of_one_purpose_are_a_net_in_base_two() {
        for (samples, bits) in [(64u32, 6u32), (128, 7)] {
            for purpose in [Purpose::Filter, Purpose::Light] {
                let points: Vec<[f32; 2]> = (0..samples)
                    .map(|s| Sampler::new(7, 3, 5, s, samples).get_2d(2, purpose))
                    .collect();
                for split in 0..=bits {
                    let (columns, rows) = (1u32 << split, 1u32 << (bits - split));
                    let mut cells = vec![0; samples as usize];
                    for [x, y] in &points {
                        let cell = (x * columns as f32) as u32 * rows + (y * rows as f32) as u32;
                        cells[cell as usize] += 1;
                    }
                    assert!(
                        cells.iter().all(|c| *c == 1),
                        "{samples} points, {columns}x{rows} cells"
                    );
                }
            }
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
            Sampler::new(1, column + s / 64, 9, s % 64, 64).get_1d(bounce, purpose)
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
