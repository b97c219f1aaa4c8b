//! Eight-lane vectors for each instruction set, and the one place that chooses among them.
//!
//! A [`Simd8`] value is a token: it exists only where its instruction set may run, so its methods
//! are safe to call. Code that is generic over it is compiled once per instruction set by
//! [`Isa::dispatch`], and everything marked `#[inline(always)]` below that call uses its registers.
//!
//! All arithmetic is the IEEE operation of its name, so lanes hold the same bits everywhere. The one
//! exception is [`Simd8::mul_sub`], which may be fused and is for conservative box tests only.

#![expect(
    unsafe_code,
    reason = "vector intrinsics, and a traversal stack that is not cleared for each ray"
)]

use std::fmt::Debug;
use std::mem::MaybeUninit;

mod sealed {
    pub trait Sealed {}
}

/// Eight `f32` lanes of one instruction set; see the module documentation.
pub trait Simd8: Copy + Debug + Send + Sync + sealed::Sealed + 'static {
    /// Eight `f32`.
    type F: Copy + Debug;
    /// Eight truth values.
    type M: Copy + Debug;
    /// The same value in each lane.
    fn splat(self, x: f32) -> Self::F;
    /// Lane i is `lanes[i]`.
    fn load(self, lanes: &[f32; 8]) -> Self::F;
    /// Lane i is `rows[row][i]`.
    #[inline(always)]
    fn load_row<const ROWS: usize>(self, rows: &[[f32; 8]; ROWS], row: Row<ROWS>) -> Self::F {
        // SAFETY: a `Row<ROWS>` is at most 8·(ROWS − 1), and `rows` is 8·ROWS floats.
        self.load(unsafe { &*rows.as_ptr().cast::<f32>().add(row.0).cast::<[f32; 8]>() })
    }
    /// `out[i]` becomes lane i.
    fn store(self, a: Self::F, out: &mut [f32; 8]);
    /// a + b.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// a − b.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// a · b.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// a / b.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `if a < b { a } else { b }`, so b where either is NaN.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `if a > b { a } else { b }`, so b where either is NaN.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// |a|.
    fn abs(self, a: Self::F) -> Self::F;
    /// −a.
    fn neg(self, a: Self::F) -> Self::F;
    /// √a.
    fn sqrt(self, a: Self::F) -> Self::F;
    /// Largest whole number ≤ a.
    fn floor(self, a: Self::F) -> Self::F;
    /// ±1 with the sign of a, also where a is a zero.
    fn signed_one(self, a: Self::F) -> Self::F;
    /// a · b − c, rounded once or twice: only for results that no stored number depends on.
    fn mul_sub(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// a < b, false where either is NaN.
    fn lt(self, a: Self::F, b: Self::F) -> Self::M;
    /// a ≤ b, false where either is NaN.
    fn le(self, a: Self::F, b: Self::F) -> Self::M;
    /// a = b, false where either is NaN.
    fn eq(self, a: Self::F, b: Self::F) -> Self::M;
    /// a where `mask` is set, b elsewhere.
    fn select(self, mask: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// Not.
    fn not(self, a: Self::M) -> Self::M;
    /// Both.
    fn and(self, a: Self::M, b: Self::M) -> Self::M;
    /// Either.
    fn or(self, a: Self::M, b: Self::M) -> Self::M;
    /// Bit i is lane i.
    fn bits(self, a: Self::M) -> u32;
    /// Asks the caches for the bytes of `x`; no effect on any result.
    #[inline(always)]
    fn prefetch<T>(self, x: &T) {
        #[cfg(target_arch = "x86_64")]
        for offset in (0..size_of::<T>()).step_by(64) {
            let line = std::ptr::from_ref(x).cast::<i8>().wrapping_add(offset);
            // SAFETY: a prefetch touches nothing but caches, and every x86-64 processor has it.
            unsafe {
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line);
            }
        }
    }
    /// Runs `kernel` as compiled for this instruction set: in the caller, or, where that would make the
    /// caller large, in a function of its own.
    fn call<K: Kernel>(self, kernel: K) -> K::Output;
    /// Runs `kernel` as compiled for this instruction set, in a function of its own. The loop of a path
    /// is longer than the first instruction cache; pieces that several places use, or that want all
    /// registers, are better off apart.
    fn call_apart<K: Kernel>(self, kernel: K) -> K::Output;
}

/// One of the rows of an `[[f32; 8]; ROWS]`, so kept that finding it needs neither check nor
/// multiplication.
#[derive(Debug, Clone, Copy)]
pub struct Row<const ROWS: usize>(usize);

impl<const ROWS: usize> Row<ROWS> {
    /// Row `index`.
    ///
    /// # Panics
    /// There is no such row.
    #[inline(always)]
    pub const fn new(index: usize) -> Self {
        assert!(index < ROWS);
        Self(8 * index)
    }

    /// The other row of a pair: 1 for 0, 2 for 3.
    #[inline(always)]
    pub const fn partner(self) -> Self {
        const { assert!(ROWS.is_multiple_of(2)) };
        Self(self.0 ^ 8)
    }
}

/// Work that is compiled once for each instruction set.
///
/// `run` must be `#[inline(always)]`, and so must what it calls for speed, or the compiler will
/// not use the wide registers in it.
pub trait Kernel {
    /// What the work gives.
    type Output;
    /// Does the work with the chosen vectors.
    fn run<S: Simd8>(self, simd: S) -> Self::Output;
}

/// An instruction set that kernels are compiled for. Results are the same bits on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every processor of the target has (SSE2 on x86-64).
    Portable,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, VL, DQ and BW.
    Avx512,
}

/// Why the instruction set asked for cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsaError {
    /// `DIORAMA_ISA` holds no known name.
    #[error("DIORAMA_ISA is {0:?}: use portable, avx2 or avx512, or unset it for the best one")]
    Unknown(String),
    /// This processor does not have it.
    #[error("DIORAMA_ISA asks for {}, which this processor does not have: unset it for the best one", .0.name())]
    Unsupported(Isa),
}

impl Isa {
    /// Each instruction set, slowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// Name as `DIORAMA_ISA` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The one that the environment variable `DIORAMA_ISA` names, else the widest of this processor.
    pub fn detect() -> Result<Self, IsaError> {
        match std::env::var_os("DIORAMA_ISA") {
            None => Ok(Self::widest()),
            Some(name) => Self::from_name(&name.to_string_lossy()),
        }
    }

    /// The one called `name`, if this processor has it; the widest one for an empty name.
    pub fn from_name(name: &str) -> Result<Self, IsaError> {
        if name.is_empty() {
            return Ok(Self::widest());
        }
        let isa = Self::ALL
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| IsaError::Unknown(name.to_owned()))?;
        if isa.is_supported() {
            Ok(isa)
        } else {
            Err(IsaError::Unsupported(isa))
        }
    }

    /// The widest that this processor has.
    pub fn widest() -> Self {
        Self::ALL
            .into_iter()
            .rfind(|isa| isa.is_supported())
            .unwrap_or(Self::Portable)
    }

    /// Whether this processor has it.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::has_avx2(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::has_avx512(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Runs `kernel` as compiled for this instruction set.
    ///
    /// # Panics
    /// This processor does not have it.
    pub fn dispatch<K: Kernel>(self, kernel: K) -> K::Output {
        assert!(
            self.is_supported(),
            "this processor does not have {}",
            self.name()
        );
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the features are those that `is_supported` has just found.
            Self::Avx2 => unsafe { x86::run_avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx512 => unsafe { x86::run_avx512(kernel) },
            _ => kernel.run(Portable::TOKEN),
        }
    }
}

/// Plain arrays; the compiler makes of them what the target has.
#[derive(Debug, Clone, Copy)]
pub struct Portable(());

impl Portable {
    /// Its token, which every machine may have.
    pub const TOKEN: Self = Self(());
}

impl sealed::Sealed for Portable {}

/// Applies `f` lane by lane.
#[inline(always)]
fn zip<A: Copy, B>(a: [A; 8], b: [A; 8], f: impl Fn(A, A) -> B) -> [B; 8] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Simd8 for Portable {
    type F = [f32; 8];
    type M = [bool; 8];
    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; 8]
    }
    #[inline(always)]
    fn load(self, lanes: &[f32; 8]) -> Self::F {
        *lanes
    }
    #[inline(always)]
    fn store(self, a: Self::F, out: &mut [f32; 8]) {
        *out = a;
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn abs(self, a: Self::F) -> Self::F {
        a.map(f32::abs)
    }
    #[inline(always)]
    fn neg(self, a: Self::F) -> Self::F {
        a.map(|a| -a)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::F) -> Self::F {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    fn floor(self, a: Self::F) -> Self::F {
        a.map(f32::floor)
    }
    #[inline(always)]
    fn signed_one(self, a: Self::F) -> Self::F {
        a.map(|a| 1_f32.copysign(a))
    }
    #[inline(always)]
    fn mul_sub(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        self.sub(self.mul(a, b), c)
    }
    #[inline(always)]
    fn lt(self, a: Self::F, b: Self::F) -> Self::M {
        zip(a, b, |a, b| a < b)
    }
    #[inline(always)]
    fn le(self, a: Self::F, b: Self::F) -> Self::M {
        zip(a, b, |a, b| a <= b)
    }
    #[inline(always)]
    fn eq(self, a: Self::F, b: Self::F) -> Self::M {
        zip(a, b, |a, b| a == b)
    }
    #[inline(always)]
    fn select(self, mask: Self::M, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| if mask[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn not(self, a: Self::M) -> Self::M {
        a.map(|a| !a)
    }
    #[inline(always)]
    fn and(self, a: Self::M, b: Self::M) -> Self::M {
        zip(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn or(self, a: Self::M, b: Self::M) -> Self::M {
        zip(a, b, |a, b| a | b)
    }
    #[inline(always)]
    fn bits(self, a: Self::M) -> u32 {
        let mut bits = 0;
        for (lane, set) in a.into_iter().enumerate() {
            bits |= u32::from(set) << lane;
        }
        bits
    }
    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    #[inline(never)]
    fn call_apart<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Simd8, sealed::Sealed};
    use std::arch::x86_64::{
        __m256, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps,
        _mm256_blendv_ps, _mm256_cmp_ps, _mm256_cmp_ps_mask, _mm256_div_ps, _mm256_floor_ps,
        _mm256_fmsub_ps, _mm256_loadu_ps, _mm256_mask_blend_ps, _mm256_max_ps, _mm256_min_ps,
        _mm256_movemask_ps, _mm256_mul_ps, _mm256_or_ps, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_sqrt_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_xor_ps,
    };

    macro_rules! features {
        ($($feature:tt)*) => {
            pub(super) fn has_avx2() -> bool {
                $(is_x86_feature_detected!($feature))&&*
            }
        };
    }
    features!("avx2" "fma" "bmi1" "bmi2" "lzcnt" "popcnt");

    pub(super) fn has_avx512() -> bool {
        has_avx2()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
    }

    /// Runs `kernel` with AVX2.
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Avx2(()))
    }

    /// Runs `kernel` with AVX2, out of line.
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    #[inline(never)]
    pub(super) fn run_avx2_apart<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Avx2(()))
    }

    /// Runs `kernel` with AVX-512.
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512vl,avx512dq,avx512bw")]
    pub(super) fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Avx512(()))
    }

    /// Runs `kernel` with AVX-512, out of line.
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512vl,avx512dq,avx512bw")]
    #[inline(never)]
    pub(super) fn run_avx512_apart<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Avx512(()))
    }

    /// AVX2 and FMA; made by [`run_avx2`] only.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Avx2(());

    /// AVX-512; made by [`run_avx512`] only.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Avx512(());

    impl Sealed for Avx2 {}
    impl Sealed for Avx512 {}

    /// The methods that are the same instructions on both.
    macro_rules! shared_methods {
        () => {
            type F = __m256;
            #[inline(always)]
            fn splat(self, x: f32) -> __m256 {
                // SAFETY: the token proves that the processor has AVX.
                unsafe { _mm256_set1_ps(x) }
            }
            #[inline(always)]
            fn load(self, lanes: &[f32; 8]) -> __m256 {
                // SAFETY: as above; the reference is to eight floats.
                unsafe { _mm256_loadu_ps(lanes.as_ptr()) }
            }
            #[inline(always)]
            fn store(self, a: __m256, out: &mut [f32; 8]) {
                // SAFETY: as above; the reference is to eight floats.
                unsafe { _mm256_storeu_ps(out.as_mut_ptr(), a) }
            }
            #[inline(always)]
            fn add(self, a: __m256, b: __m256) -> __m256 {
                // SAFETY: the token proves that the processor has AVX.
                unsafe { _mm256_add_ps(a, b) }
            }
            #[inline(always)]
            fn sub(self, a: __m256, b: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_sub_ps(a, b) }
            }
            #[inline(always)]
            fn mul(self, a: __m256, b: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_mul_ps(a, b) }
            }
            #[inline(always)]
            fn div(self, a: __m256, b: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_div_ps(a, b) }
            }
            #[inline(always)]
            fn min(self, a: __m256, b: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_min_ps(a, b) }
            }
            #[inline(always)]
            fn max(self, a: __m256, b: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_max_ps(a, b) }
            }
            #[inline(always)]
            fn abs(self, a: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), a) }
            }
            #[inline(always)]
            fn neg(self, a: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_xor_ps(_mm256_set1_ps(-0.0), a) }
            }
            #[inline(always)]
            fn sqrt(self, a: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_sqrt_ps(a) }
            }
            #[inline(always)]
            fn floor(self, a: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe { _mm256_floor_ps(a) }
            }
            #[inline(always)]
            fn signed_one(self, a: __m256) -> __m256 {
                // SAFETY: as above.
                unsafe {
                    let sign = _mm256_and_ps(_mm256_set1_ps(-0.0), a);
                    _mm256_or_ps(sign, _mm256_set1_ps(1.0))
                }
            }
            #[inline(always)]
            fn mul_sub(self, a: __m256, b: __m256, c: __m256) -> __m256 {
                // SAFETY: the token proves that the processor has FMA.
                unsafe { _mm256_fmsub_ps(a, b, c) }
            }
        };
    }

    impl Simd8 for Avx2 {
        type M = __m256;
        shared_methods!();
        #[inline(always)]
        fn lt(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: the token proves that the processor has AVX.
            unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) }
        }
        #[inline(always)]
        fn le(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: as above.
            unsafe { _mm256_cmp_ps::<_CMP_LE_OQ>(a, b) }
        }
        #[inline(always)]
        fn eq(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: as above.
            unsafe { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b) }
        }
        #[inline(always)]
        fn select(self, mask: __m256, a: __m256, b: __m256) -> __m256 {
            // SAFETY: as above.
            unsafe { _mm256_blendv_ps(b, a, mask) }
        }
        #[inline(always)]
        fn not(self, a: __m256) -> __m256 {
            // SAFETY: as above; zero is equal to itself in each lane.
            unsafe {
                let all = _mm256_cmp_ps::<_CMP_EQ_OQ>(_mm256_setzero_ps(), _mm256_setzero_ps());
                _mm256_andnot_ps(a, all)
            }
        }
        #[inline(always)]
        fn and(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: as above.
            unsafe { _mm256_and_ps(a, b) }
        }
        #[inline(always)]
        fn or(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: as above.
            unsafe { _mm256_or_ps(a, b) }
        }
        #[inline(always)]
        fn bits(self, a: __m256) -> u32 {
            // SAFETY: as above.
            unsafe { _mm256_movemask_ps(a) as u32 }
        }
        #[inline(always)]
        fn call<K: Kernel>(self, kernel: K) -> K::Output {
            // SAFETY: the token proves that the processor has the features.
            unsafe { run_avx2(kernel) }
        }
        #[inline(always)]
        fn call_apart<K: Kernel>(self, kernel: K) -> K::Output {
            // SAFETY: the token proves that the processor has the features.
            unsafe { run_avx2_apart(kernel) }
        }
    }

    impl Simd8 for Avx512 {
        type M = u8;
        shared_methods!();
        #[inline(always)]
        fn lt(self, a: __m256, b: __m256) -> u8 {
            // SAFETY: the token proves that the processor has AVX-512 F and VL.
            unsafe { _mm256_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
        }
        #[inline(always)]
        fn le(self, a: __m256, b: __m256) -> u8 {
            // SAFETY: as above.
            unsafe { _mm256_cmp_ps_mask::<_CMP_LE_OQ>(a, b) }
        }
        #[inline(always)]
        fn eq(self, a: __m256, b: __m256) -> u8 {
            // SAFETY: as above.
            unsafe { _mm256_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
        }
        #[inline(always)]
        fn select(self, mask: u8, a: __m256, b: __m256) -> __m256 {
            // SAFETY: as above.
            unsafe { _mm256_mask_blend_ps(mask, b, a) }
        }
        #[inline(always)]
        fn not(self, a: u8) -> u8 {
            !a
        }
        #[inline(always)]
        fn and(self, a: u8, b: u8) -> u8 {
            a & b
        }
        #[inline(always)]
        fn or(self, a: u8, b: u8) -> u8 {
            a | b
        }
        #[inline(always)]
        fn bits(self, a: u8) -> u32 {
            u32::from(a)
        }
        #[inline(always)]
        fn call<K: Kernel>(self, kernel: K) -> K::Output {
            // SAFETY: the token proves that the processor has the features.
            unsafe { run_avx512(kernel) }
        }
        #[inline(always)]
        fn call_apart<K: Kernel>(self, kernel: K) -> K::Output {
            // SAFETY: the token proves that the processor has the features.
            unsafe { run_avx512_apart(kernel) }
        }
    }
}

/// Entries that a traversal can have waiting; the builders keep below it.
pub(super) const STACK_CAPACITY: usize = 256;

/// The storage of a [`Stack`], which is not cleared for each ray.
pub(super) struct Entries([MaybeUninit<u64>; STACK_CAPACITY]);

impl Entries {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; STACK_CAPACITY])
    }
}

/// A stack of (entry distance, node) pairs. Its length is apart from the storage, so that it can live
/// in a register.
pub(super) struct Stack<'a> {
    /// Those below `len` are written.
    entries: &'a mut [MaybeUninit<u64>; STACK_CAPACITY],
    len: usize,
}

impl<'a> Stack<'a> {
    /// Nothing on it.
    #[inline(always)]
    pub(super) fn new(storage: &'a mut Entries) -> Self {
        Self {
            entries: &mut storage.0,
            len: 0,
        }
    }

    /// How many entries wait.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts `entry` on top.
    #[inline(always)]
    pub(super) fn push(&mut self, entry: u64) {
        self.entries[self.len] = MaybeUninit::new(entry);
        self.len += 1;
    }

    /// The top entry if more than `base` wait.
    #[inline(always)]
    pub(super) fn top_above(&self, base: usize) -> Option<u64> {
        // SAFETY: entries below `len` were written by `push`.
        (self.len > base).then(|| unsafe { self.entries[self.len - 1].assume_init() })
    }

    /// Takes the top entry if more than `base` wait.
    #[inline(always)]
    pub(super) fn pop_above(&mut self, base: usize) -> Option<u64> {
        if self.len <= base {
            return None;
        }
        self.len -= 1;
        // SAFETY: entries below `len` were written by `push`, and `len` stays within the array.
        Some(unsafe { self.entries[self.len].assume_init() })
    }

    /// Drops all but the `len` lowest entries.
    #[inline(always)]
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Sorts the entries from index `base` up, largest first, so that the smallest is on top.
    #[inline(always)]
    pub(super) fn sort_above(&mut self, base: usize) {
        // SAFETY: entries below `len` were written by `push`.
        let waiting = unsafe { self.entries[base..self.len].assume_init_mut() };
        for i in 1..waiting.len() {
            let entry = waiting[i];
            let mut j = i;
            while j > 0 && waiting[j - 1] < entry {
                waiting[j] = waiting[j - 1];
                j -= 1;
            }
            waiting[j] = entry;
        }
    }
}
