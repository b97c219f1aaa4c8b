//! The numbers that kernels are written in: one `f32`, or eight side by side ([`super::lanes`]).
//!
//! A kernel over [`Real`] is written once. With one `f32` it branches; with lanes it takes both sides of what
//! some lanes want and some do not, and keeps for each its own. Lane by lane the operations are the same IEEE
//! ones in the same order, so a lane holds the bits that the one `f32` would.

#![expect(
    clippy::return_self_not_must_use,
    reason = "arithmetic has no effect but its result"
)]

use std::fmt::Debug;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// Truth values, one for each lane.
pub trait Mask:
    Copy + Debug + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self>
{
    /// True in some lane.
    fn any(self) -> bool;
}

/// A number in each lane.
pub trait Real:
    Copy
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f32, Output = Self>
    + Sub<f32, Output = Self>
    + Mul<f32, Output = Self>
    + Div<f32, Output = Self>
{
    /// What comparisons give.
    type Mask: Mask;
    /// Proof that such numbers can be computed with here.
    type Token: Copy;

    /// `lane(i)` in lane i.
    fn from_lanes(token: Self::Token, lane: impl Fn(usize) -> f32) -> Self;
    /// `lane(i)` in lane i.
    fn mask_from_lanes(token: Self::Token, lane: impl Fn(usize) -> bool) -> Self::Mask;
    /// `x` in each lane.
    fn like(self, x: f32) -> Self;
    /// `value` in each lane.
    fn everywhere(self, value: bool) -> Self::Mask;
    /// √.
    fn sqrt(self) -> Self;
    /// Magnitude.
    fn abs(self) -> Self;
    /// Largest whole number that is not above.
    fn floor(self) -> Self;
    /// ±1 with the sign, also of a zero.
    fn signed_one(self) -> Self;
    /// The lesser; `other` where either is NaN.
    fn min(self, other: Self) -> Self;
    /// The greater; `other` where either is NaN.
    fn max(self, other: Self) -> Self;
    /// self < other.
    fn lt(self, other: Self) -> Self::Mask;
    /// self ≤ other.
    fn le(self, other: Self) -> Self::Mask;
    /// self = other.
    fn eq(self, other: Self) -> Self::Mask;
    /// `a` where `mask` is true, `b` elsewhere.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
    /// `f` of each lane: for what is too rare or too knotty to be done side by side.
    fn lanewise<const N: usize>(inputs: [Self; N], f: impl Fn([f32; N]) -> f32) -> Self;
    /// Runs `work`, whose closure has to be `#[inline(always)]`, in a function of its own where that is worth it.
    fn apart<T>(self, work: impl FnOnce() -> T) -> T;
    /// `table[index + offset]` for each offset; `self` holds whole numbers.
    fn look_up<const N: usize>(self, table: &[f32], offsets: [usize; N]) -> [Self; N];

    /// 1 − self.
    #[inline(always)]
    fn complement(self) -> Self {
        self.like(1.0) - self
    }
    /// 1 ÷ self.
    #[inline(always)]
    fn recip(self) -> Self {
        self.like(1.0) / self
    }
    /// max(self, x).
    #[inline(always)]
    fn at_least(self, x: f32) -> Self {
        self.max(self.like(x))
    }
    /// min(self, x).
    #[inline(always)]
    fn at_most(self, x: f32) -> Self {
        self.min(self.like(x))
    }
    /// Between 0 and 1.
    #[inline(always)]
    fn saturate(self) -> Self {
        self.at_least(0.0).at_most(1.0)
    }
    /// self > x.
    #[inline(always)]
    fn above(self, x: f32) -> Self::Mask {
        self.like(x).lt(self)
    }
    /// self < x.
    #[inline(always)]
    fn below(self, x: f32) -> Self::Mask {
        self.lt(self.like(x))
    }
    /// self where `mask` is true, 0 elsewhere.
    #[inline(always)]
    fn only(self, mask: Self::Mask) -> Self {
        Self::select(mask, self, self.like(0.0))
    }
}

impl Mask for bool {
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
}

impl Real for f32 {
    type Mask = bool;
    type Token = ();

    #[inline(always)]
    fn from_lanes((): (), lane: impl Fn(usize) -> Self) -> Self {
        lane(0)
    }
    #[inline(always)]
    fn mask_from_lanes((): (), lane: impl Fn(usize) -> bool) -> bool {
        lane(0)
    }
    #[inline(always)]
    fn like(self, x: f32) -> Self {
        x
    }
    #[inline(always)]
    fn everywhere(self, value: bool) -> bool {
        value
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn floor(self) -> Self {
        self.floor()
    }
    #[inline(always)]
    fn signed_one(self) -> Self {
        1_f32.copysign(self)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self < other
    }
    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self <= other
    }
    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self == other
    }
    #[inline(always)]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }
    #[inline(always)]
    fn lanewise<const N: usize>(inputs: [Self; N], f: impl Fn([Self; N]) -> Self) -> Self {
        f(inputs)
    }
    #[inline(always)]
    fn apart<T>(self, work: impl FnOnce() -> T) -> T {
        work()
    }
    #[inline(always)]
    fn look_up<const N: usize>(self, table: &[f32], offsets: [usize; N]) -> [Self; N] {
        let index = self as usize;
        offsets.map(|offset| table[index + offset])
    }
}
