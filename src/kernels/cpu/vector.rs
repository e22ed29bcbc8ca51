//! SIMD vectors of the widths that processors have, for kernels that are written once: four numbers
//! everywhere (SSE, NEON, simd128), eight or sixteen where an x86 processor says that it has them.

use wide::f32x4;

/// Some f32 beside each other.
pub trait Vector: Copy {
    /// How many.
    const LANES: usize;
    /// The same number in all lanes.
    fn splat(value: f32) -> Self;
    /// The numbers from `at` on.
    ///
    /// # Safety
    /// The slice holds them.
    unsafe fn load(values: &[f32], at: usize) -> Self;
    /// Writes the numbers from `at` on.
    ///
    /// # Safety
    /// The slice holds them.
    unsafe fn store(self, to: &mut [f32], at: usize);
    /// self * by + plus.
    fn mul_add(self, by: Self, plus: Self) -> Self;
    /// self + other.
    fn add(self, other: Self) -> Self;
    /// The larger of each two; of one that is not a number, any.
    fn max(self, other: Self) -> Self;
    /// The smaller of each two; of one that is not a number, any.
    fn min(self, other: Self) -> Self;
}

impl Vector for f32x4 {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        f32x4::splat(value)
    }

    #[inline(always)]
    unsafe fn load(values: &[f32], at: usize) -> Self {
        debug_assert!(at + 4 <= values.len());
        // SAFETY: the caller's.
        f32x4::from(unsafe { values.as_ptr().add(at).cast::<[f32; 4]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32], at: usize) {
        debug_assert!(at + 4 <= to.len());
        // SAFETY: the caller's.
        unsafe {
            to.as_mut_ptr()
                .add(at)
                .cast::<[f32; 4]>()
                .write(self.to_array())
        }
    }

    #[inline(always)]
    fn mul_add(self, by: Self, plus: Self) -> Self {
        self * by + plus
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.fast_max(other)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.fast_min(other)
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Vector;

    /// Implements [`Vector`] by the intrinsics of one width.
    macro_rules! vector {
        ($name:ident, $lanes:literal, $inner:ty, $splat:ident, $load:ident, $store:ident,
         $mul_add:ident, $add:ident, $max:ident, $min:ident) => {
            /// Only made in functions that run where the processor has these instructions.
            #[derive(Clone, Copy)]
            pub struct $name($inner);

            // SAFETY of all: see the type, and the trait of what is read or written.
            impl Vector for $name {
                const LANES: usize = $lanes;

                #[inline(always)]
                fn splat(value: f32) -> Self {
                    Self(unsafe { $splat(value) })
                }

                #[inline(always)]
                unsafe fn load(values: &[f32], at: usize) -> Self {
                    debug_assert!(at + $lanes <= values.len());
                    Self(unsafe { $load(values.as_ptr().add(at)) })
                }

                #[inline(always)]
                unsafe fn store(self, to: &mut [f32], at: usize) {
                    debug_assert!(at + $lanes <= to.len());
                    unsafe { $store(to.as_mut_ptr().add(at), self.0) }
                }

                #[inline(always)]
                fn mul_add(self, by: Self, plus: Self) -> Self {
                    Self(unsafe { $mul_add(self.0, by.0, plus.0) })
                }

                #[inline(always)]
                fn add(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }

                #[inline(always)]
                fn max(self, other: Self) -> Self {
                    Self(unsafe { $max(self.0, other.0) })
                }

                #[inline(always)]
                fn min(self, other: Self) -> Self {
                    Self(unsafe { $min(self.0, other.0) })
                }
            }
        };
    }

    vector!(
        Avx2,
        8,
        __m256,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_max_ps,
        _mm256_min_ps
    );
    vector!(
        Avx512,
        16,
        __m512,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        _mm512_max_ps,
        _mm512_min_ps
    );
}
