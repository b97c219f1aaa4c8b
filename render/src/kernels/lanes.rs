//! Eight numbers side by side: [`Simd8`]'s vectors with operators.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use glam::Vec3;

use super::real::{Mask, Real};
use super::vector::Vector3;
use crate::accel::{Kernel, Simd8};

/// Eight `f32`.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Lanes<S: Simd8> {
    value: S::F,
    simd: S,
}

/// Eight truth values.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct LaneMask<S: Simd8> {
    value: S::M,
    simd: S,
}

/// How many numbers stand side by side.
pub const LANES: usize = 8;

impl<S: Simd8> Lanes<S> {
    #[inline(always)]
    fn new(simd: S, value: S::F) -> Self {
        Self { value, simd }
    }

    /// Lane by lane.
    #[inline(always)]
    pub fn to_array(self) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        self.simd.store(self.value, &mut lanes);
        lanes
    }

    #[inline(always)]
    fn mask(self, value: S::M) -> LaneMask<S> {
        LaneMask {
            value,
            simd: self.simd,
        }
    }
}

impl<S: Simd8> Vector3<Lanes<S>> {
    /// Lane by lane.
    #[inline(always)]
    pub fn to_array(self) -> [Vec3; LANES] {
        let (x, y, z) = (self.x.to_array(), self.y.to_array(), self.z.to_array());
        let mut lanes = [Vec3::ZERO; LANES];
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane = Vec3::new(x[i], y[i], z[i]);
        }
        lanes
    }
}

impl<S: Simd8> LaneMask<S> {
    /// Bit i is lane i.
    #[inline(always)]
    pub fn bits(self) -> u32 {
        self.simd.bits(self.value)
    }
}

impl<S: Simd8> Mask for LaneMask<S> {
    #[inline(always)]
    fn any(self) -> bool {
        self.bits() != 0
    }
}

impl<S: Simd8> BitAnd for LaneMask<S> {
    type Output = Self;
    #[inline(always)]
    fn bitand(mut self, other: Self) -> Self {
        self.value = self.simd.and(self.value, other.value);
        self
    }
}

impl<S: Simd8> BitOr for LaneMask<S> {
    type Output = Self;
    #[inline(always)]
    fn bitor(mut self, other: Self) -> Self {
        self.value = self.simd.or(self.value, other.value);
        self
    }
}

impl<S: Simd8> Not for LaneMask<S> {
    type Output = Self;
    #[inline(always)]
    fn not(mut self) -> Self {
        self.value = self.simd.not(self.value);
        self
    }
}

/// A closure as a kernel: its vectors are chosen already.
struct Work<F>(F);

impl<T, F: FnOnce() -> T> Kernel for Work<F> {
    type Output = T;
    #[inline(always)]
    fn run<S: Simd8>(self, _: S) -> T {
        (self.0)()
    }
}

/// An operator between lanes, and between lanes and the same number in each.
macro_rules! operators {
    ($($operator:ident $method:ident $vector:ident;)*) => {$(
        impl<S: Simd8> $operator for Lanes<S> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self::new(self.simd, self.simd.$vector(self.value, other.value))
            }
        }
        impl<S: Simd8> $operator<f32> for Lanes<S> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f32) -> Self {
                Self::new(self.simd, self.simd.$vector(self.value, self.simd.splat(other)))
            }
        }
    )*};
}
operators! {
    Add add add;
    Sub sub sub;
    Mul mul mul;
    Div div div;
}

impl<S: Simd8> Neg for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(self.simd, self.simd.neg(self.value))
    }
}

impl<S: Simd8> Real for Lanes<S> {
    type Mask = LaneMask<S>;
    type Token = S;

    #[inline(always)]
    fn from_lanes(simd: S, lane: impl Fn(usize) -> f32) -> Self {
        let mut lanes = [0.0; LANES];
        for (i, value) in lanes.iter_mut().enumerate() {
            *value = lane(i);
        }
        Self::new(simd, simd.load(&lanes))
    }
    #[inline(always)]
    fn mask_from_lanes(simd: S, lane: impl Fn(usize) -> bool) -> LaneMask<S> {
        Self::from_lanes(
            simd,
            #[inline(always)]
            |i| f32::from(u8::from(lane(i))),
        )
        .above(0.5)
    }
    #[inline(always)]
    fn like(self, x: f32) -> Self {
        Self::new(self.simd, self.simd.splat(x))
    }
    #[inline(always)]
    fn everywhere(self, value: bool) -> LaneMask<S> {
        let zero = self.like(0.0);
        if value { zero.le(zero) } else { zero.lt(zero) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self::new(self.simd, self.simd.sqrt(self.value))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::new(self.simd, self.simd.abs(self.value))
    }
    #[inline(always)]
    fn floor(self) -> Self {
        Self::new(self.simd, self.simd.floor(self.value))
    }
    #[inline(always)]
    fn signed_one(self) -> Self {
        Self::new(self.simd, self.simd.signed_one(self.value))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::new(self.simd, self.simd.min(self.value, other.value))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::new(self.simd, self.simd.max(self.value, other.value))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> LaneMask<S> {
        self.mask(self.simd.lt(self.value, other.value))
    }
    #[inline(always)]
    fn le(self, other: Self) -> LaneMask<S> {
        self.mask(self.simd.le(self.value, other.value))
    }
    #[inline(always)]
    fn eq(self, other: Self) -> LaneMask<S> {
        self.mask(self.simd.eq(self.value, other.value))
    }
    #[inline(always)]
    fn select(mask: LaneMask<S>, a: Self, b: Self) -> Self {
        Self::new(a.simd, a.simd.select(mask.value, a.value, b.value))
    }
    #[inline(always)]
    fn lanewise<const N: usize>(inputs: [Self; N], f: impl Fn([f32; N]) -> f32) -> Self {
        let mut lanes = [[0.0; N]; LANES];
        for (k, input) in inputs.iter().enumerate() {
            for (lane, value) in lanes.iter_mut().zip(input.to_array()) {
                lane[k] = value;
            }
        }
        Self::from_lanes(
            inputs[0].simd,
            #[inline(always)]
            |i| f(lanes[i]),
        )
    }
    #[inline(always)]
    fn apart<T>(self, work: impl FnOnce() -> T) -> T {
        self.simd.call_apart(Work(work))
    }
    #[inline(always)]
    fn look_up<const N: usize>(self, table: &[f32], offsets: [usize; N]) -> [Self; N] {
        let mut indices = [0; LANES];
        for (index, value) in indices.iter_mut().zip(self.to_array()) {
            *index = value as usize;
        }
        let mut found = [self; N];
        for (found, offset) in found.iter_mut().zip(offsets) {
            *found = Self::from_lanes(
                self.simd,
                #[inline(always)]
                |i| table[indices[i] + offset],
            );
        }
        found
    }
}
