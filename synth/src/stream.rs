//! Named random streams: every stored random number comes from one.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers, named by (run seed, sample id, label).
///
/// Adding a draw to one label moves no other. ChaCha12 is fixed by its specification, so the
/// numbers are the same on every platform and in every version.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha12Rng);

impl Stream {
    /// The stream of `label` (e.g. `"lights"`, `"object/3/material"`) in one sample. Seed 0 is a seed.
    pub fn new(run_seed: u64, sample_id: &str, label: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("diorama random stream v1");
        hasher.update(&run_seed.to_le_bytes());
        // Lengths keep ("ab", "c") and ("a", "bc") apart.
        hasher.update(&(sample_id.len() as u64).to_le_bytes());
        hasher.update(sample_id.as_bytes());
        hasher.update(label.as_bytes());
        Self(ChaCha12Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [low, high]; `low` when the range is a point.
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform integer in 0..count (`count` ≥ 1), without modulo bias (Lemire 2019).
    pub fn below(&mut self, count: u64) -> u64 {
        loop {
            let wide = u128::from(self.bits()) * u128::from(count);
            if (wide as u64) >= count.wrapping_neg() % count {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Uniform integer from the least to the most, both of them too.
    pub fn count(&mut self, [least, most]: [u32; 2]) -> u32 {
        least + self.below(u64::from(most - least) + 1) as u32
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// `take` different indices of 0..count in random order (partial Fisher–Yates).
    pub fn choose(&mut self, count: usize, take: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..count).collect();
        let take = take.min(count);
        for i in 0..take {
            let j = i + self.below((count - i) as u64) as usize;
            indices.swap(i, j);
        }
        indices.truncate(take);
        indices
    }
}
